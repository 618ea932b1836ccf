/* SPDX-License-Identifier: MIT */
/*
 * runq.h - the run queue of one worker.
 * Layer 2.  Uses: coro, lock.
 *
 * The next slot holds what was readied last: it runs first, which switches
 * straight to the partner of a rendezvous while its data is in the cache.
 * The ring is first in, first out.  What does not fit goes to the runtime's
 * shared queue, half a ring at a time.
 *
 * The owner pushes and pops under the biased lock, nearly for free.  For a
 * thief that lock is dear, and stalls the owner for microseconds.  So a thief
 * asks first: an owner who is at work sees the request at its next push or
 * switch, and puts half of its ring into the shared queue.  Only from an owner
 * that has not switched for a while, because it computes or sits in a system
 * call, the thief takes by force, half of the ring and the next slot as well.
 * (Asking is after U. Acar, A. Chargueraud, M. Rainey, "Scheduling parallel
 * programs by work stealing with private deques", PPoPP 2013.)
 */
#ifndef WF__RUNQ_H
#define WF__RUNQ_H

#include "coro.h"
#include "lock.h"

#ifdef WEFT_CHAOS
#define WF__RUNQ_SIZE 2u	/* nearly everything overflows and is stolen */
#else
#define WF__RUNQ_SIZE 256u
#endif

/* A list of tasks through their links. */
struct wf__tasks {
	struct wf__task *first, *last;
	size_t n;
};

static inline void
wf__tasks_add(struct wf__tasks *l, struct wf__task *t)
{
	t->link = NULL;
	if (l->last)
		l->last->link = t;
	else
		l->first = t;
	l->last = t;
	l->n++;
}

static inline struct wf__task *
wf__tasks_take(struct wf__tasks *l)
{
	struct wf__task *t = l->first;

	if (t) {
		if (!(l->first = t->link))
			l->last = NULL;
		l->n--;
	}
	return t;
}

/*
 * A list of coroutines that may be so many that none is in the cache when its
 * turn comes: each knows one that stands some places behind it, which is
 * fetched when this one is taken.  (After A. Roth, G. Sohi, "Effective jump-
 * pointer prefetching for linked data structures", ISCA 1999.)
 */
enum { WF__AHEAD = 8 };
struct wf__crowd {
	struct wf__tasks tasks;
	struct wf__task *latest[WF__AHEAD];	/* if there are so many */
	unsigned added;
};

static inline void
wf__crowd_add(struct wf__crowd *c, struct wf__task *t)
{
	struct wf__task **place = &c->latest[c->added++ % WF__AHEAD];

	if (c->tasks.n >= WF__AHEAD)
		wf__coro_of(*place)->ahead = wf__coro_of(t);
	*place = t;
	wf__coro_of(t)->ahead = NULL;
	wf__tasks_add(&c->tasks, t);
}

static inline struct wf__task *
wf__crowd_take(struct wf__crowd *c)
{
	struct wf__task *t = wf__tasks_take(&c->tasks);
	char *ahead = t ? (char *)wf__coro_of(t)->ahead : NULL;

	if (ahead) {
		__builtin_prefetch(ahead, 1);
		__builtin_prefetch(ahead + WF__LINE, 1);
		__builtin_prefetch(ahead + 2 * WF__LINE, 1);
	}
	return t;
}

/* All of more, which is empty then. */
static inline void
wf__crowd_append(struct wf__crowd *c, struct wf__crowd *more)
{
	struct wf__task *t;

	while (more->tasks.n < WF__AHEAD || !c->tasks.n)
		if ((t = wf__crowd_take(more)))
			wf__crowd_add(c, t);
		else
			return;
	c->tasks.last->link = more->tasks.first;
	c->tasks.last = more->tasks.last;
	c->tasks.n += more->tasks.n;
	memcpy(c->latest, more->latest, sizeof c->latest);
	c->added = more->added;
	memset(more, 0, sizeof *more);
}

struct wf__runq {
	struct wf__bias bias;
	wf__word next;		/* struct wf__task *; those who look from aside
				 * see if there is one */
	uint32_t head, tail;	/* of the ring, never wrapped */
	wf__word length;	/* tail - head; for those who look from aside */
	wf__word asked;		/* by a thief, for half of the ring */
	uint32_t turned;	/* head, when room was made last */
	struct wf__task *ring[WF__RUNQ_SIZE];
};

void wf__runq_init(struct wf__runq *q);

/* The owner's verbs.  Push puts what does not fit into *spill. */
void wf__runq_push(struct wf__runq *q, struct wf__task *t,
    struct wf__tasks *spill);
void wf__runq_push_next(struct wf__runq *q, struct wf__task *t,
    struct wf__tasks *spill);
