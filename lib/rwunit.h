/* SPDX-License-Identifier: MIT */
/*
 * rwunit.h - the state of an rwmutex, and read locks as units of it.
 * Layer 3.  Uses: readers, wait, lock.
 *
 *   state:  | units counted here | WOKEN | QUEUED | NOTED |
 *	     | READERS | WRITERS | HANDED | HELD |
 *
 * A read lock is a unit.  It is counted in the state; or, while NOTED is up,
 * noted in the row of the worker that took it (readers.h), where no other core
 * touches it.  Units have no names: who unlocks takes back any one, the one in
 * his row first.  So a coroutine may go on on another worker, and another one
 * may unlock.
 *
 *   I1  HELD: a writer has it, and there are no units.
 *   I2  HELD or WRITERS: no new units, and not both.  WRITERS is up while
 *       a writer waits for units to go, or while the holder of the lock (of the
 *       queues) gathers units.
 *   I3  NOTED => neither HELD nor WRITERS.  It goes up and down under the lock;
 *       when units have been gathered, none is in a row.
 *   I4  READERS is up while a reader waits, QUEUED while a writer does, HANDED
 *       while the writer that was given the lock does not run yet, WOKEN while
 *       one writer, in no queue, is about to try.
 *   I5  WRITERS, READERS, QUEUED and all hand-over change under the lock.
 *       WOKEN goes up under it; the one who was woken takes it down by locking
 *       for writing, or under the lock to queue again.
 *   I6  QUEUED => HELD, WRITERS or WOKEN: somebody will think of them.
 *
 * NOTED goes up when readers have met at the state often enough: then it pays,
 * also if a writer comes soon.  A writer takes it down and gathers the units;
 * so does a reader who finds no unit to take back, since his must be in the
 * row of another worker then.  The count is exact: no new units come
 * meanwhile, and if nothing is found, nothing was locked.
 */
#ifndef WF__RWUNIT_H
#define WF__RWUNIT_H

#include <weft/rwmutex.h>
#include "lock.h"
#include "readers.h"
#include "wait.h"

enum {
	WF__RW_HELD = 1, WF__RW_HANDED = 2, WF__RW_WRITERS = 4,
	WF__RW_READERS = 8, WF__RW_NOTED = 16, WF__RW_QUEUED = 32,
	WF__RW_WOKEN = 64, WF__RW_UNIT = 128
};

/* In CHAOS builds all readers count as having met. */
#ifdef WEFT_CHAOS
enum { WF__RW_ALL_MEET = true };
#else
enum { WF__RW_ALL_MEET = false };
#endif

/* What keeps new readers out. */
#define WF__RW_CLOSED ((wf__word)(WF__RW_HELD | WF__RW_WRITERS))

struct wf__rwmutex {
	wf__word state;			/* [rw] */
	wf__word number;		/* for reports, and the key in rows;
					 * fixed once set, under the lock */
	wf__word meetings;		/* of readers at the state, about */
	wf__word limit;			/* of these, to raise NOTED; 0: none
					 * was set yet */
	struct wf__lock lock;		/* of the queues */
	struct wf__waitq readers, writers;
} __attribute__((may_alias));		/* the user declares words */

_Static_assert(sizeof(struct wf__rwmutex) <= sizeof(wf_rwmutex), "room");

static inline wf__word
wf__rwunit_state(const struct wf__rwmutex *m)
{
	return wf__load_acquire(&m->state);			/* [rw] */
}

/* A compare-and-swap.  [rw] */
static inline bool
wf__rwunit_change(struct wf__rwmutex *m, wf__word old, wf__word new)
{
	return wf__cas_acq_rel(&m->state, old, new);		/* [rw] */
}

/* Add a unit, if readers may come in: in the state, also under the lock; or
 * wherever it is best, not under the lock. */
bool wf__rwunit_count(struct wf__rwmutex *m);
bool wf__rwunit_add_slow(struct wf__rwmutex *m);

static inline bool
wf__rwunit_add(struct wf__rwmutex *m)
{
	wf__word s = wf__rwunit_state(m);

	return (!WF__RW_ALL_MEET && !(s & (WF__RW_CLOSED | WF__RW_NOTED)) &&
	    wf__likely(wf__rwunit_change(m, s, s + WF__RW_UNIT))) ||
	    wf__rwunit_add_slow(m);
}

/* Take a unit back.  False: it must be done under the lock, because it is the
 * last one, and somebody waits for that; or none was found. */
bool wf__rwunit_remove_slow(struct wf__rwmutex *m);

static inline bool
wf__rwunit_remove(struct wf__rwmutex *m)
{
	wf__word s = wf__rwunit_state(m);

	return (s >= WF__RW_UNIT &&
	    !(s & (WF__RW_WRITERS | WF__RW_NOTED)) &&
	    wf__likely(wf__rwunit_change(m, s, s - WF__RW_UNIT))) ||
	    wf__rwunit_remove_slow(m);
}

/* Under the lock, NOTED up: all units into the state.  WRITERS is up. */
void wf__rwunit_gather(struct wf__rwmutex *m);

/* Under the lock: it has a number from now on. */
void wf__rwunit_number(struct wf__rwmutex *m);

#endif
