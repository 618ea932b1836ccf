/* SPDX-License-Identifier: MIT */
/*
 * rwmutex.c - many readers, or one writer.
 * Layer 3.  Uses: rwunit, wait, spin, cancel, lock, report.
 *
 * The state, and what the flags mean: rwunit.h.
 *
 * Whoever ends the last unit or unlocks after writing gives the lock to those
 * who wait, in one step: after a reader, the first writer; after a writer, all
 * readers who wait, and if there are none the first writer.
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
#include "rwunit.h"
#include "seam.h"
#include "spin.h"
#include "wait.h"

static struct wf__rwmutex *
rwmutex_of(wf_rwmutex *rw)
{
	return (struct wf__rwmutex *)(void *)rw;
}

/* ---- who is next; under the lock ---- */

/* No writer has it or waits: all readers that wait come in.  (If one comes and
 * takes it this very moment, READERS is down: none waits.) */
static struct wf__waiter *
admit(struct wf__rwmutex *m)
{
	struct wf__waiter *list = wf__waitq_claim_all(&m->readers);
	wf__word n = 0, s;

	for (struct wf__waiter *w = list; w; w = w->next)
		n += WF__RW_UNIT;
	do {
		s = wf__rwunit_state(m);
	} while (!wf__rwunit_change(m, s,
	    (s & ~(wf__word)(WF__RW_READERS | WF__RW_WRITERS)) + n));
	return list;
}

/* The flags for those who still wait. */
static wf__word
rw_queues(const struct wf__rwmutex *m)
{
	return (m->writers.first ? WF__RW_WRITERS : 0) |
	    (m->readers.first ? WF__RW_READERS : 0);
}

/* HELD, or the last unit and no new ones: the first writer gets it. */
static struct wf__waiter *
give_to_writer(struct wf__rwmutex *m)
{
	struct wf__waiter *w = wf__waitq_claim(&m->writers);

	if (!w)
		return NULL;
	w->next = NULL;
	wf__store_release(&m->state, WF__RW_HELD |		/* [rw] */
	    WF__RW_HANDED | rw_queues(m));
	return w;
}

/* HELD: all readers that wait get it. */
static struct wf__waiter *
give_to_readers(struct wf__rwmutex *m)
{
	struct wf__waiter *list = wf__waitq_claim_all(&m->readers);
	wf__word n = 0;

	for (struct wf__waiter *w = list; w; w = w->next)
		n += WF__RW_UNIT;
	if (n)
		wf__store_release(&m->state, n | rw_queues(m));	/* [rw] */
	return list;
}

/* A waiter has withdrawn: its flag goes if it was the last, and whom it held
 * up comes in.  Drops the lock. */
static void
withdraw_waiter(struct wf__rwmutex *m)
{
	struct wf__waiter *list = NULL;
	wf__word s, flags;

	do {
		s = wf__rwunit_state(m);
		flags = rw_queues(m);
		if (!(s & WF__RW_HELD) && !(flags & WF__RW_WRITERS)) {
			list = admit(m);
			break;
		}
	} while (!wf__rwunit_change(m, s,
	    (s & ~(wf__word)(WF__RW_WRITERS | WF__RW_READERS)) | flags));
	wf__unlock(&m->lock);
	wf__waitq_ready_all(list);
}

/* ---- for writing ---- */

static inline bool
write_fast(struct wf__rwmutex *m)
{
	return wf__rwunit_change(m, 0, WF__RW_HELD);
}

static bool
spin_to_write(struct wf__rwmutex *m)
{
	wf__word s;

	if (!wf__spin_helps())
		return false;
	for (int n = 0; n < WF__SPIN_ROUNDS; n++) {
		s = wf__rwunit_state(m);
		if (s & (WF__RW_HANDED | WF__RW_NOTED | WF__RW_WRITERS))
			return false;
		if (s == 0 && write_fast(m))
			return true;
		wf__spin_pause(n);
	}
	return false;
}

/* Under the lock: take it if nobody has it; else, with queue, hold off new
 * readers. */
