/* SPDX-License-Identifier: MIT */
/*
 * time.c - the clock and sleep: never early, in order, in crowds, beside
 * workers that are busy, and in plain threads.  Nothing here asks how late.
 */
#include "tap.h"

#include <pthread.h>

#include "seam.h"

static void
set(int *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

static bool
is_set(int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

/* Sleep, and look that it was not too short by either clock. */
static void
sleep_well(int64_t ns)
{
	struct timespec a, b;
	int64_t before, after, passed;

	clock_gettime(CLOCK_MONOTONIC, &a);
	before = wf_now();
	wf_sleep(ns);
	after = wf_now();
	clock_gettime(CLOCK_MONOTONIC, &b);
	passed = (b.tv_sec - a.tv_sec) * WF_SEC + b.tv_nsec - a.tv_nsec;
	check(after - before >= ns);
	check(passed >= ns);
}

static void
units(void)
{
	check_eq(WF_US, 1000 * WF_NS);
	check_eq(WF_MS, 1000 * WF_US);
	check_eq(WF_SEC, 1000 * WF_MS);
	check_eq(WF_FOREVER, INT64_MAX);
}

static void
clock_goes_on(void)
{
	int64_t last = wf_now(), now;

	check(last > 0);
	for (int i = 0; i < 100000; i++) {
		now = wf_now();
		check(now >= last);
		last = now;
	}
}

static int
clock_in_coroutine(void)
{
	clock_goes_on();
	return 0;
}

static int
never_early(void)
{
	static const int64_t lengths[] = { 1, 999, WF_US, 10 * WF_US,
	    50 * WF_US, 100 * WF_US, WF_MS - 1, WF_MS, WF_MS + 1, 3 * WF_MS,
	    7 * WF_MS + 12345, 20 * WF_MS };

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (int k = 0; k < 3; k++)
			sleep_well(lengths[i]);
	return 0;
}

/* Zero, negative, and the least of all return.  (A sleep that took them for
 * far deadlines would hang.) */
static int
not_at_all(void)
{
	for (int i = 0; i < 1000; i++) {
		wf_sleep(0);
		wf_sleep(-1);
		wf_sleep(INT64_MIN);
		wf_sleep(INT64_MIN + 1);
		wf_sleep(-WF_SEC);
	}
	return 0;
}

/* 128: sleep(0) beside others loses nobody. */

static void
nap_zero(int times, int *n)
{
	for (int i = 0; i < times; i++) {
		wf_sleep(0);
		__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
		wf_yield();
	}
}

static int
zero_sleepers(void)
{
	wf_waitgroup wg = {0};
	int n = 0;

	for (int i = 0; i < 10; i++)
		wf_waitgroup_spawn(&wg, nap_zero, 100, &n);
	wf_waitgroup_wait(&wg);
	check_eq(n, 1000);
	return 0;
}

/* 118: signals do not cut a sleep short. */

static int signals;	/* atomic */

static void
on_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(&signals, 1, __ATOMIC_RELAXED);
}

struct storm {
	pthread_t target;
	int stop;
};

static void *
send_signals(void *arg)
{
	struct timespec pause = { 0, 2000000 };
	struct storm *storm = arg;

	while (!is_set(&storm->stop)) {
		kill(getpid(), SIGUSR1);
		pthread_kill(storm->target, SIGUSR1);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void
under_signals(void (*fn)(void))
{
	struct storm storm = { .target = pthread_self() };
	struct sigaction action = { .sa_handler = on_signal }, before;
	pthread_t thread;

	sigaction(SIGUSR1, &action, &before);
	if (check(!pthread_create(&thread, NULL, send_signals, &storm))) {
		fn();
		set(&storm.stop);
		pthread_join(thread, NULL);
	}
	sigaction(SIGUSR1, &before, NULL);
}

static int
three_sleeps(void)
{
	wf_waitgroup wg = {0};

	for (int i = 0; i < 3; i++)
		wf_waitgroup_spawn(&wg, sleep_well, 100 * WF_MS);
	sleep_well(60 * WF_MS);
	wf_waitgroup_wait(&wg);
	return 0;
}

static void
signalled_sleeps(void)
{
	int before = __atomic_load_n(&signals, __ATOMIC_RELAXED);

	check_eq(wf_run(three_sleeps), 0);	/* while this thread waits */
	do
		sleep_well(50 * WF_MS);		/* this thread itself */
	while (__atomic_load_n(&signals, __ATOMIC_RELAXED) == before);
}

static void
signals_and_sleep(void)
{
	under_signals(signalled_sleeps);
}

/* 130: as good as for ever, and others not disturbed. */

static void
sleep_on(int64_t ns, int *woken)
{
	wf_sleep(ns);
	set(woken);
}

static int
huge(void)
{
	static const int64_t lengths[] = { WF_FOREVER, INT64_MAX - 1,
	    INT64_MAX - WF_SEC, INT64_MAX / 2, 1000000 * WF_SEC };
	wf_chan(int) never = NULL;
	int woken = 0;

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		wf_spawn(sleep_on, lengths[i], &woken);
	for (int i = 0; i < 5; i++)
		sleep_well(5 * WF_MS);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		check_eq(wf_select(wf_on_recv(never, NULL),
		    wf_on_timeout(lengths[i]), wf_on_timeout(WF_MS)), 2);
	check_eq(woken, 0);
	return 0;		/* the sleepers are left */
}

static void
left_behind(void)
{
	check_eq(wf_run(huge), 0);
}

#ifndef WEFT_CHAOS
/* T7: different deadlines, in order.  On one thread; if that stood still before
 * all were asleep they are not: then once more. */

enum { ORDERED = 40, ATTEMPTS = 30 };
static int order[ORDERED], place;

static void
wake_at(int64_t when, int me)
{
	wf_sleep(when - wf_now());
	check(wf_now() >= when);
	order[__atomic_fetch_add(&place, 1, __ATOMIC_RELAXED)] = me;
}

static bool
ordered_once(uint64_t *random)
{
	int64_t start = wf_now() + 20 * WF_MS;
	wf_waitgroup wg = {0};
	int shuffled[ORDERED];

	place = 0;
	for (int i = 0; i < ORDERED; i++) {
		int k = (int)(tap_random(random) % (uint64_t)(i + 1));

		shuffled[i] = shuffled[k];
		shuffled[k] = i;
	}
	for (int i = 0; i < ORDERED; i++)
		wf_waitgroup_spawn(&wg, wake_at, start + shuffled[i] * WF_MS,
		    shuffled[i]);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i < ORDERED; i++)
		if (order[i] != i)
			return false;
	return true;
}

static int
in_order(void)
{
	uint64_t random = tap_seed();
	bool good = false;

	for (int i = 0; i < ATTEMPTS && !good; i++)
		good = ordered_once(&random);
	check(good);
	return 0;
}

/* Deadlines that are all past when the worker looks, the last one to sleep
 * first.  By a clock of our own, which jumps over all of them at once. */

static int64_t virtual_time;	/* atomic */

static int64_t
virtual_now(void)
{
	return __atomic_load_n(&virtual_time, __ATOMIC_ACQUIRE);
}

static bool
ordered_when_late(void)
{
	int64_t start = wf_now() + WF_SEC;
	wf_waitgroup wg = {0};

	place = 0;
	for (int i = 0; i < ORDERED; i++)
		wf_waitgroup_spawn(&wg, wake_at,
		    start + (ORDERED - i) * 10 * WF_US, ORDERED - i);
	wf_yield();		/* now all are asleep */
	__atomic_add_fetch(&virtual_time, 2 * WF_SEC, __ATOMIC_ACQ_REL);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i < ORDERED; i++)
		if (order[i] != i + 1)
			return false;
	return true;
}

static int
in_order_when_late(void)
{
	for (int i = 0; i < 7; i++)
		check(ordered_when_late());
	return 0;
}

static void
by_virtual_clock(const char *name, int (*fn)(void))
{
	static const struct wf__seam seam = { .now = virtual_now };

	virtual_time = wf_now();
	wf__seam = &seam;
	tap_test_pumped(name, fn);
	wf__seam = NULL;
}
#endif

/* T7: thousands of short sleeps at once, then timeouts in selects. */

static void
short_sleeps(uint64_t random, int times)
{
	for (int i = 0; i < times; i++)
		sleep_well((int64_t)(tap_random(&random) % 3000) * WF_US);
}

static int
crowd(void)
{
	uint64_t random = tap_seed();
	wf_waitgroup wg = {0};

	for (long i = tap_scale(5000, TAP_TSAN ? 1000 : 5000); i > 0; i--)
		check_eq(wf_waitgroup_spawn(&wg, short_sleeps,
		    tap_random(&random), 2), 0);
	wf_waitgroup_wait(&wg);
	return 0;
}

static void
select_timeouts(uint64_t random, int times, wf_chan(int) c, long *got)
{
	int64_t before, ns;
	int v;

	for (int i = 0; i < times; i++) {
		ns = (int64_t)(tap_random(&random) % 2000) * WF_US;
		before = wf_now();
		switch (wf_select(wf_on_recv(c, &v), wf_on_timeout(ns))) {
		case 0:
			check_eq(v, 7);
			__atomic_add_fetch(got, 1, __ATOMIC_RELAXED);
			break;
		case 1:
			check(wf_now() - before >= ns);
			break;
		default:
			check(!"a case of the select");
		}
	}
}

/* Values arrive all the while; none is lost to a timeout. */
static void
disturb(wf_chan(int) c, int *stop, long *sent)
{
	while (!is_set(stop)) {
		if (wf_select(wf_on_send(c, 7), wf_on_timeout(WF_MS)) == 0)
			++*sent;
		if (*sent % 64 == 0)
			wf_sleep(100 * WF_US);
	}
}

static int
crowd_of_selects(void)
{
	int selectors = (int)tap_scale(50000, 1000);
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0}, other = {0};
	uint64_t random = tap_seed();
	long got = 0, sent = 0;
	int stop = 0;

	wf_waitgroup_spawn(&other, disturb, c, &stop, &sent);
	for (int i = 0; i < selectors; i++)
		check_eq(wf_waitgroup_spawn(&wg, select_timeouts,
		    tap_random(&random), 20, c, &got), 0);
	wf_waitgroup_wait(&wg);
	set(&stop);
	wf_waitgroup_wait(&other);
	check_eq(got, sent);
	wf_chan_free(c);
	return 0;
}

