/* SPDX-License-Identifier: MIT */
/* park.c - Park1M: a million coroutines that wait for one event. */
#include "bench.h"

#include <stdatomic.h>

struct park {
	wf_chan(long) gate;	/* never sent to; closed to wake everyone */
	wf_waitgroup arrived;
	atomic_long woken;
};

static void
wait_at_gate(struct park *p)
{
	long v;

	wf_waitgroup_done(&p->arrived);
	if (!wf_recv(p->gate, &v))
		atomic_fetch_add_explicit(&p->woken, 1, memory_order_relaxed);
}

void
bench_park1m(long ops)
{
	static struct park p;
	wf_waitgroup all = {0};
	double before;
	int64_t start;

	BENCH_MUST(p.gate = wf_chan_make(long, 0));
	before = bench_memory();
	start = bench_now();
	wf_waitgroup_add(&p.arrived, (int)ops);
	for (long n = 0; n < ops; n++)
		BENCH_MUST(!wf_waitgroup_spawn(&all, wait_at_gate, &p));
	wf_waitgroup_wait(&p.arrived);
	bench_ms("Park1M/create", start);
	bench_figure("Park1M/each", (bench_memory() - before) / (double)ops,
	    "bytes");
	start = bench_now();
	wf_close(p.gate);
	wf_waitgroup_wait(&all);
	bench_ms("Park1M/wake", start);
	bench_check("Park1M", atomic_load(&p.woken), ops);
	wf_chan_free(p.gate);
}
