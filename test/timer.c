/* SPDX-License-Identifier: MIT */
/*
 * timer.c - timers, tickers and calls made later: what a stop and a reset
 * promise, also against a firing that is on its way.
 *
 * What is "not yet" is asked with a clock of the test's own: it moves only
 * when the test says so, and a worker looks at its timers within so many
 * yields.
 */
#include "tap.h"

#include <pthread.h>

#include "seam.h"
#include "timerq.h"

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

static int
read_int(int *n)
{
	return __atomic_load_n(n, __ATOMIC_ACQUIRE);
}

static void
count(int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_ACQ_REL);
}

static int64_t
recv_time(wf_chan_in(int64_t) c)
{
	int64_t v = 0;

	check_eq(wf_recv(c, &v), 1);
	return v;
}

/* The timers' channels under one name, to be asked for what is there. */
static bool
is_empty(wf_chan_in(int64_t) c)
{
	int64_t v = -7;

	check_eq(wf_len(c), 0);
	check_eq(wf_cap(c), 0);
	return wf_try_recv(c, &v) == -EAGAIN && v == -7;
}

/* ---- with a clock of our own ---- */

static int64_t virtual_time;	/* atomic */
static const struct wf__seam *real;

static int64_t
virtual_now(void)
{
	return __atomic_load_n(&virtual_time, __ATOMIC_ACQUIRE);
}

/* Run fn with it, on one thread: another one might see a timer before or
 * after. */
static void
by_virtual_clock(const char *name, int (*fn)(void))
{
	static struct wf__seam mine;

	virtual_time = wf_now();
	real = wf__seam;
	if (real)
		mine = *real;
	mine.now = virtual_now;
	wf__seam = &mine;
	tap_test_pumped(name, fn);
	wf__seam = real;
}

/* Housekeeping comes at least once in so many yields. */
static void
let_timers_run(void)
{
	for (int i = 0; i < 200; i++)
		wf_yield();
}

static void
pass(int64_t ns)
{
	__atomic_add_fetch(&virtual_time, ns, __ATOMIC_ACQ_REL);
	let_timers_run();
}

/* 142, 145, 146: a timer. */
static int
timer_contract(void)
{
	wf_timer *t = wf_timer_make(10000 * WF_SEC);
	wf_chan_in(int64_t) c = wf_timer_chan(t);
	int64_t v = 0, fired;

	check(is_empty(c));
	check(wf_timer_stop(t));		/* (a) far, never fired */
	check(!wf_timer_stop(t));
	pass(20000 * WF_SEC);
	check(is_empty(c));
	check_eq(wf_timer_reset(t, 10000 * WF_SEC), 0);	/* (b) */
	check_eq(wf_timer_reset(t, 20000 * WF_SEC), 1);
	pass(10000 * WF_SEC);
	check(is_empty(c));
	check_eq(wf_timer_reset(t, 1), 1);		/* (c) */
	check(is_empty(c));
	pass(1);
	fired = wf_now();
	pass(WF_SEC);
	check_eq(wf_len(c), 0);
	check_eq(wf_cap(c), 0);
	check_eq(wf_try_recv(c, &v), 1);
	check_eq(v, fired);
	check(!wf_timer_stop(t));
	check_eq(wf_timer_reset(t, 1), 0);
	pass(1);
	check_eq(wf_timer_reset(t, WF_SEC), 1);	/* fired, not received */
	check(is_empty(c));
	pass(WF_SEC);
	check(wf_timer_stop(t));			/* (f) likewise */
	check(is_empty(c));
	check(!wf_timer_stop(t));
	wf_timer_free(t);
	return 0;
}

/* 137, 142, 146, 148: a ticker keeps its phase, and at most one tick. */
static int
ticker_contract(void)
{
	int64_t period = 1000 * WF_SEC, start = wf_now(), v = 0;
	wf_ticker *t = wf_ticker_make(period);
	wf_chan_in(int64_t) c = wf_ticker_chan(t);

	check(is_empty(c));
	pass(period - 1);
	check(is_empty(c));
	for (int i = 1; i <= 5; i++) {
		pass(1);
		check_eq(wf_try_recv(c, &v), 1);
		check_eq(v, start + i * period);
		check(is_empty(c));
		pass(period - 1);
		check(is_empty(c));
	}
	pass(1 + 3 * period + period / 2);	/* the 6th, when 9.5 are due */
	check_eq(wf_try_recv(c, &v), 1);
	check_eq(v, start + 9 * period + period / 2);
	check(is_empty(c));
	pass(period / 2 - 1);
	check(is_empty(c));
	for (int i = 0; i < 4; i++)		/* the 10th; three are lost */
		pass(i ? period : 1);
	check_eq(wf_try_recv(c, &v), 1);
	check_eq(v, start + 10 * period);
	check(is_empty(c));
	pass(period);				/* (d) */
	check_eq(wf_ticker_reset(t, 2 * period), 1);
	start = wf_now();
	check(is_empty(c));
	for (int i = 1; i <= 4; i++) {
		pass(2 * period - 1);
		check(is_empty(c));
		pass(1);
		check_eq(wf_try_recv(c, &v), 1);
		check_eq(v, start + i * 2 * period);
	}
	pass(2 * period);
	wf_ticker_stop(t);			/* (f) */
	check(is_empty(c));
	pass(10 * period);
	check(is_empty(c));
	check_eq(wf_ticker_reset(t, period), 0);
	pass(period);
	check_eq(wf_try_recv(c, NULL), 1);
	wf_ticker_free(t);
	return 0;
}

