/* SPDX-License-Identifier: MIT */
/*
 * wait.h - waiter nodes, their queues, and the wait in one of them.
 * Layer 3.  Uses: park, lock.
 *
 * A waiter stands for one task on one object's queue, under that object's
 * lock.  A contested one belongs to a wait that something else can end as
 * well (another case of a select, a deadline, a context): who takes it off the
 * queue must win the task's claim word, or leave the task alone [claim].  An
 * uncontested one is won by taking it off.
 *
 * Ownership: a waiter lies in its task's record or on its stack.  It cannot
 * vanish before its task is resumed, and the task is not resumed before the
 * winner calls ready(), after dropping the lock; the losers' waiters are taken
 * off by their own task, under each lock, before it leaves the wait.
 */
#ifndef WF__WAIT_H
#define WF__WAIT_H

#include "lock.h"
#include "park.h"

struct wf__waiter {
	struct wf__waiter *next, *prev;
	struct wf__task *task;
	void *value;		/* where a value comes from or goes to */
	uint32_t index;		/* the claim word gets index + 1 */
	bool contested;
	bool queued;
	bool ok;		/* by the winner: a value passed; not closed */
	bool late;		/* contested: a receive behind a send on the
				 * same channel, in an ordered select */
} __attribute__((may_alias));	/* lies in room declared as words */

_Static_assert(sizeof(struct wf__waiter) <=
    sizeof(((struct wf__coro *)0)->waiter), "room in the record");

struct wf__cancel;

struct wf__waitq {
	struct wf__waiter *first, *last;
};

static inline void
wf__waitq_add(struct wf__waitq *q, struct wf__waiter *w)
{
	w->next = NULL;
	w->prev = q->last;
	if (q->last)
		q->last->next = w;
	else
		q->first = w;
	q->last = w;
	w->queued = true;
}

/* Before all others: one whose turn it was already. */
static inline void
wf__waitq_add_first(struct wf__waitq *q, struct wf__waiter *w)
{
	w->prev = NULL;
	w->next = q->first;
	if (q->first)
		q->first->prev = w;
	else
		q->last = w;
	q->first = w;
	w->queued = true;
}

static inline void
wf__waitq_remove(struct wf__waitq *q, struct wf__waiter *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		q->first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		q->last = w->prev;
	w->queued = false;
}

/* Off its queue: is it the taker's, or was it won elsewhere? */
static inline bool
wf__waiter_win(struct wf__waiter *w)
{
	return !w->contested ||
	    wf__cas_acq_rel(&w->task->claim, 0, w->index + 1);	/* [claim] */
}

static inline void
wf__waitq_drop_first(struct wf__waitq *q, struct wf__waiter *first)
{
	if ((q->first = first->next))
		first->next->prev = NULL;
	else
		q->last = NULL;
	first->queued = false;
}

/* Take waiters off until one is won; NULL: nobody is left. */
struct wf__waiter *wf__waitq_claim_contested(struct wf__waitq *q);
static inline struct wf__waiter *
wf__waitq_claim(struct wf__waitq *q)
{
	struct wf__waiter *w = q->first;

	if (wf__unlikely(w && w->contested))
		return wf__waitq_claim_contested(q);
	if (w)
		wf__waitq_drop_first(q, w);
	return w;
}

/* Take all off, and return those won, linked by next. */
static inline struct wf__waiter *
wf__waitq_claim_all(struct wf__waitq *q)
{
	struct wf__waiter *list = NULL, **end = &list, *w;

	while ((w = wf__waitq_claim(q))) {
		*end = w;
		end = &w->next;
	}
	*end = NULL;
	return list;
}

/* Ready each of such a list; its lock is dropped. */
static inline void
wf__waitq_ready_all(struct wf__waiter *list)
{
	struct wf__waiter *next;

	for (; list; list = next) {
		next = list->next;	/* gone once its task runs */
		wf__ready(list->task);
	}
}

/* CHECK builds: the first of the list stand in it rightly. */
static inline void
wf__waitq_check(const struct wf__waitq *q)
{
	const struct wf__waiter *before = NULL, *w = q->first;

	for (int n = 0; w && n < 16; n++, w = w->next) {
		wf__assert(w->queued && w->task && w->prev == before);
		before = w;
	}
	wf__assert(w || q->last == before);
}

static inline void
wf__waiter_init(struct wf__waiter *w, struct wf__task *t)
{
	w->task = t;
	w->index = 0;
	w->contested = false;
	w->ok = false;
}

/* The node for a wait on one object: in the coroutine's record, or spare. */
static inline struct wf__waiter *
wf__waiter_in(struct wf__coro *c)
{
	struct wf__waiter *w = (struct wf__waiter *)(void *)c->waiter;

	wf__waiter_init(w, &c->task);
	return w;
}

static inline struct wf__waiter *
wf__waiter_of(struct wf__task *t, struct wf__waiter *spare)
{
	if (t->kind == WF__CORO)
		return wf__waiter_in(wf__coro_of(t));
	wf__waiter_init(spare, t);
	return spare;
}

/* A wait in one queue. */
struct wf__wait {
	struct wf__lock *lock;		/* of the queue */
	struct wf__waitq *queue;
	struct wf__cancel *cancel;	/* what ends it early, or NULL */
	void *value;			/* the waiter's */
	const char *why;		/* for reports, static */
	uint64_t number;		/* likewise, of the object */
	bool first;			/* before those who wait already */
	void (*then)(void *arg);	/* or NULL: called once the task is in
					 * the queue and no lock is held, on
					 * another stack; may not wait */
	void *arg;			/* of then */
	bool begun;			/* by wf__wait(): it was in the queue */
};

/*
 * With the lock held: wait until somebody takes the waiter off the queue and
 * readies it; 0, and the lock is not held: the object may be gone by now.  Or
 * until *cancel is done: its -errno, with the waiter off and the lock held
 * again; if it is done already, the wait does not begin, nor is then() called.
 */
int wf__wait(struct wf__wait *wait);

/* The number of an object, for reports: no address is ever printed. */
uint64_t wf__wait_number(void);
/* As reports show it: each schedule of a simulation counts from 1. */
uint64_t wf__wait_shown(uint64_t n);
/* Count from here, or no longer: the last number that is not counted. */
uint64_t wf__wait_show_anew(bool anew);

/* wf__seam_point() before an operation on an object that gets its number, for
 * reports, when somebody first waits; for a simulation, now. */
void wf__wait_point_slow(const char *what, uint64_t *number);
static inline void
wf__wait_point(const char *what, uint64_t *number)
{
	if (wf__unlikely(wf__seam && wf__seam->point))
		wf__wait_point_slow(what, number);
}

/* Likewise wf__seam_touch(), for what has no point. */
void wf__wait_touch_slow(uint64_t *number);
static inline void
wf__wait_touch(uint64_t *number)
{
	if (wf__unlikely(wf__seam && wf__seam->touch))
		wf__wait_touch_slow(number);
}

/* Two lists made one; either may be NULL. */
struct wf__waiter *wf__waiters_join(struct wf__waiter *list,
    struct wf__waiter *more);

#endif
