/* SPDX-License-Identifier: MIT */
/*
 * timerq.c - start, stop and run the timers of one worker.
 * Layer 2.  Uses: timerq, coro, heap, lock, os.
 *
 *	place:	0 1 2 | 3 | 4 5 6 7 | 8 9 10 11 | ...
 *	        none   root  its 4    the 4 of 4
 *
 * While q->lock is held:
 *   I1  a timer is in the queue iff its home is q: at place t->at or at one
 *       of those above it, up to the root; or with t->at 0 in the overflow.
 *   I2  no place has a smaller key than its parent.  A place holds the key of
 *       its timer beside it.
 *   I3  q->first is the smallest key of all, WF_FOREVER if there is none.
 *   I4  q->serious is the number of those that do not only stand by.
 *
 * A heap in an array with all children to a parent: siblings are one cache
 * line, and comparing touches no timer.  That is what counts: timers lie in
 * records of coroutines, each on a page of its own, where each touch is a
 * miss.  So those that come nearer to the root are not told, either; but who
 * is nearly there is fetched into the cache.  A list of children to be joined
 * (heap.h), after many starts in a row, holds the lock for milliseconds; so
 * that one is only for what finds no place, because there are millions or
 * because mapping a chunk failed.  Nothing is lost, then, and no start can
 * fail.
 */
#include "timerq.h"

#include <weft/time.h>
#include "coro.h"
#include "os.h"
#include "seam.h"

enum {
	BATCH = 64,
	WAYS = 4,
	ROOT = WAYS - 1,
	SOON = ROOT + 1 + WAYS		/* places before it: due soon */
};

static struct wf__timer *
timer_of(struct wf__heap_node *n)
{
	return wf__container_of(n, struct wf__timer, node);
}

static inline struct wf__place *
place_at(struct wf__timerq *q, unsigned at)
{
	return &q->chunk[at / WF__TIMERQ_CHUNK][at % WF__TIMERQ_CHUNK];
}

static inline unsigned
parent_of(unsigned at)
{
	return at / WAYS + WAYS - 2;
}

static inline unsigned
first_child(unsigned at)
{
	return (at - WAYS + 2) * WAYS;
}

/* By I1.  A place that was left behind holds another timer, or lies below. */
static unsigned
where_is(struct wf__timerq *q, const struct wf__timer *t)
{
	unsigned at = t->at;

	while (place_at(q, at)->timer != t) {
		wf__assert(at > ROOT);
		at = parent_of(at);
	}
	return at;
}

static bool
is_any(const struct wf__timerq *q)
{
	return q->end > ROOT || q->overflow.root;
}

static int64_t
first_key(struct wf__timerq *q)
{
	int64_t key = WF_FOREVER;

	if (q->end > ROOT)
		key = place_at(q, ROOT)->key;
	if (q->overflow.root && q->overflow.root->key < key)
		key = q->overflow.root->key;
	return key;
}

/* I1 and I2, where a glance shows them: at the first places. */
static void
wf__timerq_check(struct wf__timerq *q)
{
	for (unsigned at = ROOT; at < q->end && at < ROOT + 21; at++) {
		struct wf__place *p = place_at(q, at);

		wf__assert(where_is(q, p->timer) == at);
		wf__assert(p->timer->node.key == p->key);
		wf__assert(wf__load_relaxed(&p->timer->home) == (wf__word)q);
		wf__assert(at == ROOT ||
		    place_at(q, parent_of(at))->key <= p->key);
	}
	wf__assert(!q->overflow.root ||
	    wf__load_relaxed(&timer_of(q->overflow.root)->home) ==
	    (wf__word)q);
}

static void
note_first(struct wf__timerq *q)
{
	int64_t key = first_key(q);

	if (WF__CHECKING)
		wf__timerq_check(q);
	/* Relaxed: written under the lock only. */
	if ((int64_t)wf__load_relaxed(&q->first) != key)
		wf__store_release(&q->first, (wf__word)key);	/* [timers] */
}

void
wf__timerq_init(struct wf__timerq *q)
{
	memset(q, 0, sizeof *q);
	q->end = ROOT;
	q->room = WF__TIMERQ_CHUNK * WF__TIMERQ_CHUNKS;
	note_first(q);
}

