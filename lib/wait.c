/* SPDX-License-Identifier: MIT */
/*
 * wait.c - wait in one queue, with or without an early end.
 * Layer 3.  Uses: wait, cancel, park.
 *
 * With something that can end it early the task has two waiters, both
 * contested.  The object's lock is taken first and dropped last [publish].  So
 * a winner who came by the object's queue came after the commit had ended, and
 * nothing of the object is touched any more; and who was woken by the other
 * one takes the object's lock, and thereby waits for that end.
 */
#include "wait.h"

#include <weft/time.h>
#include "cancel.h"

enum { RESERVE = 32 };		/* numbers */

struct wf__waiter *
wf__waitq_claim_contested(struct wf__waitq *q)
{
	struct wf__waiter *w;

	while ((w = q->first)) {
		wf__waitq_drop_first(q, w);
		if (wf__waiter_win(w))
			return w;
	}
	return NULL;
}

struct posting {
	struct wf__lock *last, *first;	/* first may be NULL */
	void (*then)(void *arg);	/* or NULL */
	void *arg;
};

static void
unlock_one(void *lock)
{
	wf__unlock(lock);
}

static void
post_wait(void *arg)
{
	struct posting p = *(struct posting *)arg;

	if (p.first)
		wf__unlock(p.first);
	wf__unlock(p.last);
	if (p.then)
		p.then(p.arg);
}

static void
queue_waiter(struct wf__wait *wait, struct wf__waiter *w)
{
	w->value = wait->value;
	wait->begun = true;
	if (wait->first)
		wf__waitq_add_first(wait->queue, w);
	else
		wf__waitq_add(wait->queue, w);
}

static int
wait_for_queue(struct wf__wait *wait)
{
	struct wf__task spare, *me = wf__park_self(&spare);
	struct wf__waiter spare_waiter, *w = wf__waiter_of(me, &spare_waiter);
	struct posting post = { wait->lock, NULL, wait->then, wait->arg };
	struct wf__parking p = { unlock_one, wait->lock, WF_FOREVER, 0,
	    wait->why, wait->number };

	if (wait->then) {
		p.commit = post_wait;
		p.arg = &post;
	}
	queue_waiter(wait, w);
	wf__park(me, &p);
	return 0;
}

/* With the locks of both held. */
static int
wait_for_either(struct wf__wait *wait, struct wf__cancel_list *list)
{
	struct wf__task spare, *me = wf__park_self(&spare);
	struct wf__waiter spare_waiter, *w = wf__waiter_of(me, &spare_waiter);
	struct wf__waiter early = { .task = me, .index = 1,
	    .contested = true };
	struct posting post = { wait->lock, &list->lock, wait->then,
	    wait->arg };
	struct wf__parking p = { post_wait, &post, WF_FOREVER, 0, wait->why,
	    wait->number };

	w->contested = true;
	queue_waiter(wait, w);
	wf__cancel_attach(list, &early);
	wf__park(me, &p);
	if (wf__load_acquire(&me->claim) == w->index + 1) {	/* [claim] */
		wf__cancel_detach(wait->cancel, &early);
		return 0;
	}
	wf__lock(wait->lock);
	if (w->queued)
		wf__waitq_remove(wait->queue, w);
	return -wf__cancel_state(wait->cancel);
}

int
wf__wait(struct wf__wait *wait)
{
	struct wf__cancel_list *list;
	int err;

	if (!wait->cancel || wait->cancel->endless)
		return wait_for_queue(wait);
	list = wf__cancel_list(wait->cancel);
	wf__cancel_lock(list);
	if (!(err = wf__cancel_state(wait->cancel)))
		return wait_for_either(wait, list);
	wf__unlock(&list->lock);
	return -err;
}

static wf__word last_number, shown_from;

/* Relaxed: numbers only have to differ.  A worker takes some in reserve, but in
 * a simulation each is to be the next. */
uint64_t
wf__wait_number(void)
{
	struct wf__worker *w = wf__self();

	wf__seam_touch(WF__NUMBERS);
	if (!w || wf__seam_alone())
		return wf__add_relaxed(&last_number, 1) + 1;
	if (wf__unlikely(w->number_next == w->number_end)) {
		w->number_next = wf__add_relaxed(&last_number, RESERVE);
		w->number_end = w->number_next + RESERVE;
	}
	return ++w->number_next;
}

uint64_t
wf__wait_shown(uint64_t n)
{
	/* Relaxed: it changes while nobody else is there. */
	wf__word from = wf__load_relaxed(&shown_from);

	return n > from ? n - from : n;
}

uint64_t
wf__wait_show_anew(bool anew)
{
	wf__word from = anew ? wf__load_relaxed(&last_number) : 0;

	wf__store_relaxed(&shown_from, from);
	return from;
}

/* In a simulation nobody else can give it one meanwhile. */
static uint64_t
number_alone(uint64_t *number)
{
	if (!wf__seam_alone())
		return 0;
	if (!*number)
		*number = wf__wait_number();
	return *number;
}

WF__NOINLINE void
wf__wait_point_slow(const char *what, uint64_t *number)
{
	wf__seam_point_at(what, number_alone(number));
}

WF__NOINLINE void
wf__wait_touch_slow(uint64_t *number)
{
	wf__seam_touch(number_alone(number));
}

struct wf__waiter *
wf__waiters_join(struct wf__waiter *list, struct wf__waiter *more)
{
	struct wf__waiter *w = list;

	if (!list)
		return more;
	while (w->next)
		w = w->next;
	w->next = more;
	return list;
}
