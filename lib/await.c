/* SPDX-License-Identifier: MIT */
/*
 * await.c - wait in a queue, with context and deadline; the object stays.
 * Layer 3.  Uses: await, wait, cancel, timer.
 *
 * The object's lock is taken first, dropped last [publish], and taken again
 * before the wait is left: so the commit has ended by then, whoever won.
 */
#include "await.h"

#include <errno.h>

#include <weft/time.h>
#include "cancel.h"

/* What the winner writes into the claim word. */
enum { BY_QUEUE = 1, BY_CANCEL, BY_DEADLINE };

struct await_locks {
	struct wf__lock *last, *first;
};

static void
drop_locks(void *arg)
{
	struct await_locks locks = *(struct await_locks *)arg;

	if (locks.first)
		wf__unlock(locks.first);
	wf__unlock(locks.last);
}

/* With the locks of both held; list is NULL if there is nothing to cancel. */
static int
await(const struct wf__wait *wait, struct wf__cancel_list *list,
    int64_t deadline)
{
	struct wf__task spare, *me = wf__park_self(&spare);
	struct wf__waiter spare_waiter, *w = wf__waiter_of(me, &spare_waiter);
	struct wf__waiter early = { .task = me, .index = BY_CANCEL - 1,
	    .contested = true };
	struct await_locks locks = { wait->lock, list ? &list->lock : NULL };
	struct wf__parking p = { drop_locks, &locks, deadline, BY_DEADLINE,
	    wait->why, wait->number };
	int by = BY_QUEUE;

	w->value = wait->value;
	w->contested = list || deadline != WF_FOREVER;
	wf__waitq_add(wait->queue, w);
	if (list)
		wf__cancel_attach(list, &early);
	wf__park(me, &p);
	if (w->contested)
		by = (int)wf__load_acquire(&me->claim);		/* [claim] */
	if (list && by != BY_CANCEL)
		wf__cancel_detach(wait->cancel, &early);
	if (deadline != WF_FOREVER && me->kind == WF__CORO)
		wf__timer_stop(&wf__coro_of(me)->timer);
	wf__lock(wait->lock);
	if (w->queued)
		wf__waitq_remove(wait->queue, w);
	return by == BY_QUEUE ? 0 : by == BY_DEADLINE ? -ETIMEDOUT :
	    -wf__cancel_state(wait->cancel);
}

int
wf__await(const struct wf__wait *wait, int64_t deadline)
{
	struct wf__cancel_list *list;
	int err;

	if (!wait->cancel || wait->cancel->endless)
		return await(wait, NULL, deadline);
	list = wf__cancel_list(wait->cancel);
	wf__cancel_lock(list);
	if (!(err = wf__cancel_state(wait->cancel)))
		return await(wait, list, deadline);
	wf__unlock(&list->lock);
	return -err;
}

int
wf__await_outside(const struct wf__wait *wait, int64_t deadline)
{
	int err;

	wf__sched_outside(1);
	err = wf__await(wait, deadline);
	wf__sched_outside(-1);
	return err;
}
