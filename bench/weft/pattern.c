/* SPDX-License-Identifier: MIT */
/* pattern.c - Ring, Sieve, Skynet: whole programs made of many coroutines. */
#include "bench.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { NODES = 1000, CHILDREN = 10 };

static void
pass_on(wf_chan_in(long) in, wf_chan_out(long) out)
{
	long hops;

	while (wf_recv(in, &hops))
		wf_send(out, hops + 1);
	wf_close(out);
}

/* The caller is the first node: it sends to the first channel and receives
 * from the last one. */
void
bench_ring(long ops)
{
	wf_chan(long) c[NODES];
	int64_t start = bench_now();
	long hops = 0;

	for (int i = 0; i < NODES; i++)
		BENCH_MUST(c[i] = wf_chan_make(long, 0));
	for (int i = 1; i < NODES; i++)
		BENCH_MUST(!wf_spawn(pass_on, wf_in(c[i - 1]), wf_out(c[i])));
	while (hops < ops) {
		wf_send(c[0], hops + 1);
		wf_recv(c[NODES - 1], &hops);
	}
	bench_per_op("Ring", start, ops);
	bench_check("Ring", hops, ops);
	wf_close(c[0]);
	bench_check("Ring", wf_recv(c[NODES - 1], &hops), 0);
	for (int i = 0; i < NODES; i++)
		wf_chan_free(c[i]);
}

static void
generate(wf_chan_out(int) out)
{
	int i = 2;

	while (wf_send(out, i))
		i++;
}

/* Closing the input is what ends the chain: the sender's next send is 0. */
static void
filter(wf_chan(int) in, wf_chan_out(int) out, int prime)
{
	int i;

	while (wf_recv(in, &i))
		if (i % prime && !wf_send(out, i))
			break;
	wf_close(in);
}

void
bench_sieve(long ops)
{
	wf_chan(int) *c = calloc((size_t)ops, sizeof *c);
	wf_waitgroup stages = {0};
	int64_t start = bench_now();
	int prime = 0;

	BENCH_MUST(c && (c[0] = wf_chan_make(int, 0)));
	BENCH_MUST(!wf_waitgroup_spawn(&stages, generate, wf_out(c[0])));
	wf_recv(c[0], &prime);
	for (long n = 1; n < ops; n++) {
		BENCH_MUST(c[n] = wf_chan_make(int, 0));
		BENCH_MUST(!wf_waitgroup_spawn(&stages, filter, c[n - 1],
		    wf_out(c[n]), prime));
		wf_recv(c[n], &prime);
	}
	bench_ms("Sieve", start);
	bench_check("Sieve", prime, 17389);
	wf_close(c[ops - 1]);
	wf_waitgroup_wait(&stages);
	for (long n = 0; n < ops; n++)
		wf_chan_free(c[n]);
	free(c);
}

/* Send the sum of the numbers first to first + count - 1. */
static void
skynet(wf_chan_out(int64_t) out, int64_t first, int64_t count)
{
	wf_chan(int64_t) sums;
	int64_t part = count / CHILDREN, sum = 0, v;

	if (count == 1) {
		wf_send(out, first);
		return;
	}
	BENCH_MUST(sums = wf_chan_make(int64_t, 0));
	for (int i = 0; i < CHILDREN; i++)
		BENCH_MUST(!wf_spawn(skynet, wf_out(sums), first + i * part,
		    part));
	for (int i = 0; i < CHILDREN; i++) {
		wf_recv(sums, &v);
		sum += v;
	}
	wf_chan_free(sums);
	wf_send(out, sum);
}

void
bench_skynet(long ops)
{
	wf_chan(int64_t) out = wf_chan_make(int64_t, 0);
	int64_t start = bench_now();
	struct rusage usage;
	int64_t sum = 0;

	BENCH_MUST(out);
	BENCH_MUST(!wf_spawn(skynet, wf_out(out), (int64_t)0, (int64_t)ops));
	wf_recv(out, &sum);
	bench_ms("Skynet/time", start);
	bench_check("Skynet", sum, (int64_t)ops * (ops - 1) / 2);
	BENCH_MUST(!getrusage(RUSAGE_SELF, &usage));
	bench_figure("Skynet/peak", (double)usage.ru_maxrss / 1024, "MB");
	wf_chan_free(out);
}
