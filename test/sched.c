/* SPDX-License-Identifier: MIT */
/*
 * sched.c - the scheduler as its users see it: nothing that can run is left
 * lying, nobody is starved, whatever the number of workers and however it
 * changes, and random programs end with the outcome that was computed first.
 */
#include "tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "seam.h"
#include "sched.h"

static void
set(int *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

static bool
is_set(int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

/* The pace of housekeeping, by a clock of our own and a worker that does not
 * run: some hundred microseconds apart, whatever a switch takes. */

static int64_t own_time;

static int64_t
own_now(void)
{
	return own_time;
}

/* How many switches there are until the next housekeeping, when those up to
 * this one have taken so long. */
static unsigned
round_after(struct wf__worker *w, int64_t each)
{
	own_time += (w->round + 1) * each;
	w->countdown = w->rest = 0;
	wf__sched_housekeep(w);
	check_eq(wf__sched_counted(w), w->round);
	return w->round + 1;
}

static void
paces(void)
{
	static const struct wf__seam seam = { .now = own_now };
	static struct wf__worker w;
	const struct wf__seam *before = wf__seam;
	unsigned n;

	memset(&wf__sched, 0, sizeof wf__sched);
	memset(&w, 0, sizeof w);
	wf__store_relaxed(&wf__sched.workers[0], (wf__word)&w);
	wf__store_relaxed(&wf__sched.n_workers, 1);
	wf__runq_init(&w.queue);
	wf__timerq_init(&w.timers);
	own_time = WF_SEC;
	wf__seam = &seam;
	/* After a sleep nothing is known: few. */
	n = round_after(&w, 0);
	check(n > 0 && n < WF__ROUND);
	check_eq(round_after(&w, WF_US), WF__ROUND + 1);
	/* Each computes before it switches: as many as fit, after one round. */
	n = round_after(&w, 40 * WF_US);
	check(n >= 1 && (n - 1) * 40 * WF_US <= 200 * WF_US);
	n = round_after(&w, 40 * WF_US);
	check(n >= 4 && (n - 1) * 40 * WF_US <= 200 * WF_US);
	check_eq(round_after(&w, 10 * WF_MS), 1);
	check_eq(round_after(&w, 10 * WF_MS), 1);
	/* One that does not proves little: back again, by halves. */
	check(round_after(&w, WF_US) < 8);
	for (int i = 0; i < 20; i++)
		round_after(&w, WF_US);
	check_eq(w.round, WF__ROUND);
	w.housekept = 0;
	check(round_after(&w, 10 * WF_MS) < WF__ROUND);
	wf__seam = before;
	memset(&wf__sched, 0, sizeof wf__sched);
}

/* 77: the number of workers changes all the time; two others look inside and
 * respawn. */

static void
resize(int times)
{
	for (int i = 0; i < times; i++)
		check(wf_workers(i % 10 ? 3 : 1 + i / 10 % 5) > 0);
}

static void
look(int times)
{
	int null = open("/dev/null", O_WRONLY);
	struct wf_stats stats;

	for (int i = 0; i < times; i++) {
		wf_stats(&stats);
		check(stats.live >= 2);
		if (i % 50 == 0)
			check_eq(wf_dump(null), 0);
		wf_yield();
	}
	close(null);
}

static void
respawn(int *stop, wf_waitgroup *wg)
{
	if (!is_set(stop))
		check_eq(wf_waitgroup_spawn(wg, respawn, stop, wg), 0);
}

static int
resize_storm(void)
{
	wf_waitgroup storm = {0}, others = {0};
	int before = wf_workers(0), stop = 0;

	wf_waitgroup_spawn(&others, respawn, &stop, &others);
	wf_waitgroup_spawn(&storm, resize, 1000);
	wf_waitgroup_spawn(&storm, look, 1000);
	wf_waitgroup_wait(&storm);
	set(&stop);
	wf_waitgroup_wait(&others);
	check_eq(wf_workers(before), 3);
	return 0;
}

/* However fast coroutines come and go, those that are there are counted. */
static int
never_too_few(void)
{
	enum { CHAINS = 3 };
	wf_waitgroup wg = {0};
	struct wf_stats stats;
	int stop = 0;

	for (int i = 0; i < CHAINS; i++)
		wf_waitgroup_spawn(&wg, respawn, &stop, &wg);
	for (long i = tap_scale(100000, 5000); i > 0; i--) {
		wf_stats(&stats);
		if (!check(stats.live >= CHAINS + 1 &&
		    stats.live < UINT64_MAX / 2))
			break;
		if (i % 256 == 0)
			wf_yield();
	}
	set(&stop);
	wf_waitgroup_wait(&wg);
	return 0;
}

/* 82: as many at once as there are workers, each waiting for all the others
 * without ever calling weft, after a load whose threads go to sleep. */

static void
meet(int *here, int all)
{
	__atomic_add_fetch(here, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(here, __ATOMIC_ACQUIRE) < all)
		sched_yield();
}

static void
meet_nested(int *here, int all, int more, wf_waitgroup *wg)
{
	if (more > 1)
		wf_waitgroup_spawn(wg, meet_nested, here, all, more - 1, wg);
	meet(here, all);
}

static void
load(int turns)
{
	for (int i = 0; i < turns; i++)
		wf_yield();
}

static int
parallel_after_load(void)
{
	int all = wf_workers(0);

	for (int round = 0; round < 20; round++) {
		wf_waitgroup wg = {0};
		int here = 0;

		for (int i = 0; i < 20; i++)
			wf_waitgroup_spawn(&wg, load, 50);
		if (round % 2)
			wf_waitgroup_wait(&wg);
		if (round % 4 == 3)
			wf_sleep(2 * WF_MS);
		if (round % 3)
			for (int i = 0; i < all; i++)
				wf_waitgroup_spawn(&wg, meet, &here, all);
		else
			wf_waitgroup_spawn(&wg, meet_nested, &here, all, all,
			    &wg);
		wf_waitgroup_wait(&wg);
		check_eq(here, all);
	}
	return 0;
}

/* 85: two that keep each other busy still see the time pass. */

static void
exchange(int id, wf_chan(int) c, wf_ctx *ctx, int *rounds)
{
	int v;

	for (;;) {
		switch (wf_select(wf_on_send(c, id), wf_on_recv(c, &v),
		    wf_on_done(ctx))) {
		case 1:
			check_eq(v, 1 - id);
			/* fall through */
		case 0:
			++*rounds;
			syscall(SYS_gettid);
			continue;
		}
		return;
	}
}

static int
exchange_in_time(void)
{
	wf_ctx *background = wf_ctx_background();
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	wf_ctx *ctx[2];
	int rounds[2] = {0};

	for (int i = 0; i < 2; i++) {
		ctx[i] = wf_ctx_with_timeout(background, 20 * WF_MS);
		wf_waitgroup_spawn(&wg, exchange, i, c, ctx[i], &rounds[i]);
	}
	wf_waitgroup_wait(&wg);
	check(rounds[0] - rounds[1] >= -1 && rounds[0] - rounds[1] <= 1);
	for (int i = 0; i < 2; i++) {
		check_eq(wf_ctx_err(ctx[i]), -ETIMEDOUT);
		wf_ctx_free(ctx[i]);
	}
	wf_chan_free(c);
	return 0;
}

/* 86, 88: one worker, and coroutines that compute without calling weft. */

static __attribute__((noinline)) int
owner(int *turn)
{
	return __atomic_load_n(turn, __ATOMIC_ACQUIRE);
}

static void
alternate(int me, int times, int *turn)
{
	for (int i = 0; i < times; i++) {
		while (owner(turn) != me)
			;
		__atomic_store_n(turn, 1 - me, __ATOMIC_RELEASE);
	}
}

static int
alternating_spinners(void)
{
	int times = (int)tap_scale(5, 2), turn = 1;
	wf_waitgroup wg = {0};

	wf_waitgroup_spawn(&wg, alternate, 0, times, &turn);
	wf_waitgroup_spawn(&wg, alternate, 1, times, &turn);
	wf_waitgroup_wait(&wg);
	check_eq(turn, 1);
	return 0;
}

static void
spin(int *until)
{
	while (!is_set(until))
		;
}

static int
spinner_overtaken(void)
{
	wf_waitgroup spinner = {0}, other = {0};
	int stop = 0;

	for (int i = 0; i < 3; i++) {
		stop = 0;
		wf_waitgroup_spawn(&spinner, spin, &stop);
		wf_yield();
		wf_waitgroup_spawn(&other, load, 100);
		wf_waitgroup_wait(&other);
		wf_waitgroup_spawn(&other, set, &stop);
		wf_waitgroup_wait(&spinner);
		wf_waitgroup_wait(&other);
	}
	return 0;
}

/* A spinner holds its worker; due timers and a plain thread's news are not
 * held with it. */

static void *
send_from_thread(void *arg)
{
	wf_chan(int) c = (wf_chan(int))(uintptr_t)arg;

	check_eq(wf_send(c, 88), 1);
	return NULL;
}

static int
spinner_holds_nothing(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	pthread_t thread;
	int stop = 0, v = 0;

	wf_waitgroup_spawn(&wg, spin, &stop);
	wf_sleep(WF_MS);
	if (check(!pthread_create(&thread, NULL, send_from_thread,
	    (void *)(uintptr_t)c))) {
		check_eq(wf_recv(c, &v), 1);
		pthread_join(thread, NULL);
	}
	check_eq(v, 88);
	check_eq(wf_select(wf_on_recv(c, &v), wf_on_timeout(WF_MS)), 1);
	set(&stop);
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	return 0;
}

/* Stand-ins leave when nothing is stuck any more. */

static int
stand_ins_leave(void)
{
	wf_waitgroup wg = {0};
	int stop = 0;

	for (int i = wf_workers(0); i > 0; i--)
		wf_waitgroup_spawn(&wg, spin, &stop);
	/* Relaxed, here and below: the number alone says it. */
	while (wf__load_relaxed(&wf__sched.limit) <=
	    wf__load_relaxed(&wf__sched.target))
		wf_yield();
	set(&stop);
	wf_waitgroup_wait(&wg);
	while (wf__load_relaxed(&wf__sched.limit) >
	    wf__load_relaxed(&wf__sched.target))
		wf_sleep(WF_MS);
	return 0;
}

/* Nor are the timers of a worker held that computes beyond the limit, after
 * the number of workers has shrunk. */

static void
sleep_beside_spinner(int *stop, wf_waitgroup *wg)
{
	wf_waitgroup_spawn(wg, spin, stop);
	wf_sleep(20 * WF_MS);
	set(stop);
}

static int
surplus_holds_nothing(void)
{
	for (int round = 0; round < 6; round++) {
		wf_waitgroup wg = {0};
		int stop = 0;

		wf_workers(2);
		wf_waitgroup_spawn(&wg, sleep_beside_spinner, &stop, &wg);
		wf_sleep(5 * WF_MS);
		wf_workers(1);
		wf_waitgroup_wait(&wg);
	}
	return 0;
}

/* 89: system calls without end.  A worker that computes gets one stand-in, so
 * twice the number of workers, less one, may be hogs. */

static void
write_on(int fd, int *stop)
{
	while (!is_set(stop))
		if (write(fd, "", 1) != 1)
			break;
}

static int
syscall_fairness(void)
{
	int null = open("/dev/null", O_WRONLY), stop = 0;
	int hogs = 2 * wf_workers(0) - 1;
	wf_waitgroup wg = {0};

	for (int i = 0; i < hogs && i < 5; i++)
		wf_waitgroup_spawn(&wg, write_on, null, &stop);
	wf_sleep(10 * WF_MS);
	set(&stop);
	wf_waitgroup_wait(&wg);
	close(null);
	return 0;
}

/* Coroutines that block their threads in the kernel do not block the rest. */

static void
read_raw(int fd, int *sum)
{
	char byte = 0;

	check_eq(read(fd, &byte, 1), 1);
	__atomic_add_fetch(sum, byte, __ATOMIC_RELAXED);
}

static int
blocked_in_system(void)
{
	enum { BLOCKED = 8 };
	wf_waitgroup wg = {0}, other = {0};
	int ends[2], sum = 0;

	if (!check_eq(pipe(ends), 0))
		return 1;
	for (int i = 0; i < BLOCKED; i++)
		wf_waitgroup_spawn(&wg, read_raw, ends[0], &sum);
	wf_sleep(WF_MS);
	for (int i = 0; i < BLOCKED; i++) {
		wf_waitgroup_spawn(&other, load, 10);
		wf_waitgroup_wait(&other);
		check_eq(write(ends[1], "\1", 1), 1);
	}
	wf_waitgroup_wait(&wg);
	check_eq(sum, BLOCKED);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* 91: a pair that hands itself a token and computes a lot each turn does not
 * keep a modest pair from its turns. */

static void
hand_over(wf_chan(int) in, wf_chan(int) out, long work, long *turns, int *stop)
{
	int token;

	while (wf_recv(in, &token)) {
		for (volatile long i = 0; i < work; i++)
			;
		__atomic_add_fetch(turns, 1, __ATOMIC_RELAXED);
		if (is_set(stop) || wf_send(out, token) != 1)
			break;
	}
	wf_close(out);
}

static void
pair(wf_chan(int) *c, wf_waitgroup *wg, long work, long *turns, int *stop)
{
	c[0] = wf_chan_make(int, 0);
	c[1] = wf_chan_make(int, 0);
	wf_waitgroup_spawn(wg, hand_over, c[0], c[1], work, turns, stop);
	wf_waitgroup_spawn(wg, hand_over, c[1], c[0], work, turns, stop);
	check_eq(wf_send(c[0], 1), 1);
}

static long
ping_pong(void)
{
	long heavy = 0, light = 0;
	wf_chan(int) h[2], l[2];
	wf_waitgroup wg = {0};
	int stop = 0;

	pair(h, &wg, 100000, &heavy, &stop);
	pair(l, &wg, 100, &light, &stop);
	while (__atomic_load_n(&light, __ATOMIC_RELAXED) < 200 ||
	    __atomic_load_n(&heavy, __ATOMIC_RELAXED) < 20)
		wf_yield();
	set(&stop);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i < 2; i++) {
		wf_chan_free(h[i]);
		wf_chan_free(l[i]);
	}
	return heavy;
}

static int
ping_pong_hog(void)
{
	return ping_pong() < 0;
}

/* On one thread, where no stand-in comes: a pair that is never interrupted goes
 * on for ever.  Some hundreds of turns are usual. */
static int
ping_pong_slices(void)
{
	check(ping_pong() < 5000);
	return 0;
}

/* 92: whatever the length of the run queue, each runs once. */

static void
once(unsigned char *runs)
{
	__atomic_add_fetch(runs, 1, __ATOMIC_RELAXED);
}

static int
queue_integrity(void)
{
	static unsigned char runs[1100];

	for (int n = 0; n <= 1100; n += n < 300 ? 1 : 100) {
		wf_waitgroup wg = {0};

		memset(runs, 0, sizeof runs);
		for (int i = 0; i < n; i++)
			wf_waitgroup_spawn(&wg, once, &runs[i]);
		wf_waitgroup_wait(&wg);
		for (int i = 0; i < n; i++)
			check_eq(runs[i], 1);
	}
	return 0;
}

/* 94: a lonely coroutine moves between the places where it can wait to run,
 * while all workers look for work and go to sleep. */

static int
never_overlooked(void)
{
	long rounds = tap_scale(100000, 2000);
	unsigned char runs = 0;

	for (long i = 0; i < rounds; i++) {
		wf_waitgroup wg = {0};

		wf_waitgroup_spawn(&wg, once, &runs);
		if (i % 16 == 0)
			wf_yield();
		wf_waitgroup_wait(&wg);
		check_eq(runs, (unsigned char)(i + 1));
	}
	return 0;
}

/* Nor is what comes from outside overlooked by workers that always have
 * something of their own to run. */

static void
yield_on(int *stop)
{
	while (!is_set(stop))
		wf_yield();
}

static void *
spawn_from_thread(void *arg)
{
	wf_waitgroup *wg = ((void **)arg)[0];
	int *begun = ((void **)arg)[1];

	check_eq(wf_waitgroup_spawn(wg, set, begun), 0);
	return NULL;
}

/* On one thread the news must come after some hundred turns of the others.
 * The thread that sends does so, and ends, within one turn of theirs. */

enum { TURN_OF_NEWS = 1000 };

struct counted {
	wf_chan(int) c;
	int stop;
	long turns, sent_at;
};

static void
send_by_thread(struct counted *b)
{
	pthread_t sender;

	b->sent_at = b->turns;
	if (check(!pthread_create(&sender, NULL, send_from_thread,
	    (void *)(uintptr_t)b->c)))
		pthread_join(sender, NULL);
}

static void
yield_and_count(struct counted *b)
{
	while (!b->stop) {
		if (++b->turns == TURN_OF_NEWS)
			send_by_thread(b);
		wf_yield();
	}
}

static int
news_in_turn(void)
{
	struct counted b = { .c = wf_chan_make(int, 0) };
	wf_waitgroup wg = {0};

	for (int i = 0; i < 3; i++)
		wf_waitgroup_spawn(&wg, yield_and_count, &b);
	check_eq(wf_recv(b.c, NULL), 1);
	check(b.sent_at && b.turns - b.sent_at < 2000);
	b.stop = 1;
	wf_waitgroup_wait(&wg);
	wf_chan_free(b.c);
	return 0;
}

static int
news_while_busy(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0}, outside = {0};
	int stop = 0, begun = 0, v = 0;
	void *args[] = { &outside, &begun };
	pthread_t sender, spawner;

	for (int i = 3 * wf_workers(0); i > 0; i--)
		wf_waitgroup_spawn(&wg, yield_on, &stop);
	if (check(!pthread_create(&sender, NULL, send_from_thread,
	    (void *)(uintptr_t)c))) {
		check_eq(wf_recv(c, &v), 1);
		pthread_join(sender, NULL);
	}
	check_eq(v, 88);
	if (check(!pthread_create(&spawner, NULL, spawn_from_thread, args))) {
		pthread_join(spawner, NULL);
		wf_waitgroup_wait(&outside);
	}
	check_eq(begun, 1);
	set(&stop);
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	return 0;
}

/* The same from a plain thread, which finds every worker asleep. */
static void
woken_from_outside(void)
{
	long rounds = tap_scale(20000, 500);
	unsigned char runs = 0;

	for (long i = 0; i < rounds; i++) {
		wf_waitgroup wg = {0};

		if (!check_eq(wf_waitgroup_spawn(&wg, once, &runs), 0))
			break;
		wf_waitgroup_wait(&wg);
		check_eq(runs, (unsigned char)(i + 1));
	}
	check_eq(wf_stop(WF_FOREVER), 0);
}

/* 100: a worker asleep until a far deadline is woken by news. */

static void
sleep_hours(wf_ctx *ctx)
{
	wf_chan(int) never = NULL;

	check_eq(wf_select(wf_on_recv(never, NULL), wf_on_done(ctx),
	    wf_on_timeout(3600 * WF_SEC)), 1);
}

static int
news_while_asleep(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	pthread_t thread;
	int v = 0;

	for (int i = 0; i < 3; i++)
		wf_waitgroup_spawn(&wg, sleep_hours, ctx);
	for (int i = 0; i < 20; i++) {
		wf_sleep(WF_MS);
		if (!check(!pthread_create(&thread, NULL, send_from_thread,
		    (void *)(uintptr_t)c)))
			break;
		check_eq(wf_recv(c, &v), 1);
		check_eq(v, 88);
		pthread_join(thread, NULL);
	}
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&wg);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	return 0;
}

