/* SPDX-License-Identifier: MIT */
/*
 * weft/pool.h - things that are dear to make, kept for the next one.
 *
 *	static wf_pool buffers = { .make = buffer_new, .destroy = free };
 *
 *	struct buffer *b = wf_pool_get(&buffers);
 *	...
 *	wf_pool_put(&buffers, b);
 *
 * Each worker keeps a few items, so that those who get and put on different
 * cores do not meet.  What is in the pool is nobody's: items are alike, and
 * come back in no order.  Any thread may call everything here; nothing here
 * blocks, but for what make and destroy do.
 *
 * Set the first four fields as needed, all others to zero, before use; do not
 * copy one in use.
 */
#ifndef WEFT_POOL_H
#define WEFT_POOL_H

#include <weft/base.h>

WF__BEGIN

typedef struct wf_pool {
	void *(*make)(void *arg);	/* a new item, or NULL: there is none;
					 * NULL: new ones are never made */
	void (*destroy)(void *item);	/* what the pool has no room for; NULL:
					 * nothing is to be done */
	void *arg;			/* of make */
	size_t limit;			/* items that a worker keeps at most;
					 * 0: 64 */
	uintptr_t wf__private[2];
} wf_pool;

/* An item that was put, on this worker or another one, or a new one: NULL only
 * if make says so.  A put happens before the get that returns the item. */
WF_API void *wf_pool_get(wf_pool *p);

/* Give an item to the pool, which may destroy it at once.  NULL is ignored. */
WF_API void wf_pool_put(wf_pool *p, void *item);

/* Destroy all items, and give the pool's own memory back: it is as before its
 * first use.  Nobody else uses it meanwhile. */
WF_API void wf_pool_clear(wf_pool *p);

WF__END

#endif
