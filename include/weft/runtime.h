/* SPDX-License-Identifier: MIT */
/*
 * weft/runtime.h - start, stop and set up the runtime.
 *
 *	int main(void) { return wf_run(app); }
 *
 * The runtime starts by itself when it is first needed; wf_run() is for
 * programs whose main() is a coroutine, wf_start() only passes options.
 *
 * From the environment, when the option is zero: WEFT_WORKERS (number of
 * workers), WEFT_STACK and WEFT_STACK_BUDGET (bytes), WEFT_STALLS (milliseconds
 * after which a stall is named), WEFT_LEAKS=1 (list coroutines left at the end
 * of wf_run(), or by a wf_stop() that gives up).  What cannot be understood is
 * said on stderr and left aside.
 *
 * fork().  Any coroutine or thread may fork, at any time, and the child may
 * exec or _exit.  It may also go on with weft: in the child the runtime does
 * not run, there is no coroutine, wf_self() is 0, and the next call that needs
 * the runtime starts it afresh, whatever other threads were doing at the fork.
 * What the parent had made (channels, mutexes, contexts, timers, connections)
 * is not to be used in the child, and its memory is not given back; descriptors
 * may be used.  A child that was forked in a coroutine is a plain thread on
 * that stack, and must not return from the coroutine's function: that is
 * misuse.  Signals caught by wf_signal_notify() are as they were before.
 * vfork(), posix_spawn() and a bare clone() run nothing of this, and need
 * nothing: their child has to exec.
 */
#ifndef WEFT_RUNTIME_H
#define WEFT_RUNTIME_H

#include <weft/base.h>
#include <weft/call.h>

WF__BEGIN

/* No threads that run coroutines: the caller's does, in wf_pump().  Not -1,
 * which may be somebody's error code. */
#define WF_PUMPED (-1000)

/* Zero is the default everywhere. */
struct wf_options {
	int workers;		/* threads that run coroutines; default: cores
				 * allowed by affinity mask and cgroups, also
				 * when that changes (within a second or two,
				 * while coroutines run); WF_PUMPED: none, see
				 * weft/pump.h */
	size_t stack_size;	/* of a coroutine; default 256 KiB */
	bool list_leaks;	/* list coroutines left at the end of wf_run(),
				 * or by a wf_stop() that gives up */
	bool catch_overflow;	/* report a stack overflow by name: takes
				 * SIGSEGV and SIGBUS, chains to the handlers
				 * found.  wf_run() always does */
	bool no_catch_overflow;	/* not even in wf_run() */
	int64_t stall_limit;	/* name coroutines that have not given way for
				 * so many ns; see below */
	size_t stack_budget;	/* most bytes of stacks in use at a time, each
				 * with its whole size; default: no limit.
				 * Beyond it coroutines wait to begin until
				 * others end, and meanwhile each spawn is
				 * -ENOMEM.  One may always run; the function
				 * of wf_run() does not count */
	uintptr_t wf__reserved[6];
};

/*
 * With a stall_limit, a coroutine that keeps its thread for so long, by
 * computing or in a call that blocks and is not in wf_blocking, is reported:
 * which one, where it was spawned, for how long, and where it is now, with its
 * callers, as "function+0x1a (file+0x2b3c)": "addr2line -fe file 0x2b3c" gives
 * the line.  It is reported once, and when it goes on; at most five a second.
 * The grain is 10 ms.  This takes one real-time signal, the last one that
 * nobody uses, until wf_stop().  No call of the program fails with EINTR for
 * it (close() aside, and on x86-64; elsewhere those do that the kernel never
 * restarts, as nanosleep() and poll()); a poll(), epoll_wait() or wait with
 * a relative timeout begins its timeout anew, once for each report.  A thread
 * that blocks that signal, or is stuck in the kernel beyond the reach of
 * signals, is named without its place.  Under WF_PUMPED a turn is named when
 * it is over, and no signal is taken.
 */

