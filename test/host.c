/* SPDX-License-Identifier: MIT */
/*
 * host.c - tests of weft as a guest: the program around it gets its threads,
 * descriptors, memory and mappings back, again and again.
 *
 * What the process has is counted before and after, from /proc.
 */
#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

#include "tap.h"

#ifdef WEFT_CHAOS
enum { DISORDER = 1 };
#else
enum { DISORDER = 0 };
#endif

static long
count_threads(void)
{
	return tap_entries("/proc/self/task");
}

static long
count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	long n = 0;
	int c;

	if (!check(maps))
		return -1;
	while ((c = getc(maps)) != EOF)
		n += c == '\n';
	fclose(maps);
	return n;
}

/* One that was joined may be on the list a moment longer. */
static void
check_threads(long wanted)
{
	for (int i = 0; i < 5000 && count_threads() != wanted; i++)
		usleep(1000);
	check_eq(count_threads(), wanted);
}

/* ---- start, stop, again ---- */

static void
add_one(int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static void
use_timers(void)
{
	wf_timer *never = wf_timer_make(3600 * WF_SEC);
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_US);

	check(never && ctx);
	wf_sleep(WF_US);
	check_eq(wf_sleep_ctx(ctx, 3600 * WF_SEC), -ETIMEDOUT);
	wf_ctx_free(ctx);
	wf_timer_free(never);
}

static void
write_byte(int fd)
{
	check_eq(wf_write(wf_ctx_background(), fd, "x", 1), 1);
}

static void
use_descriptors(void)
{
	int ends[2];
	char c;

	if (!check_eq(pipe(ends), 0))
		return;
	check_eq(wf_spawn(write_byte, ends[1]), 0);
	check_eq(wf_read(wf_ctx_background(), ends[0], &c, 1), 1);
	wf_fd_close(ends[0]);
	wf_fd_close(ends[1]);
}

static void
send_one(wf_chan(int) c)
{
	check_eq(wf_send(c, 1), 1);
}

/* A bit of everything. */
static void
use_all(int *n)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};

	if (!check(c != NULL))
		return;
	for (int i = 0; i < 20; i++)
		check_eq(wf_waitgroup_spawn(&wg, add_one, n), 0);
	check_eq(wf_waitgroup_spawn(&wg, send_one, c), 0);
	check_eq(wf_recv(c, NULL), 1);
	use_timers();
	use_descriptors();
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	add_one(n);
}

static void
cycles(long times)
{
	for (long i = 0; i < times; i++) {
		int n = 0;

		check_eq(wf_start(NULL), 0);
		check_eq(wf_spawn(use_all, &n), 0);
		check_eq(wf_stop(30 * WF_SEC), 0);
		check_eq(n, 21);
	}
}

/* The allocator's arenas and the C library's cache of thread stacks settle in
 * the first cycles, and vary by a few mappings from then on. */
static void
start_and_stop(void)
{
	long fds, threads, maps, bytes;

	cycles(20);
	fds = tap_entries("/proc/self/fd");
	threads = 1 + TAP_TSAN;
	check_threads(threads);
	maps = count_mappings();
	bytes = tap_bytes();
	cycles(tap_scale(1000, TAP_ASAN || TAP_TSAN ? 40 : 200));
	check_eq(tap_entries("/proc/self/fd"), fds);
	check_threads(threads);
	check_eq(tap_bytes(), bytes);
	if (!TAP_ASAN && !TAP_TSAN && !check(count_mappings() < maps + 20))
		tap_note("%ld mappings before, %ld after", maps,
		    count_mappings());
}

/* A stop that has to give up says who is still there, by option. */

static void
straggler(wf_chan(int) c)
{
	wf_recv(c, NULL);
}

static int
stop_names_them(void)
{
	struct wf_options o = { .workers = 2, .list_leaks = true };
	wf_chan(int) c = wf_chan_make(int, 0);

	check_eq(wf_start(&o), 0);
	check_eq(wf_spawn(straggler, c), 0);
	check_eq(wf_stop(20 * WF_MS), -ETIMEDOUT);
	wf_close(c);
	check_eq(wf_stop(WF_FOREVER), 0);
	wf_chan_free(c);
	return 0;
}

/* ---- fork ---- */

/* Other threads are in the middle of all kinds of things. */

static long
is_over(const int *over)
{
	return __atomic_load_n(over, __ATOMIC_RELAXED);
}

