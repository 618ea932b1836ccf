/* SPDX-License-Identifier: MIT */
/*
 * poller.c - from events to ready coroutines.
 * Layer 6.  Uses: poller, await, sched, socket, idle, os, alloc.
 *
 * Who waits for a descriptor:
 *
 *	raw      arm it, queue up, park: all under the pollee's lock, which
 *	         is dropped after the switch [publish]
 *	watched  try; it would block; lock; an edge since the try began?  Then
 *	         try again, else queue up and park
 *
 * and who has an event takes the waiters off, under the lock, readies them, and
 * gives the edge of a watched one to the waiter, or remembers it if there is
 * none.  The user clears the edge, or has been given it, before he tries, never
 * after.  So what arrives later finds an edge not yet looked at or a waiter.
 *
 * A waiter is won like any other: by the claim word where a deadline or
 * a context may end the wait as well [claim].  All waiters of a side are woken
 * together, and wait again if others were faster.
 *
 * Events carry a key: a number for raw ones; slot and generation for those
 * watched, so that what comes after the descriptor was closed is left aside.
 * One of a raw one may be of an older descriptor: its waiter waits again.
 *
 * One worker sleeps in the poller (idle.c); without one, others look now and
 * then: at housekeeping, in a search, and the monitor every 10 ms.
 */
#include "poller.h"

#include <errno.h>

#include <weft/time.h>
#include "alloc.h"
#include "fork.h"
#include "idle.h"
#include "sched.h"
#include "socket.h"

enum {
	EVENT_BATCH = WF__ROUND,
	CHUNK = 256,			/* pollees */
	CHUNKS = 4096			/* for each kind: a million */
};
#define WATCHED (UINT64_C(1) << 63)

struct chunk {
	struct wf__pollee pollees[CHUNK];
};

struct chunks {
	wf__word by_index[CHUNKS];	/* struct chunk *, set once [chunk] */
};

static struct {
	struct wf__lock start;		/* taken to start and to stop */
	struct chunks raw, watched;
	struct wf__lock lock;		/* for the rest */
	struct wf__pollee *free;	/* of the watched */
	uint32_t made, used;		/* watched slots */
	uint32_t epoch;			/* counts starts */
} poller;
WF__FORGET(poller)

static struct chunk *
chunk_at(struct chunks *c, size_t index)
{
	return (struct chunk *)
	    wf__load_acquire(&c->by_index[index / CHUNK]);	/* [chunk] */
}

static void
init_chunk(struct chunk *c, uint32_t first)
{
	for (uint32_t i = 0; i < CHUNK; i++) {
		c->pollees[i].fd = -1;
		c->pollees[i].index = first + i;
		c->pollees[i].alarm.fire = wf__pollee_alarm;
		c->pollees[i].alarm.stands_by = true;
	}
}

/* The pollee of this index, made if need be; NULL without memory. */
static struct wf__pollee *
pollee_at(struct chunks *all, size_t index)
{
	wf__word *place = &all->by_index[index / CHUNK];
	struct chunk *c = chunk_at(all, index), *fresh;

	if (wf__unlikely(!c)) {
		if (!(fresh = wf__alloc(sizeof *fresh)))
			return NULL;
		init_chunk(fresh, (uint32_t)(index / CHUNK * CHUNK));
		if (!wf__cas_acq_rel(place, 0, (wf__word)fresh)) /* [chunk] */
			wf__free(fresh, sizeof *fresh);
		c = chunk_at(all, index);
	}
	return &c->pollees[index % CHUNK];
}

/* Nobody looks at them any more: all of them, linked by their first pollees. */
static struct wf__pollee *
take_chunks(struct chunks *all)
{
	struct wf__pollee *list = NULL;
	struct chunk *c;

	for (size_t i = 0; i < CHUNKS; i++)
		if ((c = chunk_at(all, i * CHUNK))) {
			c->pollees[0].next_free = list;
			list = &c->pollees[0];
		}
	memset(all, 0, sizeof *all);
	return list;
}

static void
free_chunks(struct wf__pollee *list)
{
	struct wf__pollee *next;

	for (; list; list = next) {
		next = list->next_free;
		wf__free(wf__container_of(list, struct chunk, pollees[0]),
		    sizeof(struct chunk));
	}
}

/* Of the watched, if there are none, and no event can come. */
static void
free_if_unused(void)
{
	struct wf__pollee *list = NULL;

	wf__lock(&poller.lock);
	if (!poller.used && !wf__load_acquire(&wf__sched.poller)) {
		list = take_chunks(&poller.watched);	/* [poller] */
		poller.free = NULL;
		poller.made = 0;
	}
	wf__unlock(&poller.lock);
	free_chunks(list);
}

/* ---- events ---- */

