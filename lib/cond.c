/* SPDX-License-Identifier: MIT */
/*
 * cond.c - conditions.
 * Layer 3.  Uses: mutex, wait, cancel, lock, report.
 *
 * Who waits enters the queue while he has the mutex, and the mutex is unlocked
 * for him after the switch, when he can be woken already: so a signal by
 * whoever gets the mutex next finds him.  The queue is in order of arrival,
 * and a signal takes its first: nobody can come before him.
 *
 *   I1  waiting is up while the queue is not empty; it changes under the lock.
 *
 * Signal looks at it without the lock.  Who waits raised it before he unlocked
 * the mutex, and so before whatever the signal is about [cond].
 *
 * After the drop of the lock the condition is not touched.
 */
#include <weft/cond.h>

#include <errno.h>

#include "cancel.h"
#include "lock.h"
#include "mutex.h"
#include "report.h"
#include "seam.h"
#include "wait.h"

struct cond {
	wf__word waiting;		/* [cond] */
	struct wf__lock lock;
	struct wf__waitq waiters;
	uint64_t number;		/* for reports; once somebody waits */
	wf__word self;			/* likewise: where it was then */
} __attribute__((may_alias));		/* the user declares words */

_Static_assert(sizeof(struct cond) <= sizeof(wf_cond), "room");

static void
check_copy(const struct cond *c, const char *call)
{
	/* Relaxed: it is set once, and whoever copies knows that it is. */
	wf__word self = wf__load_relaxed(&c->self);

	if (wf__unlikely(self && self != (wf__word)c))
		wf__misuse(call, "condition %llu was copied",
		    (unsigned long long)wf__wait_shown(c->number));
}

static void
unlock_mutex(void *mutex)
{
	wf__mutex_unlock(mutex, "wf_cond_wait");
}

static void
show_waiter(struct cond *c)
{
	/* Relaxed: see check_copy(). */
	if (!wf__load_relaxed(&c->self)) {
		wf__store_relaxed(&c->self, (wf__word)c);
		if (!c->number)
			c->number = wf__wait_number();
	}
	wf__store_release(&c->waiting, 1);			/* [cond] */
}

static void
hide_if_empty(struct cond *c)
{
	if (!c->waiters.first)
		wf__store_release(&c->waiting, 0);		/* [cond] */
}

static int
wait_for_signal(struct cond *c, wf_mutex *m, struct wf__cancel *cancel)
{
	struct wf__wait wait = { .lock = &c->lock, .queue = &c->waiters,
	    .cancel = cancel, .why = "for condition", .then = unlock_mutex,
	    .arg = m };
	int err;

	wf__mutex_touch(m);
	if (!wf__mutex_is_locked(m))
		wf__misuse("wf_cond_wait", "the mutex is not locked");
	wf__lock(&c->lock);
	check_copy(c, "wf_cond_wait");
	show_waiter(c);
	wait.number = c->number;
	err = wf__wait(&wait);
	if (err) {
		hide_if_empty(c);
		wf__unlock(&c->lock);
	}
	if (wait.begun)
		wf__mutex_lock(m);
	return err;
}

static uint64_t *
number_of_cond(wf_cond *c)
{
	return &((struct cond *)(void *)c)->number;
}

/* ---- public ---- */

WF_API void
wf_cond_wait(wf_cond *c, wf_mutex *m)
{
	wf__wait_point("waits for condition", number_of_cond(c));
	wait_for_signal((struct cond *)(void *)c, m, NULL);
}

WF_API int
wf_cond_wait_ctx(wf_ctx *ctx, wf_cond *c, wf_mutex *m)
{
	wf__wait_point("waits for condition", number_of_cond(c));
	if (!ctx)
		return -EINVAL;
	return wait_for_signal((struct cond *)(void *)c, m,
	    wf__cancel_of(ctx));
}

WF_API void
wf_cond_signal(wf_cond *cond)
{
	struct cond *c = (struct cond *)(void *)cond;
	struct wf__waiter *w;

	wf__wait_point("signals condition", &c->number);
	check_copy(c, "wf_cond_signal");
	if (!wf__load_acquire(&c->waiting))			/* [cond] */
		return;
	wf__lock(&c->lock);
	w = wf__waitq_claim(&c->waiters);
	hide_if_empty(c);
	wf__unlock(&c->lock);
	if (w)
		wf__ready(w->task);
}

WF_API void
wf_cond_broadcast(wf_cond *cond)
{
	struct cond *c = (struct cond *)(void *)cond;
	struct wf__waiter *list;

	wf__wait_point("broadcasts to condition", &c->number);
	check_copy(c, "wf_cond_broadcast");
	if (!wf__load_acquire(&c->waiting))			/* [cond] */
		return;
	wf__lock(&c->lock);
	list = wf__waitq_claim_all(&c->waiters);
	hide_if_empty(c);
	wf__unlock(&c->lock);
	wf__waitq_ready_all(list);
}
