/* SPDX-License-Identifier: MIT */
/*
 * quiet.c - when all workers sleep: will anything ever wake one?
 * Layer 2.  Uses: idle, sched, report.
 *
 * Who falls asleep last asks.  If no timer runs, no work waits and nobody
 * waits for what comes from outside, then nothing will: a deadlock, or the end.
 * (A timer may run that stands by for who waits for what comes from outside.)
 */
#include "idle.h"

#include <weft/time.h>
#include "report.h"

enum { STARVED_TRIES = 20 };

/* Relaxed, in this file: read again when all sleep, or under the lock. */

int64_t
wf__idle_first_timer(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */
	int64_t first = WF_FOREVER, t;

	for (unsigned i = 0; i < n; i++)
		if ((t = wf__timerq_first(&wf__sched_worker(i)->timers)) <
		    first)
			first = t;
	return first;
}

bool
wf__idle_all_asleep(void)
{
	bool all;

	wf__lock(&wf__sched.idle.lock);
	all = wf__load_relaxed(&wf__sched.n_idle) +
	    wf__load_relaxed(&wf__sched.idle.retired) ==
	    wf__load_acquire(&wf__sched.n_workers);		/* [worker] */
	wf__unlock(&wf__sched.idle.lock);
	return all;
}

static bool
is_any_inbox_full(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */

	for (unsigned i = 0; i < n; i++)
		if (wf__load_acquire(&wf__sched_worker(i)->inbox_length))
			return true;				/* [runq] */
	return false;
}

static bool
is_any_timer_serious(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */

	for (unsigned i = 0; i < n; i++)
		if (!wf__timerq_is_quiet(&wf__sched_worker(i)->timers))
			return true;
	return false;
}

/* Does anybody wait for what comes from outside?  Asked when all are asleep, so
 * that the sum is that of one moment. */
static bool
is_outside_awaited(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */
	wf__word sum = wf__load_relaxed(&wf__sched.outside);

	for (unsigned i = 0; i < n; i++)
		sum += wf__load_relaxed(&wf__sched_worker(i)->outside);
	return sum != 0;
}

bool
wf__idle_all_quiet(void)
{
	return wf__idle_all_asleep() && !is_any_timer_serious() &&
	    !wf__load_relaxed(&wf__sched.starved.length) &&
	    !wf__idle_has_work() && !is_any_inbox_full() &&
	    !is_outside_awaited();
}

void
wf__idle_if_all_quiet(void)
{
	if (wf__idle_all_quiet() && wf__sched.hooks.quiet)
		wf__sched.hooks.quiet(wf__sched_live());
}

void
wf__idle_report_starved(void)
{
	static wf__word tries;
	size_t n = wf__load_relaxed(&wf__sched.starved.length);

	/* Relaxed: only one reports, and not at the first try. */
	if (n && wf__idle_all_asleep() &&
	    wf__idle_first_timer() == WF_FOREVER &&
	    wf__add_relaxed(&tries, 1) == STARVED_TRIES)
		wf__report("weft: %zu coroutines wait for memory for a stack, "
		    "and all others are parked", n);
}
