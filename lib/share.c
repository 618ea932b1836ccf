/* SPDX-License-Identifier: MIT */
/*
 * share.c - tasks on their way: pushed, shared, handed over, put aside.
 * Layer 2.  Uses: share, sched, idle, coro.
 *
 * The shared queue is two.  What has begun is taken in turn, first in first
 * out.  Of what has not begun the newest is taken first: a program that spawns
 * trees of coroutines then goes down the tree, and keeps few stacks alive,
 * where taking turns would begin them all.  So that none waits for ever, each
 * eighth share has the oldest one in front.
 */
#include "share.h"

#include "idle.h"
#include "park.h"

enum {
	OLDEST_EACH = 8,
	FETCHED = 6			/* lines of a stack */
};

/* Relaxed, in this file: lengths are hints where they are read without the
 * lock that protects them. */

/* Under the lock. */
static void
add_start(struct wf__start *n)
{
	struct wf__starts *l = &wf__sched.shared.starts;

	n->newer = NULL;
	n->older = l->newest;
	if (l->newest)
		l->newest->newer = n;
	else
		l->oldest = n;
	l->newest = n;
	l->n++;
}

/* Under the lock, from a list that is not empty. */
static struct wf__task *
take_start(bool oldest)
{
	struct wf__starts *l = &wf__sched.shared.starts;
	struct wf__start *n = oldest ? l->oldest : l->newest;

	if (n->newer)
		n->newer->older = n->older;
	else
		l->newest = n->older;
	if (n->older)
		n->older->newer = n->newer;
	else
		l->oldest = n->newer;
	l->n--;
	return &n->task;
}

static void
publish_length(void)
{
	size_t ready = wf__sched.shared.ready.tasks.n;

	wf__store_release(&wf__sched.shared.length,
	    ready + wf__sched.shared.starts.n);			/* [runq] */
}

/* Under the lock. */
static void
put_all(struct wf__tasks *list)
{
	struct wf__task *t;

	while ((t = wf__tasks_take(list)))
		if (t->kind == WF__START)
			add_start(wf__start_of(t));
		else
			wf__crowd_add(&wf__sched.shared.ready, t);
}

void
wf__share_push(struct wf__tasks *list)
{
	if (!list->n)
		return;
	wf__lock(&wf__sched.shared.lock);
	put_all(list);
	publish_length();
	wf__unlock(&wf__sched.shared.lock);
	wf__fence();			/* of who is no worker [idle] */
	wf__idle_notify(NULL);
}

void
wf__share_push_crowd(struct wf__crowd *c)
{
	wf__lock(&wf__sched.shared.lock);
	wf__crowd_append(&wf__sched.shared.ready, c);
	publish_length();
	wf__unlock(&wf__sched.shared.lock);
	wf__fence();			/* likewise */
	wf__idle_notify(NULL);
}

static WF__NOINLINE void
push_slowly(struct wf__worker *w, struct wf__task *t,
    void (*push)(struct wf__runq *, struct wf__task *, struct wf__tasks *))
{
	struct wf__tasks spill = { 0 };

	push(&w->queue, t, &spill);
	if (spill.n)
		wf__share_push(&spill);
	else
		wf__idle_notify(w);
}

void
wf__share_push_next(struct wf__worker *w, struct wf__task *t)
{
	if (wf__likely(wf__runq_try_next(&w->queue, t)))
		wf__idle_notify(w);
	else
		push_slowly(w, t, wf__runq_push_next);
}

void
wf__share_push_last(struct wf__worker *w, struct wf__task *t)
{
	if (wf__likely(wf__runq_try_last(&w->queue, t)))
		wf__idle_notify(w);
	else
		push_slowly(w, t, wf__runq_push);
}

void
wf__share_push_pinned(struct wf__worker *owner, struct wf__task *t)
{
	wf__lock(&owner->inbox_lock);
	wf__tasks_add(&owner->inbox, t);
	wf__store_release(&owner->inbox_length, owner->inbox.n); /* [runq] */
	wf__unlock(&owner->inbox_lock);
	if (owner != wf__self())
		wf__idle_wake_worker(owner);
}

struct wf__task *
wf__share_take_pinned(struct wf__worker *w)
{
	struct wf__task *t;

	if (wf__likely(!wf__load_relaxed(&w->inbox_length)))
		return NULL;
	wf__lock(&w->inbox_lock);
	t = wf__tasks_take(&w->inbox);
	wf__store_release(&w->inbox_length, w->inbox.n);	/* [runq] */
	wf__unlock(&w->inbox_lock);
	return t;
}

