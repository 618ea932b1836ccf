/* SPDX-License-Identifier: MIT */
/*
 * rwmutex.c - many readers, or one writer.
 * Layer 3.  Uses: rwunit, rwnext, wait, spin, cancel, lock, report.
 *
 * The state, and what the flags mean: rwunit.h.
 *
 * A writer who finds it taken says so and waits.  If readers have it, no new
 * ones come before him; if a writer has, he competes with others when he is
 * woken.  Who gets it next: rwnext.h.
 *
 * The last touch of an unlock is one compare-and-swap, or the drop of the
 * lock while those taken off the queue, not ready yet, keep it alive; or, in
 * a row, a touch of the row only.
 */
#include <weft/rwmutex.h>

#include <errno.h>

#include "cancel.h"
#include "lock.h"
#include "report.h"
#include "rwnext.h"
#include "seam.h"
#include "spin.h"
#include "wait.h"

/* Few: it pays only if the lock is free in the next moment.  Who has parked
 * leaves the cache line to the one who has it. */
enum { RW_SPIN = 4 };

static struct wf__rwmutex *
rwmutex_of(wf_rwmutex *rw)
{
	return (struct wf__rwmutex *)(void *)rw;
}

/* ---- for writing ---- */

/* Take it if nobody has it, and no units are noted.  token is WOKEN for the one
 * who was woken. */
static inline bool
write_grab(struct wf__rwmutex *m, wf__word token)
{
	wf__word s = wf__rwunit_state(m);

	return !(s & ~(wf__word)(WF__RW_QUEUED | WF__RW_WOKEN)) &&
	    wf__rwunit_change(m, s, (s & ~token) | WF__RW_HELD);
}

static bool
spin_to_write(struct wf__rwmutex *m, wf__word token)
{
	if (write_grab(m, token))
		return true;
	if (!wf__spin_helps())
		return false;
	for (int n = 0; n < RW_SPIN; n++) {
		if (wf__rwunit_state(m) &
		    (WF__RW_HANDED | WF__RW_NOTED | WF__RW_WRITERS))
			return false;
		wf__spin_pause(n);
		if (write_grab(m, token))
			return true;
	}
	return false;
}

/* Under the lock: take it if nobody has it; else, with queue, say that a writer
 * waits, and hold off new readers if those who are there are why. */
static bool
take_or_close(struct wf__rwmutex *m, bool queue, wf__word token)
{
	wf__word s, t;
	bool taken;

	if (wf__rwunit_state(m) & WF__RW_NOTED)
		wf__rwunit_gather(m);
	do {
		s = wf__rwunit_state(m);
		taken = !(s & WF__RW_HELD) && s < WF__RW_UNIT;
		t = s & ~token;
		if (taken)
			t = (t & WF__RW_WOKEN) | WF__RW_HELD |
			    wf__rwnext_queues(m, false);
		else if (queue)
			t |= s & WF__RW_HELD ? WF__RW_QUEUED :
			    WF__RW_QUEUED | WF__RW_WRITERS;
	} while (!wf__rwunit_change(m, s, t));
	return taken;
}

/* The lock was given to the caller: who comes now may spin. */
static void
accept_write(struct wf__rwmutex *m)
{
	wf__word s;

	do {
		s = wf__rwunit_state(m);
		wf__assert(s & WF__RW_HELD && s & WF__RW_HANDED &&
		    s < WF__RW_UNIT);
	} while (!wf__rwunit_change(m, s, s & ~(wf__word)WF__RW_HANDED));
}

static int
wait_in(struct wf__rwmutex *m, struct wf__wait *wait)
{
	int err;

	wf__rwunit_number(m);
	wait->lock = &m->lock;
	wait->number = wf__load_relaxed(&m->number);
	if ((err = wf__wait(wait)))
		wf__rwnext_withdraw(m);
	return err;
}

/* With the lock held: queue up until woken or given it, 0; or until *cancel is
 * done. */
