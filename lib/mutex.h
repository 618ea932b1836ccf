/* SPDX-License-Identifier: MIT */
/*
 * mutex.h - a mutex from inside, for conditions.
 * Layer 3.  Uses: nothing.
 */
#ifndef WF__MUTEX_H
#define WF__MUTEX_H

#include <weft/mutex.h>

/* Without giving way before it.  call is who unlocks, for the misuse line. */
void wf__mutex_unlock(wf_mutex *m, const char *call);
void wf__mutex_lock(wf_mutex *m);
bool wf__mutex_is_locked(const wf_mutex *m);
/* For a simulation: it is going to be used. */
void wf__mutex_touch(wf_mutex *m);

#endif
