/* SPDX-License-Identifier: MIT */
/*
 * bench.c - the workloads of weft, one program.
 *
 *	weft-bench ROW [OPS]	run one row, print its figures
 *	weft-bench list		name, operations and meaning of each row
 *	weft-bench version	of weft and of the compiler
 *	weft-bench grow CURVE N	one point of a curve of bench/growth.sh
 *	weft-bench echo-server	for bench/echo.sh
 *
 * WEFT_WORKERS says on how many workers.  Numbers of operations are fixed
 * and the same in every peer; bench/run.sh compares the lists.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct row rows[] = {
	{ "Switch", 10000000, bench_switch,
	  "one yield; two coroutines do nothing but yield" },
	{ "Spawn", 4000000, bench_spawn,
	  "start, run and join an empty coroutine, in batches of 1000" },
	{ "PingPong", 3000000, bench_pingpong,
	  "one round trip over two unbuffered channels" },
	{ "SPSC", 20000000, bench_spsc,
	  "one value from one sender to one receiver, capacity 128" },
	{ "MPMC", 8000000, bench_mpmc,
	  "one value from 8 senders to 8 receivers, capacity 128" },
	{ "Select4", 3000000, bench_select4,
	  "one value out of 4 unbuffered channels, each with a sender" },
	{ "SelectDefault1", 50000000, bench_selectdefault1,
	  "look at one empty channel: select with default; plain try" },
	{ "SelectDefault2", 20000000, bench_selectdefault2,
	  "look at two empty channels: select with default" },
	{ "SelectProdCons", 4000000, bench_selectprodcons,
	  "one value: selects of it, a timer, and a channel to close" },
	{ "SelectUncontended", 8000000, bench_selectuncontended,
	  "select a token out of two channels, put it into the other" },
	{ "SelectSyncContended", 2000000, bench_selectsynccontended,
	  "select out of 3 unbuffered channels that all workers share" },
	{ "SelectAsyncContended", 8000000, bench_selectasynccontended,
	  "a token out of two channels that all workers share" },
	{ "ChanPopular", 2000000, bench_chanpopular,
	  "a value to one of 1000, each also waiting on one for all" },
	{ "Ring", 4000000, bench_ring,
	  "one hop of a token round a ring of 1000 coroutines" },
	{ "Sieve", 2000, bench_sieve,
	  "the first 2000 primes, one coroutine for each prime" },
	{ "Skynet", 1000000, bench_skynet,
	  "a tree of 1,111,111 coroutines that sums through channels" },
	{ "Park1M", 1000000, bench_park1m,
	  "1,000,000 coroutines wait on a channel: start, wake, memory" },
	{ "WaitGroup", 20000000, bench_waitgroup,
	  "add one, done, wait; nobody has to wait" },
	{ "Pin", 20000000, bench_pin,
	  "pin and unpin; a round trip of a pinned coroutine" },
	{ "Mutex", 20000000, bench_mutex,
	  "lock and unlock; nobody else wants it" },
	{ "MutexContended", 8000000, bench_mutexcontended,
	  "lock, add one, unlock; 8 coroutines on one mutex" },
	{ "MutexSpin", 200000, bench_mutexspin,
	  "lock, add, unlock, then work on 128 KiB; one a worker" },
	{ "RWMutex", 20000000, bench_rwmutex,
	  "read lock and unlock; one reader a worker" },
	{ "RWMutexWrite100", 8000000, bench_rwmutexwrite100,
	  "the same, with each 100th a write lock" },
	{ "RWMutexWrite10", 8000000, bench_rwmutexwrite10,
	  "the same, with each 10th a write lock" },
	{ "Once", 100000000, bench_once,
	  "once; it is done already" },
	{ "Cond", 300000, bench_cond,
	  "arrive at a barrier of a condition and 1, 8, 32 others" },
	{ "Semaphore", 8000000, bench_semaphore,
	  "acquire and release; alone, and 8 coroutines for 2 units" },
	{ "MakeChan", 2000000, bench_makechan,
	  "make and free a channel for 8 values of 0 to 40 bytes" },
	{ "Timers100k", 100000, bench_timers100k,
	  "100,000 coroutines wake one by one within a second" },
	{ "TimerStop", 4000000, bench_timerstop,
	  "make a timer and stop it" },
	{ "TimerReset", 10000000, bench_timerreset,
	  "reset a timer that has not fired" },
	{ "SelectTimeout", 3000000, bench_selecttimeout,
	  "receive, or give up after a second: the timeout never comes" },
	{ "Ctx", 2000000, bench_ctx,
	  "make, cancel and free a context" },
	{ "CtxCancel1000", 1000, bench_ctxcancel1000,
	  "make a child of a context; cancel one with 1000 of them" },
	{ "CtxTimeout", 2000000, bench_ctxtimeout,
	  "make and free one with a timeout, among many" },
	{ "CtxTree", 500000, bench_ctxtree,
	  "make, cancel and free one in a chain cancelled at its top" },
	{ "CtxShared", 4000000, bench_ctxshared,
	  "make and free a child of a context, shared by all or private" },
	{ "SelectShared", 2000000, bench_selectshared,
	  "select with an idle context, shared by all or private" },
	{ "Wake", 1000, bench_wake,
	  "until a worker that was idle runs who was woken" },
	{ "TailUnderLoad", 1000, bench_tailunderload,
	  "how late a tick of 1 kHz is, beside 4 that compute and yield" },
	{ "Fairness", 1000, bench_fairness,
	  "longest wait of one that yields, among 7 busy ones" },
};
enum { NROWS = sizeof rows / sizeof *rows };

int64_t
bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void
bench_figure(const char *name, double value, const char *unit)
{
	printf("%s %.2f %s\n", name, value, unit);
}

void
bench_per_op(const char *name, int64_t start, long ops)
{
	bench_figure(name, (double)(bench_now() - start) / (double)ops, "ns");
}

void
bench_ms(const char *name, int64_t start)
{
	bench_figure(name, (double)(bench_now() - start) / 1e6, "ms");
}

/* A wrong run prints no figure: what is still buffered is dropped. */
void
bench_check(const char *name, int64_t got, int64_t want)
{
	if (got == want)
		return;
	fprintf(stderr, "%s: wrong result: %lld instead of %lld\n", name,
	    (long long)got, (long long)want);
	_Exit(1);
}

