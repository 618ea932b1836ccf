/* SPDX-License-Identifier: MIT */
/*
 * turn.c - in a simulation: who can go on, and who does.
 * Layer 7.  Uses: turn, sim, choice, story, share.
 *
 * What makes a task ready puts it where it always does; gather() takes it from
 * there.  The order does not depend on which queue that was.
 */
#include "turn.h"

#include <weft/time.h>
#include "share.h"
#include "sim.h"

#define sim wf__sim

/* ---- who can go on ---- */

static uint32_t
id_of(struct wf__task *t)
{
	return (uint32_t)(t->kind == WF__START ? wf__start_of(t)->entry.id :
	    wf__coro_of(t)->entry.id);
}

static struct wf__ready *
ready_at(size_t i)
{
	return (struct wf__ready *)sim.ready.items + i;
}

/* Behind those of earlier steps; by number among those of this one. */
static void
add_ready(struct wf__task *t, size_t from)
{
	struct wf__ready r = { t, id_of(t) };
	size_t i;

	if (!wf__vec_add(&sim.ready, sizeof r)) {
		sim.no_memory = true;
		return;
	}
	for (i = sim.ready.n - 1; i > from && ready_at(i - 1)->id > r.id; i--)
		*ready_at(i) = *ready_at(i - 1);
	*ready_at(i) = r;
}

static void
gather_ring(size_t from)
{
	struct wf__tasks all = { 0 };
	struct wf__task *t;

	wf__runq_drain(&sim.worker->queue, &all);
	while ((t = wf__tasks_take(&all)))
		add_ready(t, from);
}

static bool
is_anything_queued(void)
{
	/* Relaxed: nobody else is there. */
	return wf__runq_length(&sim.worker->queue) ||
	    wf__runq_has_next(&sim.worker->queue) ||
	    wf__load_relaxed(&wf__sched.shared.length) ||
	    wf__load_relaxed(&sim.worker->inbox_length);
}

/* It could not go on, and now it can. */
static void
wake(const struct wf__ready *r)
{
	if (r->id == sim.running)
		return;			/* has yielded */
	if (r->task->kind == WF__START)
		wf__order_touch(&sim.order, WF__SPAWNS);
	wf__order_wakes(&sim.order, r->id);
}

void
wf__turn_gather(void)
{
	size_t from = sim.ready.n, n = from;
	struct wf__task *t;

	if (!is_anything_queued())
		return;
	do
		gather_ring(from);
	while (wf__share_take(sim.worker));
	gather_ring(from);
	while ((t = wf__share_take_pinned(sim.worker)))
		add_ready(t, from);
	for (; n < sim.ready.n; n++) {
		wake(ready_at(n));
		if (ready_at(n)->task->kind == WF__CORO &&
		    ready_at(n)->id != sim.running)
			wf__story_tell(&sim.story, sim.running,
			    "lets %u go on", (unsigned)ready_at(n)->id);
	}
}

struct wf__task *
wf__turn_take(uint32_t id)
{
	struct wf__task *t;

	for (size_t i = 0; i < sim.ready.n; i++)
		if (ready_at(i)->id == id) {
			t = ready_at(i)->task;
			wf__vec_remove(&sim.ready, i, sizeof(struct wf__ready));
			return t;
		}
	return NULL;
}

bool
wf__turn_is_ready(uint32_t id)
{
	for (size_t i = 0; i < sim.ready.n; i++)
		if (ready_at(i)->id == id)
			return true;
	return false;
}

void
wf__turn_add(struct wf__task *t)
{
	add_ready(t, sim.ready.n);
}

/* ---- choosing ---- */

static void
add_id(uint32_t id)
{
	uint32_t *at = wf__vec_add(&sim.ids, sizeof id);

	if (at)
		*at = id;
	else
		sim.no_memory = true;
}

static bool
time_may_pass(void)
{
	return sim.options->stalls && !sim.main_ended &&
	    wf__timerq_first(&sim.worker->timers) != WF_FOREVER;
}

/* Among those who are ready; with, if not 0, as well, who is not.  0: the
 * clock, or nobody. */
uint32_t
wf__turn_choose(uint32_t with, bool yields)
{
	struct wf__question q = { .who = sim.running, .yields = yields,
	    .can_go_on = with || yields };

	wf__order_close(&sim.order);
	wf__choice_note(&sim.choice, &sim.order);
	sim.ids.n = 0;
	for (size_t i = 0; i < sim.ready.n; i++)
		add_id(ready_at(i)->id);
	if (with)
		add_id(with);
	if (!sim.ids.n)
		return 0;
	if (time_may_pass())
		add_id(0);
	q.ids = sim.ids.items;
	q.n = sim.ids.n;
	q.state = sim.order.on ? wf__order_state(&sim.order) : 0;
	return sim.no_memory ? q.ids[0] : wf__choice_next(&sim.choice, &q);
}

#undef sim