/* ---- the heap, under the lock ---- */

static inline void
set_place(struct wf__timerq *q, unsigned at, struct wf__place p)
{
	*place_at(q, at) = p;
	p.timer->at = at;
}

/* p belongs at this place or nearer to the root. */
static void
sift_up(struct wf__timerq *q, unsigned at, struct wf__place p)
{
	while (at > ROOT && place_at(q, parent_of(at))->key > p.key) {
		set_place(q, at, *place_at(q, parent_of(at)));
		at = parent_of(at);
	}
	set_place(q, at, p);
}

/* Of four, the one with the smallest key: without branches, which would be
 * guessed wrong half of the time. */
static inline unsigned
least_of_four(const struct wf__place *p)
{
	unsigned a = p[1].key < p[0].key, b = 2 + (p[3].key < p[2].key);

	return a ^ ((a ^ b) & -(unsigned)(p[b].key < p[a].key));
}

/* The child with the smallest key, or 0. */
static inline unsigned
least_child(struct wf__timerq *q, unsigned at)
{
	unsigned child = first_child(at), least = 0;
	const struct wf__place *all;

	if (child >= q->end)
		return 0;
	all = place_at(q, child);	/* never over a chunk's end */
	if (wf__likely(child + WAYS <= q->end))
		return child + least_of_four(all);
	for (unsigned i = 1; i < q->end - child; i++)
		if (all[i].key < all[least].key)
			least = i;
	return child + least;
}

/* p belongs at this place or farther from the root.  See the head. */
static void
sift_down(struct wf__timerq *q, unsigned at, struct wf__place p)
{
	unsigned child;

	while ((child = least_child(q, at)) && place_at(q, child)->key <
	    p.key) {
		*place_at(q, at) = *place_at(q, child);
		if (at < SOON)
			__builtin_prefetch(place_at(q, at)->timer, 1);
		at = child;
	}
	set_place(q, at, p);
}

/* Is there a place for one more? */
static bool
has_place(struct wf__timerq *q)
{
	struct wf__place **chunk = &q->chunk[q->end / WF__TIMERQ_CHUNK];

	if (wf__unlikely(q->end == q->room))
		return false;
	if (wf__unlikely(!*chunk))
		*chunk = wf__os_map(WF__TIMERQ_CHUNK * sizeof **chunk);
	return *chunk;
}

/* Relaxed: written under the lock only. */
static inline void
count_serious(struct wf__timerq *q, const struct wf__timer *t, int by)
{
	wf__store_release(&q->serious, wf__load_relaxed(&q->serious) +
	    (wf__word)(t->stands_by ? 0 : by));			/* [timers] */
}

static void
add_timer(struct wf__timerq *q, struct wf__timer *t)
{
	count_serious(q, t, 1);
	/* Relaxed: t is its owner's, until this lock is dropped. */
	wf__store_relaxed(&t->home, (wf__word)q);
	if (wf__likely(has_place(q))) {
		sift_up(q, q->end++, (struct wf__place){ t->node.key, t });
		return;
	}
	t->at = 0;
	wf__heap_insert(&q->overflow, &t->node);
}

static void
remove_timer(struct wf__timerq *q, struct wf__timer *t)
{
	struct wf__place last;
	unsigned at;

	count_serious(q, t, -1);
	if (wf__unlikely(!t->at)) {
		wf__heap_remove(&q->overflow, &t->node);
		return;
	}
	at = where_is(q, t);
	last = *place_at(q, --q->end);
	__builtin_prefetch(&last.timer->at, 1);	/* written in the end */
	if (at == q->end)
		return;
	if (at > ROOT && place_at(q, parent_of(at))->key > last.key)
		sift_up(q, at, last);
	else
		sift_down(q, at, last);
}

/* Take the first off if it is due.  One that is not is not touched. */
static struct wf__timer *
take_due(struct wf__timerq *q, int64_t now)
{
	struct wf__timer *t;
	int64_t key;

	if (!is_any(q) || (key = first_key(q)) > now)
		return NULL;
	if (q->end > ROOT && place_at(q, ROOT)->key == key)
		t = place_at(q, ROOT)->timer;
	else
		t = timer_of(q->overflow.root);
	remove_timer(q, t);
	return t;
}

/* ---- start, stop, run ---- */

