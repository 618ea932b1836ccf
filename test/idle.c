/* SPDX-License-Identifier: MIT */
/*
 * idle.c - the way to sleep and back, step by step: lib/idle.c as it is, with
 * a worker that does not run, and a fence and a futex of our own.
 *
 * A fence that is missing shows on no machine but once in many millions.  Here
 * it is the fence that lets others be seen: what they have done meanwhile is
 * there when the worker comes out of it, and not before.
 */
#define wf__os_fence_heavy own_fence_heavy
#define wf__os_futex_wait own_futex_wait
#define wf__idle_has_work own_has_work
#define wf__idle_judge_loot own_judge_loot
#define wf__idle_lie_down own_lie_down
#define wf__idle_notify_slow own_notify_slow
#define wf__idle_retire own_retire
#define wf__idle_rise own_rise
#define wf__idle_sleep own_sleep
#define wf__idle_take_token own_take_token
#define wf__idle_unretire own_unretire
#define wf__idle_wake own_wake
#define wf__idle_wake_worker own_wake_worker
#include "../lib/idle.c"

#include "tap.h"

static struct wf__worker worker, awake;	/* the other one runs */

/* What others do while the worker is in its fence, or sleeps; and what they
 * have seen of it then. */
static struct {
	void (*in_fence)(void), (*in_sleep)(void);
	int fences, sleeps;
	int64_t until;
	bool was_listed, had_token, was_awake;
} others;

void
own_fence_heavy(void)
{
	others.fences++;
	others.was_listed = wf__load_relaxed(&worker.on_idle) &&
	    wf__load_relaxed(&wf__sched.n_idle) == 1;
	others.had_token = wf__load_relaxed(&wf__sched.searching);
	if (others.in_fence)
		others.in_fence();
}

void
own_futex_wait(wf__word32 *word, unsigned value, int64_t deadline)
{
	others.sleeps++;
	others.until = deadline;
	others.was_awake = wf__load32_acquire(word) != value;
	if (others.in_sleep)
		others.in_sleep();
}

static void
set_up(void (*in_fence)(void), void (*in_sleep)(void))
{
	memset(&wf__sched, 0, sizeof wf__sched);
	memset(&worker, 0, sizeof worker);
	memset(&awake, 0, sizeof awake);
	memset(&others, 0, sizeof others);
	wf__store_relaxed(&wf__sched.n_workers, 2);
	wf__store_relaxed(&wf__sched.limit, 2);
	wf__store_relaxed(&wf__sched.workers[0], (wf__word)&worker);
	wf__store_relaxed(&wf__sched.workers[1], (wf__word)&awake);
	wf__runq_init(&worker.queue);
	wf__runq_init(&awake.queue);
	wf__timerq_init(&worker.timers);
	wf__timerq_init(&awake.timers);
	others.in_fence = in_fence;
	others.in_sleep = in_sleep;
}

static void
set_timer(int64_t when)
{
	wf__store_relaxed(&worker.timers.first, (wf__word)when);
}

/* Nothing of the sleep is left. */
static void
check_up(void)
{
	check(!wf__load_relaxed(&worker.on_idle));
	check_eq(wf__load_relaxed(&wf__sched.n_idle), 0);
	check_eq(wf__load32_acquire(&worker.wake), WF__ASLEEP);
	check(!wf__load_relaxed(&worker.keeps_stacks));
}

static void
sleep_once(void)
{
	own_sleep(&worker);
	check_up();
}

/* ---- what others do ---- */

static void
push(void)
{
	wf__store_release(&wf__sched.shared.length, 1);
}

static void
push_and_search(void)
{
	push();
	wf__store_release(&wf__sched.searching, 1);
}

static void
push_pinned(void)
{
	wf__store_release(&worker.inbox_length, 1);
}

static void
starve(void)
{
	wf__store_release(&wf__sched.starved.length, 1);
	wf__store_relaxed(&worker.keeps_stacks, 1);
}

static void
stop(void)
{
	wf__store_release(&wf__sched.stopping, 1);
}

static void
wake_to_search(void)
{
	own_wake();
	check_eq(wf__load_relaxed(&wf__sched.searching), 1);
}

static void
wake_to_look(void)
{
	own_wake_worker(&worker);
}

/* ---- tests ---- */

/* Nothing is there: on the list, token given back, fence, sleep. */
static void
for_ever(void)
{
	set_up(NULL, NULL);
	check(own_take_token(&worker));
	sleep_once();
	check_eq(others.fences, 1);
	check(others.was_listed && !others.had_token);
	check_eq(others.sleeps, 1);
	check_eq(others.until, WF_FOREVER);
	check(!others.was_awake && !worker.searching);
	set_up(NULL, NULL);
	set_timer(wf__os_now() + WF_SEC);
	sleep_once();
	check_eq(others.fences, 1);
	check_eq(others.sleeps, 1);
	check(others.until < WF_FOREVER);
}

/* What is pushed before the worker is on the list wakes nobody: it is seen
 * behind the fence.  The token is taken for it, since others may have gone to
 * sleep as the worker had it. */
static void
a_push(void)
{
	set_up(push, NULL);
	check(own_take_token(&worker));
	sleep_once();
	check_eq(others.sleeps, 0);
	check(worker.searching);
	check_eq(wf__load_relaxed(&wf__sched.searching), 1);
	/* Also by one who has not had it. */
	set_up(push, NULL);
	sleep_once();
	check_eq(others.sleeps, 0);
	check(worker.searching);
	/* Somebody else searches, and finds it. */
	set_up(push_and_search, NULL);
	sleep_once();
	check_eq(others.sleeps, 1);
	check(!worker.searching);
}

