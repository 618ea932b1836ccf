/* SPDX-License-Identifier: MIT */
/*
 * choice.c - choosing plainly, by lot, by priorities, or each in turn.
 * Layer 7.  Uses: choice, vec.
 *
 * Priorities are after S. Burckhardt, P. Kothari, M. Musuvathi, S. Nagarakatte,
 * "A randomized scheduler with probabilistic guarantees of finding bugs",
 * ASPLOS 2010; who yields falls below all others.
 *
 * To take each schedule in turn, the path of the last one is kept: at each
 * choice how many answers there were, and which was taken.  The next one takes
 * the next answer at the last choice that has one, and plain ones from there
 * on.  After M. Musuvathi, S. Qadeer, "Iterative context bounding for
 * systematic testing of multithreaded programs", PLDI 2007.  A schedule is cut
 * off where it comes to a state that another one has been in, with no more
 * preemptions: what can follow has followed there.  After the same authors'
 * "Partial-order reduction for context-bounded state exploration", MSR-TR
 * 2007-12.
 */
#include "choice.h"

enum { STREAK = 1000 };		/* steps in a row, then it counts as a yield */

struct chooser {
	uint32_t nth;		/* choices asked of it so far */
	uint32_t rands;
	uint32_t deviation;	/* its next: index + 1, or 0 */
	int64_t priority;	/* 0: not seen yet */
};

struct fork {
	uint32_t answers, taken;
};

static struct wf__deviation spare;	/* where there is no memory */

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t
draw(struct wf__choice *c)
{
	return mix(c->random += UINT64_C(0x9e3779b97f4a7c15));
}

static struct chooser *
chooser_of(struct wf__choice *c, uint32_t who)
{
	static struct chooser nobody;

	if (!wf__vec_reach(&c->choosers, (size_t)who + 1,
	    sizeof(struct chooser))) {
		c->no_memory = true;
		return &nobody;
	}
	return (struct chooser *)c->choosers.items + who;
}

/* ---- the beginning ---- */

/* Each chooser's deviations become a list. */
static void
thread_deviations(struct wf__choice *c, const struct wf__recipe *r)
{
	struct wf__deviation *d = r->deviations.items;

	for (size_t i = r->deviations.n; i--; ) {
		struct chooser *by = chooser_of(c, d[i].who);

		d[i].next = by->deviation;
		by->deviation = (uint32_t)i + 1;
	}
}

void
wf__choice_begin(struct wf__choice *c, const struct wf__recipe *r)
{
	uint32_t length = r->length ? r->length : 1;

	c->recipe = r;
	c->choosers.n = c->made.n = 0;
	c->random = mix(r->seed + 1);
	c->lowest = 0;
	c->steps = c->switches = c->preemptions = c->streak = 0;
	c->at = 0;
	c->lost = c->no_memory = c->cut = c->crowded = false;
	wf__source_begin(&c->source);
	if (r->how == WF__CHOICE_PLAIN)
		thread_deviations(c, r);
	for (uint32_t i = 0; r->how == WF__CHOICE_PCT && i + 1 < r->depth; i++)
		c->changes[i] = (uint32_t)(draw(c) % length) + 1;
}

void
wf__choice_free(struct wf__choice *c)
{
	wf__vec_free(&c->choosers, sizeof(struct chooser));
	wf__vec_free(&c->made, sizeof(struct wf__deviation));
	wf__vec_free(&c->path, sizeof(struct fork));
	wf__seen_free(&c->seen);
	wf__source_free(&c->source);
}

/* ---- plain, and deviations from it ---- */

static uint32_t
plain_next(const struct wf__question *q)
{
	if (q->can_go_on && !q->yields)
		return q->who;
	for (size_t i = 0; i < q->n; i++)
		if (q->ids[i] && !(q->can_go_on && q->ids[i] == q->who))
			return q->ids[i];
	return q->can_go_on ? q->who : q->ids[0];
}

static bool
is_open_to(const struct wf__question *q, uint32_t id)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->ids[i] == id)
			return true;
	return false;
}

/* The deviation of the recipe at this choice, or NULL. */
static const struct wf__deviation *
deviation_at(struct wf__choice *c, struct chooser *by)
{
	const struct wf__deviation *d = c->recipe->deviations.items;

	while (by->deviation && d[by->deviation - 1].nth < by->nth)
		by->deviation = d[by->deviation - 1].next;
	if (!by->deviation || d[by->deviation - 1].nth != by->nth)
		return NULL;
	return &d[by->deviation - 1];
}

