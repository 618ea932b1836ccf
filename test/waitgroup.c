/* SPDX-License-Identifier: MIT */
/*
 * waitgroup.c - wait groups: barriers, many waiters, plain threads, contexts,
 * groups that are gone as soon as wait returns, and misuse.
 */
#include "tap.h"

#include <pthread.h>

#include "lock.h"

/* 158: two groups as a barrier; nobody passes the second one before all have
 * been let through. */

enum { MEMBERS = 16 };

static void
member(wf_waitgroup *first, wf_waitgroup *second, wf_chan(bool) exited)
{
	wf_waitgroup_done(first);
	wf_waitgroup_wait(second);
	check_eq(wf_send(exited, true), 1);
}

static void
barrier_round(wf_waitgroup *first, wf_waitgroup *second)
{
	wf_chan(bool) exited = wf_chan_make(bool, MEMBERS);
	wf_waitgroup members = {0};

	wf_waitgroup_add(first, MEMBERS);
	wf_waitgroup_add(second, MEMBERS);
	for (int i = 0; i < MEMBERS; i++)
		check_eq(wf_waitgroup_spawn(&members, member, first, second,
		    exited), 0);
	wf_waitgroup_wait(first);
	for (int i = 0; i < MEMBERS; i++) {
		check_eq(wf_try_recv(exited, NULL), -EAGAIN);
		wf_waitgroup_done(second);
	}
	for (int i = 0; i < MEMBERS; i++)
		check_eq(wf_recv(exited, NULL), 1);
	wf_waitgroup_wait(&members);
	wf_chan_free(exited);
}

static int
barrier(void)
{
	wf_waitgroup first = {0}, second = {0};

	for (int i = 0; i < 8; i++)
		barrier_round(&first, &second);
	return 0;
}

/* 160: no early wake. */

static void
count(int *n, wf_waitgroup *wg)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
	wf_waitgroup_done(wg);
}

static int
two_thousand(void)
{
	for (int i = 0; i < 1000; i++) {
		wf_waitgroup wg = {0};
		int n = 0;

		wf_waitgroup_add(&wg, 2);
		check_eq(wf_spawn(count, &n, &wg), 0);
		check_eq(wf_spawn(count, &n, &wg), 0);
		wf_waitgroup_wait(&wg);
		check_eq(n, 2);
	}
	return 0;
}

/* Done happens before wait returns: no atomics here. */

static void
write_slot(int *slot, int v)
{
	*slot = v;
}

static int
publishes(void)
{
	int slots[20];

	for (int round = 0; round < 100; round++) {
		wf_waitgroup wg = {0};

		for (int i = 0; i < 20; i++)
			wf_waitgroup_spawn(&wg, write_slot, &slots[i],
			    round + i);
		wf_waitgroup_wait(&wg);
		for (int i = 0; i < 20; i++)
			check_eq(slots[i], round + i);
	}
	return 0;
}

/* 161: wherever it stands in a struct. */

static int
offsets(void)
{
	struct { char a; wf_waitgroup wg; } one = {0};
	struct { char a[9]; wf_waitgroup wg; char z[3]; } two = {0};
	struct { int a; char b; wf_waitgroup wg[3]; char z; } three = {0};
	wf_waitgroup *all[] = { &one.wg, &two.wg, &three.wg[0],
	    &three.wg[1], &three.wg[2] };
	int n = 0;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		wf_waitgroup_add(all[i], 3);
		for (int k = 0; k < 3; k++)
			wf_spawn(count, &n, all[i]);
	}
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		wf_waitgroup_wait(all[i]);
	check_eq(n, 15);
	check_eq(one.a + two.a[8] + two.z[0] + three.b + three.z, 0);
	return 0;
}

/* 163: spawn from inside. */

static void
nest(wf_waitgroup *wg, int depth, int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
	if (depth == 0)
		return;
	check_eq(wf_waitgroup_spawn(wg, nest, wg, depth - 1, n), 0);
	check_eq(wf_waitgroup_spawn(wg, nest, wg, depth - 1, n), 0);
}

