/* SPDX-License-Identifier: MIT */
/*
 * sched.c - the worker loop: pick, search, sleep.
 * Layer 2.  Uses: sched, share, search, idle, park, monitor.
 */
#include "sched.h"

#include <weft/time.h>
#include "idle.h"
#include "monitor.h"
#include "park.h"
#include "search.h"
#include "share.h"

enum { SOME = 16 };			/* workers that one looks at */
#define SLICE (10 * WF_MS)
#define PACE (200 * WF_US)		/* of housekeeping, */
#define LOOK (5 * WF_US)		/* of looks at the clock, */
#define AWAY (100 * WF_US)		/* who looks so late at a timer */

struct wf__sched wf__sched;
wf__word wf__sched_visitors;

/* Relaxed, in this file: counters and flags that are only hints where they are
 * read, or are read again under the lock that protects them. */

void
wf__sched_end_visits(void)
{
	wf__store_release(&wf__sched.running, 0);		/* [running] */
	wf__fence();
	while (wf__load_acquire(&wf__sched_visitors))		/* [visit] */
		wf__os_yield();
}

uint64_t
wf__sched_random(struct wf__worker *w)
{
	static wf__word shared;
	uint64_t z;

	if (wf__unlikely(wf__seam && wf__seam->random))
		return wf__seam->random(w);
	if (w)
		z = w->random += UINT64_C(0x9e3779b97f4a7c15);
	else
		z = wf__add_relaxed(&shared, UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t
wf__sched_lot(uint32_t n)
{
	if (wf__unlikely(wf__seam && wf__seam->lot))
		return wf__seam->lot(n);
	return (uint32_t)((wf__sched_random(wf__self()) >> 32) * n >> 32);
}

/*
 * The ends are read first.  Who has ended was counted as spawned before, and
 * that count is seen by who sees the end [live]; so the difference is never
 * less than the coroutines that live between the two readings.
 */
uint64_t
wf__sched_live(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */
	uint64_t ended = 0, spawned;

	for (unsigned i = 0; i < n; i++)			/* [live] */
		ended += wf__load_acquire(&wf__sched_worker(i)->ended);
	spawned = wf__load_acquire(&wf__sched.spawned);
	n = wf__load_acquire(&wf__sched.n_workers);		/* [worker] */
	for (unsigned i = 0; i < n; i++)
		spawned += wf__load_relaxed(&wf__sched_worker(i)->spawned);
	return spawned - ended;
}

/* ---- choosing ---- */

/* One that is up, and in no blocking region, if there is one. */
static struct wf__worker *
a_free_worker(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */

	for (unsigned i = 0; i < n; i++)
		if (!wf__load_relaxed(&wf__sched_worker(i)->blocking) &&
		    !wf__load_relaxed(&wf__sched_worker(i)->retired))
			return wf__sched_worker(i);
	return wf__sched_worker(0);
}

struct wf__worker *
wf__sched_bequeath_timers(struct wf__worker *w)
{
	struct wf__worker *heir = wf__sched_worker(0);

	return wf__timerq_move(&w->timers, &heir->timers) ? heir : NULL;
}

/* On a worker that may retire just now: see retire.c. */
static struct wf__worker *
place_from_outside(struct wf__timer *t, int64_t when)
{
	struct wf__worker *w = a_free_worker();
	bool first = wf__timer_start(&w->timers, t, when);

	/* Relaxed: behind the queue's lock. */
	if (wf__unlikely(wf__load_relaxed(&w->retired)))
		return wf__sched_bequeath_timers(w);
	return first ? w : NULL;
}

/* With a worker to be woken the visit is not over. */
struct wf__worker *
wf__sched_timer_place(struct wf__timer *t, int64_t when)
{
	struct wf__worker *w = wf__self();

	if (wf__likely(w != NULL)) {
		wf__timer_start(&w->timers, t, when);
		return NULL;
	}
	wf__sched_visit(1);
	if (!(w = place_from_outside(t, when)))
		wf__sched_visit(-1);
	return w;
}

void
wf__sched_timer_wake(struct wf__worker *w)
{
	wf__idle_wake_worker(w);
	wf__sched_visit(-1);
}

void
wf__sched_timer_start(struct wf__timer *t, int64_t when)
{
	struct wf__worker *w = wf__sched_timer_place(t, when);

	if (w)
		wf__sched_timer_wake(w);
}

/*
 * Whoever slept has not had the processor for a while, and wants it now.  So
 * he is next; but beside those who are due at once, or one after the other,
 * each second turn is the ring's.  From the loop to him is a switch, and at
 * least two are back by way of somebody of the ring: straight to that one, or
 * over the loop.
 */
void
wf__sched_ready_due(struct wf__task *t)
{
	struct wf__worker *w = wf__self();
	uint64_t switches = w ? wf__load_relaxed(&w->switches) : 0;

	if (!w || switches < w->ahead) {
		wf__ready_behind(t);
		return;
	}
	w->ahead = switches + 3;
	wf__ready(t);
}

static unsigned
run_timers(struct wf__worker *w, int64_t now)
{
	if (wf__timerq_first(&w->timers) > now)
		return 0;
	return wf__timerq_run(&w->timers, now, wf__sched_ready_due);
}

static bool
run_own_timers(struct wf__worker *w, int64_t now)
{
	unsigned n = run_timers(w, now);

	if (!n)
		return false;
	w->ran_timers = now;
	w->ran_many = n > 1;
	return true;
}

void
wf__sched_run_timers(struct wf__worker *w)
{
	run_own_timers(w, wf__seam_now());
}

/* Those of workers that cannot do it themselves: all that are in a blocking
 * region; and some that compute, or are off their core. */
static void
run_timers_of_others(struct wf__worker *w, int64_t now)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */
	size_t from = wf__sched_random(w) % n, looks = n;
	struct wf__worker *v;

	if (!wf__load_relaxed(&wf__sched.blocked) && n > SOME)
		looks = SOME;
	for (size_t i = 0; i < looks; i++) {
		v = wf__sched_worker((unsigned)((from + i) % n));
		run_timers(v, wf__load_relaxed(&v->blocking) ? now :
		    now - AWAY);
	}
}

/* Switches that fit into such a time. */
static unsigned
fit(int64_t time, int64_t stretch)
{
	return stretch * WF__ROUND <= time ? WF__ROUND :
	    (unsigned)(time / stretch);
}

/*
 * Coroutines that compute before they switch are not to make timers wait for 64
 * of them.  So how many switches there are until the next housekeeping, and
 * the next look at the clock, follows from how long one took, since the last
 * housekeeping: at once if that is longer, but by halves if it is shorter.  For
 * beside those that compute there are others, such as the one whose timer it
 * was.
 */
static void
set_pace(struct wf__worker *w, int64_t now)
{
	unsigned left = wf__sched_counted(w);
	unsigned done = left < w->round ? w->round - left + 1 : 1;
	int64_t each = w->housekept ? (now - w->housekept) / done : 0;
	enum wf__slow slow;

	w->stretch = each > w->stretch / 2 ? each : w->stretch / 2;
	w->round = fit(PACE, w->stretch);
	w->look = fit(LOOK, w->stretch);
	slow = w->round >= WF__ROUND_UNKNOWN ? WF__FAST :
	    w->round ? WF__SLOW : WF__VERY_SLOW;
	if (wf__load_relaxed(&w->slow) != slow)
		wf__store_relaxed(&w->slow, slow);
	if (!w->housekept && slow == WF__FAST)
		w->round = WF__ROUND_UNKNOWN;
	w->housekept = now;
	wf__sched_count(w, w->round);
}

/*
 * Every ROUND switches or so, on the scheduler's own stack: what a busy worker
 * would otherwise never get to.
 */
void
wf__sched_housekeep(struct wf__worker *w)
{
	struct wf__tasks spill = { 0 };
	int64_t now = wf__seam_now();

	set_pace(w, now);
	wf__monitor_clock(now);
	if (now - w->slice > SLICE) {
		/* A pair in the next slot has had its time. */
		wf__runq_demote_next(&w->queue, &spill);
		wf__share_push(&spill);
		w->slice = now;
	}
	run_own_timers(w, now);
	if (wf__unlikely(wf__load_relaxed(&wf__sched.blocked) ||
	    wf__load_relaxed(&w->slow)))
		run_timers_of_others(w, now);
	wf__sched_poll();
	wf__share_take(w);
	if (wf__unlikely(wf__load_relaxed(&wf__sched.starved.length)))
		wf__stack_give_back(&w->stacks);
	wf__share_retry_starved();
}

/* Half of the ring to the one who asked. */
static void
give(struct wf__worker *w)
{
	struct wf__tasks gift = { 0 };

	wf__runq_give(&w->queue, &gift);
	wf__share_push(&gift);
}

static inline struct wf__task *
pop(struct wf__worker *w)
{
	if (wf__unlikely(wf__seam && wf__seam->next))
		return wf__seam->next(w);
	return wf__runq_pop(&w->queue);
}

/* The countdown is over: on to the next one, unless there is something to do in
 * the loop.  The clock costs more than a switch, but less than a hundredth of
 * what was computed since the last look. */
static WF__NOINLINE bool
counts_on(struct wf__worker *w)
{
	if (wf__runq_is_asked(&w->queue) || !w->rest ||
	    wf__timerq_is_due(&w->timers))
		return false;
	wf__sched_count(w, w->rest - 1);
	w->countdown++;			/* for this switch */
	return true;
}

/*
 * Called in the middle of a switch, when the one who parks still holds the
 * lock of what it waits on: so nothing here may take such a lock, call back
 * or allocate.  NULL now and then sends the worker to its loop for that.
 */
WF__INLINE_SHARED struct wf__task *
wf__sched_pick(struct wf__worker *w)
{
	if (wf__unlikely(!w->countdown || wf__runq_is_asked(&w->queue)) &&
	    !counts_on(w))
		return NULL;
	w->countdown--;
	return pop(w);
}

/* ---- the loop ---- */

bool
wf__sched_catch_up(struct wf__worker *w)
{
	int64_t now;

	if (wf__runq_is_asked(&w->queue))
		give(w);
	if (wf__sched_counted(w)) {
		if (wf__timerq_first(&w->timers) == WF_FOREVER)
			return false;
		now = wf__seam_now();
		/* Else the pace of before does not hold any more. */
		if (!w->housekept || now - w->housekept <= 2 * PACE)
			return run_own_timers(w, now);
	}
	wf__sched_housekeep(w);
	return false;
}

/* After a sleep: that is not to count as computing, and what was is of no great
 * worth. */
static void
forget_pace(struct wf__worker *w)
{
	unsigned left = wf__sched_counted(w);

	w->round = left < WF__ROUND_UNKNOWN ? left : WF__ROUND_UNKNOWN;
	wf__sched_count(w, w->round);
	w->housekept = wf__seam_now();
}

static void
loop(struct wf__worker *w)
{
	struct wf__task *t;
	bool timed = false;

	while (!wf__sched_stopping()) {
		/* Before all else: it came from the next slot, and housekeeping
		 * is to find the slot as full as its owner keeps it. */
		if ((t = w->handed)) {
			w->handed = NULL;
			wf__park_run(w, t);
			continue;
		}
		timed |= wf__sched_catch_up(w);
		t = wf__share_take_pinned(w);
		if (!t && wf__sched_is_surplus(w)) {
			if (wf__retire(w))
				return;
			continue;
		}
		/* Not by wf__sched_pick(): who sleeps has nothing of his
		 * own left, however many ask. */
		if (!t)
			t = pop(w);
		if (!t && wf__search_for_work(w, timed))
			t = pop(w);
		if (!t) {
			wf__idle_sleep(w);
			forget_pace(w);
			timed = false;
			continue;
		}
		wf__search_over(w);
		wf__park_run(w, t);
	}
}

void
wf__sched_worker_main(void *arg)
{
	struct wf__worker *w = arg;
	struct wf__os_altstack altstack;

	wf__self_set(w);
	w->err = wf__errno_address();
	w->slice = wf__seam_now();
	wf__fiber_thread(&w->fiber);
	wf__os_altstack_on(&altstack);
	loop(w);
	wf__os_altstack_off(&altstack);
	wf__self_set(NULL);
	/* The last touch of anything shared.  [stop] */
	wf__add32_acq_rel(&wf__sched.present, (unsigned)-1);
	wf__os_futex_wake(&wf__sched.present, 1);
}