/* 127 and the like: calls that are stopped in time, and again after a reset. */
static int
call_contract(void)
{
	wf_timer *t[100];
	int ran = 0, all = 0;

	for (int i = 0; i < 100; i++)
		t[i] = wf_after_func(2000 * WF_SEC, count, &ran);
	wf_timer *last = wf_after_func(3000 * WF_SEC, count, &all);

	check(wf_timer_chan(last) == NULL);
	pass(1000 * WF_SEC);
	for (int i = 0; i < 100; i++) {
		check(wf_timer_stop(t[i]));
		check(!wf_timer_stop(t[i]));
	}
	pass(2000 * WF_SEC);
	check_eq(read_int(&ran), 0);
	check_eq(read_int(&all), 1);
	check(!wf_timer_stop(last));
	check_eq(wf_timer_reset(last, WF_SEC), 0);
	check_eq(wf_timer_reset(last, 2 * WF_SEC), 1);
	pass(WF_SEC);
	check_eq(read_int(&all), 1);
	pass(WF_SEC);
	check_eq(read_int(&all), 2);
	check_eq(wf_timer_reset(last, 0), 0);
	check_eq(wf_timer_reset(last, -1), 0);
	let_timers_run();
	check_eq(read_int(&all), 4);
	check_eq(wf_timer_reset(last, WF_SEC), 0);
	wf_timer_free(last);
	for (int i = 0; i < 100; i++)
		wf_timer_free(t[i]);
	pass(10 * WF_SEC);
	check_eq(read_int(&all), 4);
	return 0;
}

/* 130: as good as for ever, and at once. */
static int
extremes(void)
{
	wf_chan_in(int64_t) never = wf_after(WF_FOREVER);
	wf_chan_in(int64_t) late = wf_after(INT64_MAX - 1);
	wf_chan_in(int64_t) soon = wf_after(25 * WF_MS);
	wf_chan_in(int64_t) past = wf_after(INT64_MIN);
	wf_chan_in(int64_t) zero = wf_after(0);
	wf_ticker *slow = wf_ticker_make(WF_FOREVER);
	int64_t v;

	check_eq(wf_try_recv(past, &v), 1);
	check_eq(v, wf_now());
	check_eq(wf_try_recv(zero, &v), 1);
	check(is_empty(soon));
	pass(25 * WF_MS);
	check_eq(wf_try_recv(soon, &v), 1);
	check_eq(v, wf_now());
	pass(INT64_MAX / 4);
	check(is_empty(never) && is_empty(late));
	check(is_empty(wf_ticker_chan(slow)));
	wf_ticker_free(slow);
	wf_chan_free(never);
	wf_chan_free(late);
	wf_chan_free(soon);
	wf_chan_free(past);
	wf_chan_free(zero);
	return 0;
}

/* ---- by the real clock ---- */

/* Never early, and the time is that of the firing. */
static int
times(void)
{
	static const int64_t lengths[] = { 1, 10 * WF_US, WF_MS, 3 * WF_MS };
	int64_t before, v;

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (int k = 0; k < 5; k++) {
			wf_timer *t = wf_timer_make(0);

			before = wf_now();
			recv_time(wf_timer_chan(t));
			check_eq(wf_timer_reset(t, lengths[i]), 0);
			v = recv_time(wf_timer_chan(t));
			check(v >= before + lengths[i]);
			check(wf_now() >= v);
			wf_timer_free(t);
		}
	return 0;
}

/* 124: ten in a row. */
static int
ten_in_a_row(void)
{
	int64_t ns = tap_scale(100, 5) * WF_MS, start = wf_now();

	for (int i = 0; i < 10; i++) {
		wf_chan_in(int64_t) c = wf_after(ns);

		recv_time(c);
		wf_chan_free(c);
	}
	check(wf_now() - start >= 10 * ns);
	return 0;
}

