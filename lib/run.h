/* SPDX-License-Identifier: MIT */
/*
 * run.h - what wf_run() wants to be told.
 * Layer 8.  Uses: nothing.
 */
#ifndef WF__RUN_H
#define WF__RUN_H

#include <stdbool.h>
#include <stdint.h>

/* The function of wf_run() has ended, by wf_exit() or with a result. */
void wf__run_main_ended(bool by_exit, int result);

/* All workers sleep, no timer runs, and live coroutines are left. */
void wf__run_quiet(uint64_t live);

#endif