static void
raw_event(size_t fd, unsigned what)
{
	struct wf__pollee *p = pollee_at(&poller.raw, fd);
	struct wf__waiter *list;
	unsigned rest;

	if (!p)
		return;
	wf__lock(&p->lock);
	list = wf__pollee_take(p, what);
	/* Should that fail, they are to find out themselves. */
	if ((rest = wf__pollee_awaited(p)) &&
	    wf__os_poll_arm((int)fd, rest, fd) < 0)
		list = wf__waiters_join(list, wf__pollee_take(p, rest));
	wf__unlock(&p->lock);
	wf__pollee_ready(list);
}

static void
watched_event(uint64_t key, unsigned what)
{
	struct wf__pollee *p = pollee_at(&poller.watched, (uint32_t)key);
	struct wf__waiter *list = NULL;
	void (*fire)(void) = NULL;

	wf__lock(&p->lock);
	if (p->generation == (uint32_t)((key & ~WATCHED) >> 32)) {
		list = wf__pollee_note(p, what);
		fire = p->fire;
	}
	wf__unlock(&p->lock);
	wf__pollee_ready(list);
	if (fire)
		fire();
}

/* With those who are ready already, as many as run until the next look: more
 * would pile up, and what an event has brought into the cache be out of it when
 * they run.  But those behind one that computes are to get there first. */
static int
take_at_most(void)
{
	struct wf__worker *w = wf__self();
	size_t ready = w ? wf__runq_length(&w->queue) : 0;

	if (!ready || w->round < WF__ROUND_UNKNOWN)
		return EVENT_BATCH;
	return (int)(ready < w->round ? w->round - ready :
	    w->round / 4 + 1);
}

/* The scheduler's hook. */
static bool
poll_events(int64_t deadline)
{
	struct wf__os_event events[EVENT_BATCH];
	bool woken;
	int n = wf__os_poll_wait(events, take_at_most(), deadline, &woken);

	if (deadline)
		wf__idle_rise(wf__self());
	/* Who only looked, as nobody slept here, may have got the wake of one
	 * who has lain down meanwhile.  Relaxed: he did so before the wake. */
	else if (woken && wf__load_relaxed(&wf__sched.in_poller))
		wf__os_poll_wake();
	/* Relaxed: a count. */
	wf__add_relaxed(&wf__sched.polls, 1);
	for (int i = 0; i < n; i++)
		if (events[i].key & WATCHED)
			watched_event(events[i].key, events[i].what);
		else
			raw_event((size_t)events[i].key, events[i].what);
	return n > 0;
}

/* ---- start and stop ---- */

/* Under the start lock. */
static int
open_poller(void)
{
	int err = wf__os_poll_open();

	if (err)
		return err;
	poller.epoch++;
	wf__sched.hooks.poll = poll_events;
	wf__sched.hooks.poll_wake = wf__os_poll_wake;
	wf__store_release(&wf__sched.poller, 1);		/* [poller] */
	/* If all sleep already, one is to move. */
	wf__idle_wake_worker(wf__sched_worker(0));
	return 0;
}

int
wf__poller_need(void)
{
	int err;

	if (wf__likely(wf__load_acquire(&wf__sched.poller)))	/* [poller] */
		return 0;
	/* The world outside has no part in a simulation. */
	if ((err = wf__seam_alone() ? -ENOSYS : wf__sched_need()) < 0)
		return err;
	wf__lock(&poller.start);
	if (!wf__load_acquire(&wf__sched.poller))		/* [poller] */
		err = open_poller();
	wf__unlock(&poller.start);
	return err;
}

int
wf__pollee_need(const struct wf__pollee *p)
{
	return wf__unlikely(p->simulated) ? 0 : wf__poller_need();
}

void
wf__poller_stop(void)
{
	wf__lock(&poller.start);
	if (wf__load_acquire(&wf__sched.poller))		/* [poller] */
		wf__os_poll_close();
	wf__store_release(&wf__sched.poller, 0);		/* [poller] */
	wf__unlock(&poller.start);
	free_chunks(take_chunks(&poller.raw));
	free_if_unused();		/* connections may still be open */
}

/* ---- raw ---- */

/* With the lock held, and dropped.  While the number is being closed it waits
 * for the end of that, to see then whose the number is. */
static int
wait_raw(struct wf__pollee *p, size_t fd, unsigned what,
    struct wf__cancel *cancel, int64_t deadline)
{
	struct wf__wait wait = { .lock = &p->lock,
	    .queue = &p->waiters[what - 1], .cancel = cancel, .number = fd,
	    .why = what == WF__OS_IN ? "to read descriptor" :
	    "to write to descriptor" };
	bool closing = p->closing > 0;
	int err = closing ? 0 :
	    wf__os_poll_arm((int)fd, what | wf__pollee_awaited(p), fd);
	uint32_t generation = p->generation;