/*
 * int wf_run(fn, args...);
 *
 * Run fn(args...), a function that returns int, as the first coroutine, on
 * a stack of 8 MiB; block the calling thread until it returns; stop the
 * runtime; return fn's result.  Coroutines that are still there are counted,
 * listed by option, and left as they are: they never go on, also if a later
 * run wakes them.  If fn ends by wf_exit(), the others go on, and the result
 * is 0 when all have ended.
 *
 * If all coroutines are parked, nothing can wake them and the process has no
 * other threads, the deadlock is reported with all coroutines on stderr, and
 * the process exits with status 2.  If the runtime cannot start, the reason is
 * on stderr and the result is 125.
 */
#ifndef __cplusplus
#define wf_run(...) WF__RUN(WF__ARGC(__VA_ARGS__), __VA_ARGS__)
#define WF__RUN(n, ...) WF__CAT(WF__RUN_, n)(n, __VA_ARGS__)
#define WF__RUN_0(n, fn) __extension__({ \
	WF__CHECK0(int, fn); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	wf_run_raw(&wf__site, (void (*)(void))(fn), 0, NULL); })
#define WF__RUN_n(n, fn, ...) __extension__({ \
	WF__CHECKn(int, fn, n, __VA_ARGS__); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	wf_run_raw(&wf__site, (void (*)(void))(fn), \
	    WF__SHAPEn(n, __VA_ARGS__), WF__WORDSn(n, __VA_ARGS__)); })
#define WF__RUN_1 WF__RUN_n
#define WF__RUN_2 WF__RUN_n
#define WF__RUN_3 WF__RUN_n
#define WF__RUN_4 WF__RUN_n
#define WF__RUN_5 WF__RUN_n
#define WF__RUN_6 WF__RUN_n
#define WF__RUN_7 WF__RUN_n
#define WF__RUN_8 WF__RUN_n
#else
#define wf_run(...) __extension__({ \
	static const struct wf_site wf__site = \
	    { __FILE__, WF__FIRST(__VA_ARGS__, 0), __LINE__ }; \
	wf__run(&wf__site, __VA_ARGS__); })
#endif
WF_API int wf_run_raw(const struct wf_site *site, void (*fn)(void),
    unsigned shape, const uint64_t *words);

/* Start the runtime with these options (NULL: defaults).  0, -EBUSY if it
 * runs already, -EINVAL for an option out of range, -ENOMEM, -EAGAIN; with
 * WF_PUMPED also -EMFILE, -ENFILE. */
WF_API int wf_start(const struct wf_options *options);

/*
 * Wait at most timeout nanoseconds until all coroutines have ended, then end
 * all threads of weft and give all memory back: the process is as before, and
 * may start weft again.  0 (also if it does not run), -ETIMEDOUT if
 * coroutines are left: then everything goes on, and with list_leaks they are
 * listed on stderr.  -EPERM in a coroutine, and for a runtime that is pumped
 * on other threads than its own.
 */
WF_API int wf_stop(int64_t timeout);

/* Set the number of workers, 1 to 1024, before or while the runtime runs; 0
 * only asks.  Of those that are too many then the threads end after some two
 * seconds.  Returns the number before, -EINVAL, or -EBUSY for one that is
 * pumped. */
WF_API int wf_workers(int n);

/*
 * All memory of weft but stacks comes from here, and is given back here.
 * Before first use only: -EBUSY after.  The functions are never called under
 * one of weft's locks and must not call weft.  alloc returns memory aligned
 * to 16 bytes, or NULL.
 */
struct wf_allocator {
	void *(*alloc)(void *arg, size_t size);
	void (*free)(void *arg, void *p, size_t size);
	void *arg;
};
WF_API int wf_set_allocator(const struct wf_allocator *allocator);

WF__END

#ifdef __cplusplus
template <class... P, class... A> inline int
wf__run(const wf_site *site, int (*fn)(P...), A &&...args)
{
	WF__STATIC_ASSERT(sizeof...(P) == sizeof...(A),
	    "weft: wrong number of arguments for this function");
	uint64_t words[sizeof...(P) + 1] = {
	    wf__word<P>(static_cast<P>(static_cast<A &&>(args)))..., 0 };

	return wf_run_raw(site, (void (*)())fn,
	    WF__SHAPE(sizeof...(P), (wf__classes<P...>())), words);
}
#endif

#endif
