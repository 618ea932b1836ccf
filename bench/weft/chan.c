/* SPDX-License-Identifier: MIT */
/* chan.c - PingPong, SPSC, MPMC, MakeChan: channels without select. */
#include "bench.h"

enum { CAPACITY = 128, PARTIES = 8 };

static void
echo(wf_chan_in(long) in, wf_chan_out(long) out)
{
	long v;

	while (wf_recv(in, &v))
		wf_send(out, v);
	wf_close(out);
}

void
bench_pingpong(long ops)
{
	wf_chan(long) ping = wf_chan_make(long, 0);
	wf_chan(long) pong = wf_chan_make(long, 0);
	int64_t start = bench_now();
	int64_t sum = 0;
	long v = 0;

	BENCH_MUST(ping && pong);
	BENCH_MUST(!wf_spawn(echo, wf_in(ping), wf_out(pong)));
	for (long n = 0; n < ops; n++) {
		wf_send(ping, n);
		wf_recv(pong, &v);
		sum += v;
	}
	bench_per_op("PingPong", start, ops);
	bench_check("PingPong", sum, (int64_t)ops * (ops - 1) / 2);
	wf_close(ping);
	bench_check("PingPong", wf_recv(pong, &v), 0);
	wf_chan_free(ping);
	wf_chan_free(pong);
}

static void
count_up(wf_chan_out(long) out, long from, long to)
{
	for (long v = from; v < to; v++)
		wf_send(out, v);
}

static void
sum_up(wf_chan_in(long) in, int64_t *result)
{
	int64_t sum = 0;
	long v;

	while (wf_recv(in, &v))
		sum += v;
	*result = sum;
}

void
bench_spsc(long ops)
{
	wf_chan(long) c = wf_chan_make(long, CAPACITY);
	wf_waitgroup sender = {0}, receiver = {0};
	int64_t start = bench_now();
	int64_t sum = 0;

	BENCH_MUST(c);
	BENCH_MUST(!wf_waitgroup_spawn(&receiver, sum_up, wf_in(c), &sum));
	BENCH_MUST(!wf_waitgroup_spawn(&sender, count_up, wf_out(c), 0L, ops));
	wf_waitgroup_wait(&sender);
	wf_close(c);
	wf_waitgroup_wait(&receiver);
	bench_per_op("SPSC", start, ops);
	bench_check("SPSC", sum, (int64_t)ops * (ops - 1) / 2);
	wf_chan_free(c);
}

void
bench_mpmc(long ops)
{
	wf_chan(long) c = wf_chan_make(long, CAPACITY);
	wf_waitgroup senders = {0}, receivers = {0};
	int64_t sums[PARTIES], sum = 0;
	int64_t start = bench_now();
	long share = ops / PARTIES;

	BENCH_MUST(c);
	for (int i = 0; i < PARTIES; i++) {
		BENCH_MUST(!wf_waitgroup_spawn(&receivers, sum_up, wf_in(c),
		    &sums[i]));
		BENCH_MUST(!wf_waitgroup_spawn(&senders, count_up, wf_out(c),
		    i * share, (i + 1) * share));
	}
	wf_waitgroup_wait(&senders);
	wf_close(c);
	wf_waitgroup_wait(&receivers);
	bench_per_op("MPMC", start, ops);
	for (int i = 0; i < PARTIES; i++)
		sum += sums[i];
	bench_check("MPMC", sum, (int64_t)ops * (ops - 1) / 2);
	wf_chan_free(c);
}

__extension__ struct bytes0 { };
struct bytes1 { char b[1]; };
struct bytes8 { char b[8]; };
struct bytes32 { char b[32]; };
struct bytes40 { char b[40]; };

#define MAKE_AND_FREE(T, figure, ops) do { \
	int64_t start = bench_now(); \
	size_t slots = 0; \
	for (long n = 0; n < (ops); n++) { \
		wf_chan(T) c = wf_chan_make(T, 8); \
		BENCH_MUST(c); \
		slots += wf_cap(c); \
		wf_chan_free(c); \
	} \
	bench_per_op(figure, start, ops); \
	bench_check(figure, (int64_t)slots, 8 * (int64_t)(ops)); \
} while (0)

void
bench_makechan(long ops)
{
	MAKE_AND_FREE(struct bytes0, "MakeChan/0", ops);
	MAKE_AND_FREE(struct bytes1, "MakeChan/1", ops);
	MAKE_AND_FREE(struct bytes8, "MakeChan/8", ops);
	MAKE_AND_FREE(struct bytes32, "MakeChan/32", ops);
	MAKE_AND_FREE(struct bytes40, "MakeChan/40", ops);
}
