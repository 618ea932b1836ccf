/* SPDX-License-Identifier: MIT */
/* timer.c - Timers100k, TimerStop, TimerReset, SelectTimeout. */
#include "bench.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { SPREAD_MS = 1000, HEAD_START_MS = 2000, STRIDE = 7919 };
static const int64_t MS = 1000000;

struct sleepers {
	int64_t first;		/* when the first of them is due */
	int64_t *late;
	long n;
};

static void
sleep_once(struct sleepers *s, long me)
{
	int64_t due = s->first + me * STRIDE % s->n * SPREAD_MS * MS / s->n;

	wf_sleep(due - bench_now());
	s->late[me] = bench_now() - due;
}

static double
cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

void
bench_timers100k(long ops)
{
	struct sleepers s = { .n = ops, .late = calloc((size_t)ops,
	    sizeof *s.late) };
	wf_waitgroup wg = {0};
	double cpu;

	BENCH_MUST(s.late);
	s.first = bench_now() + HEAD_START_MS * MS;
	for (long i = 0; i < ops; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&wg, sleep_once, &s, i));
	wf_sleep(s.first - 100 * MS - bench_now());
	cpu = cpu_ms();
	bench_check("Timers100k", bench_now() < s.first, 1);
	wf_waitgroup_wait(&wg);
	cpu = cpu_ms() - cpu;
	bench_sort(s.late, ops);
	bench_check("Timers100k", s.late[0] >= 0, 1);
	bench_figure("Timers100k/cpu", cpu, "ms");
	bench_figure("Timers100k/p50", (double)s.late[ops / 2] / 1e3, "us");
	bench_figure("Timers100k/p99", (double)s.late[ops / 100 * 99] / 1e3,
	    "us");
	free(s.late);
}

void
bench_timerstop(long ops)
{
	int64_t start = bench_now(), stopped = 0;

	for (long i = 0; i < ops; i++) {
		wf_timer *t = wf_timer_make(WF_SEC);

		stopped += wf_timer_stop(t);
		wf_timer_free(t);
	}
	bench_per_op("TimerStop", start, ops);
	bench_check("TimerStop", stopped, ops);
}

void
bench_timerreset(long ops)
{
	wf_timer *t = wf_timer_make(3600 * WF_SEC);
	int64_t start = bench_now(), active = 0;

	for (long i = 0; i < ops; i++)
		active += wf_timer_reset(t, 3600 * WF_SEC);
	bench_per_op("TimerReset", start, ops);
	bench_check("TimerReset", active, ops);
	wf_timer_free(t);
}

static void
send_longs(wf_chan(long) c, long times)
{
	while (times--)
		wf_send(c, 1L);
}

void
bench_selecttimeout(long ops)
{
	wf_chan(long) c = wf_chan_make(long, 0);
	wf_waitgroup wg = {0};
	int64_t start, sum = 0;
	long v = 0;

	BENCH_MUST(c && !wf_waitgroup_spawn(&wg, send_longs, c, ops));
	start = bench_now();
	for (long i = 0; i < ops; i++)
		if (wf_select(wf_on_recv(c, &v), wf_on_timeout(WF_SEC)) == 0)
			sum += v;
	bench_per_op("SelectTimeout", start, ops);
	bench_check("SelectTimeout", sum, ops);
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
}
