/* SPDX-License-Identifier: MIT */
/*
 * budget.h - how many bytes of stacks may be in use at a time, by option.
 * Layer 1.  Uses: stack.
 */
#ifndef WF__BUDGET_H
#define WF__BUDGET_H

#include "atomic.h"
#include "stack.h"

extern size_t wf__budget;		/* 0: any number */
extern wf__word wf__budget_used;

/* While no worker runs. */
void wf__budget_set(size_t bytes);

/* As wf__stack_get(); NULL as well if it counts and is beyond the budget.  One
 * may be had in any case. */
struct wf__stack *wf__budget_get(struct wf__stack_cache *cache, int class,
    bool counts);

/* Would that be a matter of a few instructions, and no refusal? */
static inline bool
wf__budget_at_hand(const struct wf__stack_cache *cache, int class)
{
	return wf__stack_at_hand(cache, class) && wf__likely(!wf__budget);
}

/* By wf__stack_put(). */
static inline void
wf__budget_give_back(const struct wf__stack *s)
{
	if (wf__unlikely(wf__budget) && s->charged)
		/* Relaxed: a count. */
		wf__add_relaxed(&wf__budget_used,
		    (wf__word)(s->low - s->high));
}

#endif
