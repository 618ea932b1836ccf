/* SPDX-License-Identifier: MIT */
/*
 * sched.h - the workers and what they share.
 * Layer 2.  Uses: runq, timerq, coro, seam, self.
 *
 * A worker is an OS thread with a run queue, timers and caches of its own; it
 * runs coroutines until it finds none, searches, sleeps.  All that it owns
 * but the caches can be taken by others.
 */
#ifndef WF__SCHED_H
#define WF__SCHED_H

#include "coro.h"
#include "runq.h"
#include "seam.h"
#include "self.h"
#include "timerq.h"

enum {
	WF__MAX_WORKERS = 1024,		/* by option */
	WF__MAX_EXTRA = 256,		/* that stand in for stuck ones */
	WF__SLOTS = WF__MAX_WORKERS + WF__MAX_EXTRA,
#ifdef WEFT_CHAOS
	WF__ROUND = 16,			/* as the rings are short, too */
#else
	WF__ROUND = 64,			/* switches between housekeepings */
#endif
	WF__SPARE_LINES = 8,		/* of the cache, in a spare block */
	WF__ROUND_UNKNOWN = WF__ROUND / 8	/* when the pace is not known */
};

/* What the code that runs next does for a coroutine that has just been
 * switched away from.  See park.h. */
struct wf__post {
	void (*commit)(void *arg);	/* or NULL: nothing is to be done */
	void *arg;
};

/* What the monitor remembers of a worker, by option; see stall.c. */
struct wf__stall {
	uint64_t switches;		/* when it looked last, */
	int64_t since;			/* first seen then */
	bool seen, named;		/* too long; and said so */
	struct wf__entry who;
};

/* Its coroutines compute for long before they switch: some 30 us, some 200. */
enum wf__slow { WF__FAST, WF__SLOW, WF__VERY_SLOW };

enum wf__wake { WF__ASLEEP, WF__IN_POLLER, WF__WAKE_SEARCH, WF__WAKE_LOOK };

struct wf__worker {
	/* Touched at every switch, by the worker only... */
	struct wf__coro *running;	/* NULL in the scheduler */
	void *sp;			/* the scheduler's, while one runs */
	int *err;			/* this thread's errno */
	unsigned countdown;		/* switches until a clock is read */
	unsigned rest;			/* and from there to housekeeping */
	unsigned look;			/* between two looks */
	unsigned round;			/* between two housekeepings */
	unsigned shares;		/* taken from the shared queue */
	uint64_t random;
	struct wf__post post;
	struct wf__fiber fiber;
	int64_t slice;			/* since when the next slot rules */
	int64_t housekept;		/* when, or 0 */
	int64_t stretch;		/* how long they compute at a time */
	struct wf__task *handed;	/* to the loop, to be run first */
	uint64_t ahead;			/* until so many switches nobody else
					 * goes ahead of all: sched.c */
	int64_t ran_timers;		/* when it last ran some of its own, */
	bool ran_many;			/* and if those were more than one */
	unsigned vain, skips;		/* searches of the last one awake; see
					 * expects_more() */

	/* ...and looked at by others. */
	wf__word switches;
	wf__word busy;			/* runs a coroutine */
	wf__word slow;			/* enum wf__slow */
	wf__word blocking;		/* depth of regions; see blocking.c */
	wf__word spawned, ended;	/* coroutines, by this worker */
	wf__word steals;
	wf__word outside;		/* coroutines that began to wait for
					 * what comes from outside, less those
					 * that ended it, here */
	wf__word patience;		/* see wf__idle_notify() */
	wf__word patience_next;

	struct wf__runq queue;
	struct wf__timerq timers;
	struct wf__stack_cache stacks;
	struct wf__task *starts;	/* free start records */
	unsigned n_starts;
	struct wf__spares {
		void *first;
		int n;
	} spares[WF__SPARE_LINES];	/* blocks of memory; see spare.c */
	uint64_t id_next, id_end;	/* numbers in reserve, */
	uint64_t number_next, number_end;	/* for objects; see wait.c */

