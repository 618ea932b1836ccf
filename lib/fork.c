/* SPDX-License-Identifier: MIT */
/*
 * fork.c - the child of a fork begins anew.
 * Layer 8.  Uses: fork, os, sched, seam.
 *
 * The one thread of the child may be a worker, in the middle of a coroutine:
 * it is none of weft's any more, just a thread on a stack of that size.
 */
#include "fork.h"

#include "os.h"
#include "sched.h"
#include "seam.h"

/* In the child.  No lock is taken, no memory given back. */
static void
begin_anew(void)
{
	/* A simulation has no other threads: the child goes on in its copy. */
	if (wf__seam_alone())
		return;
	wf__self_set(NULL);
	wf__forget_runtime();
	wf__forget_run();
	wf__forget_signals();
	wf__forget_shop();
	wf__forget_poller();
	wf__forget_pump();
	wf__forget_monitor();
	wf__forget_slots();
	wf__forget_pool();
	wf__forget_classes();
	memset(&wf__sched, 0, sizeof wf__sched);
	/* Relaxed: there is no other thread. */
	wf__store_relaxed(&wf__sched_visitors, 0);
}

void
wf__fork_prepare(void)
{
	static bool prepared;

	if (!prepared)
		prepared = wf__os_at_fork(begin_anew) == 0;
}