/* Timeouts of zero and less: a last look at the others, then this case. */
static int
timeout_zero(void)
{
	wf_chan(int) c = wf_chan_make(int, 1);
	int v = 0;

	for (int i = 0; i < 100; i++) {
		check_eq(wf_select(wf_on_recv(c, &v), wf_on_timeout(0)), 1);
		check_eq(wf_select(wf_on_recv(c, &v), wf_on_timeout(-1)), 1);
		check_eq(wf_select(wf_on_recv(c, &v),
		    wf_on_timeout(INT64_MIN)), 1);
		check_eq(wf_select(wf_on_timeout(WF_FOREVER),
		    wf_on_recv(c, &v), wf_on_timeout(WF_US)), 2);
		wf_send(c, i);
		check_eq(wf_select(wf_on_recv(c, &v), wf_on_timeout(WF_SEC)),
		    0);
		check_eq(v, i);
	}
	wf_chan_free(c);
	return 0;
}

/* 122, T9: a timer comes due although there is always somebody to run. */

static void
saturate_send(wf_chan(int) c, int *stop)
{
	while (!is_set(stop))
		wf_send(c, 1);
	wf_close(c);
}

static void
saturate_recv(wf_chan(int) c)
{
	while (wf_recv(c, NULL))
		;
}

static void
stop_soon(int *stop)
{
	wf_sleep(WF_US);
	set(stop);
}

