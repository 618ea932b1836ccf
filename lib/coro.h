/* SPDX-License-Identifier: MIT */
/*
 * coro.h - the coroutine record, its states, and what parks.
 * Layer 2.  Uses: stack, switch, sanitize, timerq.
 *
 *	start -> running <-> parked
 *	            |  \-> runnable -> running
 *	            v
 *	           free
 *
 * A task is whatever can park or wait in a run queue, of three kinds: a start
 * (a spawn that has not run yet, and owns no stack), a coroutine (its record
 * lies on its stack), and a thread that is not weft's (on that thread's stack
 * while it waits).
 *
 * A wait that several can end is decided by the task's claim word: 0 while
 * open; who changes it by compare-and-swap has won, and he alone wakes the
 * task [claim].
 */
#ifndef WF__CORO_H
#define WF__CORO_H

#include <weft/coro.h>
#include <weft/defer.h>
#include "sanitize.h"
#include "stack.h"
#include "timerq.h"

enum wf__kind { WF__START, WF__CORO, WF__THREAD };

enum { WF__CASES_SHOWN = 4 };		/* of a parked select, in reports */

struct wf__worker;

struct wf__task {
	struct wf__task *link;	/* in a queue; whose lock protects it */
	wf__word claim;		/* [claim] winner's case + 1, or 0 */
	uint8_t kind;
	uint8_t class;		/* start: of its stack */
	uint8_t is_main;	/* the function of wf_run() */
	wf__word32 futex;	/* thread: 1 once it may go on */
};

/* What a spawn says; copied from the start to the coroutine.  A dump reads it
 * at any time: copies are made word by word, and a name is no pointer. */
struct wf__entry {
	void (*fn)(void);
	const struct wf_site *site;
	wf_waitgroup *waitgroup;
	struct wf_group *group;	/* whose child it is, by its result */
	wf__word id;
	char name[24];		/* cut to fit; "" for the function's */
};

enum { WF__ENTRY_WORDS = sizeof(struct wf__entry) / sizeof(wf__word) };
_Static_assert(sizeof(struct wf__entry) % sizeof(wf__word) == 0, "words");

/* Relaxed: whether a copy is of one coroutine only, its reader finds out by
 * the state that was published after it.  The barriers keep the compiler from
 * moving uses of the fields, which are of other types, across. */
static inline void
wf__entry_copy(struct wf__entry *to, const struct wf__entry *from)
{
	wf__word *t = (wf__word *)(void *)to;
	const wf__word *f = (const wf__word *)(const void *)from;

	__asm__ volatile("" ::: "memory");
#pragma GCC unroll 8
	for (int i = 0; i < WF__ENTRY_WORDS; i++)
		wf__store_relaxed(&t[i], wf__load_relaxed(&f[i]));
	__asm__ volatile("" ::: "memory");
}

enum { WF__QUEUED = 1, WF__STARVED };	/* values of live */

struct wf__start {
	struct wf__task task;
	struct wf__entry entry;
	wf__word live;		/* for the dump, from spawn to first run */
	unsigned shape;
	struct wf__start *newer, *older;	/* in the shared queue */
	struct wf__start_block *block;	/* its own; see start.c */
	/* When the words are loaded; NULL: it goes back to the pool. */
	void (*begun)(struct wf__start *s);
	uint64_t words[8];
};

enum wf__state {
	WF__FREE, WF__RUNNABLE, WF__RUNNING, WF__PARKED,
	WF__LEFT	/* behind by a run that is over */
};

/* In the order of use: what a wait and a wake touch are the first three lines
 * of the cache, as for most of many coroutines each is a miss. */
struct wf__coro {
	struct wf__stack stack;		/* must be first */
	void *sp;			/* while suspended */

	struct wf__task task;
	/* For reports: written by the coroutine's runner, read by anybody. */
	wf__word state;
	wf__word why;			/* const char *: what it waits for, */
	wf__word object;		/* on which object (its number) */
	wf__word since;			/* by the coarse clock */
	union {
		struct wf__start *start;	/* until its words are loaded */
		struct wf__coro *ahead;	/* in a crowd: runq.h */
	};

	uintptr_t waiter[6];		/* room for a struct wf__waiter */
	wf__word pinned;		/* struct wf__worker *, to stay on */
	struct wf__defer *defers;	/* pending, the last first */

	unsigned pins;
	bool exiting;			/* by wf_exit() */

	struct wf__timer timer;		/* deadline of the present wait */
	wf__word cases[WF__CASES_SHOWN];	/* of a select: selection.h */
	void **slots;			/* values, or NULL (slot.c) */
	struct wf__entry entry;
	struct wf__fiber fiber;
};

_Static_assert(offsetof(struct wf__coro, task) % WF__LINE == 0 &&
    offsetof(struct wf__coro, waiter) % WF__LINE == 0, "lines, see above");
_Static_assert(offsetof(struct wf__coro, stack) == 0, "see stack.h");
_Static_assert(sizeof(struct wf__coro) <= WF__STACK_RECORD, "see stack.h");

/* Queue a coroutine; class is its stack's.  0 or -ENOMEM.  Any thread. */
int wf__coro_spawn(const struct wf__entry *entry, int class, bool is_main,
    unsigned shape, const uint64_t *words);
/* The same as wf_spawn_raw() does it.  Defined by runtime.c. */
int wf__coro_spawn_with(struct wf__entry *entry, const struct wf_attr *attr,
    unsigned shape, const uint64_t *words);
/* The same in steps, so that the last cannot fail: a start record (start.h);
 * fill it in; queue it, or give it back.  Records end with the runtime; one
 * that is not of the pool has begun() set. */
void wf__coro_prepare(struct wf__start *s, const struct wf__entry *entry,
    int class, unsigned shape, const uint64_t *words);
void wf__coro_launch(struct wf__start *s);
/* Give a start a stack, ready to be switched to; NULL without memory. */
struct wf__coro *wf__coro_begin(struct wf__worker *w, struct wf__start *s);
/* End the running coroutine. */
WF__NORETURN void wf__coro_exit(void);

static inline struct wf__coro *
wf__coro_of(struct wf__task *t)
{
	return wf__container_of(t, struct wf__coro, task);
}

static inline struct wf__start *
wf__start_of(struct wf__task *t)
{
	return wf__container_of(t, struct wf__start, task);
}

/* The worker it is pinned to, or NULL. */
static inline struct wf__worker *
wf__coro_pinned(const struct wf__coro *c)
{
	/* Relaxed: it changes only while the coroutine runs. */
	return (struct wf__worker *)wf__load_relaxed(&c->pinned);
}

/* The name of a coroutine for people: its own, or its function's. */
static inline const char *
wf__entry_name(const struct wf__entry *e)
{
	return e->name[0] ? e->name : e->site->what;
}

#endif