static int
wait_to_write(struct wf__rwmutex *m, struct wf__bid *me,
    struct wf__cancel *cancel, bool first)
{
	struct wf__wait wait = { .queue = &m->writers, .cancel = cancel,
	    .value = me, .why = "to write under rwmutex", .first = first };

	return wait_in(m, &wait);
}

WF__NOINLINE static int
write_slow(struct wf__rwmutex *m, struct wf__cancel *cancel)
{
	struct wf__bid me = { 0, false };
	wf__word token = 0;
	int err;

	while (!spin_to_write(m, token)) {
		if (!me.since)
			me.since = wf__seam_now();
		wf__lock(&m->lock);
		if (take_or_close(m, true, token)) {
			wf__unlock(&m->lock);
			break;
		}
		if ((err = wait_to_write(m, &me, cancel, token)))
			return err;
		if (me.handed) {
			accept_write(m);
			break;
		}
		token = WF__RW_WOKEN;
	}
	return 0;
}

WF__NOINLINE static int
try_write_slow(struct wf__rwmutex *m)
{
	bool taken;

	if (!(wf__rwunit_state(m) & WF__RW_NOTED))
		return -EAGAIN;
	wf__lock(&m->lock);
	taken = take_or_close(m, false, 0);
	if (taken)
		wf__unlock(&m->lock);
	else
		wf__rwnext_withdraw(m); /* WRITERS may be up in vain */
	return taken ? 0 : -EAGAIN;
}

/* False: nobody waits, and HELD is without flags that ask for a call. */
static bool
write_pass_on(struct wf__rwmutex *m)
{
	struct wf__waiter *list;
	wf__word s;

	wf__lock(&m->lock);
	list = wf__rwnext_choose(m, &s);
	wf__store_release(&m->state, list ? s : s | WF__RW_HELD); /* [rw] */
	wf__unlock(&m->lock);
	wf__waitq_ready_all(list);
	return list;
}

/* Unlock if nobody is to be woken, and no hand-over is under way. */
static inline bool
write_leave(struct wf__rwmutex *m)
{
	wf__word s = wf__rwunit_state(m);

	return (s == WF__RW_HELD || (s & ~(wf__word)WF__RW_QUEUED) ==
	    (WF__RW_HELD | WF__RW_WOKEN)) &&
	    wf__rwunit_change(m, s, s - WF__RW_HELD);
}

WF__NOINLINE static void
write_unlock_slow(struct wf__rwmutex *m)
{
	while (!write_leave(m)) {
		if (!(wf__rwunit_state(m) & WF__RW_HELD))
			wf__misuse("wf_rwmutex_unlock",
			    "the rwmutex is not locked for writing");
		if (write_pass_on(m))
			return;
	}
}

/* ---- for reading ---- */

static bool
spin_to_read(struct wf__rwmutex *m)
{
	if (!wf__spin_helps())
		return false;
	for (int n = 0; n < RW_SPIN; n++) {
		if (wf__rwunit_state(m) & WF__RW_HANDED)
			return false;
		if (wf__rwunit_count(m))
			return true;
		wf__spin_pause(n);
	}
	return false;
}

WF__NOINLINE static int
read_slow(struct wf__rwmutex *m, struct wf__cancel *cancel)
{
	wf__word s;

	if (spin_to_read(m))
		return 0;
	wf__lock(&m->lock);
	do {
		if (wf__rwunit_count(m)) {
			wf__unlock(&m->lock);
			return 0;
		}
		s = wf__rwunit_state(m);
	} while (!(s & WF__RW_CLOSED) ||
	    !wf__rwunit_change(m, s, s | WF__RW_READERS));
	return wait_in(m, &(struct wf__wait){ .queue = &m->readers,
	    .cancel = cancel, .why = "to read under rwmutex" });
}

