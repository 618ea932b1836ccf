/* SPDX-License-Identifier: MIT */
/*
 * seen.h - states that were seen, and what it took to come there.
 * Layer 7.  Uses: base.
 */
#ifndef WF__SEEN_H
#define WF__SEEN_H

#include "base.h"

struct wf__seen {
	struct wf__seen_state *states;	/* by their hash, then the next free */
	size_t room, n;			/* room is 0 or a power of 2 */
};

/* Has the state, which is not 0, been seen at this price or less?  Now it has:
 * if there is memory; else it will be new again. */
bool wf__seen_before(struct wf__seen *s, uint64_t state, uint32_t price);
void wf__seen_free(struct wf__seen *s);

#endif