	if (!err)
		err = wf__await_outside(&wait, deadline);
	if (!err && !closing && generation != p->generation)
		err = -EBADF;
	wf__unlock(&p->lock);
	return err;
}

int
wf__poller_wait(int fd, unsigned what, struct wf__cancel *cancel,
    int64_t deadline)
{
	struct wf__pollee *p;
	int err;

	if (fd < 0)
		return -EBADF;
	if (fd >= CHUNK * CHUNKS)
		return -EMFILE;
	if ((err = wf__poller_need()) < 0)
		return err;
	if (!(p = pollee_at(&poller.raw, (size_t)fd)))
		return -ENOMEM;
	wf__lock(&p->lock);
	return wait_raw(p, (size_t)fd, what, cancel, deadline);
}

void
wf__poller_drop(int fd, int closing)
{
	struct wf__waiter *list = NULL;
	struct wf__pollee *p;

	if (fd < 0 || fd >= CHUNK * CHUNKS ||
	    !wf__load_acquire(&wf__sched.poller) ||		/* [poller] */
	    !(p = pollee_at(&poller.raw, (size_t)fd)))
		return;
	wf__lock(&p->lock);
	if (closing > 0 || p->closing)	/* else it began without poller */
		p->closing += closing;
	p->generation += closing > 0;
	if (closing > 0 || !p->closing)
		list = wf__pollee_take(p, WF__OS_IN | WF__OS_OUT);
	wf__unlock(&p->lock);
	wf__waitq_ready_all(list);
}

/* ---- watched ---- */

/* A free slot, or the next new one; NULL without memory. */
static struct wf__pollee *
take_slot(void)
{
	struct wf__pollee *p;
	uint32_t index = 0;

	wf__lock(&poller.lock);
	if ((p = poller.free))
		poller.free = p->next_free;
	else if (poller.made < CHUNK * CHUNKS)
		index = ++poller.made;
	poller.used += p || index;
	wf__unlock(&poller.lock);
	if (index && !(p = pollee_at(&poller.watched, index - 1))) {
		wf__lock(&poller.lock);
		poller.used--;		/* the index is lost */
		wf__unlock(&poller.lock);
	}
	return p;
}

struct wf__pollee *
wf__pollee_new(int fd)
{
	bool simulated = wf__socket_is_simulated(fd);
	struct wf__pollee *p = simulated ? wf__alloc_object(sizeof *p) :
	    take_slot();

	if (!p)
		return NULL;
	wf__lock(&p->lock);
	p->simulated = simulated;
	p->fd = fd;
	p->registered = p->ended = p->edge[0] = p->edge[1] = false;
	p->fire = NULL;
	p->number = wf__wait_number();
	if (simulated)
		wf__socket_table()->watch(fd, p);
	wf__unlock(&p->lock);
	return p;
}

void
wf__pollee_free(struct wf__pollee *p)
{
	bool last;

	wf__lock(&p->lock);
	wf__pollee_unregister(p);
	p->fire = NULL;
	wf__unlock(&p->lock);
	if (p->simulated) {
		wf__free(p, sizeof *p);
		return;
	}
	wf__lock(&poller.lock);
	p->next_free = poller.free;
	poller.free = p;
	last = --poller.used == 0;
	wf__unlock(&poller.lock);
	/* The runtime has ended before this one. */
	if (last && !wf__load_acquire(&wf__sched.poller))	/* [poller] */
		free_if_unused();
}

bool
wf__pollee_is_registered(const struct wf__pollee *p)
{
	return p->registered && (p->simulated || (p->epoch == poller.epoch &&
	    wf__load_acquire(&wf__sched.poller)));		/* [poller] */
}

int
wf__pollee_register(struct wf__pollee *p)
{
	int err;

	if (wf__pollee_is_registered(p))
		return 0;
	if (p->simulated) {	/* like the system: what is ready is news */
		p->registered = p->edge[0] = p->edge[1] = true;
		return 0;
	}
	err = wf__os_poll_watch(p->fd, WATCHED |
	    (uint64_t)p->generation << 32 | p->index);
	if (!err) {
		p->registered = true;
		p->epoch = poller.epoch;
	}
	return err;
}

/* A copy of the descriptor in another process would keep it registered. */
void
wf__pollee_unregister(struct wf__pollee *p)
{
	if (p->simulated && p->fd >= 0)
		wf__socket_table()->watch(p->fd, NULL);
	else if (wf__pollee_is_registered(p)) {
		wf__timer_stop(&p->alarm);	/* else it comes to nothing */
		wf__os_poll_forget(p->fd);
	}
	p->registered = false;
	p->generation = (p->generation + 1) & 0x7fffffff;
	p->fd = -1;
}
