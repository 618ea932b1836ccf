/* SPDX-License-Identifier: MIT */
/*
 * sem.c - weighted semaphores: never too many, order of arrival, contexts,
 * coroutines and plain threads, misuse.
 */
#include "tap.h"

#include <pthread.h>

enum { SIZE = 10 };

struct work {
	wf_sem sem;
	long taken;		/* atomic: what the holders add up to */
	long most;		/* atomic */
	long done;		/* atomic */
};

static void
hold(struct work *k, size_t n)
{
	long now = __atomic_add_fetch(&k->taken, (long)n, __ATOMIC_RELAXED);

	check(now <= SIZE);
	if (now > __atomic_load_n(&k->most, __ATOMIC_RELAXED))
		__atomic_store_n(&k->most, now, __ATOMIC_RELAXED);
	if (now % 4 == 0)
		wf_yield();
	__atomic_sub_fetch(&k->taken, (long)n, __ATOMIC_RELAXED);
	wf_sem_release(&k->sem, n);
	__atomic_add_fetch(&k->done, 1, __ATOMIC_RELAXED);
}

static void
take_and_give(struct work *k, int rounds, uint64_t random)
{
	wf_ctx *ctx;
	size_t n;
	int err;

	for (int i = 0; i < rounds; i++) {
		n = 1 + tap_random(&random) % SIZE;
		switch (i % 4) {
		case 0:
			if (wf_sem_try_acquire(&k->sem, n) == 0)
				hold(k, n);
			continue;
		case 1:
			ctx = wf_ctx_with_timeout(wf_ctx_background(),
			    (int64_t)(tap_random(&random) % 50) * WF_US);
			err = wf_sem_acquire_ctx(ctx, &k->sem, n);
			check(err == 0 || err == -ETIMEDOUT);
			wf_ctx_free(ctx);
			if (err == 0)
				hold(k, n);
			continue;
		default:
			wf_sem_acquire(&k->sem, n);
			hold(k, n);
		}
	}
}

static void
check_all_free(wf_sem *s)
{
	check_eq(wf_sem_try_acquire(s, SIZE), 0);
	check_eq(wf_sem_try_acquire(s, 1), -EAGAIN);
	wf_sem_release(s, SIZE);
}

static void *
work_thread(void *arg)
{
	take_and_give(arg, 200, tap_seed());
	return NULL;
}

static int
stress(void)
{
	struct work k = { .sem = WF_SEM(SIZE) };
	wf_waitgroup wg = {0};
	pthread_t thread[3];
	int threads = 0;

	for (int i = 0; i < 16; i++)
		wf_waitgroup_spawn(&wg, take_and_give, &k, 200,
		    tap_seed() + (uint64_t)i);
	for (int i = 0; i < 3; i++)
		threads += check(!pthread_create(&thread[threads], NULL,
		    work_thread, &k));
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	wf_waitgroup_wait(&wg);
	check(k.done >= (16 + threads) * 100);
	check(k.most > 1);
	check_all_free(&k.sem);
	return 0;
}

static void
threads_only(void)
{
	struct work k = { .sem = WF_SEM(SIZE) };
	pthread_t thread;

	if (check(!pthread_create(&thread, NULL, work_thread, &k))) {
		take_and_give(&k, 200, 7);
		pthread_join(thread, NULL);
	}
	check_all_free(&k.sem);
	check_eq(wf_stop(WF_FOREVER), 0);	/* deadlines started it */
}

static int
tries(void)
{
	wf_sem s, none = {0};

	wf_sem_init(&s, SIZE);
	check_eq(wf_sem_try_acquire(&s, SIZE + 1), -EAGAIN);
	check_eq(wf_sem_try_acquire(&s, SIZE - 1), 0);
	check_eq(wf_sem_try_acquire(&s, 2), -EAGAIN);
	check_eq(wf_sem_try_acquire(&s, 1), 0);
	check_eq(wf_sem_try_acquire(&s, 0), 0);
	wf_sem_release(&s, 1);
	wf_sem_release(&s, SIZE - 1);
	wf_sem_release(&s, 0);
	check_all_free(&s);
	check_eq(wf_sem_try_acquire(&none, 1), -EAGAIN);
	check_eq(wf_sem_try_acquire(&none, 0), 0);
	return 0;
}

/* Order of arrival: the next one comes when this one is parked. */

struct order {
	wf_sem sem;
	int next;		/* atomic */
};

static void
come(struct order *o, wf_ctx *ctx, size_t n, int place)
{
	int err = wf_sem_acquire_ctx(ctx, &o->sem, n);

	if (place < 0) {
		check_eq(err, -ECANCELED);
		return;
	}
	check_eq(err, 0);
	check_eq(__atomic_fetch_add(&o->next, 1, __ATOMIC_RELAXED), place);
	wf_sem_release(&o->sem, n);
}

static void
arrive(wf_waitgroup *wg, struct order *o, wf_ctx *ctx, size_t n, int place)
{
	int before = tap_parked("for semaphore");

	wf_waitgroup_spawn(wg, come, o, ctx, n, place);
	tap_await_parked("for semaphore", before + 1);
}

