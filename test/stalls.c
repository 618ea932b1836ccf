/* SPDX-License-Identifier: MIT */
/*
 * stalls.c - tests of the option that names coroutines which keep their
 * worker: who, where, once; and that no call of theirs notices.
 *
 * The tests wait for the reports themselves, through the report hook.
 */
#include "tap.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>

static struct {
	int named, over, more;		/* atomic: reports of each kind */
	char text[8192];		/* the last one that names somebody */
} said;

static void
hear(const char *text)
{
	if (!strncmp(text, "weft: stall: ", 13) && strstr(text, "kept")) {
		snprintf(said.text, sizeof said.text, "%s", text);
		if (strstr(text, "were not named"))
			__atomic_add_fetch(&said.more, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&said.named, 1, __ATOMIC_RELEASE);
	} else if (strstr(text, "goes on after"))
		__atomic_add_fetch(&said.over, 1, __ATOMIC_RELEASE);
}

static int
named(void)
{
	return __atomic_load_n(&said.named, __ATOMIC_ACQUIRE);
}

static void
begin(int workers)
{
	struct wf_options o = { .workers = workers,
	    .stall_limit = 15 * WF_MS };

	memset(&said, 0, sizeof said);
	wf_set_report_hook(hear);
	check_eq(wf_start(&o), 0);
}

static void
end(void)
{
	check_eq(wf_stop(WF_FOREVER), 0);
	wf_set_report_hook(NULL);
}

/* On the plain thread. */
static void
await_named(int n)
{
	while (named() < n)
		usleep(1000);
}

/* ---- who and where ---- */

/* The code between two symbols of the linker. */
#define MARKED __attribute__((noinline, section("hog_code")))
extern const char __start_hog_code[], __stop_hog_code[];

MARKED static void
burn(int until)
{
	while (named() < until)
		__asm__ volatile("" ::: "memory");
}

MARKED static void
hog(int until)
{
	burn(until);
	__asm__ volatile("" ::: "memory");	/* no jump instead of a call */
}

static bool
is_said(const char *text)
{
	return TAP_TSAN || strstr(said.text, text);
}

static void
look_for(const char *text)
{
	if (!check(is_said(text)))
		tap_note("no \"%s\" in: %s", text, said.text);
}

/* A hog whose thread loses its core on the way there is named before it is
 * where it is to be found: then once more. */
enum { ATTEMPTS = 20 };

static void
name_hog_at(const char *where)
{
	for (int i = 0; i < ATTEMPTS && (i == 0 || !is_said(where)); i++) {
		begin(2);
		check_eq(wf_spawn(hog, 1), 0);
		await_named(1);
		end();
		check_eq(named(), 1);		/* once */
	}
	look_for(where);
}

static void
name_a_hog(void)
{
	name_hog_at("burn+0x");
	look_for("hog (");
	look_for("computing, at");
	look_for("hog+0x");
	look_for("stalls+0x");
}

/* What addr2line is given is an address in the function, as the file has it. */
static void
find_in_file(void)
{
	const char *at;
	unsigned long offset = 0, from = (unsigned long)__start_hog_code,
	    to = (unsigned long)__stop_hog_code;

	name_hog_at("burn+0x");
	at = strstr(said.text, "stalls+0x");
	if (TAP_TSAN || !check(at) ||
	    !check_eq(sscanf(at, "stalls+%lx", &offset), 1))
		return;
	/* The program is loaded at a multiple of a page. */
	check(to - from < 4096 && ((offset - from) & 4095) < to - from);
}

/* ---- in a call that blocks ---- */

static struct {
	int ends[2], epoll;
	sem_t sem;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
} ways;

__attribute__((noinline)) static void
read_plainly(void)
{
	char c;

	check_eq(read(ways.ends[0], &c, 1), 1);
}

static void
poll_plainly(void)
{
	struct pollfd p = { .fd = ways.ends[0], .events = POLLIN };

	check_eq(poll(&p, 1, 3600 * 1000), 1);
	read_plainly();
}