static void
be_busy(int *over, wf_chan(int) c, wf_mutex *m)
{
	int n = 0;

	while (!is_over(over)) {
		wf_waitgroup wg = {0};

		wf_waitgroup_spawn(&wg, add_one, &n);
		wf_mutex_lock(m);
		wf_yield();
		wf_mutex_unlock(m);
		wf_select(wf_on_send(c, 1), wf_on_recv(c, NULL),
		    wf_on_timeout(10 * WF_US));
		use_timers();
		use_descriptors();
		wf_waitgroup_wait(&wg);
	}
}

static void *
start_is_busy(void *arg)
{
	while (!is_over(arg)) {
		check_eq(wf_start(NULL), -EBUSY);
		wf_workers(0);
		wf_slot_make(NULL);
	}
	return NULL;
}

static int
answer(void)
{
	int n = 0;

	use_all(&n);
	return n == 21 ? 42 : 0;
}

/* In the child: weft, from the start.  By alarm if it hangs. */
__attribute__((noreturn)) static void
child_starts_afresh(void)
{
	alarm(60);
	tap__state.child = 1;
	tap__state.failures = 0;	/* the parent's are not ours */
	if (wf_self() || wf_stop(0) != 0)
		_exit(1);
	cycles(2);
	if (wf_run(answer) != 42)
		_exit(2);
	_exit(__atomic_load_n(&tap__state.failures, __ATOMIC_RELAXED) ? 3 : 0);
}

__attribute__((noreturn)) static void
child_execs(void)
{
	execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
	_exit(1);
}

static int
end_of(pid_t pid)
{
	int status = -1;

	if (check(pid > 0))
		wf_blocking
			check_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		tap_note("the child died by signal %d", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
fork_once(bool exec)
{
	pid_t pid = fork();

	if (pid == 0 && exec)
		child_execs();
	if (pid == 0)
		child_starts_afresh();
	check_eq(end_of(pid), exec ? 7 : 0);
}

static void
fork_often(long times)
{
	for (long i = 0; i < times; i++)
		fork_once(i % 4 == 3);
}

static void *
forking_thread(void *arg)
{
	fork_often(*(long *)arg);
	return NULL;
}

static int
fork_while_busy(void)
{
	long times = tap_scale(200, 12) / 2;
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0}, forks = {0};
	wf_mutex m = {0};
	pthread_t thread, other;
	int over = 0;

	for (int i = 0; i < 8; i++)
		check_eq(wf_waitgroup_spawn(&wg, be_busy, &over, c, &m), 0);
	check_eq(pthread_create(&thread, NULL, forking_thread, &times), 0);
	check_eq(pthread_create(&other, NULL, start_is_busy, &over), 0);
	check_eq(wf_waitgroup_spawn(&forks, fork_often, times), 0);
	wf_waitgroup_wait(&forks);
	wf_blocking
		pthread_join(thread, NULL);
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	wf_blocking
		pthread_join(other, NULL);
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	return 0;
}

/* The child's child, and one of a process whose weft has stopped. */
static void
fork_again(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		cycles(1);
		fork_once(false);
		fork_once(true);
		child_starts_afresh();
	}
	check_eq(end_of(pid), 0);
}

/* Coming to the coroutine's end is said. */
static void
fork_and_return(int *status)
{
	struct rlimit none = { 0, 0 };
	pid_t pid = fork();

	if (pid == 0)
		setrlimit(RLIMIT_CORE, &none);
	else
		wf_blocking
			check_eq(waitpid(pid, status, 0), pid);
}

static int
return_in_child(void)
{
	wf_waitgroup wg = {0};
	int status = 0;

	wf_waitgroup_spawn(&wg, fork_and_return, &status);
	wf_waitgroup_wait(&wg);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	return 0;
}

static int
run_return_in_child(void)
{
	return wf_run(return_in_child);
}

/* ---- threads of the host's ---- */

enum { THREADS = 16, ROUNDS = 10 };

struct crowd {
	wf_mutex m;
	long plain;			/* under it */
	wf_chan(long) c, never;
	wf_ctx *ctx;
	wf_waitgroup all;
	long sum, canceled;		/* atomic */
};

static void
send_to_crowd(struct crowd *w, long v, bool selects)
{
	bool ok = false;

	if (!selects)
		check_eq(wf_send(w->c, v), 1);
	while (selects && !ok)
		wf_select(wf_on_send_ok(w->c, v, &ok),
		    wf_on_recv(w->never, NULL), wf_on_timeout(WF_MS));
}

