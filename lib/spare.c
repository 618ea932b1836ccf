/* SPDX-License-Identifier: MIT */
/*
 * spare.c - blocks of memory that a worker keeps.
 * Layer 2.  Uses: sched, alloc, sanitize.
 *
 * All blocks have one size; what is larger, and what other threads ask for, is
 * the allocator's.  A list per worker, touched by that worker only.
 */
#include "spare.h"

#include "alloc.h"
#include "sanitize.h"
#include "sched.h"
#include "seam.h"

enum {
	BLOCK = 384,
#if defined WF__ASAN || defined WF__TSAN || defined WEFT_CHAOS
	KEPT = 0		/* so that a use after free is seen */
#else
	KEPT = 1024		/* blocks */
#endif
};

static size_t
full_size(size_t size)
{
	return size <= BLOCK ? BLOCK : size;
}

void *
wf__spare_get(size_t size)
{
	struct wf__worker *w = wf__self();
	void **p;

	if (size > BLOCK || !w || !w->spares)
		return wf__alloc_object(full_size(size));
	p = w->spares;
	w->spares = *p;
	w->n_spares--;
	return memset(p, 0, size);
}

void
wf__spare_put(void *p, size_t size)
{
	struct wf__worker *w = wf__self();

	/* A simulation keeps account of what the program has. */
	if (size > BLOCK || !w || w->n_spares >= KEPT || wf__seam_alone()) {
		wf__free(p, full_size(size));
		return;
	}
	*(void **)p = w->spares;
	w->spares = p;
	w->n_spares++;
}

void
wf__spare_drop(struct wf__worker *w)
{
	void **p;

	while ((p = w->spares)) {
		w->spares = *p;
		wf__free(p, BLOCK);
	}
	w->n_spares = 0;
}
