/* SPDX-License-Identifier: MIT */
/*
 * vec.h - an array that grows.
 * Layer 1.  Uses: alloc.
 *
 * All items of one are of one size, which every call is told.  Zero is an
 * empty one.
 */
#ifndef WF__VEC_H
#define WF__VEC_H

#include "base.h"

struct wf__vec {
	void *items;
	size_t n, room;
};

/* One more item, zeroed; NULL without memory.  Pointers to others are void. */
void *wf__vec_add(struct wf__vec *v, size_t size);
/* At least n items: false without memory. */
bool wf__vec_reach(struct wf__vec *v, size_t n, size_t size);
void wf__vec_remove(struct wf__vec *v, size_t at, size_t size);
bool wf__vec_copy(struct wf__vec *to, const struct wf__vec *from, size_t size);
void wf__vec_free(struct wf__vec *v, size_t size);

#endif
