/* SPDX-License-Identifier: MIT */
/*
 * os.h - all that weft asks of the operating system, in one place.
 * Layer 1.  Uses: atomic.
 *
 * A port is one file, lib/os/<system>.c, that fulfils this.  Functions that
 * can fail return 0 or -errno (pointers: NULL) and leave errno alone as far
 * as the caller can tell.  None allocates memory from weft.
 *
 * Those that touch errno are not inlined: libc has told the compiler that its
 * address never changes, and a caller may be on another thread after a wait.
 */
#ifndef WF__OS_H
#define WF__OS_H

#include <sys/types.h>

#include "atomic.h"

/* Time: the monotonic clock, in nanoseconds. */
int64_t wf__os_now(void);

/* Block until *word != value, a wake, or the deadline (WF_FOREVER: none);
 * returns early at will. */
WF__NOINLINE void wf__os_futex_wait(wf__word32 *word, unsigned value,
    int64_t deadline);
/* Wake at most n threads that wait on word, which may be gone already. */
WF__NOINLINE void wf__os_futex_wake(wf__word32 *word, int n);

/* Let another thread of this core run; or leave the core for a while. */
void wf__os_yield(void);
WF__NOINLINE void wf__os_nap(int64_t ns);

/*
 * Asymmetric fences: a light fence of one thread and a heavy fence of another
 * order like two full fences, at the cost of a compiler barrier for the
 * first.  wf__os_asymmetric tells if the system has them; where it has not,
 * both are full fences.
 */
extern bool wf__os_asymmetric;
void wf__os_fence_setup(void);
WF__NOINLINE void wf__os_fence_heavy(void);

static inline void
wf__os_fence_light(void)
{
	if (wf__likely(wf__os_asymmetric))
		__asm__ volatile("" ::: "memory");
	else
		wf__fence();
}

/* Memory: size is a multiple of the page size.  Mapped memory is zero, costs
 * nothing until touched, and never uses huge pages. */
size_t wf__os_page_size(void);
WF__NOINLINE void *wf__os_map(size_t size);
void wf__os_unmap(void *p, size_t size);
/* Give the pages back; they read as zero afterwards. */
WF__NOINLINE void wf__os_release(void *p, size_t size);
/* Make [p, p + size) fault when touched.  A mark costs no mapping; a
 * protection splits one, and a process has a limit of them. */
enum { WF__GUARD_ROW = 32 };
enum wf__os_guard { WF__GUARD_NONE, WF__GUARD_MARK, WF__GUARD_PROTECT };
enum wf__os_guard wf__os_guard(void *p, size_t size);
/* Mark n such ranges by one call, each stride bytes after the one before: how
 * many of the first are marked now.  The others are to be tried alone. */
WF__NOINLINE unsigned wf__os_guard_row(void *p, size_t size, size_t stride,
    unsigned n);
/* How many of the pages from p on are untouched, before the first touched. */
WF__NOINLINE size_t wf__os_untouched(const void *p, size_t size);

/* Threads, with all signals blocked that are not errors of their own. */
struct wf__os_thread {
	uintptr_t handle;
	wf__word32 id;		/* the kernel's number, once it runs */
};
int wf__os_thread_start(struct wf__os_thread *t, void (*fn)(void *), void *arg,
    const char *name);
void wf__os_thread_join(struct wf__os_thread *t);
void wf__os_thread_detach(struct wf__os_thread *t);
/* Tells the calling thread from others that run. */
uintptr_t wf__os_thread_self(void);
/* Is the thread off its core for another reason than lack of cores? */
WF__NOINLINE bool wf__os_thread_blocked(const struct wf__os_thread *t);
/* Threads of the process; 0 if not known. */
WF__NOINLINE int wf__os_thread_count(void);

/* Have fn called in the child of each fork from now on: 0 or -errno. */
int wf__os_at_fork(void (*fn)(void));

/* Cores that this process may keep busy: affinity mask and the CPU quotas of
 * the whole chain of control groups. */
int wf__os_cores(void);
extern const char *wf__os_root;	/* "": where the latter stand, for tests */

/*
 * Readiness of descriptors: one instance for the process.  A descriptor is
 * either watched, for good, and each change reported once; or armed, and
 * reported once until it is armed again, which suits a number that may be
 * closed and used for something else.  -EPERM: it is a file, always ready.
 * Wait returns how many events there are, at the deadline 0; 0 at once for a
 * deadline of 0.  Wake ends one wait, now or the next.  The instance's own
 * descriptor is readable while a wait would end at once, by the alarm as well;
 * WF_FOREVER turns that off.
 */
enum {
	WF__OS_IN = 1,
	WF__OS_OUT = 2,
	WF__OS_END = 4		/* the other side is done, or an error */
};
struct wf__os_event {
	uint64_t key;
	unsigned what;
};
WF__NOINLINE int wf__os_poll_open(void);
WF__NOINLINE void wf__os_poll_close(void);
WF__NOINLINE int wf__os_poll_watch(int fd, uint64_t key);
WF__NOINLINE int wf__os_poll_arm(int fd, unsigned what, uint64_t key);
WF__NOINLINE void wf__os_poll_forget(int fd);
WF__NOINLINE int wf__os_poll_wait(struct wf__os_event *events, int n,
    int64_t deadline, bool *woken);