/* 101: 1024 workers.  ThreadSanitizer takes a third of a minute for so many
 * threads. */

enum { MANY_WORKERS = TAP_TSAN ? 200 : 1024 };

static int
many_workers(void)
{
	wf_waitgroup wg = {0};

	check_eq(wf_workers(0), MANY_WORKERS);
	for (int i = 0; i < 3000; i++)
		check_eq(wf_waitgroup_spawn(&wg, load, 5), 0);
	wf_waitgroup_wait(&wg);
	return 0;
}

static int
bad_workers(void)
{
	int before = wf_workers(0);

	check(before >= 1);
	check_eq(wf_workers(-1), -EINVAL);
	check_eq(wf_workers(1025), -EINVAL);
	check_eq(wf_workers(INT32_MAX), -EINVAL);
	check_eq(wf_workers(INT32_MIN), -EINVAL);
	check_eq(wf_workers(0), before);
	check_eq(wf_workers(7), before);
	check_eq(wf_workers(before), 7);
	return 0;
}

/* Trees: each node starts its children and joins them. */

static void
grow(int depth, long *leaves)
{
	wf_waitgroup wg = {0};

	if (depth == 0) {
		__atomic_add_fetch(leaves, 1, __ATOMIC_RELAXED);
		return;
	}
	check_eq(wf_waitgroup_spawn(&wg, grow, depth - 1, leaves), 0);
	check_eq(wf_waitgroup_spawn(&wg, grow, depth - 1, leaves), 0);
	wf_waitgroup_wait(&wg);
}

