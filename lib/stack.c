/* SPDX-License-Identifier: MIT */
/*
 * stack.c - slabs of stacks, their guards, and who keeps the free ones.
 * Layer 1.  Uses: stack, alloc, lock, os, report.
 *
 * While a class is locked:
 *   I1  slab->carved stacks of a slab exist; the others were never touched.
 *   I2  a stack is in use, in one worker's cache, on the hot list, or cold;
 *       cold[0 .. n_cold) of its slab are the numbers of the latter.
 *   I3  a slab is on the list of slabs with cold stacks iff n_cold > 0.
 *   I4  low_water <= n_hot: the least n_hot since the last trim, that is, how
 *       many hot stacks nobody needed meanwhile.
 *
 * The list of slabs only grows until wf__stack_free_all(), so that a dump can
 * walk it without the lock.
 */
#include "stack.h"

#include <errno.h>

#include "alloc.h"
#include "budget.h"
#include "fork.h"
#include "report.h"

enum {
	DEFAULT_CLASS = 4,		/* 256 KiB */
	SLAB_FIRST = 16,		/* stacks in a first slab */
	SLAB_BYTES = 64 << 20,		/* the largest, but for larger stacks */
	GUARD_PAGES = 16,
	COLOURS = 16,
	KEEP_HOT = 256,			/* free stacks nobody minds */
	TRIM_BATCH = 4096
};

struct wf__slab {
	struct wf__slab *next, *next_cold;
	char *base;
	size_t bytes, footprint;
	uint32_t class, count, n_cold;
	uint32_t marked;		/* guards, of stacks carved or not */
	wf__word carved;		/* written under the class's lock */
	uint32_t cold[];		/* count of them */
};

struct class {
	struct wf__lock lock;
	wf__word slabs;			/* newest first; see the head */
	struct wf__slab *with_cold;
	struct wf__stack *hot;
	size_t n_hot, low_water;
	uint32_t next_count;		/* stacks in the next slab */
} WF__ALIGNED(WF__LINE);

static struct class classes[WF__STACK_CLASSES];
WF__FORGET(classes)
static int default_class = DEFAULT_CLASS;

static size_t
size_of(int class)
{
	return (size_t)1 << (WF__STACK_MIN_SHIFT + class);
}

int
wf__stack_class(size_t size)
{
	int class = 0;

	if (!size)
		return default_class;
	while (class < WF__STACK_CLASSES && size_of(class) < size)
		class++;
	return class < WF__STACK_CLASSES ? class : -EINVAL;
}

void
wf__stack_default(size_t size)
{
	default_class = size ? wf__stack_class(size) : DEFAULT_CLASS;
}

int
wf__stack_class_of(const struct wf__stack *s)
{
	return (int)s->slab->class;
}

static size_t
guard_size(int class)
{
	size_t page = wf__os_page_size(), n = size_of(class) / 4;

	n = n < GUARD_PAGES * page ? n : GUARD_PAGES * page;
	return n < page ? page : n / page * page;
}

static struct wf__slab *
first_slab(const struct class *c)
{
	return (struct wf__slab *)wf__load_acquire(&c->slabs);	/* [slab] */
}

static struct wf__stack *
record_at(const struct wf__slab *slab, uint32_t number)
{
	char *high = slab->base + (size_t)(number + 1) * size_of(slab->class);

	return (struct wf__stack *)(void *)(high - WF__STACK_RECORD -
	    number % COLOURS * WF__LINE);
}

/* Fill in the record of a stack whose pages are fresh. */
static struct wf__stack *
warm(struct wf__slab *slab, uint32_t number)
{
	struct wf__stack *s = record_at(slab, number);

	s->next = NULL;
	s->slab = slab;
	s->low = slab->base + number * size_of((int)slab->class);
	s->high = s->low + size_of((int)slab->class);
	s->number = number;
	s->guard = (uint32_t)guard_size((int)slab->class);
	return s;
}

/* A canary where there can be no guard page: said once, checked at switches. */
static void
lay_canary(struct wf__stack *s)
{
	static wf__word said;

	/* Relaxed: only the first one speaks. */
	if (wf__add_relaxed(&said, 1) == 0)
		wf__report("weft: this system grants no guard pages for %s",
		    "stacks: an overflow is noticed at the next switch only");
	s->guard = 0;
	s->canary = (uint64_t *)(void *)s->low;
	*s->canary = WF__CANARY;
}

