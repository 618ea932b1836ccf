/* SPDX-License-Identifier: MIT */
/*
 * park.c - switching between coroutines, parking and waking.
 * Layer 2.  Uses: park, sched, coro, switch, pump.
 *
 * A switch goes straight from one coroutine to the next that the worker
 * picks, or to the scheduler's stack when there is none.  What is to be done
 * for the one left behind waits in the worker's post, and is done first thing
 * after the switch, by whoever is switched to: so there is never a moment at
 * which a coroutine can be resumed and its registers are not yet saved.
 *
 *   I1  A coroutine runs only in the run that it was spawned in.  One that is
 *       left behind may still wait on what outlives the run, and be woken by
 *       a later one: it is passed over.  In the later run it was never counted
 *       as spawned, so it must not end there; and the worker that it may be
 *       pinned to is gone.
 *
 * It bears a mark from when its run was cleared up, when no worker was there
 * and no visitor (sched.h), until for ever, as its stack is never used again.
 * So who finds no mark, as a worker of the present run or in a visit that has
 * found it running, has one of that run; outside of a visit a thread that is
 * not weft's writes nothing, or it could wipe out a mark.
 */
#include "park.h"

#include <errno.h>

#include <weft/time.h>
#include "budget.h"
#include "monitor.h"
#include "pump.h"
#include "report.h"
#include "share.h"
#include "switch.h"

/* Do what the coroutine left behind asked for. */
static inline void
settle(struct wf__worker *w)
{
	void (*commit)(void *) = w->post.commit;

	if (!commit)
		return;
	w->post.commit = NULL;
	commit(w->post.arg);
}

/* c goes on, on the worker that is returned. */
static inline struct wf__worker *
arrive(struct wf__coro *c)
{
	struct wf__worker *w = wf__self();

	wf__fiber_arrive(&c->fiber, &w->fiber);
	settle(w);
	return w;
}

void
wf__park_arrive(struct wf__coro *c)
{
	arrive(c);
}

static void
check_canary(struct wf__coro *c)
{
	if (*c->stack.canary != WF__CANARY)
		wf__misuse("stack overflow", "%s (number %llu) has run over "
		    "its %zu bytes", wf__entry_name(&c->entry),
		    (unsigned long long)c->entry.id,
		    (size_t)(c->stack.high - c->stack.low));
}

/* From coroutine to coroutine w stays busy.  Relaxed: for reports, and for
 * those who lose patience. */
static inline void
set_running(struct wf__worker *w, struct wf__coro *c)
{
	w->running = c;
	wf__add_owned(&w->switches, 1);
	if (c)
		wf__store_relaxed(&c->state, WF__RUNNING);
	else
		wf__store_relaxed(&w->busy, 0);
}

/* The coroutine for a task that is to run, or NULL: the loop may map memory for
 * a start, not we. */
static struct wf__coro *
begin_start(struct wf__worker *w, struct wf__task *t)
{
	if (wf__budget_at_hand(&w->stacks, t->class))
		return wf__share_embody(w, t);
	w->handed = t;
	return NULL;
}

/* Leave me for t, or for the scheduler if t is NULL.  Returns when me is
 * resumed, if ever: the worker that it is on then. */
static inline struct wf__worker *
leave(struct wf__worker *w, struct wf__coro *me, struct wf__task *t,
    bool ending)
{
	struct wf__coro *to = NULL;
	void *sp;

	if (t)
		to = wf__likely(t->kind == WF__CORO) ? wf__coro_of(t) :
		    begin_start(w, t);
	if (wf__unlikely(me->stack.canary != NULL))
		check_canary(me);
	set_running(w, to);
	sp = to ? to->sp : w->sp;
	wf__fiber_leave(&me->fiber, to ? &to->fiber : &w->fiber, ending);
	wf__switch(&me->sp, sp);
	return arrive(me);
}

void
wf__park_run(struct wf__worker *w, struct wf__task *t)
{
	struct wf__coro *c = wf__share_embody(w, t);

	if (!c)
		return;
	set_running(w, c);
	wf__store_relaxed(&w->busy, 1);		/* likewise */
	wf__fiber_leave(&w->fiber, &c->fiber, false);
	wf__switch(&w->sp, c->sp);
	wf__fiber_arrive(&w->fiber, NULL);
	settle(w);
}

