/* SPDX-License-Identifier: MIT */
/*
 * blocking.c - a worker says that its thread is about to sleep.
 * Layer 2.  Uses: blocking, workers, share, idle.
 *
 * While a worker is in a region
 *   I1  it counts in wf__sched.blocked, and one more worker than the target
 *       may run for each that counts, up to WF__MAX_EXTRA;
 *   I2  its run queue is empty: what was there has gone to the shared queue,
 *       and nobody but its own coroutine, which is inside, pushes to it;
 *   I3  its timers are run by the others: who looks around when idle, who
 *       keeps house when busy; and where one sleeps, one does not sleep beyond
 *       the first of them (idle.c).  Who sleeps already when the region begins
 *       does not know of them; to wake one at each entry is dear.  So that is
 *       done at once only if a timer is due soon.  For later ones the monitor
 *       does it: it is awake, since a worker is, and sees the timer, at one of
 *       its looks, before it is due.
 *
 * The limit is not lowered at the end of a region, for the next one comes
 * soon, as a rule; the monitor lowers it when it has been too high for a look.
 */
#include "blocking.h"

#include <weft/time.h>
#include "idle.h"
#include "report.h"
#include "share.h"
#include "workers.h"

static void
hand_over(struct wf__worker *w)
{
	struct wf__tasks all = { 0 };
	int64_t first;

	/* In order with what follows: who sleeps too long for our timers is on
	 * the idle list by now, or sees us; who grows sees us, too [grow]. */
	wf__add_acq_rel(&wf__sched.blocked, 1);
	wf__workers_stand_in();
	wf__runq_drain(&w->queue, &all);
	wf__share_push(&all);
	first = wf__timerq_first(&w->timers);
	if (first != WF_FOREVER && first < wf__seam_now() + WF__BLOCKING_SOON)
		wf__idle_wake();
}

WF_API void
wf_blocking_enter(void)
{
	struct wf__worker *w = wf__self();
	wf__word depth;

	if (!w || !w->running)
		return;
	/* Relaxed: only the worker itself writes it, others take a hint. */
	depth = wf__load_relaxed(&w->blocking);
	wf__store_relaxed(&w->blocking, depth + 1);
	if (!depth)
		hand_over(w);
}

WF_API void
wf_blocking_leave(void)
{
	struct wf__worker *w = wf__self();
	wf__word depth;

	if (!w || !w->running)
		return;
	/* Relaxed: likewise. */
	depth = wf__load_relaxed(&w->blocking);
	if (wf__unlikely(!depth))
		wf__misuse("wf_blocking", "the region ends on another thread "
		    "than it began: something in it has waited");
	wf__store_relaxed(&w->blocking, depth - 1);
	if (depth == 1)
		wf__add_relaxed(&wf__sched.blocked, (wf__word)-1);
}

void
wf__blocking_leave_all(struct wf__worker *w)
{
	while (wf__load_relaxed(&w->blocking))
		wf_blocking_leave();
}
