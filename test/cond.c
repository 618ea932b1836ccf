/* SPDX-License-Identifier: MIT */
/*
 * cond.c - conditions: order of arrival, everybody once, no stealing, no
 * wake-up without a signal, contexts, coroutines and plain threads, misuse.
 */
#include "tap.h"

#include <pthread.h>

struct door {
	wf_mutex lock;
	wf_cond open;
	long inside;		/* under the lock: so many wait */
	long next;		/* the same: how many have come out */
	long round;
};

/* 169: woken in the order in which they came. */

static void
come_out_as(struct door *d, long place)
{
	wf_mutex_lock(&d->lock);
	d->inside++;
	wf_cond_wait(&d->open, &d->lock);
	check_eq(d->next, place);
	d->next++;
	wf_mutex_unlock(&d->lock);
}

static long
read_next(struct door *d)
{
	long n;

	wf_mutex_lock(&d->lock);
	n = d->next;
	wf_mutex_unlock(&d->lock);
	return n;
}

static void
await_inside(struct door *d, long n)
{
	long inside = -1;

	while (inside < n) {
		wf_mutex_lock(&d->lock);
		inside = d->inside;
		wf_mutex_unlock(&d->lock);
		wf_yield();
	}
}

static int
generations(void)
{
	struct door d = {0};
	wf_waitgroup wg = {0};

	for (long i = 0; i < 100; i++) {
		wf_waitgroup_spawn(&wg, come_out_as, &d, i);
		await_inside(&d, i + 1);
	}
	check_eq(tap_parked("for condition "), 100);
	check_eq(read_next(&d), 0);
	for (long i = 0; i < 100; i++) {
		wf_cond_signal(&d.open);
		while (read_next(&d) == i)
			wf_yield();
	}
	wf_waitgroup_wait(&wg);
	return 0;
}

/* 170: a broadcast wakes everyone once. */

enum { MANY = 200 };

static void
each_round(struct door *d, long rounds, wf_chan(long) woken)
{
	wf_mutex_lock(&d->lock);
	for (long i = 0; i < rounds; i++) {
		long before = d->round;

		d->inside++;
		wf_cond_wait(&d->open, &d->lock);
		check_eq(d->round, before + 1);
		wf_send(woken, i);
	}
	wf_mutex_unlock(&d->lock);
}

static int
broadcast(void)
{
	struct door d = {0};
	wf_chan(long) woken = wf_chan_make(long, MANY);
	wf_waitgroup wg = {0};
	long rounds = tap_scale(200, 30), at;

	for (int i = 0; i < MANY; i++)
		wf_waitgroup_spawn(&wg, each_round, &d, rounds, woken);
	for (long r = 0; r < rounds; r++) {
		await_inside(&d, MANY);
		check_eq(wf_len(woken), 0);
		wf_mutex_lock(&d.lock);
		d.inside = 0;
		d.round++;
		wf_cond_broadcast(&d.open);
		wf_mutex_unlock(&d.lock);
		for (int i = 0; i < MANY; i++)
			if (check_eq(wf_recv(woken, &at), 1))
				check_eq(at, r);
	}
	wf_waitgroup_wait(&wg);
	wf_chan_free(woken);
	return 0;
}

/* 172: who comes later does not take the signal from who waits. */

static void
wait_once(struct door *d, wf_waitgroup *out)
{
	wf_mutex_lock(&d->lock);
	d->inside++;
	wf_cond_wait(&d->open, &d->lock);
	wf_mutex_unlock(&d->lock);
	wf_waitgroup_done(out);
}

static int
no_stealing(void)
{
	for (long i = tap_scale(1000, 200); i > 0; i--) {
		struct door d = {0};
		wf_waitgroup all = {0}, first = {0}, second = {0};

		wf_waitgroup_add(&first, 1);
		wf_waitgroup_add(&second, 1);
		wf_waitgroup_spawn(&all, wait_once, &d, &first);
		await_inside(&d, 1);
		wf_waitgroup_spawn(&all, wait_once, &d, &second);
		if (i % 2)
			wf_waitgroup_spawn(&all, wf_cond_broadcast, &d.open);
		else
			wf_waitgroup_spawn(&all, wf_cond_signal, &d.open);
		wf_waitgroup_wait(&first);
		await_inside(&d, 2);
		wf_cond_broadcast(&d.open);
		wf_waitgroup_wait(&second);
		wf_waitgroup_wait(&all);
	}
	return 0;
}

