/* SPDX-License-Identifier: MIT */
/*
 * pollee.c - one descriptor: its edges, and who waits for it.
 * Layer 6.  Uses: poller, await, os.
 *
 * What arrives, from the system or from a simulated network, is an edge: under
 * the lock it is given to who waits for it, or else remembered.  See poller.c.
 *
 * Whoever waits with a deadline needs the alarm not later than that.  It stays
 * set when the wait is over, and is left as it is by the next one whose
 * deadline is not earlier; so reads that each have a later deadline than the
 * one before set and stop no timer.  When it goes off, who waits on any side
 * looks again, and if his deadline is still to come, sets it anew.  A
 * connection that nobody reads from any more may so wake the process one time
 * more, and closing it stops that.
 *
 *   While the lock is held: somebody waits with a deadline, and has not been
 *   woken  =>  the alarm is set for that time or earlier, or the one who runs
 *   it is about to take the lock.
 */
#include "poller.h"

#include <weft/time.h>
#include "sched.h"

struct wf__waiter *
wf__pollee_take(struct wf__pollee *p, unsigned what)
{
	struct wf__waiter *list = NULL;

	for (int i = 0; i < 3; i++)
		if (what & (unsigned)(i + 1))
			list = wf__waiters_join(list,
			    wf__waitq_claim_all(&p->waiters[i]));
	return list;
}

void
wf__pollee_ready(struct wf__waiter *list)
{
	struct wf__waiter *next;

	for (; list; list = next) {
		next = list->next;	/* gone once its task runs */
		wf__ready_behind(list->task);
	}
}

unsigned
wf__pollee_awaited(const struct wf__pollee *p)
{
	return (p->waiters[WF__READ].first ? WF__OS_IN : 0) |
	    (p->waiters[WF__WRITE].first ? WF__OS_OUT : 0) |
	    (p->waiters[WF__BOTH].first ? WF__OS_IN | WF__OS_OUT : 0);
}

struct wf__waiter *
wf__pollee_note(struct wf__pollee *p, unsigned what)
{
	struct wf__waiter *list = NULL, *w;

	for (int side = WF__WRITE; side >= WF__READ; side--) {
		if (!(what & WF__OS_IN << side))
			continue;
		if ((w = wf__waitq_claim(&p->waiters[side]))) {
			*(bool *)w->value = true;
			w->next = list;
			list = w;
		} else
			p->edge[side] = true;
	}
	p->ended |= (what & WF__OS_END) != 0;
	return list;
}

void
wf__pollee_change(struct wf__pollee *p, unsigned what)
{
	struct wf__waiter *list;

	wf__lock(&p->lock);
	list = wf__pollee_note(p, what);
	wf__unlock(&p->lock);
	wf__pollee_ready(list);
}

/* Who runs it may come late, and find it set by somebody else, or the slot of
 * another descriptor: then somebody looks in vain. */
void
wf__pollee_alarm(struct wf__timer *t, bool expired)
{
	struct wf__pollee *p = wf__container_of(t, struct wf__pollee, alarm);
	struct wf__waiter *list;

	if (!expired)
		return;
	wf__lock(&p->lock);
	list = wf__pollee_take(p, WF__OS_IN | WF__OS_OUT);
	wf__unlock(&p->lock);
	wf__pollee_ready(list);
}

/* Under the lock.  False if it cannot be: the wait is to have a timer of its
 * own, in a simulation so that time passes only as it must. */
static bool
set_alarm(struct wf__pollee *p, int64_t deadline)
{
	struct wf__worker *w = wf__self();
	struct wf__timer *t = &p->alarm;

	if (!w || p->simulated)
		return false;
	if (wf__load_acquire(&t->home) && t->node.key <= deadline) /* [fire] */
		return true;
	wf__timer_stop(t);
	wf__timer_start(&w->timers, t, deadline);
	return true;
}

/* Without a timer of its own there is no need to take the lock again. */
static bool
wait_for_edge(struct wf__pollee *p, struct wf__wait *wait, int64_t deadline)
{
	bool *edge = wait->value;

	if (deadline != WF_FOREVER && !set_alarm(p, deadline)) {
		wf__await(wait, deadline);
		if (*edge)
			wf__unlock(&p->lock);
	} else if (!wf__wait(wait) && !*edge)
		wf__lock(&p->lock);
	return *edge;
}

bool
wf__pollee_wait(struct wf__pollee *p, enum wf__side side,
    struct wf__cancel *cancel, int64_t deadline, const char *why)
{
	bool edge = false, outside = !p->simulated;
	struct wf__wait wait = { .lock = &p->lock, .queue = &p->waiters[side],
	    .cancel = cancel, .value = &edge, .number = p->number,
	    .why = why };

	if (outside)
		wf__sched_outside(1);
	wait_for_edge(p, &wait, deadline);
	if (outside)
		wf__sched_outside(-1);
	return edge;
}