/* A big request is not starved by small ones that would fit. */
static int
in_order(void)
{
	struct order o = { .sem = WF_SEM(SIZE) };
	wf_ctx *ctx = wf_ctx_background();
	wf_waitgroup wg = {0};

	wf_sem_acquire(&o.sem, 1);
	arrive(&wg, &o, ctx, SIZE, 0);
	check_eq(wf_sem_try_acquire(&o.sem, 1), -EAGAIN);
	for (int i = 1; i < 10; i++)
		arrive(&wg, &o, ctx, SIZE, i);
	check_eq(o.next, 0);
	wf_sem_release(&o.sem, 1);
	wf_waitgroup_wait(&wg);
	check_eq(o.next, 10);
	check_all_free(&o.sem);
	return 0;
}

/* The first one, who did not fit, gives up: those behind it go on. */
static int
first_gives_up(void)
{
	struct order o = { .sem = WF_SEM(SIZE) };
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup wg = {0}, big = {0};

	wf_sem_acquire(&o.sem, 1);
	arrive(&big, &o, ctx, SIZE, -1);
	arrive(&wg, &o, wf_ctx_background(), 1, 0);
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&big);
	wf_waitgroup_wait(&wg);
	wf_sem_release(&o.sem, 1);
	check_all_free(&o.sem);
	wf_ctx_free(ctx);
	return 0;
}

/* More than there are: waits for the context, and nobody for it. */
static int
too_many(void)
{
	struct order o = { .sem = WF_SEM(SIZE) };
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup wg = {0};

	arrive(&wg, &o, ctx, SIZE + 1, -1);
	for (int i = 0; i < 10; i++)
		check_all_free(&o.sem);
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&wg);
	check_eq(wf_sem_acquire_ctx(ctx, &o.sem, SIZE + 1), -ECANCELED);
	check_eq(wf_sem_acquire_ctx(ctx, &o.sem, SIZE), 0);
	check_eq(wf_sem_acquire_ctx(ctx, &o.sem, 1), -ECANCELED);
	check_eq(wf_sem_acquire_ctx(NULL, &o.sem, 1), -EINVAL);
	wf_sem_release(&o.sem, SIZE);
	wf_ctx_free(ctx);
	return 0;
}

/* Release and cancellation collide: nothing that was given is lost. */

static void
acquire_under(wf_sem *s, wf_ctx *ctx, size_t n)
{
	int err = wf_sem_acquire_ctx(ctx, s, n);

	if (err == 0)
		wf_sem_release(s, n);
	else
		check_eq(err, -ECANCELED);
}

static int
races(void)
{
	for (long i = tap_scale(4000, 400); i > 0; i--) {
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		wf_sem *s = malloc(sizeof *s);
		wf_waitgroup wg = {0};

		if (!check(s))
			return 1;
		wf_sem_init(s, SIZE);
		wf_sem_acquire(s, SIZE);
		for (size_t k = 1; k <= 6; k++)
			wf_waitgroup_spawn(&wg, acquire_under, s, k % 3 ?
			    ctx : wf_ctx_background(), k);
		if (i % 2)
			wf_yield();
		wf_waitgroup_spawn(&wg, wf_ctx_cancel, ctx);
		wf_sem_release(s, SIZE / 2);
		wf_sem_release(s, SIZE / 2);
		wf_waitgroup_wait(&wg);
		check_all_free(s);
		free(s);
		wf_ctx_free(ctx);
	}
	return 0;
}

/* Given back by the last of several, and freed at once by the one who waited
 * for all of it. */

static void
give_back(wf_sem *s)
{
	wf_sem_release(s, 1);
}

static int
freed_at_once(void)
{
	for (long i = tap_scale(20000, 2000); i > 0; i--) {
		wf_sem *s = malloc(sizeof *s);
		wf_waitgroup wg = {0};

		if (!check(s))
			return 1;
		wf_sem_init(s, 4);
		wf_sem_acquire(s, 4);
		for (int k = 0; k < 4; k++)
			wf_waitgroup_spawn(&wg, give_back, s);
		wf_sem_acquire(s, 4);
		memset(s, 0xa5, sizeof *s);
		free(s);
		wf_waitgroup_wait(&wg);
	}
	return 0;
}

/* Misuse. */

static int
too_much_back(void)
{
	wf_sem s = WF_SEM(3);

	wf_sem_acquire(&s, 2);
	wf_sem_release(&s, 3);
	return 0;
}

static int
never(void)
{
	wf_sem s = WF_SEM(3);

	wf_sem_acquire(&s, 4);
	return 0;
}

int
main(void)
{
	tap_child("misuse: more given back than taken", too_much_back,
	    TAP_ABORTED, "wf_sem_release", "3 units");
	tap_child("misuse: more than there are", never, TAP_ABORTED,
	    "wf_sem_acquire", "4 units of 3");
	tap_plain("threads only", threads_only);
	tap_test_workers("stress", stress);
	tap_test_workers("try", tries);
	tap_test_workers("more than there are", too_many);
	tap_test_workers("races with a context", races);
	tap_test_workers("freed at once", freed_at_once);
	tap_test_workers("the first one gives up", first_gives_up);
	tap_test_workers("in order of arrival", in_order);
	return tap_end();
}