static struct wf__stack *
carve(struct wf__slab *slab)
{
	/* Relaxed: under the lock, where alone it changes. */
	uint32_t number = (uint32_t)wf__load_relaxed(&slab->carved);
	uint32_t left = slab->count - number;
	struct wf__stack *s = warm(slab, number);

	s->canary = NULL;
	/* In rows, which grow with the number of stacks that there are. */
	if (number == slab->marked)
		slab->marked += wf__os_guard_row(s->low, s->guard,
		    size_of((int)slab->class), number < left ? number + 1 :
		    left);
	if (number >= slab->marked &&
	    wf__os_guard(s->low, s->guard) == WF__GUARD_NONE)
		lay_canary(s);
	wf__store_release(&slab->carved, number + 1);		/* [slab] */
	return s;
}

/* A new slab, as large as there is memory for, not linked in yet. */
static struct wf__slab *
make_slab(int class, uint32_t count)
{
	struct wf__slab *slab;
	size_t footprint;
	char *base = NULL;

	for (; count && !base; count = base ? count : count / 2)
		base = wf__os_map(count * size_of(class));
	if (!base)
		return NULL;
	footprint = sizeof *slab + count * sizeof slab->cold[0];
	if (!(slab = wf__alloc(footprint))) {
		wf__os_unmap(base, count * size_of(class));
		return NULL;
	}
	*slab = (struct wf__slab){ .base = base, .footprint = footprint,
	    .bytes = count * size_of(class), .class = (uint32_t)class,
	    .count = count };
	return slab;
}

static void
drop_slab(struct wf__slab *slab)
{
	if (slab)
		wf__os_unmap(slab->base, slab->bytes);
	wf__free(slab, slab ? slab->footprint : 0);
}

static bool
has_room(const struct wf__slab *slab)
{
	/* Relaxed: under the lock. */
	return slab && wf__load_relaxed(&slab->carved) < slab->count;
}

/* Called and returns with the class locked; drops the lock in between. */
static bool
grow(struct class *c, int class)
{
	uint32_t count = c->next_count ? c->next_count : SLAB_FIRST;
	size_t most = SLAB_BYTES / size_of(class);
	struct wf__slab *slab;

	if (count > most)
		count = most ? (uint32_t)most : 1;
	wf__unlock(&c->lock);
	slab = make_slab(class, count);
	wf__lock(&c->lock);
	if (has_room(first_slab(c))) {	/* somebody else was faster */
		drop_slab(slab);
		return true;
	}
	if (!slab)
		return false;
	c->next_count = 2 * count;
	slab->next = first_slab(c);
	wf__store_release(&c->slabs, (wf__word)slab);		/* [slab] */
	return true;
}

/* I4, and the length of the hot list as far as a glance goes. */
static void
wf__stack_check(const struct class *c)
{
	const struct wf__slab *slab = c->with_cold;

	wf__assert(c->low_water <= c->n_hot);
	wf__assert(!c->hot == !c->n_hot);
	wf__assert(!slab || (slab->n_cold && slab->n_cold <= slab->count));
}

static struct wf__stack *
take_hot(struct class *c)
{
	if (WF__CHECKING)
		wf__stack_check(c);
	struct wf__stack *s = c->hot;

	c->hot = s->next;
	if (--c->n_hot < c->low_water)
		c->low_water = c->n_hot;
	return s;
}

static struct wf__stack *
take_cold(struct class *c)
{
	struct wf__slab *slab = c->with_cold;
	struct wf__stack *s = warm(slab, slab->cold[--slab->n_cold]);

	if (!slab->n_cold)
		c->with_cold = slab->next_cold;
	return s;			/* its guard outlived its pages */
}

static struct wf__stack *
get_shared(struct wf__stack_cache *cache, int class)
{
	struct class *c = &classes[class];
	struct wf__stack *s = NULL, *more;

	wf__lock(&c->lock);
	if (c->hot) {
		s = take_hot(c);
		while (cache->of[class].n < WF__STACK_CACHE / 4 && c->hot) {
			more = take_hot(c);
			more->next = cache->of[class].free;
			cache->of[class].free = more;
			cache->of[class].n++;
		}
	} else if (c->with_cold)
		s = take_cold(c);
	else if (has_room(first_slab(c)) || grow(c, class))
		s = carve(first_slab(c));
	wf__unlock(&c->lock);
	return s;
}