/* 119: a call that starts the next one and then does not end for long holds
 * up none of them. */

struct nest {
	wf_timer *timer[10];
	wf_chan(int) done;
	wf_chan(int) gate;	/* for all to end by */
	wf_waitgroup wg;
};

static void
nest(struct nest *n, int depth)
{
	if (depth < 10) {
		wf_waitgroup_add(&n->wg, 1);
		n->timer[depth] = wf_after_func(0, nest, n, depth + 1);
		check(n->timer[depth] != NULL);
	} else {
		wf_send(n->done, 1);
	}
	wf_recv(n->gate, NULL);
	wf_waitgroup_done(&n->wg);
}

static int
nested_calls(void)
{
	struct nest n = { .done = wf_chan_make(int, 0),
	    .gate = wf_chan_make(int, 0) };

	wf_waitgroup_add(&n.wg, 1);
	check_eq(wf_spawn(nest, &n, 0), 0);
	wf_recv(n.done, NULL);
	wf_close(n.gate);
	wf_waitgroup_wait(&n.wg);
	for (int i = 0; i < 10; i++)
		wf_timer_free(n.timer[i]);
	wf_chan_free(n.done);
	wf_chan_free(n.gate);
	return 0;
}

/* 121: one ticker, ten who take ticks. */

static void
take_ticks(wf_chan_in(int64_t) c, int n)
{
	int64_t last = 0, v;

	while (n--) {
		v = recv_time(c);
		check(v >= last);
		last = v;
	}
}

static int
shared_ticker(void)
{
	wf_ticker *t = wf_ticker_make(20 * WF_US);
	wf_waitgroup wg = {0};

	for (int i = 0; i < 10; i++)
		wf_waitgroup_spawn(&wg, take_ticks, wf_ticker_chan(t), 100);
	wf_waitgroup_wait(&wg);
	wf_ticker_free(t);
	return 0;
}

/* 122, T9: a call comes although there is always somebody to run. */

static void
saturate_send(wf_chan(int) c, int *stop)
{
	while (!is_set(stop))
		wf_send(c, 1);
	wf_close(c);
}

static int
saturated(void)
{
	for (long i = tap_scale(10000, 200); i > 0; i--) {
		wf_chan(int) c = wf_chan_make(int, 1);
		wf_waitgroup wg = {0};
		int stop = 0;
		wf_timer *t = wf_after_func(WF_US, set, &stop);

		wf_waitgroup_spawn(&wg, saturate_send, c, &stop);
		while (wf_recv(c, NULL))
			;
		wf_waitgroup_wait(&wg);
		wf_timer_free(t);
		wf_chan_free(c);
	}
	return 0;
}

/* 125: stopped before, among others that are not.  (Stopped too late if the
 * machine stands still: then once more.) */

static bool
stop_some(void)
{
	int ran = 0;
	wf_timer *t0 = wf_timer_make(50 * WF_MS);
	wf_timer *t1 = wf_after_func(70 * WF_MS, count, &ran);
	wf_chan_in(int64_t) a = wf_after(60 * WF_MS), b = wf_after(90 * WF_MS);
	bool in_time = wf_timer_stop(t0);

	in_time = wf_timer_stop(t1) && in_time;
	check(!wf_timer_stop(t1));
	recv_time(a);
	recv_time(b);
	if (in_time) {
		check(is_empty(wf_timer_chan(t0)));
		check_eq(read_int(&ran), 0);
	}
	wf_timer_free(t0);
	wf_timer_free(t1);
	wf_chan_free(a);
	wf_chan_free(b);
	return in_time;
}

static int
stopped_before(void)
{
	bool good = false;

	for (int i = 0; i < 5 && !good; i++)
		good = stop_some();
	check(good);
	return 0;
}

/* 134: no delay, many times: new ones, and one again and again. */
static int
no_delay(void)
{
	int64_t delays[] = { 0, -WF_SEC, 1 };
	wf_timer *t;

	for (int k = 0; k < 3; k++) {
		for (long i = tap_scale(1000000, 2000); i > 0; i--) {
			t = wf_timer_make(delays[k]);
			recv_time(wf_timer_chan(t));
			wf_timer_free(t);
		}
		t = wf_timer_make(delays[k]);
		for (long i = tap_scale(1000000, 2000); i > 0; i--) {
			recv_time(wf_timer_chan(t));
			check_eq(wf_timer_reset(t, delays[k]), 0);
		}
		wf_timer_free(t);
	}
	return 0;
}

/* 136: a hundred timers, each at its own step of the same story. */

enum { STORM = 100, STEPS = 10 };

