/* SPDX-License-Identifier: MIT */
/*
 * blocking.h - the end of a coroutine that is inside a region.
 * Layer 2.  Uses: sched.
 */
#ifndef WF__BLOCKING_H
#define WF__BLOCKING_H

#include <weft/blocking.h>
#include "monitor.h"
#include "sched.h"

/* A timer that is due within so long is nothing for the monitor. */
#define WF__BLOCKING_SOON (3 * WF__MONITOR_LOOK)

/* The running coroutine ends here, however deep inside. */
void wf__blocking_leave_all(struct wf__worker *w);

#endif
