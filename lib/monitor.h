/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - the watcher of stuck workers.
 * Layer 2.  Uses: sched.
 *
 * A thread that looks every 10 ms while a worker runs, and sleeps while none
 * does.  It keeps the coarse clock, finds workers that have not switched for
 * a whole look although work waits (a system call, a long computation), lets
 * stand-ins run what waits, and gives idle stacks' memory back.
 */
#ifndef WF__MONITOR_H
#define WF__MONITOR_H

#include <weft/time.h>
#include "sched.h"

#define WF__MONITOR_LOOK (10 * WF_MS)

int wf__monitor_start(void);
void wf__monitor_stop(void);

extern wf__word32 wf__monitor_asleep;
void wf__monitor_wake(void);

/* A worker starts to run something. */
static inline void
wf__monitor_notice(void)
{
	wf__fence();						/* [monitor] */
	if (wf__load32_acquire(&wf__monitor_asleep))
		wf__monitor_wake();
}

/* The coarse clock, for reports: as good as 10 ms. */
static inline void
wf__monitor_clock(int64_t now)
{
	/* Relaxed: a time, nothing hangs on it. */
	if (now - (int64_t)wf__load_relaxed(&wf__sched.clock) > 1000000)
		wf__store_relaxed(&wf__sched.clock, (wf__word)now);
}

#endif
