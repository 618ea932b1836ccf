/* SPDX-License-Identifier: MIT */
/*
 * search.c - work from elsewhere, for a worker that has none left.
 * Layer 2.  Uses: search, sched, share, idle.
 *
 * At most one worker searches at a time, the one with the token: a burst of
 * work wakes one sleeper, and that one the next, if there is more to do when
 * it has found something (idle.c).
 */
#include "search.h"

#include "idle.h"
#include "park.h"
#include "share.h"

enum {
	SEARCH_ROUNDS = 30,
	SEARCH_PAUSES = 40,
	STALE_ROUND = 12,		/* then a next slot counts as stale */
	SKIPS_MAX = 127
};

/* Relaxed, in this file: counters and flags that are only hints where they are
 * read, or are read again under the lock that protects them. */

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
	    wf__timerq_run(&v->timers, now, wf__sched_ready_due);
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

void
wf__search_over(struct wf__worker *w)
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

bool
wf__search_for_work(struct wf__worker *w, bool timed)
{
	if (w->loot_from)
		wf__idle_judge_loot(w);
	return wf__share_take(w) || wf__sched_poll() ||
	    (expects_more(w, timed) && search(w));
}