bool
wf__timer_start(struct wf__timerq *q, struct wf__timer *t, int64_t when)
{
	bool first;

	wf__seam_touch(WF__TIMERS);
	t->node.key = when;
	wf__lock(&q->lock);
	add_timer(q, t);
	/* Relaxed: written under the lock only. */
	first = when < (int64_t)wf__load_relaxed(&q->first);
	if (first || WF__CHECKING)
		note_first(q);
	wf__unlock(&q->lock);
	return first;
}

static struct wf__timerq *
home_of(struct wf__timer *t)
{
	return (struct wf__timerq *)wf__load_acquire(&t->home);	/* [fire] */
}

bool
wf__timer_stop(struct wf__timer *t)
{
	struct wf__timerq *q;
	bool stopped;

	/* Only firing and moving change home behind the caller, who started t:
	 * relaxed under the lock, where it is written. */
	while ((q = home_of(t))) {
		wf__seam_touch(WF__TIMERS);
		wf__lock(&q->lock);
		stopped = wf__load_relaxed(&t->home) == (wf__word)q;
		if (stopped) {
			remove_timer(q, t);
			wf__store_relaxed(&t->home, 0);
			note_first(q);
		}
		wf__unlock(&q->lock);
		if (stopped)
			return true;
	}
	return false;
}

bool
wf__timerq_move(struct wf__timerq *from, struct wf__timerq *to)
{
	int64_t before = wf__timerq_first(to);
	struct wf__timer *t;
	bool any = false;

	do {
		wf__lock(&from->lock);
		wf__lock(&to->lock);
		for (int n = 0; n < BATCH &&
		    (t = take_due(from, WF_FOREVER)); n++) {
			add_timer(to, t);
			any = true;
		}
		note_first(from);
		note_first(to);
		wf__unlock(&to->lock);
		wf__unlock(&from->lock);
	} while (t);
	return any && wf__timerq_first(to) < before;
}

/* Under the lock: deadlines that are due and win their task; or, alone, one
 * callback.  A deadline that loses is no more touched: its task may be off. */
static unsigned
collect(struct wf__timerq *q, int64_t now, struct wf__task **won,
    unsigned *n_won, struct wf__timer **callback)
{
	struct wf__timer *t;
	unsigned fired = 0;

	while (*n_won < BATCH && !*callback && (t = take_due(q, now))) {
		struct wf__task *task = t->task;
		bool wins = task &&
		    wf__cas_acq_rel(&task->claim, 0, t->claim);	/* [claim] */

		fired++;
		if (!task)
			*callback = t;
		/* From here on a stop finds nothing to do.  [fire] */
		wf__store_release(&t->home, 0);
		if (wins)
			won[(*n_won)++] = task;
	}
	note_first(q);
	return fired;
}

unsigned
wf__timerq_run(struct wf__timerq *q, int64_t now,
    void (*ready)(struct wf__task *))
{
	struct wf__task *won[BATCH];
	struct wf__timer *callback;
	unsigned fired, total = 0, n;

	do {
		n = 0;
		callback = NULL;
		wf__lock(&q->lock);
		fired = collect(q, now, won, &n, &callback);
		wf__unlock(&q->lock);
		for (unsigned i = 0; i < n; i++)
			ready(won[i]);
		if (callback)
			callback->fire(callback, true);
		total += fired;
	} while (n == BATCH || callback);
	return total;
}

void
wf__timerq_forget(struct wf__timerq *q)
{
	q->end = ROOT;
	memset(&q->overflow, 0, sizeof q->overflow);
	wf__store_release(&q->serious, 0);			/* [timers] */
	note_first(q);
}

void
wf__timerq_drop(struct wf__timerq *q)
{
	struct wf__timer *t;

	while ((t = take_due(q, WF_FOREVER))) {
		/* Relaxed: all workers are gone. */
		wf__store_relaxed(&t->home, 0);
		if (t->fire)
			t->fire(t, false);
	}
	for (int i = 0; i < WF__TIMERQ_CHUNKS; i++) {
		if (q->chunk[i])
			wf__os_unmap(q->chunk[i],
			    WF__TIMERQ_CHUNK * sizeof *q->chunk[i]);
		q->chunk[i] = NULL;
	}
	note_first(q);
}
