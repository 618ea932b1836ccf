/* SPDX-License-Identifier: MIT */
/*
 * select.c - one of several operations, judged at one instant.
 * Layer 3.  Uses: chan, wait, park, timer.
 *
 *   1. Lock all objects, in the order of their addresses.
 *   2. Pick one of the ready cases by lot (or the first), do it, unlock.
 *   3. None: the default, or queue a waiter on every object and park; the
 *      locks are dropped after the switch, the first one last [publish].
 *   4. The first to change the claim word runs its case [claim]; the
 *      awakened task takes its other waiters off, in lock order.
 *
 * Channels and contexts both begin with their lock, so the object's address
 * is the lock's.
 *
 * A select with a default on nothing that is ready takes no lock.  A lock has
 * a version (lock.h): if no object is locked, none has a ready bit, and all is
 * the same when read again, then between the two readings there was an instant
 * at which nothing was ready.  Versions only grow, so that comparing their
 * sums is enough.
 */
#include <weft/select.h>

#include <errno.h>

#include <weft/time.h>
#include "chan.h"
#include "report.h"
#include "seam.h"
#include "wait.h"

enum { MAX_CASES = 65536 };

struct selection {
	struct wf_case *cases;
	unsigned n;
	unsigned active;	/* cases with an object; cases[k].wf__order
				 * for k < active are their indices, in lock
				 * order */
	int fallback;		/* to take if nothing is ready, or -1 */
	int timeout;		/* the shortest timeout's index, or -1 */
	bool ordered;
	bool single;		/* no more than one object's lock */
};

static struct wf_case *
in_order(const struct selection *s, unsigned k)
{
	return &s->cases[s->cases[k].wf__order];
}

static struct wf__waiter *
waiter_of(struct wf_case *c)
{
	_Static_assert(sizeof(struct wf__waiter) <= sizeof c->wf__node,
	    "room in struct wf_case");
	return (struct wf__waiter *)(void *)c->wf__node;
}

/* ---- the set ---- */

static void
note_timeout(struct selection *s, unsigned i)
{
	int64_t ns = s->cases[i].wf__timeout;

	if (s->timeout < 0 || ns < s->cases[s->timeout].wf__timeout)
		s->timeout = (int)i;
	if (ns <= 0 && s->fallback < 0)
		s->fallback = (int)i;
}

static void
note_default(struct selection *s, unsigned i)
{
	if (s->fallback >= 0 &&
	    s->cases[s->fallback].wf__kind == WF__CASE_DEFAULT)
		wf__misuse("wf_select", "cases %d and %u are both a default",
		    s->fallback, i);
	s->fallback = (int)i;
}

static bool
is_active(const struct wf_case *c)
{
	return c->wf__object && c->wf__kind != WF__CASE_DEFAULT &&
	    c->wf__kind != WF__CASE_TIMEOUT;
}

static void
examine(struct selection *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct wf_case *c = &s->cases[i];

		if (is_active(c))
			s->cases[s->active++].wf__order = i;
		else if (c->wf__kind == WF__CASE_TIMEOUT)
			note_timeout(s, i);
		else if (c->wf__kind == WF__CASE_DEFAULT)
			note_default(s, i);
		else if (c->wf__kind > WF__CASE_TIMEOUT)
			wf__misuse("wf_select", "case %u is none: make it by "
			    "a wf_on_ or wf_case_ macro", i);
	}
}

static uintptr_t
address(const struct selection *s, unsigned k)
{
	return (uintptr_t)in_order(s, k)->wf__object;
}

static void
swap(struct selection *s, unsigned a, unsigned b)
{
	uint32_t t = s->cases[a].wf__order;

	s->cases[a].wf__order = s->cases[b].wf__order;
	s->cases[b].wf__order = t;
}

static void
sift(struct selection *s, unsigned root, unsigned n)
{
	unsigned child;

	for (; (child = 2 * root + 1) < n; root = child) {
		if (child + 1 < n && address(s, child) < address(s, child + 1))
			child++;
		if (address(s, root) >= address(s, child))
			return;
		swap(s, root, child);
	}
}

