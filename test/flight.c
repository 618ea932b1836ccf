/* SPDX-License-Identifier: MIT */
/*
 * flight.c - callers who share a call: one execution for all, errors, forget,
 * wf_exit(), contexts, coroutines and plain threads.
 */
#include "tap.h"

#include <pthread.h>

struct service {
	wf_flight flight;
	wf_chan(int) answer;	/* what calls wait for, if it is there */
	int calls;		/* atomic */
	int results;		/* atomic: callers who got one */
	int shared;		/* atomic: of these, who shared it */
};

static int
answer(void *arg, void **value)
{
	struct service *s = arg;
	int v = 0;

	__atomic_add_fetch(&s->calls, 1, __ATOMIC_RELAXED);
	check(*value == NULL);
	if (s->answer)
		wf_recv(s->answer, &v);
	*value = (void *)(intptr_t)v;
	return v < 0 ? v : 0;
}

/* Expects this value, or an error if it is negative. */
static void
ask(struct service *s, const char *key, int expected)
{
	void *value = NULL;
	bool shared = false;
	int err = wf_flight_do(&s->flight, key, answer, s, &value, &shared);

	check_eq(err, expected < 0 ? expected : 0);
	check_eq((intptr_t)value, expected);
	__atomic_add_fetch(&s->results, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&s->shared, shared, __ATOMIC_RELAXED);
}

/* 235: value and error. */
static int
values(void)
{
	struct service s = { .answer = wf_chan_make(int, 1) };

	wf_send(s.answer, 7);
	ask(&s, "key", 7);
	wf_send(s.answer, -EIO);
	ask(&s, "key", -EIO);
	check_eq(s.calls, 2);
	check_eq(s.shared, 0);
	wf_close(s.answer);
	check_eq(wf_flight_do(&s.flight, "", answer, &s, NULL, NULL), 0);
	wf_chan_free(s.answer);
	return 0;
}

/* 235, 236: all who come while one call is made get its result. */
static void
many_share(int result)
{
	struct service s = { .answer = wf_chan_make(int, 0) };
	wf_waitgroup wg = {0};

	for (int i = 0; i < 10; i++)
		wf_waitgroup_spawn(&wg, ask, &s, "key", result);
	tap_await_parked("for flight ", 9);
	wf_send(s.answer, result);
	wf_waitgroup_wait(&wg);
	check_eq(s.calls, 1);
	check_eq(s.results, 10);
	check_eq(s.shared, 10);
	wf_chan_free(s.answer);
}

static int
sharing(void)
{
	many_share(3);
	many_share(-EIO);
	return 0;
}

/* Keys do not meet, also where their hashes share a bucket. */
static int
keys(void)
{
	struct service s = { .answer = wf_chan_make(int, 0) };
	char key[100][8];
	wf_waitgroup wg = {0};

	for (int i = 0; i < 100; i++) {
		snprintf(key[i], sizeof key[i], "k%d", i);
		wf_waitgroup_spawn(&wg, ask, &s, key[i], 1);
	}
	tap_await_parked("to receive on channel", 100);
	for (int i = 0; i < 100; i += 3)
		wf_flight_forget(&s.flight, key[i]);
	wf_flight_forget(&s.flight, "another");
	for (int i = 0; i < 100; i++)
		wf_send(s.answer, 1);
	wf_waitgroup_wait(&wg);
	check_eq(s.calls, 100);
	check_eq(s.shared, 0);
	wf_chan_free(s.answer);
	return 0;
}

/* 235: forgotten, a call goes on beside a new one with its key. */
static int
forget(void)
{
	struct service s = { .answer = wf_chan_make(int, 0) };
	wf_waitgroup first = {0}, others = {0};
	void *value;
	bool shared;

	wf_waitgroup_spawn(&first, ask, &s, "key", 1);
	tap_await_parked("to receive on channel", 1);
	wf_waitgroup_spawn(&first, ask, &s, "key", 1);
	tap_await_parked("for flight ", 1);
	wf_flight_forget(&s.flight, "key");
	wf_waitgroup_spawn(&others, ask, &s, "key", 2);
	tap_await_parked("to receive on channel", 2);
	check_eq(wf_flight_try_do(&s.flight, "key", answer, &s, &value,
	    &shared), -EAGAIN);
	/* Channels serve in order: the first call gets the first answer. */
	wf_send(s.answer, 1);
	wf_waitgroup_wait(&first);
	check_eq(s.results, 2);
	wf_waitgroup_spawn(&others, ask, &s, "key", 2);
	tap_await_parked("for flight ", 1);
	wf_send(s.answer, 2);
	wf_waitgroup_wait(&others);
	check_eq(s.calls, 2);
	check_eq(s.results, 4);
	check_eq(s.shared, 4);
	wf_chan_free(s.answer);
	return 0;
}

/* 236: the one who makes the call ends by wf_exit(). */