static int
tree(void)
{
	long depth = tap_scale(15, 11), leaves = 0;

	grow((int)depth, &leaves);
	check_eq(leaves, 1L << depth);
	return 0;
}

/* 26: a chain; a value goes through it from right to left. */

static void
pass_on(wf_chan(int) left, wf_chan(int) right)
{
	int v;

	if (check_eq(wf_recv(right, &v), 1))
		check_eq(wf_send(left, v + 1), 1);
}

static int
chain(void)
{
	enum { LENGTH = 10000 };
	static wf_chan(int) link[LENGTH + 1];
	wf_waitgroup wg = {0};
	int v = 0;

	for (int i = 0; i <= LENGTH; i++)
		if (!check((link[i] = wf_chan_make(int, 0))))
			return 1;
	for (int i = 0; i < LENGTH; i++)
		if (!check_eq(wf_waitgroup_spawn(&wg, pass_on, link[i],
		    link[i + 1]), 0))
			return 1;
	check_eq(wf_send(link[LENGTH], 1), 1);
	check_eq(wf_recv(link[0], &v), 1);
	check_eq(v, LENGTH + 1);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i <= LENGTH; i++)
		wf_chan_free(link[i]);
	return 0;
}

/* Skynet: ten children each, the leaves send their number, sums go up. */

