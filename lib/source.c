/* SPDX-License-Identifier: MIT */
/*
 * source.c - of all schedules, one of each kind.
 * Layer 7.  Uses: source, order, vec.
 *
 * Depth first.  At each fork one goes on at first; another one is tried only
 * if a step further on races with the one that was taken here: then so that
 * the other of the two comes first.  Who was tried is asleep at its brothers,
 * and further on, until somebody does what its step depends on: for with it
 * everything has been seen.
 *
 * After P. Abdulla, S. Aronis, B. Jonsson, K. Sagonas, "Optimal dynamic partial
 * order reduction", POPL 2014, as Source-DPOR; first by C. Flanagan,
 * P. Godefroid, "Dynamic partial-order reduction for model checking software",
 * POPL 2005.
 *
 *   I1  who can go on can do so until it does: no step takes that from another
 *       one.  (Not true of the clock with stalls: not used with them.)
 *   I2  the sleepers of a fork are in its range; those that it has got from
 *       before first, then who was tried here.  Ranges are stacked, as forks.
 */
#include "source.h"

struct sleeper {
	uint64_t mask;			/* of its step */
	uint32_t who;
};

struct source_fork {
	uint32_t taken, answers;	/* answers: of a lot; 0: who goes on */
	uint64_t open, tried, asleep;	/* as bits: who can go on; who is to
					 * be tried; who sleeps */
	uint64_t mask;			/* of the step that was taken */
	size_t from, end;		/* its sleepers */
};

static uint64_t
bit(uint32_t who)
{
	return UINT64_C(1) << who;
}

static struct source_fork *
source_fork_at(struct wf__source *s, size_t i)
{
	return (struct source_fork *)s->forks.items + i;
}

static struct sleeper *
sleeper_at(struct wf__source *s, size_t i)
{
	return (struct sleeper *)s->sleepers.items + i;
}

void
wf__source_begin(struct wf__source *s)
{
	s->at = s->steps = 0;
	s->chosen = 0;
	s->since = 0;
	s->lost = s->no_memory = false;
}

void
wf__source_free(struct wf__source *s)
{
	wf__vec_free(&s->forks, sizeof(struct source_fork));
	wf__vec_free(&s->sleepers, sizeof(struct sleeper));
}

/* ---- races ---- */

struct race_at {
	struct wf__source *source;
	struct wf__order *order;
};

/* Who could be first of the steps behind step, if those that depend on it
 * were left out, but for the last one. */
static uint64_t
firsts(const struct wf__order *o, size_t step)
{
	size_t end = o->steps.n;
	uint64_t firsts = 0, others = 0;

	for (size_t j = step + 1; j < end; j++) {
		uint64_t who = bit(wf__order_at(o, j)->who);
		bool first = !(others & who);

		if (j + 1 < end && wf__order_before(o, step, j))
			continue;
		for (size_t i = step + 1; first && i < j; i++)
			first = !wf__order_before(o, i, j) ||
			    wf__order_before(o, step, i);
		if (first)
			firsts |= who;
		others |= who;
	}
	return firsts;
}

/* The last step might come before this one. */
static void
try_before(size_t step, void *arg)
{
	const struct race_at *r = arg;
	uint32_t fork = wf__order_at(r->order, step)->fork, last;
	struct source_fork *f;
	uint64_t who;

	if (!fork)
		return;			/* the clock: when nobody else could */
	f = source_fork_at(r->source, fork - 1);
	who = firsts(r->order, step) & f->open;
	last = wf__order_at(r->order, r->order->steps.n - 1)->who;
	if (!who)
		f->tried |= f->open;
	else if (!(who & f->tried))
		f->tried |= who & bit(last) ? bit(last) : who & -who;
}

void
wf__source_note(struct wf__source *s, struct wf__order *o)
{
	struct race_at r = { s, o };
	struct wf__step *step;

	if (s->steps == o->steps.n || o->crowded)
		return;
	s->steps = o->steps.n;
	step = wf__order_at(o, s->steps - 1);
	step->fork = step->who ? s->chosen : 0;
	s->since |= step->mask;
	if (step->fork)
		source_fork_at(s, step->fork - 1)->mask |= step->mask;
	if (s->at == s->forks.n)	/* it is new */
		wf__order_races(o, try_before, &r);
}

