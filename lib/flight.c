/* SPDX-License-Identifier: MIT */
/*
 * flight.c - callers who want the same at the same time share one call.
 * Layer 3.  Uses: wait, cancel, lock.
 *
 *	buckets by hash:   [0] -> call -> call    [1]    [2] -> call ...
 *	each call:         key, [w][w][w]
 *
 * A call is a record on the stack of the one who makes it, and is in its
 * bucket from the begin to the end, or until it is forgotten.  Who waits is in
 * its queue; the result is copied to him before he is woken, because the
 * record goes away with its frame.
 *
 * All of it under the one lock, which is held for a walk through a bucket.
 */
#include <weft/flight.h>

#include <errno.h>

#include <weft/defer.h>
#include "cancel.h"
#include "lock.h"
#include "seam.h"
#include "wait.h"

enum { BUCKETS = 8 };

struct flight {
	struct wf__lock lock;
	struct call *buckets[BUCKETS];
	uint64_t number;		/* for reports; once somebody waits */
} __attribute__((may_alias));		/* the user declares words */

_Static_assert(sizeof(struct flight) <= sizeof(wf_flight), "room");

struct outcome {
	void *value;
	int err;
	bool shared;
};

struct call {
	struct flight *flight;
	struct call *next, **link;	/* in the bucket; link NULL: not */
	uint64_t hash;
	const char *key;
	struct wf__waitq waiters;	/* value: struct outcome * */
	struct outcome outcome;
};

/* FNV-1a, by G. Fowler, L. C. Noll, K.-P. Vo. */
static uint64_t
hash_of(const char *key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

/* ---- under the lock ---- */

static struct call *
find_call(struct flight *f, uint64_t hash, const char *key)
{
	struct call *c = f->buckets[hash % BUCKETS];

	while (c && (c->hash != hash || strcmp(c->key, key)))
		c = c->next;
	return c;
}

static void
link_call(struct call *c)
{
	struct call **bucket = &c->flight->buckets[c->hash % BUCKETS];

	c->next = *bucket;
	if (c->next)
		c->next->link = &c->next;
	c->link = bucket;
	*bucket = c;
}

static void
unlink_call(struct call *c)
{
	if (!c->link)
		return;
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->link = NULL;
}

/* ---- to make a call, or to wait for one ---- */

/* The call has returned, or ended its coroutine. */
static void
land(struct call *c)
{
	struct flight *f = c->flight;
	struct wf__waiter *list;

	wf__lock(&f->lock);
	unlink_call(c);
	list = wf__waitq_claim_all(&c->waiters);
	for (struct wf__waiter *w = list; w; w = w->next)
		*(struct outcome *)w->value = c->outcome;
	wf__unlock(&f->lock);
	wf__waitq_ready_all(list);
}

static void
fly(struct call *c, wf_flight_fn *fn, void *arg)
{
	wf_defer(land, c);

	c->outcome.err = fn(arg, &c->outcome.value);
}

/* With the lock held: 0 and the outcome, or *cancel's error. */
static int
await_landing(struct flight *f, struct call *c, struct wf__cancel *cancel,
    struct outcome *outcome)
{
	struct wf__wait wait = { .lock = &f->lock, .queue = &c->waiters,
	    .cancel = cancel, .value = outcome, .why = "for flight" };
	int err;

	c->outcome.shared = true;
	if (!f->number)
		f->number = wf__wait_number();
	wait.number = f->number;
	err = wf__wait(&wait);
	if (err)
		wf__unlock(&f->lock);
	return err;
}

struct request {
	const char *key;
	wf_flight_fn *fn;
	void *arg;
	struct wf__cancel *cancel;
	bool try;
};

/* 0 and the outcome, or why there is none. */
static int
do_flight(struct flight *f, const struct request *r, struct outcome *outcome)
{
	struct call mine = { .flight = f, .hash = hash_of(r->key),
	    .key = r->key }, *other;

	wf__lock(&f->lock);
	if ((other = find_call(f, mine.hash, r->key))) {
		if (!r->try)
			return await_landing(f, other, r->cancel, outcome);
		wf__unlock(&f->lock);
		return -EAGAIN;
	}
	link_call(&mine);
	wf__unlock(&f->lock);
	fly(&mine, r->fn, r->arg);
	*outcome = mine.outcome;
	return 0;
}

static int
request(wf_flight *f, const struct request *r, void **value, bool *shared)
{
	struct outcome outcome = { NULL, 0, false };
	int err = do_flight((struct flight *)(void *)f, r, &outcome);

	if (err)
		return err;
	if (value)
		*value = outcome.value;
	if (shared)
		*shared = outcome.shared;
	return outcome.err;
}

/* ---- public ---- */

static inline void
tell_flight(const char *what, wf_flight *f)
{
	wf__wait_point(what, &((struct flight *)(void *)f)->number);
}

WF_API int
wf_flight_do(wf_flight *f, const char *key, wf_flight_fn *fn, void *arg,
    void **value, bool *shared)
{
	struct request r = { key, fn, arg, NULL, false };

	tell_flight("flies in flight", f);
	return request(f, &r, value, shared);
}

WF_API int
wf_flight_try_do(wf_flight *f, const char *key, wf_flight_fn *fn, void *arg,
    void **value, bool *shared)
{
	struct request r = { key, fn, arg, NULL, true };

	tell_flight("tries to fly in flight", f);
	return request(f, &r, value, shared);
}

WF_API int
wf_flight_do_ctx(wf_ctx *ctx, wf_flight *f, const char *key, wf_flight_fn *fn,
    void *arg, void **value, bool *shared)
{
	struct request r = { key, fn, arg, wf__cancel_of(ctx), false };

	tell_flight("flies in flight", f);
	return ctx ? request(f, &r, value, shared) : -EINVAL;
}

WF_API void
wf_flight_forget(wf_flight *flight, const char *key)
{
	struct flight *f = (struct flight *)(void *)flight;
	struct call *c;

	tell_flight("forgets a call of flight", flight);
	wf__lock(&f->lock);
	if ((c = find_call(f, hash_of(key), key)))
		unlink_call(c);
	wf__unlock(&f->lock);
}
