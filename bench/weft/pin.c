/* SPDX-License-Identifier: MIT */
/* pin.c - Pin: staying on a thread, and being woken there. */
#include "bench.h"

static void
answer(wf_chan_in(long) in, wf_chan_out(long) out)
{
	long v;

	while (wf_recv(in, &v))
		wf_send(out, v);
}

/* Round trips of a pinned coroutine with one that is not. */
static void
talk_while_pinned(long trips)
{
	wf_chan(long) ping = wf_chan_make(long, 0);
	wf_chan(long) pong = wf_chan_make(long, 0);
	int64_t start, sum = 0;
	wf_waitgroup wg = {0};
	long v = 0;

	BENCH_MUST(ping && pong);
	BENCH_MUST(!wf_waitgroup_spawn(&wg, answer, wf_in(ping),
	    wf_out(pong)));
	wf_pin();
	start = bench_now();
	for (long n = 0; n < trips; n++) {
		wf_send(ping, n);
		wf_recv(pong, &v);
		sum += v;
	}
	bench_per_op("Pin/talk", start, trips);
	wf_unpin();
	bench_check("Pin", sum, (int64_t)trips * (trips - 1) / 2);
	wf_close(ping);
	wf_waitgroup_wait(&wg);
	wf_chan_free(ping);
	wf_chan_free(pong);
}

void
bench_pin(long ops)
{
	int64_t start = bench_now();

	for (long n = 0; n < ops; n++) {
		wf_pin();
		wf_unpin();
	}
	bench_per_op("Pin/call", start, ops);
	talk_while_pinned(ops / 100);
}
