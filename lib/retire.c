/* SPDX-License-Identifier: MIT */
/*
 * retire.c - workers that are one too many.
 * Layer 2.  Uses: idle, sched, share, workers.
 *
 * Who retires sleeps apart from the idle: nobody wakes it to search.  So what
 * others could come to need of it is handed over first: tasks, stacks, its
 * place in the poller, timers.  Another thread may be just starting a timer
 * there.  It looks afterwards if the worker has retired; and who retires says
 * so before he hands over the timers.  Both hold the queue's lock meanwhile, so
 * whoever comes second hands it over.
 *
 * Who has slept so for long, and to whom no coroutine is pinned, leaves: its
 * thread ends; the record stays, counts as retired, and gets a new thread when
 * the limit grows (workers.c).  From the moment that it has left, what is in
 * the record is no more the old thread's.  test/models/retire.pml has all of
 * this step by step.
 */
#include "idle.h"

#include <weft/time.h>
#include "share.h"
#include "workers.h"

/* Under the idle lock: who sleeps although nobody sleeps in the poller. */
static struct wf__worker *
out_of_bed(void)
{
	return wf__load_acquire(&wf__sched.poller) &&		/* [poller] */
	    !wf__load_relaxed(&wf__sched.in_poller) ?
	    wf__sched.idle.list : NULL;
}

/* All but the timers; also the place in the poller, where w may have been
 * until now. */
static void
hand_over_work(struct wf__worker *w)
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
	wf__idle_retire(w);
	heir = out_of_bed();
	wf__unlock(&wf__sched.idle.lock);
	if (heir)
		wf__idle_wake_worker(heir);
}

static bool
is_unwanted(const struct wf__worker *w)
{
	return wf__load32_acquire(&w->wake) == WF__ASLEEP &&	/* [wake] */
	    wf__sched_is_surplus(w) && !wf__sched_stopping() &&
	    !wf__load_acquire(&w->inbox_length);		/* [runq] */
}

/* True: nobody has wanted it for long. */
static bool
sleep_on(struct wf__worker *w)
{
	int64_t until = w->pins ? WF_FOREVER :
	    wf__os_now() + WF__WORKERS_STAY;

	if (is_unwanted(w))
		wf__idle_if_all_quiet();
	while (is_unwanted(w)) {
		if (wf__os_now() >= until)
			return true;
		wf__os_futex_wait(&w->wake, WF__ASLEEP, until);	/* [wake] */
	}
	return false;
}

bool
wf__retire(struct wf__worker *w)
{
	struct wf__worker *heir;

	hand_over_work(w);
	wf__os_fence_heavy();					/* [idle] */
	if ((heir = wf__sched_bequeath_timers(w)))
		wf__idle_wake_worker(heir);
	if (wf__idle_has_work())
		wf__idle_wake();
	if (sleep_on(w) && wf__workers_leave(w))
		return true;
	wf__lock(&wf__sched.idle.lock);
	wf__idle_unretire(w);
	wf__store32_release(&w->wake, WF__ASLEEP);		/* [wake] */
	wf__unlock(&wf__sched.idle.lock);
	return false;
}
