/* SPDX-License-Identifier: MIT */
/*
 * selection.c - sort out the cases of one select.
 * Layer 3.  Uses: selection, report, sched.
 */
#include "selection.h"

#include "report.h"
#include "sched.h"

static void
note_timeout(struct wf__selection *s, struct wf_case *c)
{
	if (!s->timeout || c->wf__timeout < s->timeout->wf__timeout)
		s->timeout = c;
	if (c->wf__timeout <= 0 && !s->fallback)
		s->fallback = c;
}

static void
note_default(struct wf__selection *s, struct wf_case *c)
{
	if (s->fallback && s->fallback->wf__kind == WF__CASE_DEFAULT)
		wf__misuse("wf_select", "cases %d and %d are both a default",
		    wf__case_index(s, s->fallback), wf__case_index(s, c));
	s->fallback = c;
}

/* No channel and no context: what waits for nothing. */
static void
note_other(struct wf__selection *s, struct wf_case *c)
{
	if (c->wf__kind == WF__CASE_TIMEOUT)
		note_timeout(s, c);
	else if (c->wf__kind == WF__CASE_DEFAULT)
		note_default(s, c);
	else if (c->wf__kind > WF__CASE_TIMEOUT)
		wf__misuse("wf_select", "case %d is none: make it by a wf_on_ "
		    "or wf_case_ macro", wf__case_index(s, c));
}

static inline void
note_ready(struct wf__view *v, struct wf_case *c)
{
	if (!v->ready++)
		v->first = c;
}

/* Version first, then whether it may run: see selection.h. */
static inline void
view_channel(struct wf__view *v, struct wf_case *c,
    const struct wf_channel *chan, uint32_t kind)
{
	v->held |= wf__lock_is_held(&chan->lock);
	v->versions += wf__lock_version(&chan->lock);
	if (wf__chan_can(chan, kind))
		note_ready(v, c);
}

static inline void
view_context(struct wf__view *v, struct wf_case *c)
{
	if (!wf__case_may_run(c))
		return;
	v->versions++;
	note_ready(v, c);
}

void
wf__selection_examine(struct wf__selection *s)
{
	struct wf_case *c = s->cases, *place = c, *end = c + s->n;
	struct wf__view view = { 0 };
	unsigned channels = 0, contexts = 0;

	s->fallback = s->timeout = NULL;
	for (; c < end; c++) {
		uint32_t kind = c->wf__kind;
		struct wf_channel *chan = c->wf__object;

		if (wf__likely(wf__kind_is_operation(kind))) {
			if (!chan)
				continue;
			view_channel(&view, c, chan, kind);
			channels++;
		} else if (wf__case_is_active(c)) {
			view_context(&view, c);
			contexts++;
		} else {
			note_other(s, c);
			continue;
		}
		wf__case_put(place++, c);
	}
	s->active = channels + contexts;
	s->channels = channels;
	s->view = view;
}

bool
wf__selection_is_same(const struct wf__selection *s,
    const struct wf__lock *mine)
{
	const struct wf_case *place = s->cases, *end = place + s->active, *c;
	const struct wf__lock *lock;
	wf__word versions = 0;

	if (s->active <= 1)
		return true;
	for (; place < end; place++) {
		c = wf__case_at(place);
		lock = c->wf__object;
		if (wf__unlikely(wf__case_is_done(c))) {
			versions += wf__case_may_run(c);
			continue;
		}
		if (lock != mine && wf__lock_is_held(lock))
			return false;
		versions += wf__lock_version(lock);
	}
	return versions == s->view.versions;
}

/* One of the looks; false: one is ready, or locked, or something else. */
static inline bool
look_in_vain(const struct wf_case *c, const struct wf_case *end, wf__word *sum)
{
	for (; c < end; c++) {
		const struct wf_channel *chan = c->wf__object;

		if (wf__unlikely(!wf__kind_is_operation(c->wf__kind)))
			return false;
		if (wf__unlikely(!chan))
			continue;
		if (wf__unlikely(wf__lock_is_held(&chan->lock)))
			return false;
		*sum += wf__lock_version(&chan->lock);
		if (wf__chan_can(chan, c->wf__kind))
			return false;
	}
	return true;
}

