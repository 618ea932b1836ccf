/* SPDX-License-Identifier: MIT */
/*
 * grow.c - how a cost grows with the number of things around it: the points of
 * the curves of bench/growth.sh.
 *
 *	weft-bench grow CURVE N		one point: "CURVE N value"
 */
#include "bench.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 128, PAIRS = 8, STRIDE = 7919 };
static const int64_t HOUR = 3600 * WF_SEC;

/* A count of operations that makes a run last long enough, at least one. */
static long
often(long ops, long each)
{
	return ops > each ? ops / each : 1;
}

static double
per_op(int64_t start, long ops)
{
	return (double)(bench_now() - start) / (double)ops;
}

/* ---- coroutines ---- */

static long present, turns;	/* with one worker only */
static bool enough;

static void
yield_on(void)
{
	present++;
	while (!enough) {
		turns++;
		wf_yield();
	}
}

/* One switch among n coroutines that yield, all of which have begun. */
static double
switches(long n)
{
	wf_waitgroup all = {0};
	int64_t start;
	double each;
	long begun;

	for (long i = 0; i < n; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&all, yield_on));
	while (present < n)
		wf_yield();
	begun = turns;
	start = bench_now();
	for (long i = often(4000000, n + 1) + 1; i; i--)
		wf_yield();
	each = per_op(start, turns - begun + often(4000000, n + 1) + 1);
	enough = true;
	wf_waitgroup_wait(&all);
	return each;
}

static void
wait_at(wf_chan_in(long) gate, wf_waitgroup *arrived)
{
	long v;

	wf_waitgroup_done(arrived);
	wf_recv(gate, &v);
}

/* Bytes for each of n coroutines that wait. */
static double
memory(long n)
{
	wf_chan(long) gate = wf_chan_make(long, 0);
	wf_waitgroup all = {0}, arrived = {0};
	double before = bench_memory(), each;

	BENCH_MUST(gate);
	wf_waitgroup_add(&arrived, (int)n);
	for (long i = 0; i < n; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&all, wait_at, wf_in(gate),
		    &arrived));
	wf_waitgroup_wait(&arrived);
	each = (bench_memory() - before) / (double)n;
	wf_close(gate);
	wf_waitgroup_wait(&all);
	wf_chan_free(gate);
	return each;
}

/* ---- channels ---- */

static void
send_round(wf_chan(long) *c, long n, long times)
{
	for (long i = 0; i < times; i++)
		wf_send(c[i * STRIDE % n], 1L);
}

/* One value, by a select over n channels of which one gets it. */
static double
selects(long n)
{
	wf_chan(long) *c = calloc((size_t)n, sizeof *c);
	struct wf_case *set = calloc((size_t)n, sizeof *set);
	long ops = often(1000000, n), v = 0, sum = 0;
	wf_waitgroup sender = {0};
	int64_t start;
	double each;

	BENCH_MUST(c && set);
	for (long i = 0; i < n; i++) {
		BENCH_MUST(c[i] = wf_chan_make(long, 0));
		set[i] = wf_case_recv(c[i], &v);
	}
	start = bench_now();
	BENCH_MUST(!wf_waitgroup_spawn(&sender, send_round, c, n, ops));
	for (long i = 0; i < ops; i++, sum += v)
		wf_selectv(set, (size_t)n);
	each = per_op(start, ops);
	bench_check("selects", sum, ops);
	wf_waitgroup_wait(&sender);
	for (long i = 0; i < n; i++)
		wf_chan_free(c[i]);
	free(set);
	free(c);
	return each;
}

static void
wait_for_either(wf_chan_in(long) common, wf_chan_in(long) own)
{
	long v;
	bool ok = true;

	while (ok)
		wf_select(wf_on_recv(common, &v), wf_on_recv_ok(own, &v, &ok));
}

/* Wake one out of n that wait for a common channel or their own; it is taken
 * out of the midst of the common list, and comes back. */
static double
waiters(long n)
{
	wf_chan(long) common = wf_chan_make(long, 0);
	wf_chan(long) *own = calloc((size_t)n, sizeof *own);
	long ops = 500000 > n ? 500000 : n;
	wf_waitgroup all = {0};
	int64_t start;
	double each;

	BENCH_MUST(common && own);
	for (long i = 0; i < n; i++) {
		BENCH_MUST(own[i] = wf_chan_make(long, 0));
		BENCH_MUST(!wf_waitgroup_spawn(&all, wait_for_either,
		    wf_in(common), wf_in(own[i])));
	}
	send_round(own, n, n);
	start = bench_now();
	send_round(own, n, ops);
	each = per_op(start, ops);
	for (long i = 0; i < n; i++)
		wf_close(own[i]);
	wf_waitgroup_wait(&all);
	for (long i = 0; i < n; i++)
		wf_chan_free(own[i]);
	wf_chan_free(common);
	free(own);
	return each;
}

static void
count_down(wf_chan_out(long) out, long n)
{
	while (n--)
		wf_send(out, 1L);
}