struct wf__task *
wf__park_self(struct wf__task *spare)
{
	struct wf__worker *w = wf__self();
	struct wf__task *t = spare;

	if (w && w->running)
		t = &w->running->task;
	else {
		memset(t, 0, sizeof *t);
		t->kind = WF__THREAD;
	}
	/* Relaxed: nobody else knows the task yet. */
	wf__store_relaxed(&t->claim, 0);
	return t;
}

static void
park_thread(struct wf__task *t, const struct wf__parking *p)
{
	int64_t deadline = p->deadline;

	if (wf__seam_alone())
		wf__misuse("wf_sim", "a thread that is not simulated waits");
	if (p->commit)
		p->commit(p->arg);
	while (!wf__load32_acquire(&t->futex)) {		/* [thread] */
		if (deadline != WF_FOREVER && wf__os_now() >= deadline) {
			if (wf__cas_acq_rel(&t->claim, 0, p->claim))
				return;				/* [claim] */
			deadline = WF_FOREVER;	/* somebody else won */
		}
		wf__pump_wait(&t->futex, 0, deadline);
	}
}

/* Leave the running coroutine until it is readied. */
static inline void
park_coro(struct wf__worker *w, const char *why, uint64_t object,
    void (*commit)(void *), void *arg)
{
	struct wf__coro *me = w->running;
	int saved = *w->err;

	/* Relaxed: for reports only. */
	wf__store_relaxed(&me->why, (wf__word)why);
	wf__store_relaxed(&me->object, object);
	wf__store_relaxed(&me->since, wf__load_relaxed(&wf__sched.clock));
	wf__store_relaxed(&me->state, WF__PARKED);
	w->post = (struct wf__post){ commit, arg };
	w = leave(w, me, wf__sched_pick(w), false);
	*w->err = saved;
}

struct limit {
	struct wf__parking parking;
	struct wf__timer *timer;
};

/* The deadline may fire at once and resume the coroutine elsewhere, which is
 * harmless until the last lock is dropped; without one, *arg is gone then. */
static void
commit_with_deadline(void *arg)
{
	struct limit l = *(struct limit *)arg;

	wf__timer_start(&wf__self()->timers, l.timer, l.parking.deadline);
	if (l.parking.commit)
		l.parking.commit(l.parking.arg);
}

static WF__NOINLINE void
park_until(struct wf__task *t, const struct wf__parking *p)
{
	struct limit l = { *p, &wf__coro_of(t)->timer };

	l.timer->task = t;
	l.timer->claim = p->claim;
	l.timer->stands_by = false;
	park_coro(wf__self(), p->why, p->object, commit_with_deadline, &l);
}

void
wf__park(struct wf__task *t, const struct wf__parking *p)
{
	if (wf__unlikely(t->kind == WF__THREAD))
		park_thread(t, p);
	else if (p->deadline != WF_FOREVER)
		park_until(t, p);
	else
		park_coro(wf__self(), p->why, p->object, p->commit, p->arg);
}

static void
unlock_lock(void *lock)
{
	wf__unlock(lock);
}

void
wf__park_locked(struct wf__worker *w, struct wf__lock *lock, const char *why,
    uint64_t object)
{
	park_coro(w, why, object, unlock_lock, lock);
}

static void
ready_thread(struct wf__task *t)
{
	wf__word32 *futex = &t->futex;
	bool pumped = wf__pump_is_on();

	if (wf__unlikely(pumped))
		wf__pump_before_wake();
	wf__store32_release(futex, 1);				/* [thread] */
	/* t may be gone: the wake is for an address, whoever is there. */
	wf__os_futex_wake(futex, 1);
	if (wf__unlikely(pumped))
		wf__pump_after_wake();
}

static void
push_from_outside(struct wf__task *t)
{
	struct wf__worker *owner = wf__coro_pinned(wf__coro_of(t));
	struct wf__tasks one = { 0 };

	if (wf__seam_alone())
		wf__misuse("wf_sim", "a thread that is not simulated wakes a "
		    "coroutine");
	if (owner) {
		wf__share_push_pinned(owner, t);
		return;
	}
	wf__tasks_add(&one, t);
	wf__share_push(&one);
}