bool
wf__selection_is_vain(const struct wf_case *cases, const struct wf_case *end)
{
	wf__word first = 0, second = 0;

	return look_in_vain(cases, end, &first) &&
	    look_in_vain(cases, end, &second) && first == second;
}

const char wf__selection_why[] = "in a select";

void
wf__selection_show(const struct wf__selection *s, struct wf__task *me)
{
	const struct wf_case *c = s->cases, *last = c + s->n;
	wf__word *shown, *end;
	uint64_t number;

	if (me->kind != WF__CORO)
		return;
	shown = wf__coro_of(me)->cases;
	end = shown + WF__CASES_SHOWN;
	for (; c < last && shown < end; c++) {
		number = 0;
		if (wf__kind_is_operation(c->wf__kind)) {
			if (!c->wf__object)
				continue;
			number = wf__chan_number(c->wf__object);
		} else if (!wf__case_is_active(c))
			continue;
		/* Relaxed: for reports only. */
		wf__store_relaxed(shown++, number * 4 + c->wf__kind);
	}
}

/* What is sorted by: no address of a process has the top bit. */
static inline uintptr_t
rank(const struct wf_case *place)
{
	const struct wf_case *c = wf__case_at(place);

	if (wf__likely(!wf__case_is_done(c)))
		return (uintptr_t)c->wf__object;
	return (uintptr_t)c->wf__value |
	    (uintptr_t)1 << (8 * sizeof(uintptr_t) - 1);
}

/* Is a's lock taken before b's?  Of one lock, the first case comes first: so
 * they queue up in that order. */
static bool
goes_before(const struct wf_case *a, const struct wf_case *b)
{
	uintptr_t of_a = rank(a), of_b = rank(b);

	return of_a != of_b ? of_a < of_b : wf__case_at(a) < wf__case_at(b);
}

static void
swap(struct wf_case *a, struct wf_case *b)
{
	struct wf_case *t = wf__case_at(a);

	wf__case_put(a, wf__case_at(b));
	wf__case_put(b, t);
}

static void
sift(struct wf_case *places, unsigned root, unsigned n)
{
	unsigned child;

	for (; (child = 2 * root + 1) < n; root = child) {
		if (child + 1 < n &&
		    goes_before(&places[child], &places[child + 1]))
			child++;
		if (!goes_before(&places[root], &places[child]))
			return;
		swap(&places[root], &places[child]);
	}
}

static void
sort_many(struct wf_case *places, unsigned n)
{
	for (unsigned i = n / 2; i--; )
		sift(places, i, n);
	while (n-- > 1) {
		swap(&places[0], &places[n]);
		sift(places, 0, n);
	}
}

/* By insertion; of those that are in order already none is moved. */
static void
sort_few(struct wf_case *places, unsigned n)
{
	struct wf_case *end = places + n, *at, *to, *c;
	uintptr_t most = rank(places), key;

	for (at = places + 1; at < end; at++) {
		if (wf__likely((key = rank(at)) >= most)) {
			most = key;
			continue;
		}
		c = wf__case_at(at);
		for (to = at; to > places && rank(to - 1) > key; to--)
			wf__case_put(to, wf__case_at(to - 1));
		wf__case_put(to, c);
	}
}

static void
choose_lists(struct wf__selection *s)
{
	for (unsigned k = 0; k < s->active; k++) {
		struct wf_case *c = wf__case_at(&s->cases[k]);

		if (wf__case_is_done(c))
			c->wf__value = wf__cancel_list(c->wf__object);
	}
}

void
wf__selection_sort(struct wf__selection *s)
{
	if (s->active > s->channels)
		choose_lists(s);
	if (s->active > 12)
		sort_many(s->cases, s->active);
	else if (s->active > 1)
		sort_few(s->cases, s->active);
}

/* Who comes to a channel takes the first of several waiters of one select: each
 * is the first with the same chance. */
void
wf__selection_mix(struct wf__selection *s)
{
	struct wf_case *place = s->cases;
	unsigned first = 0;

	for (unsigned k = 1; k < s->active; k++)
		if (wf__lock_at(&place[k]) != wf__lock_at(&place[k - 1]))
			first = k;
		else
			swap(&place[k], &place[first +
			    wf__sched_lot(k - first + 1)]);
}
