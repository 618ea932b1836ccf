/* SPDX-License-Identifier: MIT */
/*
 * mutex.c - one at a time.
 * Layer 3.  Uses: mutex, wait, spin, cancel, lock, report.
 *
 *   state:  | QUEUED | WOKEN | HANDED | LOCKED |
 *
 * Lock and unlock are one compare-and-swap each, if it is free, and if nobody
 * is to be woken.  (Unlock by
 * a plain store would have to look for waiters afterwards, in a mutex that the
 * next one may have freed; or mark itself first, for waiters to see by a heavy
 * fence, which costs as much as it saves.)
 *
 * Who finds it locked spins for a moment, then queues.  Unlock wakes the
 * longest waiter, who competes with all who come along: the running ones win
 * nearly always, and that keeps the throughput.  While one is awake (WOKEN),
 * unlock wakes no other.  If he loses he queues again, first in line.  A waiter
 * who has waited for longer than WF__STARVED is given the mutex locked (HANDED)
 * by the next unlock; nobody spins then, because the holder does not run yet.
 * This is for that waiter only, not a mode: as soon as the first in line has
 * not waited so long, running ones win again.
 *
 *   I1  QUEUED is up while the queue is not empty; it changes under the lock.
 *   I2  WOKEN is up while one waiter, in no queue, is about to try.  He takes
 *       it down by locking the mutex, or under the lock to queue again.
 *   I3  HANDED => LOCKED.  The one it was given to takes it down.
 *   I4  with the mutex locked and the lock held, only the holder of both
 *       changes the state.
 *
 * Unlock's last touch is the compare-and-swap that frees the mutex, or the drop
 * of the lock with a waiter taken off that is not ready yet, and whose call
 * keeps the mutex alive.  With nobody left to wake, the lock is dropped first
 * and the mutex freed after that.
 */
#include "mutex.h"

#include <errno.h>

#include "cancel.h"
#include "lock.h"
#include "report.h"
#include "seam.h"
#include "spin.h"
#include "wait.h"

enum { LOCKED = 1, HANDED = 2, WOKEN = 4, QUEUED = 8 };

struct mutex {
	wf__word state;			/* [mutex] */
	struct wf__lock lock;
	struct wf__waitq waiters;
	uint64_t number;		/* for reports; once somebody waits */
} __attribute__((may_alias));		/* the user declares words */

_Static_assert(sizeof(struct mutex) <= sizeof(wf_mutex), "room");

static struct mutex *
mutex_of(wf_mutex *m)
{
	return (struct mutex *)(void *)m;
}

/* ---- lock ---- */

/* Lock it if it is free.  token is WOKEN for the one who was woken. */
static inline bool
grab(struct mutex *m, wf__word s, wf__word token)
{
	return !(s & LOCKED) &&
	    wf__cas_acq_rel(&m->state, s, (s & ~token) | LOCKED); /* [mutex] */
}

static inline bool
lock_fast(struct mutex *m)
{
	return grab(m, wf__load_acquire(&m->state), 0);		/* [mutex] */
}

static bool
spin(struct mutex *m, wf__word token)
{
	wf__word s;

	if (!wf__spin_helps())
		return false;
	for (int n = 0; n < WF__SPIN_ROUNDS; n++) {
		s = wf__load_acquire(&m->state);		/* [mutex] */
		if (s & HANDED)
			return false;
		if (grab(m, s, token))
			return true;
		wf__spin_pause(n);
	}
	return false;
}

/* With the lock held: true if it could be locked after all. */
static bool
show_queue(struct mutex *m, wf__word token)
{
	wf__word s;

	do {
		s = wf__load_acquire(&m->state);		/* [mutex] */
		if (grab(m, s, token))
			return true;
	} while (!(s & LOCKED) || !wf__cas_acq_rel(&m->state, s,
	    (s & ~token) | QUEUED));				/* [mutex] */
	if (!m->number)
		m->number = wf__wait_number();
	return false;
}

/* With the lock held: no flag for an empty queue. */
static void
hide_queue(struct mutex *m)
{
	wf__word s;

	do {
		s = wf__load_acquire(&m->state);		/* [mutex] */
	} while (!m->waiters.first && s & QUEUED &&
	    !wf__cas_acq_rel(&m->state, s, s & ~(wf__word)QUEUED));
}

/* The mutex was given to the caller: who comes now may spin. */
static void
take_hand_over(struct mutex *m)
{
	wf__word s;

	do {
		s = wf__load_acquire(&m->state);		/* [mutex] */
		wf__assert(s & HANDED && s & LOCKED);
	} while (!wf__cas_acq_rel(&m->state, s, s & ~(wf__word)HANDED));
}