static void
leave_early(int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
	wf_exit();
	__atomic_add_fetch(n, 1000, __ATOMIC_RELAXED);
}

static int
spawns(void)
{
	wf_waitgroup wg = {0};
	struct wf_attr attr = { .stack_size = SIZE_MAX, .waitgroup = &wg };
	int n = 0;

	wf_waitgroup_spawn(&wg, nest, &wg, 8, &n);
	wf_waitgroup_wait(&wg);
	check_eq(n, (1 << 9) - 1);
	wf_waitgroup_spawn(&wg, leave_early, &n);
	wf_waitgroup_wait(&wg);
	check_eq(n, 1 << 9);
	check_eq(wf_spawn_with(&attr, leave_early, &n), -EINVAL);
	wf_waitgroup_wait(&wg);		/* nothing was added */
	return 0;
}

/* The zero value: wait returns at once; add takes any number. */

static int
adds(void)
{
	wf_waitgroup wg = {0};

	wf_waitgroup_wait(&wg);
	wf_waitgroup_wait(&wg);
	check_eq(wf_waitgroup_wait_ctx(wf_ctx_background(), &wg), 0);
	wf_waitgroup_add(&wg, 0);
	wf_waitgroup_wait(&wg);
	wf_waitgroup_add(&wg, 1000000);
	wf_waitgroup_add(&wg, -999999);
	wf_waitgroup_done(&wg);
	wf_waitgroup_wait(&wg);
	wf_waitgroup_add(&wg, 2);
	wf_waitgroup_add(&wg, -2);
	wf_waitgroup_wait(&wg);
	return 0;
}

/* Wait waits: the order of events is kept by a counter, not by the clock. */

static void
wait_and_note(wf_waitgroup *wg, int *step, int *seen)
{
	wf_waitgroup_wait(wg);
	*seen = __atomic_load_n(step, __ATOMIC_RELAXED);
}

static int
waits(void)
{
	for (int i = 0; i < 100; i++) {
		wf_waitgroup wg = {0}, waiter = {0};
		int step = 0, seen = -1;

		wf_waitgroup_add(&wg, 3);
		wf_waitgroup_spawn(&waiter, wait_and_note, &wg, &step, &seen);
		for (int k = 1; k <= 3; k++) {
			if (i % 2)
				wf_yield();
			__atomic_store_n(&step, k, __ATOMIC_RELAXED);
			wf_waitgroup_done(&wg);
		}
		wf_waitgroup_wait(&waiter);
		check_eq(seen, 3);
	}
	return 0;
}

/* Gone at once: the group's memory is given back, or written over, as soon as
 * wait has returned. */

static void
nothing(void)
{
}

static int
freed_at_once(void)
{
	for (long i = tap_scale(20000, 2000); i > 0; i--) {
		wf_waitgroup *wg = calloc(1, sizeof *wg);
		int n = 1 + (int)(i % 3);

		if (!check(wg))
			return 1;
		for (int k = 0; k < n; k++)
			wf_waitgroup_spawn(wg, nothing);
		if (i % 5 == 0)
			wf_yield();
		wf_waitgroup_wait(wg);
		memset(wg, 0xa5, sizeof *wg);
		free(wg);
	}
	return 0;
}

static __attribute__((noinline)) void
group_on_stack(int n)
{
	wf_waitgroup wg = {0};

	for (int k = 0; k < n; k++)
		wf_waitgroup_spawn(&wg, nothing);
	wf_waitgroup_wait(&wg);
}

/* Fill the place where the group was, let others run, look again. */
static __attribute__((noinline)) bool
stack_untouched(void)
{
	volatile unsigned char room[1024];
	bool good = true;

	for (size_t i = 0; i < sizeof room; i++)
		room[i] = (unsigned char)(i * 7);
	wf_yield();
	for (size_t i = 0; i < sizeof room; i++)
		good = good && room[i] == (unsigned char)(i * 7);
	return good;
}

