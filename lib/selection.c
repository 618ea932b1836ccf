/* SPDX-License-Identifier: MIT */
/*
 * selection.c - sort out the cases of one select.
 * Layer 3.  Uses: selection, report, sched.
 */
#include "selection.h"

#include "report.h"
#include "sched.h"

static void
note_timeout(struct wf__selection *s, unsigned i)
{
	int64_t ns = s->cases[i].wf__timeout;

	if (s->timeout < 0 || ns < s->cases[s->timeout].wf__timeout)
		s->timeout = (int)i;
	if (ns <= 0 && s->fallback < 0)
		s->fallback = (int)i;
}

static void
note_default(struct wf__selection *s, unsigned i)
{
	if (s->fallback >= 0 &&
	    s->cases[s->fallback].wf__kind == WF__CASE_DEFAULT)
		wf__misuse("wf_select", "cases %d and %u are both a default",
		    s->fallback, i);
	s->fallback = (int)i;
}

/* One more that is; the list to attach to is chosen now. */
static void
note_active(struct wf__selection *s, unsigned i)
{
	struct wf_case *c = &s->cases[i];

	if (wf__case_is_done(c))
		c->wf__value = wf__cancel_list(c->wf__object);
	else
		s->channels++;
	s->cases[s->active++].wf__order = i;
}

void
wf__selection_examine(struct wf__selection *s)
{
	s->active = s->channels = 0;
	s->fallback = s->timeout = -1;
	for (unsigned i = 0; i < s->n; i++) {
		struct wf_case *c = &s->cases[i];

		if (wf__case_is_active(c))
			note_active(s, i);
		else if (c->wf__kind == WF__CASE_TIMEOUT)
			note_timeout(s, i);
		else if (c->wf__kind == WF__CASE_DEFAULT)
			note_default(s, i);
		else if (c->wf__kind > WF__CASE_TIMEOUT)
			wf__misuse("wf_select", "case %u is none: make it by "
			    "a wf_on_ or wf_case_ macro", i);
	}
}

const char wf__selection_why[] = "in a select";

void
wf__selection_show(const struct wf__selection *s, struct wf__task *me)
{
	unsigned shown = 0;

	if (me->kind != WF__CORO)
		return;
	/* Relaxed: for reports only. */
	for (unsigned i = 0; i < s->n && shown < WF__CASES_SHOWN; i++) {
		const struct wf_case *c = &s->cases[i];
		uint64_t number = wf__case_is_done(c) ? 0 :
		    wf__chan_number(c->wf__object);

		if (wf__case_is_active(c))
			wf__store_relaxed(&wf__coro_of(me)->cases[shown++],
			    number * 4 + c->wf__kind);
	}
}

/* What is sorted by: no address of a process has the top bit. */
static uintptr_t
rank(const struct wf__selection *s, unsigned k)
{
	uintptr_t top = (uintptr_t)wf__case_is_done(wf__selection_case(s, k)) <<
	    (8 * sizeof top - 1);

	return (uintptr_t)wf__selection_lock(s, k) | top;
}

/* Is a's lock taken before b's?  Of one lock, the first case comes first: so
 * they queue up in that order. */
static bool
goes_before(const struct wf__selection *s, unsigned a, unsigned b)
{
	uintptr_t of_a = rank(s, a), of_b = rank(s, b);

	return of_a != of_b ? of_a < of_b :
	    s->cases[a].wf__order < s->cases[b].wf__order;
}

static void
swap(struct wf__selection *s, unsigned a, unsigned b)
{
	uint32_t t = s->cases[a].wf__order;

	s->cases[a].wf__order = s->cases[b].wf__order;
	s->cases[b].wf__order = t;
}

static void
sift(struct wf__selection *s, unsigned root, unsigned n)
{
	unsigned child;

	for (; (child = 2 * root + 1) < n; root = child) {
		if (child + 1 < n && goes_before(s, child, child + 1))
			child++;
		if (!goes_before(s, root, child))
			return;
		swap(s, root, child);
	}
}

/* By insertion for the few, by heap for the many. */
void
wf__selection_sort(struct wf__selection *s)
{
	unsigned n = s->active;

	if (n <= 12) {
		for (unsigned i = 1; i < n; i++)
			for (unsigned k = i; k && goes_before(s, k, k - 1);
			    k--)
				swap(s, k - 1, k);
		return;
	}
	for (unsigned i = n / 2; i--; )
		sift(s, i, n);
	while (n-- > 1) {
		swap(s, 0, n);
		sift(s, 0, n);
	}
}

/* Who comes to a channel takes the first of several waiters of one select: each
 * is the first with the same chance. */
void
wf__selection_mix(struct wf__selection *s)
{
	unsigned first = 0;

	for (unsigned k = 1; k < s->active; k++)
		if (wf__selection_lock(s, k) != wf__selection_lock(s, k - 1))
			first = k;
		else
			swap(s, k, first + wf__sched_lot(k - first + 1));
}
