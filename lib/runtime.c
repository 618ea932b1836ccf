/* SPDX-License-Identifier: MIT */
/*
 * runtime.c - start, stop, options; the only file that sees everything.
 * Layer 8.  Uses: all of the above.
 *
 *	stopped -> started -> stopped
 *	                 \-> abandoned	(wf_run() returned while a coroutine
 *	                                 was computing; when it is over, a
 *	                                 new start clears up)
 *
 * Changes are made under rt.lock, by one thread at a time.
 */
#include <weft.h>

#include <errno.h>
#include <limits.h>

#include "budget.h"
#include "coro.h"
#include "dump.h"
#include "fork.h"
#include "group.h"
#include "monitor.h"
#include "options.h"
#include "os.h"
#include "poller.h"
#include "offload.h"
#include "pump.h"
#include "report.h"
#include "run.h"
#include "sched.h"
#include "signals.h"
#include "stack.h"
#include "stall.h"
#include "start.h"
#include "switch.h"
#include "waitgroup.h"
#include "workers.h"

#define LEAVE_WITHIN (200 * WF_MS)	/* the workers, at the end of a run */
#define LIVE_LOOK (10 * WF_MS)		/* while a stop waits */

static struct {
	struct wf__lock lock;
	struct wf_options options;	/* with all defaults filled in */
	bool abandoned;
	bool catching;
	int workers;			/* by wf_workers(), or 0 */
	bool follows;			/* nobody said how many */
	wf__word32 quiet;		/* times that all was asleep [quiet] */
} rt;

/* ---- hooks of the layers above us ---- */

static void
on_ended(struct wf__coro *c, int result)
{
	if (wf__unlikely(c->task.is_main))
		wf__run_main_ended(c->exiting, result);
	if (c->entry.group)
		wf__group_ended(c->entry.group, c->entry.site, result);
	if (c->entry.waitgroup)
		wf__waitgroup_add(c->entry.waitgroup, -1);
}

static void
on_quiet(uint64_t live)
{
	wf__add32_acq_rel(&rt.quiet, 1);			/* [quiet] */
	wf__os_futex_wake(&rt.quiet, INT_MAX);
	wf__run_quiet(live);
}

static int
dump_for_report(int fd, size_t limit)
{
	return wf__dump_all(fd, limit, false);
}

/* In the child of a fork.  What wf_workers() was told stays. */
void
wf__forget_runtime(void)
{
	int workers = rt.workers;

	if (rt.catching)
		wf__os_uncatch_faults();
	wf__stall_close();
	memset(&rt, 0, sizeof rt);
	rt.workers = workers;
	wf__dump_left = 0;
}

/* ---- start and stop, under rt.lock ---- */

static void
clear_up(void)
{
	wf__offload_stop();
	wf__signals_stop();
	wf__poller_stop();
	wf__dump_leave_behind();
	wf__workers_free();
	if (!wf__dump_left) {
		wf__start_free_all();
		wf__stack_free_all();
	}
	if (rt.catching)
		wf__os_uncatch_faults();
	rt.catching = false;
	wf__stall_close();
}

/* All threads end; memory goes back if no coroutine is left in it.  False: one
 * still computes, and its worker with it. */
static bool
end_workers(int64_t deadline)
{
	rt.abandoned = !wf__workers_stop(deadline);
	if (rt.abandoned)
		return false;
	clear_up();
	return true;
}

/* All but the workers. */
static int
prepare(const struct wf_options *options)
{
	struct wf_options o = options ? *options : (struct wf_options){ 0 };
	int err;

	if (wf__load_relaxed(&wf__sched.running))
		return -EBUSY;
	if (rt.abandoned && !end_workers(wf__os_now() + LEAVE_WITHIN))
		return -EBUSY;
	if ((err = wf__options_check(&o)) < 0)
		return err;
	wf__fork_prepare();
	rt.follows = wf__options_fill_in(&o, rt.workers);
	wf__stack_default(o.stack_size);
	wf__budget_set(o.stack_budget);
	rt.options = o;
	wf__report_hooks.who = wf__dump_who;
	wf__report_hooks.dump = dump_for_report;
	wf__sched.hooks.quiet = on_quiet;
	wf__sched.hooks.ended = on_ended;
	wf__switch_inherit();
	if (o.catch_overflow && !o.no_catch_overflow)
		rt.catching = wf__os_catch_faults(wf__dump_overflow) == 0;
	return 0;
}