/* The next slot, then the ring. */
static inline struct wf__task *wf__runq_pop(struct wf__runq *q);
struct wf__task *wf__runq_pop_slow(struct wf__runq *q);
/* As push_next and push, but nothing is done, and false, if the ring is full,
 * asked for or held by a thief: push is to follow. */
static inline bool wf__runq_try_next(struct wf__runq *q, struct wf__task *t);
static inline bool wf__runq_try_last(struct wf__runq *q, struct wf__task *t);
/* The next slot's turn has come to wait: to the ring's end with it. */
void wf__runq_demote_next(struct wf__runq *q, struct wf__tasks *spill);
/* For so many more, at most: how many there is room for, with some room left.
 * In a ring without, as many of those that came last go to *out as have left
 * at the front since the last time: who is nearer than that is never sent away
 * before his turn. */
size_t wf__runq_make_room(struct wf__runq *q, size_t n, struct wf__tasks *out);
/* Everything. */
void wf__runq_drain(struct wf__runq *q, struct wf__tasks *all);

/* A thief has asked: half of the ring, or what there is, to *gift. */
void wf__runq_give(struct wf__runq *q, struct wf__tasks *gift);

/* A thief's verb: half of the ring, or with next also the slot's task, to
 * *loot.  False: nothing was there, or the owner did not come out. */
bool wf__runq_steal(struct wf__runq *q, bool next, struct wf__tasks *loot);

/* From aside, at some moment. */
static inline size_t
wf__runq_length(const struct wf__runq *q)
{
	return wf__load_acquire(&q->length);		/* [runq] */
}

/* Relaxed: a request may come late or be lost; the thief looks on. */
static inline bool
wf__runq_is_asked(const struct wf__runq *q)
{
	return wf__load_relaxed(&q->asked);
}

static inline void
wf__runq_ask(struct wf__runq *q, bool please)
{
	if (wf__load_relaxed(&q->asked) != please)
		wf__store_relaxed(&q->asked, please);
}

static inline bool
wf__runq_has_next(const struct wf__runq *q)
{
	return wf__load_acquire(&q->next);		/* [runq] */
}

/* ---- inline, as they are on each way from coroutine to coroutine ---- */

/* Under the bias: next is written there only, hence relaxed. */
static inline struct wf__task *
wf__runq_next(const struct wf__runq *q)
{
	return (struct wf__task *)wf__load_relaxed(&q->next);
}

static inline void
wf__runq_set_next(struct wf__runq *q, struct wf__task *t)
{
	wf__store_release(&q->next, (wf__word)t);		/* [runq] */
}

static inline struct wf__task **
wf__runq_slot(struct wf__runq *q, uint32_t at)
{
	return &q->ring[at % WF__RUNQ_SIZE];
}

void wf__runq_check(struct wf__runq *q);

static inline void
wf__runq_publish(struct wf__runq *q)
{
	wf__store_release(&q->length, q->tail - q->head);	/* [runq] */
	if (WF__CHECKING)
		wf__runq_check(q);
}

/* Under the bias. */
static inline struct wf__task *
wf__runq_take(struct wf__runq *q)
{
	struct wf__task *t;

	if ((t = wf__runq_next(q)))
		wf__runq_set_next(q, NULL);
	else if (q->head != q->tail) {
		t = *wf__runq_slot(q, q->head++);
		wf__runq_publish(q);
	}
	return t;
}

static inline struct wf__task *
wf__runq_pop(struct wf__runq *q)
{
	struct wf__task *t;

	if (wf__unlikely(!wf__bias_enter_fast(&q->bias)))
		return wf__runq_pop_slow(q);
	t = wf__runq_take(q);
	wf__bias_leave_fast(&q->bias);
	return t;
}

/* Under the bias, like the next. */
static inline bool
wf__runq_has_room(const struct wf__runq *q)
{
	return wf__likely(q->tail - q->head != WF__RUNQ_SIZE &&
	    !wf__runq_is_asked(q));
}

static inline void
wf__runq_append(struct wf__runq *q, struct wf__task *t)
{
	*wf__runq_slot(q, q->tail++) = t;
	wf__runq_publish(q);
}

static inline bool
wf__runq_try_next(struct wf__runq *q, struct wf__task *t)
{
	struct wf__task *old;
	bool done;

	if (wf__unlikely(!wf__bias_enter_fast(&q->bias)))
		return false;
	old = wf__runq_next(q);
	if ((done = !old || wf__runq_has_room(q)))
		wf__runq_set_next(q, t);
	if (old && done)
		wf__runq_append(q, old);
	wf__bias_leave_fast(&q->bias);
	return done;
}

static inline bool
wf__runq_try_last(struct wf__runq *q, struct wf__task *t)
{
	bool done;

	if (wf__unlikely(!wf__bias_enter_fast(&q->bias)))
		return false;
	if ((done = wf__runq_has_room(q)))
		wf__runq_append(q, t);
	wf__bias_leave_fast(&q->bias);
	return done;
}

#endif