void
bench_failed(const char *file, int line, const char *call)
{
	fprintf(stderr, "%s:%d: failed: %s\n", file, line, call);
	_Exit(1);
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void
bench_sort(int64_t *v, long n)
{
	qsort(v, (size_t)n, sizeof *v, compare);
}

double
bench_memory(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	double kib = 0;
	char line[128];
	long n;

	BENCH_MUST(f);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %ld", &n) == 1 ||
		    sscanf(line, "VmPTE: %ld", &n) == 1)
			kib += (double)n;
	fclose(f);
	return kib * 1024;
}

static int
run(const struct row *row, long ops)
{
	row->run(ops > 0 ? ops : row->ops);
	return 0;
}

static const struct row *
find(const char *name)
{
	for (int i = 0; i < NROWS; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static int
list(void)
{
	for (int i = 0; i < NROWS; i++)
		printf("%s\t%ld\t%s\n", rows[i].name, rows[i].ops,
		    rows[i].what);
	return 0;
}

static int
version(void)
{
#ifdef __clang__
	const char *compiler = __VERSION__;
#else
	const char *compiler = "gcc " __VERSION__;
#endif
#ifdef __OPTIMIZE__
	const char *note = "";
#else
	const char *note = " (benchmark built without optimisation)";
#endif

	printf("weft %s, %s%s\n", wf_version(), compiler, note);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct row *row;

	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	if (argc == 2 && !strcmp(argv[1], "version"))
		return version();
	if (argc == 2 && !strcmp(argv[1], "echo-server"))
		return wf_run(bench_echo_server);
	if (argc == 4 && !strcmp(argv[1], "grow"))
		return wf_run(bench_grow, argv[2], atol(argv[3]));
	row = argc == 2 || argc == 3 ? find(argv[1]) : NULL;
	if (!row) {
		fprintf(stderr, "usage: %s ROW [OPS] | list | version\n",
		    argv[0]);
		return 2;
	}
	return wf_run(run, row, argc == 3 ? atol(argv[2]) : 0);
}