static void
no_sleep(void)
{
	static void (*const all[])(void) = { push_pinned, starve, stop };

	for (int i = 0; i < 3; i++) {
		set_up(all[i], NULL);
		sleep_once();
		check_eq(others.fences, 1);
		check_eq(others.sleeps, 0);
		check(!worker.searching);
	}
}

/* Between timers that come close together: an ordinary fence, and what escapes
 * it is found when the timer has come. */
static void
for_a_moment(void)
{
	set_up(push, NULL);
	set_timer(wf__os_now());
	sleep_once();
	check_eq(others.fences, 0);
	check_eq(others.sleeps, 1);
	check(others.until < wf__os_now() + SHORT);
	/* What is there before is seen as ever. */
	set_up(NULL, NULL);
	push();
	set_timer(wf__os_now());
	sleep_once();
	check_eq(others.sleeps, 0);
	check(worker.searching);
}

/* The last one awake has no need of the heavy fence either. */
static void
the_last(void)
{
	set_up(push, NULL);
	wf__idle_retire(&awake);
	sleep_once();
	check_eq(others.fences, 0);
	check_eq(others.sleeps, 1);
	check_eq(others.until, WF_FOREVER);
	set_up(NULL, NULL);
	wf__idle_retire(&awake);
	push();
	sleep_once();
	check_eq(others.sleeps, 0);
	check(worker.searching);
	/* One more has been started: it may be awake. */
	set_up(NULL, NULL);
	wf__idle_retire(&awake);
	wf__store_relaxed(&wf__sched.n_workers, 3);
	wf__store_relaxed(&wf__sched.workers[2], (wf__word)&awake);
	sleep_once();
	check_eq(others.fences, 1);
}

/* Who is woken before the sleep begins, or in it. */
static void
woken(void)
{
	set_up(wake_to_search, NULL);
	sleep_once();
	check(others.was_awake || !others.sleeps);
	check(worker.searching);
	set_up(NULL, wake_to_search);
	sleep_once();
	check_eq(others.sleeps, 1);
	check(worker.searching);
	set_up(wake_to_look, NULL);
	sleep_once();
	check(others.was_awake || !others.sleeps);
	check(!worker.searching);
	set_up(NULL, wake_to_look);
	sleep_once();
	check(!worker.searching);
}

/* A little work is worth a wake by experience, or if its worker is known to
 * switch seldom. */
static void
little_work(void)
{
	for (wf__word slow = WF__FAST; slow <= WF__SLOW; slow++) {
		set_up(NULL, NULL);
		list_idle(&worker);
		wf__store_relaxed(&awake.slow, slow);
		wf__store_relaxed(&awake.patience, 1);
		own_notify_slow(&awake);
		check_eq(wf__load_relaxed(&wf__sched.searching), slow);
		wf__store_relaxed(&awake.patience, 0);
		own_notify_slow(&awake);
		check_eq(wf__load_relaxed(&wf__sched.searching), 1);
		own_rise(&worker);
		check(worker.searching);
	}
}

static void
push_next(void)
{
	wf__store_release(&awake.queue.next, 1);
}

/* Of one that computes even the next slot is worth the way; and it sees its
 * timers late, so who sleeps looks after them. */
static void
beside_slow_ones(void)
{
	int64_t soon = wf__os_now() + WF_SEC;

	set_up(push_next, NULL);
	sleep_once();
	check_eq(others.sleeps, 1);
	set_up(push_next, NULL);
	wf__store_relaxed(&awake.slow, WF__SLOW);
	sleep_once();
	check_eq(others.sleeps, 0);
	check(worker.searching);
	for (wf__word slow = WF__FAST; slow <= WF__VERY_SLOW; slow++) {
		set_up(NULL, NULL);
		wf__store_relaxed(&awake.timers.first, (wf__word)soon);
		wf__store_relaxed(&awake.slow, slow);
		sleep_once();
		check_eq(others.until,
		    slow == WF__VERY_SLOW ? soon : WF_FOREVER);
	}
	wf__store_relaxed(&awake.on_idle, 1);	/* it will wake itself */
	sleep_once();
	check_eq(others.until, WF_FOREVER);
}

/* One whose thread does something else while it lies in the poller. */
static void
lying_down(void)
{
	int64_t until = 0;

	set_up(NULL, NULL);
	wf__store_relaxed(&wf__sched.poller, 1);
	check(own_lie_down(&worker, &until));
	check_eq(others.fences, 1);
	check(others.was_listed);
	check_eq(until, WF_FOREVER);
	check_eq(wf__load_relaxed(&wf__sched.in_poller), (wf__word)&worker);
	own_rise(&worker);
	check_up();
	check_eq(wf__load_relaxed(&wf__sched.in_poller), 0);
	set_up(push, NULL);
	wf__store_relaxed(&wf__sched.poller, 1);
	check(!own_lie_down(&worker, &until));
	check_eq(others.fences, 1);
	check_up();
}

int
main(void)
{
	tap_plain("asleep until somebody comes", for_ever);
	tap_plain("a push on the way to sleep", a_push);
	tap_plain("other reasons not to sleep", no_sleep);
	tap_plain("asleep for a moment", for_a_moment);
	tap_plain("the last one awake", the_last);
	tap_plain("woken", woken);
	tap_plain("a little work", little_work);
	tap_plain("beside those that compute", beside_slow_ones);
	tap_plain("lying down in the poller", lying_down);
	memset(&wf__sched, 0, sizeof wf__sched);
	return tap_end();
}
