/* SPDX-License-Identifier: MIT */
/*
 * selection.h - the cases of one select, sorted out.
 * Layer 3.  Uses: cancel, chan.
 *
 * Cases with an object come in the order in which their locks are taken:
 * channels by address, then lists of waiters on contexts by address.  Both
 * begin with their lock.
 *
 * A look at the cases without the locks is worth something because a lock has
 * a version (lock.h).  If no channel is locked when its version is read, and
 * none, but for one's own, is locked when it is read again and is the same,
 * nobody was inside between the two readings: what was seen in between was so
 * all the time between the end of the first look and the beginning of the
 * second.  That is the one instant, with the lock of the case that runs held;
 * or, without any, the one at which nothing was ready, and a default runs.
 * Versions only grow, and so does the number of contexts that are done, so that
 * comparing sums is enough.
 */
#ifndef WF__SELECTION_H
#define WF__SELECTION_H

#include <weft/select.h>
#include "cancel.h"
#include "chan.h"

/* What is seen of the cases without a lock. */
struct wf__view {
	wf__word versions;	/* of the channels' locks, and one for each
				 * context that is done: the sum */
	unsigned ready;		/* cases that may run */
	struct wf_case *first;	/* of these */
	bool held;		/* a lock is: nothing is known */
};

struct wf__selection {
	struct wf_case *cases;
	unsigned n;
	unsigned active;	/* cases with an object: the places, see
				 * below, before the active-th are theirs, in
				 * lock order: */
	unsigned channels;	/* first so many on channels, then on
				 * contexts */
	struct wf_case *fallback;	/* to take if nothing is ready, or
					 * NULL */
	struct wf_case *timeout;	/* the shortest, or NULL */
	bool ordered;
	bool repeats;		/* locked: some have the same lock */
	struct wf__view view;
};

/* Why a task is parked, in a select; its object is then the number of active
 * cases, of which the first are in the coroutine's record: the channel's
 * number times 4, + the kind. */
extern const char wf__selection_why[];
void wf__selection_show(const struct wf__selection *s, struct wf__task *me);

/* Fill in all but cases, n and ordered; not in lock order yet. */
void wf__selection_examine(struct wf__selection *s);
/* A second look, with nothing locked but mine, or NULL: is all as at the first?
 * Of one case, one look is an instant. */
bool wf__selection_is_same(const struct wf__selection *s,
    const struct wf__lock *mine);
/* Two looks in one: these are receives and sends, at one instant none of them
 * ready.  False: not proven. */
bool wf__selection_is_vain(const struct wf_case *cases,
    const struct wf_case *end);
/* In lock order; the lists to attach to are chosen. */
void wf__selection_sort(struct wf__selection *s);
/* Those with the same lock in an order by lot. */
void wf__selection_mix(struct wf__selection *s);

/* A row of pointers to cases lies in a word of each that the waiter leaves:
 * the first place in the first case, and so on. */
enum { WF__PLACE = 5 };

static inline struct wf_case *
wf__case_at(const struct wf_case *place)
{
	return (struct wf_case *)place->wf__node[WF__PLACE];
}

static inline void
wf__case_put(struct wf_case *place, struct wf_case *c)
{
	place->wf__node[WF__PLACE] = (uintptr_t)c;
}

static inline bool
wf__case_is_done(const struct wf_case *c)
{
	return c->wf__kind == WF__CASE_DONE;
}

/* Of a receive or a send?  Then it is also the bit that says whether the case
 * may run. */
static inline bool
wf__kind_is_operation(uint32_t kind)
{
	_Static_assert((int)WF__CASE_RECV == (int)WF__CAN_RECV &&
	    (int)WF__CASE_SEND == (int)WF__CAN_SEND, "one number for both");
	return kind == WF__CASE_RECV || kind == WF__CASE_SEND;
}

/* Can it ever be ready, or be waited on?  (Of a default nothing but the kind is
 * filled in.) */
static inline bool
wf__case_is_active(const struct wf_case *c)
{
	const struct wf__cancel *cancel;

	if (wf__case_is_done(c))
		return (cancel = c->wf__object) && !cancel->endless;
	return wf__kind_is_operation(c->wf__kind) && c->wf__object;
}

static inline int
wf__case_index(const struct wf__selection *s, const struct wf_case *c)
{
	return (int)(c - s->cases);
}

/* May it be ready?  Exact but for waiters that were won elsewhere. */
static inline bool
wf__case_may_run(const struct wf_case *c)
{
	if (wf__unlikely(wf__case_is_done(c)))
		return wf__cancel_state(c->wf__object);
	return wf__chan_can(c->wf__object, c->wf__kind);
}

/* Of the case that has this place. */
static inline struct wf__lock *
wf__lock_at(const struct wf_case *place)
{
	const struct wf_case *c = wf__case_at(place);

	return wf__unlikely(wf__case_is_done(c)) ? c->wf__value :
	    c->wf__object;
}

#endif
