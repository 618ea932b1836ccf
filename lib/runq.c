/* SPDX-License-Identifier: MIT */
/*
 * runq.c - push, pop and steal.
 * Layer 2.  Uses: runq, lock.
 *
 * While the biased lock is held:
 *   I1  tail - head <= WF__RUNQ_SIZE; ring[head .. tail) hold tasks.
 *   I2  a task is in one place: a ring, a next slot, or a list.
 *   I3  length and has_next say the same as head, tail and next.
 */
#include "runq.h"

static struct wf__task **
slot(struct wf__runq *q, uint32_t at)
{
	return &q->ring[at % WF__RUNQ_SIZE];
}

/* I1, and the part of I2 and I3 that one worker can see. */
static void
wf__runq_check(struct wf__runq *q)
{
	wf__assert(q->tail - q->head <= WF__RUNQ_SIZE);
	wf__assert(wf__load_relaxed(&q->length) == q->tail - q->head);
	wf__assert(!wf__load_relaxed(&q->has_next) == !q->next);
	for (uint32_t at = q->head; at != q->tail; at++)
		wf__assert(*slot(q, at) && *slot(q, at) != q->next);
}

/* I3. */
static void
publish(struct wf__runq *q)
{
	wf__store_release(&q->length, q->tail - q->head);	/* [runq] */
	if (WF__CHECKING)
		wf__runq_check(q);
}

static void
set_next(struct wf__runq *q, struct wf__task *t)
{
	q->next = t;
	wf__store_release(&q->has_next, t != NULL);		/* [runq] */
}

void
wf__runq_init(struct wf__runq *q)
{
	memset(q, 0, sizeof *q);
	wf__bias_init(&q->bias);
}

/* The older half of the ring to a list. */
static void
halve(struct wf__runq *q, struct wf__tasks *to)
{
	uint32_t n = (q->tail - q->head + 1) / 2;

	while (n--)
		wf__tasks_add(to, *slot(q, q->head++));
}

static void
append(struct wf__runq *q, struct wf__task *t, struct wf__tasks *spill)
{
	if (wf__unlikely(q->tail - q->head == WF__RUNQ_SIZE ||
	    (wf__runq_is_asked(q) && q->tail != q->head))) {
		wf__runq_ask(q, false);
		halve(q, spill);
	}
	*slot(q, q->tail++) = t;
	publish(q);
}

void
wf__runq_push(struct wf__runq *q, struct wf__task *t, struct wf__tasks *spill)
{
	wf__bias_enter(&q->bias);
	append(q, t, spill);
	wf__bias_leave(&q->bias);
}

void
wf__runq_push_next(struct wf__runq *q, struct wf__task *t,
    struct wf__tasks *spill)
{
	struct wf__task *old;

	wf__bias_enter(&q->bias);
	old = q->next;
	set_next(q, t);
	if (old)
		append(q, old, spill);
	wf__bias_leave(&q->bias);
}

struct wf__task *
wf__runq_pop(struct wf__runq *q)
{
	struct wf__task *t;

	wf__bias_enter(&q->bias);
	if ((t = q->next))
		set_next(q, NULL);
	else if (q->head != q->tail) {
		t = *slot(q, q->head++);
		publish(q);
	}
	wf__bias_leave(&q->bias);
	return t;
}

void
wf__runq_demote_next(struct wf__runq *q, struct wf__tasks *spill)
{
	struct wf__task *old;

	wf__bias_enter(&q->bias);
	if ((old = q->next)) {
		set_next(q, NULL);
		append(q, old, spill);
	}
	wf__bias_leave(&q->bias);
}

void
wf__runq_drain(struct wf__runq *q, struct wf__tasks *all)
{
	wf__bias_enter(&q->bias);
	if (q->next)
		wf__tasks_add(all, q->next);
	set_next(q, NULL);
	while (q->head != q->tail)
		wf__tasks_add(all, *slot(q, q->head++));
	publish(q);
	wf__bias_leave(&q->bias);
}

void
wf__runq_give(struct wf__runq *q, struct wf__tasks *gift)
{
	wf__bias_enter(&q->bias);
	wf__runq_ask(q, false);
	halve(q, gift);
	publish(q);
	wf__bias_leave(&q->bias);
}

bool
wf__runq_steal(struct wf__runq *q, bool next, struct wf__tasks *loot)
{
	size_t before = loot->n;

	if (!wf__bias_steal(&q->bias))
		return false;
	halve(q, loot);
	publish(q);
	if (next && q->next) {
		wf__tasks_add(loot, q->next);
		set_next(q, NULL);
	}
	wf__bias_return(&q->bias);
	return loot->n > before;
}
