/* SPDX-License-Identifier: MIT */
/*
 * once.c - only the first time.
 * Layer 3.  Uses: wait, cancel, lock, report, sched.
 *
 *	new -> at it -> (queue) -> done
 *
 *   I1  the queue is not empty only in the state of that name, which is
 *       entered and left under the lock.
 *
 * The end is one compare-and-swap if nobody waits; else those who wait are
 * taken off, the lock is dropped, and they, not ready yet, keep it alive
 * until then.  (If all have withdrawn, it is as if nobody waited.)
 */
#include <weft/once.h>

#include <errno.h>

#include <weft/coro.h>
#include "cancel.h"
#include "lock.h"
#include "report.h"
#include "seam.h"
#include "self.h"
#include "wait.h"

enum { ONCE_NEW, ONCE_AT_IT, ONCE_DONE = WF__ONCE_DONE, ONCE_QUEUE };

struct once {
	wf__word state;			/* [once] */
	wf__word runner;		/* who is at it */
	struct wf__lock lock;
	struct wf__waitq waiters;
	uint64_t number;		/* for reports; once somebody waits */
} __attribute__((may_alias));		/* the user declares words */

_Static_assert(sizeof(struct once) <= sizeof(wf_once), "room");
_Static_assert(offsetof(struct once, state) == 0, "the header reads it");

static struct once *
once_of(wf_once *o)
{
	return (struct once *)(void *)o;
}

/* The calling coroutine, or thread, as a word of its own: an odd one of its
 * number, or the even address of the thread's errno. */
static wf__word
caller(void)
{
	uint64_t id = wf_self();

	return id ? id << 1 | 1 : (wf__word)wf__errno_address();
}

/* 1: the caller's to do; 0: done; -EAGAIN: somebody is at it. */
static int
begin_once(struct once *o)
{
	wf__word s = wf__load_acquire(&o->state);		/* [once] */

	if (s == ONCE_DONE)
		return 0;
	if (s == ONCE_NEW &&
	    wf__cas_acq_rel(&o->state, ONCE_NEW, ONCE_AT_IT)) { /* [once] */
		/* Relaxed: only who wrote it finds himself in it. */
		wf__store_relaxed(&o->runner, caller());
		return 1;
	}
	return -EAGAIN;
}

static void
check_runner(const struct once *o)
{
	/* Relaxed: see above. */
	if (wf__unlikely(wf__load_relaxed(&o->runner) == caller()))
		wf__misuse("wf_once_do", "called from within itself");
}

/* With the lock held: false if it is done. */
static bool
show_queue_of(struct once *o)
{
	wf__word s;

	do {
		s = wf__load_acquire(&o->state);		/* [once] */
		if (s == ONCE_DONE)
			return false;
	} while (s != ONCE_QUEUE &&
	    !wf__cas_acq_rel(&o->state, s, ONCE_QUEUE));	/* [once] */
	if (!o->number)
		o->number = wf__wait_number();
	return true;
}

/* Until it is done, 0; or *cancel is. */
WF__NOINLINE static int
await_once(struct once *o, struct wf__cancel *cancel)
{
	struct wf__wait wait = { .lock = &o->lock, .queue = &o->waiters,
	    .cancel = cancel, .why = "for once" };
	int err;

	check_runner(o);
	wf__lock(&o->lock);
	if (!show_queue_of(o)) {
		wf__unlock(&o->lock);
		return 0;
	}
	wait.number = o->number;
	err = wf__wait(&wait);
	if (err)
		wf__unlock(&o->lock);
	return err;
}

WF_API bool
wf_once_begin(wf_once *once)
{
	int r;

	wf__wait_point("comes to once", &once_of(once)->number);
	r = begin_once(once_of(once));
	if (r < 0)
		await_once(once_of(once), NULL);
	return r > 0;
}

WF_API int
wf_once_try_begin(wf_once *once)
{
	wf__wait_point("comes to once", &once_of(once)->number);
	return begin_once(once_of(once));
}

WF_API int
wf_once_begin_ctx(wf_ctx *ctx, wf_once *once)
{
	int r;

	wf__wait_point("comes to once", &once_of(once)->number);
	if (!ctx)
		return -EINVAL;
	r = begin_once(once_of(once));
	return r < 0 ? await_once(once_of(once), wf__cancel_of(ctx)) : r;
}

WF_API void
wf_once_end(wf_once *once)
{
	struct once *o = once_of(once);
	struct wf__waiter *list;

	wf__wait_point("is done with once", &o->number);
	/* wf_once_do() looks without a call. */
	wf__seam_touch(WF__ANYTHING);
	while (!wf__cas_acq_rel(&o->state, ONCE_AT_IT,
	    ONCE_DONE)) {					/* [once] */
		if (wf__load_acquire(&o->state) != ONCE_QUEUE)	/* [once] */
			wf__misuse("wf_once_end", "it has not begun");
		wf__lock(&o->lock);
		list = wf__waitq_claim_all(&o->waiters);
		wf__store_release(&o->state,			/* [once] */
		    list ? ONCE_DONE : ONCE_AT_IT);
		wf__unlock(&o->lock);
		wf__waitq_ready_all(list);
		if (list)
			break;
	}
}