void
wf__source_end(struct wf__source *s, struct wf__order *o, uint64_t left)
{
	struct wf__step *step;
	struct source_fork *f;

	if (!o->steps.n || o->crowded)
		return;
	step = wf__order_at(o, o->steps.n - 1);
	if (step->fork) {
		f = source_fork_at(s, step->fork - 1);
		f->tried |= f->open & left;
	}
}

/* ---- forks ---- */

static bool
depend(uint64_t a, uint64_t b)
{
	return a & b || a == UINT64_MAX || b == UINT64_MAX;
}

/* Who sleeps here already. */
static void
inherit_sleepers(struct wf__source *s, struct source_fork *f)
{
	const struct source_fork *before = s->chosen ?
	    source_fork_at(s, s->chosen - 1) : f;

	f->from = s->sleepers.n;
	for (size_t i = before->from; i < before->end; i++) {
		struct sleeper *n, *old = sleeper_at(s, i);

		if (old->who == before->taken || depend(old->mask, s->since))
			continue;
		if (!(n = wf__vec_add(&s->sleepers, sizeof *n))) {
			s->no_memory = true;
			return;
		}
		*n = *sleeper_at(s, i);
		f->asleep |= bit(n->who);
	}
	f->end = s->sleepers.n;
}

static uint32_t
lowest(uint64_t bits)
{
	return bits ? (uint32_t)__builtin_ctzll(bits) : 0;
}

static uint32_t
new_fork(struct wf__source *s, uint64_t open, uint32_t plain)
{
	struct source_fork f = { .open = open }, *at;

	inherit_sleepers(s, &f);
	f.taken = f.asleep & bit(plain) ? lowest(open & ~f.asleep) : plain;
	if (!f.taken || !(at = wf__vec_add(&s->forks, sizeof *at))) {
		s->no_memory |= f.taken != 0;
		return 0;
	}
	f.tried = bit(f.taken);
	*at = f;
	s->at = s->forks.n;
	return f.taken;
}

uint32_t
wf__source_next(struct wf__source *s, uint64_t open, uint32_t plain)
{
	struct source_fork *f;
	uint32_t taken;

	if (s->at == s->forks.n) {
		taken = new_fork(s, open, plain);
	} else {
		f = source_fork_at(s, s->at++);
		if (f->answers || f->open != open) {
			s->lost = true;
			return 0;
		}
		taken = f->taken;
	}
	s->chosen = (uint32_t)s->at;
	s->since = 0;
	return taken;
}

uint32_t
wf__source_lot(struct wf__source *s, uint32_t n)
{
	struct source_fork *f;

	if (s->at == s->forks.n) {
		if (!(f = wf__vec_add(&s->forks, sizeof *f))) {
			s->no_memory = true;
			return 0;
		}
		*f = (struct source_fork){ .answers = n,
		    .from = s->sleepers.n, .end = s->sleepers.n };
		s->at++;
		return 0;
	}
	f = source_fork_at(s, s->at++);
	s->lost |= f->answers != n;
	return f->taken < n ? f->taken : 0;
}

/* The next one at this fork, if there is one. */
static bool
next_at(struct wf__source *s, struct source_fork *f)
{
	struct sleeper *n;
	uint64_t left;

	s->sleepers.n = f->end;
	if (f->answers)
		return ++f->taken < f->answers;
	if (!(n = wf__vec_add(&s->sleepers, sizeof *n))) {
		s->no_memory = true;
		return false;
	}
	*n = (struct sleeper){ f->mask, f->taken };
	f->asleep |= bit(f->taken);
	f->end++;
	f->mask = 0;
	left = f->tried & f->open & ~f->asleep;
	f->taken = lowest(left);
	return left != 0;
}

bool
wf__source_advance(struct wf__source *s)
{
	while (s->forks.n) {
		struct source_fork *f = source_fork_at(s, s->forks.n - 1);

		if (next_at(s, f))
			return true;
		if (s->no_memory)
			return false;
		s->sleepers.n = f->from;
		s->forks.n--;
	}
	return false;
}
