/* SPDX-License-Identifier: MIT */
/*
 * runq.c - the rest of push, and steal.
 * Layer 2.  Uses: runq, lock.
 *
 * While the biased lock is held:
 *   I1  tail - head <= WF__RUNQ_SIZE; ring[head .. tail) hold tasks.
 *   I2  a task is in one place: a ring, a next slot, or a list.
 *   I3  length says the same as head and tail.
 */
#include "runq.h"

/* So much of the ring is filled from the shared queue.  More, and the next
 * push would send those away that have waited longest. */
enum { FULL = WF__RUNQ_SIZE * 3 / 4 };

/* I1, and the part of I2 and I3 that one worker can see. */
void
wf__runq_check(struct wf__runq *q)
{
	wf__assert(q->tail - q->head <= WF__RUNQ_SIZE);
	wf__assert(wf__load_relaxed(&q->length) == q->tail - q->head);
	for (uint32_t at = q->head; at != q->tail; at++)
		wf__assert(*wf__runq_slot(q, at) &&
		    *wf__runq_slot(q, at) != wf__runq_next(q));
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
		wf__tasks_add(to, *wf__runq_slot(q, q->head++));
}

static void
append(struct wf__runq *q, struct wf__task *t, struct wf__tasks *spill)
{
	if (wf__unlikely(q->tail - q->head == WF__RUNQ_SIZE ||
	    (wf__runq_is_asked(q) && q->tail != q->head))) {
		wf__runq_ask(q, false);
		halve(q, spill);
	}
	*wf__runq_slot(q, q->tail++) = t;
	wf__runq_publish(q);
}

WF__NOINLINE struct wf__task *
wf__runq_pop_slow(struct wf__runq *q)
{
	struct wf__task *t;

	wf__bias_enter(&q->bias);
	t = wf__runq_take(q);
	wf__bias_leave(&q->bias);
	return t;
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
	old = wf__runq_next(q);
	wf__runq_set_next(q, t);
	if (old)
		append(q, old, spill);
	wf__bias_leave(&q->bias);
}

void
wf__runq_demote_next(struct wf__runq *q, struct wf__tasks *spill)
{
	struct wf__task *old;

	wf__bias_enter(&q->bias);
	if ((old = wf__runq_next(q))) {
		wf__runq_set_next(q, NULL);
		append(q, old, spill);
	}
	wf__bias_leave(&q->bias);
}

size_t
wf__runq_make_room(struct wf__runq *q, size_t n, struct wf__tasks *out)
{
	uint32_t length, room, left;

	wf__bias_enter(&q->bias);
	length = q->tail - q->head;
	room = length < FULL ? FULL - length : 0;
	left = q->head - q->turned;
	left = left < length ? left : length;
	n = n < room + left ? n : room + left;
	if (n > room) {
		q->tail -= (uint32_t)n - room;
		for (uint32_t i = 0; i < n - room; i++)
			wf__tasks_add(out, *wf__runq_slot(q, q->tail + i));
		wf__runq_publish(q);
	}
	q->turned = q->head;
	wf__bias_leave(&q->bias);
	return n;
}

void
wf__runq_drain(struct wf__runq *q, struct wf__tasks *all)
{
	wf__bias_enter(&q->bias);
	if (wf__runq_next(q))
		wf__tasks_add(all, wf__runq_next(q));
	wf__runq_set_next(q, NULL);
	while (q->head != q->tail)
		wf__tasks_add(all, *wf__runq_slot(q, q->head++));
	wf__runq_publish(q);
	wf__bias_leave(&q->bias);
}

void
wf__runq_give(struct wf__runq *q, struct wf__tasks *gift)
{
	wf__bias_enter(&q->bias);
	wf__runq_ask(q, false);
	halve(q, gift);
	wf__runq_publish(q);
	wf__bias_leave(&q->bias);
}

bool
wf__runq_steal(struct wf__runq *q, bool next, struct wf__tasks *loot)
{
	size_t before = loot->n;

	if (!wf__bias_steal(&q->bias))
		return false;
	halve(q, loot);
	wf__runq_publish(q);
	if (next && wf__runq_next(q)) {
		wf__tasks_add(loot, wf__runq_next(q));
		wf__runq_set_next(q, NULL);
	}
	wf__bias_return(&q->bias);
	return loot->n > before;
}