static void
stop(int64_t deadline)
{
	wf__sched_end_visits();
	if (wf__pump_is_on()) {
		wf__pump_close();
		wf__stall_close();
		clear_up();
		return;
	}
	wf__monitor_stop();
	end_workers(deadline);
}

/* No thread: the caller's is the worker when it pumps, and sleeps in the
 * poller in between, so that is there from the beginning. */
static int
start_pumped(void)
{
	int err;

	if (!wf__workers_start_alone()) {
		clear_up();
		return -ENOMEM;
	}
	wf__stall_open_turns(rt.options.stall_limit);
	wf__pump_open();
	wf__store_release(&wf__sched.running, 1);		/* [running] */
	if ((err = wf__poller_need()) < 0)
		stop(0);
	return err;
}

static int
start(const struct wf_options *options)
{
	int err;

	if ((err = prepare(options)) < 0)
		return err;
	if (rt.options.workers == WF_PUMPED)
		return start_pumped();
	wf__stall_open(rt.options.stall_limit);
	wf__sched.follows = rt.follows;
	err = wf__workers_start(rt.options.workers);
	if (!err && (err = wf__monitor_start()) < 0)
		wf__workers_stop(WF_FOREVER);
	if (err) {
		wf__workers_free();
		wf__stall_close();
		return err;
	}
	wf__store_release(&wf__sched.running, 1);		/* [running] */
	return 0;
}

int
wf__sched_need(void)
{
	int err = 0;

	if (wf__likely(wf__load_acquire(&wf__sched.running)))	/* [running] */
		return 0;
	wf__lock(&rt.lock);
	if (!wf__load_relaxed(&wf__sched.running))
		err = start(NULL);
	wf__unlock(&rt.lock);
	return err;
}

WF_API int
wf_start(const struct wf_options *options)
{
	int err;

	wf__lock(&rt.lock);
	err = start(options);
	wf__unlock(&rt.lock);
	return err;
}

static bool
in_coroutine(void)
{
	struct wf__worker *w = wf__self();

	return w && w->running;
}

/* Wait for a moment at which no coroutine lives.  While timers run on nobody
 * tells of it, so it is looked for as well. */
static int
wait_for_all(int64_t deadline)
{
	int64_t now, look;
	unsigned seen;

	for (;;) {
		seen = wf__load32_acquire(&rt.quiet);		/* [quiet] */
		if (!wf__sched_live())
			return 0;
		now = wf__os_now();
		if (deadline != WF_FOREVER && now >= deadline)
			return -ETIMEDOUT;
		look = now + LIVE_LOOK;
		wf__pump_wait(&rt.quiet, seen,
		    deadline < look ? deadline : look);
	}
}

/* True if the runtime does not run any more; false if a coroutine lives. */
static bool
stop_if_empty(void)
{
	bool stopped = true;

	wf__lock(&rt.lock);
	if (wf__load_relaxed(&wf__sched.running)) {
		stopped = !wf__sched_live();
		if (stopped)
			stop(WF_FOREVER);
	}
	wf__unlock(&rt.lock);
	return stopped;
}

/* Time is up: who still lives?  By option. */
static void
name_who_is_left(void)
{
	uint64_t left = 0;

	wf__lock(&rt.lock);
	if (wf__load_relaxed(&wf__sched.running) && rt.options.list_leaks)
		left = wf__sched_live();
	if (left) {
		wf__report("weft: %llu coroutine%s left after wf_stop() has "
		    "waited:", (unsigned long long)left,
		    left == 1 ? " is" : "s are");
		wf__dump_all(2, SIZE_MAX, false);
	}
	wf__unlock(&rt.lock);
}

WF_API int
wf_stop(int64_t timeout)
{
	int64_t now = wf__os_now(), deadline;
	int err = 0;

	if (in_coroutine() || (wf__pump_is_on() && !wf__pump_is_mine()))
		return -EPERM;
	deadline = timeout < WF_FOREVER - now ? now + timeout : WF_FOREVER;
	while (!err && !stop_if_empty())
		err = wait_for_all(deadline);	/* not under the lock: they
						 * may call what takes it */
	if (err)
		name_who_is_left();
	return err;
}

