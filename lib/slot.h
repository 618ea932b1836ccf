/* SPDX-License-Identifier: MIT */
/*
 * slot.h - the end of a coroutine's slots.
 * Layer 2.  Uses: coro.
 */
#ifndef WF__SLOT_H
#define WF__SLOT_H

#include <weft/slot.h>
#include "coro.h"

/* Destroy what is in c's slots; c is the running coroutine. */
void wf__slot_end(struct wf__coro *c);

#endif