static void
skynet(wf_chan(long) up, long number, long size)
{
	wf_chan(long) c;
	long sum = 0, v;

	if (size == 1) {
		wf_send(up, number);
		return;
	}
	if (!check((c = wf_chan_make(long, 0))))
		return;
	for (int i = 0; i < 10; i++)
		check_eq(wf_spawn(skynet, c, number + i * (size / 10),
		    size / 10), 0);
	for (int i = 0; i < 10; i++) {
		wf_recv(c, &v);
		sum += v;
	}
	wf_chan_free(c);	/* each sender's send was received */
	wf_send(up, sum);
}

static int
skynet_small(void)
{
	long size = tap_scale(100000, 10000), v = 0;
	wf_chan(long) c = wf_chan_make(long, 0);

	check_eq(wf_spawn(skynet, c, 0L, size), 0);
	check_eq(wf_recv(c, &v), 1);
	check_eq(v, size * (size - 1) / 2);
	wf_chan_free(c);
	return 0;
}

/*
 * Random programs.  Stages of channels: the movers of a stage take values from
 * its channels and put them into those of the next one, each time by another
 * verb; the channels of a stage are closed when all who send to them are done.
 * Known before: each value arrives at the end exactly once.
 */
enum { STAGES = 3, WIDTH = 4, VALUES = 2000 };

