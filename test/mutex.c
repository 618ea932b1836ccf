/* SPDX-License-Identifier: MIT */
/*
 * mutex.c - mutexes: exclusion, fairness, contexts, coroutines and plain
 * threads, mutexes that are freed by their last user, and misuse.
 */
#include "tap.h"

#include <pthread.h>

/* 151: hammer; each third operation is a try. */

struct hammer {
	wf_mutex lock;
	long value;		/* under the lock, no atomic */
	int inside;		/* likewise */
	long done;		/* atomic */
};

static void
strike(struct hammer *h)
{
	check_eq(h->inside, 0);
	h->inside = 1;
	h->value++;
	h->inside = 0;
	wf_mutex_unlock(&h->lock);
	__atomic_add_fetch(&h->done, 1, __ATOMIC_RELAXED);
}

static void
hammer(struct hammer *h, long n)
{
	for (long i = 0; i < n; i++) {
		if (i % 3 == 0) {
			if (wf_mutex_try_lock(&h->lock) == 0)
				strike(h);
			continue;
		}
		wf_mutex_lock(&h->lock);
		strike(h);
	}
}

static void *
hammer_thread(void *arg)
{
	hammer(arg, 1000);
	return NULL;
}

static void
check_free(wf_mutex *m)
{
	check_eq(wf_mutex_try_lock(m), 0);
	wf_mutex_unlock(m);
}

static int
hammers(void)
{
	struct hammer h = {0};
	wf_waitgroup wg = {0};

	for (int i = 0; i < 10; i++)
		wf_waitgroup_spawn(&wg, hammer, &h, 1000L);
	wf_waitgroup_wait(&wg);
	check_eq(h.value, h.done);
	check(h.done >= 6660);
	check_free(&h.lock);
	return 0;
}

