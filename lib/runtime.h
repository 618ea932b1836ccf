/* SPDX-License-Identifier: MIT */
/*
 * runtime.h - the runtime's start and end, for wf_run() and wf_sim().
 * Layer 8.  Uses: nothing.
 */
#ifndef WF__RUNTIME_H
#define WF__RUNTIME_H

/* Start it, if it does not run, and catch stack overflows: 0 or -errno. */
int wf__runtime_start_run(void);
/* Report what is left, by option, and stop. */
void wf__runtime_end_run(void);

/* For wf_sim(): the runtime with one worker, whose thread is the caller's.
 * 0, -EBUSY if it runs, -ENOMEM. */
int wf__runtime_start_alone(void);
void wf__runtime_end_alone(void);

#endif
