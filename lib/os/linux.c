/* SPDX-License-Identifier: MIT */
/*
 * os/linux.c - os.h on Linux: time, futexes, fences, memory, threads.
 * Layer 1.  Uses: os.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <weft/time.h>
#include "../sanitize.h"

/* ---- time ---- */

int64_t
wf__os_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * WF_SEC + t.tv_nsec;
}

void
wf__os_yield(void)
{
	sched_yield();
}

void
wf__os_nap(int64_t ns)
{
	struct timespec t = { .tv_sec = ns / WF_SEC, .tv_nsec = ns % WF_SEC };
	int saved = errno;

	nanosleep(&t, NULL);
	errno = saved;
}

/* ---- futex ---- */

/* ThreadSanitizer keeps a signal back until the thread makes a call that it
 * knows, which a wait by a bare system call is not: so wait a little only, and
 * make such a call before. */
static int64_t
let_signals_in(int64_t deadline)
{
#ifdef WF__TSAN
	int64_t soon = wf__os_now() + 50 * WF_MS;

	usleep(0);
	return deadline < soon ? deadline : soon;
#else
	return deadline;
#endif
}

void
wf__os_futex_wait(wf__word32 *word, unsigned value, int64_t deadline)
{
	struct timespec t, *until = NULL;
	int saved = errno;

	deadline = let_signals_in(deadline);
	if (deadline != WF_FOREVER) {
		if (deadline < 0)
			deadline = 0;
		t.tv_sec = deadline / WF_SEC;
		t.tv_nsec = deadline % WF_SEC;
		until = &t;
	}
	/* The bitset form takes an absolute time of the monotonic clock. */
	syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, until, NULL,
	    FUTEX_BITSET_MATCH_ANY);
	errno = saved;
}

void
wf__os_futex_wake(wf__word32 *word, int n)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
	errno = saved;
}

/* ---- asymmetric fences ---- */

bool wf__os_asymmetric;

/* membarrier() is refused by old kernels and strict seccomp filters.
 * ThreadSanitizer does not know it, so its build has full fences. */
void
wf__os_fence_setup(void)
{
#if !defined WF__TSAN && !defined WEFT_NO_MEMBARRIER
	int saved = errno;

	if (!wf__os_fault())
		wf__os_asymmetric = syscall(SYS_membarrier,
		    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
	errno = saved;
#endif
}

void
wf__os_fence_heavy(void)
{
	int saved = errno;

	wf__fence();
	if (wf__os_asymmetric)
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0,
		    0);
	errno = saved;
}

/* ---- memory ---- */

size_t
wf__os_page_size(void)
{
	static size_t size;

	if (!size)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

void *
wf__os_map(size_t size)
{
	int saved = errno;
	void *p;

	if (wf__os_fault())
		return NULL;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (p == MAP_FAILED)
		p = NULL;
	else
		madvise(p, size, MADV_NOHUGEPAGE);
	errno = saved;
	return p;
}

void
wf__os_unmap(void *p, size_t size)
{
	munmap(p, size);
}

void
wf__os_release(void *p, size_t size)
{
	int saved = errno;

	madvise(p, size, MADV_DONTNEED);
	errno = saved;
}

size_t
wf__os_untouched(const void *p, size_t size)
{
	size_t page = wf__os_page_size(), pages = size / page, at = 0, n;
	unsigned char present[256];
	int saved = errno;

	while (at < pages) {
		n = pages - at < sizeof present ? pages - at : sizeof present;
		if (mincore((char *)(uintptr_t)p + at * page, n * page,
		    present) < 0)
			break;
		for (size_t i = 0; i < n; i++)
			if (present[i] & 1) {
				errno = saved;
				return at + i;
			}
		at += n;
	}
	errno = saved;
	return at;
}

/* ---- threads ---- */

struct start {
	void (*fn)(void *);
	void *arg;
	wf__word32 *id;
	wf__word32 taken;
	const char *name;
};

static void *
thread_main(void *p)
{
	struct start *s = p;
	void (*fn)(void *) = s->fn;
	void *arg = s->arg;

	prctl(PR_SET_NAME, s->name);
	prctl(PR_SET_TIMERSLACK, 1);	/* a nanosecond: sleeps end in time */
	wf__store32_release(s->id, (unsigned)syscall(SYS_gettid)); /* [start] */
	wf__store32_release(&s->taken, 1);	/* [start] s is gone now */
	fn(arg);
	return NULL;
}

int
wf__os_thread_start(struct wf__os_thread *t, void (*fn)(void *), void *arg,
    const char *name)
{
	struct start s = { fn, arg, &t->id, 0, name };
	sigset_t all, old;
	pthread_t handle;
	int err;

	if (wf__os_fault())
		return -EAGAIN;
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGTRAP);
	sigdelset(&all, SIGABRT);
	if (wf__os_look_signal())
		sigdelset(&all, wf__os_look_signal());
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&handle, NULL, thread_main, &s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return -err;
	t->handle = (uintptr_t)handle;
	while (!wf__load32_acquire(&s.taken))	/* [start] */
		wf__os_yield();
	return 0;
}

