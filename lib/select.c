/* SPDX-License-Identifier: MIT */
/*
 * select.c - one of several operations, judged at one instant.
 * Layer 3.  Uses: selection, chan, cancel, wait, park, timer.
 *
 *   1. Lock all channels, in the order of their addresses.
 *   2. Pick one of the ready cases by lot (or the first), do it, unlock.
 *   3. None: the default, or lock what the contexts' waiters are attached to,
 *      queue a waiter everywhere and park; the locks are dropped after the
 *      switch, the first one last [publish].
 *   4. The first to change the claim word runs its case [claim]; the
 *      awakened task takes its other waiters off, in lock order.
 *
 * A context needs no lock to be judged: done is for ever, so that it is done,
 * or not, at the one instant at which its state is read while all channels are
 * locked.  Locking it to park, its state is read again.
 *
 * A select with a default on nothing that is ready takes no lock.  A lock has
 * a version (lock.h): if no channel is locked, none has a ready bit, and all
 * is the same when read again, then between the two readings there was an
 * instant at which nothing was ready.  Versions only grow, so that comparing
 * their sums is enough.
 */
#include <weft/select.h>

#include <errno.h>

#include <weft/time.h>
#include "report.h"
#include "seam.h"
#include "selection.h"

enum { MAX_CASES = 65536 };

static struct wf__waiter *
waiter_of(struct wf_case *c)
{
	_Static_assert(sizeof(struct wf__waiter) <= sizeof c->wf__node,
	    "room in struct wf_case");
	return (struct wf__waiter *)(void *)c->wf__node;
}

/* The k-th in order has the same lock as the one before. */
static bool
repeats(const struct wf__selection *s, unsigned k)
{
	return k && wf__selection_lock(s, k) == wf__selection_lock(s, k - 1);
}

static void
lock_channels(struct wf__selection *s)
{
	for (unsigned k = 0; k < s->channels; k++)
		if (!repeats(s, k))
			wf__lock(wf__selection_lock(s, k));
}

/* Those from the k-th on, the first one last; after that, nothing of *s is
 * touched.  [publish] */
static void
unlock_from(const struct wf__selection *s, unsigned first, unsigned end)
{
	while (end-- > first)
		if (!repeats(s, end))
			wf__unlock(wf__selection_lock(s, end));
}

static void
unlock_all(void *arg)
{
	const struct wf__selection *s = arg;

	unlock_from(s, 0, s->active);
}

/* With the channels locked: false, and unlocked again, if one is done. */
static bool
lock_contexts(struct wf__selection *s)
{
	for (unsigned k = s->channels; k < s->active; k++) {
		if (!repeats(s, k))
			wf__cancel_lock(wf__selection_case(s, k)->wf__value);
		if (wf__cancel_state(wf__selection_case(s, k)->wf__object)) {
			unlock_from(s, s->channels, k + 1);
			return false;
		}
	}
	return true;
}

/* ---- judging ---- */

/* May the case be ready?  Exact but for waiters that were won elsewhere. */
static inline bool
may_run(const struct wf_case *c)
{
	if (wf__case_is_done(c))
		return wf__cancel_state(c->wf__object);
	return wf__chan_can(c->wf__object, c->wf__kind == WF__CASE_RECV ?
	    WF__CAN_RECV : WF__CAN_SEND);
}

/* Add the version of a channel's lock; false if it is held. */
static inline bool
add_version(const struct wf_case *c, wf__word *sum)
{
	const struct wf__lock *lock = c->wf__object;

	if (wf__case_is_done(c))
		return true;
	if (wf__lock_is_held(lock))
		return false;
	*sum += wf__lock_version(lock);
	return true;
}

/*
 * Without locks: was there an instant at which no case was ready?  False: not
 * proven.  Of one case, the look at it is that instant.  A context that is not
 * done at the second look was not before.
 */