struct program {
	wf_chan(int) c[STAGES + 1][WIDTH];
	int width[STAGES + 1];
	wf_waitgroup senders[STAGES + 1];
	unsigned char seen[VALUES];
};

static void
dawdle(uint64_t *random)
{
	switch (tap_random(random) % 16) {
	case 0: wf_sleep((int64_t)(tap_random(random) % 50) * WF_US); break;
	case 1: wf_yield(); break;
	}
}

static void
put(struct program *p, int stage, int v, uint64_t *random)
{
	int width = p->width[stage];
	wf_chan(int) a = p->c[stage][tap_random(random) % (uint64_t)width];
	wf_chan(int) b = p->c[stage][tap_random(random) % (uint64_t)width];
	bool ok = false;
	wf_ctx *ctx;
	int r;

	dawdle(random);
	switch (tap_random(random) % 6) {
	case 0:
		while ((r = wf_try_send(a, v)) == -EAGAIN)
			wf_yield();
		check_eq(r, 1);
		return;
	case 1:
		wf_select(wf_on_send_ok(a, v, &ok), wf_on_send_ok(b, v, &ok));
		check(ok);
		return;
	case 2:
		while (wf_select(wf_on_send_ok(a, v, &ok),
		    wf_on_timeout(20 * WF_US)) == 1)
			;
		check(ok);
		return;
	case 3:
		do {
			ctx = wf_ctx_with_timeout(wf_ctx_background(),
			    30 * WF_US);
			r = wf_send_ctx(ctx, a, v);
			wf_ctx_free(ctx);
		} while (r == -ETIMEDOUT);
		check_eq(r, 1);
		return;
	default:
		check_eq(wf_send(a, v), 1);
	}
}