static int
stack_at_once(void)
{
	for (long i = tap_scale(20000, 2000); i > 0; i--) {
		group_on_stack(1 + (int)(i % 4));
		check(stack_untouched());
	}
	return 0;
}

/* Many waiters, coroutines and threads. */

static void
waiter(wf_waitgroup *wg, int *value, int *sum)
{
	wf_waitgroup_wait(wg);
	__atomic_add_fetch(sum, *value, __ATOMIC_RELAXED);
}

struct thread_waiter {
	wf_waitgroup *wg, *ready;
	int *value, *sum;
};

static void *
thread_waits(void *arg)
{
	struct thread_waiter *w = arg;

	wf_waitgroup_done(w->ready);
	waiter(w->wg, w->value, w->sum);
	return NULL;
}

static int
many_waiters(void)
{
	wf_waitgroup wg = {0}, waiters = {0}, ready = {0};
	int value = 0, sum = 0, threads = 0;
	struct thread_waiter w = { &wg, &ready, &value, &sum };
	pthread_t thread[4];

	wf_waitgroup_add(&wg, 1);
	for (int i = 0; i < 4; i++) {
		wf_waitgroup_add(&ready, 1);
		if (check(!pthread_create(&thread[threads], NULL,
		    thread_waits, &w)))
			threads++;
		else
			wf_waitgroup_done(&ready);
	}
	for (int i = 0; i < 1000; i++)
		check_eq(wf_waitgroup_spawn(&waiters, waiter, &wg, &value,
		    &sum), 0);
	wf_waitgroup_wait(&ready);
	wf_sleep(WF_MS);
	check_eq(sum, 0);
	value = 1;
	wf_waitgroup_done(&wg);
	wf_waitgroup_wait(&waiters);
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	check_eq(sum, 1000 + threads);
	return 0;
}

/* Threads that add and finish, coroutines that wait; and all of it outside of
 * a runtime that runs. */

static void *
thread_done(void *arg)
{
	wf_waitgroup *wg = arg;

	for (int i = 0; i < 100; i++)
		wf_waitgroup_add(wg, 2);
	for (int i = 0; i < 200; i++)
		wf_waitgroup_done(wg);
	wf_waitgroup_done(wg);
	return NULL;
}

static void
with_threads(wf_waitgroup *wg)
{
	pthread_t thread[8];
	int n = 0;

	for (int i = 0; i < 8; i++) {
		wf_waitgroup_add(wg, 1);
		if (check(!pthread_create(&thread[n], NULL, thread_done, wg)))
			n++;
		else
			wf_waitgroup_done(wg);
	}
	wf_waitgroup_wait(wg);
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static int
threads_done(void)
{
	for (int i = 0; i < 20; i++) {
		wf_waitgroup wg = {0};

		wf_waitgroup_spawn(&wg, nothing);
		with_threads(&wg);
	}
	return 0;
}

static void
threads_only(void)
{
	wf_waitgroup wg = {0};
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());

	with_threads(&wg);
	check_eq(wf_waitgroup_wait_ctx(ctx, &wg), 0);
	wf_waitgroup_add(&wg, 1);
	wf_ctx_cancel(ctx);
	check_eq(wf_waitgroup_wait_ctx(ctx, &wg), -ECANCELED);
	wf_ctx_free(ctx);
	ctx = wf_ctx_with_timeout(wf_ctx_background(), 5 * WF_MS);
	check_eq(wf_waitgroup_wait_ctx(ctx, &wg), -ETIMEDOUT);
	check(wf_now() >= wf_ctx_deadline(ctx));
	wf_waitgroup_done(&wg);
	check_eq(wf_waitgroup_wait_ctx(ctx, &wg), 0);
	wf_ctx_free(ctx);
	check_eq(wf_stop(WF_FOREVER), 0);	/* deadlines started it */
}

