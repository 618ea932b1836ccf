/* SPDX-License-Identifier: MIT */
/*
 * rwnext.c - who gets an rwmutex next.
 * Layer 3.  Uses: rwunit, wait, spin, lock.
 */
#include "rwnext.h"

#include "seam.h"
#include "spin.h"

#define WAITS ((wf__word)(WF__RW_WRITERS | WF__RW_READERS | WF__RW_QUEUED))

wf__word
wf__rwnext_queues(const struct wf__rwmutex *m, bool units)
{
	wf__word writers = units ? WF__RW_QUEUED | WF__RW_WRITERS :
	    WF__RW_QUEUED;

	return (m->writers.first ? writers : 0) |
	    (m->readers.first ? WF__RW_READERS : 0);
}

/* All readers that wait come in: *n gets their units. */
static struct wf__waiter *
claim_readers(struct wf__rwmutex *m, wf__word *n)
{
	struct wf__waiter *list = wf__waitq_claim_all(&m->readers);

	*n = 0;
	for (struct wf__waiter *w = list; w; w = w->next)
		*n += WF__RW_UNIT;
	return list;
}

/* No writer has it, and none waits for units to go.  (If one comes and takes it
 * this very moment, READERS is down: none waits.) */
static struct wf__waiter *
admit(struct wf__rwmutex *m)
{
	wf__word n, s;
	struct wf__waiter *list = claim_readers(m, &n);

	do {
		s = wf__rwunit_state(m);
	} while (!wf__rwunit_change(m, s, (s & ~WAITS) + n +
	    wf__rwnext_queues(m, false)));
	return list;
}

struct wf__waiter *
wf__rwnext_give(struct wf__rwmutex *m)
{
	struct wf__waiter *w = wf__waitq_claim(&m->writers);
	struct wf__bid *bid;

	if (!w)
		return NULL;
	bid = w->value;
	bid->handed = true;
	wf__store_release(&m->state, WF__RW_HELD |		/* [rw] */
	    WF__RW_HANDED | wf__rwnext_queues(m, false) |
	    (wf__rwunit_state(m) & WF__RW_WOKEN));
	return w;
}

/* With NOTED up WRITERS stays down (I3): the writer who was woken thinks of
 * those who still wait (I6), and gathers. */
void
wf__rwnext_withdraw(struct wf__rwmutex *m)
{
	struct wf__waiter *list = NULL;
	wf__word s, flags;

	do {
		s = wf__rwunit_state(m);
		flags = wf__rwnext_queues(m, !(s & (WF__RW_HELD |
		    WF__RW_NOTED)) && s >= WF__RW_UNIT);
		if (!(s & WF__RW_HELD) && !(flags & WF__RW_WRITERS)) {
			list = admit(m);
			break;
		}
	} while (!wf__rwunit_change(m, s, (s & ~WAITS) | flags));
	wf__unlock(&m->lock);
	wf__waitq_ready_all(list);
}

/* HELD, under the lock: has the first writer waited for too long? */
static bool
writer_starves(const struct wf__rwmutex *m)
{
	const struct wf__bid *bid;

	if (!m->writers.first)
		return false;
	bid = m->writers.first->value;
	return wf__seam_now() - bid->since > WF__STARVED;
}

struct wf__waiter *
wf__rwnext_choose(struct wf__rwmutex *m, wf__word *state)
{
	bool starves = writer_starves(m);
	struct wf__waiter *list = claim_readers(m, state), *w = NULL;
	wf__word s = wf__rwunit_state(m) & WF__RW_WOKEN;
	struct wf__bid *bid;

	if (!s && !(list && starves) && (w = wf__waitq_claim(&m->writers))) {
		bid = w->value;
		bid->handed = starves;
		s = starves ? WF__RW_HELD | WF__RW_HANDED : WF__RW_WOKEN;
		w->next = list;
		list = w;
	}
	*state |= s | wf__rwnext_queues(m, *state && starves);
	return list;
}