WF__NOINLINE static void
read_unlock_slow(struct wf__rwmutex *m)
{
	struct wf__waiter *w = NULL;
	wf__word s;

	while (!wf__rwunit_remove(m)) {
		wf__lock(&m->lock);
		s = wf__rwunit_state(m);
		if (s < WF__RW_UNIT && s & WF__RW_NOTED) {
			wf__rwunit_gather(m);
			s = wf__rwunit_state(m);
		}
		if (s < WF__RW_UNIT)
			wf__misuse("wf_rwmutex_read_unlock",
			    "the rwmutex is not locked for reading");
		if (s < 2 * WF__RW_UNIT && s & WF__RW_WRITERS &&
		    (w = wf__rwnext_give(m))) {
			wf__unlock(&m->lock);
			wf__ready(w->task);
			return;
		}
		wf__rwnext_withdraw(m); /* WRITERS may be up in vain */
	}
}

/* ---- public ---- */

WF__NOINLINE static void
point_at_rwmutex_slow(const char *what, wf_rwmutex *rw)
{
	struct wf__rwmutex *m = rwmutex_of(rw);

	/* In a simulation nobody else can give it one meanwhile. */
	if (wf__seam_alone())
		wf__rwunit_number(m);
	/* Relaxed: for reports. */
	wf__seam_point_at(what, wf__seam_alone() ?
	    wf__load_relaxed(&m->number) : 0);
}

static inline void
point_at_rwmutex(const char *what, wf_rwmutex *rw)
{
	if (wf__unlikely(wf__seam != NULL))
		point_at_rwmutex_slow(what, rw);
}

WF_API void
wf_rwmutex_lock(wf_rwmutex *rw)
{
	point_at_rwmutex("locks rwmutex", rw);
	if (wf__unlikely(!write_grab(rwmutex_of(rw), 0)))
		write_slow(rwmutex_of(rw), NULL);
}

WF_API int
wf_rwmutex_try_lock(wf_rwmutex *rw)
{
	point_at_rwmutex("tries to lock rwmutex", rw);
	return write_grab(rwmutex_of(rw), 0) ? 0 :
	    try_write_slow(rwmutex_of(rw));
}

WF_API int
wf_rwmutex_lock_ctx(wf_ctx *ctx, wf_rwmutex *rw)
{
	point_at_rwmutex("locks rwmutex", rw);
	if (!ctx)
		return -EINVAL;
	return write_grab(rwmutex_of(rw), 0) ? 0 :
	    write_slow(rwmutex_of(rw), wf__cancel_of(ctx));
}

WF_API void
wf_rwmutex_unlock(wf_rwmutex *rw)
{
	struct wf__rwmutex *m = rwmutex_of(rw);

	point_at_rwmutex("unlocks rwmutex", rw);
	if (wf__unlikely(!write_leave(m)))
		write_unlock_slow(m);
}

WF_API void
wf_rwmutex_read_lock(wf_rwmutex *rw)
{
	point_at_rwmutex("read-locks rwmutex", rw);
	if (wf__unlikely(!wf__rwunit_add(rwmutex_of(rw))))
		read_slow(rwmutex_of(rw), NULL);
}

WF_API int
wf_rwmutex_try_read_lock(wf_rwmutex *rw)
{
	point_at_rwmutex("tries to read-lock rwmutex", rw);
	return wf__rwunit_add(rwmutex_of(rw)) ? 0 : -EAGAIN;
}

WF_API int
wf_rwmutex_read_lock_ctx(wf_ctx *ctx, wf_rwmutex *rw)
{
	point_at_rwmutex("read-locks rwmutex", rw);
	if (!ctx)
		return -EINVAL;
	return wf__rwunit_add(rwmutex_of(rw)) ? 0 :
	    read_slow(rwmutex_of(rw), wf__cancel_of(ctx));
}

WF_API void
wf_rwmutex_read_unlock(wf_rwmutex *rw)
{
	struct wf__rwmutex *m = rwmutex_of(rw);

	point_at_rwmutex("read-unlocks rwmutex", rw);
	if (wf__unlikely(!wf__rwunit_remove(m)))
		read_unlock_slow(m);
}