/* A wait under a context. */

static int
wait_ctx(void)
{
	wf_ctx *background = wf_ctx_background();
	wf_ctx *ctx = wf_ctx_with_cancel(background);
	wf_ctx *late = wf_ctx_with_timeout(background, 2 * WF_MS);
	wf_waitgroup wg = {0};

	check_eq(wf_waitgroup_wait_ctx(ctx, &wg), 0);
	wf_waitgroup_add(&wg, 1);
	check_eq(wf_waitgroup_wait_ctx(late, &wg), -ETIMEDOUT);
	check(wf_now() >= wf_ctx_deadline(late));
	check_eq(wf_waitgroup_wait_ctx(late, &wg), -ETIMEDOUT);
	wf_ctx_cancel(ctx);
	check_eq(wf_waitgroup_wait_ctx(ctx, &wg), -ECANCELED);
	wf_waitgroup_done(&wg);
	check_eq(wf_waitgroup_wait_ctx(ctx, &wg), 0);	/* zero wins */
	check_eq(wf_waitgroup_wait_ctx(late, &wg), 0);
	check_eq(wf_waitgroup_wait_ctx(background, &wg), 0);
	wf_ctx_free(ctx);
	wf_ctx_free(late);
	return 0;
}

static void
wait_under(wf_ctx *ctx, wf_waitgroup *wg, int *done, int *cancelled)
{
	int r = wf_waitgroup_wait_ctx(ctx, wg);

	if (r == 0)
		__atomic_add_fetch(done, 1, __ATOMIC_RELAXED);
	else if (check_eq(r, -ECANCELED))
		__atomic_add_fetch(cancelled, 1, __ATOMIC_RELAXED);
}

/* The context's end and the last done race; every waiter ends once, and both
 * objects are free to go afterwards. */
static int
wait_ctx_races(void)
{
	for (int round = 0; round < 200; round++) {
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		wf_waitgroup *wg = calloc(1, sizeof *wg);
		wf_waitgroup waiters = {0}, canceller = {0};
		int done = 0, cancelled = 0;

		if (!check(wg))
			return 1;
		wf_waitgroup_add(wg, 1);
		for (int i = 0; i < 10; i++)
			wf_waitgroup_spawn(&waiters, wait_under, ctx, wg,
			    &done, &cancelled);
		if (round % 2)
			wf_yield();
		if (round % 3) {
			wf_waitgroup_spawn(&canceller, wf_ctx_cancel, ctx);
			wf_waitgroup_done(wg);
		} else {
			wf_ctx_cancel(ctx);
			wf_waitgroup_done(wg);
		}
		wf_waitgroup_wait(&waiters);
		check_eq(done + cancelled, 10);
		wf_waitgroup_wait(&canceller);
		wf_ctx_free(ctx);
		free(wg);
	}
	return 0;
}

static int
withdrawn_waiters(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup wg = {0}, some = {0}, rest = {0};
	int done = 0, cancelled = 0;

	wf_waitgroup_add(&wg, 1);
	for (int i = 0; i < 100; i++) {
		wf_waitgroup_spawn(&some, wait_under, ctx, &wg, &done,
		    &cancelled);
		wf_waitgroup_spawn(&rest, wait_under, wf_ctx_background(),
		    &wg, &done, &cancelled);
	}
	wf_sleep(WF_MS);
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&some);
	check_eq(cancelled, 100);
	check_eq(done, 0);
	wf_waitgroup_done(&wg);
	wf_waitgroup_wait(&rest);
	check_eq(done, 100);
	wf_ctx_free(ctx);
	return 0;
}

/* Give up on the group once, wait for it in earnest, free it: the done that
 * ends it may be on its way all the while. */

static void
done_after(wf_waitgroup *wg, int64_t ns)
{
	int64_t until = wf_now() + ns;

	while (wf_now() < until)
		;
	wf_waitgroup_done(wg);
}

