/* SPDX-License-Identifier: MIT */
/*
 * cancel.c - attach to what can be cancelled, and wake who is attached.
 * Layer 3.  Uses: cancel, sched, alloc.
 */
#include "cancel.h"

#include "alloc.h"
#include "sched.h"

enum { MAX_SHARDS = 64 };

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
	if (!(s = wf__alloc_object(shards_size(n))))
		return;
	s->n = n;
	for (size_t i = 0; c->endless && i < n; i++)
		s->shards[i].list.told = true;
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
	bool crowded;

	wf__lock(&l->lock);
	if (w->queued)
		wf__waitq_remove(&l->waiters, w);
	crowded = wf__cancel_is_crowded(l);
	wf__unlock(&l->lock);
	if (wf__unlikely(crowded))
		wf__cancel_relieve(c, l);
}

void
wf__cancel_link(struct wf__cancel_list *l, struct wf__cancel_child *k)
{
	k->linked = true;
	k->prev = NULL;
	k->next = l->children;
	if (k->next)
		k->next->prev = k;
	l->children = k;
}

void
wf__cancel_unlink(struct wf__cancel_list *l, struct wf__cancel_child *k)
{
	k->linked = false;
	if (k->prev)
		k->prev->next = k->next;
	else
		l->children = k->next;
	if (k->next)
		k->next->prev = k->prev;
}

void
wf__cancel_relieve(struct wf__cancel *c, struct wf__cancel_list *l)
{
	if (l == &c->own && !shards_of(c))
		spread(c);
}

/* Two lists of children as one. */
static struct wf__cancel_child *
concat(struct wf__cancel_child *a, struct wf__cancel_child *b)
{
	struct wf__cancel_child *last = a;

	if (!a)
		return b;
	while (last->next)
		last = last->next;
	last->next = b;
	return a;
}

/* With l's lock held: wake its waiters, return its children. */
static struct wf__cancel_child *
tell_list(struct wf__cancel_list *l)
{
	struct wf__waiter *list = wf__waitq_claim_all(&l->waiters);
	struct wf__cancel_child *children = l->children;

	l->children = NULL;
	l->told = true;
	wf__unlock(&l->lock);
	wf__waitq_ready_all(list);
	return children;
}

struct wf__cancel_child *
wf__cancel_wake(struct wf__cancel *c)
{
	struct wf__cancel_shards *s = shards_of(c);
	struct wf__cancel_child *children = tell_list(&c->own);

	for (size_t i = 0; s && i < s->n; i++) {
		wf__lock(&s->shards[i].list.lock);
		children = concat(tell_list(&s->shards[i].list), children);
	}
	return children;
}

struct wf__cancel_list *
wf__cancel_nth_list(struct wf__cancel *c, size_t k)
{
	struct wf__cancel_shards *s = shards_of(c);

	if (k == 0)
		return &c->own;
	return s && k <= s->n ? &s->shards[k - 1].list : NULL;
}

void
wf__cancel_drop(struct wf__cancel *c)
{
	struct wf__cancel_shards *s = shards_of(c);

	if (s)
		wf__free(s, shards_size(s->n));
}
