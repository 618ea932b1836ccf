/* SPDX-License-Identifier: MIT */
/*
 * sched.c - the worker loop: pick, search, sleep.
 * Layer 2.  Uses: sched, share, idle, park, monitor.
 *
 * At most one worker searches at a time, the one with the token: a burst of
 * work wakes one sleeper, and that one the next, if there is more to do when
 * it has found something (idle.c).
 */
#include "sched.h"

#include <weft/time.h>
#include "idle.h"
#include "monitor.h"
#include "park.h"
#include "share.h"

enum {
	SEARCH_ROUNDS = 30,
	SEARCH_PAUSES = 40,
	STALE_ROUND = 12,		/* then a next slot counts as stale */
	UNKNOWN_ROUND = WF__ROUND / 8,
	SKIPS_MAX = 127
};
#define SLICE (10 * WF_MS)
#define PACE (200 * WF_US)

struct wf__sched wf__sched;

/* Relaxed, in this file: counters and flags that are only hints where they are
 * read, or are read again under the lock that protects them. */

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

/* One that is in no blocking region, if there is one. */
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

/* With another worker's queue it is as with work: it may retire just now, and
 * either sees the timer, or is seen [retire]. */
struct wf__worker *
wf__sched_timer_place(struct wf__timer *t, int64_t when)
{
	struct wf__worker *self = wf__self();
	struct wf__worker *w = self ? self : a_free_worker();
	bool first = wf__timer_start(&w->timers, t, when);

	if (wf__likely(w == self))
		return NULL;
	wf__os_fence_light();					/* [retire] */
	if (wf__unlikely(wf__load_relaxed(&w->retired)))
		return wf__sched_bequeath_timers(w);
	return first ? w : NULL;
}

void
wf__sched_timer_start(struct wf__timer *t, int64_t when)
{
	struct wf__worker *w = wf__sched_timer_place(t, when);

	if (w)
		wf__idle_wake_worker(w);
}

static unsigned
run_timers(struct wf__worker *w, int64_t now)
{
	if (wf__timerq_first(&w->timers) > now)
		return 0;
	return wf__timerq_run(&w->timers, now, wf__ready_behind);
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

/* Of workers that are in a blocking region and cannot do it themselves. */
static void
run_timers_of_blocked(int64_t now)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */

	for (unsigned i = 0; i < n; i++)
		if (wf__load_relaxed(&wf__sched_worker(i)->blocking))
			run_timers(wf__sched_worker(i), now);
}

/* Switches until the next housekeeping, at the pace of the last: coroutines
 * that compute before they switch are not to make timers wait for 64 of them.
 * After a sleep the pace is not known. */
static unsigned
round_of(const struct wf__worker *w, int64_t now)
{
	int64_t took = now - w->housekept;

	if (!w->housekept)
		return UNKNOWN_ROUND;
	if (took <= PACE)
		return WF__ROUND;
	return (unsigned)(PACE * w->round / took) + 1;
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

	w->round = w->countdown = round_of(w, now);
	w->housekept = now;
	wf__monitor_clock(now);
	run_own_timers(w, now);
	if (wf__unlikely(wf__load_relaxed(&wf__sched.blocked)))
		run_timers_of_blocked(now);
	wf__sched_poll();
	wf__share_take(w);
	if (wf__unlikely(wf__load_relaxed(&wf__sched.starved.length)))
		wf__stack_give_back(&w->stacks);
	wf__share_retry_starved();
	if (now - w->slice > SLICE) {
		/* A pair in the next slot has had its time. */
		wf__runq_demote_next(&w->queue, &spill);
		wf__share_push(&spill);
		w->slice = now;
	}
}

/* Half of the ring to the one who asked. */
static void
give(struct wf__worker *w)
{
	struct wf__tasks gift = { 0 };

	wf__runq_give(&w->queue, &gift);
	wf__share_push(&gift);
}

static struct wf__task *
pop(struct wf__worker *w)
{
	if (wf__unlikely(wf__seam && wf__seam->next))
		return wf__seam->next(w);
	return wf__runq_pop(&w->queue);
}

/*
 * Called in the middle of a switch, when the one who parks still holds the
 * lock of what it waits on: so nothing here may take such a lock, call back
 * or allocate.  NULL now and then sends the worker to its loop for that.
 */
struct wf__task *
wf__sched_pick(struct wf__worker *w)
{
	if (wf__unlikely(!w->countdown || wf__runq_is_asked(&w->queue)))
		return NULL;
	w->countdown--;
	return pop(w);
}

/* Loot from v: whether it was worth the way shows when w has done it. */
static void
note_loot(struct wf__worker *w, struct wf__worker *v)
{
	w->loot_from = v;
	w->loot_at = wf__seam_now();
	wf__add_owned(&w->steals, 1);
}

/* From a worker that has not switched since the search began: by force. */
static bool
rob(struct wf__worker *w, struct wf__worker *v)
{
	struct wf__tasks loot = { 0 };

	if (!wf__runq_steal(&v->queue, true, &loot))
		return false;
	note_loot(w, v);
	wf__share_push_list(w, &loot);
	return true;
}

/* One look at v.  Its due timers as well: a worker that computes for long does
 * not run them itself. */
