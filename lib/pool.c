/* SPDX-License-Identifier: MIT */
/*
 * pool.c - items kept by worker.
 * Layer 3.  Uses: sched, lock, wait, alloc.
 *
 *	shelf 0   [ item item item ... limit )		worker 0, 16, 32
 *	shelf 1   [ item ...           limit )		worker 1, 17, 33
 *
 * A worker puts on its shelf, and takes from it, the last one first, while it
 * is in the cache; if it is empty, from another.  The shelves are made at the
 * first put; without memory for them items are destroyed, and made again.
 *
 * Nobody waits for a lock here: a shelf that is locked counts as empty for
 * who gets, and as full for who puts.
 */
#include <weft/pool.h>

#include "alloc.h"
#include "lock.h"
#include "sched.h"
#include "seam.h"
#include "wait.h"

enum { LEAST_SHELVES = 16, MOST_SHELVES = 64, DEFAULT_LIMIT = 64 };
#define MOST_ITEMS ((size_t)1 << 20)

struct shelf {
	struct wf__lock lock;
	wf__word n;			/* written under the lock; and a hint */
	void *items[];
};

struct shelves {
	size_t n;			/* a power of two */
	size_t limit, size;		/* items, and bytes, of each */
	char room[] WF__ALIGNED(WF__LINE);
};

_Static_assert(sizeof(((wf_pool *)0)->wf__private[0]) == sizeof(wf__word),
    "the first one is a word: struct shelves *");

static inline wf__word *
shelves_word(wf_pool *p)
{
	return (wf__word *)(void *)&p->wf__private[0];
}

static inline struct shelves *
shelves_of(wf_pool *p)
{
	return (struct shelves *)
	    wf__load_acquire(shelves_word(p));			/* [pool] */
}

static inline struct shelf *
shelf_at(struct shelves *s, size_t i)
{
	return (struct shelf *)(void *)(s->room + (i & (s->n - 1)) * s->size);
}

/* The calling worker's; other threads by where their stacks are. */
static inline size_t
own_shelf(void)
{
	struct wf__worker *w = wf__self();

	return w ? (size_t)w->index : (uintptr_t)&w >> 16;
}

/* ---- make and free ---- */

static size_t
shelves_size(const struct shelves *s)
{
	return sizeof *s + s->n * s->size;
}

static size_t
item_limit(const wf_pool *p)
{
	size_t limit = p->limit ? p->limit : DEFAULT_LIMIT;

	return limit < MOST_ITEMS ? limit : MOST_ITEMS;
}

WF__NOINLINE static struct shelves *
make_shelves(wf_pool *p)
{
	struct shelves form = { .n = LEAST_SHELVES, .limit = item_limit(p) };
	struct shelves *s;

	/* Relaxed: how many there are just now is good enough. */
	while (form.n < wf__load_relaxed(&wf__sched.n_workers) &&
	    form.n < MOST_SHELVES)
		form.n *= 2;
	form.size = (sizeof(struct shelf) + form.limit * sizeof(void *) +
	    WF__LINE - 1) & ~(size_t)(WF__LINE - 1);
	if (!(s = wf__alloc_object(shelves_size(&form))))
		return NULL;
	s->n = form.n;
	s->limit = form.limit;
	s->size = form.size;
	if (wf__cas_acq_rel(shelves_word(p), 0, (wf__word)s))	/* [pool] */
		return s;
	wf__free(s, shelves_size(s));	/* another one was quicker */
	return shelves_of(p);
}

/* ---- one shelf ---- */

/* Relaxed: n is read without the lock as a hint only. */

static inline void *
take_item(struct shelf *h)
{
	void *item = NULL;
	wf__word n;

	if (!wf__load_relaxed(&h->n) || !wf__try_lock(&h->lock))
		return NULL;
	if ((n = wf__load_relaxed(&h->n))) {
		item = h->items[n - 1];
		wf__store_relaxed(&h->n, n - 1);
	}
	wf__unlock(&h->lock);
	return item;
}

static inline bool
put_item(struct shelf *h, size_t limit, void *item)
{
	bool room;
	wf__word n;

	if (!wf__try_lock(&h->lock))
		return false;
	n = wf__load_relaxed(&h->n);
	if ((room = n < limit)) {
		h->items[n] = item;
		wf__store_relaxed(&h->n, n + 1);
	}
	wf__unlock(&h->lock);
	return room;
}

/* ---- public ---- */

/* For a simulation: in others nothing here ever gives way. */
WF__NOINLINE static void
point_slow(const char *what, wf_pool *p)
{
	uint64_t number = p->wf__private[1];

	wf__wait_point(what, &number);
	p->wf__private[1] = (uintptr_t)number;
}

static inline void
point(const char *what, wf_pool *p)
{
	if (wf__seam_alone())
		point_slow(what, p);
}

WF_API void *
wf_pool_get(wf_pool *p)
{
	struct shelves *s = shelves_of(p);
	size_t own = own_shelf();
	void *item;

	point("takes from pool", p);
	for (size_t i = 0; s && i < s->n; i++)
		if ((item = take_item(shelf_at(s, own + i))))
			return item;
	return p->make ? p->make(p->arg) : NULL;
}

WF_API void
wf_pool_put(wf_pool *p, void *item)
{
	struct shelves *s = shelves_of(p);

	if (!item)
		return;
	point("puts into pool", p);
	if (wf__unlikely(!s))
		s = make_shelves(p);
	if (s && wf__likely(put_item(shelf_at(s, own_shelf()), s->limit,
	    item)))
		return;
	if (p->destroy)
		p->destroy(item);
}

WF_API void
wf_pool_clear(wf_pool *p)
{
	struct shelves *s = shelves_of(p);
	void *item;

	point("clears pool", p);
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		while ((item = take_item(shelf_at(s, i))))
			if (p->destroy)
				p->destroy(item);
	wf__store_release(shelves_word(p), 0);			/* [pool] */
	wf__free(s, shelves_size(s));
}
