/* SPDX-License-Identifier: MIT */
/*
 * idle.c - who sleeps, and who is woken when.
 * Layer 2.  Uses: idle, sched, monitor.
 *
 * No work is forgotten.  Who makes work visible does
 *	push; light fence; is somebody asleep, and nobody searching?	[idle]
 * and who goes to sleep does
 *	on the idle list, token given back; heavy fence; any work?	[idle]
 * so that one of the two sees the other.  Who sleeps for some microseconds
 * only, as between timers that come close together, has an ordinary fence
 * instead: what escapes him he finds when he wakes.  So has the last one who
 * goes to sleep: no worker is left that could push, and others, that push to
 * the shared queue, have an ordinary fence as well.  Who sees work there takes
 * the token again: others may have gone to sleep because he had it.  Who gives
 * the token back because he has found work wakes the next one if there is more
 * (search.c); he has only an ordinary fence, so that a push of the same
 * nanosecond may escape him: then the work waits for its own worker, or for the
 * monitor's next look.  test/models/idle.pml has all of this step by step.
 *
 * A little work in a worker's own queue is an exception, on purpose: nearly
 * always that worker runs it within microseconds, so waking another one for it
 * is worth a system call only where experience says so (wf__idle_notify()).
 * It is not forgotten: its worker runs it at its next switches, and the
 * monitor, every 10 ms, wakes a worker for whatever waits.
 */
#include "idle.h"

#include <weft/time.h>
#include "monitor.h"
#include "report.h"
#include "share.h"

enum {
	PATIENCE_MAX = 2048,
	LITTLE = 32			/* tasks in a ring */
};
#define WORTH (20 * WF_US)
#define STARVED_RETRY (10 * WF_MS)
#define TIMERS_APART (50 * WF_US)
#define MANY_APART (100 * WF_US)
#define SHORT (200 * WF_US)

/* Relaxed, in this file: counters and flags that are only hints where they are
 * read, or are read again under the lock that protects them. */

/* Under the idle lock. */
static void
unlist(struct wf__worker *w)
{
	if (w->idle_prev)
		w->idle_prev->idle_next = w->idle_next;
	else
		wf__sched.idle.list = w->idle_next;
	if (w->idle_next)
		w->idle_next->idle_prev = w->idle_prev;
	wf__store_relaxed(&w->on_idle, 0);
	wf__store_relaxed(&wf__sched.n_idle,
	    wf__load_relaxed(&wf__sched.n_idle) - 1);
}

void
wf__idle_retire(struct wf__worker *w)
{
	wf__add_owned(&wf__sched.idle.retired, 1);
	wf__store_relaxed(&w->retired, 1);
}

void
wf__idle_unretire(struct wf__worker *w)
{
	if (!wf__load_relaxed(&w->retired))
		return;
	wf__add_owned(&wf__sched.idle.retired, (wf__word)-1);
	wf__store_relaxed(&w->retired, 0);
}

/* Under the idle lock: who is to be woken.  The one in the poller only if
 * there is no other: it is woken by events. */
static struct wf__worker *
first_sleeper(void)
{
	struct wf__worker *w = wf__sched.idle.list;

	if (w && w->idle_next && wf__load32_acquire(&w->wake) == WF__IN_POLLER)
		w = w->idle_next;				/* [wake] */
	return w;
}

/* Under the idle lock; true: it sleeps in the poller. */
static bool
set_wake(struct wf__worker *w, enum wf__wake how)
{
	bool in_poller = wf__load32_acquire(&w->wake) == WF__IN_POLLER;

	wf__store32_release(&w->wake, how);			/* [wake] */
	return in_poller;
}

static void
rouse(struct wf__worker *w, bool in_poller)
{
	if (in_poller)
		wf__sched.hooks.poll_wake();
	else
		wf__os_futex_wake(&w->wake, 1);
	wf__monitor_notice();
}

void
wf__idle_wake(void)
{
	struct wf__worker *w;
	bool in_poller;

	wf__lock(&wf__sched.idle.lock);
	w = first_sleeper();
	if (!w || !wf__cas_acq_rel(&wf__sched.searching, 0, 1)) { /* [idle] */
		wf__unlock(&wf__sched.idle.lock);
		return;
	}
	unlist(w);
	in_poller = set_wake(w, WF__WAKE_SEARCH);
	wf__add_owned(&wf__sched.wakes, 1);
	wf__unlock(&wf__sched.idle.lock);
	rouse(w, in_poller);
}

void
wf__idle_wake_worker(struct wf__worker *w)
{
	bool in_poller = false;

	wf__lock(&wf__sched.idle.lock);
	if (wf__unlikely(w->left)) {
		wf__unlock(&wf__sched.idle.lock);
		return;
	}
	if (wf__load_relaxed(&w->on_idle)) {
		unlist(w);
		wf__add_owned(&wf__sched.wakes, 1);
	}
	wf__idle_unretire(w);
	if (wf__load32_acquire(&w->wake) <= WF__IN_POLLER)	/* [wake] */
		in_poller = set_wake(w, WF__WAKE_LOOK);
	wf__unlock(&wf__sched.idle.lock);
	rouse(w, in_poller);
}