/* Take one value of the stage; false when all its channels are closed. */
static bool
take(struct program *p, int stage, int *v, uint64_t *random, unsigned *open)
{
	struct wf_case cases[WIDTH + 1];
	int got[WIDTH];
	bool ok[WIDTH];
	int n = p->width[stage], which;

	while (*open) {
		dawdle(random);
		for (int i = 0; i < n; i++) {
			got[i] = -1;
			cases[i] = wf_case_recv_ok(*open >> i & 1 ?
			    p->c[stage][i] : (wf_chan(int))NULL, &got[i],
			    &ok[i]);
		}
		cases[n] = wf_case_timeout(
		    (int64_t)(tap_random(random) % 100) * WF_US);
		which = tap_random(random) % 4 ? wf_selectv(cases, (size_t)n) :
		    wf_selectv(cases, (size_t)n + 1);
		for (int i = 0; i < n; i++)
			check(i == which || got[i] == -1);
		if (which == n)
			continue;
		if (!check(which >= 0 && which < n && *open >> which & 1))
			return false;
		if (ok[which]) {
			*v = got[which];
			return true;
		}
		check_eq(got[which], 0);
		*open &= ~(1u << which);
	}
	return false;
}

static void
move(struct program *p, int stage, uint64_t random)
{
	unsigned open = (1u << p->width[stage]) - 1;
	int v;

	while (take(p, stage, &v, &random, &open))
		put(p, stage + 1, v, &random);
}

