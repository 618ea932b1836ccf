/* SPDX-License-Identifier: MIT */
/*
 * workers.h - how many workers there are.
 * Layer 2.  Uses: sched.
 */
#ifndef WF__WORKERS_H
#define WF__WORKERS_H

#include <weft/time.h>
#include "sched.h"

/* How long one sleeps that is too many before its thread ends. */
#ifdef WEFT_CHAOS
#define WF__WORKERS_STAY (5 * WF_MS)
#else
#define WF__WORKERS_STAY (2 * WF_SEC)
#endif

/* Set up and start n workers; 0, -ENOMEM, -EAGAIN.  Fewer than n may start. */
int wf__workers_start(int n);
/* One without a thread, whose loop the caller is; NULL without memory. */
struct wf__worker *wf__workers_start_alone(void);
/* Ask all workers to leave at their next switch, and join them; false if after
 * the deadline a coroutine still keeps one of them.  Then: */
bool wf__workers_stop(int64_t deadline);
void wf__workers_free(void);
/* Change the limit; starts or wakes workers. */
void wf__workers_limit(int n);
/* Change the number of workers without stand-ins: as the program says; or as
 * the machine does, unless the program has said. */
void wf__workers_target(int n);
void wf__workers_follow(int n);
/* Let as many more run as are in blocking regions, up to WF__MAX_EXTRA. */
void wf__workers_stand_in(void);
/* The caller, which has retired, is to leave: true if nothing speaks against
 * it.  Then its thread does nothing more but end. */
bool wf__workers_leave(struct wf__worker *w);

#endif
