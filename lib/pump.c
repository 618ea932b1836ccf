/* SPDX-License-Identifier: MIT */
/*
 * pump.c - the runtime without workers, which its host pumps.
 * Layer 2.  Uses: pump, sched, idle, park, share, stall, os.
 *
 * There is one worker, without a thread.  The host's thread is it while it is
 * in wf_pump(), and a thread like any other in between.  Nothing else differs:
 * who readies a coroutine pushes it to the shared queue, and wakes the worker
 * if that sleeps.
 *
 *	wf_pump():	rise -> turns -> lie down, or ring the bell -> return
 *
 * Between two pumps the worker sleeps in the poller, as any worker may
 * (idle.c), but that its thread does something else meanwhile.  So whoever
 * wakes it rings the poller's bell; the poller's descriptor gets readable by
 * that, by any event, and by an alarm that is set to the first timer; and that
 * descriptor is what the host watches.
 *
 *   I1  Between two pumps either the worker lies in the poller, on the idle
 *       list, and lay there before it looked for work the last time [idle]; or
 *       it was woken from there, or got up, and the bell has been rung since.
 *   I2  The bell is heard (the poller looked at) before work is looked for.
 *   I3  If the worker lies there, the alarm is set to its first timer: who
 *       starts an earlier one later wakes it.
 *
 * Hence no wake-up is lost, and the descriptor is silent while there is nothing
 * to do.
 *
 * With a budget no coroutine switches straight to another: the countdown is
 * zero, as in a simulation, so that each turn comes back here to the clock.
 */
#include "pump.h"

#include <errno.h>

#include <weft/pump.h>
#include <weft/time.h>
#include "fork.h"
#include "idle.h"
#include "park.h"
#include "report.h"
#include "share.h"
#include "stall.h"

#define LOOK_AGAIN (10 * WF_MS)
#define TRIM_AFTER (WF_SEC / 2)
enum { LOOKS_AT_NOTHING = 4 };

static struct {
	/* Written when it is opened, read by any thread [pump]. */
	uintptr_t thread;
	/* The rest by that thread. */
	struct wf__os_altstack altstack;
	bool watched;			/* the host has the descriptor */
	int64_t alarm;			/* it is set to that */
	int64_t asleep;			/* when the worker, if it lies there, is
					 * to rise; or INT64_MIN */
	int64_t trimmed;		/* when idle stacks last gave memory
					 * back */
	unsigned looks;			/* at nothing, in a row */
	/* By any. */
	wf__word dozes;			/* in wf__pump_wait() [doze] */
	wf__word wakers;		/* in the middle of a wake [wakers] */
} pump;
WF__FORGET(pump)

bool
wf__pump_is_mine(void)
{
	return wf__pump_is_on() && wf__os_thread_self() == pump.thread;
}

void
wf__pump_open(void)
{
	pump.thread = wf__os_thread_self();
	pump.watched = false;
	pump.alarm = WF_FOREVER;
	pump.asleep = INT64_MIN;
	pump.trimmed = wf__seam_now();
	pump.looks = 0;
	wf__os_altstack_on(&pump.altstack);
	wf__store_release(&wf__sched.pumped, 1);		/* [pump] */
}

void
wf__pump_close(void)
{
	/* Who has woken this thread may be about to ring. */
	while (wf__load_acquire(&pump.wakers))			/* [wakers] */
		wf__os_yield();
	wf__os_altstack_off(&pump.altstack);
	wf__store_release(&wf__sched.pumped, 0);		/* [pump] */
}

/* ---- turns ---- */

/* Also what is pinned, to the only worker there is. */
static bool
has_turns(struct wf__worker *w)
{
	/* Relaxed: what comes now finds the worker up, and is looked for
	 * again before it sleeps. */
	return w->handed || wf__runq_has_next(&w->queue) ||
	    wf__runq_length(&w->queue) ||
	    wf__load_relaxed(&w->inbox_length) ||
	    wf__load_relaxed(&wf__sched.shared.length);
}

static struct wf__task *
pop_turn(struct wf__worker *w)
{
	w->countdown = 1;
	return wf__sched_pick(w);
}