	/* Pinned coroutines that are ready: only this worker may run them. */
	struct wf__lock inbox_lock;
	struct wf__tasks inbox;
	wf__word inbox_length;
	unsigned pins;			/* coroutines pinned to it */

	/* Sleep; the list and on_idle under the idle lock. */
	wf__word32 wake;		/* enum wf__wake */
	struct wf__worker *idle_next, *idle_prev;
	wf__word on_idle;
	wf__word keeps_stacks;		/* asleep on free ones [starve] */
	wf__word retired;		/* asleep over the limit, or left */
	bool left;			/* no thread; under both locks, growth
					 * and the idle one, or one to read */
	bool searching;			/* holds the searcher's token */
	wf__word watched;		/* switches when a searcher looked */
	struct wf__worker *asked;	/* for work, in this search */
	struct wf__worker *loot_from;	/* whose work this one took last, */
	int64_t loot_at;		/* and when */
	uint64_t seen;			/* the same, by the monitor */
	int64_t told;			/* of this timer somebody, by it */
	struct wf__stall stall;

	int index;
	struct wf__os_thread thread;
} WF__ALIGNED(WF__LINE);

/* What upper layers lend to the scheduler; runtime.c fills it in. */
struct wf__sched_hooks {
	/* All workers sleep and no timer runs; live coroutines are left. */
	void (*quiet)(uint64_t live);
	/* A coroutine that has ended gives this back. */
	void (*ended)(struct wf__coro *c, int result);
	/* The poller's, set before wf__sched.poller: ready who waits for a
	 * descriptor, now, or until the deadline on the way to sleep; true if
	 * there was any.  And end such a sleep. */
	bool (*poll)(int64_t deadline);
	void (*poll_wake)(void);
};

struct wf__sched {
	/* Written rarely. */
	wf__word workers[WF__SLOTS];	/* struct wf__worker *, by index */
	wf__word n_workers;		/* set up */
	struct wf__lock growth;		/* held while threads are started */
	struct wf__os_thread last_left;	/* not joined yet, if any_left */
	bool any_left;
	wf__word limit;			/* those of index < limit may run */
	wf__word target;		/* limit without stand-ins, */
	bool follows;			/* as the machine grants cores; under
					 * growth */
	wf__word running;		/* started and not stopping */
	wf__word pumped;		/* by its host; see pump.c [pump] */
	wf__word stopping;
	wf__word blocked;		/* workers in a blocking region */
	wf__word32 present;		/* threads of workers */
	struct wf__sched_hooks hooks;

	/* Tasks from other threads, and what did not fit; see share.c. */
	struct {
		struct wf__lock lock;
		struct wf__crowd ready;
		struct wf__starts {
			struct wf__start *newest, *oldest;
			size_t n;
		} starts;
		wf__word length;
	} shared WF__ALIGNED(WF__LINE);

	/* Starts that wait for a stack. */
	struct {
		struct wf__lock lock;
		struct wf__tasks tasks;
		wf__word length;
	} starved;

	struct {
		struct wf__lock lock;
		struct wf__worker *list;
		wf__word retired;	/* workers that are */
	} idle WF__ALIGNED(WF__LINE);
	wf__word n_idle;
	wf__word searching;		/* the searcher's token: 0 or 1 */
	wf__word poller;		/* its hooks are set [poller] */
	wf__word in_poller;		/* the worker that sleeps in it; written
					 * under the idle lock */
	wf__word polls;			/* for the monitor */
	wf__word helpers;		/* weft's threads that are no workers */
	wf__word outside;		/* waits for what comes from outside, by
					 * threads that are not weft's */
	wf__word wakes;

	wf__word spawned;		/* by threads that are not weft's */
	wf__word ids;			/* numbers given out */
	wf__word clock WF__ALIGNED(WF__LINE);	/* coarse time */
};

extern struct wf__sched wf__sched;

/* What a worker's thread runs; arg is the worker. */
void wf__sched_worker_main(void *arg);

/* Coroutines that were spawned and have not ended: never too few, and exact
 * when nothing is spawned or ends meanwhile. */
uint64_t wf__sched_live(void);

