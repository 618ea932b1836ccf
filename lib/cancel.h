/* SPDX-License-Identifier: MIT */
/*
 * cancel.h - what can be cancelled, who waits for that, who is told of it.
 * Layer 3.  Uses: wait, lock.
 *
 * The first member of every context.  Whether it is done is one load; nobody
 * takes a lock to ask.  Only who is about to park attaches a waiter, and what
 * is to be told of the end (a context's children) is linked, to one of the
 * lists:
 *
 *	own list	everybody, as long as attaching meets nobody
 *	shards		made when many come from many cores; each worker
 *			attaches to its own
 *
 * While own.lock is held:
 *   I1  state changes from 0 once, to the errno it ended with [cancel].
 *   I2  shards changes from 0 once, and not after state.
 * While a list's lock is held:
 *   I3  told changes from false once, after state has changed: waiters and
 *       children are then taken off, and nobody comes any more.
 *
 * A waiter is attached under its list's lock after state was seen to be 0; who
 * ends the wait sets state first and then empties each list under its lock, of
 * those that there are by I2.  So a waiter is either woken or not attached,
 * and a child either told or not linked.
 */
#ifndef WF__CANCEL_H
#define WF__CANCEL_H

#include <weft/context.h>
#include "wait.h"

enum {
#ifdef WEFT_CHAOS
	WF__CROWDED = 0
#else
	WF__CROWDED = 16	/* times, to be worth shards */
#endif
};

struct wf__cancel_list;

/* What is told of the end.  Once the list is told, the links are the
 * teller's. */
struct wf__cancel_child {
	struct wf__cancel_child *next, *prev;
	struct wf__cancel_list *list;	/* fixed; NULL: nothing is ever told */
	bool linked;			/* under the list's lock */
	uint8_t kind;			/* fixed; see context.h */
};

struct wf__cancel_list {
	struct wf__lock lock;		/* must be first; see select.c */
	struct wf__waitq waiters;
	struct wf__cancel_child *children;
	wf__word members;		/* children, linked or not, whose
					 * memory still names this list */
	unsigned contended;		/* those who had to wait to attach */
	bool told;
	bool closing;			/* members give references back */
};

struct wf__cancel {
	struct wf__cancel_list own;
	wf__word state;			/* 0, or an errno */
	wf__word shards;		/* struct wf__cancel_shards * */
	bool endless;			/* never done; fixed */
};

/* What a context begins with; NULL for NULL. */
static inline struct wf__cancel *
wf__cancel_of(wf_ctx *ctx)
{
	return (struct wf__cancel *)(void *)ctx;
}

static inline int
wf__cancel_state(const struct wf__cancel *c)
{
	return (int)wf__load_acquire(&c->state);		/* [cancel] */
}

/* The list for the caller to attach to. */
struct wf__cancel_list *wf__cancel_list(struct wf__cancel *c);

/* Lock and count who had to wait. */
void wf__cancel_lock(struct wf__cancel_list *l);

/* With the lock held and the state seen to be 0 under it. */
static inline void
wf__cancel_attach(struct wf__cancel_list *l, struct wf__waiter *w)
{
	w->value = l;
	wf__waitq_add(&l->waiters, w);
}

/* Take w off if it is still on; no lock is held.  Afterwards, c, which is not
 * freed yet, may get its shards. */
void wf__cancel_detach(struct wf__cancel *c, struct wf__waiter *w);

/* With the list's lock held and not told: link, or unlink. */
void wf__cancel_link(struct wf__cancel_list *l, struct wf__cancel_child *k);
void wf__cancel_unlink(struct wf__cancel_list *l, struct wf__cancel_child *k);

/* Do too many meet at the list?  Then, with no lock held: shards. */
static inline bool
wf__cancel_is_crowded(const struct wf__cancel_list *l)
{
	return (int)l->contended >= WF__CROWDED;
}
void wf__cancel_relieve(struct wf__cancel *c, struct wf__cancel_list *l);

/* With own.lock held, and state set: wake all who wait, and return the
 * children, linked by next.  Drops the lock. */
struct wf__cancel_child *wf__cancel_wake(struct wf__cancel *c);

/* The k-th list; NULL: there are no more. */
struct wf__cancel_list *wf__cancel_nth_list(struct wf__cancel *c, size_t k);

/* c is about to be freed. */
void wf__cancel_drop(struct wf__cancel *c);

#endif
