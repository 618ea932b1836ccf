/* SPDX-License-Identifier: MIT */
/*
 * order.c - which steps of a schedule depend on each other.
 * Layer 7.  Uses: order, vec.
 *
 * A step goes by a hash of all that it depends on, so that it has the same one
 * in each schedule in which it depends on the same; numbers of objects, which
 * depend on the schedule, are no part of it.  The sum over the last steps of
 * all is the state: it says what has happened, but not in which order, where
 * that makes no difference.
 *
 * Every touch counts as a change.  A step that wakes another one touches all
 * that the other's last step has touched, and so does the step that goes on
 * from there: where a select waits on several objects, who wakes it by one
 * withdraws it from the others.
 *
 * Clocks are vector clocks, after F. Mattern, "Virtual time and global states
 * of distributed systems", 1989.
 */
#include "order.h"

struct doer {
	uint32_t last;			/* step, + 1 */
	uint32_t woken;			/* by this step, + 1, or 0 */
	uint32_t nth;			/* steps so far */
	size_t from, end;		/* of the last step, in prints */
};

enum { PLACES = 3 };			/* of those with a name */

static uint64_t
join(uint64_t a, uint64_t b)
{
	uint64_t z = a + b * UINT64_C(0x9e3779b97f4a7c15) +
	    UINT64_C(0x632be59bd9b4e019);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static struct doer *
doer_of(struct wf__order *o, uint32_t who)
{
	static struct doer nobody;

	if (!wf__vec_reach(&o->doers, (size_t)who + 1, sizeof(struct doer))) {
		o->no_memory = true;
		return &nobody;
	}
	return (struct doer *)o->doers.items + who;
}

static uint32_t *
last_at(struct wf__order *o, uint32_t place)
{
	static uint32_t nothing;

	if (!wf__vec_reach(&o->objects, (size_t)place + 1, sizeof(uint32_t))) {
		o->no_memory = true;
		return &nothing;
	}
	return (uint32_t *)o->objects.items + place;
}

static uint32_t
print_at(const struct wf__order *o, size_t i)
{
	return ((const uint32_t *)o->prints.items)[i];
}

/* The last step. */
static struct wf__step *
present(const struct wf__order *o)
{
	static struct wf__step nothing;

	return o->steps.n ? wf__order_at(o, o->steps.n - 1) : &nothing;
}

void
wf__order_begin(struct wf__order *o, bool on, bool has_clocks)
{
	o->on = on;
	o->has_clocks = has_clocks;
	o->no_memory = o->crowded = o->open = false;
	o->steps.n = o->clocks.n = o->doers.n = o->objects.n = 0;
	o->prints.n = o->woken.n = o->rivals.n = o->from = 0;
	o->last_all = 0;
	o->lots = o->state = 0;
}

void
wf__order_free(struct wf__order *o)
{
	wf__vec_free(&o->steps, sizeof(struct wf__step));
	wf__vec_free(&o->clocks, sizeof(uint32_t[WF__ORDER_WHO]));
	wf__vec_free(&o->doers, sizeof(struct doer));
	wf__vec_free(&o->objects, sizeof(uint32_t));
	wf__vec_free(&o->prints, sizeof(uint32_t));
	wf__vec_free(&o->woken, sizeof(uint32_t));
	wf__vec_free(&o->rivals, sizeof(uint32_t));
}

/* ---- touching ---- */

static void
touch_place(struct wf__order *o, uint32_t place)
{
	uint32_t *p;

	for (size_t i = o->from; i < o->prints.n; i++)
		if (print_at(o, i) == place)
			return;
	if ((p = wf__vec_add(&o->prints, sizeof *p)))
		*p = place;
	else
		o->no_memory = true;
}

void
wf__order_touch(struct wf__order *o, uint64_t object)
{
	if (!o->on || !o->open || object == WF__NOTHING)
		return;
	if (object == WF__TIMERS)
		touch_place(o, 0);
	else if (object == WF__SPAWNS)
		touch_place(o, 1);
	else if (object == WF__NUMBERS)
		touch_place(o, 2);
	else if (object != WF__ANYTHING && object < UINT32_MAX - PLACES)
		touch_place(o, (uint32_t)object + PLACES);
	else
		present(o)->all = true;
}

/* Also what who's last step has. */
static void
touch_like(struct wf__order *o, uint32_t who)
{
	struct doer *d = doer_of(o, who);

	if (d->last && wf__order_at(o, d->last - 1)->all)
		present(o)->all = true;
	for (size_t i = d->from; i < d->end; i++)
		touch_place(o, print_at(o, i));
}

void
wf__order_wakes(struct wf__order *o, uint32_t who)
{
	uint32_t *w;

	if (!o->on || !o->open)
		return;
	touch_like(o, who);
	if ((w = wf__vec_add(&o->woken, sizeof *w)))
		*w = who;
	else
		o->no_memory = true;
}

void
wf__order_lot(struct wf__order *o, uint32_t lot)
{
	o->lots = join(o->lots, lot);
}

/* ---- steps ---- */

void
wf__order_step(struct wf__order *o, uint32_t who)
{
	struct wf__step *s;

	if (!o->on)
		return;
	wf__order_close(o);
	if (!(s = wf__vec_add(&o->steps, sizeof *s))) {
		o->no_memory = true;
		return;
	}
	s->who = who;
	s->all = !who;
	o->from = o->prints.n;
	o->lots = o->woken.n = 0;
	o->open = true;
	if (doer_of(o, who)->woken)
		touch_like(o, who);
}

static uint64_t
step_hash(const struct wf__order *o, uint32_t step)
{
	return step ? wf__order_at(o, step - 1)->hash : 0;
}

/* A hash of all that the present step depends on, but for lots. */
static uint64_t
causes(struct wf__order *o, const struct doer *d)
{
	uint64_t sum = join(1, step_hash(o, d->last)) +
	    join(2, step_hash(o, d->woken)) +
	    join(3, present(o)->all ? o->state : step_hash(o, o->last_all));

	for (size_t i = o->from; i < o->prints.n; i++)
		sum += join(4, step_hash(o, *last_at(o, print_at(o, i))));
	return sum;
}

/* ---- clocks ---- */

static uint32_t *
clock_at(const struct wf__order *o, size_t step)
{
	return (uint32_t *)o->clocks.items + step * WF__ORDER_WHO;
}

/* The last step comes after another one, if there is any. */
static void
comes_after(struct wf__order *o, uint32_t step)
{
	uint32_t *to = clock_at(o, o->steps.n - 1);
	const uint32_t *from = step ? clock_at(o, step - 1) : to;

	for (int i = 0; i < WF__ORDER_WHO; i++)
		if (from[i] > to[i])
			to[i] = from[i];
}

/* The last step depends on this one; does it race with it? */
static void
add_rival(struct wf__order *o, uint32_t step)
{
	const uint32_t *clock = clock_at(o, o->steps.n - 1);
	uint32_t *r;

	if (!step || clock[wf__order_at(o, step - 1)->who] >=
	    wf__order_at(o, step - 1)->nth)
		return;
	if ((r = wf__vec_add(&o->rivals, sizeof *r)))
		*r = step;
	else
		o->no_memory = true;
}

static void
set_clock(struct wf__order *o, uint32_t who)
{
	const struct doer *d = o->doers.items;
	const uint32_t *rivals;

	if (who >= WF__ORDER_WHO || !wf__vec_reach(&o->clocks, o->steps.n,
	    sizeof(uint32_t[WF__ORDER_WHO]))) {
		o->crowded = true;
		return;
	}
	comes_after(o, d[who].last);
	comes_after(o, d[who].woken);
	o->rivals.n = 0;
	add_rival(o, o->last_all);
	for (size_t i = 0; present(o)->all && i < o->doers.n; i++)
		add_rival(o, d[i].last);
	for (size_t i = o->from; i < o->prints.n; i++)
		add_rival(o, *last_at(o, print_at(o, i)));
	rivals = o->rivals.items;
	for (size_t i = 0; i < o->rivals.n; i++)
		comes_after(o, rivals[i]);
	clock_at(o, o->steps.n - 1)[who] = present(o)->nth;
}

/* Does another rival depend on the i-th? */
static bool
is_outdone(const struct wf__order *o, size_t i)
{
	const uint32_t *r = o->rivals.items;

	for (size_t j = 0; j < o->rivals.n; j++)
		if (r[j] != r[i] && wf__order_before(o, r[i] - 1, r[j] - 1))
			return true;
	return false;
}

void
wf__order_races(struct wf__order *o, void (*race)(size_t step, void *arg),
    void *arg)
{
	for (size_t i = 0; i < o->rivals.n; i++)
		if (!is_outdone(o, i))
			race(((uint32_t *)o->rivals.items)[i] - 1, arg);
}

/* ---- the end of a step ---- */

/* It is the last one of all that it has to do with. */
static void
leave_prints(struct wf__order *o)
{
	struct wf__step *s = present(o);
	uint32_t step = (uint32_t)o->steps.n;
	struct doer *d = doer_of(o, s->who);

	for (size_t i = o->from; i < o->prints.n; i++) {
		*last_at(o, print_at(o, i)) = step;
		s->mask |= UINT64_C(1) << (print_at(o, i) % 64);
	}
	if (s->all) {
		s->mask = UINT64_MAX;
		o->last_all = step;
	}
	*d = (struct doer){ step, 0, s->nth, o->from,
	    o->prints.n };
	for (size_t i = 0; i < o->woken.n; i++)
		doer_of(o, ((uint32_t *)o->woken.items)[i])->woken = step;
}

void
wf__order_close(struct wf__order *o)
{
	struct wf__step *s = present(o);
	struct doer *d;

	if (!o->open)
		return;
	o->open = false;
	d = doer_of(o, s->who);
	s->nth = d->nth + 1;
	s->hash = join(join(s->who, o->lots), causes(o, d));
	o->state += join(s->who, s->hash) -
	    (d->last ? join(s->who, step_hash(o, d->last)) : 0);
	if (o->has_clocks && !o->crowded)
		set_clock(o, s->who);
	leave_prints(o);
}
