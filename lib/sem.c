/* SPDX-License-Identifier: MIT */
/*
 * sem.c - weighted semaphores.
 * Layer 3.  Uses: wait, cancel, lock, report.
 *
 *   state:  | units taken | QUEUE flag (bit 0) |
 *
 *   I1  units taken <= size.
 *   I2  the flag is up while somebody waits; it changes under the lock, and
 *       while it is up, units are taken and given back under the lock only.
 *   I3  the first waiter that can be won asks for more than is free.
 *
 * Without waiters, to take and to give back is one compare-and-swap.  With
 * them, who gives back takes for the first ones as well, as far as it goes, in
 * one step, and then wakes them.  A waiter who gives up may have been the one
 * who did not fit: he does the same for those behind him; unless somebody came
 * before him, found him lost, and took down the flag of an empty queue: then
 * the state is no longer a matter of the lock, and nobody is behind him.
 *
 * Release's last touch is the compare-and-swap, or the drop of the lock while
 * somebody who is in the queue, or was just taken off it, keeps the semaphore
 * alive.  With an empty queue the lock is dropped first.  test/models/sem.pml
 * has all of this step by step.
 */
#include <weft/sem.h>

#include <errno.h>

#include "cancel.h"
#include "lock.h"
#include "report.h"
#include "seam.h"
#include "wait.h"

enum { SEM_QUEUE = 1, SEM_UNIT = 2 };

struct sem {
	size_t size;			/* fixed */
	wf__word state;			/* [sem] */
	struct wf__lock lock;
	struct wf__waitq waiters;	/* value: how many units */
	uint64_t number;		/* for reports; once somebody waits */
} __attribute__((may_alias));		/* the user declares words */

_Static_assert(sizeof(struct sem) <= sizeof(wf_sem), "room");
_Static_assert(offsetof(struct sem, size) == 0, "WF_SEM() sets it");

static struct sem *
sem_of(wf_sem *s)
{
	return (struct sem *)(void *)s;
}

static size_t
units(wf__word state)
{
	return state / SEM_UNIT;
}

/* Take n if nobody waits and there are so many. */
static bool
take_units(struct sem *s, size_t n)
{
	wf__word st;

	do {
		st = wf__load_acquire(&s->state);		/* [sem] */
		if (st & SEM_QUEUE || n > s->size ||
		    units(st) > s->size - n)
			return false;
	} while (!wf__cas_acq_rel(&s->state, st, st + n * SEM_UNIT));
	return true;
}

/* Under the lock, with the flag up: n units are back.  Those who are first and
 * fit now, taken off and linked; the state is as if they had come and gone. */
static struct wf__waiter *
grant(struct sem *s, size_t n)
{
	/* Relaxed: by I2 it stays as it is; what is ordered is ordered by the
	 * lock, and by the release below for those without it. */
	size_t taken = units(wf__load_relaxed(&s->state)) - n;
	struct wf__waiter *list = NULL, **end = &list, *w;

	wf__assert(wf__load_relaxed(&s->state) & SEM_QUEUE);
	while ((w = s->waiters.first) &&
	    (size_t)(uintptr_t)w->value <= s->size - taken) {
		wf__waitq_remove(&s->waiters, w);
		if (!wf__waiter_win(w))
			continue;
		taken += (size_t)(uintptr_t)w->value;
		*end = w;
		end = &w->next;
	}
	*end = NULL;
	wf__store_release(&s->state, taken * SEM_UNIT |		/* [sem] */
	    (s->waiters.first ? SEM_QUEUE : 0));
	return list;
}

/* Under the lock: false if the units can be had after all. */
static bool
raise_flag(struct sem *s, size_t n)
{
	wf__word st;

	do {
		if (take_units(s, n))
			return false;
		st = wf__load_acquire(&s->state);		/* [sem] */
		if (st & SEM_QUEUE)
			break;
	} while (units(st) <= s->size - n || !wf__cas_acq_rel(&s->state, st,
	    st | SEM_QUEUE));
	if (!s->number)
		s->number = wf__wait_number();
	return true;
}

