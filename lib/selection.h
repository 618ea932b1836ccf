/* SPDX-License-Identifier: MIT */
/*
 * selection.h - the cases of one select, sorted out.
 * Layer 3.  Uses: cancel, chan.
 *
 * Cases with an object come in the order in which their locks are taken:
 * channels by address, then lists of waiters on contexts by address.  Both
 * begin with their lock.
 */
#ifndef WF__SELECTION_H
#define WF__SELECTION_H

#include <weft/select.h>
#include "cancel.h"
#include "chan.h"

struct wf__selection {
	struct wf_case *cases;
	unsigned n;
	unsigned active;	/* cases with an object; cases[k].wf__order
				 * for k < active are their indices, in lock
				 * order: */
	unsigned channels;	/* first so many on channels, then on
				 * contexts */
	int fallback;		/* to take if nothing is ready, or -1 */
	int timeout;		/* the shortest timeout's index, or -1 */
	bool ordered;
};

/* Why a task is parked, in a select; its object is then the number of active
 * cases, of which the first are in the coroutine's record: the channel's
 * number times 4, + the kind. */
extern const char wf__selection_why[];
void wf__selection_show(const struct wf__selection *s, struct wf__task *me);

/* Fill in all but cases, n and ordered; not in lock order yet. */
void wf__selection_examine(struct wf__selection *s);
void wf__selection_sort(struct wf__selection *s);
/* Those with the same lock in an order by lot. */
void wf__selection_mix(struct wf__selection *s);

static inline struct wf_case *
wf__selection_case(const struct wf__selection *s, unsigned k)
{
	return &s->cases[s->cases[k].wf__order];
}

static inline bool
wf__case_is_done(const struct wf_case *c)
{
	return c->wf__kind == WF__CASE_DONE;
}

/* Can it ever be ready, or be waited on? */
static inline bool
wf__case_is_active(const struct wf_case *c)
{
	struct wf__cancel *cancel = c->wf__object;

	return cancel && c->wf__kind != WF__CASE_DEFAULT &&
	    c->wf__kind != WF__CASE_TIMEOUT &&
	    !(wf__case_is_done(c) && cancel->endless);
}

static inline struct wf__lock *
wf__selection_lock(const struct wf__selection *s, unsigned k)
{
	struct wf_case *c = wf__selection_case(s, k);

	return wf__case_is_done(c) ? c->wf__value : c->wf__object;
}

#endif
