/* SPDX-License-Identifier: MIT */
/*
 * monitor.c - what the monitor does for a worker that it finds: lib/monitor.c
 * as it is, with a worker that does not run.
 */
#define wf__forget_monitor own_forget
#define wf__monitor_asleep own_asleep
#define wf__monitor_start own_start
#define wf__monitor_stop own_stop
#define wf__monitor_wake own_wake
#include "../lib/monitor.c"

#include "tap.h"

static struct wf__worker worker;

static void
set_up(void)
{
	memset(&wf__sched, 0, sizeof wf__sched);
	memset(&worker, 0, sizeof worker);
	wf__store_relaxed(&wf__sched.n_workers, 1);
	wf__store_relaxed(&wf__sched.limit, 1);
	wf__store_relaxed(&wf__sched.target, 1);
	wf__store_relaxed(&wf__sched.workers[0], (wf__word)&worker);
	wf__runq_init(&worker.queue);
	wf__timerq_init(&worker.timers);
}

/* One look at a worker that has switched since the last: is it asked to come to
 * its loop? */
static bool
is_hurried(int64_t now, int64_t timer)
{
	set_up();
	wf__store_relaxed(&worker.timers.first, (wf__word)timer);
	wf__store_relaxed(&worker.switches, 1);
	compensate(now);
	return wf__runq_is_asked(&worker.queue);
}

static void
late_timers(void)
{
	int64_t now = wf__os_now();

	check(is_hurried(now, now - 2 * LATE));
	check(!is_hurried(now, now - LATE / 2));
	check(!is_hurried(now, now + LATE));
	check(!is_hurried(now, WF_FOREVER));
}

/* Who is known to switch seldom looks at its timers at each switch. */
static void
slow(void)
{
	int64_t now = wf__os_now();

	set_up();
	wf__store_relaxed(&worker.timers.first, (wf__word)(now - 2 * LATE));
	wf__store_relaxed(&worker.switches, 1);
	wf__store_relaxed(&worker.slow, WF__SLOW);
	compensate(now);
	check(!wf__runq_is_asked(&worker.queue));
}

/* One that switches more seldom still sees its timers late: somebody else is
 * told of each. */
static void
told(void)
{
	int64_t now = wf__os_now();

	set_up();
	wf__store_relaxed(&worker.switches, 1);
	wf__store_relaxed(&worker.slow, WF__SLOW);
	wf__store_relaxed(&worker.timers.first, (wf__word)(now + WF_MS));
	compensate(now);
	check_eq(worker.told, 0);
	wf__store_relaxed(&worker.slow, WF__VERY_SLOW);
	compensate(now);
	check_eq(worker.told, now + WF_MS);
}

/* Who sleeps is woken by his timer himself. */
static void
asleep(void)
{
	int64_t now = wf__os_now();

	set_up();
	wf__store_relaxed(&worker.timers.first, (wf__word)(now - 2 * LATE));
	wf__store_relaxed(&worker.switches, 1);
	wf__store_relaxed(&worker.on_idle, 1);
	compensate(now);
	check(!wf__runq_is_asked(&worker.queue));
}

int
main(void)
{
	tap_plain("who switches, with a late timer, is to hurry", late_timers);
	tap_plain("not who looks anyway", slow);
	tap_plain("timers of the very slow", told);
	tap_plain("not who sleeps", asleep);
	memset(&wf__sched, 0, sizeof wf__sched);
	return tap_end();
}
