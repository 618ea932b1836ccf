/* SPDX-License-Identifier: MIT */
/*
 * retire.c - tests of workers that are one too many: what they owned is taken
 * over, their threads end after a while, and come back when they are wanted.
 */
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

#include "workers.h"

static int
count_threads(void)
{
	return tap_entries("/proc/self/task");
}

static void *
nothing(void *arg)
{
	return arg;
}

/* Before weft has any.  A sanitizer has one of its own, from when the program
 * starts its first. */
static int
count_others(void)
{
	pthread_t thread;

	if (check(!pthread_create(&thread, NULL, nothing, NULL)))
		pthread_join(thread, NULL);
	return count_threads();
}

/* Sooner or later there are no more: otherwise the test hangs. */
static void
await_threads(int wanted)
{
	while (count_threads() > wanted)
		wf_sleep(WF_MS);
}

/* ---- they leave, and come back ---- */

enum { CROWD = 6 };

struct crowd {
	int inside;
	int threads;			/* while all were inside */
	wf_waitgroup asleep, done;
};

/* All are in a region at once, each on a thread of its own; there they set
 * timers, as the coroutines that they are. */
static void
meet(struct crowd *c)
{
	wf_blocking {
		if (__atomic_add_fetch(&c->inside, 1, __ATOMIC_ACQ_REL) ==
		    CROWD)
			__atomic_store_n(&c->threads, count_threads(),
			    __ATOMIC_RELEASE);
		while (!__atomic_load_n(&c->threads, __ATOMIC_ACQUIRE))
			usleep(100);
	}
	wf_waitgroup_done(&c->asleep);
	wf_sleep(WF__WORKERS_STAY + WF__WORKERS_STAY / 4);
	wf_waitgroup_done(&c->done);
}

static bool
are_timers_handed_over(void)
{
	for (unsigned i = 1; i < wf__load_acquire(&wf__sched.n_workers); i++)
		if (wf__timerq_first(&wf__sched_worker(i)->timers) !=
		    WF_FOREVER)
			return false;
	return true;
}

static void
crowd(int without)
{
	struct crowd c = { 0 };

	wf_waitgroup_add(&c.asleep, CROWD);
	wf_waitgroup_add(&c.done, CROWD);
	for (int i = 0; i < CROWD; i++)
		check_eq(wf_spawn(meet, &c), 0);
	wf_waitgroup_wait(&c.asleep);
	check(c.threads >= without + CROWD);
	/* One worker is left, and the monitor. */
	await_threads(without + 2);
	while (!are_timers_handed_over())
		wf_sleep(WF_MS);
	wf_waitgroup_wait(&c.done);
}

static int
leave_and_return(int without)
{
	wf_workers(1);
	crowd(without);
	/* Nothing is in the way of those that come back. */
	wf_workers(3);
	check(count_threads() >= without + 2);
	wf_workers(1);
	crowd(without);
	return 0;
}

static void
threads_leave(void)
{
	wf_run(leave_and_return, count_others());
}

/* ---- but not from who is pinned to them ---- */

struct pair {
	int pinned;
	wf_waitgroup here, done;
	wf_chan(long) go;
};

static void
stay(struct pair *p)
{
	long thread = syscall(SYS_gettid), v;

	check_eq(wf_pin(), 0);
	__atomic_add_fetch(&p->pinned, 1, __ATOMIC_ACQ_REL);
	/* Each keeps its worker until the other has one as well. */
	while (__atomic_load_n(&p->pinned, __ATOMIC_ACQUIRE) < 2)
		wf_yield();
	wf_waitgroup_done(&p->here);
	wf_recv(p->go, &v);
	check_eq(syscall(SYS_gettid), thread);
	check_eq(wf_unpin(), 0);
	wf_waitgroup_done(&p->done);
}

static int
pinned(int without)
{
	struct pair p = { .go = wf_chan_make(long, 0) };

	if (!check(p.go))
		return 1;
	wf_workers(2);
	wf_waitgroup_add(&p.here, 2);
	wf_waitgroup_add(&p.done, 2);
	check_eq(wf_spawn(stay, &p), 0);
	check_eq(wf_spawn(stay, &p), 0);
	wf_waitgroup_wait(&p.here);
	wf_workers(1);
	wf_sleep(WF__WORKERS_STAY + WF__WORKERS_STAY / 4);
	wf_close(p.go);
	wf_waitgroup_wait(&p.done);
	await_threads(without + 2);
	wf_chan_free(p.go);
	return 0;
}

static void
pinned_stay(void)
{
	wf_run(pinned, count_others());
}

/* ---- threads that are not weft's start timers there meanwhile ---- */

struct clocks {
	int wanted;
	int over;
};

static void *
wait_for_timers(void *arg)
{
	struct clocks *k = arg;

	for (int i = 0; i < k->wanted; i++) {
		wf_timer *t = wf_timer_make(i % 8 * 20 * WF_US);
		wf_timer *never = wf_timer_make(3600 * WF_SEC);
		int64_t v;

		if (!check(t && never))
			break;
		check_eq(wf_recv(wf_timer_chan(t), &v), 1);
		check(wf_timer_stop(never));
		wf_timer_free(never);
		wf_timer_free(t);
	}
	__atomic_add_fetch(&k->over, 1, __ATOMIC_RELEASE);
	return NULL;
}

static int
come_and_go(void)
{
	struct clocks k = { .wanted = tap_scale(20000, 1000) };
	pthread_t thread[2];
	int before = wf_workers(0), n = 0;

	while (n < 2 && check(!pthread_create(&thread[n], NULL,
	    wait_for_timers, &k)))
		n++;
	for (int i = 0; __atomic_load_n(&k.over, __ATOMIC_ACQUIRE) < n; i++) {
		wf_workers(1 + i % 4);
		/* Now and then as long as it takes until they leave. */
		wf_sleep(i % 7 || WF__WORKERS_STAY > WF_SEC ?
		    i % 5 * 50 * WF_US : WF__WORKERS_STAY - 30 * WF_US);
	}
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	wf_workers(before);
	return 0;
}

int
main(void)
{
	tap_plain("threads leave, and come back", threads_leave);
	tap_plain("who is pinned keeps his thread", pinned_stay);
	tap_test("timers of threads, while workers come and go", come_and_go);
	return tap_end();
}
