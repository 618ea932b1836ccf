/* SPDX-License-Identifier: MIT */
/*
 * once.c - the first time only: by one of many, coroutines and threads, with
 * wf_exit(), under contexts, and misuse.
 */
#include "tap.h"

#include <pthread.h>

struct first {
	wf_once once;
	int made;		/* no atomic: the once is what orders it */
	int seen;		/* atomic */
};

static void
make(struct first *f, int n)
{
	wf_yield();
	f->made += n;
	wf_yield();
}

static void
use(struct first *f)
{
	wf_once_do(&f->once, make, f, 1);
	check_eq(f->made, 1);
	__atomic_add_fetch(&f->seen, 1, __ATOMIC_RELAXED);
}

static void *
use_thread(void *f)
{
	use(f);
	return NULL;
}

/* 164. */
static int
only_once(void)
{
	pthread_t thread[2];

	for (int round = 0; round < 100; round++) {
		struct first f = {0};
		wf_waitgroup wg = {0};
		int threads = 0;

		for (int i = 0; round % 10 == 0 && i < 2; i++)
			threads += check(!pthread_create(&thread[threads],
			    NULL, use_thread, &f));
		for (int i = 0; i < 10; i++)
			wf_waitgroup_spawn(&wg, use, &f);
		wf_waitgroup_wait(&wg);
		for (int i = 0; i < threads; i++)
			pthread_join(thread[i], NULL);
		check_eq(f.made, 1);
		check_eq(f.seen, 10 + threads);
	}
	return 0;
}

static void
threads_only(void)
{
	struct first f = {0};
	pthread_t thread;

	if (check(!pthread_create(&thread, NULL, use_thread, &f))) {
		use(&f);
		pthread_join(thread, NULL);
	}
	check_eq(f.seen, 2);
}

/* 166: arguments are evaluated for the call only; nothing is allocated. */

static int
twice(int n)
{
	return 2 * n;
}

static void
no_argument(void)
{
}

static int
arguments(void)
{
	wf_once once = {0}, other = {0};
	int n = 0;
	long before = tap_allocations();

	for (int i = 0; i < 5; i++)
		wf_once_do(&once, twice, n++);
	check_eq(n, 1);
	for (int i = 0; i < 5; i++)
		wf_once_do(&other, no_argument);
	check_eq(tap_allocations(), before);
	return 0;
}

/* 167: ended by wf_exit(), it counts as done. */

static void
make_and_exit(struct first *f)
{
	f->made++;
	wf_exit();
	f->made += 100;
}

static void
use_and_exit(struct first *f)
{
	wf_once_do(&f->once, make_and_exit, f);
	check_eq(f->made, 1);
	__atomic_add_fetch(&f->seen, 1, __ATOMIC_RELAXED);
}

static int
exit_counts(void)
{
	struct first f = {0};
	wf_waitgroup wg = {0};

	for (int i = 0; i < 10; i++)
		wf_waitgroup_spawn(&wg, use_and_exit, &f);
	wf_waitgroup_wait(&wg);
	check_eq(f.made, 1);
	check_eq(f.seen, 9);
	return 0;
}

/* The other forms. */

static void
begin_under(wf_once *once, wf_ctx *ctx, int expected)
{
	check_eq(wf_once_begin_ctx(ctx, once), expected);
}

static int
other_forms(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_once once = {0};
	wf_waitgroup wg = {0}, rest = {0};

	check_eq(wf_once_begin_ctx(NULL, &once), -EINVAL);
	check_eq(wf_once_try_begin(&once), 1);
	for (int i = 0; i < 3; i++) {
		wf_waitgroup_spawn(&wg, begin_under, &once, ctx, -ECANCELED);
		wf_waitgroup_spawn(&rest, begin_under, &once,
		    wf_ctx_background(), 0);
	}
	tap_await_parked("for once ", 6);
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&wg);
	wf_once_end(&once);
	wf_waitgroup_wait(&rest);
	check_eq(wf_once_try_begin(&once), 0);
	check_eq(wf_once_begin(&once), false);
	check_eq(wf_once_begin_ctx(ctx, &once), 0);
	wf_ctx_free(ctx);
	return 0;
}

static void
try_elsewhere(wf_once *once)
{
	check_eq(wf_once_try_begin(once), -EAGAIN);
}

static int
tries(void)
{
	wf_once once = {0};
	wf_waitgroup wg = {0};

	check_eq(wf_once_begin(&once), true);
	wf_waitgroup_spawn(&wg, try_elsewhere, &once);
	wf_waitgroup_wait(&wg);
	wf_once_end(&once);
	return 0;
}

/* The end and the contexts of all who wait collide; gone at once. */

static void
wait_and_leave(wf_ctx *ctx, wf_once *once, int *left)
{
	int r = wf_once_begin_ctx(ctx, once);

	check(r == 0 || r == -ECANCELED);
	if (__atomic_sub_fetch(left, 1, __ATOMIC_ACQ_REL) == 0)
		__atomic_store_n(left, -1, __ATOMIC_RELEASE);
}

static void
end_and_leave(wf_once *once)
{
	wf_once_end(once);
}

static int
races(void)
{
	for (long i = tap_scale(4000, 400); i > 0; i--) {
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		wf_once *once = calloc(1, sizeof *once);
		wf_waitgroup wg = {0};
		int left = 4;

		if (!check(once))
			return 1;
		check_eq(wf_once_begin(once), true);
		for (int k = 0; k < 4; k++)
			wf_waitgroup_spawn(&wg, wait_and_leave, ctx, once,
			    &left);
		if (i % 2)
			tap_await_parked("for once ", 1);
		wf_waitgroup_spawn(&wg, wf_ctx_cancel, ctx);
		wf_waitgroup_spawn(&wg, end_and_leave, once);
		while (__atomic_load_n(&left, __ATOMIC_ACQUIRE) >= 0 ||
		    wf_once_try_begin(once) != 0)
			wf_yield();
		memset(once, 0xa5, sizeof *once);
		free(once);
		wf_waitgroup_wait(&wg);
		wf_ctx_free(ctx);
	}
	return 0;
}

/* Misuse. */

static void
again(wf_once *once)
{
	wf_once_do(once, again, once);
}

static int
within_itself(void)
{
	wf_once once = {0};

	wf_once_do(&once, again, &once);
	return 0;
}

static int
within_itself_in_coroutine(void)
{
	return wf_run(within_itself);
}

static int
end_without_begin(void)
{
	wf_once once = {0};

	wf_once_end(&once);
	return 0;
}

int
main(void)
{
	tap_count_memory();
	tap_child("misuse: within itself", within_itself, TAP_ABORTED,
	    "wf_once_do", "within itself");
	tap_child("misuse: within itself, in a coroutine",
	    within_itself_in_coroutine, TAP_ABORTED, "wf_once_do",
	    "within_itself", "once.c:");
	tap_child("misuse: end without begin", end_without_begin,
	    TAP_ABORTED, "wf_once_end", "not begun");
	tap_plain("threads only", threads_only);
	tap_test_workers("164: only once", only_once);
	tap_test_workers("166: arguments", arguments);
	tap_test_workers("167: ended by wf_exit()", exit_counts);
	tap_test_workers("try", tries);
	tap_test_workers("the other forms", other_forms);
	tap_test_workers("races, and freed at once", races);
	return tap_end();
}
