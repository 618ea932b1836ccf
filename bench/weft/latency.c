/* SPDX-License-Identifier: MIT */
/*
 * latency.c - Wake, TailUnderLoad, Fairness: how long somebody waits who could
 * go on.
 */
#include "bench.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { HOGS = 4, YIELDERS = 2, CAPACITY = 128 };
static const int64_t US = 1000, MS = 1000000;

static atomic_bool enough;	/* relaxed: it orders nothing */

static bool
go_on(void)
{
	return !atomic_load_explicit(&enough, memory_order_relaxed);
}

/* Use the processor until then. */
static void
compute_until(int64_t then)
{
	while (bench_now() < then)
		;
}

/* name-p50, name-p99, name-p99.9 of v[0..n), in microseconds. */
static void
tell(const char *name, int64_t *v, long n)
{
	static const struct { const char *name; double part; } share[] = {
		{ "p50", .5 }, { "p99", .99 }, { "p99.9", .999 },
	};
	char figure[64];

	bench_sort(v, n);
	for (int i = 0; i < 3; i++) {
		snprintf(figure, sizeof figure, "%s-%s", name, share[i].name);
		bench_figure(figure, (double)v[(long)((double)(n - 1) *
		    share[i].part)] / 1e3, "us");
	}
}

static void
hear(wf_chan_in(int64_t) in, int64_t *late, long n)
{
	int64_t sent = 0;

	for (long i = 0; i < n && wf_recv(in, &sent); i++)
		late[i] = bench_now() - sent;
}

/* The sender computes all the time, so its worker is of no use to the one
 * that hears: another one, idle since quiet ns, has to wake up. */
static void
wake(const char *name, int64_t quiet, long ops)
{
	wf_chan(int64_t) c = wf_chan_make(int64_t, 1);
	int64_t *late = calloc((size_t)ops, sizeof *late);
	wf_waitgroup wg = {0};

	BENCH_MUST(c && late);
	BENCH_MUST(!wf_waitgroup_spawn(&wg, hear, wf_in(c), late, ops));
	wf_sleep(MS);
	for (long i = 0; i < ops; i++) {
		compute_until(bench_now() + quiet);
		wf_send(c, bench_now());
	}
	wf_waitgroup_wait(&wg);
	tell(name, late, ops);
	wf_chan_free(c);
	free(late);
}

/* With one worker there is none that could be idle. */
void
bench_wake(long ops)
{
	if (wf_workers(0) < 2)
		return;
	wake("Wake/50us", 50 * US, ops);
	wake("Wake/1ms", MS, ops);
}

static void
hog(int64_t share)
{
	while (go_on()) {
		compute_until(bench_now() + share);
		wf_yield();
	}
}

/* The moments are fixed beforehand: one that comes late makes no other one
 * later, and is not left out. */
static void
tick_under_load(const char *name, int64_t share, long ops)
{
	int64_t *late = calloc((size_t)ops, sizeof *late), first;
	wf_waitgroup hogs = {0};

	BENCH_MUST(late);
	atomic_store(&enough, false);
	for (int i = 0; i < HOGS; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&hogs, hog, share));
	first = bench_now() + 10 * MS;
	for (long i = 0; i < ops; i++) {
		int64_t due = first + i * MS, rest = due - bench_now();

		if (rest > 0)
			wf_sleep(rest);
		late[i] = bench_now() - due;
	}
	atomic_store(&enough, true);
	wf_waitgroup_wait(&hogs);
	tell(name, late, ops);
	bench_check(name, late[0] >= 0, 1);
	free(late);
}

void
bench_tailunderload(long ops)
{
	tick_under_load("TailUnderLoad/10us", 10 * US, ops);
	tick_under_load("TailUnderLoad/100us", 100 * US, ops);
	tick_under_load("TailUnderLoad/10ms", 10 * MS, ops);
}

static void
yield_on(void)
{
	while (go_on())
		wf_yield();
}

static void
give(wf_chan_out(long) out)
{
	while (go_on())
		wf_send(out, 1L);
	wf_close(out);
}

static void
take(wf_chan_in(long) in)
{
	long v;

	while (wf_recv(in, &v))
		;
}

static void
poll_on(wf_chan_in(long) in)
{
	long v;

	while (go_on())
		if (wf_try_recv(in, &v) == -EAGAIN)
			wf_yield();
}

/* The longest time between two turns of the caller within ms milliseconds. */
static int64_t
longest_wait(int64_t ms)
{
	int64_t last = bench_now(), end = last + ms * MS, longest = 0, now;

	while (last < end) {
		wf_yield();
		now = bench_now();
		if (now - last > longest)
			longest = now - last;
		last = now;
	}
	return longest;
}

/* A coroutine that yields, among pairs that hand values to each other, which
 * a scheduler may like to keep together, and others that yield or poll. */
void
bench_fairness(long ops)
{
	wf_chan(long) direct = wf_chan_make(long, 0);
	wf_chan(long) buffered = wf_chan_make(long, CAPACITY);
	wf_chan(long) silent = wf_chan_make(long, 0);
	wf_waitgroup hogs = {0};

	BENCH_MUST(direct && buffered && silent);
	BENCH_MUST(!wf_waitgroup_spawn(&hogs, give, wf_out(direct)));
	BENCH_MUST(!wf_waitgroup_spawn(&hogs, take, wf_in(direct)));
	BENCH_MUST(!wf_waitgroup_spawn(&hogs, give, wf_out(buffered)));
	BENCH_MUST(!wf_waitgroup_spawn(&hogs, take, wf_in(buffered)));
	BENCH_MUST(!wf_waitgroup_spawn(&hogs, poll_on, wf_in(silent)));
	for (int i = 0; i < YIELDERS; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&hogs, yield_on));
	bench_figure("Fairness", (double)longest_wait(ops) / 1e3, "us");
	atomic_store(&enough, true);
	wf_waitgroup_wait(&hogs);
	wf_chan_free(direct);
	wf_chan_free(buffered);
	wf_chan_free(silent);
}