static void
adjust(wf_timer **t, int step)
{
	switch (step) {
	case 0:
		*t = wf_timer_make(0);
		break;
	case 1:
	case 9:
		recv_time(wf_timer_chan(*t));
		break;
	case 2:
		check_eq(wf_timer_reset(*t, 60 * WF_SEC), 0);
		break;
	case 4:
		check_eq(wf_timer_reset(*t, 180 * WF_SEC), 0);
		break;
	case 6:
		check_eq(wf_timer_reset(*t, 120 * WF_SEC), 0);
		break;
	case 8:
		check_eq(wf_timer_reset(*t, 0), 0);
		break;
	default:
		check(wf_timer_stop(*t));
	}
}

static void
storm(uint64_t random)
{
	wf_timer *t[STORM] = { NULL };
	int step[STORM] = { 0 }, left = STORM, i;

	while (left) {
		i = (int)(tap_random(&random) % STORM);
		if (step[i] == STEPS)
			continue;
		adjust(&t[i], step[i]);
		left -= ++step[i] == STEPS;
	}
	for (i = 0; i < STORM; i++)
		wf_timer_free(t[i]);
}

static int
adjust_storm(void)
{
	uint64_t random = tap_seed();
	wf_waitgroup wg = {0};

	for (long i = tap_scale(200, 4); i > 0; i--)
		for (int k = 0; k < 4; k++)
			wf_waitgroup_spawn(&wg, storm, tap_random(&random));
	wf_waitgroup_wait(&wg);
	return 0;
}

/* 142 (e): who waits on the channel goes on waiting over a reset. */

static void
wait_on(wf_chan_in(int64_t) c, int *woken)
{
	recv_time(c);
	count(woken);
}

static int
wait_over_reset(void)
{
	for (int i = 0; i < 20; i++) {
		wf_timer *t = wf_timer_make(10000 * WF_SEC);
		wf_waitgroup wg = {0};
		int woken = 0;

		wf_waitgroup_spawn(&wg, wait_on, wf_timer_chan(t), &woken);
		tap_settle();
		check_eq(wf_timer_reset(t, 20000 * WF_SEC), 1);
		check_eq(wf_timer_reset(t, 30000 * WF_SEC), 1);
		check(wf_timer_stop(t));
		check_eq(read_int(&woken), 0);
		check_eq(wf_timer_reset(t, 1 + i % 2 * WF_MS), 0);
		wf_waitgroup_wait(&wg);
		check_eq(woken, 1);
		check(!wf_timer_stop(t));
		check(is_empty(wf_timer_chan(t)));
		wf_timer_free(t);
	}
	return 0;
}

/* 143: two selects on one timer; the one that it does not wake is released by
 * a channel, and nothing stale is left. */

static void
select_on(wf_chan_in(int64_t) c, wf_chan(int) stop, int *woken)
{
	if (wf_select(wf_on_recv(c, NULL), wf_on_recv(stop, NULL)) == 0)
		count(woken);
}

static int
two_selects(void)
{
	for (int i = 0; i < 20; i++) {
		wf_timer *t = wf_timer_make(10000 * WF_SEC);
		wf_chan(int) stop = wf_chan_make(int, 0);
		wf_waitgroup wg = {0};
		int woken = 0;

		for (int k = 0; k < 2; k++)
			wf_waitgroup_spawn(&wg, select_on, wf_timer_chan(t),
			    stop, &woken);
		check_eq(wf_timer_reset(t, WF_MS), 1);
		while (!read_int(&woken))
			wf_yield();
		check(!wf_timer_stop(t));
		wf_close(stop);
		wf_waitgroup_wait(&wg);
		check_eq(woken, 1);
		check(is_empty(wf_timer_chan(t)));
		wf_timer_free(t);
		wf_chan_free(stop);
	}
	return 0;
}

/* ---- 149: stop and reset against a firing ---- */

static void
pause_a_little(uint64_t *random)
{
	static int nothing;
	int n = (int)(tap_random(random) % 400);

	if (n < 20)
		wf_yield();
	while (n--)
		__atomic_load_n(&nothing, __ATOMIC_RELAXED);
}

/* (Stopped) exclusive-or (called), for each. */

static int *called;

static void
mark(int i)
{
	count(&called[i]);
}

static void
race_calls(uint64_t random, int from, int to, int *stopped)
{
	for (int i = from; i < to; i++) {
		wf_timer *t = wf_after_func(
		    (int64_t)(tap_random(&random) % 4000), mark, i);

		pause_a_little(&random);
		stopped[i] = wf_timer_stop(t);
		check(!wf_timer_stop(t));
		wf_timer_free(t);
	}
}

