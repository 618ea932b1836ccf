/* SPDX-License-Identifier: MIT */
/*
 * idle.h - sleeping workers, and waking them.
 * Layer 2.  Uses: sched.
 */
#ifndef WF__IDLE_H
#define WF__IDLE_H

#include "sched.h"

/* Work was made visible: in w's queue, or with w NULL in the shared queue.
 * Wakes a sleeper if that is wise. */
void wf__idle_notify_slow(struct wf__worker *w);
static inline void
wf__idle_notify(struct wf__worker *w)
{
	wf__os_fence_light();					/* [idle] */
	/* Relaxed: behind the fence. */
	if (wf__unlikely(wf__load_relaxed(&wf__sched.n_idle)))
		wf__idle_notify_slow(w);
}

/* w has done what it took from another worker: was it worth the way? */
void wf__idle_judge_loot(struct wf__worker *w);

/* Wake a worker to search, if one sleeps and none searches. */
void wf__idle_wake(void);
/* Wake this worker if it sleeps: something of its own changed.  One that has
 * left has nothing of its own. */
void wf__idle_wake_worker(struct wf__worker *w);

/* The searcher's token for w, if it has it not; false: another one has it. */
bool wf__idle_take_token(struct wf__worker *w);

/* Sleep until there is reason not to.  The searcher's token goes back. */
void wf__idle_sleep(struct wf__worker *w);
/* The first half of it, for a worker whose thread does something else while it
 * sleeps in the poller: false, and w has got up again, if it is to go on at
 * once; else when it is to rise, at the latest. */
bool wf__idle_lie_down(struct wf__worker *w, int64_t *until);
/* A sleep in the poller is over, and w about to make tasks ready. */
void wf__idle_rise(struct wf__worker *w);

/* One too many: hand over what can be, sleep until the limit grows.  True: that
 * took long, and the thread is to end. */
bool wf__retire(struct wf__worker *w);
/* Under the idle lock: w is one of those from now on; it is none any more, if
 * it was one. */
void wf__idle_retire(struct wf__worker *w);
void wf__idle_unretire(struct wf__worker *w);

/* Work waits that any worker could do. */
bool wf__idle_has_work(void);
/* Of the timers of all workers. */
int64_t wf__idle_first_timer(void);
/* All workers sleep; and no timer, no work is left either. */
bool wf__idle_all_asleep(void);
bool wf__idle_all_quiet(void);
/* In the latter case call the quiet hook. */
void wf__idle_if_all_quiet(void);
/* Nobody will give a stack back, so only memory from outside can help: said
 * once, if that is so. */
void wf__idle_report_starved(void);

#endif
