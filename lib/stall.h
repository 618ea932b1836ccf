/* SPDX-License-Identifier: MIT */
/*
 * stall.h - coroutines that keep their worker for too long, named by option.
 * Layer 2.  Uses: sched.
 */
#ifndef WF__STALL_H
#define WF__STALL_H

#include "sched.h"

/* From now on name those that have not given way for so many nanoseconds; 0:
 * none.  Before the workers start, and after they have ended. */
void wf__stall_open(int64_t limit);
void wf__stall_close(void);

/* A pump, which nobody watches, times each turn itself: is that asked for?
 * Then from here to close instead of open, and at the end of a turn. */
void wf__stall_open_turns(int64_t limit);
bool wf__stall_times_turns(void);
void wf__stall_turn(const struct wf__entry *who, int64_t took);

/* The monitor's, at each look. */
void wf__stall_look(int64_t now);

#endif
