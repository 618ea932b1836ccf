/* SPDX-License-Identifier: MIT */
/* select.c - Select4, SelectDefault1, SelectDefault2. */
#include "bench.h"

#include <errno.h>

enum { SENDERS = 4 };

static void
send_ones(wf_chan_out(long) out, long times)
{
	while (times--)
		wf_send(out, 1L);
}

void
bench_select4(long ops)
{
	wf_chan(long) c[SENDERS];
	wf_waitgroup senders = {0};
	int64_t start = bench_now();
	int64_t sum = 0;
	long v = 0;

	for (int i = 0; i < SENDERS; i++) {
		BENCH_MUST(c[i] = wf_chan_make(long, 0));
		BENCH_MUST(!wf_waitgroup_spawn(&senders, send_ones,
		    wf_out(c[i]), ops / SENDERS));
	}
	for (long n = 0; n < ops; n++) {
		switch (wf_select(wf_on_recv(c[0], &v), wf_on_recv(c[1], &v),
				  wf_on_recv(c[2], &v), wf_on_recv(c[3], &v))) {
		case 0: sum += v; break;
		case 1: sum += v; break;
		case 2: sum += v; break;
		case 3: sum += v; break;
		}
	}
	bench_per_op("Select4", start, ops);
	bench_check("Select4", sum, ops);
	wf_waitgroup_wait(&senders);
	for (int i = 0; i < SENDERS; i++)
		wf_chan_free(c[i]);
}

static void
select_one(wf_chan_in(long) c, long ops)
{
	int64_t start = bench_now();
	long empty = 0, v;

	for (long n = 0; n < ops; n++)
		switch (wf_select(wf_on_recv(c, &v), wf_on_default())) {
		case 1: empty++;
		}
	bench_per_op("SelectDefault1/select", start, ops);
	bench_check("SelectDefault1/select", empty, ops);
}

static void
try_one(wf_chan_in(long) c, long ops)
{
	int64_t start = bench_now();
	long empty = 0, v;

	for (long n = 0; n < ops; n++)
		if (wf_try_recv(c, &v) == -EAGAIN)
			empty++;
	bench_per_op("SelectDefault1/try", start, ops);
	bench_check("SelectDefault1/try", empty, ops);
}

void
bench_selectdefault1(long ops)
{
	wf_chan(long) c = wf_chan_make(long, 0);

	BENCH_MUST(c);
	select_one(wf_in(c), ops);
	try_one(wf_in(c), ops);
	wf_chan_free(c);
}

void
bench_selectdefault2(long ops)
{
	wf_chan(long) a = wf_chan_make(long, 0);
	wf_chan(long) b = wf_chan_make(long, 0);
	int64_t start = bench_now();
	long empty = 0, v;

	BENCH_MUST(a && b);
	for (long n = 0; n < ops; n++)
		switch (wf_select(wf_on_recv(a, &v), wf_on_recv(b, &v),
				  wf_on_default())) {
		case 2: empty++;
		}
	bench_per_op("SelectDefault2", start, ops);
	bench_check("SelectDefault2", empty, ops);
	wf_chan_free(a);
	wf_chan_free(b);
}
