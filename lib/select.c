/* SPDX-License-Identifier: MIT */
/*
 * select.c - one of several operations, judged at one instant.
 * Layer 3.  Uses: selection, chan, cancel, wait, park, timer.
 *
 *   1. Look at all channels without a lock.  If one is ready, lock that one
 *      and look again: if nothing has changed, do it.  If none is, and there
 *      is a default: look again.  (selection.h)
 *   2. Else lock all, in the order of their addresses, pick one of the ready
 *      cases by lot (or the first), do it, unlock.
 *   3. None: the default, or lock what the contexts' waiters are attached to,
 *      queue a waiter everywhere and park; the locks are dropped after the
 *      switch, the first one last [publish].
 *   4. The first to change the claim word runs its case [claim]; the
 *      awakened task takes its other waiters off, in lock order.
 *
 * A context needs no lock to be judged: done is for ever, so that it is done,
 * or not, at the one instant at which its state is read while all channels are
 * locked.  Locking it to park, its state is read again.
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
	_Static_assert(sizeof(struct wf__waiter) <=
	    WF__PLACE * sizeof c->wf__node[0], "room in struct wf_case");
	_Static_assert((WF__PLACE + 1) * sizeof c->wf__node[0] <=
	    sizeof c->wf__node, "and for a place");
	return (struct wf__waiter *)(void *)c->wf__node;
}

/* This place's case has the same lock as the one before. */
static bool
repeats(const struct wf__selection *s, const struct wf_case *place)
{
	return place > s->cases && wf__lock_at(place) == wf__lock_at(place - 1);
}

/* How many of their cases may run. */
static unsigned
lock_channels(struct wf__selection *s)
{
	struct wf_case *place = s->cases, *end = place + s->channels;
	struct wf_channel *before = NULL, *chan;
	unsigned n = 0;

	for (; place < end; place++, before = chan) {
		chan = wf__case_at(place)->wf__object;
		if (wf__likely(chan != before))
			wf__lock(&chan->lock);
		else
			s->repeats = true;
		n += wf__chan_can(chan, wf__case_at(place)->wf__kind);
	}
	return n;
}

/* Those of the places from first on, the first one last; after that, nothing of
 * the cases is touched.  [publish] */
static void
unlock_from(const struct wf_case *first, const struct wf_case *end)
{
	struct wf__lock *lock, *next;

	if (first == end)
		return;
	for (lock = wf__lock_at(--end); end-- > first; lock = next)
		if ((next = wf__lock_at(end)) != lock)
			wf__unlock(lock);
	wf__unlock(lock);
}

static void
unlock_all(void *arg)
{
	const struct wf__selection *s = arg;

	unlock_from(s->cases, s->cases + s->active);
}

/* With the channels locked: false, and unlocked again, if one is done. */
static bool
lock_contexts(struct wf__selection *s)
{
	struct wf_case *first = s->cases + s->channels, *place, *c;

	for (place = first; place < s->cases + s->active; place++) {
		c = wf__case_at(place);
		if (repeats(s, place))
			s->repeats = true;
		else
			wf__cancel_lock(c->wf__value);
		if (wf__cancel_state(c->wf__object)) {
			unlock_from(first, place + 1);
			return false;
		}
	}
	return true;
}

/* ---- judging ---- */

/* Under its lock: do the case, if it is ready after all. */
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

/* The n-th of the cases that may run; NULL if there are not so many. */
static struct wf_case *
nth_that_may_run(const struct wf__selection *s, uint32_t n)
{
	struct wf_case *c = s->cases, *end = c + s->n;

	for (; c < end; c++)
		if (wf__case_is_active(c) && wf__case_may_run(c) && !n--)
			return c;
	return NULL;
}

static unsigned
count_that_may_run(const struct wf__selection *s, unsigned from)
{
	unsigned n = 0;

	for (unsigned k = from; k < s->active; k++)
		n += wf__case_may_run(wf__case_at(&s->cases[k]));
	return n;
}

/* Of n cases that may run, one by lot, or the first. */
static struct wf_case *
choose(const struct wf__selection *s, unsigned n)
{
	return nth_that_may_run(s, n > 1 && !s->ordered ?
	    wf__sched_lot(n) : 0);
}

/* Under the locks: run one of n cases that may run; NULL if none was ready.  An
 * attempt fails only on waiters that have been won elsewhere, and takes them
 * away: so the loop ends. */