/* The lock order: by insertion for the few, by heap for the many. */
static void
sort(struct selection *s)
{
	unsigned n = s->active;

	if (n <= 12) {
		for (unsigned i = 1; i < n; i++)
			for (unsigned k = i; k && address(s, k - 1) >
			    address(s, k); k--)
				swap(s, k - 1, k);
		return;
	}
	for (unsigned i = n / 2; i--; )
		sift(s, i, n);
	while (n-- > 1) {
		swap(s, 0, n);
		sift(s, 0, n);
	}
}

/* The k-th in order has the same object as the one before. */
static bool
repeats(const struct selection *s, unsigned k)
{
	return k && address(s, k) == address(s, k - 1);
}

static void
lock_all(struct selection *s)
{
	for (unsigned k = 0; k < s->active; k++)
		if (!repeats(s, k))
			wf__lock(in_order(s, k)->wf__object);
}

/* The first one last; after that, nothing of *s is touched.  [publish] */
static void
unlock_all(void *arg)
{
	struct selection *s = arg;

	for (unsigned k = s->active; k--; )
		if (!repeats(s, k))
			wf__unlock(in_order(s, k)->wf__object);
}

/* ---- judging ---- */

/* May the case be ready?  Exact but for waiters that were won elsewhere. */
static bool
may_run(const struct wf_case *c)
{
	if (c->wf__kind == WF__CASE_DONE)
		return wf__cancel_state(c->wf__object);
	return wf__chan_can(c->wf__object, c->wf__kind == WF__CASE_RECV ?
	    WF__CAN_RECV : WF__CAN_SEND);
}

static const struct wf__lock *
lock_of(const struct selection *s, unsigned k)
{
	return in_order(s, k)->wf__object;
}

/* Without locks: was there an instant at which no case was ready?  False: not
 * proven. */
static bool
none_ready(const struct selection *s)
{
	wf__word before = 0, after = 0;

	for (unsigned k = 0; k < s->active; k++) {
		if (wf__lock_is_held(lock_of(s, k)))
			return false;
		before += wf__lock_version(lock_of(s, k));
		if (may_run(in_order(s, k)))
			return false;
	}
	for (unsigned k = 0; k < s->active; k++) {
		if (wf__lock_is_held(lock_of(s, k)))
			return false;
		after += wf__lock_version(lock_of(s, k));
	}
	return before == after;
}

/* Under the locks: do the case, if it is ready after all. */
static bool
attempt(struct wf_case *c, struct wf__task **wake)
{
	int done = 1;

	if (c->wf__kind == WF__CASE_RECV)
		done = wf__chan_try_recv(c->wf__object, c->wf__value, wake);
	else if (c->wf__kind == WF__CASE_SEND)
		done = wf__chan_try_send(c->wf__object, c->wf__value, wake);
	if (done >= 0 && c->wf__ok)
		*c->wf__ok = done;
	return done >= 0;
}

/* The index of a case that may run: the n-th of them; -1 if there are not so
 * many. */
static int
nth_that_may_run(const struct selection *s, uint64_t n)
{
	for (unsigned i = 0; i < s->n; i++)
		if (is_active(&s->cases[i]) && may_run(&s->cases[i]) && !n--)
			return (int)i;
	return -1;
}

static unsigned
count_that_may_run(const struct selection *s)
{
	unsigned n = 0;

	for (unsigned k = 0; k < s->active; k++)
		n += may_run(in_order(s, k));
	return n;
}

/* Under the locks: run a case that is ready, each with the same chance, or the
 * first; -1 if there is none.  An attempt fails only on waiters that have been
 * won elsewhere, and takes them away: so the loop ends. */
static int
run_ready(struct selection *s, struct wf__task **wake)
{
	uint64_t lot = 0;
	unsigned n;
	int i;

	while ((n = count_that_may_run(s))) {
		if (n > 1 && !s->ordered)
			lot = wf__sched_random(wf__self()) % n;
		i = nth_that_may_run(s, lot);
		if (attempt(&s->cases[i], wake))
			return i;
		lot = 0;
	}
	return -1;
}

