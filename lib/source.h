/* SPDX-License-Identifier: MIT */
/*
 * source.h - of all schedules, one of each kind.
 * Layer 7.  Uses: order, vec.
 *
 * Two schedules are of one kind if they differ only in the order of steps that
 * do not depend on each other (order.h).
 */
#ifndef WF__SOURCE_H
#define WF__SOURCE_H

#include "order.h"

struct wf__source {
	struct wf__vec forks;		/* of the present schedule */
	struct wf__vec sleepers;	/* by fork, see source.c */
	size_t at;			/* forks so far */
	size_t steps;			/* taken note of so far */
	uint32_t chosen;		/* at this fork, + 1: the last step */
	uint64_t since;			/* what was touched since then */
	bool lost;			/* the program took another path */
	bool no_memory;
};

void wf__source_begin(struct wf__source *s);
void wf__source_free(struct wf__source *s);

/* The order has one more step, which is closed. */
void wf__source_note(struct wf__source *s, struct wf__order *o);
/* At the end these could go on, but never will: as bits. */
void wf__source_end(struct wf__source *s, struct wf__order *o, uint64_t left);

/* Who of these goes on?  Best: plain.  0: no schedule of a new kind goes on
 * from here. */
uint32_t wf__source_next(struct wf__source *s, uint64_t open, uint32_t plain);
/* For the order: where that was chosen. */
uint32_t wf__source_lot(struct wf__source *s, uint32_t n);
/* On to the next schedule; false when there is none. */
bool wf__source_advance(struct wf__source *s);

#endif