static void
recv_in_crowd(struct crowd *w, bool selects)
{
	long v = 0;

	if (!selects)
		check_eq(wf_recv(w->c, &v), 1);
	else
		check_eq(wf_select(wf_on_recv(w->c, &v),
		    wf_on_done(w->ctx)), 0);
	__atomic_add_fetch(&w->sum, v, __ATOMIC_RELAXED);
}

/* A coroutine or a thread: the same. */
static void
take_part(struct crowd *w, int number)
{
	for (int i = 0; i < ROUNDS; i++) {
		wf_mutex_lock(&w->m);
		w->plain++;
		wf_mutex_unlock(&w->m);
		if (number % 2)
			send_to_crowd(w, number, (number / 2 + i) % 2);
		else
			recv_in_crowd(w, (number / 2 + i) % 2);
	}
	wf_waitgroup_done(&w->all);
	check_eq(wf_recv_ctx(w->ctx, w->never, NULL), -ECANCELED);
	__atomic_add_fetch(&w->canceled, 1, __ATOMIC_RELAXED);
}

struct thread {
	pthread_t id;
	struct crowd *crowd;
	int number;
};

static void *
take_part_thread(void *arg)
{
	struct thread *t = arg;

	take_part(t->crowd, t->number);
	return NULL;		/* right after the last wait */
}

static bool
gather(struct crowd *w, struct thread *threads, int coros, wf_waitgroup *wg)
{
	wf_waitgroup_add(&w->all, THREADS + coros);
	for (int i = 0; i < THREADS; i++) {
		threads[i].crowd = w;
		threads[i].number = i;
		if (!check_eq(pthread_create(&threads[i].id, NULL,
		    take_part_thread, &threads[i]), 0))
			return false;
	}
	for (int i = 0; i < coros; i++)
		check_eq(wf_waitgroup_spawn(wg, take_part, w, THREADS + i), 0);
	return true;
}

static int
threads_and_coroutines(void)
{
	long coros = tap_scale(10000, TAP_ASAN || TAP_TSAN ? 1000 : 4000);
	struct crowd w = { .c = wf_chan_make(long, 3),
	    .never = wf_chan_make(long, 0),
	    .ctx = wf_ctx_with_cancel(wf_ctx_background()) };
	struct thread threads[THREADS];
	wf_waitgroup wg = {0};
	long all = coros + THREADS;

	if (!check(w.c && w.never) || !gather(&w, threads, (int)coros, &wg))
		return 1;
	wf_waitgroup_wait(&w.all);
	wf_ctx_cancel(w.ctx);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i < THREADS; i++)
		check_eq(pthread_join(threads[i].id, NULL), 0);
	check_eq(w.plain, all * ROUNDS);
	check_eq(w.canceled, all);
	check_eq(w.sum, all * all / 4 * ROUNDS);	/* 1 + 3 + ... */
	wf_ctx_free(w.ctx);
	wf_chan_free(w.c);
	wf_chan_free(w.never);
	return 0;
}

/* ---- coroutines that compute ---- */

static int64_t
cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * WF_SEC + t.tv_nsec;
}

static void
compute_until(int *over)
{
	while (!__atomic_load_n(over, __ATOMIC_RELAXED))
		continue;
}

/* With one worker and eight hogs, who waits for a ticker gets its ticks: it is
 * the one that ends the hogs, which would go on for ever. */
static int
ticks_beside_hogs(void)
{
	wf_ticker *ticker = wf_ticker_make(WF_MS);
	wf_waitgroup hogs = {0};
	int over = 0;

	if (!check(ticker != NULL))
		return 1;
	for (int i = 0; i < 8; i++)
		check_eq(wf_waitgroup_spawn(&hogs, compute_until, &over), 0);
	for (int i = 0; i < 100; i++)
		check_eq(wf_recv(wf_ticker_chan(ticker), NULL), 1);
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	wf_waitgroup_wait(&hogs);
	wf_ticker_free(ticker);
	return 0;
}

/* Thousands that compute take turns on few threads. */

