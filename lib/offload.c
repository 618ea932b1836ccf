/* SPDX-License-Identifier: MIT */
/*
 * offload.c - a few threads for calls that block: files, names.
 * Layer 6.  Uses: offload, await, sched, os, alloc.
 *
 *	queued -> running -> done		its caller goes on
 *	   \          \--> (abandoned) -> dropped by its thread
 *	    \-> withdrawn by its caller
 *
 * All under shop.lock.  Threads are started when a call finds none that idles,
 * up to MOST, and leave after IDLE without work.  A slot's thread that has left
 * is joined by who uses the slot next, or at the stop.
 */
#include "offload.h"

#include <errno.h>
#include <limits.h>

#include <weft/io.h>
#include <weft/time.h>
#include "alloc.h"
#include "await.h"
#include "cancel.h"
#include "fork.h"
#include "os.h"
#include "sched.h"
#include "seam.h"

enum { MOST = 32 };
#define IDLE (3 * WF_SEC)

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE };

struct job {
	struct job *next;
	void (*fn)(void *arg);
	void *arg;
	void (*drop)(void *arg);
	struct wf__waitq caller;
	enum job_state state;
	struct pool_slot *slot;		/* of the thread that runs it */
	bool abandoned;
	int err;			/* there was no thread for it */
};

enum slot_state { SLOT_FREE, SLOT_RUNS, SLOT_ENDED };

struct pool_slot {
	struct wf__os_thread thread;
	enum slot_state state;
	bool is_lost;			/* its call was abandoned */
	bool detached;
};

static struct {
	struct wf__lock lock;
	struct job *first, *last;
	struct pool_slot slots[MOST];
	unsigned idle;			/* threads that wait */
	unsigned queued;
	bool stopping;
	wf__word32 bell;		/* counts what idle threads look for */
} shop;
WF__FORGET(shop)

static void
ring(int n)
{
	wf__add32_acq_rel(&shop.bell, 1);			/* [bell] */
	wf__os_futex_wake(&shop.bell, n);
}

static void
enqueue_job(struct job *j)
{
	j->next = NULL;
	if (shop.last)
		shop.last->next = j;
	else
		shop.first = j;
	shop.last = j;
	shop.queued++;
}

static struct job *
dequeue_job(void)
{
	struct job *j = shop.first;

	if (j) {
		if (!(shop.first = j->next))
			shop.last = NULL;
		shop.queued--;
	}
	return j;
}

static void
withdraw_job(struct job *j)
{
	struct job **p = &shop.first, *before = NULL;

	while (*p != j) {
		before = *p;
		p = &before->next;
	}
	*p = j->next;
	if (shop.last == j)
		shop.last = before;
	shop.queued--;
}

/* ---- threads ---- */

/* The lock is held, and again at the return. */
static void
run_job(struct pool_slot *slot, struct job *j)
{
	struct wf__waiter *list;
	bool abandoned;

	j->state = JOB_RUNNING;
	j->slot = slot;
	wf__unlock(&shop.lock);
	j->fn(j->arg);
	wf__lock(&shop.lock);
	slot->is_lost = false;
	j->state = JOB_DONE;
	list = wf__waitq_claim_all(&j->caller);
	abandoned = j->abandoned;	/* otherwise it is its caller's now */
	wf__unlock(&shop.lock);
	wf__waitq_ready_all(list);
	if (abandoned) {
		j->drop(j->arg);
		wf__free(j, sizeof *j);
	}
	wf__lock(&shop.lock);
}

/* With the lock held, and again at the return: true if there may be a job. */
static bool
idle(void)
{
	int64_t until = wf__os_now() + IDLE;
	unsigned seen;

	shop.idle++;
	while (!shop.first && !shop.stopping && wf__os_now() < until) {
		seen = wf__load32_acquire(&shop.bell);		/* [bell] */
		wf__unlock(&shop.lock);
		wf__os_futex_wait(&shop.bell, seen, until);
		wf__lock(&shop.lock);
	}
	shop.idle--;
	return shop.first != NULL;
}

static void
pool_main(void *arg)
{
	struct pool_slot *slot = arg;
	struct job *j;

	wf__lock(&shop.lock);
	do {
		while (!slot->detached && (j = dequeue_job()))
			run_job(slot, j);
	} while (!slot->detached && !shop.stopping && idle());
	slot->state = slot->detached ? SLOT_FREE : SLOT_ENDED;
	if (!slot->detached) {
		/* Relaxed: read when all is asleep. */
		wf__add_relaxed(&wf__sched.helpers, (wf__word)-1);
	}
	slot->detached = false;
	wf__unlock(&shop.lock);
}

/* A slot for one more thread; NULL: there are enough. */
static struct pool_slot *
take_pool_slot(bool *was_used)
{
	struct pool_slot *slot = NULL;

	for (int i = 0; i < MOST && !slot; i++)
		if (shop.slots[i].state != SLOT_RUNS)
			slot = &shop.slots[i];
	if (!slot)
		return NULL;
	*was_used = slot->state == SLOT_ENDED;
	slot->state = SLOT_RUNS;
	slot->is_lost = slot->detached = false;
	return slot;
}

