/* SPDX-License-Identifier: MIT */
/*
 * pool.c - pools: every item belongs to one at a time, all are destroyed at
 * the end, limits, lack of memory, coroutines and plain threads.
 */
#include "tap.h"

#include <pthread.h>

struct item {
	long owners;		/* atomic: 0 in the pool, else 1 */
	long uses;		/* no atomic: by the owner */
};

static long items;		/* atomic: that exist */
static long made;		/* atomic */
static bool no_memory;		/* for weft itself */

static void *
alloc_unless(void *arg, size_t size)
{
	(void)arg;
	return no_memory ? NULL : malloc(size);
}

static void
free_any(void *arg, void *p, size_t size)
{
	(void)arg;
	(void)size;
	free(p);
}

static void *
item_new(void *arg)
{
	check(!arg);
	__atomic_add_fetch(&items, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
	return calloc(1, sizeof(struct item));
}

static void
item_destroy(void *item)
{
	__atomic_sub_fetch(&items, 1, __ATOMIC_RELAXED);
	check_eq(((struct item *)item)->owners, 0);
	free(item);
}

static void
use_items(wf_pool *p, int rounds)
{
	struct item *held[5];

	for (int i = 0; i < rounds; i++) {
		for (int k = 0; k < 5; k++) {
			held[k] = wf_pool_get(p);
			check_eq(__atomic_fetch_add(&held[k]->owners, 1,
			    __ATOMIC_RELAXED), 0);
			held[k]->uses++;
		}
		if (i % 8 == 0)
			wf_yield();
		for (int k = 0; k < 5; k++) {
			__atomic_fetch_sub(&held[k]->owners, 1,
			    __ATOMIC_RELAXED);
			wf_pool_put(p, held[k]);
		}
	}
}

static void *
use_thread(void *p)
{
	use_items(p, 500);
	return NULL;
}

static void
with_threads(wf_pool *p)
{
	pthread_t thread[3];
	int n = 0;

	for (int i = 0; i < 3; i++)
		n += check(!pthread_create(&thread[n], NULL, use_thread, p));
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static int
stress(void)
{
	wf_pool p = { .make = item_new, .destroy = item_destroy };
	wf_waitgroup wg = {0};

	for (int i = 0; i < 16; i++)
		wf_waitgroup_spawn(&wg, use_items, &p, 500);
	with_threads(&p);
	wf_waitgroup_wait(&wg);
	wf_pool_clear(&p);
	check_eq(items, 0);
	return 0;
}

static void
threads_only(void)
{
	wf_pool p = { .make = item_new, .destroy = item_destroy };

	with_threads(&p);
	wf_pool_clear(&p);
	check_eq(items, 0);
}

/* What is put is what is got: nothing is made beside it. */
static int
kept(void)
{
	wf_pool p = { .make = item_new, .destroy = item_destroy };
	void *a = wf_pool_get(&p), *b = wf_pool_get(&p), *c, *d;
	long before = made;

	check(a && b && a != b);
	wf_pool_put(&p, a);
	wf_pool_put(&p, b);
	wf_pool_put(&p, NULL);
	c = wf_pool_get(&p);
	d = wf_pool_get(&p);
	check((c == a && d == b) || (c == b && d == a));
	check_eq(made, before);
	wf_pool_put(&p, c);
	wf_pool_put(&p, d);
	wf_pool_clear(&p);
	check_eq(items, 0);
	wf_pool_put(&p, wf_pool_get(&p));	/* once more, from new */
	wf_pool_clear(&p);
	wf_pool_clear(&p);
	check_eq(items, 0);
	return 0;
}

/* Items put by one are found by another, wherever he runs. */

static void
find_item(wf_pool *p, void *item)
{
	check(wf_pool_get(p) == item);
	wf_pool_put(p, item);
}

static int
found_elsewhere(void)
{
	wf_pool p = {0};
	void *item = &p;

	check(!wf_pool_get(&p));
	wf_pool_put(&p, item);
	for (int i = 0; i < 100; i++) {
		wf_waitgroup wg = {0};

		wf_waitgroup_spawn(&wg, find_item, &p, item);
		wf_waitgroup_wait(&wg);
	}
	wf_pool_clear(&p);
	check(!wf_pool_get(&p));
	return 0;
}

static int
limits(void)
{
	wf_pool p = { .make = item_new, .destroy = item_destroy, .limit = 2 };
	void *held[100];

	for (int i = 0; i < 100; i++)
		held[i] = wf_pool_get(&p);
	check_eq(items, 100);
	for (int i = 0; i < 100; i++)
		wf_pool_put(&p, held[i]);
	check(items >= 2 && items <= 2 * 64);
	if (wf_workers(0) == 1)
		check_eq(items, 2);
	wf_pool_clear(&p);
	check_eq(items, 0);
	return 0;
}

/* Without memory for the pool itself, put destroys. */
static int
without_memory(void)
{
	wf_pool p = { .make = item_new, .destroy = item_destroy };
	void *item = wf_pool_get(&p);

	no_memory = true;
	wf_pool_put(&p, item);
	check_eq(items, 0);
	no_memory = false;
	wf_pool_put(&p, wf_pool_get(&p));
	check_eq(items, 1);
	wf_pool_clear(&p);
	return 0;
}

int
main(void)
{
	static const struct wf_allocator mine = { alloc_unless, free_any,
	    NULL };

	wf_set_allocator(&mine);
	tap_plain("threads only", threads_only);
	tap_test_workers("what is put is got", kept);
	tap_test_workers("stress", stress);
	tap_test_workers("found elsewhere", found_elsewhere);
	tap_test_workers("limits", limits);
	tap_workers(1);
	tap_test("without memory", without_memory);
	return tap_end();
}
