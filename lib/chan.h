/* SPDX-License-Identifier: MIT */
/*
 * chan.h - a channel from inside, for select.
 * Layer 3.  Uses: wait, report.
 */
#ifndef WF__CHAN_H
#define WF__CHAN_H

#include <weft/chan.h>
#include "report.h"
#include "wait.h"

/* PLAIN: it is open, and nobody waits on it; so a send only depends on whether
 * there is room in the buffer, a receive on whether there is a value. */
enum { WF__CAN_RECV = 1, WF__CAN_SEND = 2, WF__PLAIN = 4 };

struct wf_channel {
	struct wf__lock lock;		/* must be first; see select.c */
	wf__word ready;			/* what would not block, at most: bits
					 * of the above, read without lock */
	size_t cap, size;		/* fixed */
	wf__word count;			/* values in the buffer */
	size_t head;			/* slot of the oldest */
	struct wf__waitq receivers, senders;
	bool closed;
	uint64_t number;		/* for reports; fixed */
	/* A timer's channel (timer.c): who frees it.  NULL for others; fixed.
	 * Its length and capacity read as 0. */
	void (*free)(struct wf_channel *c);
	char buffer[] WF__ALIGNED(16);	/* cap * size */
};

/* Make *c, zeroed memory with room for the buffer, a channel. */
void wf__chan_init(struct wf_channel *c, size_t size, size_t cap);
/* Before its memory goes, with the lock held: misuse if somebody waits on
 * it. */
void wf__chan_check_idle(struct wf_channel *c, const char *call);

/* One try, with the lock held: 1 done, 0 closed, -1 it would block.  *wake is
 * the task to ready once the lock is dropped, if there is one. */
int wf__chan_try_send(struct wf_channel *c, const void *v,
    struct wf__task **wake);
int wf__chan_try_recv(struct wf_channel *c, void *v, struct wf__task **wake);

/* For reports; 0 without one. */
static inline uint64_t
wf__chan_number(const struct wf_channel *c)
{
	return c ? c->number : 0;
}

/* The ready bits follow from the rest: after every change, before unlock. */
static inline void
wf__chan_publish(struct wf_channel *c)
{
	/* Relaxed: written under the lock only. */
	size_t count = wf__load_relaxed(&c->count);
	bool receivers = c->receivers.first, senders = c->senders.first;
	wf__word bits = WF__PLAIN;

	if (wf__unlikely(receivers | senders | c->closed)) {
		bits = receivers || c->closed ? WF__CAN_SEND : 0;
		bits |= senders || c->closed ? WF__CAN_RECV : 0;
	}
	bits |= (wf__word)(count > 0) * WF__CAN_RECV |
	    (wf__word)(count < c->cap) * WF__CAN_SEND;
	wf__store_release(&c->ready, bits);			/* [ready] */
}

/* The same after somebody has queued up, who lets this happen. */
static inline void
wf__chan_publish_waiter(struct wf_channel *c, wf__word bit)
{
	wf__store_release(&c->ready,				/* [ready] */
	    (wf__load_relaxed(&c->ready) | bit) & ~(wf__word)WF__PLAIN);
}

static inline void
wf__chan_check_null(const struct wf_channel *c, const char *call)
{
	if (wf__unlikely(!c))
		wf__misuse(call, "the channel is NULL");
}

static inline void
wf__chan_deliver_zero(struct wf_channel *c, void *to)
{
	if (to && c->size)
		memset(to, 0, c->size);
}

/* CHECK builds: its invariants, with the lock held. */
void wf__chan_check(struct wf_channel *c);

/* With the lock held: forget what is in the buffer; nobody waits to send. */
static inline void
wf__chan_discard(struct wf_channel *c)
{
	c->head = 0;
	wf__store_relaxed(&c->count, 0);	/* under the lock */
	wf__chan_publish(c);
}

/* Without the lock: false says that at this moment it would surely block. */
static inline bool
wf__chan_can(const struct wf_channel *c, wf__word bit)
{
	return wf__load_acquire(&c->ready) & bit;		/* [ready] */
}

#endif