/* A thread for what is queued, if all are busy.  0 or -errno; an error is none
 * while others run. */
static int
need_thread(void)
{
	struct pool_slot *slot = NULL;
	bool was_used = false;
	int err;

	wf__lock(&shop.lock);
	if (shop.queued > shop.idle)
		slot = take_pool_slot(&was_used);
	wf__unlock(&shop.lock);
	if (!slot)
		return 0;
	if (was_used)
		wf__os_thread_join(&slot->thread);
	/* Relaxed: read when all is asleep. */
	wf__add_relaxed(&wf__sched.helpers, 1);
	err = wf__os_thread_start(&slot->thread, pool_main, slot,
	    "weft-pool");
	if (err) {
		wf__add_relaxed(&wf__sched.helpers, (wf__word)-1);
		wf__lock(&shop.lock);
		slot->state = SLOT_FREE;
		wf__unlock(&shop.lock);
	}
	return err;
}

static bool
has_threads(void)
{
	for (int i = 0; i < MOST; i++)
		if (shop.slots[i].state == SLOT_RUNS)
			return true;
	return false;
}

/* There is no thread, and none can be had: nobody is to wait for one. */
static void
refuse_all(int err)
{
	struct wf__waiter *list = NULL, *w;
	struct job *j;

	wf__lock(&shop.lock);
	while (!has_threads() && (j = dequeue_job())) {
		j->err = err;
		j->state = JOB_DONE;
		if ((w = wf__waitq_claim_all(&j->caller))) {
			w->next = list;
			list = w;
		}
	}
	wf__unlock(&shop.lock);
	wf__waitq_ready_all(list);
}

void
wf__offload_stop(void)
{
	struct pool_slot *slot;
	enum slot_state state;
	bool lost;

	wf__lock(&shop.lock);
	shop.stopping = true;
	wf__unlock(&shop.lock);
	ring(INT_MAX);
	for (int i = 0; i < MOST; i++) {
		slot = &shop.slots[i];
		wf__lock(&shop.lock);
		state = slot->state;
		lost = state == SLOT_RUNS && slot->is_lost;
		slot->detached |= lost;
		wf__unlock(&shop.lock);
		if (lost) {
			wf__os_thread_detach(&slot->thread);
		} else if (state != SLOT_FREE) {
			wf__os_thread_join(&slot->thread);
			slot->state = SLOT_FREE;
		}
	}
	shop.stopping = false;
}

/* ---- calls ---- */

/* With the lock held, and dropped: the wait has ended early.  0 if fn has run
 * all the same. */
static int
abandon(struct job *j, int err)
{
	enum job_state state = j->state;

	if (state == JOB_QUEUED)
		withdraw_job(j);
	if (state == JOB_RUNNING) {
		j->abandoned = true;
		j->slot->is_lost = true;
		wf__unlock(&shop.lock);
		return err;
	}
	wf__unlock(&shop.lock);
	if (state == JOB_DONE)
		err = j->err;
	if (err)
		j->drop(j->arg);
	wf__free(j, sizeof *j);
	return err;
}

static int
call_and_wait(struct job *j, struct wf__cancel *cancel)
{
	struct wf__wait wait = { .lock = &shop.lock, .queue = &j->caller,
	    .cancel = cancel, .why = "for a blocking call" };
	int err;

	wf__lock(&shop.lock);
	enqueue_job(j);
	wf__unlock(&shop.lock);
	ring(1);
	if ((err = need_thread()) < 0)
		refuse_all(err);
	wf__lock(&shop.lock);
	err = 0;
	while (j->state != JOB_DONE && !err)
		err = wf__await_outside(&wait, WF_FOREVER);
	if (cancel)
		return abandon(j, err);
	wf__unlock(&shop.lock);
	return j->err;
}

WF_API int
wf_offload(wf_ctx *ctx, void (*fn)(void *arg), void *arg,
    void (*drop)(void *arg))
{
	struct job own = { .fn = fn, .arg = arg }, *j = NULL;
	int err;

	wf__seam_point_at("makes a blocking call", 0);
	if ((err = wf_ctx_err(ctx)) < 0 || (err = wf__sched_need()) < 0) {
		if (drop)
			drop(arg);
		return err;
	}
	if (wf__seam_alone()) {
		fn(arg);		/* here: no thread may be started */
		return 0;
	}
	if (!drop || wf__cancel_of(ctx)->endless) {
		err = call_and_wait(&own, NULL);
		if (err && drop)
			drop(arg);
		return err;
	}
	if (!(j = wf__alloc(sizeof *j))) {
		drop(arg);
		return -ENOMEM;
	}
	*j = own;
	j->drop = drop;
	return call_and_wait(j, wf__cancel_of(ctx));
}