/* Whose turn is it?  The inbox and the queue come first by turns. */
static struct wf__task *
choose_turn(struct wf__worker *w, unsigned turn)
{
	struct wf__task *t = w->handed;

	w->handed = NULL;
	if (!t && turn % 2)
		t = wf__share_take_pinned(w);
	if (!t)
		t = pop_turn(w);
	if (!t)
		t = wf__share_take_pinned(w);
	if (!t && wf__share_take(w))
		t = pop_turn(w);
	return t;
}

static bool
is_stint_over(int64_t until, const wf__word32 *word, unsigned value)
{
	return (word && wf__load32_acquire(word) != value) || /* [thread] */
	    (until != WF_FOREVER && wf__seam_now() >= until);
}

/* A turn that is longer than the host can bear is named, by option. */
static void
give_timed_turn(struct wf__worker *w, struct wf__task *t)
{
	struct wf__entry who;
	int64_t from;

	if (wf__likely(!wf__stall_times_turns())) {
		wf__park_run(w, t);
		return;
	}
	who = t->kind == WF__START ? wf__start_of(t)->entry :
	    wf__coro_of(t)->entry;
	from = wf__seam_now();
	wf__park_run(w, t);
	wf__stall_turn(&who, wf__seam_now() - from);
}

/* Turn after turn, at least one, while *word is value. */
static void
take_turns(struct wf__worker *w, int64_t until, const wf__word32 *word,
    unsigned value)
{
	bool direct = until == WF_FOREVER && !wf__stall_times_turns();
	unsigned left = 0;		/* turns before housekeeping */
	struct wf__task *t;

	do {
		if (!left) {
			wf__sched_housekeep(w);
			left = w->round + 1;
		} else if (wf__timerq_is_due(&w->timers))
			wf__sched_run_timers(w);
		if (!(t = choose_turn(w, left)))
			return;
		left--;
		wf__sched_count(w, direct ? left : 0);
		give_timed_turn(w, t);
		if (direct)
			left = wf__sched_counted(w);
	} while (!is_stint_over(until, word, value));
}

/* One turn for each that is ready now. */
static void
take_a_turn_each(struct wf__worker *w)
{
	struct wf__tasks all = { 0 };
	struct wf__task *t;

	wf__sched_housekeep(w);
	if ((t = w->handed))
		wf__tasks_add(&all, t);
	w->handed = NULL;
	do
		wf__runq_drain(&w->queue, &all);
	while (wf__share_take(w));
	while ((t = wf__share_take_pinned(w)))
		wf__tasks_add(&all, t);
	while ((t = wf__tasks_take(&all))) {
		wf__sched_count(w, 0);
		give_timed_turn(w, t);
	}
}

/* ---- in and out ---- */

static struct wf__worker *
get_up(void)
{
	struct wf__worker *w = wf__sched_worker(0);

	wf__self_set(w);
	w->err = wf__errno_address();
	wf__fiber_thread(&w->fiber);
	wf__idle_rise(w);
	if (w->searching) {
		w->searching = false;
		wf__store_release(&wf__sched.searching, 0);	/* [idle] */
	}
	return w;
}

/* The host will hear of what is left, or of what comes first. */
static void
tell_host(void)
{
	if (!pump.watched)
		return;
	if (pump.asleep == INT64_MIN)
		wf__os_poll_wake();
	else if (pump.asleep != pump.alarm)
		wf__os_poll_alarm(pump.alarm = pump.asleep);
}

static void
trim_stacks(void)
{
	int64_t now = wf__seam_now();

	if (now - pump.trimmed < TRIM_AFTER)
		return;
	wf__stack_trim();
	pump.trimmed = now;
}

/* The worker sleeps afterwards, if there is nothing to do. */
static void
lie_down(struct wf__worker *w)
{
	pump.asleep = INT64_MIN;
	if (!has_turns(w) && !wf__idle_lie_down(w, &pump.asleep))
		pump.asleep = INT64_MIN;
	tell_host();
	trim_stacks();
	wf__self_set(NULL);
	if (wf__timerq_is_quiet(&w->timers))
		wf__idle_if_all_quiet();
}

