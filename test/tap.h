/* SPDX-License-Identifier: MIT */
/*
 * tap.h - what a test program of weft needs, speaking the Test Anything
 * Protocol.
 *
 *	static int
 *	add(void)
 *	{
 *		check_eq(1 + 1, 2);
 *		return 0;
 *	}
 *
 *	int
 *	main(void)
 *	{
 *		tap_test("one and one", add);	(a coroutine, by wf_run)
 *		return tap_end();
 *	}
 *
 * A failed check is recorded and the test goes on: nothing here jumps out of
 * a function, which a coroutine's stack could not survive.  Checks may be made
 * in any coroutine or thread; the tap_ functions belong to the plain main
 * thread, but for tap_scale(), tap_seed(), tap_random(), tap_settle(),
 * tap_parked(), tap_await_parked() and tap_note().
 *
 * From the environment:
 *	WEFT_TEST=full		the full counts of tap_scale()
 *	WEFT_TEST_SLOW=n	n times as long until a test counts as hung
 *	WEFT_TEST_ONLY=text	only tests with this text in their name
 *	WEFT_SEED=n		the seed, to repeat a run
 *	WEFT_TEST_SIM=n		simulate each tap_test() by n schedules: for
 *				programs that use no thread but weft's
 */
#ifndef TAP_H
#define TAP_H

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weft.h>

/* Which sanitizer is built in.  Some tests cannot be under some. */
#if defined __SANITIZE_ADDRESS__
#define TAP_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define TAP_ASAN 1
#endif
#endif
#ifndef TAP_ASAN
#define TAP_ASAN 0
#endif
#if defined __SANITIZE_THREAD__
#define TAP_TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define TAP_TSAN 1
#endif
#endif
#ifndef TAP_TSAN
#define TAP_TSAN 0
#endif

/* For tap_child(): the child is to die by SIGABRT. */
#define TAP_ABORTED (-1)

/* Most failures of one test that are printed; the rest are only counted. */
#define TAP_MOST_PRINTED 20
/* Seconds until a test counts as hung, before WEFT_TEST_SLOW. */
#define TAP_SECONDS 60

#define TAP_UNUSED __attribute__((unused))

static struct {
	int tests;		/* that ran or were skipped */
	int failed;		/* tests that did */
	int workers;		/* for the tests that follow; 0: not set */
	int child;		/* this is the process of a tap_child() */
	int failures;		/* atomic: failed checks of this test */
	int seeded;		/* atomic: the seed has been printed */
	long bytes;		/* atomic: what weft has of the allocator */
	long allocations;	/* atomic: how often it asked */
	/* For the alarm: */
	const char *volatile name;	/* of the running test */
	unsigned period;		/* seconds between alarms */
	int alarms;			/* in this test */
	int64_t used;			/* of the processor, at the last one */
	pid_t waited_for;		/* a tap_child(), or 0 */
} tap__state;

/* Leaks are looked for in the program itself, not in a child that ends in the
 * middle of its work. */
#if TAP_ASAN
#ifdef __cplusplus
extern "C"
#endif
TAP_UNUSED __attribute__((weak, visibility("default"))) int
__lsan_is_turned_off(void)
{
	return tap__state.child;
}
#endif

/* A diagnostic line. */
TAP_UNUSED __attribute__((format(printf, 1, 2))) static void
tap_note(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	fprintf(stderr, "# %s\n", text);
}

TAP_UNUSED __attribute__((noinline)) static void
tap__fail(const char *file, int line, const char *text)
{
	int n = __atomic_add_fetch(&tap__state.failures, 1, __ATOMIC_RELAXED);

	if (n <= TAP_MOST_PRINTED)
		tap_note("%s:%d: %s", file, line, text);
	else if (n == TAP_MOST_PRINTED + 1)
		tap_note("and more");
}

TAP_UNUSED static inline bool
tap__check(bool good, const char *file, int line, const char *expr)
{
	if (!good)
		tap__fail(file, line, expr);
	return good;
}

