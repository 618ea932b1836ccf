/* SPDX-License-Identifier: MIT */
/*
 * order.h - which steps of a schedule depend on each other.
 * Layer 7.  Uses: vec, seam.
 *
 * A step is what one does from one choice to the next.  It depends on the one
 * before of the same coroutine, on the one that has woken or spawned it, and
 * on the last one that has touched an object which it touches.  Schedules in
 * which each step has the same steps to depend on differ only in the order of
 * steps that have nothing to do with each other, and end in the same state.
 */
#ifndef WF__ORDER_H
#define WF__ORDER_H

#include "seam.h"
#include "vec.h"

enum { WF__ORDER_WHO = 64 };	/* with clocks: coroutines, and the clock */

struct wf__step {
	uint64_t hash;		/* of all that it depends on */
	uint64_t mask;		/* what it touches: a bit for each object, or
				 * for several; all bits: everything */
	uint32_t who, nth;	/* the nth step of this one, from 1 */
	uint32_t fork;		/* for source.c: where it was chosen, + 1 */
	bool all;		/* it touches everything */
};

struct wf__order {
	bool on, has_clocks;
	bool no_memory;
	bool crowded;		/* has_clocks, and there are too many */
	bool open;		/* the last step is not over */
	struct wf__vec steps;	/* struct wf__step */
	struct wf__vec clocks;	/* of each, how many of each one's steps it
				 * depends on: uint32_t[WF__ORDER_WHO] */
	struct wf__vec doers;	/* by number: what they have done last */
	struct wf__vec objects;	/* by place: the last step, + 1, that touched
				 * it: uint32_t */
	struct wf__vec prints;	/* uint32_t: places that steps have touched */
	struct wf__vec woken;	/* uint32_t: by the last step */
	struct wf__vec rivals;	/* uint32_t: steps, + 1, on which the last one
				 * depends by what it touches only */
	size_t from;		/* the last step's places in prints */
	uint64_t lots;		/* that it has drawn */
	uint32_t last_all;	/* the last that touches everything, + 1 */
	uint64_t state;		/* the sum of all doers' last steps */
};

/* A new schedule; without on, all of the rest does nothing. */
void wf__order_begin(struct wf__order *o, bool on, bool has_clocks);
void wf__order_free(struct wf__order *o);

/* One step is over, and the next one who's; 0: the clock's. */
void wf__order_step(struct wf__order *o, uint32_t who);
/* The present step touches an object by its number (as shown), or what seam.h
 * has a name for. */
void wf__order_touch(struct wf__order *o, uint64_t object);
void wf__order_lot(struct wf__order *o, uint32_t lot);
/* The present step lets one go on, who was parked or has just been spawned. */
void wf__order_wakes(struct wf__order *o, uint32_t who);
/* The step is over. */
void wf__order_close(struct wf__order *o);

/* The same number for all schedules that differ so far only in the order of
 * steps that do not depend on each other; never 0. */
static inline uint64_t
wf__order_state(const struct wf__order *o)
{
	return o->state ? o->state : 1;
}

/* ---- with clocks ---- */

static inline struct wf__step *
wf__order_at(const struct wf__order *o, size_t i)
{
	return (struct wf__step *)o->steps.items + i;
}

/* Does step j depend on i, which is not j, directly or not? */
static inline bool
wf__order_before(const struct wf__order *o, size_t i, size_t j)
{
	const uint32_t *clock = (const uint32_t *)o->clocks.items +
	    j * WF__ORDER_WHO;

	return clock[wf__order_at(o, i)->who] >= wf__order_at(o, i)->nth;
}

/* The steps that the last one races with: it depends on them, and on nothing
 * that depends on them in turn, and not because they have woken it.  Calls
 * for each. */
void wf__order_races(struct wf__order *o, void (*race)(size_t step, void *arg),
    void *arg);

#endif
