/* SPDX-License-Identifier: MIT */
/*
 * budget.c - how many bytes of stacks may be in use at a time, by option.
 * Layer 1.  Uses: budget, stack.
 *
 * Each stack counts with its whole size, from when a coroutine begins until
 * it has ended.  Free ones do not count: what they hold of memory is given
 * back by wf__stack_trim().
 */
#include "budget.h"

size_t wf__budget;
wf__word wf__budget_used;

/* Relaxed, in this file: a count. */

void
wf__budget_set(size_t bytes)
{
	wf__budget = bytes;
	wf__store_relaxed(&wf__budget_used, 0);
}

/* Of two who come at once for the last one both may be refused: they try
 * again, as all do who find none. */
static bool
charge(size_t size)
{
	size_t before = wf__add_relaxed(&wf__budget_used, size);

	if (!before || before + size <= wf__budget)
		return true;
	wf__add_relaxed(&wf__budget_used, -size);
	return false;
}

struct wf__stack *
wf__budget_get(struct wf__stack_cache *cache, int class, bool counts)
{
	size_t size = (size_t)1 << (WF__STACK_MIN_SHIFT + class);
	struct wf__stack *s;

	if (wf__likely(!wf__budget))
		return wf__stack_get(cache, class);
	if (counts && !charge(size))
		return NULL;
	if ((s = wf__stack_get(cache, class)))
		s->charged = counts;
	else if (counts)
		wf__add_relaxed(&wf__budget_used, -size);
	return s;
}
