/* SPDX-License-Identifier: MIT */
/*
 * pump.h - the runtime without workers, which its host pumps.
 * Layer 2.  Uses: sched, os.
 */
#ifndef WF__PUMP_H
#define WF__PUMP_H

#include "sched.h"

/* The one worker is set up, and has no thread: the caller's it is from now
 * on.  And: no coroutine runs any more. */
void wf__pump_open(void);
void wf__pump_close(void);

/* Is there a pump, and is it the calling thread's? */
bool wf__pump_is_mine(void);

static inline bool
wf__pump_is_on(void)
{
	return wf__load_acquire(&wf__sched.pumped);		/* [pump] */
}

/*
 * What a thread waits with: as wf__os_futex_wait().  On the pump's own thread
 * nobody would run those who are to wake it, so there it pumps; and may return
 * early, to be called again, like the other.
 */
void wf__pump_wait(wf__word32 *word, unsigned value, int64_t deadline);

/* Around the wake of a thread, which may sleep in wf__pump_wait(). */
void wf__pump_before_wake(void);
void wf__pump_after_wake(void);

#endif
