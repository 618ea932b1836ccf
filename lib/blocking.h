/* SPDX-License-Identifier: MIT */
/*
 * blocking.h - the end of a coroutine that is inside a region.
 * Layer 2.  Uses: sched.
 */
#ifndef WF__BLOCKING_H
#define WF__BLOCKING_H

#include <weft/blocking.h>
#include "sched.h"

/* The running coroutine ends here, however deep inside. */
void wf__blocking_leave_all(struct wf__worker *w);

#endif
