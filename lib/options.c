/* SPDX-License-Identifier: MIT */
/*
 * options.c - options from the program and from the environment.
 * Layer 8.  Uses: options, sched, stack, os, report.
 */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include <weft/time.h>
#include "os.h"
#include "report.h"
#include "sched.h"
#include "stack.h"

static long
from_environment(const char *name, long least, long most)
{
	const char *text = getenv(name);
	char *end;
	long v;

	if (!text || !*text)
		return 0;
	errno = 0;
	v = strtol(text, &end, 10);
	if (errno || *end || v < least || v > most) {
		wf__report("weft: %s=%s is left aside: a number from %ld to "
		    "%ld is wanted", name, text, least, most);
		return 0;
	}
	return v;
}

bool
wf__options_fill_in(struct wf_options *o, int workers)
{
	int saved = errno;
	bool by_machine;

	if (!o->workers)
		o->workers = workers;
	if (!o->workers)
		o->workers = (int)from_environment("WEFT_WORKERS", 1,
		    WF__MAX_WORKERS);
	by_machine = !o->workers;
	if (by_machine)
		o->workers = wf__os_cores();
	if (!o->stack_size)
		o->stack_size = (size_t)from_environment("WEFT_STACK", 16384,
		    1L << 30);
	if (!o->stack_budget)
		o->stack_budget = (size_t)from_environment(
		    "WEFT_STACK_BUDGET", 1, LONG_MAX);
	if (!o->stall_limit)
		o->stall_limit = from_environment("WEFT_STALLS", 1, 3600000) *
		    WF_MS;
	if (from_environment("WEFT_LEAKS", 0, 1))
		o->list_leaks = true;
	errno = saved;
	return by_machine;
}

int
wf__options_check(const struct wf_options *o)
{
	if (o->workers != WF_PUMPED &&
	    (o->workers < 0 || o->workers > WF__MAX_WORKERS))
		return -EINVAL;
	if (o->stall_limit < 0)
		return -EINVAL;
	return wf__stack_class(o->stack_size) < 0 ? -EINVAL : 0;
}
