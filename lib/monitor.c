/* SPDX-License-Identifier: MIT */
/*
 * monitor.c - the watcher of stuck workers.
 * Layer 2.  Uses: monitor, sched, stall.
 *
 * A thread that is off its core in the middle of weft looks just like one
 * that is stuck in user code, so the monitor takes nothing from it: it wakes
 * or starts another worker, a stand-in, and that one steals.  When the stuck
 * one comes back there is one worker too many, and the one over the limit
 * retires.
 *
 * Stand-ins for workers that compute share the cores with them by time; they
 * are as many as there are workers, or a few where those are few: with one
 * worker and eight coroutines that compute, the ninth is to run all the same.
 * Those for blocked ones cost nothing but their stack, and are bounded by
 * WF__MAX_EXTRA.
 */
#include "monitor.h"

#include <weft/time.h>
#include "fork.h"
#include "blocking.h"
#include "idle.h"
#include "stall.h"
#include "workers.h"

#define LATE WF_MS
#define TRIM_EVERY (WF_SEC / 2)
#define COUNT_CORES_EVERY WF_SEC
enum {
	QUIET_LOOKS = 4,		/* before the monitor sleeps as well */
	COMPUTING = 16			/* stand-ins even for one worker */
};

static struct wf__os_thread thread;
static wf__word32 leave_now;
wf__word32 wf__monitor_asleep;

/* Relaxed, in this file: what is read may be stale by a moment; the next look
 * comes in 10 ms. */

void
wf__monitor_wake(void)
{
	wf__store32_release(&wf__monitor_asleep, 0);		/* [monitor] */
	wf__os_futex_wake(&wf__monitor_asleep, 1);
}

static bool
due(const struct wf__worker *w, int64_t now)
{
	return wf__timerq_first(&w->timers) <= now;
}

/* A timer of w, in a region or very slow, comes soon: somebody is to know of
 * it, once (blocking.c). */
static bool
due_soon(struct wf__worker *w, int64_t now)
{
	int64_t first = wf__timerq_first(&w->timers);

	if (first > now + WF__BLOCKING_SOON || first == w->told)
		return false;
	w->told = first;
	return true;
}

/* w switches, but so seldom that its timers are late, and does not know it yet:
 * it is to come to its loop at the next switch, as for a thief. */
static void
hurry(struct wf__worker *w, int64_t now)
{
	if (!wf__load_relaxed(&w->slow) && due(w, now - LATE))
		wf__runq_ask(&w->queue, true);
}

/* Has w, since the last look, been in one and the same stretch of user code?
 * And does something wait that it would have run? */
static bool
is_stuck(struct wf__worker *w, int64_t now, bool *waits)
{
	uint64_t switches = wf__load_relaxed(&w->switches);
	bool same = switches == w->seen;

	w->seen = switches;
	/* One that is asleep, or has left, does not switch either. */
	if (wf__load_relaxed(&w->on_idle) || wf__load_relaxed(&w->retired))
		return false;
	if (!same) {
		hurry(w, now);
		return false;
	}
	*waits |= wf__runq_length(&w->queue) ||
	    wf__runq_has_next(&w->queue) || due(w, now);
	return true;
}

/* Count the stuck ones, and give them stand-ins if something waits. */
static void
compensate(int64_t now)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */
	size_t target = wf__load_relaxed(&wf__sched.target);
	size_t limit = wf__load_relaxed(&wf__sched.limit);
	size_t blocked = 0, computing = 0, wanted, most;
	bool waits = wf__idle_has_work(), soon = false;

	for (unsigned i = 0; i < n; i++) {
		struct wf__worker *w = wf__sched_worker(i);

		if (wf__load_relaxed(&w->blocking)) {
			blocked++;
			waits |= due(w, now);
			soon |= due_soon(w, now);
			continue;
		}
		if (wf__load_relaxed(&w->slow) == WF__VERY_SLOW)
			soon |= due_soon(w, now);
		if (!is_stuck(w, now, &waits) || i >= limit)
			continue;
		if (wf__os_thread_blocked(&w->thread))
			blocked++;
		else
			computing++;
	}
	most = target > COMPUTING ? target : COMPUTING;
	computing = computing < most ? computing : most;
	wanted = target + blocked + computing;
	wanted = wanted < target + WF__MAX_EXTRA ? wanted :
	    target + WF__MAX_EXTRA;
	if ((waits || soon) && wf__load_relaxed(&wf__sched.n_idle))
		wf__idle_wake();
	else if (waits && wanted > limit)
		wf__workers_limit((int)(limit + 1));
	else if (wanted < limit)
		wf__workers_limit((int)wanted);
}