static bool
take_or_close(struct wf__rwmutex *m, bool queue)
{
	wf__word s, t;
	bool taken;

	if (wf__rwunit_state(m) & WF__RW_NOTED)
		wf__rwunit_gather(m);
	do {
		s = wf__rwunit_state(m);
		taken = !(s & WF__RW_HELD) && s < WF__RW_UNIT &&
		    !m->writers.first;
		t = taken ? WF__RW_HELD | rw_queues(m) :
		    queue ? s | WF__RW_WRITERS : s;
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
wait_in(struct wf__rwmutex *m, struct wf__waitq *queue,
    struct wf__cancel *cancel, const char *why)
{
	struct wf__wait wait = { .lock = &m->lock, .queue = queue,
	    .cancel = cancel, .why = why };
	int err;

	wf__rwunit_number(m);
	wait.number = wf__load_relaxed(&m->number);
	if ((err = wf__wait(&wait)))
		withdraw_waiter(m);
	return err;
}

WF__NOINLINE static int
write_slow(struct wf__rwmutex *m, struct wf__cancel *cancel)
{
	int err;

	if (spin_to_write(m))
		return 0;
	wf__lock(&m->lock);
	if (take_or_close(m, true)) {
		wf__unlock(&m->lock);
		return 0;
	}
	err = wait_in(m, &m->writers, cancel, "to write under rwmutex");
	if (!err)
		accept_write(m);
	return err;
}

WF__NOINLINE static int
try_write_slow(struct wf__rwmutex *m)
{
	bool taken;

	if (!(wf__rwunit_state(m) & WF__RW_NOTED))
		return -EAGAIN;
	wf__lock(&m->lock);
	taken = take_or_close(m, false);
	if (taken)
		wf__unlock(&m->lock);
	else
		withdraw_waiter(m);	/* WRITERS may be up for nobody */
	return taken ? 0 : -EAGAIN;
}

/* False: nobody waits after all, and HELD is alone. */
static bool
write_pass_on(struct wf__rwmutex *m)
{
	struct wf__waiter *list;

	wf__lock(&m->lock);
	if (!(list = give_to_readers(m)) && !(list = give_to_writer(m)))
		wf__store_release(&m->state, WF__RW_HELD);	/* [rw] */
	wf__unlock(&m->lock);
	wf__waitq_ready_all(list);
	return list;
}

/* ---- for reading ---- */

static bool
spin_to_read(struct wf__rwmutex *m)
{
	if (!wf__spin_helps())
		return false;
	for (int n = 0; n < WF__SPIN_ROUNDS; n++) {
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
	return wait_in(m, &m->readers, cancel, "to read under rwmutex");
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
		    (w = give_to_writer(m))) {
			wf__unlock(&m->lock);
			wf__ready(w->task);
			return;
		}
		withdraw_waiter(m);	/* WRITERS may be up for nobody */
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
	if (wf__unlikely(!write_fast(rwmutex_of(rw))))
		write_slow(rwmutex_of(rw), NULL);
}

WF_API int
wf_rwmutex_try_lock(wf_rwmutex *rw)
{
	point_at_rwmutex("tries to lock rwmutex", rw);
	return write_fast(rwmutex_of(rw)) ? 0 : try_write_slow(rwmutex_of(rw));
}

WF_API int
wf_rwmutex_lock_ctx(wf_ctx *ctx, wf_rwmutex *rw)
{
	point_at_rwmutex("locks rwmutex", rw);
	if (!ctx)
		return -EINVAL;
	return write_fast(rwmutex_of(rw)) ? 0 :
	    write_slow(rwmutex_of(rw), wf__cancel_of(ctx));
}

WF_API void
wf_rwmutex_unlock(wf_rwmutex *rw)
{
	struct wf__rwmutex *m = rwmutex_of(rw);

	point_at_rwmutex("unlocks rwmutex", rw);
	while (!wf__rwunit_change(m, WF__RW_HELD, 0)) {
		if (!(wf__rwunit_state(m) & WF__RW_HELD))
			wf__misuse("wf_rwmutex_unlock",
			    "the rwmutex is not locked for writing");
		if (write_pass_on(m))
			return;
	}
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