static void
add_up(wf_chan_in(long) in, atomic_long *sum)
{
	long v, mine = 0;

	while (wf_recv(in, &v))
		mine += v;
	atomic_fetch_add(sum, mine);
}

/* One value through a channel of capacity 128, with n senders, and as many
 * receivers as said. */
static double
through_one(long senders, long receivers)
{
	wf_chan(long) c = wf_chan_make(long, CAPACITY);
	wf_waitgroup out = {0}, in = {0};
	long each = 3000000 / senders;
	int64_t start = bench_now();
	atomic_long sum = 0;
	double result;

	BENCH_MUST(c);
	for (long i = 0; i < receivers; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&in, add_up, wf_in(c), &sum));
	for (long i = 0; i < senders; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&out, count_down, wf_out(c),
		    each));
	wf_waitgroup_wait(&out);
	wf_close(c);
	wf_waitgroup_wait(&in);
	result = per_op(start, each * senders);
	bench_check("through_one", atomic_load(&sum), each * senders);
	wf_chan_free(c);
	return result;
}

static double
producers(long n)
{
	return through_one(n, 1);
}

/* ---- timers ---- */

static void
nothing(void)
{
}

/* Set and stop one while n others are pending. */
static double
timers(long n)
{
	wf_timer **t = calloc((size_t)n, sizeof *t);
	long ops = 1000000, stopped = 0;
	int64_t start;
	double each;

	BENCH_MUST(t);
	for (long i = 0; i < n; i++)
		BENCH_MUST(t[i] = wf_after_func(HOUR +
		    i * STRIDE % n * WF_MS, nothing));
	start = bench_now();
	for (long i = 0; i < ops; i++) {
		wf_timer *one = wf_after_func(HOUR + i * STRIDE % n * WF_MS,
		    nothing);

		stopped += wf_timer_stop(one);
		wf_timer_free(one);
	}
	each = per_op(start, ops);
	bench_check("timers", stopped, ops);
	for (long i = 0; i < n; i++)
		wf_timer_free(t[i]);
	free(t);
	return each;
}

/* ---- workers ---- */

static void
echo(wf_chan_in(long) in, wf_chan_out(long) out)
{
	long v;

	while (wf_recv(in, &v))
		wf_send(out, v);
}

static void
ask(wf_chan(long) to, wf_chan(long) from, long times)
{
	long v;

	while (times--) {
		wf_send(to, 1L);
		wf_recv(from, &v);
	}
	wf_close(to);
}

/* One round trip, with eight pairs at it; n is the number of workers. */
static double
pairs_on(long n)
{
	wf_chan(long) c[2 * PAIRS];
	wf_waitgroup all = {0};
	long each = 200000;
	int64_t start = bench_now();
	double result;

	bench_check("pairs-on", wf_workers(0), n);
	for (int i = 0; i < 2 * PAIRS; i++)
		BENCH_MUST(c[i] = wf_chan_make(long, 0));
	for (int i = 0; i < PAIRS; i++) {
		BENCH_MUST(!wf_waitgroup_spawn(&all, echo, wf_in(c[2 * i]),
		    wf_out(c[2 * i + 1])));
		BENCH_MUST(!wf_waitgroup_spawn(&all, ask, c[2 * i],
		    c[2 * i + 1], each));
	}
	wf_waitgroup_wait(&all);
	result = per_op(start, each * PAIRS);
	for (int i = 0; i < 2 * PAIRS; i++)
		wf_chan_free(c[i]);
	return result;
}

/* One value from 8 senders to 8 receivers; n is the number of workers. */
static double
shared_on(long n)
{
	bench_check("shared-on", wf_workers(0), n);
	return through_one(PAIRS, PAIRS);
}

/* Start, run and join an empty one; n is the number of workers. */
static double
spawns_on(long n)
{
	wf_waitgroup batch = {0};
	int64_t start = bench_now();
	long ops = 2000000;

	bench_check("spawns-on", wf_workers(0), n);
	for (long i = 0; i < ops; i += 1000) {
		for (int j = 0; j < 1000; j++)
			BENCH_MUST(!wf_waitgroup_spawn(&batch, nothing));
		wf_waitgroup_wait(&batch);
	}
	return per_op(start, ops);
}

static const struct curve {
	const char *name;
	double (*point)(long n);
} curves[] = {
	{ "switches", switches }, { "memory", memory }, { "selects", selects },
	{ "waiters", waiters }, { "producers", producers },
	{ "timers", timers }, { "pairs-on", pairs_on },
	{ "shared-on", shared_on }, { "spawns-on", spawns_on },
};

int
bench_grow(const char *curve, long n)
{
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
		if (n > 0 && !strcmp(curves[i].name, curve)) {
			double value = curves[i].point(n);

			printf("%s %ld %.2f\n", curve, n, value);
			return 0;
		}
	fprintf(stderr, "no curve %s, or no number\n", curve);
	return 2;
}
