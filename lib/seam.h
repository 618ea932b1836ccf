/* SPDX-License-Identifier: MIT */
/*
 * seam.h - everything that is not determined by the program goes through here.
 * Layer 1.  Uses: os.
 *
 * The clock, randomness, which task runs next, what an idle worker does, and
 * whether a coroutine gives way before an operation: one table of functions,
 * NULL in normal runs, where the verbs below are the real thing.  CHAOS
 * builds fill it with disorder; a simulation (sim.c) fills it with choices
 * from a seed and a clock that jumps.  It changes only while no worker runs.
 */
#ifndef WF__SEAM_H
#define WF__SEAM_H

#include "os.h"

struct wf__runq;
struct wf__sockets;
struct wf__start;
struct wf__task;
struct wf__worker;

/* Instead of an object's number: what a coroutine touches. */
#define WF__ANYTHING 0			/* not known: all that there is */
#define WF__NOTHING UINT64_MAX		/* nothing that others could see */
#define WF__TIMERS (UINT64_MAX - 1)	/* the queue of timers */
#define WF__SPAWNS (UINT64_MAX - 2)	/* the row of coroutines' numbers */
#define WF__NUMBERS (UINT64_MAX - 3)	/* that of objects' numbers */

static inline bool
wf__seam_is_number(uint64_t object)
{
	return object != WF__ANYTHING && object < WF__NUMBERS;
}

/* A field may be NULL: then that choice stays as in a normal run. */
struct wf__seam {
	int64_t (*now)(void);
	uint64_t (*random)(struct wf__worker *w);
	/* One of n alike, n > 1. */
	uint32_t (*lot)(uint32_t n);
	/* The task to run next, taken from w's queue; NULL if it is empty. */
	struct wf__task *(*next)(struct wf__worker *w);
	/* w has nothing to do before deadline; true: try again at once. */
	bool (*idle)(struct wf__worker *w, int64_t deadline);
	/* A coroutine is about to do this (static text, or NULL) to the object
	 * of this number, or 0; and touches what touch() has for that. */
	void (*point)(const char *what, uint64_t object);
	/* What it does from here to the next point depends on the object of
	 * this number, or changes it; or on what has a name below. */
	void (*touch)(uint64_t object);
	/* A coroutine has done this. */
	void (*tell)(const char *what, uint64_t number);
	/* A coroutine will be started; memory of an object comes (false: it
	 * cannot be kept) and goes. */
	void (*launched)(const struct wf__start *s);
	bool (*made)(void *object, size_t size);
	void (*gone)(void *object);
	/* The network that takes the place of the system's; see socket.h. */
	const struct wf__sockets *sockets;
	/* There is one worker, the calling thread; none is ever started, and
	 * no other thread may come. */
	bool alone;
};

extern const struct wf__seam *wf__seam;

static inline bool
wf__seam_has_clock(void)
{
	return wf__seam && wf__seam->now;
}

static inline int64_t
wf__seam_now(void)
{
	if (wf__unlikely(wf__seam_has_clock()))
		return wf__seam->now();
	return wf__os_now();
}

/* Called at the start of each verb that may wait or wake, with no lock held.
 * The object is all that the verb touches, or the rest is told by touch. */
static inline void
wf__seam_point_at(const char *what, uint64_t object)
{
	if (wf__unlikely(wf__seam && wf__seam->point))
		wf__seam->point(what, object);
}

static inline void
wf__seam_point(void)
{
	wf__seam_point_at(NULL, 0);
}

static inline void
wf__seam_touch(uint64_t object)
{
	if (wf__unlikely(wf__seam && wf__seam->touch))
		wf__seam->touch(object);
}

static inline void
wf__seam_tell(const char *what, uint64_t number)
{
	if (wf__unlikely(wf__seam && wf__seam->tell))
		wf__seam->tell(what, number);
}

static inline bool
wf__seam_alone(void)
{
	return wf__unlikely(wf__seam && wf__seam->alone);
}

#endif