/* ---- for wf_run() ---- */

int
wf__runtime_start_run(void)
{
	struct wf_options o = { .catch_overflow = true };
	int err = 0;

	wf__lock(&rt.lock);
	if (!wf__load_relaxed(&wf__sched.running))
		err = start(&o);
	else if (!rt.catching && !rt.options.no_catch_overflow)
		rt.catching = wf__os_catch_faults(wf__dump_overflow) == 0;
	wf__unlock(&rt.lock);
	return err;
}

void
wf__runtime_end_run(void)
{
	uint64_t left;

	wf__lock(&rt.lock);
	left = wf__sched_live();
	if (left && rt.options.list_leaks) {
		wf__report("weft: %llu coroutines are left at the end of "
		    "wf_run():", (unsigned long long)left);
		wf__dump_all(2, SIZE_MAX, false);
	}
	/* A coroutine that is left may compute for ever. */
	stop(left ? wf__os_now() + LEAVE_WITHIN : WF_FOREVER);
	wf__unlock(&rt.lock);
}

/* ---- for wf_sim() ---- */

int
wf__runtime_start_alone(void)
{
	struct wf_options o = { .catch_overflow = true };
	int err;

	wf__lock(&rt.lock);
	err = prepare(&o);
	if (!err && !wf__workers_start_alone()) {
		clear_up();
		err = -ENOMEM;
	}
	if (!err)
		wf__store_release(&wf__sched.running, 1);	/* [running] */
	wf__unlock(&rt.lock);
	return err;
}

void
wf__runtime_end_alone(void)
{
	wf__lock(&rt.lock);
	wf__store_release(&wf__sched.running, 0);		/* [running] */
	clear_up();
	wf__unlock(&rt.lock);
}

/* ---- spawn ---- */

int
wf__coro_spawn_with(struct wf__entry *e, const struct wf_attr *attr,
    unsigned shape, const uint64_t *words)
{
	int class, err;

	if (wf__unlikely(!e->fn))
		wf__misuse("wf_spawn", "the function is NULL, at %s:%d",
		    e->site->file, e->site->line);
	if (wf__unlikely((err = wf__sched_need()) < 0))
		return err;
	/* Relaxed: others wait for memory already; a hint is enough. */
	if (wf__unlikely(wf__load_relaxed(&wf__sched.starved.length)))
		return -ENOMEM;
	if ((class = wf__stack_class(attr ? attr->stack_size : 0)) < 0)
		return class;
	if (attr) {
		if (attr->name)
			strncpy(e->name, attr->name, sizeof e->name - 1);
		e->waitgroup = attr->waitgroup;
	}
	if (e->waitgroup)
		wf__waitgroup_add(e->waitgroup, 1);
	err = wf__coro_spawn(e, class, false, shape, words);
	if (err && e->waitgroup)
		wf__waitgroup_add(e->waitgroup, -1);
	return err;
}

WF_API int
wf_spawn_raw(const struct wf_site *site, const struct wf_attr *attr,
    void (*fn)(void), unsigned shape, const uint64_t *words)
{
	struct wf__entry e = { .fn = fn, .site = site };
	int err = wf__coro_spawn_with(&e, attr, shape, words);

	if (wf__seam_alone())
		wf__seam_point_at(NULL, WF__NOTHING);	/* to the new one */
	return err;
}

/* ---- workers ---- */

WF_API int
wf_workers(int n)
{
	int before;

	if (n < 0 || n > WF__MAX_WORKERS)
		return -EINVAL;
	wf__lock(&rt.lock);
	if (wf__load_relaxed(&wf__sched.running)) {
		before = (int)wf__load_relaxed(&wf__sched.target);
		if (n && wf__pump_is_on())
			before = -EBUSY;
		else if (n)
			wf__workers_target(n);
	} else {
		struct wf_options o = { 0 };

		wf__options_fill_in(&o, rt.workers);
		before = o.workers;
	}
	if (n && before >= 0)
		rt.workers = n;
	wf__unlock(&rt.lock);
	return before;
}