/* What a busy worker does now and then, on the scheduler's own stack; and only
 * what its timers ask for. */
void wf__sched_housekeep(struct wf__worker *w);
void wf__sched_run_timers(struct wf__worker *w);

/* What the loop does between two coroutines; true: only timers were looked at,
 * and some of its own were due. */
bool wf__sched_catch_up(struct wf__worker *w);
/* Somebody waited for a time that has come: it goes ahead of those that are
 * ready, if none did so just now. */
void wf__sched_ready_due(struct wf__task *t);

/* So many switches are left until housekeeping. */
static inline void
wf__sched_count(struct wf__worker *w, unsigned n)
{
	w->countdown = n < w->look ? n : w->look;
	w->rest = n - w->countdown;
}

static inline unsigned
wf__sched_counted(const struct wf__worker *w)
{
	return w->countdown + w->rest;
}

/* The local part of the choice, in the middle of a switch: NULL if the worker
 * is to go to its loop. */
struct wf__task *wf__sched_pick(struct wf__worker *w);
/* Start a timer on this worker's queue, or another's from a thread that is not
 * weft's.  The runtime runs. */
void wf__sched_timer_start(struct wf__timer *t, int64_t when);
/* The same under a lock: returns the worker that is to be woken afterwards,
 * by wf__sched_timer_wake(), or NULL. */
struct wf__worker *wf__sched_timer_place(struct wf__timer *t, int64_t when);
void wf__sched_timer_wake(struct wf__worker *w);
/* The timers of one that has retired go to the first worker, which never does:
 * returned if it is to be woken. */
struct wf__worker *wf__sched_bequeath_timers(struct wf__worker *w);

/*
 * A thread that is not weft's makes something run: the program may end by that,
 * and the runtime with it, before the thread is through.  So it says before
 * that it comes (1), and at last that it has left (-1); and who ends the
 * runtime waits until nobody is there, before a worker's record goes [visit].
 */
extern wf__word wf__sched_visitors;
static inline void
wf__sched_visit(int n)
{
	wf__add_acq_rel(&wf__sched_visitors, (wf__word)n);	/* [visit] */
}

/* The runtime runs no more; and those who have seen it run have left. */
void wf__sched_end_visits(void);

/* Start the runtime, if it does not run, with its defaults: 0 or -errno.
 * Defined by runtime.c. */
int wf__sched_need(void);

/* The caller begins (1) or ends (-1) a wait for something from outside of the
 * program: then to be all asleep is no deadlock. */
static inline void
wf__sched_outside(int n)
{
	struct wf__worker *w = wf__self();

	if (w)
		wf__add_owned(&w->outside, (wf__word)n);
	else	/* Relaxed: added up when all is asleep. */
		wf__add_relaxed(&wf__sched.outside, (wf__word)n);
}

/* Look for ready descriptors, unless a worker sleeps there, whom they wake. */
static inline bool
wf__sched_poll(void)
{
	/* Relaxed: who comes a moment late looks again. */
	return wf__load_acquire(&wf__sched.poller) &&		/* [poller] */
	    !wf__load_relaxed(&wf__sched.in_poller) &&
	    wf__sched.hooks.poll(0);
}

static inline struct wf__worker *
wf__sched_worker(unsigned index)
{
	return (struct wf__worker *)
	    wf__load_acquire(&wf__sched.workers[index]);	/* [worker] */
}

static inline bool
wf__sched_stopping(void)
{
	return wf__load_acquire(&wf__sched.stopping);		/* [stop] */
}

/* One worker too many: stand-ins have come, or the number was lowered. */
static inline bool
wf__sched_is_surplus(const struct wf__worker *w)
{
	/* Relaxed: looked at again at every pass of the loop. */
	return (wf__word)w->index >= wf__load_relaxed(&wf__sched.limit);
}

/* Random numbers: not for cryptography.  Of the worker's generator, or of
 * a shared one on other threads.  After S. Vigna's splitmix64. */
uint64_t wf__sched_random(struct wf__worker *w);
/* One of n alike, each with the same chance. */
uint32_t wf__sched_lot(uint32_t n);

#endif
