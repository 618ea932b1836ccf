/* SPDX-License-Identifier: MIT */
/* coro.c - Switch, Spawn, WaitGroup: the cost of coroutines themselves. */
#include "bench.h"

enum { BATCH = 1000 };

static void
yield_often(long times)
{
	while (times--)
		wf_yield();
}

void
bench_switch(long ops)
{
	wf_waitgroup pair = {0};
	int64_t start = bench_now();

	BENCH_MUST(!wf_waitgroup_spawn(&pair, yield_often, ops / 2));
	BENCH_MUST(!wf_waitgroup_spawn(&pair, yield_often, ops / 2));
	wf_waitgroup_wait(&pair);
	bench_per_op("Switch", start, ops);
}

static void
empty(void)
{
}

static void
mark(bool *slot)
{
	*slot = true;
}

/* One more batch whose coroutines leave a mark, to see that all really run
 * before the wait returns. */
static void
check_batch(const char *name)
{
	static bool marks[BATCH];
	wf_waitgroup batch = {0};
	int seen = 0;

	for (int i = 0; i < BATCH; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&batch, mark, &marks[i]));
	wf_waitgroup_wait(&batch);
	for (int i = 0; i < BATCH; i++)
		seen += marks[i];
	bench_check(name, seen, BATCH);
}

void
bench_spawn(long ops)
{
	wf_waitgroup batch = {0};
	int64_t start = bench_now();

	for (long n = 0; n < ops; n += BATCH) {
		for (int i = 0; i < BATCH; i++)
			BENCH_MUST(!wf_waitgroup_spawn(&batch, empty));
		wf_waitgroup_wait(&batch);
	}
	bench_per_op("Spawn", start, ops);
	check_batch("Spawn");
}

void
bench_waitgroup(long ops)
{
	wf_waitgroup wg = {0};
	int64_t start = bench_now();

	for (long n = 0; n < ops; n++) {
		wf_waitgroup_add(&wg, 1);
		wf_waitgroup_done(&wg);
		wf_waitgroup_wait(&wg);
	}
	bench_per_op("WaitGroup", start, ops);
	check_batch("WaitGroup");
}
