/* SPDX-License-Identifier: MIT */
/*
 * timerq.c - start, stop and run the timers of one worker.
 * Layer 2.  Uses: timerq, coro, heap, lock.
 *
 * While q->lock is held:
 *   I1  a timer is in q->heap iff its home is q.
 *   I2  q->first is the smallest key in the heap, WF_FOREVER if it is empty.
 */
#include "timerq.h"

#include <weft/time.h>
#include "coro.h"

enum { BATCH = 64 };

static struct wf__timer *
timer_of(struct wf__heap_node *n)
{
	return wf__container_of(n, struct wf__timer, node);
}

/* I1 and the heap's order, where a glance shows them: at the root and its
 * children. */
static void
wf__timerq_check(struct wf__timerq *q)
{
	struct wf__heap_node *root = q->heap.root, *n;

	if (!root)
		return;
	wf__assert(!root->prev && !root->next);
	wf__assert(wf__load_relaxed(&timer_of(root)->home) == (wf__word)q);
	for (n = root->child; n; n = n->next) {
		wf__assert(n->key >= root->key);
		wf__assert(wf__load_relaxed(&timer_of(n)->home) ==
		    (wf__word)q);
		wf__assert(n == root->child ? n->prev == root :
		    n->prev->next == n);
	}
}

static void
note_first(struct wf__timerq *q)
{
	if (WF__CHECKING)
		wf__timerq_check(q);
	wf__store_release(&q->first, (wf__word)(q->heap.root ?
	    q->heap.root->key : WF_FOREVER));		/* [timers] */
}

void
wf__timerq_init(struct wf__timerq *q)
{
	memset(q, 0, sizeof *q);
	note_first(q);
}

bool
wf__timer_start(struct wf__timerq *q, struct wf__timer *t, int64_t when)
{
	bool first;

	t->node.key = when;
	wf__lock(&q->lock);
	wf__store_relaxed(&t->home, (wf__word)q);
	wf__heap_insert(&q->heap, &t->node);
	first = q->heap.root == &t->node;
	if (first)
		note_first(q);
	wf__unlock(&q->lock);
	return first;
}

bool
wf__timer_stop(struct wf__timer *t)
{
	/* Only firing changes home behind the caller, who started t: relaxed
	 * under the lock, where it is written. */
	struct wf__timerq *q =
	    (struct wf__timerq *)wf__load_acquire(&t->home);	/* [fire] */
	bool stopped;

	if (!q)
		return false;
	wf__lock(&q->lock);
	stopped = wf__load_relaxed(&t->home) != 0;
	if (stopped) {
		wf__heap_remove(&q->heap, &t->node);
		wf__store_relaxed(&t->home, 0);
		note_first(q);
	}
	wf__unlock(&q->lock);
	return stopped;
}

/* Under the lock: take the first off if it is due. */
static struct wf__timer *
take_due(struct wf__timerq *q, int64_t now)
{
	struct wf__heap_node *n = q->heap.root;

	if (!n || n->key > now)
		return NULL;
	wf__heap_remove(&q->heap, n);
	return timer_of(n);
}

/* Under the lock: deadlines that are due and win their task; or, alone, one
 * callback.  A deadline that loses is no more touched: its task may be off. */
static unsigned
collect(struct wf__timerq *q, int64_t now, struct wf__task **won,
    unsigned *n_won, struct wf__timer **callback)
{
	struct wf__timer *t;
	unsigned fired = 0;

	while (*n_won < BATCH && !*callback && (t = take_due(q, now))) {
		struct wf__task *task = t->task;
		bool wins = task &&
		    wf__cas_acq_rel(&task->claim, 0, t->claim);	/* [claim] */

		fired++;
		if (!task)
			*callback = t;
		/* From here on a stop finds nothing to do.  [fire] */
		wf__store_release(&t->home, 0);
		if (wins)
			won[(*n_won)++] = task;
	}
	note_first(q);
	return fired;
}

unsigned
wf__timerq_run(struct wf__timerq *q, int64_t now,
    void (*ready)(struct wf__task *))
{
	struct wf__task *won[BATCH];
	struct wf__timer *callback;
	unsigned fired, total = 0, n;

	do {
		n = 0;
		callback = NULL;
		wf__lock(&q->lock);
		fired = collect(q, now, won, &n, &callback);
		wf__unlock(&q->lock);
		for (unsigned i = 0; i < n; i++)
			ready(won[i]);
		if (callback)
			callback->fire(callback, true);
		total += fired;
	} while (n == BATCH || callback);
	return total;
}

void
wf__timerq_drop(struct wf__timerq *q)
{
	struct wf__timer *t;

	while ((t = take_due(q, WF_FOREVER))) {
		wf__store_relaxed(&t->home, 0);
		if (t->fire)
			t->fire(t, false);
	}
	note_first(q);
}
