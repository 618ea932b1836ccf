/* SPDX-License-Identifier: MIT */
/*
 * alloc.h - memory from the one allocator hook.
 * Layer 1.  Uses: os.
 *
 * Never called with one of weft's locks held, but for the runtime's start.
 */
#ifndef WF__ALLOC_H
#define WF__ALLOC_H

#include "base.h"

/* Zeroed memory aligned to 64 bytes, or NULL. */
void *wf__alloc(size_t size);
/* The same for what belongs to the program's objects: it ends with them, not
 * with the runtime. */
void *wf__alloc_object(size_t size);
/* size as it was asked for; p may be NULL. */
void wf__free(void *p, size_t size);

#endif