/* A queue with two ends: nothing is lost, by coroutines and threads. */

struct store {
	wf_mutex lock;
	wf_cond filled, emptied;
	int full;		/* of 4 places */
	long in, out;		/* sums */
};

enum { PLACES = 4, ITEMS = 300 };

static void
put_items(struct store *s)
{
	for (int i = 0; i < ITEMS; i++) {
		wf_mutex_lock(&s->lock);
		while (s->full == PLACES)
			wf_cond_wait(&s->emptied, &s->lock);
		check(s->full < PLACES);
		s->full++;
		s->in++;
		wf_cond_signal(&s->filled);
		wf_mutex_unlock(&s->lock);
	}
}

static void
take_items(struct store *s)
{
	for (int i = 0; i < ITEMS; i++) {
		wf_mutex_lock(&s->lock);
		while (s->full == 0)
			wf_cond_wait(&s->filled, &s->lock);
		check(s->full > 0);
		s->full--;
		s->out++;
		wf_mutex_unlock(&s->lock);
		wf_cond_signal(&s->emptied);
	}
}

static void *
put_thread(void *s)
{
	put_items(s);
	return NULL;
}

static void *
take_thread(void *s)
{
	take_items(s);
	return NULL;
}

static void
with_threads(struct store *s)
{
	pthread_t put, take;
	bool puts = check(!pthread_create(&put, NULL, put_thread, s));
	bool takes = check(!pthread_create(&take, NULL, take_thread, s));

	if (puts)
		pthread_join(put, NULL);
	if (takes)
		pthread_join(take, NULL);
}

static int
bounded_queue(void)
{
	struct store s = {0};
	wf_waitgroup wg = {0};

	for (int i = 0; i < 8; i++) {
		wf_waitgroup_spawn(&wg, put_items, &s);
		wf_waitgroup_spawn(&wg, take_items, &s);
	}
	with_threads(&s);
	wf_waitgroup_wait(&wg);
	check_eq(s.in, 9 * ITEMS);
	check_eq(s.out, 9 * ITEMS);
	check_eq(s.full, 0);
	return 0;
}

static void
threads_only(void)
{
	struct store s = {0};

	with_threads(&s);
	check_eq(s.in, ITEMS);
	check_eq(s.out, ITEMS);
}

/* Under a context. */

static int
under_context(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *late = wf_ctx_with_timeout(wf_ctx_background(), 2 * WF_MS);
	struct door d = {0};

	wf_mutex_lock(&d.lock);
	check_eq(wf_cond_wait_ctx(late, &d.open, &d.lock), -ETIMEDOUT);
	check(wf_now() >= wf_ctx_deadline(late));
	check_eq(wf_mutex_try_lock(&d.lock), -EAGAIN);	/* locked again */
	wf_ctx_cancel(ctx);
	check_eq(wf_cond_wait_ctx(ctx, &d.open, &d.lock), -ECANCELED);
	check_eq(wf_mutex_try_lock(&d.lock), -EAGAIN);
	check_eq(wf_cond_wait_ctx(NULL, &d.open, &d.lock), -EINVAL);
	wf_mutex_unlock(&d.lock);
	wf_cond_signal(&d.open);	/* for nobody */
	wf_cond_broadcast(&d.open);
	wf_ctx_free(ctx);
	wf_ctx_free(late);
	return 0;
}

static void
wait_under(struct door *d, wf_ctx *ctx, long *out)
{
	int err;

	wf_mutex_lock(&d->lock);
	d->inside++;
	err = wf_cond_wait_ctx(ctx, &d->open, &d->lock);
	check(err == 0 || err == -ECANCELED);
	out[err != 0]++;
	wf_mutex_unlock(&d->lock);
}

