/* SPDX-License-Identifier: MIT */
/*
 * cancel.c - attach to what can be cancelled, and wake who is attached.
 * Layer 3.  Uses: cancel, sched, alloc.
 */
#include "cancel.h"

#include "alloc.h"
#include "sched.h"

enum {
	MAX_SHARDS = 64,
	CONTENDED = 16,			/* times, to be worth shards */
#ifdef WEFT_CHAOS
	ALWAYS = true
#else
	ALWAYS = false
#endif
};

/* Each has a cache line to itself. */
struct shard {
	struct wf__cancel_list list;
} WF__ALIGNED(WF__LINE);

struct wf__cancel_shards {
	size_t n;			/* a power of two */
	struct shard shards[];
};

static struct wf__cancel_shards *
shards_of(const struct wf__cancel *c)
{
	return (struct wf__cancel_shards *)
	    wf__load_acquire(&c->shards);			/* [shards] */
}

struct wf__cancel_list *
wf__cancel_list(struct wf__cancel *c)
{
	struct wf__cancel_shards *s = shards_of(c);
	struct wf__worker *w;
	size_t i;

	if (!s)
		return &c->own;
	w = wf__self();
	/* Other threads by where their stacks are. */
	i = w ? (size_t)w->index : (uintptr_t)&w >> 16;
	return &s->shards[i & (s->n - 1)].list;
}

void
wf__cancel_lock(struct wf__cancel_list *l)
{
	if (wf__likely(wf__try_lock(&l->lock)))
		return;
	wf__lock(&l->lock);
	l->contended++;
}

static size_t
shards_size(size_t n)
{
	return sizeof(struct wf__cancel_shards) + n * sizeof(struct shard);
}

/* A shard for each worker; without memory it stays as it is. */
static void
spread(struct wf__cancel *c)
{
	struct wf__cancel_shards *s;
	size_t n = 2;

	/* Relaxed: how many there are just now is good enough. */
	while (n < wf__load_relaxed(&wf__sched.n_workers) && n < MAX_SHARDS)
		n *= 2;
	if (!(s = wf__alloc(shards_size(n))))
		return;
	s->n = n;
	wf__lock(&c->own.lock);
	c->own.contended = 0;
	if (!shards_of(c) && !wf__cancel_state(c)) {
		wf__store_release(&c->shards, (wf__word)s);	/* [shards] */
		s = NULL;
	}
	wf__unlock(&c->own.lock);
	if (s)
		wf__free(s, shards_size(n));
}

void
wf__cancel_detach(struct wf__cancel *c, struct wf__waiter *w)
{
	struct wf__cancel_list *l = w->value;
	bool contended;

	wf__lock(&l->lock);
	if (w->queued)
		wf__waitq_remove(&l->waiters, w);
	contended = ALWAYS || l->contended >= CONTENDED;
	wf__unlock(&l->lock);
	if (wf__unlikely(contended) && l == &c->own && !shards_of(c))
		spread(c);
}

void
wf__cancel_wake(struct wf__cancel *c)
{
	struct wf__waiter *list = wf__waitq_claim_all(&c->own.waiters);
	struct wf__cancel_shards *s = shards_of(c);

	wf__unlock(&c->own.lock);
	wf__waitq_ready_all(list);
	for (size_t i = 0; s && i < s->n; i++) {
		struct wf__cancel_list *l = &s->shards[i].list;

		wf__lock(&l->lock);
		list = wf__waitq_claim_all(&l->waiters);
		wf__unlock(&l->lock);
		wf__waitq_ready_all(list);
	}
}

void
wf__cancel_drop(struct wf__cancel *c)
{
	struct wf__cancel_shards *s = shards_of(c);

	if (s)
		wf__free(s, shards_size(s->n));
}