/*
 * Work was made visible.  Little of it is run by its worker before another one
 * is awake, nearly always, but for one that is slow: then experience decides.
 * Each wake for little work doubles the number of times that pass without one;
 * work that kept its thief busy for a while sets it to none
 * (wf__idle_judge_loot()).
 */
WF__NOINLINE void
wf__idle_notify_slow(struct wf__worker *w)
{
	wf__word n;

	if (wf__load_relaxed(&wf__sched.searching))
		return;
	if (w && !wf__load_relaxed(&w->slow) &&
	    wf__runq_length(&w->queue) <= LITTLE) {
		if ((n = wf__load_relaxed(&w->patience))) {
			wf__store_relaxed(&w->patience, n - 1);
			return;
		}
		n = 2 * wf__load_relaxed(&w->patience_next) + 1;
		n = n < PATIENCE_MAX ? n : PATIENCE_MAX;
		wf__store_relaxed(&w->patience_next, n);
		wf__store_relaxed(&w->patience, n);
	}
	wf__idle_wake();
}

bool
wf__idle_has_work(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */

	if (wf__load_acquire(&wf__sched.shared.length))		/* [runq] */
		return true;
	for (unsigned i = 0; i < n; i++)
		if (wf__runq_length(&wf__sched_worker(i)->queue))
			return true;
	return false;
}

void
wf__idle_judge_loot(struct wf__worker *w)
{
	struct wf__worker *v = w->loot_from;

	w->loot_from = NULL;
	if (v && wf__seam_now() - w->loot_at >= WORTH) {
		wf__store_relaxed(&v->patience_next, 0);
		wf__store_relaxed(&v->patience, 0);
	}
}

/* ---- sleeping ---- */

/* Under the idle lock: is w to sleep in the poller? */
static void
choose_bed(struct wf__worker *w)
{
	if (!wf__load_acquire(&wf__sched.poller) ||		/* [poller] */
	    wf__load_relaxed(&wf__sched.in_poller) ||
	    wf__load32_acquire(&w->wake) != WF__ASLEEP)		/* [wake] */
		return;
	wf__store_relaxed(&wf__sched.in_poller, (wf__word)w);
	wf__store32_release(&w->wake, WF__IN_POLLER);
}

/* On the idle list, and the token given back: both under the lock.  How many
 * workers sleep, with w. */
static size_t
list_idle(struct wf__worker *w)
{
	size_t asleep;

	wf__lock(&wf__sched.idle.lock);
	w->idle_prev = NULL;
	w->idle_next = wf__sched.idle.list;
	if (w->idle_next)
		w->idle_next->idle_prev = w;
	wf__sched.idle.list = w;
	wf__store_relaxed(&w->on_idle, 1);
	wf__store_relaxed(&wf__sched.n_idle,
	    wf__load_relaxed(&wf__sched.n_idle) + 1);
	if (w->searching) {
		w->searching = false;
		wf__store_release(&wf__sched.searching, 0);	/* [idle] */
	}
	choose_bed(w);
	asleep = wf__load_relaxed(&wf__sched.n_idle) +
	    wf__load_relaxed(&wf__sched.idle.retired);
	wf__unlock(&wf__sched.idle.lock);
	return asleep;
}

/* Off the list, unless a waker was faster: then take what it left. */
void
wf__idle_rise(struct wf__worker *w)
{
	wf__lock(&wf__sched.idle.lock);
	if (wf__load_relaxed(&wf__sched.in_poller) == (wf__word)w)
		wf__store_relaxed(&wf__sched.in_poller, 0);
	if (wf__load_relaxed(&w->on_idle))
		unlist(w);
	if (wf__load32_acquire(&w->wake) == WF__WAKE_SEARCH)	/* [wake] */
		w->searching = true;
	wf__store32_release(&w->wake, WF__ASLEEP);
	wf__unlock(&wf__sched.idle.lock);
	wf__monitor_notice();
}

/* Of w's own timers, and of those of workers that compute for long: these
 * see theirs late.  Of what they start later the monitor tells somebody.  Or
 * of all, if one is in a region: we are on the list, and behind a fence; who
 * enters one has a fence as well, and he or the monitor wakes somebody if it
 * has timers (blocking.c). */
static int64_t
first_in_charge(const struct wf__worker *w)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */
	int64_t first = wf__timerq_first(&w->timers), other;
	struct wf__worker *v;

	if (wf__load_relaxed(&wf__sched.blocked))
		return wf__idle_first_timer();
	for (unsigned i = 0; i < n; i++) {
		v = wf__sched_worker(i);
		if (wf__load_relaxed(&v->slow) != WF__VERY_SLOW ||
		    wf__load_relaxed(&v->on_idle))
			continue;
		other = wf__timerq_first(&v->timers);
		first = first < other ? first : other;
	}
	return first;
}

