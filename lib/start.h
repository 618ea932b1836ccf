/* SPDX-License-Identifier: MIT */
/*
 * start.h - where the records of spawns that have not begun come from.
 * Layer 2.  Uses: coro.
 */
#ifndef WF__START_H
#define WF__START_H

#include "coro.h"

/* A record, or NULL without memory; w is the calling worker, or NULL. */
struct wf__start *wf__start_get(struct wf__worker *w);
void wf__start_put(struct wf__worker *w, struct wf__start *s);

/* Call fn for every start that waits, and may be put back by it; stops when it
 * returns false.  Others may come and go meanwhile. */
void wf__start_each(bool (*fn)(struct wf__start *s, void *arg), void *arg);
/* Free all, with all workers gone. */
void wf__start_free_all(void);

#endif