void
wf__os_thread_join(struct wf__os_thread *t)
{
	pthread_join((pthread_t)t->handle, NULL);
}

void
wf__os_thread_detach(struct wf__os_thread *t)
{
	pthread_detach((pthread_t)t->handle);
}

uintptr_t
wf__os_thread_self(void)
{
	return (uintptr_t)pthread_self();
}

bool
wf__os_thread_blocked(const struct wf__os_thread *t)
{
	char path[64], line[512], *p;
	int saved = errno, fd;
	bool blocked = false;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/task/%u/stat",
	    wf__load32_acquire(&t->id));			/* [start] */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
		n = read(fd, line, sizeof line - 1);
		close(fd);
		line[n > 0 ? n : 0] = '\0';
		/* The state follows the name, which may hold anything. */
		if ((p = strrchr(line, ')')) && p[1] == ' ')
			blocked = p[2] != 'R';
	}
	errno = saved;
	return blocked;
}

/* By the number of links: a listing of the folder may miss a thread that lives
 * while another one ends. */
int
wf__os_thread_count(void)
{
	int saved = errno, n = 0;
	struct stat st;

	if (stat("/proc/self/task", &st) == 0 && st.st_nlink > 2)
		n = (int)st.st_nlink - 2 - WF__SANITIZER_THREADS;
	errno = saved;
	return n;
}

/* ---- the rest ---- */

uint64_t
wf__os_seed(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ((uint64_t)t.tv_sec << 30 ^ (uint64_t)t.tv_nsec ^
	    (uint64_t)getpid() << 44) * UINT64_C(0x9e3779b97f4a7c15);
}

int
wf__os_write(int fd, const char *text, size_t n)
{
	int saved = errno, err = 0;
	ssize_t done;

	while (n && !err) {
		done = write(fd, text, n);
		if (done >= 0) {
			text += done;
			n -= (size_t)done;
		} else if (errno != EINTR)
			err = -errno;
	}
	errno = saved;
	return err;
}

void
wf__os_command(char *text, size_t size)
{
	int saved = errno, fd = open("/proc/self/cmdline",
	    O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	while (n > 0 && !text[n - 1])
		n--;
	text[n > 0 ? n : 0] = '\0';
	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	errno = saved;
}

/* ---- injected failures ---- */

#ifdef WEFT_FAULT
wf__word wf__os_fault_calls;

bool
wf__os_fault(void)
{
	static long at = -1;
	const char *text;

	if (at < 0)
		at = (text = getenv("WEFT_FAULT_AT")) ? atol(text) : 0;
	/* Relaxed: a count. */
	return wf__add_relaxed(&wf__os_fault_calls, 1) + 1 == (wf__word)at;
}
#endif

int
wf__os_at_fork(void (*fn)(void))
{
	return -pthread_atfork(NULL, NULL, fn);
}
