/* SPDX-License-Identifier: MIT */
/*
 * workers.c - how many workers there are: started, added, stopped.
 * Layer 2.  Uses: workers, sched, idle.
 *
 *   I1  workers[0 .. n_workers) are set, and stay until all are freed.  Each
 *       has a thread, unless it has left: then it is as one that sleeps
 *       retired, but that to wake it is to start a thread.  Who leaves joins
 *       the one that left before; so at most one is left for the stop.
 *   I2  those of index < limit may run; the others retire when they come to
 *       their loop.
 *   I3  target <= limit <= target + WF__MAX_EXTRA, but for a moment while the
 *       target changes.
 *
 *   I4  present is the number of threads that may touch a worker; it reaches
 *       zero only when stopping.
 *
 * Under wf__sched.growth n_workers and limit change, and workers leave.
 *
 * While its thread is being started a worker looks as one that runs: others may
 * start a timer there, or want to wake it.  If then the thread cannot be had,
 * it has left again, and does what one that retires does (retire.c): says so,
 * and hands over its timers.  Who comes later sees that, and does the same.  So
 * its record has to stay, also when it was new: taken back, and set up anew at
 * the next try, it would lose the timer of who has looked at it before.
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
	struct wf__worker *w = wf__alloc(sizeof *w);

	if (!w)
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
start_thread(struct wf__worker *w)
{
	int err;

	wf__add32_acq_rel(&wf__sched.present, 1);		/* [stop] */
	err = wf__os_thread_start(&w->thread, wf__sched_worker_main, w,
	    "weft-worker");
	if (err)
		wf__add32_acq_rel(&wf__sched.present, (unsigned)-1);
	return err;						/* [stop] */
}

static void
set_left(struct wf__worker *w, bool left)
{
	wf__lock(&wf__sched.idle.lock);
	w->left = left;
	if (left)
		wf__idle_retire(w);
	else
		wf__idle_unretire(w);
	wf__unlock(&wf__sched.idle.lock);
}

/* No thread for w, which looked as if it ran.  The first worker is woken also
 * if there is no timer: all others may have gone to sleep meanwhile, and the
 * last of them not have known it. */
static void
leave_again(struct wf__worker *w)
{
	set_left(w, true);
	if (w->index == 0)
		return;		/* the runtime cannot start */
	wf__sched_bequeath_timers(w);
	wf__idle_wake_worker(wf__sched_worker(0));
}

/* For one that looks as if it ran already. */
static int
give_thread(struct wf__worker *w)
{
	int err = start_thread(w);

	if (err)
		leave_again(w);
	return err;
}

static int
add_worker(void)
{
	size_t n = wf__load_relaxed(&wf__sched.n_workers);
	struct wf__worker *w;

	if (n == WF__SLOTS || wf__seam_alone())
		return -EAGAIN;
	if (!(w = new_worker(n)))
		return -ENOMEM;
	return give_thread(w);
}

/* Under the lock: one that sleeps, or has left, or was never there. */
static int
get_running(unsigned i)
{
	struct wf__worker *w;

	if (i >= wf__load_relaxed(&wf__sched.n_workers))
		return add_worker();
	w = wf__sched_worker(i);
	if (!w->left) {
		wf__idle_wake_worker(w);
		return 0;
	}
	set_left(w, false);
	return give_thread(w);
}

/* Under the lock.  Wakes whom it concerns; for others sleep goes on.  Who is
 * within the limit and has no thread, since none could be started for it, is
 * tried again; and none is added when that failed. */
static void
set_limit(unsigned n)
{
	unsigned before = (unsigned)wf__load_relaxed(&wf__sched.limit);
	unsigned have = (unsigned)wf__load_relaxed(&wf__sched.n_workers);
	bool failed = false;

	wf__store_relaxed(&wf__sched.limit, n);
	for (unsigned i = 0; i < n && !(failed && i >= have); i++) {
		if (i < before && i < have && !wf__sched_worker(i)->left)
			continue;
		failed |= get_running(i) < 0;
	}
	for (unsigned i = n; i < before && i < have; i++)
		wf__idle_wake_worker(wf__sched_worker(i));
}

void
wf__workers_limit(int n)
{
	wf__lock(&wf__sched.growth);
	set_limit((unsigned)n);
	wf__unlock(&wf__sched.growth);
}

/* Stand-ins are counted again at the monitor's next look. */
static void
set_target(int n)
{
	wf__store_relaxed(&wf__sched.target, (wf__word)n);
	set_limit((unsigned)n);
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
	if (get_running((unsigned)limit) == 0)
		return true;
	wf__store_relaxed(&wf__sched.limit, limit);
	return false;
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

/* Under the lock. */
static bool
may_leave(struct wf__worker *w)
{
	bool may;

	wf__lock(&wf__sched.idle.lock);
	may = wf__load32_acquire(&w->wake) == WF__ASLEEP &&	/* [wake] */
	    wf__sched_is_surplus(w) && !wf__sched_stopping();
	w->left = may;
	wf__unlock(&wf__sched.idle.lock);
	return may;
}

bool
wf__workers_leave(struct wf__worker *w)
{
	struct wf__os_thread before;
	bool leaves, joins;

	wf__lock(&wf__sched.growth);
	leaves = may_leave(w);
	joins = leaves && wf__sched.any_left;
	before = wf__sched.last_left;
	if (leaves) {
		wf__sched.last_left = w->thread;
		wf__sched.any_left = true;
	}
	wf__unlock(&wf__sched.growth);
	if (joins)
		wf__os_thread_join(&before);
	return leaves;
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
	return wf__load32_acquire(&wf__sched.present) ? 0 : err; /* [stop] */
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
is_any_busy(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */

	for (unsigned i = 0; i < n; i++)
		if (wf__load_relaxed(&wf__sched_worker(i)->busy))
			return true;
	return false;
}

/* Of those that have left the last one; the others are joined already. */
static void
join_all(void)
{
	size_t n = wf__load_relaxed(&wf__sched.n_workers);

	for (unsigned i = 0; i < n; i++)
		if (!wf__sched_worker(i)->left)
			wf__os_thread_join(&wf__sched_worker(i)->thread);
	if (wf__sched.any_left)
		wf__os_thread_join(&wf__sched.last_left);
	wf__sched.any_left = false;
}

bool
wf__workers_stop(int64_t deadline)
{
	unsigned present;
	int64_t until;

	wf__store_release(&wf__sched.stopping, 1);		/* [stop] */
	for (unsigned i = 0; i < wf__load_acquire(&wf__sched.n_workers); i++)
		wf__idle_wake_worker(wf__sched_worker(i));	/* [worker] */
	while ((present =
	    wf__load32_acquire(&wf__sched.present))) {		/* [stop] */
		if (wf__os_now() < deadline)
			until = deadline;
		else if (is_any_busy())
			return false;
		else
			until = wf__os_now() + WF_MS;
		wf__os_futex_wait(&wf__sched.present, present, until);
	}
	join_all();
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
