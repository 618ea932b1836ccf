/* SPDX-License-Identifier: MIT */
/*
 * rwnext.h - who gets an rwmutex next: all under the lock of its queues.
 * Layer 3.  Uses: rwunit, wait.
 *
 * Readers who wait when a writer unlocks come in at once.  The last reader
 * to leave gives it to the first writer who waits for that.  Among writers it
 * is as with a mutex: who unlocks wakes the longest waiter, unless one is awake
 * already, and that one competes with all who come along; but one who has
 * waited for longer than WF__STARVED is next, and no new readers come before
 * him.  (If writers took turns strictly, two who each read and write in a loop
 * would wait for one another at every step.)
 */
#ifndef WF__RWNEXT_H
#define WF__RWNEXT_H

#include "rwunit.h"
#include "wait.h"

/* The flags for those who still wait; units are there, or not. */
wf__word wf__rwnext_queues(const struct wf__rwmutex *m, bool units);

/* The last unit, and no new ones: the first writer gets it, and is returned. */
struct wf__waiter *wf__rwnext_give(struct wf__rwmutex *m);

/* HELD: who is to be readied, and in *state what is to be stored for it.  NULL:
 * nobody; then HELD is not in *state, but all the rest. */
struct wf__waiter *wf__rwnext_choose(struct wf__rwmutex *m, wf__word *state);

/* A waiter has withdrawn: its flag goes if it was the last, and whom it held
 * up comes in.  Drops the lock. */
void wf__rwnext_withdraw(struct wf__rwmutex *m);

#endif