static int
withdrawn_then_freed(void)
{
	uint64_t random = tap_seed();

	for (long i = tap_scale(20000, 1000); i > 0; i--) {
		int64_t ns = (int64_t)(tap_random(&random) % 60) * WF_US;
		wf_waitgroup *wg = calloc(1, sizeof *wg);
		wf_waitgroup other = {0};
		wf_ctx *ctx;
		int r;

		if (!check(wg))
			return 1;
		wf_waitgroup_add(wg, 1);
		wf_waitgroup_spawn(&other, done_after, wg, ns + 20 * WF_US);
		ctx = wf_ctx_with_timeout(wf_ctx_background(), ns);
		r = wf_waitgroup_wait_ctx(ctx, wg);
		check(r == 0 || r == -ETIMEDOUT);
		wf_waitgroup_wait(wg);
		memset(wg, 0xa5, sizeof *wg);
		free(wg);
		wf_ctx_free(ctx);
		wf_waitgroup_wait(&other);
	}
	return 0;
}

/* The same instant, held still: the counter is zero, and who made it so has
 * the lock.  Until he lets go no wait may return, or its caller could free the
 * group under him.  A group begins with its state and its lock. */

static int returned;		/* atomic */

static void *
wait_in_thread(void *wg)
{
	wf_waitgroup_wait(wg);
	__atomic_store_n(&returned, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void
holder_of_lock(void)
{
	wf_waitgroup wg = {0};
	struct wf__lock *lock = (void *)((wf__word *)(void *)&wg + 1);
	pthread_t thread;

	wf__lock(lock);
	if (check(!pthread_create(&thread, NULL, wait_in_thread, &wg))) {
		/* If this is too short, a broken wait goes unseen, no more. */
		wf_sleep(20 * WF_MS);
		check(!__atomic_load_n(&returned, __ATOMIC_ACQUIRE));
		wf__unlock(lock);
		pthread_join(thread, NULL);
		check(__atomic_load_n(&returned, __ATOMIC_ACQUIRE));
	}
}

/* Misuse. */

static int
below_zero(void)
{
	wf_waitgroup wg = {0};

	wf_waitgroup_done(&wg);
	return 0;
}

static int
below_zero_in_coroutine(void)
{
	return wf_run(below_zero);
}

static int
far_below_zero(void)
{
	wf_waitgroup wg = {0};

	wf_waitgroup_add(&wg, 5);
	wf_waitgroup_add(&wg, -6);
	return 0;
}

int
main(void)
{
	tap_child("misuse: done below zero", below_zero, TAP_ABORTED,
	    "wf_waitgroup");
	tap_child("misuse: done below zero in a coroutine",
	    below_zero_in_coroutine, TAP_ABORTED, "wf_waitgroup",
	    "below_zero", "waitgroup.c:");
	tap_child("misuse: add below zero", far_below_zero, TAP_ABORTED,
	    "wf_waitgroup", "5 to -1");
	tap_plain("threads only", threads_only);
	tap_test_workers("adds", adds);
	tap_test_workers("waits", waits);
	tap_test_workers("158: barrier", barrier);
	tap_test_workers("160: no early wake", two_thousand);
	tap_test_workers("publishes what was written", publishes);
	tap_test_workers("161: odd offsets", offsets);
	tap_test_workers("163: spawns, also from inside", spawns);
	tap_test_workers("freed at once", freed_at_once);
	tap_test_workers("off the stack at once", stack_at_once);
	tap_test_workers("many waiters", many_waiters);
	tap_test_workers("threads and coroutines", threads_done);
	tap_test_workers("wait under a context", wait_ctx);
	tap_test_workers("wait under a context: races", wait_ctx_races);
	tap_test_workers("wait under a context: some withdraw",
	    withdrawn_waiters);
	tap_test_workers("withdrawn, then freed at once",
	    withdrawn_then_freed);
	tap_plain("none returns while the lock is held", holder_of_lock);
	return tap_end();
}