void
wf__share_push_list(struct wf__worker *w, struct wf__tasks *list)
{
	struct wf__tasks spill = { 0 };
	struct wf__task *t;

	while ((t = wf__tasks_take(list)))
		wf__runq_push(&w->queue, t, &spill);
	wf__share_push(&spill);
}

/* Under the lock: at most n tasks, half of each kind if there are both; the
 * odd one, which may be the only one, is of each kind in turn. */
static void
take_share(struct wf__tasks *share, size_t n, unsigned turn)
{
	size_t starts = wf__sched.shared.starts.n;
	size_t half = (n + (turn % 2 == 0)) / 2;

	if (wf__sched.shared.ready.tasks.n && starts > half)
		starts = half;
	for (; share->n < n && starts; starts--)
		wf__tasks_add(share, take_start(!share->n &&
		    turn % OLDEST_EACH == 0));
	while (share->n < n && wf__sched.shared.ready.tasks.n)
		wf__tasks_add(share,
		    wf__crowd_take(&wf__sched.shared.ready));
}

/* A fair share of what waits. */
static size_t
share_of(size_t length)
{
	size_t n = length / wf__load_relaxed(&wf__sched.n_workers) + 1;

	return n < WF__RUNQ_SIZE / 2 ? n : WF__RUNQ_SIZE / 2;
}

/* What a coroutine returns through when it goes on: of many that have waited,
 * all of it is a miss, and one by one each would be waited for. */
static void
fetch_stacks(const struct wf__tasks *list)
{
	for (struct wf__task *t = list->first; t; t = t->link)
		for (int i = 0; t->kind == WF__CORO && i < FETCHED; i++)
			__builtin_prefetch((char *)wf__coro_of(t)->sp +
			    i * WF__LINE, 1);
}

/* From a full ring as many go the other way: all take turns with all. */
bool
wf__share_take(struct wf__worker *w)
{
	struct wf__tasks share = { 0 }, out = { 0 };
	size_t n = wf__load_acquire(&wf__sched.shared.length);	/* [runq] */

	if (wf__likely(!n))
		return false;
	n = wf__runq_make_room(&w->queue, share_of(n), &out);
	wf__lock(&wf__sched.shared.lock);
	take_share(&share, n, ++w->shares);
	put_all(&out);
	publish_length();
	wf__unlock(&wf__sched.shared.lock);
	n = share.n;
	fetch_stacks(&share);
	wf__share_push_list(w, &share);
	return n;
}

/* Starts that found no stack try again, behind everything else. */
void
wf__share_retry_starved(void)
{
	struct wf__tasks list;

	if (wf__likely(!wf__load_relaxed(&wf__sched.starved.length)))
		return;
	wf__lock(&wf__sched.starved.lock);
	list = wf__sched.starved.tasks;
	memset(&wf__sched.starved.tasks, 0, sizeof list);
	wf__store_relaxed(&wf__sched.starved.length, 0);
	wf__unlock(&wf__sched.starved.lock);
	wf__share_push(&list);
}

/* Somebody starves for a stack: wake those that sleep on free ones (idle.c). */
static void
wake_keepers(void)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */

	wf__os_fence_light();					/* [starve] */
	for (unsigned i = 0; i < n; i++)
		if (wf__load_relaxed(&wf__sched_worker(i)->keeps_stacks))
			wf__idle_wake_worker(wf__sched_worker(i));
}

static void
starve(struct wf__task *t)
{
	/* [start-live] */
	wf__store_release(&wf__start_of(t)->live, WF__STARVED);
	wf__lock(&wf__sched.starved.lock);
	wf__tasks_add(&wf__sched.starved.tasks, t);
	wf__store_release(&wf__sched.starved.length,
	    wf__sched.starved.tasks.n);			/* [starve] */
	wf__unlock(&wf__sched.starved.lock);
	wake_keepers();
}

struct wf__coro *
wf__share_embody(struct wf__worker *w, struct wf__task *t)
{
	struct wf__coro *c;

	if (wf__likely(t->kind == WF__CORO))
		return wf__coro_of(t);
	if (!(c = wf__coro_begin(w, wf__start_of(t))))
		starve(t);
	return c;
}