static int
answer_and_exit(void *arg, void **value)
{
	struct service *s = arg;

	__atomic_add_fetch(&s->calls, 1, __ATOMIC_RELAXED);
	*value = NULL;
	wf_recv(s->answer, NULL);
	wf_exit();
	return -EIO;
}

static void
ask_and_exit(struct service *s)
{
	void *value = s;

	check_eq(wf_flight_do(&s->flight, "key", answer_and_exit, s, &value,
	    NULL), 0);
	check(value == NULL);
	__atomic_add_fetch(&s->results, 1, __ATOMIC_RELAXED);
}

static int
exits(void)
{
	struct service s = { .answer = wf_chan_make(int, 0) };
	wf_waitgroup wg = {0};

	for (int i = 0; i < 5; i++)
		wf_waitgroup_spawn(&wg, ask_and_exit, &s);
	tap_await_parked("for flight ", 4);
	wf_close(s.answer);
	wf_waitgroup_wait(&wg);
	check_eq(s.calls, 1);
	check_eq(s.results, 4);
	wf_chan_free(s.answer);
	return 0;
}

/* Under a context: who waits gives up, the call and the others do not. */

static void
ask_under(struct service *s, wf_ctx *ctx, int *cancelled)
{
	void *value = s;
	int err = wf_flight_do_ctx(ctx, &s->flight, "key", answer, s, &value,
	    NULL);

	if (err == 0) {
		check_eq((intptr_t)value, 5);
		__atomic_add_fetch(&s->results, 1, __ATOMIC_RELAXED);
	} else if (check_eq(err, -ECANCELED)) {
		check(value == s);
		__atomic_add_fetch(cancelled, 1, __ATOMIC_RELAXED);
	}
}

static int
contexts(void)
{
	for (long i = tap_scale(2000, 200); i > 0; i--) {
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		struct service s = { .answer = wf_chan_make(int, 1) };
		wf_waitgroup wg = {0};
		int cancelled = 0;

		wf_waitgroup_spawn(&wg, ask, &s, "key", 5);
		if (i % 2)
			tap_await_parked("to receive on channel", 1);
		for (int k = 0; k < 4; k++)
			wf_waitgroup_spawn(&wg, ask_under, &s, k % 2 ? ctx :
			    wf_ctx_background(), &cancelled);
		wf_waitgroup_spawn(&wg, wf_ctx_cancel, ctx);
		while (wf_try_send(s.answer, 5) > 0 ||
		    __atomic_load_n(&s.results, __ATOMIC_ACQUIRE) +
		    __atomic_load_n(&cancelled, __ATOMIC_ACQUIRE) < 5)
			wf_yield();
		wf_waitgroup_wait(&wg);
		check(s.results >= 3);
		check_eq(wf_flight_do_ctx(NULL, &s.flight, "key", answer, &s,
		    NULL, NULL), -EINVAL);
		wf_chan_free(s.answer);
		wf_ctx_free(ctx);
	}
	return 0;
}

/* Everybody at once, on few keys. */

static int
slow_square(void *arg, void **value)
{
	wf_yield();
	*value = (void *)((intptr_t)arg * (intptr_t)arg);
	return 0;
}

static void
square_often(wf_flight *f, int rounds, uint64_t random)
{
	static const char *const names[] = { "0", "1", "2", "3" };
	void *value;

	for (int i = 0; i < rounds; i++) {
		uint64_t r = tap_random(&random);
		intptr_t n = (intptr_t)(r % 4);

		value = NULL;
		check_eq(wf_flight_do(f, names[n], slow_square, (void *)n,
		    &value, NULL), 0);
		check_eq((intptr_t)value, n * n);
		if (r >> 32 & 1)
			wf_flight_forget(f, names[r >> 33 & 3]);
	}
}

static void *
square_thread(void *f)
{
	square_often(f, 200, tap_seed());
	return NULL;
}

static int
stress(void)
{
	wf_flight f = {0};
	wf_waitgroup wg = {0};
	pthread_t thread[3];
	int threads = 0;

	for (int i = 0; i < 16; i++)
		wf_waitgroup_spawn(&wg, square_often, &f, 200,
		    tap_seed() + (uint64_t)i);
	for (int i = 0; i < 3; i++)
		threads += check(!pthread_create(&thread[threads], NULL,
		    square_thread, &f));
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	wf_waitgroup_wait(&wg);
	return 0;
}

static void
threads_only(void)
{
	wf_flight f = {0};
	pthread_t thread;

	if (check(!pthread_create(&thread, NULL, square_thread, &f))) {
		square_often(&f, 200, 7);
		pthread_join(thread, NULL);
	}
}

int
main(void)
{
	tap_plain("threads only", threads_only);
	tap_test_workers("235: value and error", values);
	tap_test_workers("235, 236: shared, good and bad", sharing);
	tap_test_workers("many keys", keys);
	tap_test_workers("235: forget", forget);
	tap_test_workers("236: ended by wf_exit()", exits);
	tap_test_workers("under a context", contexts);
	tap_test_workers("stress", stress);
	return tap_end();
}