/* Queue up until woken: 0; or until *cancel is done. */
static int
queue_up(struct mutex *m, struct wf__bid *me, struct wf__cancel *cancel,
    bool first)
{
	struct wf__wait wait = { .lock = &m->lock, .queue = &m->waiters,
	    .cancel = cancel, .value = me, .why = "for mutex",
	    .number = m->number, .first = first };
	int err = wf__wait(&wait);

	if (err) {
		hide_queue(m);
		wf__unlock(&m->lock);
	}
	return err;
}

WF__NOINLINE static int
lock_slow(struct mutex *m, struct wf__cancel *cancel)
{
	struct wf__bid me = { 0, false };
	wf__word token = 0;
	int err;

	while (!spin(m, token)) {
		if (!me.since)
			me.since = wf__seam_now();
		wf__lock(&m->lock);
		if (show_queue(m, token)) {
			wf__unlock(&m->lock);
			break;
		}
		if ((err = queue_up(m, &me, cancel, token)))
			return err;
		if (me.handed) {
			take_hand_over(m);
			break;
		}
		token = WOKEN;
	}
	return 0;
}

/* ---- unlock ---- */

/* Wake the first waiter, or give him the mutex.  False: nobody waits. */
static bool
pass_on(struct mutex *m)
{
	wf__word s = LOCKED;
	struct wf__waiter *w;
	struct wf__bid *bid;

	wf__lock(&m->lock);
	if (!(w = wf__waitq_claim(&m->waiters))) {
		hide_queue(m);
		wf__unlock(&m->lock);
		return false;
	}
	bid = w->value;
	bid->handed = wf__seam_now() - bid->since > WF__STARVED;
	s = bid->handed ? LOCKED | HANDED : WOKEN;
	if (m->waiters.first)
		s |= QUEUED;
	wf__store_release(&m->state, s);		/* [mutex] by I4 */
	wf__unlock(&m->lock);
	wf__ready(w->task);
	return true;
}

/* Unlock it if nobody is to be woken, and no hand-over is under way. */
static inline bool
unlock_fast(struct mutex *m)
{
	wf__word s = wf__load_acquire(&m->state);		/* [mutex] */

	return (s == LOCKED || (s & ~(wf__word)QUEUED) == (LOCKED | WOKEN)) &&
	    wf__cas_acq_rel(&m->state, s, s - LOCKED);		/* [mutex] */
}

WF__NOINLINE static void
unlock_slow(struct mutex *m, const char *call)
{
	wf__word s;

	for (;;) {
		s = wf__load_acquire(&m->state);		/* [mutex] */
		if (!(s & LOCKED))
			wf__misuse(call, "the mutex is not locked");
		if (s & QUEUED && !(s & WOKEN)) {
			if (pass_on(m))
				return;
		} else if (wf__cas_acq_rel(&m->state, s,
		    s & ~(wf__word)(LOCKED | HANDED)))		/* [mutex] */
			return;
	}
}

void
wf__mutex_unlock(wf_mutex *mutex, const char *call)
{
	struct mutex *m = mutex_of(mutex);

	if (wf__unlikely(!unlock_fast(m)))
		unlock_slow(m, call);
}

void
wf__mutex_lock(wf_mutex *mutex)
{
	struct mutex *m = mutex_of(mutex);

	if (wf__unlikely(!lock_fast(m)))
		lock_slow(m, NULL);
}

bool
wf__mutex_is_locked(const wf_mutex *mutex)
{
	const struct mutex *m = (const struct mutex *)(const void *)mutex;

	return wf__load_acquire(&m->state) & LOCKED;		/* [mutex] */
}

void
wf__mutex_touch(wf_mutex *m)
{
	wf__wait_touch(&mutex_of(m)->number);
}

/* ---- public ---- */

WF_API void
wf_mutex_lock(wf_mutex *m)
{
	wf__wait_point("locks mutex", &mutex_of(m)->number);
	wf__mutex_lock(m);
}

WF_API int
wf_mutex_try_lock(wf_mutex *mutex)
{
	struct mutex *m = mutex_of(mutex);

	wf__wait_point("tries to lock mutex", &m->number);
	while (!lock_fast(m))
		if (wf__load_acquire(&m->state) & LOCKED)	/* [mutex] */
			return -EAGAIN;
	return 0;
}

WF_API int
wf_mutex_lock_ctx(wf_ctx *ctx, wf_mutex *mutex)
{
	struct mutex *m = mutex_of(mutex);

	wf__wait_point("locks mutex", &m->number);
	if (!ctx)
		return -EINVAL;
	return lock_fast(m) ? 0 : lock_slow(m, wf__cancel_of(ctx));
}

WF_API void
wf_mutex_unlock(wf_mutex *m)
{
	wf__wait_point("unlocks mutex", &mutex_of(m)->number);
	wf__mutex_unlock(m, "wf_mutex_unlock");
}