/* ---- waiting on the pump's thread ---- */

/*
 * The worker lies in the poller; sleep there.  Who wakes the thread by its
 * word does
 *	word = ...; fence; does it doze?	then ring	[doze]
 * and we
 *	dozes = 1; fence; is the word still the same?		[doze]
 */
static void
doze_in_poller(wf__word32 *word, unsigned value, int64_t until)
{
	struct wf__worker *w = wf__sched_worker(0);

	wf__self_set(w);
	wf__store_release(&pump.dozes, 1);			/* [doze] */
	wf__fence();
	if (wf__load32_acquire(word) == value)			/* [thread] */
		wf__sched.hooks.poll(until);
	/* Relaxed: a ring too much does no harm. */
	wf__store_relaxed(&pump.dozes, 0);
	wf__self_set(NULL);
}

void
wf__pump_before_wake(void)
{
	wf__add_acq_rel(&pump.wakers, 1);			/* [wakers] */
}

void
wf__pump_after_wake(void)
{
	wf__fence();						/* [doze] */
	if (wf__load_acquire(&pump.dozes))			/* [doze] */
		wf__os_poll_wake();
	wf__add_acq_rel(&pump.wakers, (wf__word)-1);		/* [wakers] */
}

/* Until there is something to do; or for a moment, if all is quiet but was not
 * a moment ago: a thread that was about to end then may be gone (run.c). */
static int64_t
bedtime(int64_t deadline)
{
	int64_t until = pump.asleep;

	if (until == WF_FOREVER && pump.looks < LOOKS_AT_NOTHING) {
		pump.looks++;
		until = wf__seam_now() + LOOK_AGAIN;
	}
	return until < deadline ? until : deadline;
}

void
wf__pump_wait(wf__word32 *word, unsigned value, int64_t deadline)
{
	struct wf__worker *w;
	uint64_t before;

	if (!wf__pump_is_mine()) {
		wf__os_futex_wait(word, value, deadline);
		return;
	}
	if (wf__self())
		wf__misuse("wf_pump", "a call inside of it that is in no "
		    "coroutine waits");
	w = get_up();
	/* Relaxed: our own counter. */
	before = wf__load_relaxed(&w->switches);
	take_turns(w, deadline, word, value);
	lie_down(w);
	if (wf__load_relaxed(&w->switches) != before)
		pump.looks = 0;
	else if (pump.asleep != INT64_MIN)
		doze_in_poller(word, value, bedtime(deadline));
}

/* ---- what the host calls ---- */

static void
pump_for(int64_t budget)
{
	struct wf__worker *w = get_up();
	int64_t now = wf__seam_now();

	if (budget > 0)
		take_turns(w, budget < WF_FOREVER - now ? now + budget :
		    WF_FOREVER, NULL, 0);
	else
		take_a_turn_each(w);
	lie_down(w);
}

static int64_t
time_left(void)
{
	int64_t now;

	if (pump.asleep == INT64_MIN || pump.asleep == WF_FOREVER)
		return pump.asleep == WF_FOREVER ? WF_FOREVER : 0;
	now = wf__seam_now();
	return pump.asleep > now ? pump.asleep - now : 0;
}

static int
check_caller(const char *name)
{
	if (!wf__pump_is_on())
		return -EINVAL;
	if (wf__self())
		wf__misuse(name, "called inside of wf_pump()");
	if (!wf__pump_is_mine())
		wf__misuse(name, "called on another thread than the one that "
		    "has started the runtime");
	return 0;
}

WF_API int64_t
wf_pump(int64_t budget)
{
	int err = check_caller("wf_pump"), *place = wf__errno_address();
	int saved = *place;

	if (err)
		return err;
	pump_for(budget);
	*place = saved;
	return time_left();
}

WF_API int
wf_pump_fd(void)
{
	int err = check_caller("wf_pump_fd");

	if (!err && !pump.watched && !(err = wf__os_poll_alarm(WF_FOREVER))) {
		pump.watched = true;
		tell_host();
	}
	return err ? err : wf__os_poll_fd();
}
