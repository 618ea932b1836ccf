/* SPDX-License-Identifier: MIT */
/*
 * start.c - records of spawns that have not begun, in blocks.
 * Layer 2.  Uses: start, sched, alloc, lock, os, fork.
 *
 * A worker keeps some records of its own; the others are in their blocks.  A
 * million spawned at once are 200 MB: blocks of which no record is in use give
 * their pages back, but for some.  Their addresses stay until the end, so that
 * a dump can walk them; there is nothing in them then.
 *
 * While the pool is locked:
 *   I1  of a block's records carved ones were handed out since its pages were
 *       given back; used are in use, the others carved on its free list.
 *   I2  a block is on the list iff it has a record to give, but for one whose
 *       pages are just being given back.
 *   I3  whole is the number of blocks on the list with carved but no used ones.
 */
#include "start.h"

#include "alloc.h"
#include "fork.h"
#include "sched.h"

enum {
	STARTS_KEPT = 1024,			/* free records of a worker */
	STARTS_BATCH = 64,			/* that it takes at a time */
	BLOCK_BYTES = 64 << 10,
	PER_BLOCK = BLOCK_BYTES / sizeof(struct wf__start),
	BLOCKS_KEPT = 32			/* blocks */
};

struct wf__start_block {
	struct wf__start_block *next;	/* of all, for good */
	struct wf__start_block *before, *after;	/* on the list */
	struct wf__start *starts;
	struct wf__tasks free;
	unsigned used;
	wf__word carved;		/* written under the lock */
};

static struct {
	struct wf__lock lock;
	struct wf__start_block *first, *last;	/* the list */
	unsigned whole;
	wf__word blocks;			/* all; newest first */
} pool;
WF__FORGET(pool)

/* Relaxed, in this file: carved under the lock, where alone it changes. */

static void
link_block(struct wf__start_block *b, struct wf__start_block *after)
{
	b->after = after;
	b->before = after ? after->before : pool.last;
	*(b->before ? &b->before->after : &pool.first) = b;
	*(after ? &after->before : &pool.last) = b;
}

static void
unlink_block(struct wf__start_block *b)
{
	*(b->before ? &b->before->after : &pool.first) = b->after;
	*(b->after ? &b->after->before : &pool.last) = b->before;
}

static struct wf__start_block *
first_block(void)
{
	return (struct wf__start_block *)
	    wf__load_acquire(&pool.blocks);			/* [block] */
}

static bool
grow_starts(void)
{
	struct wf__start_block *b = wf__alloc(sizeof *b);
	struct wf__start *starts = b ? wf__os_map(BLOCK_BYTES) : NULL;

	if (!starts) {
		wf__free(b, sizeof *b);
		return false;
	}
	*b = (struct wf__start_block){ .starts = starts };
	wf__lock(&pool.lock);
	link_block(b, pool.first);
	b->next = first_block();
	wf__store_release(&pool.blocks, (wf__word)b);		/* [block] */
	wf__unlock(&pool.lock);
	return true;
}

/* Under the lock; NULL if there is none. */
static struct wf__task *
take(void)
{
	struct wf__start_block *b = pool.first;
	struct wf__start *s;
	struct wf__task *t;
	wf__word carved;

	if (!b)
		return NULL;
	carved = wf__load_relaxed(&b->carved);
	if (!b->used++ && carved)
		pool.whole--;
	if (!(t = wf__tasks_take(&b->free))) {
		s = &b->starts[carved];
		s->block = b;
		t = &s->task;
		t->kind = WF__START;
		wf__store_release(&b->carved, carved + 1);	/* [block] */
	}
	if (b->used == PER_BLOCK)
		unlink_block(b);
	return t;
}

/* Under the lock: a block that is to give its pages back, or NULL. */
static struct wf__start_block *
put_back(struct wf__task *t)
{
	struct wf__start_block *b = wf__start_of(t)->block;

	wf__tasks_add(&b->free, t);
	if (b->used-- == PER_BLOCK)
		link_block(b, pool.first);
	if (b->used)
		return NULL;
	if (pool.whole < BLOCKS_KEPT) {
		pool.whole++;
		return NULL;
	}
	unlink_block(b);
	memset(&b->free, 0, sizeof b->free);
	wf__store_release(&b->carved, 0);			/* [block] */
	return b;
}

/* Blocks linked by after, which are nobody's: they are the last to be used. */
static void
give_back(struct wf__start_block *b)
{
	struct wf__start_block *after;

	for (; b; b = after) {
		after = b->after;
		wf__os_release(b->starts, BLOCK_BYTES);
		wf__lock(&pool.lock);
		link_block(b, NULL);
		wf__unlock(&pool.lock);
	}
}

static struct wf__task *
take_from_worker(struct wf__worker *w)
{
	struct wf__task *t = w->starts;

	w->starts = t->link;
	w->n_starts--;
	return t;
}

static void
give_worker(struct wf__worker *w, struct wf__task *t)
{
	t->link = w->starts;
	w->starts = t;
	w->n_starts++;
}

/* From the pool; for a worker some more, at one locking. */
static struct wf__task *
take_some(struct wf__worker *w)
{
	struct wf__task *t, *more;

	wf__lock(&pool.lock);
	t = take();
	for (int i = 1; w && i < STARTS_BATCH && (more = take()); i++)
		give_worker(w, more);
	wf__unlock(&pool.lock);
	return t;
}

struct wf__start *
wf__start_get(struct wf__worker *w)
{
	struct wf__task *t;

	if (wf__likely(w && w->starts))
		return wf__start_of(take_from_worker(w));
	while (!(t = take_some(w)))
		if (!grow_starts())
			return NULL;
	return wf__start_of(t);
}

/* Put n of w's back, or s alone. */
static WF__NOINLINE void
put_some(struct wf__worker *w, unsigned n, struct wf__start *s)
{
	struct wf__start_block *list = NULL, *b;

	wf__lock(&pool.lock);
	while (n--)
		if ((b = put_back(w ? take_from_worker(w) : &s->task))) {
			b->after = list;
			list = b;
		}
	wf__unlock(&pool.lock);
	give_back(list);
}

void
wf__start_put(struct wf__worker *w, struct wf__start *s)
{
	if (!w) {
		put_some(NULL, 1, s);
		return;
	}
	give_worker(w, &s->task);
	if (wf__unlikely(w->n_starts >= STARTS_KEPT))
		put_some(w, STARTS_KEPT / 2, NULL);
}

void
wf__start_each(bool (*fn)(struct wf__start *s, void *arg), void *arg)
{
	struct wf__start_block *b;

	for (b = first_block(); b; b = b->next)
		/* [block] */
		for (unsigned i = 0; i < wf__load_acquire(&b->carved); i++)
			/* [start-live] */
			if (wf__load_acquire(&b->starts[i].live) &&
			    !fn(&b->starts[i], arg))
				return;
}

void
wf__start_free_all(void)
{
	struct wf__start_block *b, *next;

	for (b = first_block(); b; b = next) {
		next = b->next;
		wf__os_unmap(b->starts, BLOCK_BYTES);
		wf__free(b, sizeof *b);
	}
	memset(&pool, 0, sizeof pool);
}