static struct wf_case *
run_ready(struct wf__selection *s, unsigned n, struct wf__task **wake)
{
	struct wf_case *c;

	for (; n; n = count_that_may_run(s, 0))
		if (attempt(c = choose(s, n), wake))
			return c;
	return NULL;
}

/* Without the locks of all; NULL: it is not to be had so. */
static inline struct wf_case *
run_at_once(struct wf__selection *s, struct wf__task **wake)
{
	const struct wf__view *v = &s->view;
	struct wf_channel *chan;
	struct wf_case *c;
	bool done;

	if (v->held)
		return NULL;
	if (!v->ready)
		return s->fallback && wf__selection_is_same(s, NULL) ?
		    s->fallback : NULL;
	c = v->ready > 1 && !s->ordered ? choose(s, v->ready) : v->first;
	if (wf__unlikely(!c))
		return NULL;
	chan = c->wf__object;
	if (wf__unlikely(wf__case_is_done(c)))
		done = wf__selection_is_same(s, NULL) && attempt(c, wake);
	else {
		wf__lock(&chan->lock);
		done = wf__selection_is_same(s, &chan->lock) &&
		    attempt(c, wake);
		wf__unlock(&chan->lock);
	}
	return done ? c : NULL;
}

/* ---- waiting ---- */

static struct wf__waitq *
queue_of(struct wf_channel *chan, uint32_t kind)
{
	return kind == WF__CASE_RECV ? &chan->receivers : &chan->senders;
}

static void
enqueue(struct wf_case *c, unsigned index, bool late, struct wf__task *me)
{
	struct wf_channel *chan = c->wf__object;
	struct wf__waiter *w = waiter_of(c);
	uint32_t kind = c->wf__kind;

	w->task = me;
	w->value = c->wf__value;
	w->index = index;
	w->contested = true;
	w->ok = false;
	w->late = late;
	if (wf__unlikely(kind == WF__CASE_DONE)) {
		wf__cancel_attach(c->wf__value, w);
		return;
	}
	wf__waitq_add(queue_of(chan, kind), w);
	wf__chan_publish_waiter(chan,
	    WF__CAN_RECV + WF__CAN_SEND - kind);
}

/* Cases of one channel come in order.  On its close, sends and receives can
 * both run: a receive behind a send is then to let it go first. */
static void
enqueue_all(struct wf__selection *s, struct wf__task *me)
{
	struct wf_case *cases = s->cases, *place = cases, *c;
	struct wf_case *end = cases + s->active;
	bool behind_send = false;

	for (; place < end; place++) {
		c = wf__case_at(place);
		if (!s->repeats || !repeats(s, place))
			behind_send = false;
		enqueue(c, (unsigned)(c - cases), s->ordered && behind_send,
		    me);
		behind_send |= c->wf__kind == WF__CASE_SEND;
	}
}

static void
dequeue(struct wf_case *c)
{
	struct wf_channel *chan = c->wf__object;
	struct wf__waiter *w = waiter_of(c);
	struct wf__waitq *q;

	if (wf__unlikely(wf__case_is_done(c))) {
		wf__cancel_detach(c->wf__object, w);
		return;
	}
	q = queue_of(chan, c->wf__kind);
	wf__lock(&chan->lock);
	if (wf__likely(w->queued)) {
		wf__waitq_remove(q, w);
		if (!q->first)
			wf__chan_publish(chan);
	}
	wf__unlock(&chan->lock);
}

/*
 * Take off the waiters of the cases that did not win, in lock order.  The
 * winner's is off, and its object may be freed by now.  If that one's lock is
 * the first, it was won after unlock_all() had dropped it, and so had ended.
 */
static void
dequeue_losers(struct wf__selection *s, const struct wf_case *winner)
{
	struct wf_case *place = s->cases, *end = place + s->active;

	for (; place < end; place++)
		if (wf__case_at(place) != winner)
			dequeue(wf__case_at(place));
}

static int64_t
deadline_of(const struct wf__selection *s)
{
	int64_t ns, now;

	if (!s->timeout)
		return WF_FOREVER;
	ns = s->timeout->wf__timeout;
	now = wf__seam_now();
	return ns > WF_FOREVER - now ? WF_FOREVER : now + ns;
}

