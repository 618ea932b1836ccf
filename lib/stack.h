/* SPDX-License-Identifier: MIT */
/*
 * stack.h - stacks: memory that is reserved in plenty and touched as used.
 * Layer 1.  Uses: alloc, lock, os, report.
 *
 *	low                                                        high
 *	[ guard | ................. <- grows down ..... | record | colour ]
 *
 * The coroutine's record lies at the top of its stack, so that both share the
 * first page touched: a parked coroutine costs one page.  The colour, 0 to
 * 960 bytes by the stack's number, keeps the records of many coroutines from
 * falling into the same few sets of the first-level cache.
 *
 * Sizes are powers of two from 16 KiB to 1 GiB, each a class with slabs of
 * its own.  The guard is a quarter of the stack, at most 16 pages: one page
 * would be jumped over by a function with a large frame.
 *
 * A free stack is hot (its pages are there; linked through its record) or
 * cold (its pages are given back; known by number to its slab).  Hot ones are
 * first in a worker's cache, then in the class.
 */
#ifndef WF__STACK_H
#define WF__STACK_H

#include "lock.h"

enum {
	WF__STACK_CLASSES = 17,
	WF__STACK_MIN_SHIFT = 14,
	WF__STACK_RECORD = 512,		/* room for a coroutine's record */
	WF__STACK_CACHE = 64		/* hot stacks a worker keeps */
};

struct wf__slab;

/* The head of every record. */
struct wf__stack {
	struct wf__stack *next;		/* in a list of free ones */
	struct wf__slab *slab;
	char *low, *high;		/* guard included */
	uint32_t number;		/* in its slab */
	uint32_t guard;			/* bytes */
	uint64_t *canary;		/* where there is no guard page */
	bool charged;			/* it counts in the budget (budget.h) */
};

#define WF__CANARY UINT64_C(0x77656674636e7279)

struct wf__stack_cache {
	struct {
		struct wf__stack *free;
		unsigned n;
	} of[WF__STACK_CLASSES];
};

/* The class for a size in bytes; 0 asks for the default; -EINVAL if it is too
 * large. */
int wf__stack_class(size_t size);
/* What the default is: a size that has a class; 0 for 256 KiB. */
void wf__stack_default(size_t size);

/* A stack, or NULL without memory.  Only by the cache's owner. */
struct wf__stack *wf__stack_get(struct wf__stack_cache *cache, int class);
/* Would that be a matter of a few instructions? */
static inline bool
wf__stack_at_hand(const struct wf__stack_cache *cache, int class)
{
	return cache->of[class].free;
}
void wf__stack_put(struct wf__stack_cache *cache, struct wf__stack *s);
/* Give n of the cache's free stacks, which are there, to the class. */
void wf__stack_spill(struct wf__stack_cache *cache, int class, unsigned n);
/* Give back all of them. */
static inline void
wf__stack_give_back(struct wf__stack_cache *cache)
{
	for (int class = 0; class < WF__STACK_CLASSES; class++)
		if (cache->of[class].n)
			wf__stack_spill(cache, class, cache->of[class].n);
}
/* Are there any? */
static inline bool
wf__stack_keeps(const struct wf__stack_cache *cache)
{
	for (int class = 0; class < WF__STACK_CLASSES; class++)
		if (cache->of[class].n)
			return true;
	return false;
}
int wf__stack_class_of(const struct wf__stack *s);

/* Call fn for every stack ever used, free ones too; others may come and go
 * meanwhile.  Stops when fn returns false. */
void wf__stack_each(bool (*fn)(struct wf__stack *s, void *arg), void *arg);

/* Is address in the guard of s, or within reach below its frames? */
bool wf__stack_guards(const struct wf__stack *s, const void *address);
/* Touched bytes of s, guard and record aside. */
static inline size_t
wf__stack_touched(const struct wf__stack *s)
{
	size_t room = (size_t)(s->high - s->low) - s->guard;

	return room - wf__os_untouched(s->low + s->guard, room) *
	    wf__os_page_size();
}

/* Are more free stacks hot than anybody minds?  Give the pages of those back
 * that nobody used since the call before. */
bool wf__stack_surplus(void);
void wf__stack_trim(void);

/* Stacks carved so far. */
uint64_t wf__stack_count(void);

/* Unmap everything.  No stack may be in use, all caches are forgotten. */
void wf__stack_free_all(void);

#endif
