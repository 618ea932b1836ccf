/* SPDX-License-Identifier: MIT */
/*
 * waitgroup.c - a counter that can be waited on.
 * Layer 3.  Uses: wait, cancel, lock, report.
 *
 *   state:  | waiters flag (bit 32) | counter (32 bits) |
 *
 *   I1  the flag is up while somebody may wait; it goes up and down under
 *       the lock.
 *   I2  while it is up, the counter is only taken down under the lock: who
 *       brings it to zero takes the flag down and the waiters off, drops the
 *       lock, and does not touch the group any more.
 *   I3  without it, bringing the counter to zero is the last touch.
 *
 * So a state of zero with the lock free says that nobody will touch the group
 * any more, and a wait may return, and its caller free the group [group].
 */
#include "waitgroup.h"

#include <errno.h>

#include "cancel.h"
#include "lock.h"
#include "report.h"
#include "seam.h"
#include "wait.h"

#define WAITERS ((wf__word)1 << 32)

struct group {
	wf__word state;			/* [group] */
	struct wf__lock lock;
	struct wf__waitq waiters;
	uint64_t number;		/* for reports; once somebody waits */
} __attribute__((may_alias));		/* the user declares words */

_Static_assert(sizeof(struct group) <= sizeof(wf_waitgroup), "room");

static struct group *
group_of(wf_waitgroup *wg)
{
	return (struct group *)(void *)wg;
}

static int
count_of(wf__word state)
{
	return (int)(uint32_t)state;
}

WF__NOINLINE static void
refuse(wf__word s, int n)
{
	wf__misuse(n < 0 ? "wf_waitgroup_done" : "wf_waitgroup_add",
	    "the counter of the waitgroup goes from %d to %lld",
	    count_of(s), (long long)count_of(s) + n);
}

/* One step of the counter by n; the flag stays as it is. */
static inline wf__word
step(wf__word s, int n)
{
	int64_t count = (int64_t)count_of(s) + n;

	if (wf__unlikely(count < 0 || count > INT32_MAX))
		refuse(s, n);
	return (s & WAITERS) | (wf__word)count;
}

/* Take n off while somebody may wait. */
WF__NOINLINE static void
take_locked(struct group *g, int n)
{
	struct wf__waiter *list = NULL;
	wf__word s, t;

	wf__lock(&g->lock);
	do {
		s = wf__load_acquire(&g->state);		/* [group] */
		t = step(s, n);
		if (!count_of(t))
			t = 0;
	} while (!wf__cas_acq_rel(&g->state, s, t));
	if (!t)
		list = wf__waitq_claim_all(&g->waiters);
	wf__unlock(&g->lock);
	wf__waitq_ready_all(list);
}

WF__NOINLINE static void
add_slow(struct group *g, int n)
{
	wf__word s;

	do {
		s = wf__load_acquire(&g->state);		/* [group] */
		if (n < 0 && s & WAITERS) {
			take_locked(g, n);
			return;
		}
	} while (!wf__cas_acq_rel(&g->state, s, step(s, n)));
}

/* At the first try, if there is no flag and the sum is a count: then neither
 * word has a bit above the counter's, where a flag and a sign would show. */
static inline void
add_to(struct group *g, int n)
{
	wf__word s = wf__load_acquire(&g->state);		/* [group] */
	wf__word t = s + (wf__word)n;

	if (wf__unlikely((s | t) > INT32_MAX ||
	    !wf__cas_acq_rel(&g->state, s, t)))
		add_slow(g, n);
}

void
wf__waitgroup_add(wf_waitgroup *wg, int n)
{
	wf__wait_touch(&group_of(wg)->number);
	add_to(group_of(wg), n);
}

WF__NOINLINE static void
add_at_point(wf_waitgroup *wg, int n)
{
	wf__wait_point(n < 0 ? "takes from waitgroup" : "adds to waitgroup",
	    &group_of(wg)->number);
	wf__waitgroup_add(wg, n);
}

WF_API void
wf_waitgroup_add(wf_waitgroup *wg, int n)
{
	if (wf__unlikely(wf__seam != NULL))
		add_at_point(wg, n);
	else
		add_to(group_of(wg), n);
}

WF_API void
wf_waitgroup_done(wf_waitgroup *wg)
{
	if (wf__unlikely(wf__seam != NULL))
		add_at_point(wg, -1);
	else
		add_to(group_of(wg), -1);
}

/* With the lock held: raise the flag; false if the counter is zero. */
static bool
announce(struct group *g)
{
	wf__word s;

	do {
		s = wf__load_acquire(&g->state);		/* [group] */
		if (!count_of(s))
			return false;
	} while (!(s & WAITERS) && !wf__cas_acq_rel(&g->state, s,
	    s | WAITERS));
	if (!g->number)
		g->number = wf__wait_number();
	return true;
}

/* A waiter has withdrawn: without any, done goes the short way again. */
static void
lower_flag(struct group *g)
{
	wf__word s;

	do {
		s = wf__load_acquire(&g->state);		/* [group] */
	} while (!g->waiters.first && s & WAITERS &&
	    !wf__cas_acq_rel(&g->state, s, s & ~WAITERS));
}

/* Is the counter zero, and nobody about to touch the group?  The lock is read
 * second: who took the flag down held it. */
static bool
is_over(struct group *g)
{
	return !wf__load_acquire(&g->state) &&			/* [group] */
	    !wf__lock_is_held(&g->lock);
}

/* Wait until the counter is zero, or until *cancel is done. */
static int
wait_for_zero(struct group *g, struct wf__cancel *cancel)
{
	struct wf__wait wait = { .lock = &g->lock, .queue = &g->waiters,
	    .cancel = cancel, .why = "for waitgroup" };
	int err;

	wf__lock(&g->lock);
	if (!announce(g)) {
		wf__unlock(&g->lock);
		return 0;
	}
	wait.number = g->number;
	err = wf__wait(&wait);
	if (err) {
		lower_flag(g);
		wf__unlock(&g->lock);
	}
	return err;
}

WF_API void
wf_waitgroup_wait(wf_waitgroup *wg)
{
	wf__wait_point("waits for waitgroup", &group_of(wg)->number);
	if (!is_over(group_of(wg)))
		wait_for_zero(group_of(wg), NULL);
}

WF_API int
wf_waitgroup_wait_ctx(wf_ctx *ctx, wf_waitgroup *wg)
{
	wf__wait_point("waits for waitgroup", &group_of(wg)->number);
	if (!ctx)
		return -EINVAL;
	return wait_for_zero(group_of(wg), wf__cancel_of(ctx));
}
