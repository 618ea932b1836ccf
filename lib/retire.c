/* SPDX-License-Identifier: MIT */
/*
 * retire.c - workers that are one too many.
 * Layer 2.  Uses: idle, sched, share.
 *
 * Who retires sleeps apart from the idle: nobody wakes it to search.  So what
 * others could come to need of it is handed over first [idle].
 */
#include "idle.h"

#include "share.h"

/* Under the idle lock: who sleeps although nobody sleeps in the poller. */
static struct wf__worker *
out_of_bed(void)
{
	return wf__load_acquire(&wf__sched.poller) &&		/* [poller] */
	    !wf__load_relaxed(&wf__sched.in_poller) ?
	    wf__sched.idle.list : NULL;
}

/* Over the limit: hand over what can be, also the place in the poller, where
 * w may have been until now; sleep until the limit grows. */
void
wf__retire(struct wf__worker *w)
{
	struct wf__tasks all = { 0 };
	struct wf__worker *heir;

	if (w->searching) {
		w->searching = false;
		wf__store_release(&wf__sched.searching, 0);	/* [idle] */
	}
	wf__runq_drain(&w->queue, &all);
	wf__share_push(&all);
	wf__stack_give_back(&w->stacks);
	wf__lock(&wf__sched.idle.lock);
	wf__add_owned(&wf__sched.idle.retired, 1);
	w->retired = true;
	heir = out_of_bed();
	wf__unlock(&wf__sched.idle.lock);
	if (heir)
		wf__idle_wake_worker(heir);
	wf__os_fence_heavy();					/* [idle] */
	if (wf__idle_has_work())
		wf__idle_wake();
	if (wf__sched_is_surplus(w) && !wf__sched_stopping() &&
	    !wf__load_acquire(&w->inbox_length)) {		/* [runq] */
		wf__idle_if_all_quiet();
		wf__os_futex_wait(&w->wake, WF__ASLEEP,
		    wf__timerq_first(&w->timers));		/* [wake] */
	}
	wf__lock(&wf__sched.idle.lock);
	wf__idle_unretire(w);
	wf__store32_release(&w->wake, WF__ASLEEP);
	wf__unlock(&wf__sched.idle.lock);
}
