/* SPDX-License-Identifier: MIT */
/* sync.c - mutexes, rwmutexes, once, conditions, semaphores. */
#include "bench.h"

#include <stdlib.h>

enum { PARTIES = 8, WORDS = 16 << 10 };

static wf_mutex mutex;
static wf_rwmutex rwmutex;
static int64_t counter;		/* under one of the locks */

void
bench_mutex(long ops)
{
	int64_t start = bench_now();

	for (long n = 0; n < ops; n++) {
		wf_mutex_lock(&mutex);
		counter++;
		wf_mutex_unlock(&mutex);
	}
	bench_per_op("Mutex", start, ops);
	bench_check("Mutex", counter, ops);
}

static void
count_under_mutex(long n)
{
	while (n--) {
		wf_mutex_lock(&mutex);
		counter++;
		wf_mutex_unlock(&mutex);
	}
}

void
bench_mutexcontended(long ops)
{
	wf_waitgroup all = {0};
	int64_t start = bench_now();

	for (int i = 0; i < PARTIES; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&all, count_under_mutex,
		    ops / PARTIES));
	wf_waitgroup_wait(&all);
	bench_per_op("MutexContended", start, ops);
	bench_check("MutexContended", counter, ops);
}

static void
spin_and_work(long n)
{
	uint64_t *data = calloc(WORDS, sizeof *data);

	BENCH_MUST(data);
	while (n--) {
		wf_mutex_lock(&mutex);
		counter++;
		wf_mutex_unlock(&mutex);
		for (int i = 0; i < WORDS; i += 4)
			data[i]++;
		/* The compiler is to do all of it, each time. */
		__asm__ volatile("" : : "r"(data) : "memory");
	}
	free(data);
}

void
bench_mutexspin(long ops)
{
	wf_waitgroup all = {0};
	int64_t start = bench_now();
	long workers = wf_workers(0);

	for (long i = 0; i < workers; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&all, spin_and_work,
		    ops / workers));
	wf_waitgroup_wait(&all);
	bench_per_op("MutexSpin", start, ops);
	bench_check("MutexSpin", counter, ops / workers * workers);
}

/* Each write_each-th is a write; 0: none is. */
static void
read_and_write(long n, long write_each)
{
	int64_t seen = 0;

	for (long i = 1; i <= n; i++) {
		if (write_each && i % write_each == 0) {
			wf_rwmutex_lock(&rwmutex);
			counter++;
			wf_rwmutex_unlock(&rwmutex);
			continue;
		}
		wf_rwmutex_read_lock(&rwmutex);
		if (counter < seen)
			bench_failed(__FILE__, __LINE__, "order");
		seen = counter;
		wf_rwmutex_read_unlock(&rwmutex);
	}
}

static void
run_rwmutex(const char *name, long ops, long write_each)
{
	wf_waitgroup all = {0};
	int64_t start = bench_now();
	long workers = wf_workers(0), each = ops / workers;

	for (long i = 0; i < workers; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&all, read_and_write, each,
		    write_each));
	wf_waitgroup_wait(&all);
	bench_per_op(name, start, ops);
	bench_check(name, counter, write_each ?
	    each / write_each * workers : 0);
}

void
bench_rwmutex(long ops)
{
	run_rwmutex("RWMutex", ops, 0);
}

void
bench_rwmutexwrite100(long ops)
{
	run_rwmutex("RWMutexWrite100", ops, 100);
}

void
bench_rwmutexwrite10(long ops)
{
	run_rwmutex("RWMutexWrite10", ops, 10);
}

static void
count_once(void)
{
	counter++;
}

void
bench_once(long ops)
{
	static wf_once once;
	int64_t start;

	wf_once_do(&once, count_once);
	start = bench_now();
	for (long n = 0; n < ops; n++)
		wf_once_do(&once, count_once);
	bench_per_op("Once", start, ops);
	bench_check("Once", counter, 1);
}

struct barrier {
	wf_mutex lock;
	wf_cond all_here;
	int waiters, here;
	long rounds;
};

static void
meet(struct barrier *b, long rounds)
{
	while (rounds--) {
		wf_mutex_lock(&b->lock);
		if (b->here++ == b->waiters) {
			b->here = 0;
			b->rounds++;
			wf_cond_broadcast(&b->all_here);
		} else
			wf_cond_wait(&b->all_here, &b->lock);
		wf_mutex_unlock(&b->lock);
	}
}

static void
run_cond(const char *name, long ops, int waiters)
{
	struct barrier b = { .waiters = waiters };
	wf_waitgroup all = {0};
	long rounds = ops / (waiters + 1);
	int64_t start = bench_now();

	for (int i = 0; i <= waiters; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&all, meet, &b, rounds));
	wf_waitgroup_wait(&all);
	bench_per_op(name, start, rounds * (waiters + 1));
	bench_check(name, b.rounds, rounds);
}

void
bench_cond(long ops)
{
	run_cond("Cond/1", ops, 1);
	run_cond("Cond/8", ops, 8);
	run_cond("Cond/32", ops, 32);
}

static wf_sem units = WF_SEM(2);

static void
acquire_often(long n)
{
	while (n--) {
		wf_sem_acquire(&units, 1);
		wf_sem_release(&units, 1);
	}
}

void
bench_semaphore(long ops)
{
	wf_waitgroup all = {0};
	int64_t start = bench_now();

	acquire_often(ops);
	bench_per_op("Semaphore/alone", start, ops);
	start = bench_now();
	for (int i = 0; i < PARTIES; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&all, acquire_often,
		    ops / PARTIES));
	wf_waitgroup_wait(&all);
	bench_per_op("Semaphore/shared", start, ops);
	bench_check("Semaphore", wf_sem_try_acquire(&units, 2), 0);
}