/* Values from first to end; sometimes the rest is left to a successor. */
static void
produce(struct program *p, int first, int end, uint64_t random)
{
	for (int v = first; v < end; v++) {
		if (tap_random(&random) % 64 == 0) {
			check_eq(wf_waitgroup_spawn(&p->senders[0], produce, p,
			    v, end, tap_random(&random)), 0);
			return;
		}
		put(p, 0, v, &random);
	}
}

static void
close_stage(struct program *p, int stage)
{
	wf_waitgroup_wait(&p->senders[stage]);
	for (int i = 0; i < p->width[stage]; i++)
		check_eq(wf_close(p->c[stage][i]), 0);
}

static bool
make_program(struct program *p, uint64_t *random)
{
	memset(p, 0, sizeof *p);
	for (int s = 0; s <= STAGES; s++) {
		p->width[s] = 1 + (int)(tap_random(random) % WIDTH);
		for (int i = 0; i < p->width[s]; i++)
			if (!check((p->c[s][i] = wf_chan_make(int,
			    tap_random(random) % 5))))
				return false;
	}
	return true;
}

static void
free_program(struct program *p)
{
	for (int s = 0; s <= STAGES; s++)
		for (int i = 0; i < p->width[s]; i++)
			wf_chan_free(p->c[s][i]);
}