static int
saturated(void)
{
	for (long i = tap_scale(10000, 200); i > 0; i--) {
		wf_chan(int) c = wf_chan_make(int, 1);
		wf_waitgroup wg = {0};
		int stop = 0;

		wf_waitgroup_spawn(&wg, saturate_send, c, &stop);
		wf_waitgroup_spawn(&wg, saturate_recv, c);
		wf_waitgroup_spawn(&wg, stop_soon, &stop);
		wf_waitgroup_wait(&wg);
		wf_chan_free(c);
	}
	return 0;
}

static void
yield_until(int *stop)
{
	while (!is_set(stop))
		wf_yield();
}

static int
saturated_by_yields(void)
{
	wf_waitgroup wg = {0};
	int stop = 0;

	for (int i = 0; i < 50; i++)
		wf_waitgroup_spawn(&wg, yield_until, &stop);
	for (int i = 0; i < 10; i++)
		sleep_well(WF_MS);
	set(&stop);
	wf_waitgroup_wait(&wg);
	return 0;
}

/* A sleep under a context: to its end, or cut short, or not begun. */

static void
sleep_under(wf_ctx *ctx, int64_t ns, int *err)
{
	*err = wf_sleep_ctx(ctx, ns);
}

static void
sleep_until_cancelled(int64_t ns)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup wg = {0};
	int err = 1;

	wf_waitgroup_spawn(&wg, sleep_under, ctx, ns, &err);
	tap_settle();
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&wg);
	check_eq(err, -ECANCELED);
	check_eq(wf_sleep_ctx(ctx, ns), -ECANCELED);
	check_eq(wf_sleep_ctx(ctx, 0), -ECANCELED);
	wf_ctx_free(ctx);
}

