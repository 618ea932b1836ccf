/* SPDX-License-Identifier: MIT */
/*
 * cancel.h - what can be cancelled, and who waits for that.
 * Layer 3.  Uses: wait, lock.
 *
 * The first member of every context.  Whether it is done is one load; nobody
 * takes a lock to ask.  Only who is about to park attaches a waiter, to one of
 * the lists:
 *
 *	own list	all waiters, as long as attaching meets nobody
 *	shards		made when many wait from many cores; each worker
 *			attaches to its own
 *
 * While own.lock is held:
 *   I1  state changes from 0 once, to the errno it ended with [cancel].
 *   I2  shards changes from 0 once, and not after state.
 *
 * A waiter is attached under its list's lock after state was seen to be 0; who
 * ends the wait sets state first and then empties each list under its lock, of
 * those that there are by I2.  So a waiter is either woken or not attached.
 */
#ifndef WF__CANCEL_H
#define WF__CANCEL_H

#include <weft/context.h>
#include "wait.h"

struct wf__cancel_list {
	struct wf__lock lock;		/* must be first; see select.c */
	struct wf__waitq waiters;
	unsigned contended;		/* attachers that had to wait */
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

/* With own.lock held, and state set: wake everybody.  Drops the lock. */
void wf__cancel_wake(struct wf__cancel *c);

/* c is about to be freed. */
void wf__cancel_drop(struct wf__cancel *c);

#endif
