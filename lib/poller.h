/* SPDX-License-Identifier: MIT */
/*
 * poller.h - who waits for which descriptor.
 * Layer 6.  Uses: await, os, timerq.
 *
 * A pollee stands for a descriptor, and is never unmapped while the runtime
 * runs: an event that arrives late finds one, perhaps of another descriptor,
 * and does no harm.  There are two kinds:
 *
 *	raw	by number, for descriptors of others: armed for each wait
 *	watched	for those that weft made: registered once, edges remembered;
 *		in a simulation one of its own network, which brings the edges
 */
#ifndef WF__POLLER_H
#define WF__POLLER_H

#include "await.h"
#include "os.h"
#include "timerq.h"

/* The bits of a side are side + 1. */
enum wf__side { WF__READ, WF__WRITE, WF__BOTH };

struct wf__pollee {
	struct wf__lock lock;		/* all below */
	struct wf__waitq waiters[3];	/* by side */
	int fd;				/* -1: unused */
	bool registered;		/* watched: the poller knows it */
	bool edge[2];			/* watched: changed since the last
					 * look, and nobody waited */
	bool ended;			/* watched: not only bytes may be found
					 * but an end, an error, urgent data */
	uint32_t generation;		/* of the slot; under the lock */
	int closing;			/* raw: threads in wf_fd_close() */
	uint32_t index;			/* fixed */
	uint32_t epoch;			/* of the poller it is registered in */
	uint64_t number;		/* for reports */
	bool simulated;			/* fixed */
	void (*fire)(void);		/* instead of waiters; on a worker */
	struct wf__pollee *next_free;
	struct wf__timer alarm		/* watched: see pollee.c; with a line */
	    WF__ALIGNED(WF__LINE);	/* to itself, for those who set none */
} WF__ALIGNED(WF__LINE);

_Static_assert(offsetof(struct wf__pollee, alarm) == 2 * WF__LINE,
    "two lines, and not three, for those without a deadline");

/* Start runtime and poller, if they do not run; 0 or -errno. */
int wf__poller_need(void);
/* The same, unless p is of a simulation. */
int wf__pollee_need(const struct wf__pollee *p);
/* The workers have ended: close it. */
void wf__poller_stop(void);

/*
 * Wait until descriptor fd, of anybody, seems ready on that side: 0; or -errno
 * of *cancel, -ETIMEDOUT at the deadline, -EPERM for a file, which is always
 * ready, -EBADF if it is closed by wf_fd_close().
 */
int wf__poller_wait(int fd, unsigned what, struct wf__cancel *cancel,
    int64_t deadline);
/* Wake all who wait for fd: it is about to be closed (1), and then it has been
 * (-1).  Who comes in between waits for the latter, since the number may be the
 * old descriptor's or already that of a new one. */
void wf__poller_drop(int fd, int closing);

/* A pollee to be watched, for a descriptor of weft's own; NULL: no memory. */
struct wf__pollee *wf__pollee_new(int fd);
/* After that nobody waits, and no event is taken for another's. */
void wf__pollee_free(struct wf__pollee *p);
/* With the lock held: from now on edges are remembered; 0 or -errno. */
int wf__pollee_register(struct wf__pollee *p);
/* With the lock held, before the descriptor is closed. */
void wf__pollee_unregister(struct wf__pollee *p);
/* Is it, in the poller that runs now? */
bool wf__pollee_is_registered(const struct wf__pollee *p);
/* With the lock held: wait for an edge, alone on this side.  True: it came, and
 * is taken by that; the lock is not held.  False: woken by something else, or
 * the wait is over, for a reason that shows elsewhere; it is held again.
 * why: for reports, static. */
bool wf__pollee_wait(struct wf__pollee *p, enum wf__side side,
    struct wf__cancel *cancel, int64_t deadline, const char *why);

/* What the alarm does: who waits looks again.  Its fire, from the beginning. */
void wf__pollee_alarm(struct wf__timer *t, bool expired);

/* Of a watched one, these sides have changed: bits of os.h. */
void wf__pollee_change(struct wf__pollee *p, unsigned what);
/* In steps: with the lock held, the edges are noted, or given to who waits for
 * them, who is returned, won; raw ones: who waits is; then they are readied. */
struct wf__waiter *wf__pollee_note(struct wf__pollee *p, unsigned what);
struct wf__waiter *wf__pollee_take(struct wf__pollee *p, unsigned what);
void wf__pollee_ready(struct wf__waiter *list);
/* With the lock held: the sides that somebody waits for. */
unsigned wf__pollee_awaited(const struct wf__pollee *p);

#endif