static void
sleep_with_contexts(void)
{
	int64_t before = wf_now();
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), 5 * WF_MS);

	check_eq(wf_sleep_ctx(ctx, WF_FOREVER), -ETIMEDOUT);
	check(wf_now() - before >= 5 * WF_MS);
	wf_ctx_free(ctx);
	before = wf_now();
	check_eq(wf_sleep_ctx(wf_ctx_background(), 3 * WF_MS), 0);
	check(wf_now() - before >= 3 * WF_MS);
	check_eq(wf_sleep_ctx(wf_ctx_background(), 0), 0);
	check_eq(wf_sleep_ctx(wf_ctx_background(), INT64_MIN), 0);
	check_eq(wf_sleep_ctx(NULL, 1), -EINVAL);
	sleep_until_cancelled(WF_FOREVER);
	sleep_until_cancelled(1000 * WF_SEC);
}

static int
coroutine_sleeps_with_contexts(void)
{
	sleep_with_contexts();
	return 0;
}

/* Plain threads sleep too, and select with timeouts, beside coroutines. */

static void *
thread_sleeps(void *arg)
{
	wf_chan(int) never = NULL;
	int64_t before;

	for (int i = 0; i < 5; i++) {
		sleep_well(*(int64_t *)arg);
		before = wf_now();
		check_eq(wf_select(wf_on_recv(never, NULL),
		    wf_on_timeout(*(int64_t *)arg)), 1);
		check(wf_now() - before >= *(int64_t *)arg);
	}
	wf_sleep(0);
	wf_sleep(INT64_MIN);
	return NULL;
}

static void
sleeping_threads(void)
{
	int64_t length[8];
	pthread_t thread[8];
	int n = 0;

	for (int i = 0; i < 8; i++) {
		length[n] = (i + 1) * 500 * WF_US;
		if (check(!pthread_create(&thread[n], NULL, thread_sleeps,
		    &length[n])))
			n++;
	}
	thread_sleeps(&length[0]);
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static int
threads_and_coroutines(void)
{
	wf_waitgroup wg = {0};

	for (int i = 0; i < 50; i++)
		wf_waitgroup_spawn(&wg, short_sleeps, (uint64_t)i, 5);
	sleeping_threads();
	wf_waitgroup_wait(&wg);
	return 0;
}

int
main(void)
{
	tap_plain("units", units);
	tap_plain("the clock goes on, plain", clock_goes_on);
	tap_test("the clock goes on", clock_in_coroutine);
	tap_test_workers("sleep is never early", never_early);
	tap_test_workers("no sleep at all", not_at_all);
	tap_test_workers("128: sleep(0) loses nobody", zero_sleepers);
	tap_plain("118: signals and sleep", signals_and_sleep);
	tap_plain("130: huge durations", left_behind);
	tap_test_workers("a crowd of short sleeps", crowd);
	tap_test_workers("timeouts in a crowd of selects", crowd_of_selects);
	tap_test_workers("timeouts of zero", timeout_zero);
	tap_test_workers("122: timers under saturation", saturated);
	tap_test_workers("122: timers among yields", saturated_by_yields);
	tap_test_workers("sleeps with contexts",
	    coroutine_sleeps_with_contexts);
	tap_plain("sleeps with contexts", sleep_with_contexts);
	tap_plain("sleeping threads", sleeping_threads);
	tap_test_workers("sleeping threads and coroutines",
	    threads_and_coroutines);
#ifdef WEFT_CHAOS
	tap_skip("deadlines in order", "CHAOS runs what it likes first");
#else
	tap_test_pumped("deadlines in order", in_order);
	by_virtual_clock("deadlines in order, all late", in_order_when_late);
#endif
	return tap_end();
}