static bool
none_ready(const struct wf_case *cases, size_t n)
{
	wf__word before = 0, after = 0;
	unsigned active = 0;

	for (size_t i = 0; i < n; i++) {
		if (!wf__case_is_active(&cases[i]))
			continue;
		if (!add_version(&cases[i], &before) || may_run(&cases[i]))
			return false;
		active++;
	}
	for (size_t i = 0; active > 1 && i < n; i++)
		if (wf__case_is_active(&cases[i]) &&
		    (!add_version(&cases[i], &after) ||
		    (wf__case_is_done(&cases[i]) && may_run(&cases[i]))))
			return false;
	return active <= 1 || before == after;
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
nth_that_may_run(const struct wf__selection *s, uint64_t n)
{
	for (unsigned i = 0; i < s->n; i++)
		if (wf__case_is_active(&s->cases[i]) &&
		    may_run(&s->cases[i]) && !n--)
			return (int)i;
	return -1;
}

static unsigned
count_that_may_run(const struct wf__selection *s)
{
	unsigned n = 0;

	for (unsigned k = 0; k < s->active; k++)
		n += may_run(wf__selection_case(s, k));
	return n;
}

/* Under the locks: run a case that is ready, each with the same chance, or the
 * first; -1 if there is none.  An attempt fails only on waiters that have been
 * won elsewhere, and takes them away: so the loop ends. */
static int
run_ready(struct wf__selection *s, struct wf__task **wake)
{
	uint64_t lot = 0;
	unsigned n;
	int i;

	while ((n = count_that_may_run(s))) {
		if (n > 1 && !s->ordered)
			lot = wf__sched_lot(n);
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

	return c->wf__kind == WF__CASE_RECV ? &chan->receivers :
	    &chan->senders;
}

static void
enqueue(struct wf_case *c, unsigned index, bool late, struct wf__task *me)
{
	struct wf__waiter *w = waiter_of(c);

	w->task = me;
	w->value = c->wf__value;
	w->index = index;
	w->contested = true;
	w->ok = false;
	w->late = late;
	if (wf__case_is_done(c)) {
		wf__cancel_attach(c->wf__value, w);
		return;
	}
	wf__waitq_add(queue_of(c), w);
	wf__chan_publish(c->wf__object);
}

/* Cases of one channel come in order.  On its close, sends and receives can
 * both run: a receive behind a send is then to let it go first. */
static void
enqueue_all(struct wf__selection *s, struct wf__task *me)
{
	bool behind_send = false;
	struct wf_case *c;

	for (unsigned k = 0; k < s->active; k++) {
		c = wf__selection_case(s, k);
		if (!repeats(s, k))
			behind_send = false;
		enqueue(c, s->cases[k].wf__order, s->ordered && behind_send,
		    me);
		behind_send |= c->wf__kind == WF__CASE_SEND;
	}
}

static void
dequeue(struct wf_case *c)
{
	if (wf__case_is_done(c)) {
		wf__cancel_detach(c->wf__object, waiter_of(c));
		return;
	}
	wf__lock(c->wf__object);
	if (waiter_of(c)->queued) {
		wf__waitq_remove(queue_of(c), waiter_of(c));
		wf__chan_publish(c->wf__object);
	}
	wf__unlock(c->wf__object);
}

/*
 * Take off the waiters of the cases that did not win, in lock order.  The
 * winner's is off, and its object may be freed by now.  If that one's lock is
 * the first, it was won after unlock_all() had dropped it, and so had ended.
 */
static void
dequeue_losers(struct wf__selection *s, int winner)
{
	for (unsigned k = 0; k < s->active; k++)
		if (wf__selection_case(s, k) != &s->cases[winner])
			dequeue(wf__selection_case(s, k));
}

static int64_t
deadline_of(const struct wf__selection *s)
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
wait_for_one(struct wf__selection *s)
{
	struct wf__task spare, *me = wf__park_self(&spare);
	/* Without a lock to be dropped last, *s may be gone as soon as the
	 * deadline is started. */
	struct wf__parking p = { s->active ? unlock_all : NULL, s,
	    deadline_of(s), (wf__word)(s->timeout + 1), wf__selection_why,
	    s->active };
	struct wf_case *c;
	int i;

	wf__selection_show(s, me);
	if (!s->ordered)
		wf__selection_mix(s);
	enqueue_all(s, me);
	wf__park(me, &p);
	i = (int)wf__load_acquire(&me->claim) - 1;		/* [claim] */
	dequeue_losers(s, i);
	if (p.deadline != WF_FOREVER && me->kind == WF__CORO)
		wf__timer_stop(&wf__coro_of(me)->timer);
	c = &s->cases[i];
	if (wf__case_is_active(c) && c->wf__ok)
		*c->wf__ok = waiter_of(c)->ok;
	return i;
}

static bool
are_operations(const struct wf_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cases[i].wf__kind == WF__CASE_DEFAULT ||
		    cases[i].wf__kind >= WF__CASE_TIMEOUT)
			return false;
	return true;
}

/* For a simulation: who cancels a context touches all anyway. */
WF__NOINLINE static void
touch_channels(const struct wf_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (wf__case_is_active(&cases[i]) &&
		    !wf__case_is_done(&cases[i]))
			wf__seam_touch(wf__chan_number(cases[i].wf__object));
}

static int
select_one(struct wf_case *cases, size_t n, bool ordered)
{
	struct wf__selection s;
	struct wf__task *wake = NULL;
	int i;

	if (n > MAX_CASES)
		wf__misuse("wf_select", "%zu cases, at most %d", n, MAX_CASES);
	wf__seam_point_at("selects", WF__NOTHING);
	if (wf__unlikely(wf__seam && wf__seam->touch))
		touch_channels(cases, n);
	if (n && cases[n - 1].wf__kind == WF__CASE_DEFAULT &&
	    are_operations(cases, n - 1) && none_ready(cases, n - 1))
		return (int)n - 1;	/* the usual form, in short */
	s = (struct wf__selection){ .cases = cases, .n = (unsigned)n,
	    .ordered = ordered };
	wf__selection_examine(&s);
	if (s.fallback >= 0 && none_ready(cases, n))
		return s.fallback;
	wf__selection_sort(&s);
	lock_channels(&s);
	while ((i = run_ready(&s, &wake)) < 0 && s.fallback < 0)
		if (lock_contexts(&s))
			return wait_for_one(&s);
	unlock_from(&s, 0, s.channels);
	if (wake)
		wf__ready(wake);
	return i < 0 ? s.fallback : i;
}

static int
tell_case(int i)
{
	wf__seam_tell("runs case", (uint64_t)i);
	return i;
}

WF_API int
wf_selectv(struct wf_case *cases, size_t n)
{
	return tell_case(select_one(cases, n, false));
}

WF_API int
wf_selectv_ordered(struct wf_case *cases, size_t n)
{
	return tell_case(select_one(cases, n, true));
}
