/* SPDX-License-Identifier: MIT */
/*
 * spare.c - blocks of memory that a worker keeps.
 * Layer 2.  Uses: sched, alloc, sanitize.
 *
 * Blocks are of so many cache lines, with a list for each number of them in
 * each worker, touched by that worker only.  What is larger, and what other
 * threads ask for, is the allocator's.
 */
#include "spare.h"

#include "alloc.h"
#include "sanitize.h"
#include "sched.h"
#include "seam.h"

enum {
#if defined WF__ASAN || defined WF__TSAN || defined WEFT_CHAOS
	KEPT = 0		/* so that a use after free is seen */
#else
	KEPT = 1024		/* blocks of each size */
#endif
};

static size_t
lines_of(size_t size)
{
	return (size + WF__LINE - 1) / WF__LINE;
}

/* The list for it, or NULL: it is the allocator's. */
static inline struct wf__spares *
list_of(size_t lines)
{
	struct wf__worker *w = wf__self();

	return w && lines - 1 < WF__SPARE_LINES ? &w->spares[lines - 1] : NULL;
}

void *
wf__spare_get(size_t size)
{
	size_t lines = lines_of(size);
	struct wf__spares *l = list_of(lines);
	void **p;

	if (!l || !l->first)
		return wf__alloc_object(lines * WF__LINE);
	p = l->first;
	l->first = *p;
	l->n--;
	return memset(p, 0, size);
}

void
wf__spare_put(void *p, size_t size)
{
	size_t lines = lines_of(size);
	struct wf__spares *l = list_of(lines);

	/* A simulation keeps account of what the program has. */
	if (!l || l->n >= KEPT || wf__seam_alone()) {
		wf__free(p, lines * WF__LINE);
		return;
	}
	*(void **)p = l->first;
	l->first = p;
	l->n++;
}

void
wf__spare_drop(struct wf__worker *w)
{
	struct wf__spares *l = w->spares;
	void **p;

	for (size_t lines = 1; lines <= WF__SPARE_LINES; lines++, l++) {
		while ((p = l->first)) {
			l->first = *p;
			wf__free(p, lines * WF__LINE);
		}
		l->n = 0;
	}
}
