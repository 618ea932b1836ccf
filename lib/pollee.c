/* SPDX-License-Identifier: MIT */
/*
 * pollee.c - one descriptor: its edges, and who waits for it.
 * Layer 6.  Uses: poller, await, os.
 *
 * What arrives, from the system or from a simulated network, is remembered as
 * an edge, and its waiters are taken off, under the lock: see poller.c.
 */
#include "poller.h"

#include "park.h"

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
	for (int side = 0; side < 2; side++)
		p->edge[side] |= (what & WF__OS_IN << side) != 0;
	p->ended |= (what & WF__OS_END) != 0;
	return wf__pollee_take(p, what);
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

int
wf__pollee_wait(struct wf__pollee *p, enum wf__side side,
    struct wf__cancel *cancel, int64_t deadline, const char *why)
{
	struct wf__wait wait = { .lock = &p->lock, .queue = &p->waiters[side],
	    .cancel = cancel, .number = p->number, .why = why };

	return p->simulated ? wf__await(&wait, deadline) :
	    wf__await_outside(&wait, deadline);
}