static void
run_program(struct program *p, uint64_t seed)
{
	uint64_t random = seed;
	int values, producers, v;
	wf_waitgroup closers = {0};
	unsigned open;

	if (!make_program(p, &random))
		return;
	producers = 1 + (int)(tap_random(&random) % 6);
	values = (int)(tap_random(&random) % (VALUES / 10));
	for (int i = 0; i < producers; i++)
		check_eq(wf_waitgroup_spawn(&p->senders[0], produce, p,
		    values * i / producers, values * (i + 1) / producers,
		    tap_random(&random)), 0);
	for (int s = 0; s < STAGES; s++)
		for (int i = 1 + (int)(tap_random(&random) % 5); i > 0; i--)
			check_eq(wf_waitgroup_spawn(&p->senders[s + 1], move,
			    p, s, tap_random(&random)), 0);
	for (int s = 0; s <= STAGES; s++)
		check_eq(wf_waitgroup_spawn(&closers, close_stage, p, s), 0);
	open = (1u << p->width[STAGES]) - 1;
	while (take(p, STAGES, &v, &random, &open))
		if (check(v >= 0 && v < values))
			p->seen[v]++;
	for (v = 0; v < values; v++)
		if (!check_eq(p->seen[v], 1))
			tap_note("value %d of program %#llx", v,
			    (unsigned long long)seed);
	wf_waitgroup_wait(&closers);
	free_program(p);
}

static int
random_programs(void)
{
	struct program *p = malloc(sizeof *p);
	uint64_t random = tap_seed();

	if (!check(p))
		return 1;
	for (long i = tap_scale(300, 30); i > 0; i--)
		run_program(p, tap_random(&random));
	free(p);
	return 0;
}

/* Several at once, so that the queues are never short. */
static void
run_one(uint64_t seed)
{
	struct program *p = malloc(sizeof *p);

	if (check(p))
		run_program(p, seed);
	free(p);
}

static int
random_crowd(void)
{
	uint64_t random = tap_seed() + 1;
	wf_waitgroup wg = {0};

	for (long i = tap_scale(300, 40); i > 0; i--)
		check_eq(wf_waitgroup_spawn(&wg, run_one, tap_random(&random)),
		    0);
	wf_waitgroup_wait(&wg);
	return 0;
}

int
main(void)
{
	tap_plain("the pace of housekeeping", paces);
	tap_test("101: bad numbers of workers", bad_workers);
	tap_test("77: resize storm", resize_storm);
	tap_test_workers("the living are never too few", never_too_few);
	tap_test_workers("82: parallel after load", parallel_after_load);
	tap_test_workers("85: busy with each other, yet in time",
	    exchange_in_time);
	tap_test_workers("88: a spinner is overtaken", spinner_overtaken);
	tap_test_workers("88: a spinner holds nothing",
	    spinner_holds_nothing);
	tap_test_workers("stand-ins leave", stand_ins_leave);
	tap_test("a surplus spinner holds nothing",
	    surplus_holds_nothing);
	tap_test_workers("89: syscall fairness", syscall_fairness);
	tap_test_workers("blocked in the kernel", blocked_in_system);
	tap_test_workers("91: ping-pong hog", ping_pong_hog);
	tap_test_pumped("91: ping-pong hog, by turns", ping_pong_slices);
	tap_test_workers("92: queue integrity", queue_integrity);
	tap_test_workers("94: never overlooked", never_overlooked);
	tap_test_workers("94: news while busy", news_while_busy);
	tap_plain("94: woken from outside", woken_from_outside);
	tap_test_workers("100: news while asleep", news_while_asleep);
	tap_test_workers("spawn tree", tree);
	tap_test_workers("26: a chain of 10000", chain);
	tap_test_workers("skynet", skynet_small);
	tap_test_workers("random programs, one by one", random_programs);
	tap_test_workers("random programs, a crowd", random_crowd);
	tap_test_pumped("94: news in turn", news_in_turn);
	tap_workers(1);
	tap_test("86: alternating spinners", alternating_spinners);
	tap_workers(MANY_WORKERS);
	tap_test("101: very many workers", many_workers);
	return tap_end();
}