static int
call_races(void)
{
	int n = (int)tap_scale(100000, 10000) / 8 * 8, part = n / 8;
	int *stopped = calloc((size_t)n, sizeof *stopped), calls = 0;
	uint64_t random = tap_seed();
	wf_waitgroup wg = {0};

	called = calloc((size_t)n, sizeof *called);
	for (int i = 0; i < 8; i++)
		wf_waitgroup_spawn(&wg, race_calls, tap_random(&random),
		    i * part, (i + 1) * part, stopped);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i < n; i++)	/* that have begun, may not be over */
		while (!stopped[i] && !read_int(&called[i]))
			wf_yield();
	tap_settle();
	for (int i = 0; i < n; i++) {
		check_eq(stopped[i] + read_int(&called[i]), 1);
		calls += called[i];
	}
	check(calls < n);
	free(stopped);
	free(called);
	return 0;
}

/* (Stopped) exclusive-or (received), by whoever waits; after a stop or reset
 * nothing is there. */

struct pair {
	wf_timer *t;
	wf_chan(int) stop;
	int received;
};

static void
receive_all(struct pair *p)
{
	while (wf_select(wf_on_recv(wf_timer_chan(p->t), NULL),
	    wf_on_recv(p->stop, NULL)) == 0)
		count(&p->received);
}

static void
race_receipts(uint64_t random, int rounds)
{
	struct pair p = { .t = wf_timer_make(WF_FOREVER),
	    .stop = wf_chan_make(int, 0) };
	wf_waitgroup wg = {0};
	int sets = 1, stops = 0, was;

	wf_waitgroup_spawn(&wg, receive_all, &p);
	while (rounds--) {
		was = wf_timer_reset(p.t,
		    (int64_t)(tap_random(&random) % 3000));
		sets++;
		stops += was;
		pause_a_little(&random);
		if (rounds % 2)
			stops += wf_timer_stop(p.t);
	}
	stops += wf_timer_stop(p.t);
	check(!wf_timer_stop(p.t));
	wf_close(p.stop);
	wf_waitgroup_wait(&wg);
	check_eq(stops + p.received, sets);
	check(is_empty(wf_timer_chan(p.t)));
	wf_timer_free(p.t);
	wf_chan_free(p.stop);
}

static int
receipt_races(void)
{
	uint64_t random = tap_seed();
	wf_waitgroup wg = {0};

	for (int i = 0; i < 8; i++)
		wf_waitgroup_spawn(&wg, race_receipts, tap_random(&random),
		    (int)tap_scale(20000, 1500));
	wf_waitgroup_wait(&wg);
	return 0;
}

/* Nobody waits: what is not received in time is taken back. */
static void
race_unreceived(uint64_t random, int rounds, bool tick)
{
	wf_ticker *k = wf_ticker_make(WF_US);
	wf_timer *t = wf_timer_make(WF_US);

	while (rounds--) {
		pause_a_little(&random);
		if (tick) {
			check_eq(wf_ticker_reset(k, 10000 * WF_SEC), 1);
			check(is_empty(wf_ticker_chan(k)));
			pause_a_little(&random);
			check(is_empty(wf_ticker_chan(k)));
			wf_ticker_reset(k, WF_US);
		} else {
			check(wf_timer_stop(t));
			check(is_empty(wf_timer_chan(t)));
			pause_a_little(&random);
			check(is_empty(wf_timer_chan(t)));
			wf_timer_reset(t, WF_US);
		}
	}
	wf_ticker_free(k);
	wf_timer_free(t);
}

static int
unreceived_races(void)
{
	uint64_t random = tap_seed();
	wf_waitgroup wg = {0};

	for (int i = 0; i < 8; i++)
		wf_waitgroup_spawn(&wg, race_unreceived, tap_random(&random),
		    (int)tap_scale(20000, 1500), (bool)(i % 2));
	wf_waitgroup_wait(&wg);
	return 0;
}

/* The same with certainty: the firing has been taken from its queue, and waits
 * for the lock that we hold, when we go on to stop the timer.  (It might get
 * the lock before us all the same: nearly never.) */

struct inside {			/* how a timer begins */
	struct wf__timer timer;
	struct wf__lock *lock;
};

static void
until_on_its_way(void *timer)
{
	struct inside *t = timer;

	wf__lock(t->lock);
	while (wf__load_acquire(&t->timer.home))
		;
	wf__unlock(t->lock);
}

enum { HOW = 3 };		/* ways to call it off */

