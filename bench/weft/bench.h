/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what every workload needs: the clock, the form of a result, and a
 * loud way to fail.
 *
 * A workload is a function of its number of operations.  It runs as the first
 * coroutine of the program, checks what it computed, and prints one line for
 * each figure: "Row value unit", or "Row/figure value unit".
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <weft.h>

struct row {
	const char *name;
	long ops;
	void (*run)(long ops);
	const char *what;	/* what is counted, for the table */
};

/* coro.c */
void bench_switch(long ops);
void bench_spawn(long ops);
void bench_waitgroup(long ops);

/* pin.c */
void bench_pin(long ops);

/* sync.c */
void bench_mutex(long ops);
void bench_mutexcontended(long ops);
void bench_mutexspin(long ops);
void bench_rwmutex(long ops);
void bench_rwmutexwrite100(long ops);
void bench_rwmutexwrite10(long ops);
void bench_once(long ops);
void bench_cond(long ops);
void bench_semaphore(long ops);

/* chan.c */
void bench_pingpong(long ops);
void bench_spsc(long ops);
void bench_mpmc(long ops);
void bench_makechan(long ops);

/* select.c */
void bench_select4(long ops);
void bench_selectdefault1(long ops);
void bench_selectdefault2(long ops);

/* selects.c */
void bench_selectprodcons(long ops);
void bench_selectuncontended(long ops);
void bench_selectsynccontended(long ops);
void bench_selectasynccontended(long ops);
void bench_chanpopular(long ops);

/* pattern.c */
void bench_ring(long ops);
void bench_sieve(long ops);
void bench_skynet(long ops);

/* park.c */
void bench_park1m(long ops);

/* timer.c */
void bench_timers100k(long ops);
void bench_timerstop(long ops);
void bench_timerreset(long ops);
void bench_selecttimeout(long ops);

/* context.c */
void bench_ctx(long ops);
void bench_ctxcancel1000(long ops);
void bench_ctxtimeout(long ops);
void bench_ctxtree(long ops);
void bench_ctxshared(long ops);
void bench_selectshared(long ops);

/* latency.c */
void bench_wake(long ops);
void bench_tailunderload(long ops);
void bench_fairness(long ops);

/* grow.c: prints a point of a curve; 0, or 2 if there is no such curve. */
int bench_grow(const char *curve, long n);

/* echo.c: serves until killed. */
int bench_echo_server(void);

/* Nanoseconds of the monotonic clock, from the system and not from weft. */
int64_t bench_now(void);

/* Print a figure: any one; the time since start per operation; the time since
 * start in milliseconds. */
void bench_figure(const char *name, double value, const char *unit);
void bench_per_op(const char *name, int64_t start, long ops);
void bench_ms(const char *name, int64_t start);

/* Sort n numbers, the least first. */
void bench_sort(int64_t *v, long n);

/* Bytes of memory that the process has now, page tables included. */
double bench_memory(void);

/* End the program with an error if a result is wrong, or a call failed. */
void bench_check(const char *name, int64_t got, int64_t want);
#define BENCH_MUST(call) \
	((call) ? (void)0 : bench_failed(__FILE__, __LINE__, #call))
_Noreturn void bench_failed(const char *file, int line, const char *call);

#endif