static void
compute(long *most, int64_t ns)
{
	int64_t until = cpu_time() + ns;
	long n, seen;

	while (cpu_time() < until)
		continue;
	n = count_threads();
	seen = __atomic_load_n(most, __ATOMIC_RELAXED);
	while (n > seen && !__atomic_compare_exchange_n(most, &seen, n, false,
	    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
}

static int
many_compute(void)
{
	long most = 0, n = tap_scale(1000, 100);
	wf_waitgroup wg = {0};

	for (long i = 0; i < n; i++)
		check_eq(wf_waitgroup_spawn(&wg, compute, &most,
		    tap_scale(50, 15) * WF_MS), 0);
	wf_waitgroup_wait(&wg);
	/* The worker, a stand-in for each of 16 at most, the monitor, and what
	 * was there before. */
	if (!check(most > 1 && most <= 16 + 8 + TAP_TSAN))
		tap_note("%ld threads", most);
	return 0;
}

/* ---- idle ---- */

/* Context switches of all threads but this one. */
static long
switches(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	long sum = 0, n;
	char path[300], line[200];
	FILE *f;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof path, "/proc/self/task/%s/status",
		    entry->d_name);
		if (entry->d_name[0] == '.' ||
		    atol(entry->d_name) == getpid() || !(f = fopen(path, "r")))
			continue;
		while (fgets(line, sizeof line, f))
			if (sscanf(line, "voluntary_ctxt_switches: %ld", &n))
				sum += n;
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static void
read_end(int fd)
{
	char c;

	check_eq(wf_read(wf_ctx_background(), fd, &c, 1), 0);
}

/* Once all is quiet, which may take a while, nothing wakes up at all: a call
 * that waits would. */
static void
parked(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	long before;
	int ends[2];

	check_eq(pipe(ends), 0);
	check_eq(wf_spawn(straggler, c), 0);
	check_eq(wf_spawn(read_end, ends[0]), 0);
	do {
		before = switches();
		usleep(200000);
	} while (switches() != before);
	close(ends[1]);
	wf_close(c);
	check_eq(wf_stop(30 * WF_SEC), 0);
	close(ends[0]);
	wf_chan_free(c);
}

static void
tick(wf_ticker *ticker, long n)
{
	for (long i = 0; i < n; i++)
		check_eq(wf_recv(wf_ticker_chan(ticker), NULL), 1);
}

static void
tick_in_coroutine(wf_ticker *ticker, long n)
{
	wf_waitgroup wg = {0};

	check_eq(wf_waitgroup_spawn(&wg, tick, ticker, n), 0);
	wf_waitgroup_wait(&wg);
}

/* A ticker wakes its worker once for each tick, and the monitor looks every
 * 10 ms; nobody else wakes, once the workers know that it is not worth it.
 * On a machine that is busy others are, now and then: until some ticks have
 * been as they should. */
static bool
one_wakes(wf_ticker *ticker, long n)
{
	enum { LOOKS_A_SECOND = 100, ODD = 5 };
	long before = switches(), woken, looks;
	int64_t from = wf_now();

	tick_in_coroutine(ticker, n);
	woken = switches() - before;
	looks = (wf_now() - from) * LOOKS_A_SECOND / WF_SEC;
	return woken >= n / 2 && woken <= n + looks + ODD;
}

static void
ticking(void)
{
	wf_ticker *ticker = wf_ticker_make(WF_MS);

	tick_in_coroutine(ticker, 300);
	while (!one_wakes(ticker, tap_scale(1000, 100)))
		continue;
	wf_ticker_free(ticker);
	check_eq(wf_stop(30 * WF_SEC), 0);
}

int
main(void)
{
	tap_count_memory();
	tap_child("the child of a fork comes to the coroutine's end",
	    run_return_in_child, 0, "weft: fork: the child of a fork");
	tap_child("a stop that gives up says who is there", stop_names_them, 0,
	    "weft: 1 coroutine is left after wf_stop() has", "straggler");
	tap_plain("start and stop, again and again", start_and_stop);
	if (TAP_TSAN || TAP_ASAN) {
		tap_skip("fork", "a sanitizer's own locks are copied as well");
	} else {
		tap_test_workers("fork while all are busy", fork_while_busy);
		tap_plain("fork again", fork_again);
	}
	tap_test_workers("16 threads, thousands of coroutines",
	    threads_and_coroutines);
	tap_workers(1);
	tap_test("1 worker, 8 hogs: a ticker ticks", ticks_beside_hogs);
	tap_test("hundreds compute on few threads", many_compute);
	if (TAP_TSAN)
		tap_skip("idle", "a thread of its own wakes up");
	else
		tap_plain("parked, with a descriptor: no switch", parked);
	if (DISORDER)
		tap_skip("a ticker wakes one worker", "others are woken, too");
	for (int i = 1; i <= 4 && !TAP_TSAN && !DISORDER; i *= 4) {
		tap_workers(i);
		tap_plain("a ticker wakes one worker", ticking);
	}
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