static bool
call_off(wf_timer *t, int how)
{
	bool was = true;

	if (how == 0) {
		was = wf_timer_stop(t);
	} else if (how == 1) {
		was = wf_timer_reset(t, 10000 * WF_SEC);
	} else {
		was = wf_timer_reset(t, 10000 * WF_SEC);
		check(wf_timer_stop(t));
	}
	return was;
}

static bool
called_off_value(int how)
{
	wf_timer *t = wf_timer_make(100 * WF_US);
	bool was;

	until_on_its_way(t);
	was = call_off(t, how);
	check(was);
	for (int i = 0; i < 10; i++) {
		check(is_empty(wf_timer_chan(t)));
		wf_sleep(20 * WF_US);
	}
	if (how == 0)
		check(!wf_timer_stop(t));
	check_eq(wf_timer_reset(t, 1), how == 1);
	recv_time(wf_timer_chan(t));
	wf_timer_reset(t, 100 * WF_US);
	until_on_its_way(t);
	wf_timer_free(t);
	return was;
}

static bool
called_off_call(int how)
{
	int ran = 0, calls;
	wf_timer *t = wf_after_func(100 * WF_US, count, &ran);
	bool was;

	until_on_its_way(t);
	was = call_off(t, how);
	wf_sleep(200 * WF_US);
	while (!was && !read_int(&ran))
		wf_sleep(WF_US);
	check_eq(read_int(&ran), !was);
	check_eq(wf_timer_reset(t, 1), how == 1);
	while (read_int(&ran) == !was)
		wf_sleep(WF_US);
	calls = read_int(&ran);
	wf_timer_reset(t, 100 * WF_US);
	until_on_its_way(t);
	was = wf_timer_stop(t);
	wf_timer_free(t);
	calls += !was;
	while (read_int(&ran) < calls)
		wf_sleep(WF_US);
	wf_sleep(200 * WF_US);
	check_eq(read_int(&ran), calls);
	return was;
}

static void
called_off_tick(int how)
{
	wf_ticker *t = wf_ticker_make(100 * WF_US);

	until_on_its_way(t);
	if (how == 0)
		wf_ticker_stop(t);
	else
		check_eq(wf_ticker_reset(t, 10000 * WF_SEC), 1);
	for (int i = 0; i < 10; i++) {
		check(is_empty(wf_ticker_chan(t)));
		wf_sleep(20 * WF_US);
	}
	check_eq(wf_ticker_reset(t, 100 * WF_US), how != 0);
	until_on_its_way(t);
	wf_ticker_free(t);
}

static void
on_its_way(void)
{
	int rounds = (int)tap_scale(1000, 100), off = 0;

	tap_workers(2);
	for (int i = 0; i < rounds; i++) {
		off += called_off_value(i % HOW);
		off += called_off_call(i % HOW);
		called_off_tick(i % HOW);
	}
	check(off > rounds);
	check_eq(wf_stop(10 * WF_SEC), 0);
}

/* Several at one timer, and it is freed with firings on their way.  Of all the
 * settings those fire that nobody has called off. */

static void
disturb(wf_timer *t, uint64_t random, int rounds, int *firings)
{
	while (rounds--)
		if (tap_random(&random) % 3)
			__atomic_add_fetch(firings, 1 - wf_timer_reset(t,
			    (int64_t)(tap_random(&random) % 2000)),
			    __ATOMIC_RELAXED);
		else
			__atomic_sub_fetch(firings, wf_timer_stop(t),
			    __ATOMIC_RELAXED);
}

static int
many_at_one(void)
{
	uint64_t random = tap_seed();
	int ran = 0, calls = 0, values = 0;

	for (long i = tap_scale(2000, 100); i > 0; i--) {
		wf_timer *t = wf_timer_make(WF_US);
		wf_timer *f = wf_after_func(WF_US, count, &ran);
		wf_waitgroup wg = {0};

		calls++;
		for (int k = 0; k < 4; k++) {
			wf_waitgroup_spawn(&wg, disturb, t,
			    tap_random(&random), 20, &values);
			wf_waitgroup_spawn(&wg, disturb, f,
			    tap_random(&random), 20, &calls);
		}
		wf_waitgroup_wait(&wg);
		wf_timer_reset(t, WF_US);
		wf_timer_free(t);
		calls += 1 - wf_timer_stop(f);
		check_eq(wf_timer_reset(f, 0), 0);
		while (read_int(&ran) < calls)
			wf_yield();
		tap_settle();
		check_eq(read_int(&ran), calls);
		wf_timer_free(f);
	}
	return 0;
}

/* A timer of a worker that computes is run by another one. */

static void
compute_until(int *flag)
{
	while (!is_set(flag))
		;
}

static int
owner_is_busy(void)
{
	int flag = 0;
	wf_timer *t = wf_after_func(WF_MS, set, &flag);

	compute_until(&flag);
	wf_timer_free(t);
	return 0;
}

