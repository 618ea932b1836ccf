/* SPDX-License-Identifier: MIT */
/*
 * timer.c - start, stop and run the timers of one worker.
 * Layer 2.  Uses: timer, coro, heap, lock.
 *
 * While ts->lock is held:
 *   I1  a timer is in ts->heap iff its home is ts.
 *   I2  ts->first is the smallest key in the heap, WF_FOREVER if it is empty.
 */
#include "timer.h"

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
wf__timers_check(struct wf__timers *ts)
{
	struct wf__heap_node *root = ts->heap.root, *n;

	if (!root)
		return;
	wf__assert(!root->prev && !root->next);
	wf__assert(wf__load_relaxed(&timer_of(root)->home) == (wf__word)ts);
	for (n = root->child; n; n = n->next) {
		wf__assert(n->key >= root->key);
		wf__assert(wf__load_relaxed(&timer_of(n)->home) ==
		    (wf__word)ts);
		wf__assert(n == root->child ? n->prev == root :
		    n->prev->next == n);
	}
}

static void
note_first(struct wf__timers *ts)
{
	if (WF__CHECKING)
		wf__timers_check(ts);
	wf__store_release(&ts->first, (wf__word)(ts->heap.root ?
	    ts->heap.root->key : WF_FOREVER));		/* [timers] */
}

void
wf__timers_init(struct wf__timers *ts)
{
	memset(ts, 0, sizeof *ts);
	note_first(ts);
}

bool
wf__timer_start(struct wf__timers *ts, struct wf__timer *t, int64_t when)
{
	bool first;

	t->node.key = when;
	wf__lock(&ts->lock);
	wf__store_relaxed(&t->home, (wf__word)ts);
	wf__heap_insert(&ts->heap, &t->node);
	first = ts->heap.root == &t->node;
	if (first)
		note_first(ts);
	wf__unlock(&ts->lock);
	return first;
}

bool
wf__timer_stop(struct wf__timer *t)
{
	/* Only firing changes home behind the caller, who started t: relaxed
	 * under the lock, where it is written. */
	struct wf__timers *ts =
	    (struct wf__timers *)wf__load_acquire(&t->home);	/* [fire] */
	bool stopped;

	if (!ts)
		return false;
	wf__lock(&ts->lock);
	stopped = wf__load_relaxed(&t->home) != 0;
	if (stopped) {
		wf__heap_remove(&ts->heap, &t->node);
		wf__store_relaxed(&t->home, 0);
		note_first(ts);
	}
	wf__unlock(&ts->lock);
	return stopped;
}

/* Under the lock: take the first off if it is due. */
static struct wf__timer *
take_due(struct wf__timers *ts, int64_t now)
{
	struct wf__heap_node *n = ts->heap.root;

	if (!n || n->key > now)
		return NULL;
	wf__heap_remove(&ts->heap, n);
	return timer_of(n);
}

/* Under the lock: deadlines that are due and win their task; or, alone, one
 * callback.  A deadline that loses is no more touched: its task may be off. */
static unsigned
collect(struct wf__timers *ts, int64_t now, struct wf__task **won,
    unsigned *n_won, struct wf__timer **callback)
{
	struct wf__timer *t;
	unsigned fired = 0;

	while (*n_won < BATCH && !*callback && (t = take_due(ts, now))) {
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
	note_first(ts);
	return fired;
}

unsigned
wf__timers_run(struct wf__timers *ts, int64_t now,
    void (*ready)(struct wf__task *))
{
	struct wf__task *won[BATCH];
	struct wf__timer *callback;
	unsigned fired, total = 0, n;

	do {
		n = 0;
		callback = NULL;
		wf__lock(&ts->lock);
		fired = collect(ts, now, won, &n, &callback);
		wf__unlock(&ts->lock);
		for (unsigned i = 0; i < n; i++)
			ready(won[i]);
		if (callback)
			callback->fire(callback, true);
		total += fired;
	} while (n == BATCH || callback);
	return total;
}

void
wf__timers_drop(struct wf__timers *ts)
{
	struct wf__timer *t;

	while ((t = take_due(ts, WF_FOREVER))) {
		wf__store_relaxed(&t->home, 0);
		if (t->fire)
			t->fire(t, false);
	}
	note_first(ts);
}