struct wf__stack *
wf__stack_get(struct wf__stack_cache *cache, int class)
{
	struct wf__stack *s = cache->of[class].free;

	if (wf__unlikely(!s))
		return get_shared(cache, class);
	cache->of[class].free = s->next;
	cache->of[class].n--;
	return s;
}

void
wf__stack_spill(struct wf__stack_cache *cache, int class, unsigned n)
{
	struct class *c = &classes[class];
	struct wf__stack *first = cache->of[class].free, *last = first;

	for (unsigned i = 1; i < n; i++)
		last = last->next;
	cache->of[class].free = last->next;
	cache->of[class].n -= n;
	wf__lock(&c->lock);
	last->next = c->hot;
	c->hot = first;
	c->n_hot += n;
	wf__unlock(&c->lock);
}

void
wf__stack_put(struct wf__stack_cache *cache, struct wf__stack *s)
{
	int class = (int)s->slab->class;

	wf__budget_give_back(s);
	s->next = cache->of[class].free;
	cache->of[class].free = s;
	if (++cache->of[class].n > WF__STACK_CACHE)
		wf__stack_spill(cache, class, WF__STACK_CACHE / 2);
}

void
wf__stack_each(bool (*fn)(struct wf__stack *s, void *arg), void *arg)
{
	struct wf__slab *slab;
	wf__word n;

	for (int class = 0; class < WF__STACK_CLASSES; class++)
		for (slab = first_slab(&classes[class]); slab;
		    slab = slab->next) {
			n = wf__load_acquire(&slab->carved);	/* [slab] */
			for (uint32_t i = 0; i < n; i++)
				if (!fn(record_at(slab, i), arg))
					return;
		}
}

bool
wf__stack_guards(const struct wf__stack *s, const void *address)
{
	const char *p = address;

	return p >= s->low && p < s->low + (s->guard ? s->guard : 4096);
}

static void
make_cold(struct class *c, struct wf__stack *s)
{
	struct wf__slab *slab = s->slab;
	uint32_t number = s->number;

	wf__os_release(s->low + s->guard, (size_t)(s->high - s->low) -
	    s->guard);
	wf__lock(&c->lock);
	if (!slab->n_cold) {
		slab->next_cold = c->with_cold;
		c->with_cold = slab;
	}
	slab->cold[slab->n_cold++] = number;
	wf__unlock(&c->lock);
}

static void
keep_hot(struct class *c, struct wf__stack *s)
{
	wf__lock(&c->lock);
	s->next = c->hot;
	c->hot = s;
	c->n_hot++;
	wf__unlock(&c->lock);
}

static void
trim_class(struct class *c)
{
	struct wf__stack *list = NULL, *s;
	size_t n;

	wf__lock(&c->lock);
	n = c->low_water > KEEP_HOT ? c->low_water - KEEP_HOT : 0;
	n = n < TRIM_BATCH ? n : TRIM_BATCH;
	for (size_t i = 0; i < n; i++) {
		s = take_hot(c);
		s->next = list;
		list = s;
	}
	c->low_water = c->n_hot;
	wf__unlock(&c->lock);
	while ((s = list)) {
		list = s->next;
		if (s->canary)		/* would go with the pages */
			keep_hot(c, s);
		else
			make_cold(c, s);
	}
}

void
wf__stack_trim(void)
{
	for (int class = 0; class < WF__STACK_CLASSES; class++)
		trim_class(&classes[class]);
}

bool
wf__stack_surplus(void)
{
	bool surplus = false;

	for (int class = 0; class < WF__STACK_CLASSES; class++) {
		wf__lock(&classes[class].lock);
		surplus |= classes[class].n_hot > KEEP_HOT;
		wf__unlock(&classes[class].lock);
	}
	return surplus;
}

uint64_t
wf__stack_count(void)
{
	uint64_t n = 0;

	for (int class = 0; class < WF__STACK_CLASSES; class++)
		for (struct wf__slab *s = first_slab(&classes[class]); s;
		    s = s->next)
			n += wf__load_acquire(&s->carved);	/* [slab] */
	return n;
}

void
wf__stack_free_all(void)
{
	struct wf__slab *slab, *next;

	for (int class = 0; class < WF__STACK_CLASSES; class++) {
		for (slab = first_slab(&classes[class]); slab; slab = next) {
			next = slab->next;
			drop_slab(slab);
		}
		memset(&classes[class], 0, sizeof classes[class]);
	}
}
