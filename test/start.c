/* SPDX-License-Identifier: MIT */
/*
 * start.c - records of spawns that have not begun: each is had by one at a
 * time, a walk sees those that wait, and a million leave no memory behind.
 */
#include <pthread.h>

#include "tap.h"

#include "sched.h"
#include "start.h"

enum { MANY = 100000, FEW = 3000, THREADS = 3 };

static struct wf__start *had[MANY];

static void
get_many(struct wf__worker *w, int n)
{
	for (int i = 0; i < n; i++) {
		if (!check((had[i] = wf__start_get(w)) != NULL))
			return;
		check_eq(had[i]->task.kind, WF__START);
		had[i]->words[7] = (uint64_t)i;
		wf__store_release(&had[i]->live, WF__QUEUED);
	}
}

/* In an order that is not that of the blocks. */
static void
put_many(struct wf__worker *w, int n)
{
	for (int i = 0, at = 0; i < n; i++, at = (at + 7) % n) {
		check_eq(had[at]->words[7], at);
		wf__store_release(&had[at]->live, 0);
		wf__start_put(w, had[at]);
	}
}

static bool
count(struct wf__start *s, void *n)
{
	(void)s;
	++*(int *)n;
	return true;
}

static void
each_by_one(struct wf__worker *w)
{
	for (int n = 1; n <= MANY; n *= 10) {
		int seen = 0;

		get_many(w, n);
		wf__start_each(count, &seen);
		check_eq(seen, n);
		put_many(w, n);
		seen = 0;
		wf__start_each(count, &seen);
		check_eq(seen, 0);
	}
	wf__start_free_all();
}

static void
by_no_worker(void)
{
	each_by_one(NULL);
}

static void
by_worker(void)
{
	static struct wf__worker worker;

	memset(&worker, 0, sizeof worker);
	each_by_one(&worker);
}

static long
pages(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long n = 0;

	if (!check(f != NULL))
		return 0;
	check_eq(fscanf(f, "%*d %ld", &n), 1);
	fclose(f);
	return n;
}

static void
memory_goes_back(void)
{
	long all = MANY * (long)sizeof *had[0] / (long)wf__os_page_size();
	long most;

	for (int round = 0; round < 3; round++) {
		get_many(NULL, MANY);
		most = pages();
		put_many(NULL, MANY);
		check(pages() < most - all * 3 / 4);
	}
	wf__start_free_all();
}

/* ---- at once ---- */

static int running;

static void *
come_and_go(void *arg)
{
	static const uint64_t mark = 1000000;
	struct wf__start **mine = had + *(int *)arg * FEW;
	uint64_t random = tap_seed() + (uint64_t)*(int *)arg;

	for (int round = tap_scale(200, 20); round--; ) {
		int n = 1 + (int)(tap_random(&random) % FEW);

		for (int i = 0; i < n; i++)
			if ((mine[i] = wf__start_get(NULL)))
				mine[i]->words[0] = mark * (uint64_t)*(int *)arg
				    + (uint64_t)i;
		for (int i = n; i--; )
			if (check(mine[i] != NULL)) {
				check_eq(mine[i]->words[0], mark *
				    (uint64_t)*(int *)arg + (uint64_t)i);
				wf__start_put(NULL, mine[i]);
			}
	}
	__atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void
threads_and_a_walk(void)
{
	int seen = 0, numbers[THREADS], n;
	pthread_t t[THREADS];

	running = THREADS;
	for (n = 0; n < THREADS; n++) {
		numbers[n] = n;
		if (!check(!pthread_create(&t[n], NULL, come_and_go,
		    &numbers[n])))
			break;
	}
	while (n == THREADS && __atomic_load_n(&running, __ATOMIC_SEQ_CST))
		wf__start_each(count, &seen);
	while (n--)
		pthread_join(t[n], NULL);
	check_eq(seen, 0);			/* none was queued */
	wf__start_free_all();
}

int
main(void)
{
	tap_plain("each is had once, and seen", by_no_worker);
	tap_plain("the same by a worker, which keeps some", by_worker);
	tap_plain("the memory of many goes back", memory_goes_back);
	tap_plain("threads, and a walk meanwhile", threads_and_a_walk);
	return tap_end();
}