/* A coroutine that is pinned, or by a thread that is not weft's. */
static WF__NOINLINE void
ready_elsewhere(struct wf__task *t)
{
	struct wf__coro *c = wf__coro_of(t);

	if (wf__self()) {
		if (wf__park_to_runnable(c))			/* I1 */
			wf__share_push_pinned(wf__coro_pinned(c), t);
		return;
	}
	wf__sched_visit(1);
	if (wf__load_acquire(&wf__sched.running) &&		/* [running] */
	    wf__park_to_runnable(c))				/* I1 */
		push_from_outside(t);
	/* Otherwise its run has ended, and left this one as it was. */
	wf__sched_visit(-1);
}

/* The worker whose queue the task is to go to; NULL: it is done. */
static inline struct wf__worker *
make_ready(struct wf__task *t)
{
	struct wf__worker *w;

	if (wf__unlikely(t->kind == WF__THREAD)) {
		ready_thread(t);
		return NULL;
	}
	w = wf__self();
	if (wf__likely(w && !wf__coro_pinned(wf__coro_of(t))))
		return wf__park_to_runnable(wf__coro_of(t)) ? w : NULL;
	ready_elsewhere(t);
	return NULL;
}

void
wf__ready(struct wf__task *t)
{
	struct wf__worker *w = make_ready(t);

	if (wf__likely(w != NULL))
		wf__share_push_next(w, t);
}

void
wf__ready_behind(struct wf__task *t)
{
	struct wf__worker *w = make_ready(t);

	if (wf__likely(w != NULL))
		wf__share_push_last(w, t);
}

/* As long as they fit into a ring, one by one, as if readied in turn. */
void
wf__ready_woken(struct wf__woken *all)
{
	struct wf__task *t;

	while ((t = wf__tasks_take(&all->others)))
		wf__ready(t);
	if (wf__self() && all->crowd.tasks.n > WF__RUNQ_SIZE)
		wf__share_push_crowd(&all->crowd);
	while ((t = wf__crowd_take(&all->crowd)))
		wf__ready(t);
}

/* Behind all others: on the ring's end, or to its own worker. */
static void
requeue(void *arg)
{
	struct wf__coro *c = arg;

	if (wf__coro_pinned(c))
		wf__share_push_pinned(wf__coro_pinned(c), &c->task);
	else
		wf__share_push_last(wf__self(), &c->task);
}

static inline void
go_aside(struct wf__worker *w, void (*how)(void *coro))
{
	struct wf__coro *me = w->running;
	int saved = *w->err;

	/* Relaxed: for reports only. */
	wf__store_relaxed(&me->state, WF__RUNNABLE);
	w->post = (struct wf__post){ how, me };
	w = leave(w, me, wf__sched_pick(w), false);
	*w->err = saved;
}

void
wf__park_aside(struct wf__worker *w, void (*how)(void *coro))
{
	go_aside(w, how);
}

bool
wf__park_yield(struct wf__worker *w)
{
	/* Relaxed: if something comes a moment later, the next yield sees. */
	if (w->countdown && !wf__runq_length(&w->queue) &&
	    !wf__runq_has_next(&w->queue) &&
	    !wf__load_relaxed(&wf__sched.shared.length) &&
	    !wf__load_relaxed(&w->inbox_length)) {
		w->countdown--;
		return false;
	}
	go_aside(w, requeue);
	return true;
}

/* The stack of one that ended; on another stack. */
static void
bury(void *arg)
{
	struct wf__coro *c = arg;

	wf__fiber_death(&c->fiber);
	wf__stack_put(&wf__self()->stacks, &c->stack);
}

WF__NORETURN void
wf__park_end(struct wf__worker *w, struct wf__task *next)
{
	struct wf__coro *me = w->running;

	w->post = (struct wf__post){ bury, me };
	leave(w, me, next, true);
	wf__assert_failed("an ended coroutine was resumed", __FILE__,
	    __LINE__);
}
