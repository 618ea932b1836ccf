/* SPDX-License-Identifier: MIT */
/*
 * dump.h - coroutines in words.
 * Layer 7.  Uses: coro, sched, report.
 */
#ifndef WF__DUMP_H
#define WF__DUMP_H

#include "coro.h"

/* Every coroutine, at most limit of them, to fd; with the callers of parked
 * ones if nothing else runs.  0 or -errno. */
int wf__dump_all(int fd, size_t limit, bool callers);

/* What a parked one waits for: "to receive on channel 7". */
int wf__dump_wait(char *text, size_t size, const struct wf__coro *c);

/* The calling coroutine in words. */
void wf__dump_who(char *text, size_t size);
/* Report that it has run over its stack, if the fault at address says so. */
bool wf__dump_overflow(void *address);

/* Mark all coroutines as left behind by a run that is over. */
void wf__dump_leave_behind(void);
extern size_t wf__dump_left;	/* how many, ever */

#endif
