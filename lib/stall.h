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

/* The monitor's, at each look. */
void wf__stall_look(int64_t now);

#endif
