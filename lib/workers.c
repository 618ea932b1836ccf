/* SPDX-License-Identifier: MIT */
/*
 * workers.c - how many workers there are: started, added, stopped.
 * Layer 2.  Uses: workers, sched, idle.
 *
 *   I1  workers[0 .. n_workers) are set, and stay until all are freed.
 *   I2  those of index < limit may run; the others retire when they come to
 *       their loop.
 *   I3  target <= limit <= target + WF__MAX_EXTRA, but for a moment while the
 *       target changes.
 *
 * n_workers and limit change under wf__sched.growth.
 */
#include "workers.h"

#include <errno.h>

#include <weft/time.h>
#include "alloc.h"
#include "idle.h"
#include "pump.h"
#include "spare.h"

/* Relaxed, in this file: written under the lock; who is over the limit, or no
 * longer, sees it at its next pass. */

/* Set up and counted, but with no thread; NULL without memory. */
static struct wf__worker *
new_worker(size_t n)
{
	struct wf__worker *w;

	w = (struct wf__worker *)wf__load_relaxed(&wf__sched.workers[n]);
	if (!w && !(w = wf__alloc(sizeof *w)))
		return NULL;
	memset(w, 0, sizeof *w);
	w->index = (int)n;
	w->random = wf__os_seed() + n;
	wf__store_relaxed(&w->patience_next, 1);
	w->countdown = 1;		/* the first round has no pace yet */
	wf__runq_init(&w->queue);
	wf__timerq_init(&w->timers);
	wf__store_release(&wf__sched.workers[n], (wf__word)w);	/* [worker] */
	wf__store_release(&wf__sched.n_workers, n + 1);		/* [worker] */
	return w;
}

static int
add_worker(void)
{
	size_t n = wf__load_relaxed(&wf__sched.n_workers);
	struct wf__worker *w;
	int err;

	if (n == WF__SLOTS || wf__seam_alone())
		return -EAGAIN;
	if (!(w = new_worker(n)))
		return -ENOMEM;
	err = wf__os_thread_start(&w->thread, wf__sched_worker_main, w,
	    "weft-worker");
	if (err)
		wf__store_release(&wf__sched.n_workers, n);	/* [worker] */
	return err;
}

/* Under the lock. */
static void
set_limit(int n)
{
	wf__store_relaxed(&wf__sched.limit, (wf__word)n);
	while (wf__load_relaxed(&wf__sched.n_workers) < (wf__word)n)
		if (add_worker() < 0)
			break;
	for (unsigned i = 0; i < wf__load_relaxed(&wf__sched.n_workers); i++)
		wf__idle_wake_worker(wf__sched_worker(i));
}

void
wf__workers_limit(int n)
{
	wf__lock(&wf__sched.growth);
	set_limit(n);
	wf__unlock(&wf__sched.growth);
}

/* Stand-ins are counted again at the monitor's next look. */
static void
set_target(int n)
{
	wf__store_relaxed(&wf__sched.target, (wf__word)n);
	set_limit(n);
}

void
wf__workers_target(int n)
{
	wf__lock(&wf__sched.growth);
	wf__sched.follows = false;
	set_target(n);
	wf__unlock(&wf__sched.growth);
}

void
wf__workers_follow(int n)
{
	wf__lock(&wf__sched.growth);
	if (wf__sched.follows &&
	    (wf__word)n != wf__load_relaxed(&wf__sched.target))
		set_target(n);
	wf__unlock(&wf__sched.growth);
}

/* Stand-ins for workers in blocking regions that may not run yet. */
static bool
is_short_of_stand_ins(void)
{
	size_t blocked = wf__load_acquire(&wf__sched.blocked);	/* [grow] */

	blocked = blocked < WF__MAX_EXTRA ? blocked : WF__MAX_EXTRA;
	return !wf__pump_is_on() && wf__load_relaxed(&wf__sched.limit) <
	    wf__load_relaxed(&wf__sched.target) + blocked;
}

/* Under the lock. */
static bool
let_one_more_run(void)
{
	size_t limit = wf__load_relaxed(&wf__sched.limit);

	wf__store_relaxed(&wf__sched.limit, limit + 1);
	if (limit >= wf__load_relaxed(&wf__sched.n_workers))
		return add_worker() == 0;
	wf__idle_wake_worker(wf__sched_worker((unsigned)limit));
	return true;
}

/*
 * Starting a thread takes long, and hundreds may want one at once: so nobody
 * waits for the lock.  Who finds it taken leaves it to the holder, who looks
 * again after having dropped it [grow].
 */
void
wf__workers_stand_in(void)
{
	bool more = true;

	while (more && is_short_of_stand_ins() &&
	    wf__try_lock(&wf__sched.growth)) {
		while (more && is_short_of_stand_ins())
			more = let_one_more_run();
		wf__unlock(&wf__sched.growth);
		wf__fence();					/* [grow] */
	}
}

int
wf__workers_start(int n)
{
	int err = 0;

	wf__os_fence_setup();
	/* Relaxed: the workers are started afterwards. */
	wf__store_relaxed(&wf__sched.target, (wf__word)n);
	wf__store_relaxed(&wf__sched.limit, (wf__word)n);
	wf__store_relaxed(&wf__sched.clock, (wf__word)wf__seam_now());
	for (int i = 0; i < n && !err; i++)
		err = add_worker();
	return wf__load_relaxed(&wf__sched.n_workers) ? 0 : err;
}

struct wf__worker *
wf__workers_start_alone(void)
{
	wf__os_fence_setup();
	wf__store_relaxed(&wf__sched.target, 1);
	wf__store_relaxed(&wf__sched.limit, 1);
	return new_worker(0);
}

/* Is a coroutine in the middle of something?  Otherwise workers that are still
 * there only wait for a core, to leave. */
static bool
is_any_busy(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (wf__load_relaxed(&wf__sched_worker(i)->busy))
			return true;
	return false;
}

bool
wf__workers_stop(int64_t deadline)
{
	/* Relaxed: no worker is added any more. */
	unsigned n = (unsigned)wf__load_relaxed(&wf__sched.n_workers), gone;
	int64_t until;

	wf__store_release(&wf__sched.stopping, 1);		/* [stop] */
	for (unsigned i = 0; i < n; i++)
		wf__idle_wake_worker(wf__sched_worker(i));
	while ((gone = wf__load32_acquire(&wf__sched.gone)) < n) { /* [stop] */
		if (wf__os_now() < deadline)
			until = deadline;
		else if (is_any_busy(n))
			return false;
		else
			until = wf__os_now() + WF_MS;
		wf__os_futex_wait(&wf__sched.gone, gone, until);
	}
	for (unsigned i = 0; i < n; i++)
		wf__os_thread_join(&wf__sched_worker(i)->thread);
	return true;
}

void
wf__workers_free(void)
{
	struct wf__worker *w;

	for (unsigned i = 0; i < WF__SLOTS; i++) {
		if (!(w = wf__sched_worker(i)))
			break;
		wf__timerq_drop(&w->timers);
		wf__spare_drop(w);
		wf__free(w, sizeof *w);
	}
	memset(&wf__sched, 0, sizeof wf__sched);
}