static void
note_deviation(struct wf__choice *c, uint32_t who, uint32_t nth, uint32_t to)
{
	struct wf__deviation *d = wf__vec_add(&c->made, sizeof *d);

	if (!d) {
		c->no_memory = true;
		d = &spare;
	}
	*d = (struct wf__deviation){ who, nth, to, 0 };
}

/* ---- by priorities ---- */

static int64_t
priority_of(struct wf__choice *c, uint32_t id)
{
	struct chooser *t = chooser_of(c, id);

	if (!t->priority)
		t->priority = (int64_t)(draw(c) >> 2) + WF__CHOICE_DEPTH + 1;
	return t->priority;
}

static uint32_t
highest(struct wf__choice *c, const struct wf__question *q)
{
	uint32_t best = q->ids[0];
	int64_t of_best = INT64_MIN, p;

	for (size_t i = 0; i < q->n; i++)
		if ((p = priority_of(c, q->ids[i])) > of_best) {
			best = q->ids[i];
			of_best = p;
		}
	return best;
}

static uint32_t
next_by_priority(struct wf__choice *c, const struct wf__question *q)
{
	uint32_t id;

	for (uint32_t i = 0; i + 1 < c->recipe->depth; i++)
		if (c->changes[i] == c->steps)
			chooser_of(c, q->who)->priority = (int64_t)i + 1;
	if (q->yields)
		chooser_of(c, q->who)->priority = --c->lowest;
	id = highest(c, q);
	if (!id)		/* time has gone on: then not at once again */
		chooser_of(c, 0)->priority = --c->lowest;
	return id;
}

/* ---- each in turn ---- */

static struct fork *
fork_at(struct wf__choice *c, uint32_t answers)
{
	struct fork *f;

	if (c->at < c->path.n) {
		f = (struct fork *)c->path.items + c->at;
		if (f->answers != answers) {
			c->lost = true;
			f->answers = answers;
			f->taken = 0;
			c->path.n = c->at + 1;
		}
	} else if ((f = wf__vec_add(&c->path, sizeof *f)))
		f->answers = answers;
	else
		c->no_memory = true;
	c->at++;
	return f;
}

static bool
is_preemption(const struct wf__question *q, uint32_t to)
{
	if (!to)
		return q->n > 1;
	return q->can_go_on && !q->yields && to != q->who;
}

static bool
is_answer(const struct wf__choice *c, const struct wf__question *q,
    uint32_t to, uint32_t plain)
{
	if (to == plain || (q->yields && to == q->who))
		return false;		/* the plain one comes first */
	return !is_preemption(q, to) ||
	    c->preemptions < c->recipe->preemptions;
}

/* A new fork in a known state?  Whose turn it was counts only as far as it
 * makes others' turns a preemption, or not. */
static bool
is_known(struct wf__choice *c, const struct wf__question *q)
{
	uint64_t state = q->state;

	if (c->at < c->path.n || !state)
		return false;
	if (q->can_go_on)
		state = mix(state + 2 * (uint64_t)q->who + q->yields + 1);
	return wf__seen_before(&c->seen, state ? state : 1, c->preemptions);
}

static uint32_t
next_in_turn(struct wf__choice *c, const struct wf__question *q)
{
	uint32_t plain = plain_next(q), answers = 1, left;
	struct fork *f;

	for (size_t i = 0; i < q->n; i++)
		answers += is_answer(c, q, q->ids[i], plain);
	if (answers > 1 && is_known(c, q)) {
		c->cut = true;
		return plain;
	}
	if (!(f = fork_at(c, answers)) || !(left = f->taken))
		return plain;
	for (size_t i = 0; i < q->n; i++)
		if (is_answer(c, q, q->ids[i], plain) && !--left)
			return q->ids[i];
	return plain;
}

static uint32_t
next_kind(struct wf__choice *c, const struct wf__question *q)
{
	uint64_t open = 0;
	uint32_t to = 0;

	for (size_t i = 0; i < q->n; i++) {
		c->crowded |= q->ids[i] >= WF__ORDER_WHO;
		open |= UINT64_C(1) << q->ids[i] % WF__ORDER_WHO;
	}
	if (!c->crowded)
		to = wf__source_next(&c->source, open, plain_next(q));
	c->lost |= c->source.lost;
	c->no_memory |= c->source.no_memory;
	c->cut = !to;
	return to ? to : q->ids[0];
}