/* With all locks held: queue up everywhere, park, clear up. */
static struct wf_case *
wait_for_one(struct wf__selection *s)
{
	struct wf__task spare, *me = wf__park_self(&spare);
	/* Without a lock to be dropped last, *s may be gone as soon as the
	 * deadline is started. */
	struct wf__parking p = { s->active ? unlock_all : NULL, s,
	    deadline_of(s), s->timeout ?
	    (wf__word)wf__case_index(s, s->timeout) + 1 : 0,
	    wf__selection_why, s->active };
	struct wf_case *c;

	wf__selection_show(s, me);
	if (s->repeats && !s->ordered)
		wf__selection_mix(s);
	enqueue_all(s, me);
	wf__park(me, &p);
	c = &s->cases[wf__load_acquire(&me->claim) - 1];	/* [claim] */
	dequeue_losers(s, c);
	if (p.deadline != WF_FOREVER && me->kind == WF__CORO)
		wf__timer_stop(&wf__coro_of(me)->timer);
	if (c->wf__ok)		/* of an operation */
		*c->wf__ok = waiter_of(c)->ok;
	return c;
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

/* Under the locks of all, or after a wait. */
static struct wf_case *
run_or_wait(struct wf__selection *s, struct wf__task **wake)
{
	struct wf_case *c;
	unsigned n;

	wf__selection_sort(s);
	s->repeats = false;
	n = lock_channels(s);
	n += count_that_may_run(s, s->channels);
	while (!(c = run_ready(s, n, wake)) && !s->fallback) {
		if (lock_contexts(s))
			return wait_for_one(s);
		n = count_that_may_run(s, 0);
	}
	unlock_from(s->cases, s->cases + s->channels);
	return c ? c : s->fallback;
}

WF__NOINLINE static int
select_one(struct wf_case *cases, size_t n, bool ordered)
{
	static struct wf_case none;
	struct wf__selection s;
	struct wf__task *wake = NULL;
	struct wf_case *c;

	if (n > MAX_CASES)
		wf__misuse("wf_select", "%zu cases, at most %d", n, MAX_CASES);
	wf__seam_point_at("selects", WF__NOTHING);
	if (wf__unlikely(wf__seam && wf__seam->touch))
		touch_channels(cases, n);
	s.cases = n ? cases : &none;	/* not NULL, to be reckoned with */
	s.n = (unsigned)n;
	s.ordered = ordered;
	wf__selection_examine(&s);
	c = run_at_once(&s, &wake);
	if (!c)
		c = run_or_wait(&s, &wake);
	if (wake)
		wf__ready(wake);
	wf__seam_tell("runs case", (uint64_t)wf__case_index(&s, c));
	return wf__case_index(&s, c);
}

/* Channels that are not ready, and a default: the usual form, in short.  Of one
 * channel, one look is an instant. */
static inline bool
is_in_vain(const struct wf_case *cases, size_t n)
{
	if (n < 2 || wf__seam)
		return false;
	if (wf__likely(n == 2))
		return cases[1].wf__kind == WF__CASE_DEFAULT &&
		    wf__kind_is_operation(cases->wf__kind) &&
		    (!cases->wf__object || !wf__case_may_run(cases));
	return cases[n - 1].wf__kind == WF__CASE_DEFAULT &&
	    wf__selection_is_vain(cases, &cases[n - 1]);
}

WF_API int
wf_selectv(struct wf_case *cases, size_t n)
{
	return is_in_vain(cases, n) ? (int)n - 1 :
	    select_one(cases, n, false);
}

WF_API int
wf_selectv_ordered(struct wf_case *cases, size_t n)
{
	return is_in_vain(cases, n) ? (int)n - 1 :
	    select_one(cases, n, true);
}

/* ---- a channel and a context ---- */

/* The context goes first: a loop ends when it is done, however full the
 * channel. */
WF_API int
wf_chan_send_ctx_raw(wf_ctx *ctx, struct wf_channel *c, const void *v)
{
	bool ok = false;

	wf__chan_check_null(c, "wf_send_ctx");
	if (!ctx)
		return -EINVAL;
	if (wf_select_ordered(wf_on_done(ctx), WF__PUT(c,
	    (void *)(uintptr_t)v, &ok, 0, WF__CASE_SEND)) == 0)
		return wf_ctx_err(ctx);
	return ok;
}

WF_API int
wf_chan_recv_ctx_raw(wf_ctx *ctx, struct wf_channel *c, void *v)
{
	bool ok = false;

	wf__chan_check_null(c, "wf_recv_ctx");
	if (!ctx)
		return -EINVAL;
	if (wf_select_ordered(wf_on_done(ctx),
	    WF__PUT(c, v, &ok, 0, WF__CASE_RECV)) == 0)
		return wf_ctx_err(ctx);
	return ok;
}
