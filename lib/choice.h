/* SPDX-License-Identifier: MIT */
/*
 * choice.h - what a schedule is made of: who goes on, and which lot is drawn.
 * Layer 7.  Uses: vec, seen, source.
 *
 * Each choice has a plain answer: the one that runs goes on; if it cannot, the
 * one that waits longest; of lots the first; nothing goes wrong.  A schedule is
 * written down as its deviations: the n-th choice that was asked of whom had
 * another answer.  Counted for each coroutine by itself, a deviation means the
 * same when another one is left out; that makes shrinking work.
 *
 * Coroutines go by their numbers, dense from 1; 0 is the clock.
 */
#ifndef WF__CHOICE_H
#define WF__CHOICE_H

#include "seen.h"
#include "source.h"
#include "vec.h"

enum { WF__CHOICE_DEPTH = 16 };

enum wf__choice_how {
	WF__CHOICE_PLAIN,	/* but for the deviations of the recipe */
	WF__CHOICE_RANDOM,
	WF__CHOICE_PCT,
	WF__CHOICE_ALL,		/* in turn, with a bound */
	WF__CHOICE_KINDS	/* in turn, one of each kind: source.h */
};

struct wf__deviation {
	uint32_t who, nth, to;
	uint32_t next;		/* of the same who: index + 1, or 0 */
};

/* All that determines a schedule of a program. */
struct wf__recipe {
	enum wf__choice_how how;
	uint64_t seed;
	uint32_t depth, length;		/* PCT: changes among so many steps */
	uint32_t preemptions;		/* ALL: the most */
	struct wf__vec deviations;	/* PLAIN: those of one who in order */
};

/* Who goes on? */
struct wf__question {
	const uint32_t *ids;	/* who can, longest first; 0: the clock */
	size_t n;
	uint32_t who;		/* has just run */
	bool can_go_on;		/* and stands among ids */
	bool yields;		/* but lets others go first */
	uint64_t state;		/* ALL: the same for schedules so far that
				 * come to the same; 0: not known */
};

struct wf__choice {
	const struct wf__recipe *recipe;
	struct wf__vec choosers;	/* of each number: how far it is */
	struct wf__vec made;		/* deviations of this schedule */
	uint64_t random;
	uint32_t changes[WF__CHOICE_DEPTH];
	int64_t lowest;			/* priority given so far */
	uint32_t steps, switches, preemptions;
	uint32_t streak;		/* steps of one on end */
	struct wf__vec path;	/* ALL: kept from schedule to schedule */
	size_t at;
	struct wf__seen seen;	/* likewise: states that there were forks at */
	struct wf__source source;	/* KINDS: likewise */
	bool crowded;			/* too many, or too much, for that */
	bool cut;			/* there is nothing new behind this */
	bool lost;			/* the program took another path */
	bool no_memory;
};

void wf__choice_begin(struct wf__choice *c, const struct wf__recipe *r);
uint32_t wf__choice_next(struct wf__choice *c, const struct wf__question *q);
uint32_t wf__choice_lot(struct wf__choice *c, uint32_t who, uint32_t n);
/* 0, if nothing goes wrong; or, with this chance in 1000, one of the n - 1 ways
 * in which it can. */
uint32_t wf__choice_mishap(struct wf__choice *c, uint32_t who, uint32_t n,
    unsigned chance);
/* For the program's own use. */
uint64_t wf__choice_rand(struct wf__choice *c, uint32_t who);
/* KINDS: a step is over. */
static inline void
wf__choice_note(struct wf__choice *c, struct wf__order *o)
{
	if (c->recipe->how == WF__CHOICE_KINDS)
		wf__source_note(&c->source, o);
}
/* ALL, KINDS: on to the next schedule; false when there is none. */
bool wf__choice_advance(struct wf__choice *c);
void wf__choice_free(struct wf__choice *c);

#endif