WF__NOINLINE void wf__os_poll_wake(void);
int wf__os_poll_fd(void);
WF__NOINLINE int wf__os_poll_alarm(int64_t when);

/* What recv(2) does, and send(2) without the signal: a count or -errno. */
WF__NOINLINE ssize_t wf__os_receive(int fd, void *buf, size_t n);
WF__NOINLINE ssize_t wf__os_send(int fd, const void *buf, size_t n);

/*
 * Signals, 1 to 64.  Open gives a descriptor that gets readable when one was
 * caught; take, a set of those that were, bit signo - 1.  Release puts back
 * what was there before catch.
 */
WF__NOINLINE int wf__os_signals_open(void);
WF__NOINLINE void wf__os_signals_close(int fd);
uint64_t wf__os_signals_take(void);
bool wf__os_signal_is_worth(int signo);	/* catching: no fault of its own */
WF__NOINLINE int wf__os_signal_catch(int signo);
WF__NOINLINE void wf__os_signal_release(int signo);
WF__NOINLINE int wf__os_signal_ignore(int signo);
WF__NOINLINE bool wf__os_signal_is_ignored(int signo);

/* Child processes: the file of each of the first three descriptors, -1 for
 * none.  Its pidfd gets readable when it has ended; then reap gives the status
 * as wait(2) does, -EAGAIN before. */
struct wf__os_command {
	char *const *argv, *const *env;	/* env NULL: the caller's */
	const char *dir;		/* NULL: the caller's */
	int fds[3];
};
WF__NOINLINE int wf__os_spawn(const struct wf__os_command *c, int *pid);
WF__NOINLINE int wf__os_pidfd(int pid);
WF__NOINLINE int wf__os_pidfd_signal(int pidfd, int signo);
WF__NOINLINE int wf__os_pidfd_reap(int pidfd, int *status);
WF__NOINLINE int wf__os_kill_and_reap(int pid);

/* A seed that differs from run to run. */
uint64_t wf__os_seed(void);

/* Write all of it: 0 or -errno. */
WF__NOINLINE int wf__os_write(int fd, const char *text, size_t n);

/* The command by which this program was run, or "". */
void wf__os_command(char *text, size_t size);

/*
 * Stack overflow: while caught, a fault at an address for which overflow()
 * returns true is reported by it and ends the process; other faults go to the
 * handler found.  Each thread that runs coroutines lends itself an alternate
 * stack.
 */
int wf__os_catch_faults(bool (*overflow)(void *address));
void wf__os_uncatch_faults(void);
struct wf__os_altstack {
	void *memory;
	size_t size;
};
int wf__os_altstack_on(struct wf__os_altstack *a);
void wf__os_altstack_off(struct wf__os_altstack *a);

/* Until told otherwise, call tell once when the process is about to die by
 * a fault or by abort(); then all goes on as without. */
void wf__os_catch_death(void (*tell)(void));
void wf__os_uncatch_death(void);

/* The return addresses of the calling stack, and their text to fd. */
int wf__os_backtrace(void **addresses, int n);
void wf__os_backtrace_write(int fd, void *const *addresses, int n);

/*
 * A look at another thread of ours, which goes on meanwhile.  Open takes
 * a real-time signal that nobody has: 0, -EBUSY.  Threads that are started
 * while it is open let the signal in.  Close puts back what was there.
 *
 * Ask is false if it cannot be done (now); one question at a time, by one
 * thread.  Answer waits until then at most, and is true when the answer is
 * there; or withdraw the question.
 */
enum { WF__OS_FRAMES = 24 };
struct wf__os_look {
	long call;		/* the number of the system call that it sat
				 * in; -1: none, or not known */
	int n;			/* 0: not known */
	void *frames[WF__OS_FRAMES];	/* the place, return addresses */
};
WF__NOINLINE int wf__os_look_open(void);
void wf__os_look_close(void);
int wf__os_look_signal(void);	/* 0: none */
WF__NOINLINE bool wf__os_look_ask(const struct wf__os_thread *t);
bool wf__os_look_answer(struct wf__os_look *l, int64_t until);
void wf__os_look_withdraw(void);

/* An address in the code as "function+0x1a (file+0x2b3c)", as far as it is
 * known; the latter is for addr2line.  Files are those loaded at open. */
void wf__os_symbols_open(void);
void wf__os_symbols_close(void);
WF__NOINLINE int wf__os_symbol(char *text, size_t size, uintptr_t at);

/* FAULT builds: true if this call, the n-th by WEFT_FAULT_AT, is to fail. */
#ifdef WEFT_FAULT
bool wf__os_fault(void);
extern wf__word wf__os_fault_calls;	/* so far */
#else
static inline bool
wf__os_fault(void)
{
	return false;
}
#endif

#endif
