/* SPDX-License-Identifier: MIT */
/*
 * park.h - the two doors: park and ready.
 * Layer 2.  Uses: sched, coro.
 *
 * All waiting in weft is: make yourself known to who can wake you, under his
 * lock; park; be woken by ready().  Nobody may call ready() before the
 * registers are saved, so the lock is dropped only by the commit function,
 * which runs after the switch, on whatever stack runs next [publish].
 *
 * The commit function may use what lies on the parked stack until it drops
 * the last lock, and a task that is resumed takes the first lock again before
 * it leaves the wait; so where several locks are held, the one that the
 * resumed task takes first is dropped last.
 *
 * ready() is called once for each park, by who won the claim (coro.h), with no
 * lock held.  It happens before the return of wf__park().
 */
#ifndef WF__PARK_H
#define WF__PARK_H

#include "coro.h"
#include "sched.h"

struct wf__parking {
	void (*commit)(void *arg);	/* or NULL */
	void *arg;
	int64_t deadline;		/* WF_FOREVER: none */
	wf__word claim;			/* what the deadline writes, if first */
	const char *why;		/* for reports, static */
	uint64_t object;		/* the number of what it waits on */
};

/* The task of the calling coroutine; on another thread *spare, made ready for
 * one wait.  Its claim word is open. */
struct wf__task *wf__park_self(struct wf__task *spare);

/* Wait.  task is the caller's own. */
void wf__park(struct wf__task *task, const struct wf__parking *p);

/* The same for the coroutine that w runs, the usual case in short: nothing but
 * ready() ends the wait, and commit is to drop this one lock. */
void wf__park_locked(struct wf__worker *w, struct wf__lock *lock,
    const char *why, uint64_t object);

/* False for one that an earlier run has left behind: that stays as it is, as
 * I1 of park.c has it.  By a worker, or in a visit while the runtime runs. */
static inline bool
wf__park_to_runnable(struct wf__coro *c)
{
	/* Relaxed: that mark is older than this run.  The rest is for
	 * reports. */
	if (wf__unlikely(wf__load_relaxed(&c->state) == WF__LEFT))
		return false;
	wf__store_relaxed(&c->state, WF__RUNNABLE);
	return true;
}

/* Let a parked task go on: next, or behind others that are ready. */
void wf__ready(struct wf__task *task);
void wf__ready_behind(struct wf__task *task);

/* Many at once: they are gathered, under the lock of what they waited on, as
 * they are claimed; and readied when it is dropped.  Each is touched one time
 * less than if they were gathered first, which is what it costs when they are
 * many.  Begins zeroed. */
struct wf__woken {
	struct wf__crowd crowd;
	struct wf__tasks others;	/* threads, and pinned ones; all, if
					 * the caller is no worker */
};

static inline void
wf__woken_add(struct wf__woken *all, struct wf__task *t)
{
	if (wf__unlikely(t->kind == WF__THREAD || !wf__self() ||
	    wf__coro_pinned(wf__coro_of(t))))
		wf__tasks_add(&all->others, t);
	else if (wf__park_to_runnable(wf__coro_of(t)))
		wf__crowd_add(&all->crowd, t);
}

void wf__ready_woken(struct wf__woken *all);

/* Give way: requeue runs after the switch, with the coroutine as argument. */
void wf__park_aside(struct wf__worker *w, void (*requeue)(void *coro));

/* Let others run first; false if there is nobody. */
bool wf__park_yield(struct wf__worker *w);

/* The scheduler's side: run a task on w until a coroutine switches back. */
void wf__park_run(struct wf__worker *w, struct wf__task *t);

/* End the running coroutine for good and run next; NULL: the scheduler. */
WF__NORETURN void wf__park_end(struct wf__worker *w, struct wf__task *next);

/* First words on a new stack. */
void wf__park_arrive(struct wf__coro *c);

#endif