static void
with_threads(struct hammer *h)
{
	pthread_t thread[4];
	int n = 0;

	for (int i = 0; i < 4; i++)
		n += check(!pthread_create(&thread[n], NULL, hammer_thread,
		    h));
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static int
coroutines_and_threads(void)
{
	struct hammer h = {0};
	wf_waitgroup wg = {0};

	for (int i = 0; i < 10; i++)
		wf_waitgroup_spawn(&wg, hammer, &h, 1000L);
	with_threads(&h);
	wf_waitgroup_wait(&wg);
	check_eq(h.value, h.done);
	check_free(&h.lock);
	return 0;
}

static void
threads_only(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	struct hammer h = {0};

	with_threads(&h);
	check_eq(h.value, h.done);
	wf_mutex_lock(&h.lock);
	wf_ctx_cancel(ctx);
	check_eq(wf_mutex_lock_ctx(ctx, &h.lock), -ECANCELED);
	wf_mutex_unlock(&h.lock);
	check_free(&h.lock);
	wf_ctx_free(ctx);
}

/* Held across waits by many: the queue is long all the time. */

static void
hold_and_yield(struct hammer *h, int n)
{
	for (int i = 0; i < n; i++) {
		wf_mutex_lock(&h->lock);
		check_eq(h->inside++, 0);
		wf_yield();
		h->inside--;
		h->value++;
		wf_mutex_unlock(&h->lock);
	}
}

static int
crowd(void)
{
	struct hammer h = {0};
	wf_waitgroup wg = {0};

	for (int i = 0; i < 300; i++)
		wf_waitgroup_spawn(&wg, hold_and_yield, &h, 10);
	wf_waitgroup_wait(&wg);
	check_eq(h.value, 3000);
	check_free(&h.lock);
	return 0;
}

/* 152. */

static int
tries(void)
{
	wf_mutex m = {0};

	check_eq(wf_mutex_try_lock(&m), 0);
	check_eq(wf_mutex_try_lock(&m), -EAGAIN);
	wf_mutex_unlock(&m);
	wf_mutex_lock(&m);
	check_eq(wf_mutex_try_lock(&m), -EAGAIN);
	wf_mutex_unlock(&m);
	check_free(&m);
	return 0;
}

/* Not owned: locked here, unlocked there. */

static int
another_unlocks(void)
{
	wf_mutex m = {0};
	wf_waitgroup wg = {0};

	for (int i = 0; i < 100; i++) {
		wf_mutex_lock(&m);
		wf_waitgroup_spawn(&wg, wf_mutex_unlock, &m);
	}
	wf_waitgroup_wait(&wg);
	check_free(&m);
	return 0;
}

/* 154: a hog takes the mutex again as soon as it has let go. */

static void
hog(wf_mutex *m, int *stop)
{
	int64_t until;

	do {
		wf_mutex_lock(m);
		for (until = wf_now() + 100 * WF_US; wf_now() < until; )
			continue;
		wf_mutex_unlock(m);
	} while (!__atomic_load_n(stop, __ATOMIC_RELAXED));
}

static int
fairness(void)
{
	wf_mutex m = {0};
	wf_waitgroup wg = {0};
	int stop = 0;

	wf_waitgroup_spawn(&wg, hog, &m, &stop);
	for (int i = 0; i < 10; i++) {
		wf_sleep(100 * WF_US);
		wf_mutex_lock(&m);
		wf_mutex_unlock(&m);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	wf_waitgroup_wait(&wg);
	return 0;
}


/* Who has starved is given the mutex: it is not free in between.  (Unless the
 * other one is quick enough to have it back by then: then once more.) */

static void
lock_once(wf_mutex *m)
{
	wf_mutex_lock(m);
	wf_mutex_unlock(m);
}

static int
handed_over(void)
{
	wf_mutex m = {0};
	wf_waitgroup wg = {0};
	int r;

	do {
		wf_mutex_lock(&m);
		wf_waitgroup_spawn(&wg, lock_once, &m);
		tap_await_parked("for mutex", 1);
		wf_sleep(3 * WF_MS);
		wf_mutex_unlock(&m);
		r = wf_mutex_try_lock(&m);
		if (r == 0)
			wf_mutex_unlock(&m);
		wf_waitgroup_wait(&wg);
	} while (r == 0);
	check_eq(r, -EAGAIN);
	return 0;
}

/* Those who starve are served in the order in which they came. */

static void
take_number(wf_mutex *m, int *next, int mine)
{
	wf_mutex_lock(m);
	check_eq((*next)++, mine);
	wf_mutex_unlock(m);
}

static int
in_order(void)
{
	wf_mutex m = {0};
	wf_waitgroup wg = {0};
	int next = 0;

	wf_mutex_lock(&m);
	for (int i = 0; i < 50; i++) {
		wf_waitgroup_spawn(&wg, take_number, &m, &next, i);
		tap_await_parked("for mutex", i + 1);
	}
	wf_sleep(3 * WF_MS);
	wf_mutex_unlock(&m);
	wf_waitgroup_wait(&wg);
	check_eq(next, 50);
	return 0;
}

/* Under a context. */

static int
under_context(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *late = wf_ctx_with_timeout(wf_ctx_background(), 2 * WF_MS);
	wf_mutex m = {0};

	check_eq(wf_mutex_lock_ctx(NULL, &m), -EINVAL);
	check_eq(wf_mutex_lock_ctx(ctx, &m), 0);
	check_eq(wf_mutex_lock_ctx(late, &m), -ETIMEDOUT);
	check(wf_now() >= wf_ctx_deadline(late));
	wf_ctx_cancel(ctx);
	check_eq(wf_mutex_lock_ctx(ctx, &m), -ECANCELED);
	wf_mutex_unlock(&m);
	check_eq(wf_mutex_lock_ctx(ctx, &m), 0);	/* free wins */
	wf_mutex_unlock(&m);
	wf_ctx_free(ctx);
	wf_ctx_free(late);
	return 0;
}

struct race {
	wf_mutex lock;
	int got, cancelled;	/* atomic */
};

static void
lock_under(wf_ctx *ctx, struct race *r)
{
	int err = wf_mutex_lock_ctx(ctx, &r->lock);

	if (err == 0) {
		__atomic_add_fetch(&r->got, 1, __ATOMIC_RELAXED);
		wf_mutex_unlock(&r->lock);
	} else if (check_eq(err, -ECANCELED))
		__atomic_add_fetch(&r->cancelled, 1, __ATOMIC_RELAXED);
}

/* The unlock and the cancellation collide: whoever is woken in vain passes it
 * on, so that the one without a context gets the mutex for sure. */
static int
context_races(void)
{
	uint64_t random = tap_seed();

	for (long i = tap_scale(4000, 400); i > 0; i--) {
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		wf_waitgroup wg = {0};
		struct race *r = calloc(1, sizeof *r);

		if (!check(r))
			return 1;
		wf_mutex_lock(&r->lock);
		for (int k = 0; k < 5; k++)
			wf_waitgroup_spawn(&wg, lock_under, k == 3 ?
			    wf_ctx_background() : ctx, r);
		if (i % 2)
			wf_yield();
		if (i % 50 == 0)
			wf_sleep(1500 * WF_US);	/* let them starve */
		wf_waitgroup_spawn(&wg, wf_ctx_cancel, ctx);
		for (uint64_t n = tap_random(&random) % 200; n > 0; n--)
			__atomic_signal_fence(__ATOMIC_SEQ_CST);
		wf_mutex_unlock(&r->lock);
		wf_waitgroup_wait(&wg);
		check_eq(r->got + r->cancelled, 5);
		check(r->got >= 1);
		check_free(&r->lock);
		free(r);
		wf_ctx_free(ctx);
	}
	return 0;
}

/* The last of several users frees the mutex as soon as it has unlocked it. */

struct shared {
	wf_mutex lock;
	int users;
};

static void
leave(struct shared *s)
{
	bool last;

	wf_mutex_lock(&s->lock);
	last = --s->users == 0;
	wf_mutex_unlock(&s->lock);
	if (!last)
		return;
	memset(s, 0xa5, sizeof *s);
	free(s);
}

static void *
leave_thread(void *s)
{
	leave(s);
	return NULL;
}

static int
freed_by_last(void)
{
	pthread_t thread;

	for (long i = tap_scale(20000, 2000); i > 0; i--) {
		struct shared *s = calloc(1, sizeof *s);
		bool foreign = i % 20 == 0;
		wf_waitgroup wg = {0};

		if (!check(s))
			return 1;
		s->users = 4 + foreign;
		if (foreign && !check(!pthread_create(&thread, NULL,
		    leave_thread, s)))
			return 1;
		for (int k = 0; k < 4; k++)
			wf_waitgroup_spawn(&wg, leave, s);
		wf_waitgroup_wait(&wg);
		if (foreign)
			pthread_join(thread, NULL);
	}
	return 0;
}

/* Misuse. */

static int
not_locked(void)
{
	wf_mutex m = {0};

	wf_mutex_unlock(&m);
	return 0;
}

static int
twice_unlocked(void)
{
	wf_mutex m = {0};

	wf_mutex_lock(&m);
	wf_mutex_unlock(&m);
	wf_mutex_unlock(&m);
	return 0;
}

static int
twice_unlocked_in_coroutine(void)
{
	return wf_run(twice_unlocked);
}

int
main(void)
{
	tap_child("misuse: unlock of an unlocked mutex", not_locked,
	    TAP_ABORTED, "wf_mutex_unlock", "not locked");
	tap_child("misuse: unlocked twice in a coroutine",
	    twice_unlocked_in_coroutine, TAP_ABORTED, "wf_mutex_unlock",
	    "twice_unlocked", "mutex.c:");
	tap_plain("threads only", threads_only);
	tap_test_workers("151: hammer", hammers);
	tap_test_workers("coroutines and threads", coroutines_and_threads);
	tap_test_workers("a crowd that holds it across a wait", crowd);
	tap_test_workers("152: try", tries);
	tap_test_workers("another one unlocks", another_unlocks);
	tap_test_workers("154: fairness", fairness);
	tap_test_workers("given to who has starved", handed_over);
	tap_test_workers("under a context", under_context);
	tap_test_workers("under a context: races", context_races);
	tap_test_workers("freed by the last user", freed_by_last);
	tap_test_workers("the starved are served in order", in_order);
	return tap_end();
}