static void
poll_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN };

	check_eq(epoll_wait(ways.epoll, &e, 1, 3600 * 1000), 1);
	read_plainly();
}

static void
wait_for_sem(void)
{
	check_eq(sem_wait(&ways.sem), 0);
}

static void
lock_plainly(void)
{
	check_eq(pthread_mutex_lock(&ways.mutex), 0);
	check_eq(pthread_mutex_unlock(&ways.mutex), 0);
}

/* Sleeps are short, and many if need be. */
static void
sleep_plainly(void)
{
	struct timespec t = { .tv_nsec = 100 * WF_MS };

	while (!named())
		check_eq(nanosleep(&t, NULL), 0);
}

static void
wait_with_timeout(void)
{
	struct pollfd p = { .fd = ways.epoll, .events = POLLIN };

	while (!named())
		check(poll(&p, 1, 100) >= 0);
}

/* Let go of it once it has been named. */
static void
name_blocked_once(void (*fn)(void))
{
	begin(2);
	pthread_mutex_lock(&ways.mutex);
	check_eq(wf_spawn(fn), 0);
	await_named(1);
	pthread_mutex_unlock(&ways.mutex);
	check_eq(write(ways.ends[1], "x", 1), 1);
	check_eq(sem_post(&ways.sem), 0);
	end();
	check(sem_trywait(&ways.sem) == 0 || fn == wait_for_sem);
}

static void
drain(void)
{
	struct pollfd p = { .fd = ways.ends[0], .events = POLLIN };
	char c;

	while (poll(&p, 1, 0) == 1)
		check_eq(read(ways.ends[0], &c, 1), 1);
}

/* Once more, if it was named before it came to its call. */
static void
name_blocked(void (*fn)(void), const char *name)
{
	for (int i = 0; i < ATTEMPTS && (i == 0 || !is_said(name) ||
	    !is_said("system call")); i++) {
		name_blocked_once(fn);
		drain();
	}
	look_for(name);
	look_for("system call");
}

static void
name_all_blocked(void)
{
	static const struct {
		void (*fn)(void);
		const char *name;
	} all[] = { { read_plainly, "read_plainly+" },
	    { poll_plainly, "poll_plainly+" }, { poll_epoll, "poll_epoll+" },
	    { wait_for_sem, "wait_for_sem+" },
	    { lock_plainly, "lock_plainly+" },
	    { sleep_plainly, "sleep_plainly+" },
	    { wait_with_timeout, "wait_with_timeout+" } };
	struct epoll_event e = { .events = EPOLLIN };

	check_eq(pipe(ways.ends), 0);
	check_eq(sem_init(&ways.sem, 0, 0), 0);
	pthread_mutex_init(&ways.mutex, NULL);
	ways.epoll = epoll_create1(EPOLL_CLOEXEC);
	check_eq(epoll_ctl(ways.epoll, EPOLL_CTL_ADD, ways.ends[0], &e), 0);
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		name_blocked(all[i].fn, all[i].name);
	close(ways.epoll);
	close(ways.ends[0]);
	close(ways.ends[1]);
	sem_destroy(&ways.sem);
}

/* ---- what is no stall, and what does not answer ---- */

static void
read_in_region(int fd, int *inside)
{
	char c;

	wf_blocking {
		__atomic_store_n(inside, 1, __ATOMIC_RELEASE);
		check_eq(read(fd, &c, 1), 1);
	}
}

/* While others were named twice, one in a region was not.  (On its way there it
 * may have been.) */
static void
leave_regions_alone(void)
{
	int ends[2], inside = 0, before;

	begin(2);
	check_eq(pipe(ends), 0);
	check_eq(wf_spawn(read_in_region, ends[0], &inside), 0);
	while (!__atomic_load_n(&inside, __ATOMIC_ACQUIRE))
		usleep(1000);
	before = named();
	for (int i = 1; i <= 2; i++) {
		check_eq(wf_spawn(hog, before + i), 0);
		await_named(before + i);
		look_for("hog (");
	}
	check_eq(write(ends[1], "x", 1), 1);
	end();
	close(ends[0]);
	close(ends[1]);
	check_eq(named(), before + 2);
}