static bool
look_at(struct wf__worker *w, struct wf__worker *v, unsigned round,
    int64_t now)
{
	bool ring = wf__runq_length(&v->queue);

	if (round == 0)
		wf__store_relaxed(&v->watched,
		    wf__load_relaxed(&v->switches));
	if (round >= STALE_ROUND && (ring || wf__runq_has_next(&v->queue)) &&
	    wf__load_relaxed(&v->switches) ==
	    wf__load_relaxed(&v->watched))
		return rob(w, v);
	if (ring) {
		w->asked = v;
		wf__runq_ask(&v->queue, true);
	}
	return wf__timerq_first(&v->timers) <= now &&
	    wf__timerq_run(&v->timers, now, wf__ready_behind);
}

/* One look at all others, from a random one on. */
static bool
look_around(struct wf__worker *w, unsigned round)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */
	size_t from = wf__sched_random(w) % n;
	int64_t now = round == STALE_ROUND ? wf__seam_now() : INT64_MIN;
	struct wf__worker *v;

	if (wf__share_take(w)) {
		if (w->asked)
			note_loot(w, w->asked);
		return true;
	}
	if (round == STALE_ROUND && wf__sched_poll())
		return true;
	for (size_t i = 0; i < n; i++) {
		v = wf__sched_worker((unsigned)((from + i) % n));
		if (v != w && look_at(w, v, round, now))
			return true;
	}
	return false;
}

/* The search is over: nobody is asked any more. */
static void
withdraw(struct wf__worker *w)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */

	for (unsigned i = 0; w->asked && i < n; i++)
		wf__runq_ask(&wf__sched_worker(i)->queue, false);
	w->asked = NULL;
}

/* w has work, and perhaps the token: give it back, and let another worker
 * search if there is more to do. */
static void
found(struct wf__worker *w)
{
	if (wf__likely(!w->searching))
		return;
	w->searching = false;
	wf__store_release(&wf__sched.searching, 0);		/* [idle] */
	wf__fence();
	if (wf__load_relaxed(&wf__sched.n_idle) && wf__idle_has_work())
		wf__idle_wake();
}

static bool
search_rounds(struct wf__worker *w)
{
	for (unsigned round = 0; round < SEARCH_ROUNDS; round++) {
		if (look_around(w, round))
			return true;
		if (wf__sched_stopping() || wf__timerq_is_due(&w->timers) ||
		    wf__load_relaxed(&w->inbox_length))
			break;
		for (int i = 0; i < SEARCH_PAUSES; i++)
			wf__pause();
	}
	return false;
}

/* All the others sleep, and none can wake but by w, or by what comes from
 * outside of the program. */
static bool
is_last_awake(void)
{
	return wf__load_relaxed(&wf__sched.n_idle) +
	    wf__load_relaxed(&wf__sched.idle.retired) + 1 >=
	    wf__load_relaxed(&wf__sched.n_workers);
}

/* With the token: look around for some ten microseconds.  True: w's queue has
 * work.  The token stays with w. */
static bool
search(struct wf__worker *w)
{
	bool any, last = is_last_awake();

	if (!wf__idle_take_token(w))
		return false;
	any = search_rounds(w);
	withdraw(w);
	if (last) {
		w->vain = any ? 0 : w->vain < SKIPS_MAX ? 2 * w->vain + 1 :
		    SKIPS_MAX;
		w->skips = w->vain;
	}
	return any;
}

/*
 * Who slept until a timer and has done what it asked for has no reason to
 * expect more, and sleeps until the next.  The last one awake may hope for an
 * event that comes sooner than a sleep and its end would take: each time that
 * this was in vain, more of these searches are left out.
 */
static bool
expects_more(struct wf__worker *w, bool timed)
{
	if (w->searching || wf__idle_has_work() || wf__seam_alone())
		return true;
	if (timed || !w->skips || !is_last_awake())
		return !timed;
	w->skips--;
	return false;
}

/* Work for w from elsewhere. */
static bool
find_work(struct wf__worker *w, bool timed)
{
	if (w->loot_from)
		wf__idle_judge_loot(w);
	return wf__share_take(w) || wf__sched_poll() ||
	    (expects_more(w, timed) && search(w));
}

/* ---- the loop ---- */

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
		if (wf__runq_is_asked(&w->queue))
			give(w);
		if (!w->countdown)
			wf__sched_housekeep(w);
		else if (wf__timerq_first(&w->timers) != WF_FOREVER)
			timed |= run_own_timers(w, wf__seam_now());
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
		if (!t && find_work(w, timed))
			t = pop(w);
		if (!t) {
			wf__idle_sleep(w);
			w->housekept = 0;
			if (w->countdown > UNKNOWN_ROUND)
				w->countdown = UNKNOWN_ROUND;
			timed = false;
			continue;
		}
		found(w);
		wf__park_run(w, t);
	}
}

void
wf__sched_worker_main(void *arg)
{
	struct wf__worker *w = arg;

	wf__self_set(w);
	w->err = wf__errno_address();
	w->slice = wf__seam_now();
	wf__fiber_thread(&w->fiber);
	wf__os_altstack_on(&w->altstack);
	loop(w);
	wf__os_altstack_off(&w->altstack);
	wf__self_set(NULL);
	/* The last touch of anything shared.  [stop] */
	wf__add32_acq_rel(&wf__sched.present, (unsigned)-1);
	wf__os_futex_wake(&wf__sched.present, 1);
}
