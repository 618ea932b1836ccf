/* SPDX-License-Identifier: MIT */
/*
 * spin.h - a short wait for somebody who runs on another core.
 * Layer 3.  Uses: sched.
 *
 * Parking costs little, but being woken on another worker costs microseconds;
 * who holds a lock for a few instructions gives it back sooner.
 */
#ifndef WF__SPIN_H
#define WF__SPIN_H

#include "sched.h"

enum {
	WF__SPIN_ROUNDS = 12,
	WF__SPIN_PAUSES = 16		/* at most, in one round */
};

/* Is there another thread that could bring what is waited for? */
static inline bool
wf__spin_helps(void)
{
	/* Relaxed: a hint. */
	return !wf__self() || wf__load_relaxed(&wf__sched.n_workers) > 1;
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