/* As many signals as there are waiters without a context, and those under one
 * are cancelled at the same time: no signal is lost on one that was. */
static int
context_races(void)
{
	for (long i = tap_scale(4000, 400); i > 0; i--) {
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		wf_ctx *of[] = { ctx, wf_ctx_background() };
		struct door *d = calloc(1, sizeof *d);
		wf_waitgroup wg = {0}, canceller = {0};
		long out[2] = { 0, 0 };

		if (!check(d))
			return 1;
		for (int k = 0; k < 6; k++)
			wf_waitgroup_spawn(&wg, wait_under, d, of[k % 2],
			    out);
		await_inside(d, 6);
		wf_waitgroup_spawn(&canceller, wf_ctx_cancel, ctx);
		if (i % 2)
			wf_yield();
		for (int k = 0; k < 3; k++)
			wf_cond_signal(&d->open);
		wf_waitgroup_wait(&canceller);
		wf_mutex_lock(&d->lock);
		/* Each signal has woken one; if it was one that would have
		 * been cancelled, one too few are left for it. */
		while (out[0] < 3) {
			wf_mutex_unlock(&d->lock);
			wf_yield();
			wf_mutex_lock(&d->lock);
		}
		wf_mutex_unlock(&d->lock);
		wf_cond_broadcast(&d->open);
		wf_waitgroup_wait(&wg);
		check_eq(out[0] + out[1], 6);
		free(d);
		wf_ctx_free(ctx);
	}
	return 0;
}

/* The one who was waited for frees it all when he has the mutex again. */

static void
wait_and_free(struct door *d)
{
	wf_mutex_lock(&d->lock);
	d->inside++;
	while (!d->round)
		wf_cond_wait(&d->open, &d->lock);
	wf_mutex_unlock(&d->lock);
	memset(d, 0xa5, sizeof *d);
	free(d);
}

static int
freed_at_once(void)
{
	for (long i = tap_scale(10000, 1000); i > 0; i--) {
		struct door *d = calloc(1, sizeof *d);
		wf_waitgroup wg = {0};

		if (!check(d))
			return 1;
		wf_waitgroup_spawn(&wg, wait_and_free, d);
		if (i % 2)
			await_inside(d, 1);
		wf_mutex_lock(&d->lock);
		d->round = 1;
		wf_cond_signal(&d->open);
		wf_mutex_unlock(&d->lock);
		wf_waitgroup_wait(&wg);
	}
	return 0;
}

/* Misuse. */

static struct door original;

static int
copied(void)
{
	static struct door copy;
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_MS);

	wf_mutex_lock(&original.lock);
	check_eq(wf_cond_wait_ctx(ctx, &original.open, &original.lock),
	    -ETIMEDOUT);
	copy = original;
	wf_cond_signal(&copy.open);
	return 0;
}

static int
wait_on_copy(void)
{
	static struct door copy;
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_MS);

	wf_mutex_lock(&original.lock);
	check_eq(wf_cond_wait_ctx(ctx, &original.open, &original.lock),
	    -ETIMEDOUT);
	copy = original;
	wf_cond_wait(&copy.open, &copy.lock);
	return 0;
}

static int
not_locked(void)
{
	wf_cond_wait(&original.open, &original.lock);
	return 0;
}

int
main(void)
{
	tap_child("173: misuse: signal to a copy", copied, TAP_ABORTED,
	    "wf_cond_signal", "copied");
	tap_child("173: misuse: wait on a copy", wait_on_copy, TAP_ABORTED,
	    "wf_cond_wait", "copied");
	tap_child("misuse: wait without the mutex", not_locked, TAP_ABORTED,
	    "wf_cond_wait", "not locked");
	tap_plain("threads only", threads_only);
	tap_test_workers("169: in order of arrival", generations);
	tap_test_workers("170: broadcast", broadcast);
	tap_test_workers("172: no stealing", no_stealing);
	tap_test_workers("a bounded queue", bounded_queue);
	tap_test_workers("under a context", under_context);
	tap_test_workers("under a context: races", context_races);
	tap_test_workers("freed at once", freed_at_once);
	return tap_end();
}
