/* SPDX-License-Identifier: MIT */
/*
 * await.h - the wait in a queue of an object that stays.
 * Layer 3.  Uses: wait.
 */
#ifndef WF__AWAIT_H
#define WF__AWAIT_H

#include "wait.h"

/*
 * With the lock held, and again at the return: wait until somebody takes the
 * waiter off the queue and readies it (0); until *cancel is done (its -errno);
 * or until the deadline (-ETIMEDOUT), WF_FOREVER for none.
 */
int wf__await(const struct wf__wait *wait, int64_t deadline);

/* The same for a waiter of what comes from outside of the program. */
int wf__await_outside(const struct wf__wait *wait, int64_t deadline);

#endif