TAP_UNUSED static inline bool
tap__check_eq(long long a, long long b, const char *file, int line,
    const char *a_text, const char *b_text)
{
	char text[256];

	if (a == b)
		return true;
	snprintf(text, sizeof text, "%s == %s: %lld, %lld", a_text, b_text,
	    a, b);
	tap__fail(file, line, text);
	return false;
}

/* Record a failure unless expr is true, or unless two integers are equal.
 * The value is the truth of it. */
#define check(expr) tap__check((expr) ? true : false, __FILE__, __LINE__, #expr)
#define check_eq(a, b) tap__check_eq((long long)(a), (long long)(b), \
	__FILE__, __LINE__, #a, #b)

/* A file of the tree, by its way from this source file's folder. */
#define tap_open(path, mode) tap__open(__FILE__, path, mode)
TAP_UNUSED static FILE *
tap__open(const char *source, const char *path, const char *mode)
{
	const char *slash = strrchr(source, '/');
	char text[1024];

	snprintf(text, sizeof text, "%.*s%s", slash ?
	    (int)(slash - source + 1) : 0, source, path);
	return fopen(text, mode);
}

/* The full count with WEFT_TEST=full, else the short one. */
TAP_UNUSED static long
tap_scale(long full, long shortened)
{
	const char *how = getenv("WEFT_TEST");

	return how && !strcmp(how, "full") ? full : shortened;
}

