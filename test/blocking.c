/* SPDX-License-Identifier: MIT */
/*
 * blocking.c - tests of regions in which a thread may sleep: the others go on
 * at once, whatever way the region is left, and however many there are.
 */
#include "tap.h"

#include <pthread.h>

#include "sched.h"

#ifdef WEFT_CHAOS
enum { DISORDER = 1 };
#else
enum { DISORDER = 0 };
#endif

static size_t
blocked(void)
{
	return wf__load_relaxed(&wf__sched.blocked);
}

static void
count(int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

/* What waited in the queue of the one that enters has been handed over, and
 * a stand-in is there: by the time the region begins, not 10 ms later.  (Unless
 * the monitor sends the stand-in away, at the same time, for which it had seen
 * no reason any more.) */
static bool
hands_over_once(void)
{
	struct wf__worker *w;
	wf_waitgroup wg = {0};
	bool stands_in;
	int n = 0;

	tap_settle();
	w = wf__self();
	for (int i = 0; i < 5; i++)
		wf_waitgroup_spawn(&wg, count, &n);
	wf_blocking {
		check_eq(wf__runq_length(&w->queue), 0);
		check(!wf__runq_has_next(&w->queue));
		check_eq(blocked(), 1);
		stands_in = wf__load_relaxed(&wf__sched.limit) >
		    wf__load_relaxed(&wf__sched.target);
	}
	check_eq(blocked(), 0);
	wf_waitgroup_wait(&wg);
	check_eq(n, 5);
	return stands_in;
}

static int
hands_over(void)
{
	enum { TIMES = 9 };
	int good = 0;

	for (int i = 0; i < TIMES; i++)
		good += hands_over_once();
	check(good > TIMES / 2);
	return 0;
}

static int
leave_by_return(void)
{
	wf_blocking
		return (int)blocked();
	return -1;
}

/* All ways out, and regions within regions. */
static int
ways_out(void)
{
	int n = 0;

	wf_blocking {
		wf_blocking {
			check_eq(blocked(), 1);
			n++;
		}
		check_eq(blocked(), 1);
	}
	check_eq(n, 1);
	check_eq(blocked(), 0);
	check_eq(leave_by_return(), 1);
	check_eq(blocked(), 0);
	wf_blocking {
		break;
	}
	check_eq(blocked(), 0);
	wf_blocking
		goto out;
	n = 7;
out:
	check_eq(n, 1);
	check_eq(blocked(), 0);
	errno = 33;
	wf_blocking
		errno = 34;
	check_eq(errno, 34);
	return 0;
}

static void
exit_inside(int *n)
{
	wf_defer(count, n);

	wf_blocking
		wf_blocking
			wf_exit();
}

static int
exits(void)
{
	wf_waitgroup wg = {0};
	int n = 0;

	for (int i = 0; i < 20; i++)
		wf_waitgroup_spawn(&wg, exit_inside, &n);
	wf_waitgroup_wait(&wg);
	check_eq(n, 20);
	check_eq(blocked(), 0);
	return 0;
}

/* More than there may be stand-ins: all blocked in read(), and each is let go
 * by a thread of its own making. */
enum { MANY = WF__MAX_EXTRA + 40 };

static void
read_in_region(int fd, int *n)
{
	char byte;

	wf_blocking
		check_eq(read(fd, &byte, 1), 1);
	count(n);
}

static void *
write_all(void *arg)
{
	int *fd = arg;

	for (int i = 0; i < MANY; i++) {
		check_eq(write(*fd, "x", 1), 1);
		if (i % 16 == 0)
			usleep(1000);
	}
	return NULL;
}

static int
too_many(void)
{
	wf_waitgroup wg = {0};
	pthread_t thread;
	int ends[2], n = 0;

	/* Once all workers are inside, only this thread can free one. */
	if (!check_eq(pipe(ends), 0) || !check(!pthread_create(&thread, NULL,
	    write_all, &ends[1])))
		return 1;
	for (int i = 0; i < MANY; i++)
		check_eq(wf_waitgroup_spawn(&wg, read_in_region, ends[0], &n),
		    0);
	wf_waitgroup_wait(&wg);
	pthread_join(thread, NULL);
	check_eq(n, MANY);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* A chain of hand-overs between coroutines that block on each other in the
 * kernel, with a sleeper's timer on each worker. */
static void
relay(int in, int out, int rounds)
{
	char byte = 0;

	for (int i = 0; i < rounds; i++) {
		wf_blocking
			check_eq(read(in, &byte, 1), 1);
		if (i % 8 == 0)
			wf_sleep(50 * WF_US);
		wf_blocking
			check_eq(write(out, &byte, 1), 1);
	}
}

static int
ring(void)
{
	enum { LENGTH = 6, ROUNDS = 60 };
	int ends[LENGTH][2];
	wf_waitgroup wg = {0};

	for (int i = 0; i < LENGTH; i++)
		if (!check_eq(pipe(ends[i]), 0))
			return 1;
	for (int i = 0; i < LENGTH; i++)
		wf_waitgroup_spawn(&wg, relay, ends[i][0],
		    ends[(i + 1) % LENGTH][1], ROUNDS);
	check_eq(write(ends[0][1], "x", 1), 1);
	wf_waitgroup_wait(&wg);
	check_eq(blocked(), 0);
	for (int i = 0; i < LENGTH; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
	return 0;
}

/* Timers of a worker that is in a region fire, near ones and far ones: the end
 * of the region hangs on it. */
static void
write_later(int fd, int64_t ns)
{
	wf_sleep(ns);
	check_eq(write(fd, "x", 1), 1);
}

static int
timers_fire(void)
{
	static const int64_t times[] = { WF_MS, 12 * WF_MS, 28 * WF_MS,
	    33 * WF_MS, 70 * WF_MS };
	wf_waitgroup wg = {0};
	int ends[2];
	char byte;

	check_eq(pipe(ends), 0);
	for (int i = 0; i < 5; i++) {
		check_eq(wf_waitgroup_spawn(&wg, write_later, ends[1],
		    times[i]), 0);
		wf_yield();		/* it sleeps, on this worker mostly */
		wf_blocking
			check_eq(read(ends[0], &byte, 1), 1);
	}
	wf_waitgroup_wait(&wg);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* A timer that is far off does not make each entry wake somebody. */
static void
wait_long(wf_ctx *ctx)
{
	check_eq(wf_sleep_ctx(ctx, 3600 * WF_SEC), -ECANCELED);
}

static uint64_t
wakes(void)
{
	struct wf_stats stats;

	wf_stats(&stats);
	return stats.wakes;
}

static bool
some_entries_wake_nobody(void)
{
	enum { TIMES = 200 };
	uint64_t before = wakes();

	for (int i = 0; i < TIMES; i++)
		wf_blocking
			usleep(200);
	return wakes() - before < TIMES / 2;
}

static int
entries_wake_nobody(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup wg = {0};
	bool good = false;

	for (int i = 0; i < 16; i++)
		check_eq(wf_waitgroup_spawn(&wg, wait_long, ctx), 0);
	wf_sleep(WF_MS);		/* each worker has one, if need be */
	/* Others are woken as well on a machine that is busy. */
	for (int i = 0; i < 50 && !good; i++)
		good = some_entries_wake_nobody();
	check(good);
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&wg);
	wf_ctx_free(ctx);
	return 0;
}

/* On a plain thread it is a block like others. */
static void
plain(void)
{
	int n = 0;

	wf_blocking
		n++;
	check_eq(n, 1);
}

static int
leave_without(void)
{
	wf_blocking_leave();
	return 0;
}

static int
misuse(void)
{
	return wf_run(leave_without);
}

int
main(void)
{
	tap_plain("outside of a coroutine", plain);
	tap_child("a region that was not entered is misuse", misuse,
	    TAP_ABORTED, "wf_blocking");
	tap_test_workers("hands over at once", hands_over);
	tap_test_workers("all ways out", ways_out);
	tap_test_workers("wf_exit() inside", exits);
	tap_test_workers("a ring that blocks in the kernel", ring);
	tap_test_workers("timers fire", timers_fire);
	if (DISORDER)
		tap_skip("entries wake nobody", "others are woken, too");
	else
		tap_test_workers("entries wake nobody", entries_wake_nobody);
	tap_test_workers("more than there are stand-ins", too_many);
	return tap_end();
}