/* Descriptors are looked after by who sleeps there, or who switches often: if
 * neither is the case, by the monitor. */
static void
poll_if_nobody_does(void)
{
	static wf__word seen;
	wf__word polls = wf__load_relaxed(&wf__sched.polls);

	if (polls == seen)
		wf__sched_poll();
	seen = polls;
}

/* Has any worker run something since the last time?  Who asks so often that it
 * would be woken again at once need not go to sleep. */
static bool
has_any_switched(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */
	static uint64_t seen;
	uint64_t sum = 0;
	bool same;

	for (unsigned i = 0; i < n; i++)
		sum += wf__load_relaxed(&wf__sched_worker(i)->switches);
	same = sum == seen;
	seen = sum;
	return !same;
}

/* What is due now and then, while somebody runs. */
static void
keep_up(int64_t now)
{
	static int64_t trimmed, counted;

	if (now - trimmed > TRIM_EVERY) {
		wf__stack_trim();
		trimmed = now;
	}
	/* The quota of a container may be changed from outside. */
	if (now - counted > COUNT_CORES_EVERY) {
		wf__workers_follow(wf__os_cores());
		counted = now;
	}
}

static void
sleep_while_all_asleep(void)
{
	wf__word32 *asleep = &wf__monitor_asleep;

	wf__store32_release(asleep, 1);				/* [monitor] */
	wf__os_fence_heavy();
	while (wf__idle_all_asleep() && wf__load32_acquire(asleep) &&
	    !wf__load32_acquire(&leave_now))
		wf__os_futex_wait(asleep, 1, WF_FOREVER);
	wf__store32_release(asleep, 0);				/* [monitor] */
}

static void
monitor_main(void *arg)
{
	int64_t now;
	unsigned quiet = 0;
	bool asleep;

	(void)arg;
	while (!wf__load32_acquire(&leave_now)) {	/* [monitor-end] */
		asleep = wf__idle_all_asleep();
		quiet = !has_any_switched() && asleep ? quiet + 1 : 0;
		/* Once more: a thread that was about to end when the last
		 * worker looked is gone now. */
		if (asleep)
			wf__idle_if_all_quiet();
		if (quiet >= QUIET_LOOKS && !wf__stack_surplus())
			sleep_while_all_asleep();
		now = wf__os_now();
		wf__os_futex_wait(&leave_now, 0, now + WF__MONITOR_LOOK);
		now = wf__os_now();
		wf__monitor_clock(now);
		poll_if_nobody_does();
		compensate(now);
		wf__stall_look(now);
		keep_up(now);
	}
}

int
wf__monitor_start(void)
{
	wf__store32_release(&leave_now, 0);		/* [monitor-end] */
	return wf__os_thread_start(&thread, monitor_main, NULL,
	    "weft-monitor");
}

void
wf__monitor_stop(void)
{
	wf__store32_release(&leave_now, 1);		/* [monitor-end] */
	wf__os_futex_wake(&leave_now, 1);
	wf__monitor_wake();
	wf__os_thread_join(&thread);
}

/* In the child of a fork. */
void
wf__forget_monitor(void)
{
	memset(&wf__monitor_asleep, 0, sizeof wf__monitor_asleep);
}
