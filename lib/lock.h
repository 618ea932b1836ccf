/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the short internal lock, and the biased lock of a worker.
 * Layer 1.  Uses: atomic, os.
 *
 * wf__lock protects a few dozen instructions and is never held over a switch
 * of coroutines by the one who took it (a parking coroutine's lock is dropped
 * by the code that runs next).  Each unlock counts its version up: a reader
 * who finds the lock free and of the same version before and after knows that
 * nobody was inside in between, like with a sequence lock [lock].  Unlock is
 * plain stores; who waits spins, then yields, then naps.
 *
 * Lock order: channels of a select by address, or the one object waited on;
 * then lists of what can be cancelled, by address; then a timer heap; then
 * a run queue, the shared queue, the idle list, a stack class.  ready() is
 * called with no lock held, so none of the latter nest in practice.
 *
 * wf__bias is a lock whose owner, one worker, comes nearly always, and others
 * rarely:
 *
 *	owner	inside = 1; light fence; revoked?	[bias]
 *	thief	lock; revoked = 1; heavy fence; inside?	[bias]
 *
 * One of the two sees the other: either the owner finds itself revoked and
 * waits for the lock, or the thief finds the owner inside and waits, or gives
 * up.  The owner pays two plain stores and a load, the thief a system call.
 * Without asymmetric fences it is revoked for ever and an ordinary lock.
 */
#ifndef WF__LOCK_H
#define WF__LOCK_H

#include "atomic.h"
#include "os.h"

struct wf__lock {
	wf__flag held;
	wf__word version;	/* written by the holder, at the end */
};

void wf__lock_slow(struct wf__lock *l);

static inline void
wf__lock(struct wf__lock *l)
{
	if (wf__unlikely(!wf__flag_set_acquire(&l->held)))	/* [lock] */
		wf__lock_slow(l);
}

static inline bool
wf__try_lock(struct wf__lock *l)
{
	return wf__flag_set_acquire(&l->held);			/* [lock] */
}

static inline void
wf__unlock(struct wf__lock *l)
{
	/* Relaxed: before the release, and only the holder writes it. */
	wf__add_owned(&l->version, 1);
	wf__flag_clear_release(&l->held);			/* [lock] */
}

static inline bool
wf__lock_is_held(const struct wf__lock *l)
{
	return wf__flag_load_acquire(&l->held);			/* [lock] */
}

/* To be read after wf__lock_is_held() was false. */
static inline wf__word
wf__lock_version(const struct wf__lock *l)
{
	return wf__load_acquire(&l->version);			/* [lock] */
}

struct wf__bias {
	wf__word inside;	/* written by the owner only */
	wf__word revoked;	/* written under the lock */
	struct wf__lock lock;
};

void wf__bias_init(struct wf__bias *b);
void wf__bias_enter_slow(struct wf__bias *b);

/* The owner's side.  The fast forms are for who has a way of his own for the
 * rest: if enter is false, enter_slow() is to follow, and leave(). */
static inline bool
wf__bias_enter_fast(struct wf__bias *b)
{
	wf__store_relaxed(&b->inside, 1);
	__asm__ volatile("" ::: "memory");	/* a light fence */
	return wf__likely(!wf__load_acquire(&b->revoked));	/* [bias] */
}

static inline void
wf__bias_leave_fast(struct wf__bias *b)
{
	wf__store_release(&b->inside, 0);		/* [bias] */
}

static inline void
wf__bias_enter(struct wf__bias *b)
{
	if (!wf__bias_enter_fast(b))
		wf__bias_enter_slow(b);
}

static inline void
wf__bias_leave(struct wf__bias *b)
{
	/* Relaxed: the owner reads its own word. */
	if (wf__likely(wf__load_relaxed(&b->inside)))
		wf__bias_leave_fast(b);
	else
		wf__unlock(&b->lock);
}

/* Another thread's side.  False: the owner did not come out soon enough (its
 * thread is off its core, perhaps); nothing is held then. */
bool wf__bias_steal(struct wf__bias *b);
void wf__bias_return(struct wf__bias *b);

#endif