/* A million at once: started, half of them stopped, the others fire; some
 * twice, if the machine is so slow that they fire before they are reset. */
static int
a_million(void)
{
	int n = (int)tap_scale(1000000, 20000), ran = 0, stopped = 0;
	int calls = n;
	wf_timer **t = calloc((size_t)n, sizeof *t);
	uint64_t random = tap_seed();

	for (int i = 0; i < n; i++) {
		t[i] = wf_after_func(WF_SEC + (int64_t)(tap_random(&random) %
		    (uint64_t)WF_SEC), count, &ran);
		check(t[i] != NULL);
	}
	for (int i = 0; i < n; i += 2)
		stopped += wf_timer_stop(t[i]);
	for (int i = 1; i < n; i += 2)
		if (i % 4 == 1 && !wf_timer_reset(t[i], WF_MS))
			calls++;
	while (read_int(&ran) + stopped < calls)
		wf_sleep(10 * WF_MS);
	for (int i = 0; i < n; i++)
		wf_timer_free(t[i]);
	check_eq(read_int(&ran) + stopped, calls);
	free(t);
	return 0;
}

/* ---- plain threads, and the runtime's end ---- */

static void *
thread_with_timers(void *arg)
{
	wf_timer *t = wf_timer_make(WF_MS);
	wf_ticker *k = wf_ticker_make(100 * WF_US);
	wf_chan_in(int64_t) never = wf_after(10000 * WF_SEC);
	int ran = 0;
	wf_timer *f = wf_after_func(WF_MS, set, &ran);

	(void)arg;
	recv_time(wf_timer_chan(t));
	for (int i = 0; i < 10; i++)
		recv_time(wf_ticker_chan(k));
	check_eq(wf_select(wf_on_recv(never, NULL),
	    wf_on_recv(wf_ticker_chan(k), NULL)), 1);
	while (!is_set(&ran))
		wf_sleep(WF_MS);
	for (int i = 0; i < 100; i++) {
		check_eq(wf_timer_reset(t, i % 3 * WF_US), 0);
		recv_time(wf_timer_chan(t));
		check_eq(wf_timer_reset(t, 10000 * WF_SEC), 0);
		check(wf_timer_stop(t));
	}
	wf_timer_free(t);
	wf_timer_free(f);
	wf_ticker_free(k);
	wf_chan_free(never);
	return NULL;
}

static void
plain_threads(void)
{
	pthread_t thread[4];

	thread_with_timers(NULL);	/* starts the runtime */
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, thread_with_timers, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	check_eq(wf_stop(10 * WF_SEC), 0);
}

/* Timers that outlive their runtime: stopped by its end, and good as new. */
static void
over_a_stop(void)
{
	wf_timer *t = wf_timer_make(10000 * WF_SEC), *f, *g;
	wf_ticker *k = wf_ticker_make(10000 * WF_SEC);
	int ran = 0;

	f = wf_after_func(10000 * WF_SEC, set, &ran);
	g = wf_after_func(10000 * WF_SEC, set, &ran);
	check(wf_timer_stop(g));
	check_eq(wf_stop(10 * WF_SEC), 0);
	check(!wf_timer_stop(t));
	check(!wf_timer_stop(f));
	wf_ticker_stop(k);
	check_eq(wf_timer_reset(t, WF_MS), 0);
	check_eq(wf_timer_reset(g, WF_MS), 0);
	recv_time(wf_timer_chan(t));
	while (!is_set(&ran))
		wf_sleep(WF_MS);
	ran = 0;
	check_eq(wf_timer_reset(f, WF_MS), 0);
	check_eq(wf_ticker_reset(k, WF_MS), 0);
	recv_time(wf_ticker_chan(k));
	while (!is_set(&ran))
		wf_sleep(WF_MS);
	check_eq(wf_stop(10 * WF_SEC), 0);
	wf_timer_free(t);
	wf_timer_free(f);
	wf_timer_free(g);
	wf_ticker_free(k);
}

/* ---- arguments, NULL, misuse ---- */

static struct {
	int n;
	double d;
	const char *s;
	int done;
} got;

static void
note_args(int n, double d, const char *s)
{
	got.n = n;
	got.d = d;
	got.s = s;
	set(&got.done);
}

static int
arguments(void)
{
	int n = 1;
	wf_timer *t = wf_after_func(WF_US, note_args, n++, 0.5, "text");

	for (int round = 0; round < 2; round++) {
		while (!is_set(&got.done))
			wf_yield();
		check(got.n == 1 && got.d == 0.5 && !strcmp(got.s, "text"));
		memset(&got, 0, sizeof got);
		wf_timer_reset(t, round ? WF_FOREVER : 0);
	}
	check_eq(n, 2);
	wf_timer_free(t);
	return 0;
}