/* Wait in a queue, or until *cancel is done; then the lock is held again. */
static int
await_units(struct sem *s, size_t n, struct wf__waitq *queue,
    struct wf__cancel *cancel)
{
	struct wf__wait wait = { .lock = &s->lock, .queue = queue,
	    .cancel = cancel, .value = (void *)(uintptr_t)n,
	    .why = "for semaphore", .number = s->number };

	return wf__wait(&wait);
}

WF__NOINLINE static int
acquire_slow(struct sem *s, size_t n, struct wf__cancel *cancel)
{
	struct wf__waiter *list = NULL;
	int err;

	wf__lock(&s->lock);
	if (!raise_flag(s, n)) {
		wf__unlock(&s->lock);
		return 0;
	}
	if (!(err = await_units(s, n, &s->waiters, cancel)))
		return 0;
	/* Relaxed: it goes up, and down, under the lock. */
	if (wf__load_relaxed(&s->state) & SEM_QUEUE)
		list = grant(s, 0);
	wf__unlock(&s->lock);
	wf__waitq_ready_all(list);
	return err;
}

/* In a queue of one's own, which nobody ever looks into. */
static int
await_end(struct sem *s, size_t n, struct wf__cancel *cancel)
{
	struct wf__waitq nobodys = { NULL, NULL };
	int err;

	wf__lock(&s->lock);
	if (!s->number)
		s->number = wf__wait_number();
	err = await_units(s, n, &nobodys, cancel);
	wf__unlock(&s->lock);
	return err;
}

static void
check_release(size_t taken, size_t n)
{
	if (wf__unlikely(n > taken))
		wf__misuse("wf_sem_release", "%zu units given back, %zu are "
		    "taken", n, taken);
}

/* False: nobody waits after all. */
WF__NOINLINE static bool
release_slow(struct sem *s, size_t n)
{
	struct wf__waiter *list;
	wf__word st;

	wf__lock(&s->lock);
	st = wf__load_acquire(&s->state);			/* [sem] */
	if (!(st & SEM_QUEUE)) {
		wf__unlock(&s->lock);
		return false;
	}
	check_release(units(st), n);
	list = grant(s, n);
	wf__unlock(&s->lock);
	wf__waitq_ready_all(list);
	return true;
}

/* ---- public ---- */

WF_API void
wf_sem_init(wf_sem *s, size_t size)
{
	memset(s, 0, sizeof *s);
	s->wf__size = size;
}

WF_API void
wf_sem_acquire(wf_sem *sem, size_t n)
{
	struct sem *s = sem_of(sem);

	wf__wait_point("acquires semaphore", &s->number);
	if (wf__unlikely(n > s->size))
		wf__misuse("wf_sem_acquire", "%zu units of %zu can never be "
		    "had", n, s->size);
	if (wf__unlikely(!take_units(s, n)))
		acquire_slow(s, n, NULL);
}

WF_API int
wf_sem_try_acquire(wf_sem *s, size_t n)
{
	wf__wait_point("tries to acquire semaphore", &sem_of(s)->number);
	return take_units(sem_of(s), n) ? 0 : -EAGAIN;
}

WF_API int
wf_sem_acquire_ctx(wf_ctx *ctx, wf_sem *sem, size_t n)
{
	struct sem *s = sem_of(sem);

	wf__wait_point("acquires semaphore", &s->number);
	if (!ctx)
		return -EINVAL;
	if (n > s->size)
		return await_end(s, n, wf__cancel_of(ctx));
	return take_units(s, n) ? 0 : acquire_slow(s, n, wf__cancel_of(ctx));
}

WF_API void
wf_sem_release(wf_sem *sem, size_t n)
{
	struct sem *s = sem_of(sem);
	wf__word st;

	wf__wait_point("releases semaphore", &s->number);
	for (;;) {
		st = wf__load_acquire(&s->state);		/* [sem] */
		if (st & SEM_QUEUE) {
			if (release_slow(s, n))
				return;
			continue;
		}
		check_release(units(st), n);
		if (wf__cas_acq_rel(&s->state, st, st - n * SEM_UNIT))
			return;					/* [sem] */
	}
}
