/* SPDX-License-Identifier: MIT */
/*
 * defer.c - calls that wait for the end of a scope.
 * Layer 3.  Uses: sched, coro.
 *
 * A coroutine's deferred calls form a list through the frames that made them,
 * the innermost first, so that wf_exit() can make them without unwinding.
 * Outside of a coroutine there is no wf_exit(), and no list.
 */
#include <weft/defer.h>

#include "sched.h"

static struct wf__defer **
pending(void)
{
	struct wf__worker *w = wf__self();

	return w && w->running ? &w->running->defers : NULL;
}

WF_API struct wf__defer *
wf__defer_push(struct wf__defer *d)
{
	struct wf__defer **list = pending();

	if (list) {
		d->next = *list;
		*list = d;
	}
	return d;
}

WF_API void
wf__defer_run(struct wf__defer *d)
{
	struct wf__defer **list = pending();

	if (list && *list == d)
		*list = d->next;
	d->fn(d->arg);
}