static void
hide(void)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	burn(1);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void
name_who_hides(void)
{
	begin(2);
	check_eq(wf_spawn(hide), 0);
	await_named(1);
	end();
	check(strstr(said.text, "hide ("));
	check(strstr(said.text, "does not say where"));
}

/* A stall that ends by itself. */
static void
burn_a_while(void)
{
	int64_t end = wf_now() + 100 * WF_MS;

	while (wf_now() < end)
		__asm__ volatile("" ::: "memory");
}

/* More stall than may be named in a second; a later report says so. */
static void
name_a_few(void)
{
	int64_t from = wf_now();
	wf_waitgroup wg = {0};

	begin(16);
	while (!__atomic_load_n(&said.more, __ATOMIC_RELAXED)) {
		for (int i = 0; i < 16; i++)
			check_eq(wf_waitgroup_spawn(&wg, burn_a_while), 0);
		wf_waitgroup_wait(&wg);
	}
	end();
	check(named() <= 5 * ((wf_now() - from) / WF_SEC + 2));
}

/* ---- the signal ---- */

static int
handlers(void)
{
	struct sigaction a;
	int n = 0;

	for (int i = SIGRTMIN; i <= SIGRTMAX; i++)
		n += sigaction(i, NULL, &a) == 0 && a.sa_handler != SIG_DFL;
	return n;
}

static void
ignore_last(int signo)
{
	(void)signo;
}

/* The last one that is free is taken, and given back. */
static void
borrow_a_signal(void)
{
	struct sigaction mine = { .sa_handler = ignore_last }, now;

	check_eq(sigaction(SIGRTMAX, &mine, NULL), 0);
	check_eq(handlers(), 1);
	begin(1);
	check_eq(handlers(), 2);
	check_eq(sigaction(SIGRTMAX - 1, NULL, &now), 0);
	check(now.sa_handler != SIG_DFL && (now.sa_flags & SA_RESTART));
	check_eq(wf_spawn(hog, 1), 0);
	await_named(1);
	end();
	check_eq(handlers(), 1);
	check_eq(sigaction(SIGRTMAX, NULL, &now), 0);
	check(now.sa_handler == ignore_last);
	signal(SIGRTMAX, SIG_DFL);
	/* And none is taken without the option. */
	check_eq(wf_start(NULL), 0);
	check_eq(handlers(), 0);
	check_eq(wf_stop(WF_FOREVER), 0);
}

/* From the environment, without a word of the program's. */
static int
hog_by_main(void)
{
	wf_set_report_hook(hear);
	burn(1);
	while (!__atomic_load_n(&said.over, __ATOMIC_ACQUIRE))
		wf_sleep(WF_MS);
	return 0;
}

static int
run_with_environment(void)
{
	setenv("WEFT_STALLS", "20", 1);
	return wf_run(hog_by_main);
}

static int
refuse_negative(void)
{
	struct wf_options o = { .stall_limit = -1 };

	check_eq(wf_start(&o), -EINVAL);
	setenv("WEFT_STALLS", "soon", 1);
	check_eq(wf_start(NULL), 0);
	return wf_stop(WF_FOREVER);
}

/* What is reported is of no use in the middle of the test's own lines. */
static int
all_in_child(void)
{
	name_a_hog();
	find_in_file();
	name_all_blocked();
	leave_regions_alone();
	if (!TAP_TSAN)
		name_who_hides();
	name_a_few();
	borrow_a_signal();
	return 0;
}

int
main(void)
{
	tap_child("stalls are named", all_in_child, 0, "weft: stall: ");
	tap_child("the option from the environment", run_with_environment, 0,
	    "hog_by_main (", "goes on after");
	tap_child("a limit that is none", refuse_negative, 0,
	    "WEFT_STALLS=soon is left aside");
	return tap_end();
}
