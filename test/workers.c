/* SPDX-License-Identifier: MIT */
/*
 * workers.c - no thread for a worker: lib/workers.c as it is, on a runtime that
 * runs, with a start of threads of our own.
 *
 * While it fails a thread that is not weft's sets a timer on that worker.
 */
#define wf__os_thread_start own_thread_start
#define wf__workers_follow own_follow
#define wf__workers_free own_free
#define wf__workers_leave own_leave
#define wf__workers_limit own_limit
#define wf__workers_stand_in own_stand_in
#define wf__workers_start own_start
#define wf__workers_start_alone own_start_alone
#define wf__workers_stop own_stop
#define wf__workers_target own_target
#include "../lib/workers.c"

#include "tap.h"

#include <weft.h>

static wf_timer *timer;

static bool
has_timers(unsigned i)
{
	return wf__timerq_first(&wf__sched_worker(i)->timers) != WF_FOREVER;
}

int
own_thread_start(struct wf__os_thread *t, void (*fn)(void *), void *arg,
    const char *name)
{
	(void)t, (void)fn, (void)name;
	check(arg == wf__sched_worker(1));
	if (check((timer = wf_timer_make(WF_MS))))
		check(has_timers(1));
	return -EAGAIN;
}

static uint64_t
count_workers(void)
{
	struct wf_stats stats;

	wf_stats(&stats);
	return stats.workers;
}

/* Worker 0 looks as if it were in a region: timers are set on others, if there
 * are any. */
static void
set_timer_on_second(void)
{
	struct wf__worker *first = wf__sched_worker(0);

	timer = NULL;
	/* Relaxed: no coroutine is there that would enter one. */
	wf__store_relaxed(&first->blocking, 1);
	own_target(2);
	wf__store_relaxed(&first->blocking, 0);
	check(timer);
	if (check(!has_timers(1)))
		check_eq(wf_recv(wf_timer_chan(timer), NULL), 1);
	wf_timer_free(timer);
	check_eq(count_workers(), 1);
}

static void
no_thread(void)
{
	const struct wf_options one = { .workers = 1 };

	check_eq(wf_start(&one), 0);
	/* When it is new, and when it was there before. */
	for (int i = 0; i < 3; i++)
		set_timer_on_second();
	check_eq(wf__load_relaxed(&wf__sched.n_workers), 2);
	/* Now there is one. */
	check_eq(wf_workers(2), 2);
	check_eq(count_workers(), 2);
	check_eq(wf_stop(WF_FOREVER), 0);
}

int
main(void)
{
	tap_plain("a timer set meanwhile is handed over", no_thread);
	return tap_end();
}
