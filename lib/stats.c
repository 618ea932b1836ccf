/* SPDX-License-Identifier: MIT */
/*
 * stats.c - counters of the running program.
 * Layer 7.  Uses: dump, sched, stack.
 */
#include <weft/look.h>

#include "dump.h"
#include "sched.h"
#include "seam.h"
#include "stack.h"

WF_API void
wf_stats(struct wf_stats *stats)
{
	struct wf__worker *w;

	wf__seam_touch(WF__ANYTHING);
	memset(stats, 0, sizeof *stats);
	stats->left = wf__dump_left;
	if (!wf__load_acquire(&wf__sched.running))		/* [running] */
		return;
	stats->live = wf__sched_live();
	stats->stacks = wf__stack_count();
	stats->spawned = wf__load_acquire(&wf__sched.spawned);
	/* Relaxed: counters of others, each true at some moment. */
	stats->idle = wf__load_relaxed(&wf__sched.n_idle);
	stats->wakes = wf__load_relaxed(&wf__sched.wakes);
	stats->workers = wf__load_acquire(&wf__sched.n_workers); /* [worker] */
	for (unsigned i = 0; i < stats->workers; i++) {
		w = wf__sched_worker(i);
		stats->spawned += wf__load_relaxed(&w->spawned);
		stats->switches += wf__load_relaxed(&w->switches);
		stats->steals += wf__load_relaxed(&w->steals);
	}
	stats->workers -= wf__load_relaxed(&wf__sched.idle.retired);
}

/* ---- the calling coroutine's stack ---- */

WF_API size_t
wf_stack_high_water(void)
{
	struct wf__worker *w = wf__self();
	struct wf__coro *me = w ? w->running : NULL;

	return me ? wf__stack_touched(&me->stack) : 0;
}

WF_API size_t
wf_stack_size(void)
{
	struct wf__worker *w = wf__self();
	struct wf__coro *me = w ? w->running : NULL;

	return me ? (size_t)(me->stack.high - me->stack.low) -
	    me->stack.guard : 0;
}
