/* SPDX-License-Identifier: MIT */
/*
 * timerq.h - the timer queue of one worker.
 * Layer 2.  Uses: heap, lock, seam.
 *
 * A queue under a lock of its own, so that any worker can run what is due.
 * Timers are of two kinds:
 *
 *   - the deadline of a wait (task is set): firing claims the task while the
 *     queue is locked, so that after wf__timer_stop() nobody claims any more;
 *     the task is readied afterwards.
 *   - a callback (fire is set): called on a worker with no lock held.  When
 *     wf__timer_stop() is false the callback runs or has run.
 *
 * One that only stands by matters while somebody waits for something else as
 * well, and counts on it: where nobody waits, nothing comes of it.
 */
#ifndef WF__TIMERQ_H
#define WF__TIMERQ_H

#include <weft/time.h>
#include "heap.h"
#include "lock.h"
#include "seam.h"

struct wf__task;

struct wf__timer {
	struct wf__heap_node node;	/* key: when */
	wf__word home;			/* the queue it is in, or 0; written
					 * under that queue's lock, and if it
					 * moves under both */
	unsigned at;			/* its place there, under the lock */
	bool stands_by;			/* fixed */
	struct wf__task *task;
	/* expired: false when the runtime ends before its time. */
	void (*fire)(struct wf__timer *t, bool expired);
	wf__word claim;			/* what firing writes into task's */
};

#ifdef WEFT_CHAOS
enum { WF__TIMERQ_CHUNK = 8, WF__TIMERQ_CHUNKS = 2 };
#else
enum { WF__TIMERQ_CHUNK = 1 << 16, WF__TIMERQ_CHUNKS = 64 };
#endif

struct wf__timerq {
	struct wf__lock lock;
	unsigned end;			/* places from 3 on, before this one */
	unsigned room;			/* that there may be, chunks or not */
	/* Of WF__TIMERQ_CHUNK places each, mapped when first needed. */
	struct wf__place { int64_t key; struct wf__timer *timer; }
	    *chunk[WF__TIMERQ_CHUNKS];
	struct wf__heap overflow;	/* what found no place */
	wf__word first;			/* earliest key, WF_FOREVER if none;
					 * written under the lock */
	wf__word serious;		/* how many do not only stand by;
					 * likewise */
};

void wf__timerq_init(struct wf__timerq *q);

/* Start t for the time when; true if it is now the first of all. */
bool wf__timer_start(struct wf__timerq *q, struct wf__timer *t, int64_t when);

/* Take t back; true if that prevented it from firing.  Only the one who
 * started t may call it, or free t. */
bool wf__timer_stop(struct wf__timer *t);

/* When the first is due.  Any thread, at any time. */
static inline int64_t
wf__timerq_first(const struct wf__timerq *q)
{
	return (int64_t)wf__load_acquire(&q->first);	/* [timers] */
}

/* Is there none, but for those that stand by?  Likewise. */
static inline bool
wf__timerq_is_quiet(const struct wf__timerq *q)
{
	return !wf__load_acquire(&q->serious);		/* [timers] */
}

/* Asks the clock only if there are timers. */
static inline bool
wf__timerq_is_due(const struct wf__timerq *q)
{
	int64_t first = wf__timerq_first(q);

	return first != WF_FOREVER && first <= wf__seam_now();
}

/* Run what is due at now: ready(task) for waits that it claimed.  Returns how
 * many have fired. */
unsigned wf__timerq_run(struct wf__timerq *q, int64_t now,
    void (*ready)(struct wf__task *));

/* All timers of one queue to another; true if one of them is now the first
 * there.  Moves never cross: all go to the same queue (retire.c). */
bool wf__timerq_move(struct wf__timerq *from, struct wf__timerq *to);

/* A simulated schedule ends: take everything off, and touch none of it. */
void wf__timerq_forget(struct wf__timerq *q);

/* The runtime ends: take everything off, and tell the callbacks. */
void wf__timerq_drop(struct wf__timerq *q);

#endif