/* ---- waiting ---- */

static struct wf__waitq *
queue_of(struct wf_case *c)
{
	struct wf_channel *chan = c->wf__object;

	if (c->wf__kind == WF__CASE_DONE)
		return &((struct wf__cancel *)c->wf__object)->waiters;
	return c->wf__kind == WF__CASE_RECV ? &chan->receivers :
	    &chan->senders;
}

static void
enqueue(struct wf_case *c, unsigned index, struct wf__task *me)
{
	struct wf__waiter *w = waiter_of(c);

	w->task = me;
	w->value = c->wf__value;
	w->index = index;
	w->contested = true;
	w->ok = false;
	wf__waitq_add(queue_of(c), w);
	if (c->wf__kind != WF__CASE_DONE)
		wf__chan_publish(c->wf__object);
}

/*
 * Take off the waiters of the cases that did not win, in lock order.  The
 * winner's is off, and its object may be freed by now.  If that one's lock is
 * the first, it was won after unlock_all() had dropped it, and so had ended.
 */
static void
dequeue_losers(struct selection *s, int winner)
{
	for (unsigned k = 0; k < s->active; k++) {
		struct wf_case *c = in_order(s, k);

		if (c == &s->cases[winner])
			continue;
		wf__lock(c->wf__object);
		if (waiter_of(c)->queued) {
			wf__waitq_remove(queue_of(c), waiter_of(c));
			if (c->wf__kind != WF__CASE_DONE)
				wf__chan_publish(c->wf__object);
		}
		wf__unlock(c->wf__object);
	}
}

static int64_t
deadline_of(const struct selection *s)
{
	int64_t ns, now;

	if (s->timeout < 0)
		return WF_FOREVER;
	ns = s->cases[s->timeout].wf__timeout;
	now = wf__seam_now();
	return ns > WF_FOREVER - now ? WF_FOREVER : now + ns;
}

/* With all locks held: queue up everywhere, park, clear up. */
static int
wait_for_one(struct selection *s)
{
	struct wf__task spare, *me = wf__park_self(&spare);
	/* Without a lock to be dropped last, *s may be gone as soon as the
	 * deadline is started. */
	struct wf__parking p = { s->active ? unlock_all : NULL, s,
	    deadline_of(s), (wf__word)(s->timeout + 1), "in a select", 0 };
	struct wf_case *c;
	int i;

	for (unsigned k = 0; k < s->active; k++)
		enqueue(in_order(s, k), s->cases[k].wf__order, me);
	wf__park(me, &p);
	i = (int)wf__load_acquire(&me->claim) - 1;		/* [claim] */
	dequeue_losers(s, i);
	if (p.deadline != WF_FOREVER && me->kind == WF__CORO)
		wf__timer_stop(&wf__coro_of(me)->timer);
	c = &s->cases[i];
	if (is_active(c) && c->wf__ok)
		*c->wf__ok = waiter_of(c)->ok;
	return i;
}

static int
select_one(struct wf_case *cases, size_t n, bool ordered)
{
	struct selection s = { .cases = cases, .n = (unsigned)n,
	    .fallback = -1, .timeout = -1, .ordered = ordered };
	struct wf__task *wake = NULL;
	int i;

	if (n > MAX_CASES)
		wf__misuse("wf_select", "%zu cases, at most %d", n, MAX_CASES);
	wf__seam_point();
	examine(&s);
	if (s.fallback >= 0 && none_ready(&s))
		return s.fallback;
	sort(&s);
	lock_all(&s);
	i = run_ready(&s, &wake);
	if (i < 0 && s.fallback < 0)
		return wait_for_one(&s);
	unlock_all(&s);
	if (wake)
		wf__ready(wake);
	return i < 0 ? s.fallback : i;
}

WF_API int
wf_selectv(struct wf_case *cases, size_t n)
{
	return select_one(cases, n, false);
}

WF_API int
wf_selectv_ordered(struct wf_case *cases, size_t n)
{
	return select_one(cases, n, true);
}
