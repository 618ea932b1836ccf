/* SPDX-License-Identifier: MIT */
/*
 * turn.h - in a simulation: who can go on, and who does.
 * Layer 7.  Uses: sched.
 */
#ifndef WF__TURN_H
#define WF__TURN_H

#include "sched.h"

struct wf__ready {
	struct wf__task *task;
	uint32_t id;
};

/* Find those who were made ready since the last call. */
void wf__turn_gather(void);
/* One more: behind all others. */
void wf__turn_add(struct wf__task *t);
bool wf__turn_is_ready(uint32_t id);
/* It goes on: no longer ready. */
struct wf__task *wf__turn_take(uint32_t id);

/* Whose turn is it?  One of those who are ready; or with, if not 0, which is
 * not.  0: the clock's, or nobody's.  yields: the one that ran lets others go
 * first. */
uint32_t wf__turn_choose(uint32_t with, bool yields);

#endif
