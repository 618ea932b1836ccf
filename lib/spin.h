/* SPDX-License-Identifier: MIT */
/*
 * spin.h - who waits for a lock: a short wait for somebody who runs on another
 * core, and how long the longer ones are patient.
 * Layer 3.  Uses: sched.
 *
 * Parking costs little, but being woken on another worker costs microseconds;
 * who holds a lock for a few instructions gives it back sooner.
 */
#ifndef WF__SPIN_H
#define WF__SPIN_H

#include <weft/time.h>
#include "sched.h"

enum {
	WF__SPIN_ROUNDS = 12,
	WF__SPIN_PAUSES = 16		/* at most, in one round */
};

/* Who has waited for so long is given the lock by the next who unlocks; until
 * then he is only woken, and competes with all who come along. */
#define WF__STARVED WF_MS

/* The value of a waiter who is. */
struct wf__bid {
	int64_t since;			/* it waits; fixed */
	bool handed;			/* by the one who unlocked */
};

/* Is there another thread that could bring what is waited for, and nothing to
 * run meanwhile?  Who is waited for may be in our own queue. */
static inline bool
wf__spin_helps(void)
{
	struct wf__worker *w = wf__self();

	/* Relaxed: a hint. */
	return !w || (!wf__runq_has_next(&w->queue) &&
	    !wf__runq_length(&w->queue) &&
	    wf__load_relaxed(&wf__sched.n_workers) > 1 +
	    wf__load_relaxed(&wf__sched.n_idle) +
	    wf__load_relaxed(&wf__sched.idle.retired));
}

/* Longer from round to round: each look takes the cache line from the holder,
 * and who holds the lock now had better use it several times in a row. */
static inline void
wf__spin_pause(int round)
{
	int pauses = round < 4 ? 1 << round : WF__SPIN_PAUSES;

	while (pauses--)
		wf__pause();
}

#endif
