/* SPDX-License-Identifier: MIT */
/* selects.c - selects among many: SelectProdCons, ChanPopular,
 * SelectUncontended, SelectSyncContended, SelectAsyncContended; after those of
 * Go's own benchmarks. */
#include "bench.h"

#include <stdlib.h>

enum { CAPACITY = 128, SHARED = 3, CROWD = 1000 };

/* ---- producers and consumers ---- */

struct line {
	wf_chan(long) values;
	wf_chan(long) closing;		/* never closed */
};

static void
produce(struct line *l, long times)
{
	wf_chan_in(int64_t) late = wf_after(3600 * WF_SEC);
	int64_t at;
	long v;

	BENCH_MUST(late);
	while (times--)
		switch (wf_select(wf_on_send(l->values, 1L),
				  wf_on_recv(late, &at),
				  wf_on_recv(l->closing, &v))) {
		case 1:
		case 2: bench_failed(__FILE__, __LINE__, "produce");
		}
	wf_send(l->values, 0L);
	wf_chan_free(late);
}

/* Until one producer is done. */
static void
consume(struct line *l, int64_t *sum)
{
	wf_chan_in(int64_t) late = wf_after(3600 * WF_SEC);
	long v = 1, none;
	int64_t at, n = 0;

	BENCH_MUST(late);
	while (v)
		switch (wf_select(wf_on_recv(l->values, &v),
				  wf_on_recv(late, &at),
				  wf_on_recv(l->closing, &none))) {
		case 0: n += v; break;
		case 1:
		case 2: bench_failed(__FILE__, __LINE__, "consume");
		}
	*sum = n;
	wf_chan_free(late);
}

void
bench_selectprodcons(long ops)
{
	long workers = wf_workers(0), each = ops / workers;
	int64_t *sums = calloc((size_t)workers, sizeof *sums), sum = 0;
	struct line l = { wf_chan_make(long, CAPACITY), wf_chan_make(long, 0) };
	wf_waitgroup all = {0};
	int64_t start = bench_now();

	BENCH_MUST(sums && l.values && l.closing);
	for (long i = 0; i < workers; i++) {
		BENCH_MUST(!wf_waitgroup_spawn(&all, produce, &l, each));
		BENCH_MUST(!wf_waitgroup_spawn(&all, consume, &l, &sums[i]));
	}
	wf_waitgroup_wait(&all);
	bench_per_op("SelectProdCons", start, ops);
	for (long i = 0; i < workers; i++)
		sum += sums[i];
	bench_check("SelectProdCons", sum, each * workers);
	wf_chan_free(l.values);
	wf_chan_free(l.closing);
	free(sums);
}

/* ---- one channel that all wait on ---- */

static void
stand_by(wf_chan_in(long) common, wf_chan_in(long) own, long times,
    int64_t *sum)
{
	long v, none;

	while (times--)
		switch (wf_select(wf_on_recv(common, &none),
				  wf_on_recv(own, &v))) {
		case 0: bench_failed(__FILE__, __LINE__, "stand_by");
		case 1: *sum += v;
		}
}

void
bench_chanpopular(long ops)
{
	wf_chan(long) common = wf_chan_make(long, 0);
	wf_chan(long) own[CROWD];
	static int64_t sums[CROWD];
	wf_waitgroup all = {0};
	int64_t start, sum = 0;
	long times = ops / CROWD;

	BENCH_MUST(common);
	for (int i = 0; i < CROWD; i++) {
		BENCH_MUST(own[i] = wf_chan_make(long, 0));
		BENCH_MUST(!wf_waitgroup_spawn(&all, stand_by, wf_in(common),
		    wf_in(own[i]), times, &sums[i]));
	}
	start = bench_now();
	for (long n = 0; n < times; n++)
		for (int i = 0; i < CROWD; i++)
			wf_send(own[i], 1L);
	wf_waitgroup_wait(&all);
	bench_per_op("ChanPopular", start, ops);
	for (int i = 0; i < CROWD; i++) {
		sum += sums[i];
		wf_chan_free(own[i]);
	}
	bench_check("ChanPopular", sum, times * CROWD);
	wf_chan_free(common);
}

/* ---- a token between two channels ---- */

static void
toss(wf_chan(long) a, wf_chan(long) b, long times)
{
	long v;

	wf_send(a, 1L);
	while (times--)
		switch (wf_select(wf_on_recv(a, &v), wf_on_recv(b, &v))) {
		case 0: wf_send(b, v); break;
		case 1: wf_send(a, v); break;
		}
}

/* Each worker has its two, or all have the same. */
static void
run_toss(const char *name, bool shared, long ops)
{
	long workers = wf_workers(0), n = shared ? 1 : workers;
	wf_chan(long) *c = calloc(2 * (size_t)n, sizeof *c);
	wf_waitgroup all = {0};
	int64_t start, tokens = 0;

	BENCH_MUST(c);
	for (long i = 0; i < 2 * n; i++)
		BENCH_MUST(c[i] = wf_chan_make(long,
		    shared ? (size_t)workers : 1));
	start = bench_now();
	for (long i = 0; i < workers; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&all, toss, c[2 * (i % n)],
		    c[2 * (i % n) + 1], ops / workers));
	wf_waitgroup_wait(&all);
	bench_per_op(name, start, ops);
	for (long i = 0; i < 2 * n; i++) {
		tokens += (int64_t)wf_len(c[i]);
		wf_chan_free(c[i]);
	}
	bench_check(name, tokens, workers);
	free(c);
}

void
bench_selectuncontended(long ops)
{
	run_toss("SelectUncontended", false, ops);
}

void
bench_selectasynccontended(long ops)
{
	run_toss("SelectAsyncContended", true, ops);
}

/* ---- all on the same three ---- */

static void
offer(wf_chan(long) *c, wf_chan(long) done)
{
	long v;

	for (;;)
		switch (wf_select(wf_on_send(c[0], 1L), wf_on_send(c[1], 1L),
				  wf_on_send(c[2], 1L),
				  wf_on_recv(done, &v))) {
		case 3: return;
		}
}

static void
accept_all(wf_chan(long) *c, long times, int64_t *sum)
{
	int64_t n = 0;
	long v = 0;

	while (times--) {
		wf_select(wf_on_recv(c[0], &v), wf_on_recv(c[1], &v),
		    wf_on_recv(c[2], &v));
		n += v;
	}
	*sum = n;
}

void
bench_selectsynccontended(long ops)
{
	long workers = wf_workers(0), each = ops / workers;
	int64_t *sums = calloc((size_t)workers, sizeof *sums), sum = 0;
	wf_chan(long) done = wf_chan_make(long, 0);
	wf_chan(long) c[SHARED];
	wf_waitgroup offers = {0}, all = {0};
	int64_t start = bench_now();

	BENCH_MUST(sums && done);
	for (int i = 0; i < SHARED; i++)
		BENCH_MUST(c[i] = wf_chan_make(long, 0));
	for (long i = 0; i < workers; i++) {
		BENCH_MUST(!wf_waitgroup_spawn(&offers, offer, c, done));
		BENCH_MUST(!wf_waitgroup_spawn(&all, accept_all, c, each,
		    &sums[i]));
	}
	wf_waitgroup_wait(&all);
	bench_per_op("SelectSyncContended", start, ops);
	wf_close(done);
	wf_waitgroup_wait(&offers);
	for (long i = 0; i < workers; i++)
		sum += sums[i];
	bench_check("SelectSyncContended", sum, each * workers);
	for (int i = 0; i < SHARED; i++)
		wf_chan_free(c[i]);
	wf_chan_free(done);
	free(sums);
}
