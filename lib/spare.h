/* SPDX-License-Identifier: MIT */
/*
 * spare.h - blocks of memory that a worker keeps for the next who wants one.
 * Layer 2.  Uses: base.
 *
 * For objects that come and go by the thousand, such as contexts: taking one
 * and giving it back are a few instructions then, and the allocator, whose
 * threads may be others', is out of it.
 */
#ifndef WF__SPARE_H
#define WF__SPARE_H

#include "base.h"

struct wf__worker;

/* Zeroed memory aligned to 64 bytes, or NULL. */
void *wf__spare_get(size_t size);
/* size as it was asked for. */
void wf__spare_put(void *p, size_t size);

/* The worker ends: give back what it keeps. */
void wf__spare_drop(struct wf__worker *w);

#endif