bool
wf__choice_advance(struct wf__choice *c)
{
	struct fork *f = c->path.items;

	if (c->recipe->how == WF__CHOICE_KINDS) {
		bool more = wf__source_advance(&c->source);

		c->no_memory |= c->source.no_memory;
		return more;
	}
	while (c->path.n) {
		if (++f[c->path.n - 1].taken < f[c->path.n - 1].answers)
			return true;
		c->path.n--;
	}
	return false;
}

/* ---- questions ---- */

static uint32_t
next_of(struct wf__choice *c, struct chooser *by, const struct wf__question *q)
{
	const struct wf__deviation *d;

	switch (c->recipe->how) {
	case WF__CHOICE_RANDOM:
		return q->ids[draw(c) % q->n];
	case WF__CHOICE_PCT:
		return next_by_priority(c, q);
	case WF__CHOICE_ALL:
		return next_in_turn(c, q);
	case WF__CHOICE_KINDS:
		return next_kind(c, q);
	default:
		d = deviation_at(c, by);
		return d && is_open_to(q, d->to) ? d->to : plain_next(q);
	}
}

uint32_t
wf__choice_next(struct wf__choice *c, const struct wf__question *asked)
{
	struct wf__question q = *asked;
	struct chooser *by = chooser_of(c, q.who);
	uint32_t nth = ++by->nth, to, plain;

	c->steps++;
	/* Who polls and never yields would keep a plain schedule for ever. */
	if (q.can_go_on && c->streak >= STREAK)
		q.yields = true;
	plain = plain_next(&q);
	to = next_of(c, by, &q);
	if (to != plain)
		note_deviation(c, q.who, nth, to);
	c->preemptions += is_preemption(&q, to);
	c->streak = to == q.who && !q.yields ? c->streak + 1 : 0;
	c->switches += to != q.who;
	return to;
}

uint32_t
wf__choice_lot(struct wf__choice *c, uint32_t who, uint32_t n)
{
	struct chooser *by = chooser_of(c, who);
	uint32_t nth = ++by->nth, lot = 0;
	const struct wf__deviation *d;
	struct fork *f;

	switch (c->recipe->how) {
	case WF__CHOICE_RANDOM:
	case WF__CHOICE_PCT:
		lot = (uint32_t)(draw(c) % n);
		break;
	case WF__CHOICE_ALL:
		lot = (f = fork_at(c, n)) ? f->taken : 0;
		break;
	case WF__CHOICE_KINDS:
		lot = wf__source_lot(&c->source, n);
		c->no_memory |= c->source.no_memory;
		c->lost |= c->source.lost;
		break;
	default:
		if ((d = deviation_at(c, by)) && d->to < n)
			lot = d->to;
	}
	if (lot)
		note_deviation(c, who, nth, lot);
	return lot;
}

/* 0, or with this chance another one. */
static uint32_t
draw_mishap(struct wf__choice *c, uint32_t n, unsigned chance)
{
	uint64_t drawn = draw(c);

	return drawn % 1000 < chance ?
	    (uint32_t)(1 + (drawn >> 32) % (n - 1)) : 0;
}

/* A mishap counts like a preemption. */
static uint32_t
mishap_in_turn(struct wf__choice *c, uint32_t n)
{
	struct fork *f;

	if (c->preemptions >= c->recipe->preemptions ||
	    !(f = fork_at(c, n)) || !f->taken)
		return 0;
	c->preemptions++;
	return f->taken;
}

uint32_t
wf__choice_mishap(struct wf__choice *c, uint32_t who, uint32_t n,
    unsigned chance)
{
	struct chooser *by = chooser_of(c, who);
	uint32_t nth = ++by->nth, lot = 0;
	const struct wf__deviation *d;

	switch (c->recipe->how) {
	case WF__CHOICE_RANDOM:
	case WF__CHOICE_PCT:
		lot = draw_mishap(c, n, chance);
		break;
	case WF__CHOICE_ALL:
		lot = mishap_in_turn(c, n);
		break;
	case WF__CHOICE_KINDS:
		c->crowded = true;	/* not by kinds, then: by ALL */
		break;
	default:
		if ((d = deviation_at(c, by)) && d->to < n)
			lot = d->to;
	}
	if (lot)
		note_deviation(c, who, nth, lot);
	return lot;
}

uint64_t
wf__choice_rand(struct wf__choice *c, uint32_t who)
{
	uint64_t row = mix(c->recipe->seed + ((uint64_t)who << 32));

	return mix(row + ++chooser_of(c, who)->rands *
	    UINT64_C(0x9e3779b97f4a7c15));
}
