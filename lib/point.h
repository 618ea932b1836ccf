/* SPDX-License-Identifier: MIT */
/*
 * point.h - what a simulated program meets.
 * Layer 7.  Uses: seam, coro.
 */
#ifndef WF__POINT_H
#define WF__POINT_H

#include "coro.h"
#include "seam.h"

extern const struct wf__seam wf__point_seam;

/* For the scheduler: a coroutine has ended. */
void wf__point_ended(struct wf__coro *c, int result);
/* For the report hook: the schedule ends here, if this is a coroutine's. */
void wf__point_misuse(const char *text);

#endif