/* 140, and what else takes NULL. */
static int
nulls(void)
{
	wf_chan_in(int64_t) none = NULL;

	wf_ticker_stop(NULL);
	wf_ticker_free(NULL);
	wf_timer_free(NULL);
	wf_chan_free(none);
	return 0;
}

static int
stop_null(void)
{
	wf_timer_stop(NULL);
	return 0;
}

static int
reset_null(void)
{
	wf_timer_reset(NULL, 1);
	return 0;
}

static int
no_period(void)
{
	wf_ticker_make(-1);
	return 0;
}

static int
reset_to_no_period(void)
{
	wf_ticker_reset(wf_ticker_make(WF_SEC), 0);
	return 0;
}

static int
free_its_chan(void)
{
	wf_timer *t = wf_timer_make(WF_SEC);

	wf_chan_free(wf_timer_chan(t));
	return 0;
}

static void
wait_for_ever(wf_chan_in(int64_t) c)
{
	wf_recv(c, NULL);
}

static int
free_waited_on_main(void)
{
	wf_timer *t = wf_timer_make(10000 * WF_SEC);

	wf_spawn(wait_for_ever, wf_timer_chan(t));
	tap_await_parked("to receive on", 1);
	wf_timer_free(t);
	return 0;
}

static int
free_waited_on(void)
{
	return wf_run(free_waited_on_main);
}

/* 131: the report is made with no lock held: the hook uses timers. */

static wf_ticker *other;

static void
stop_other(const char *text)
{
	(void)text;
	wf_ticker_stop(other);
	wf_ticker_reset(other, WF_MS);
	recv_time(wf_ticker_chan(other));
	fprintf(stderr, "the other ticker works\n");
}

static int
stop_null_with_hook(void)
{
	other = wf_ticker_make(WF_SEC);
	wf_set_report_hook(stop_other);
	wf_timer_stop(NULL);
	return 0;
}

int
main(void)
{
	bool counted = tap_count_memory();

	by_virtual_clock("142, 145, 146: a timer's contract", timer_contract);
	by_virtual_clock("137, 142, 146, 148: a ticker's contract",
	    ticker_contract);
	by_virtual_clock("127: calls and their stops", call_contract);
	by_virtual_clock("130: extremes", extremes);
	tap_test_workers("never early", times);
	tap_test_workers("124: ten in a row", ten_in_a_row);
	tap_test_workers("119: nested calls", nested_calls);
	tap_test_workers("121: a shared ticker", shared_ticker);
	tap_test_workers("122: a call under saturation", saturated);
	tap_test_workers("125: stopped before", stopped_before);
	tap_test_workers("134: no delay", no_delay);
	tap_test_workers("136: an adjust storm", adjust_storm);
	tap_test_workers("142: wait over a reset", wait_over_reset);
	tap_test_workers("143: two selects", two_selects);
	tap_test_workers("149: stop or call", call_races);
	tap_test_workers("149: stop or receipt", receipt_races);
	tap_test_workers("149: nothing stale", unreceived_races);
	tap_test_workers("149: many at one timer", many_at_one);
	tap_plain("149: called off on its way", on_its_way);
	tap_test_workers("a busy owner", owner_is_busy);
	tap_test_workers("a million", a_million);
	tap_test_workers("arguments", arguments);
	tap_plain("plain threads", plain_threads);
	tap_plain("over a stop of the runtime", over_a_stop);
	tap_test("140: NULL", nulls);
	tap_child("133: stop of NULL", stop_null, TAP_ABORTED,
	    "wf_timer_stop", "the timer is NULL");
	tap_child("133: reset of NULL", reset_null, TAP_ABORTED,
	    "wf_timer_reset", "the timer is NULL");
	tap_child("131: no lock is held in the report", stop_null_with_hook,
	    TAP_ABORTED, "the other ticker works");
	tap_child("139: no period", no_period, TAP_ABORTED,
	    "wf_ticker_make", "a period of -1 ns");
	tap_child("139: reset to no period", reset_to_no_period, TAP_ABORTED,
	    "wf_ticker_reset", "a period of 0 ns");
	tap_child("a timer's channel is not freed", free_its_chan, TAP_ABORTED,
	    "wf_chan_free", "is a timer's");
	tap_child("a timer that is waited on", free_waited_on, TAP_ABORTED,
	    "wf_timer_free", "has waiters");
	if (check(counted))
		tap_plain("all memory went back", tap_all_freed);
	return tap_end();
}