/* The seed of this run, printed once. */
TAP_UNUSED static uint64_t
tap_seed(void)
{
	static uint64_t seed;
	const char *given = getenv("WEFT_SEED");
	struct timespec now;

	if (!__atomic_load_n(&seed, __ATOMIC_ACQUIRE)) {
		uint64_t none = 0, fresh;

		clock_gettime(CLOCK_REALTIME, &now);
		fresh = given ? strtoull(given, NULL, 0) :
		    (uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec;
		__atomic_compare_exchange_n(&seed, &none, fresh ? fresh : 1,
		    false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	}
	if (!__atomic_exchange_n(&tap__state.seeded, 1, __ATOMIC_RELAXED))
		tap_note("WEFT_SEED=%llu", (unsigned long long)seed);
	return __atomic_load_n(&seed, __ATOMIC_ACQUIRE);
}

/* The next of a row of random numbers; any state will do (splitmix64). */
TAP_UNUSED static inline uint64_t
tap_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Give the others time to park.  No check may rely on it: it only makes the
 * path through a wait the likely one. */
TAP_UNUSED static void
tap_settle(void)
{
	for (int i = 0; i < 20; i++)
		wf_yield();
	wf_sleep(WF_MS / 2);
}

/* How many coroutines are parked and wait for this, by the words of a dump. */
TAP_UNUSED static int
tap_parked(const char *why)
{
	FILE *f = tmpfile();
	char line[512];
	int n = 0;

	if (!f) {
		tap__fail(__FILE__, __LINE__, "tmpfile()");
		return 0;
	}
	wf_dump(fileno(f));
	rewind(f);
	while (fgets(line, sizeof line, f))
		n += strstr(line, why) != NULL;
	fclose(f);
	return n;
}

/* Until at least n of them are. */
TAP_UNUSED static void
tap_await_parked(const char *why, int n)
{
	while (tap_parked(why) < n)
		wf_yield();
}

/* The allocator behind tap_count_memory(). */
TAP_UNUSED static void *
tap__alloc(void *arg, size_t size)
{
	(void)arg;
	__atomic_add_fetch(&tap__state.bytes, (long)size, __ATOMIC_RELAXED);
	__atomic_add_fetch(&tap__state.allocations, 1, __ATOMIC_RELAXED);
	return aligned_alloc(16, (size + 15) & ~(size_t)15);
}

TAP_UNUSED static void
tap__free(void *arg, void *p, size_t size)
{
	(void)arg;
	__atomic_sub_fetch(&tap__state.bytes, (long)size, __ATOMIC_RELAXED);
	free(p);
}

/* Before all else: count what weft takes from its allocator. */
TAP_UNUSED static bool
tap_count_memory(void)
{
	static const struct wf_allocator counting = { tap__alloc, tap__free,
	    NULL };

	return wf_set_allocator(&counting) == 0;
}

/* The bytes that weft has now, and how often it has asked for some. */
TAP_UNUSED static long
tap_bytes(void)
{
	return __atomic_load_n(&tap__state.bytes, __ATOMIC_RELAXED);
}

TAP_UNUSED static long
tap_allocations(void)
{
	return __atomic_load_n(&tap__state.allocations, __ATOMIC_RELAXED);
}

/* How many entries a folder has, such as /proc/self/task or /proc/self/fd: of
 * the latter one is for the look at it. */
TAP_UNUSED static int
tap_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;

	if (!check(dir))
		return -1;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* The number of workers for the tests that follow, 1 to 1024. */
TAP_UNUSED static void
tap_workers(int n)
{
	tap__state.workers = n;
	if (wf_workers(n) < 0)
		tap__fail(__FILE__, __LINE__, "wf_workers() refused");
}

/* What the clock says, in ns, or 0. */
TAP_UNUSED static int64_t
tap__clock(clockid_t id)
{
	struct timespec t;

	return clock_gettime(id, &t) < 0 ? 0 :
	    (int64_t)t.tv_sec * WF_SEC + t.tv_nsec;
}

/*
 * Is this test not hung, but slow, as the machine has hardly any time for it?
 * One that hangs uses none of what there is, or all.
 */
TAP_UNUSED static bool
tap__is_starved(void)
{
	int64_t used = tap__clock(CLOCK_PROCESS_CPUTIME_ID), more;
	int64_t period = (int64_t)tap__state.period * WF_SEC;
	clockid_t child;

	if (tap__state.waited_for &&
	    clock_getcpuclockid(tap__state.waited_for, &child) == 0)
		used += tap__clock(child);
	more = used - tap__state.used;
	tap__state.used = used;
	return ++tap__state.alarms < 10 && more > period / 100 &&
	    more < period / 2;
}

/*
 * The watchdog.  The handler runs wherever the signal lands; asking weft for
 * its coroutines there is no more than worth a try, so a second alarm is set
 * that simply kills.
 */
TAP_UNUSED static void
tap__hung(int sig)
{
	static const char text[] = "\n# hung: ";
	const char *name = tap__state.name;

	if (tap__is_starved()) {
		alarm(tap__state.period);
		return;
	}
	signal(sig, SIG_DFL);
	alarm(5);
	if (write(2, text, sizeof text - 1) < 0 ||
	    write(2, name, strlen(name)) < 0 || write(2, "\n", 1) < 0)
		_exit(124);
	wf_dump(2);
	if (tap__state.child)
		_exit(124);	/* not mistaken for an expected abort */
	abort();
}

TAP_UNUSED static void
tap__watch(int times)
{
	const char *slow = getenv("WEFT_TEST_SLOW");
	int factor = slow ? atoi(slow) : TAP_ASAN || TAP_TSAN ? 5 : 1;
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = tap__hung;
	action.sa_flags = SA_NODEFER | SA_RESTART; /* for the second alarm */
	sigaction(SIGALRM, &action, NULL);
	tap__state.period =
	    (unsigned)(TAP_SECONDS * times * (factor > 0 ? factor : 1));
	tap__state.alarms = 0;
	tap__state.used = tap__clock(CLOCK_PROCESS_CPUTIME_ID);
	alarm(tap__state.period);
}

/* Begin a test; false when it is not wanted. */
TAP_UNUSED static bool
tap__begin(const char *name, int times)
{
	const char *only = getenv("WEFT_TEST_ONLY");

	if (only && !strstr(name, only))
		return false;
	setvbuf(stdout, NULL, _IOLBF, 0);
	fflush(NULL);
	tap__state.tests++;
	tap__state.name = name;
	__atomic_store_n(&tap__state.failures, 0, __ATOMIC_RELAXED);
	tap__watch(times);
	return true;
}

TAP_UNUSED static void
tap__result(const char *name, int workers)
{
	int failures = __atomic_load_n(&tap__state.failures, __ATOMIC_RELAXED);

	alarm(0);
	tap__state.failed += failures != 0;
	printf("%s %d - %s", failures ? "not ok" : "ok", tap__state.tests,
	    name);
	if (workers)
		printf(" (%d worker%s)", workers, workers == 1 ? "" : "s");
	printf("\n");
	if (failures)
		tap_note("failed: %s, %d failures", name, failures);
	fflush(stdout);
}

TAP_UNUSED static bool
tap_simulated(void)
{
	return getenv("WEFT_TEST_SIM") != NULL;
}

/* As the first coroutine of a run, or of many simulated ones. */
TAP_UNUSED static int
tap__run(int (*fn)(void), const struct wf_site *site)
{
	const char *n = getenv("WEFT_TEST_SIM");
	struct wf_sim_options o;

	if (!n)
		return wf_run_raw(site, (void (*)(void))fn, 0, NULL);
	memset(&o, 0, sizeof o);
	o.schedules = (unsigned)atoi(n);
	o.seed = tap_seed();
	o.steps = 10000000;
	o.may_leave = true;
	o.net.ideal = true;
	return wf_sim_raw(site, &o, (void (*)(void))fn, 0, NULL);
}

TAP_UNUSED static void
tap__test(const char *name, int (*fn)(void), const struct wf_site *site)
{
	if (!tap__begin(name, 1))
		return;
	check_eq(tap__run(fn, site), 0);
	tap__result(name, tap__state.workers);
}

/* Run int fn(void) as the first coroutine; it is to return 0. */
#define tap_test(name, fn) do { \
	static const struct wf_site tap__site = { __FILE__, #fn, __LINE__ }; \
	tap__test(name, fn, &tap__site); } while (0)

/* The same with 1, 2, 4 and 16 workers. */
#define tap_test_workers(name, fn) do { \
	static const struct wf_site tap__site = { __FILE__, #fn, __LINE__ }; \
	static const int tap__count[] = { 1, 2, 4, 16 }; \
	for (int tap__i = 0; tap__i < 4; tap__i++) { \
		tap_workers(tap__count[tap__i]); \
		tap__test(name, fn, &tap__site); \
	} } while (0)

static void
tap__call(int (*fn)(void), int *result)
{
	*result = fn();
}

/* Run int fn(void) as a coroutine of a runtime that this thread pumps: then no
 * turn of anybody's depends on when the system gives which thread a core. */
TAP_UNUSED static void
tap_test_pumped(const char *name, int (*fn)(void))
{
	struct wf_options o;
	wf_waitgroup wg;
	int result = 1;

	if (!tap__begin(name, 1))
		return;
	memset(&o, 0, sizeof o);
	memset(&wg, 0, sizeof wg);
	o.workers = WF_PUMPED;
	check_eq(wf_stop(10 * WF_SEC), 0);
	if (check_eq(wf_start(&o), 0)) {
		wf_waitgroup_spawn(&wg, tap__call, fn, &result);
		wf_waitgroup_wait(&wg);
		check_eq(result, 0);
		check_eq(wf_stop(WF_FOREVER), 0);
	}
	tap__result(name, 0);
}

/* Run void fn(void) on the plain thread. */
TAP_UNUSED static void
tap_plain(const char *name, void (*fn)(void))
{
	if (!tap__begin(name, 1))
		return;
	fn();
	tap__result(name, 0);
}

/* For tap_plain(), the last test after tap_count_memory(). */
TAP_UNUSED static void
tap_all_freed(void)
{
	check_eq(wf_stop(10 * WF_SEC), 0);
	check_eq(tap_bytes(), 0);
	check(tap_allocations() > 0);
}

TAP_UNUSED static void
tap_skip(const char *name, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tap__state.tests, name, why);
	fflush(stdout);
}

/* The child's side of tap_child(). */
TAP_UNUSED static void
tap__child_run(int (*fn)(void), int err)
{
	struct rlimit none = { 0, 0 };
	int result;

	tap__state.child = 1;
	tap__state.waited_for = 0;
	dup2(err, 2);
	setrlimit(RLIMIT_CORE, &none);
	tap__watch(1);
	result = fn();
	fflush(NULL);
	_exit(__atomic_load_n(&tap__state.failures, __ATOMIC_RELAXED) ?
	    123 : result);
}

/* Read fd to its end; keep the first size - 1 bytes, as a string. */
TAP_UNUSED static void
tap__read_all(int fd, char *text, size_t size)
{
	char rest[4096];
	size_t have = 0;

	for (;;) {
		size_t room = size - 1 - have;
		ssize_t n = read(fd, room ? text + have : rest,
		    room ? room : sizeof rest);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (room)
			have += (size_t)n;
	}
	text[have] = '\0';
}

TAP_UNUSED static void
tap__check_status(int got, int wanted)
{
	if (WIFSIGNALED(got)) {
		if (wanted != TAP_ABORTED || WTERMSIG(got) != SIGABRT) {
			tap_note("the child died by signal %d", WTERMSIG(got));
			tap__fail(__FILE__, __LINE__, "the child's end");
		}
	} else if (wanted != WEXITSTATUS(got)) {
		tap_note("the child ended with status %d, wanted %s%d",
		    WEXITSTATUS(got), wanted == TAP_ABORTED ? "abort " : "",
		    wanted);
		tap__fail(__FILE__, __LINE__, "the child's end");
	}
}

/* Run int fn(void) in a child process.  See tap_child(). */
TAP_UNUSED static void
tap__child(const char *name, int (*fn)(void), int status, ...)
{
	static char text[1 << 16];
	const char *wanted;
	va_list args;
	int ends[2], got = 0;
	pid_t pid;

	if (!tap__begin(name, 2))
		return;
	if (pipe(ends) < 0 || (pid = fork()) < 0) {
		tap__fail(__FILE__, __LINE__, "pipe or fork");
		tap__result(name, 0);
		return;
	}
	if (pid == 0) {
		close(ends[0]);
		tap__child_run(fn, ends[1]);
	}
	close(ends[1]);
	tap__state.waited_for = pid;
	tap__read_all(ends[0], text, sizeof text);
	close(ends[0]);
	while (waitpid(pid, &got, 0) < 0 && errno == EINTR)
		;
	tap__state.waited_for = 0;
	tap__check_status(got, status);
	va_start(args, status);
	while ((wanted = va_arg(args, const char *)))
		if (!strstr(text, wanted)) {
			tap_note("not said: \"%s\"", wanted);
			tap__fail(__FILE__, __LINE__, "the child's stderr");
		}
	va_end(args);
	if (tap__state.failures)
		fprintf(stderr, "# the child said:\n%s\n", text);
	tap__result(name, 0);
}

/* tap_child(name, fn, status, texts...): run int fn(void) on the plain thread
 * of a child.  It is to end with this status (or TAP_ABORTED), by returning or
 * by itself, and each text, at least one, is to stand in its stderr. */
#define tap_child(name, fn, status, ...) \
	tap__child(name, fn, status, __VA_ARGS__, (const char *)NULL)

/* Print the plan.  The exit status of the program: 0 when tests ran and none
 * failed. */
TAP_UNUSED static int
tap_end(void)
{
	if (!tap__state.tests) {
		printf("not ok 1 - there is a test\n");
		tap__state.tests = tap__state.failed = 1;
	}
	printf("1..%d\n", tap__state.tests);
	fflush(stdout);
	return tap__state.failed ? 1 : 0;
}

#endif
