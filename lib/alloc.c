/* SPDX-License-Identifier: MIT */
/*
 * alloc.c - the allocator hook.
 * Layer 1.  Uses: alloc, os, seam.
 *
 * The hook promises 16 bytes of alignment; cache lines want 64.  The block
 * is asked for with room to align, and keeps its own start just below.
 */
#include "alloc.h"

#include <errno.h>
#include <stdlib.h>

#include <weft/runtime.h>
#include "atomic.h"
#include "os.h"
#include "seam.h"

static void *
libc_alloc(void *arg, size_t size)
{
	(void)arg;
	return malloc(size);
}

static void
libc_free(void *arg, void *p, size_t size)
{
	(void)arg;
	(void)size;
	free(p);
}

static struct wf_allocator allocator = { libc_alloc, libc_free, NULL };
static wf__word used;		/* set once, by the first allocation */

static size_t
padded(size_t size)
{
	return size + sizeof(void *) + WF__LINE - 1;
}

void *
wf__alloc(size_t size)
{
	uintptr_t at;
	void *block;

	/* Relaxed: setting the hook beside a first use is a misuse. */
	if (!wf__load_relaxed(&used))
		wf__store_relaxed(&used, 1);
	if (size > SIZE_MAX / 2 || wf__os_fault() ||
	    !(block = allocator.alloc(allocator.arg, padded(size))))
		return NULL;
	at = ((uintptr_t)block + sizeof(void *) + WF__LINE - 1) &
	    ~(uintptr_t)(WF__LINE - 1);
	((void **)at)[-1] = block;
	return memset((void *)at, 0, size);
}

void *
wf__alloc_object(size_t size)
{
	void *p = wf__alloc(size);

	if (wf__unlikely(wf__seam && wf__seam->made) && p &&
	    !wf__seam->made(p, size)) {
		wf__free(p, size);
		p = NULL;
	}
	return p;
}

void
wf__free(void *p, size_t size)
{
	if (wf__unlikely(wf__seam && wf__seam->gone))
		wf__seam->gone(p);
	if (p)
		allocator.free(allocator.arg, ((void **)p)[-1], padded(size));
}

WF_API int
wf_set_allocator(const struct wf_allocator *a)
{
	if (!a || !a->alloc || !a->free)
		return -EINVAL;
	if (wf__load_relaxed(&used))
		return -EBUSY;
	allocator = *a;
	return 0;
}