/* A timer that comes alone is met as exactly as the system can.  Of many that
 * come close together those of some microseconds are run at once: to sleep
 * and wake costs ten times as much as to run one. */
static int64_t
sleep_until(struct wf__worker *w)
{
	int64_t until = first_in_charge(w);
	int64_t soon = w->ran_timers +
	    (w->ran_many ? MANY_APART : TIMERS_APART), retry;

	if (until < soon && !wf__seam_has_clock())
		until = soon;
	if (wf__load_relaxed(&wf__sched.starved.length)) {
		retry = wf__seam_now() + STARVED_RETRY;
		until = until < retry ? until : retry;
	}
	return until;
}

static void
doze(struct wf__worker *w, int64_t until)
{
	if (wf__seam && wf__seam->idle && wf__seam->idle(w, until))
		return;
	if (wf__load_relaxed(&wf__sched.in_poller) == (wf__word)w)
		wf__sched.hooks.poll(until);
	else
		wf__os_futex_wait(&w->wake, WF__ASLEEP, until);	/* [wake] */
}

/* Is there work worth a search, and nobody who searches?  Who does finds it,
 * or looks again when he gives the token back. */
static bool
is_wanted(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */
	struct wf__worker *v;
	size_t length;

	if (wf__load_acquire(&wf__sched.searching))		/* [idle] */
		return false;
	if (wf__load_acquire(&wf__sched.shared.length))		/* [runq] */
		return true;
	for (unsigned i = 0; i < n; i++) {
		v = wf__sched_worker(i);
		length = wf__runq_length(&v->queue);
		/* Who computes for long does not run it soon. */
		if (wf__load_relaxed(&v->slow) && (length ||
		    wf__runq_has_next(&v->queue)))
			return true;
		if (length > LITTLE ||
		    (length && !wf__load_relaxed(&v->patience)))
			return true;
	}
	return false;
}

bool
wf__idle_take_token(struct wf__worker *w)
{
	if (!w->searching)
		w->searching =
		    wf__cas_acq_rel(&wf__sched.searching, 0, 1);  /* [idle] */
	return w->searching;
}

/*
 * A start that finds no stack waits until one is free for all: so nobody may
 * sleep on some of his own meanwhile.  Who has found none does
 *	on the list of the starved; light fence; who sleeps on stacks?	[starve]
 * and who goes to sleep
 *	keeps_stacks = 1; heavy fence; does anybody starve?		[starve]
 */
static void
settle_stacks(struct wf__worker *w)
{
	if (wf__unlikely(wf__load_relaxed(&wf__sched.starved.length)))
		wf__stack_give_back(&w->stacks);
	wf__store_relaxed(&w->keeps_stacks, wf__stack_keeps(&w->stacks));
}

/* After an ordinary fence, which is enough for those that are not workers and
 * for those that were not counted yet: what is pushed from now on is seen by
 * its pusher, or was seen here; or the sleep is short. */
static void
fence_for(int64_t until, size_t asleep)
{
	if (asleep == wf__load_acquire(&wf__sched.n_workers))	/* [worker] */
		return;
	if (until == WF_FOREVER || until - wf__seam_now() > SHORT)
		wf__os_fence_heavy();			/* [idle], [starve] */
}

static bool
starves_others(const struct wf__worker *w)
{
	return wf__load_acquire(&wf__sched.starved.length) && /* [starve] */
	    wf__load_relaxed(&w->keeps_stacks);
}

/* On the list: is there really nothing to get up for, but work? */
static bool
may_sleep(struct wf__worker *w)
{
	return !wf__sched_stopping() && !starves_others(w) &&
	    !wf__load_acquire(&w->inbox_length);		/* [runq] */
}

bool
wf__idle_lie_down(struct wf__worker *w, int64_t *until)
{
	settle_stacks(w);
	list_idle(w);
	wf__os_fence_heavy();				/* [idle], [starve] */
	*until = sleep_until(w);
	if (!is_wanted() && may_sleep(w) &&
	    wf__load32_acquire(&w->wake) == WF__IN_POLLER) {	/* [wake] */
		wf__idle_report_starved();
		return true;
	}
	wf__idle_rise(w);
	wf__store_relaxed(&w->keeps_stacks, 0);
	return false;
}

void
wf__idle_sleep(struct wf__worker *w)
{
	size_t asleep;
	int64_t until;

	wf__assert(!wf__runq_length(&w->queue) &&
	    !wf__runq_has_next(&w->queue) && !w->handed);
	settle_stacks(w);
	asleep = list_idle(w);
	wf__fence();						/* [idle] */
	until = sleep_until(w);
	fence_for(until, asleep);
	if (is_wanted())
		wf__idle_take_token(w);
	else if (may_sleep(w)) {
		if (wf__timerq_is_quiet(&w->timers))
			wf__idle_if_all_quiet();
		wf__idle_report_starved();
		doze(w, until);
	}
	wf__idle_rise(w);
	wf__store_relaxed(&w->keeps_stacks, 0);
	wf__share_retry_starved();
}
