/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the slow sides of the two locks.
 * Layer 1.  Uses: lock, os.
 */
#include "lock.h"

#include <weft/time.h>

enum {
	SPINS = 20,		/* some microseconds: the holder is running */
	PAUSES_MAX = 64,
	YIELDS = 50,		/* then it is not: give it a core */
	STEAL_SPINS = 2000
};

/* Longer from try to try: each look takes the cache line from the holder, and
 * who holds the lock now had better use it several times in a row. */
static void
back_off(int n)
{
	int pauses = n < 6 ? 1 << n : PAUSES_MAX;

	while (pauses--)
		wf__pause();
}

/* The holder may have lost its core.  Yielding is enough nearly always; a nap
 * covers a holder of lower priority. */
WF__NOINLINE void
wf__lock_slow(struct wf__lock *l)
{
	for (int n = 0; wf__lock_is_held(l) ||
	    !wf__flag_set_acquire(&l->held); n++) {		/* [lock] */
		if (n < SPINS)
			back_off(n);
		else if (n < SPINS + YIELDS)
			wf__os_yield();
		else
			wf__os_nap(50 * WF_US);
	}
}

void
wf__bias_init(struct wf__bias *b)
{
	memset(b, 0, sizeof *b);
	wf__store_relaxed(&b->revoked, !wf__os_asymmetric);
}

WF__NOINLINE void
wf__bias_enter_slow(struct wf__bias *b)
{
	/* Step back, or the thief would wait for us.  [bias] */
	wf__store_release(&b->inside, 0);
	wf__lock(&b->lock);
}

bool
wf__bias_steal(struct wf__bias *b)
{
	wf__lock(&b->lock);
	if (!wf__os_asymmetric)
		return true;
	wf__store_release(&b->revoked, 1);
	wf__os_fence_heavy();
	for (int n = 0; wf__load_acquire(&b->inside); n++) {	/* [bias] */
		if (n == STEAL_SPINS) {
			wf__bias_return(b);
			return false;
		}
		wf__pause();
	}
	return true;
}

void
wf__bias_return(struct wf__bias *b)
{
	if (wf__os_asymmetric)
		wf__store_release(&b->revoked, 0);	/* [bias] */
	wf__unlock(&b->lock);
}
