/* SPDX-License-Identifier: MIT */
/*
 * fork.h - what the child of a fork forgets.
 * Layer 1.  Uses: base.
 *
 * The child has one thread, and a copy of memory in which the others were in
 * the middle of something: their locks are held for ever, their lists half
 * done.  So nothing in it is used any more, and nothing freed: each part of
 * the runtime begins anew, as in a process that never had weft.
 */
#ifndef WF__FORK_H
#define WF__FORK_H

#include "base.h"

/* All state of a file, a static variable: the child of a fork clears it. */
#define WF__FORGET(name) \
	void \
	wf__forget_##name(void) { memset(&name, 0, sizeof name); }

void wf__forget_pool(void);		/* coro.c */
void wf__forget_classes(void);		/* stack.c */
void wf__forget_poller(void);
void wf__forget_shop(void);		/* offload.c */
void wf__forget_slots(void);		/* only their lock */
void wf__forget_signals(void);
void wf__forget_pump(void);
void wf__forget_monitor(void);
void wf__forget_run(void);
void wf__forget_runtime(void);

/* The child of each fork is to forget.  Under the lock of start and stop. */
void wf__fork_prepare(void);

#endif
