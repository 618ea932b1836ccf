/* SPDX-License-Identifier: MIT */
/*
 * weft/coro.h - coroutines: start one, give way, end, stay on a thread.
 *
 *	static void greet(const char *name, int times);
 *	...
 *	wf_spawn(greet, "world", 3);		(go greet("world", 3))
 *
 * A coroutine is a function on a stack of its own.  It runs on any of the
 * runtime's worker threads, and may go on on another one after each call that
 * waits: thread-local variables (errno excepted, which weft keeps) may change
 * across such a call.  See wf_pin().
 *
 * The floating-point environment: control words (rounding, masks) belong to
 * the coroutine; a new one begins with those of the thread that started the
 * runtime.  The exception flags belong to the thread and are not kept.
 *
 * Not to be done in a coroutine: leave it by longjmp(), pthread_exit() or
 * thread cancellation; wait while holding a pthread mutex.  A C++ exception
 * that leaves the function terminates the process; a wait inside of a catch
 * block mixes up the thread's list of exceptions.
 */
#ifndef WEFT_CORO_H
#define WEFT_CORO_H

#include <weft/base.h>
#include <weft/call.h>
#include <weft/waitgroup.h>

WF__BEGIN

/* What wf_spawn_with() can say about a coroutine.  Zero is the default. */
struct wf_attr {
	const char *name;	/* for reports; 23 bytes of it are copied */
	size_t stack_size;	/* bytes of address space, guard included;
				 * rounded up to a power of two; 0: default */
	wf_waitgroup *waitgroup;/* one is added now and taken at the end */
	uintptr_t wf__reserved[5];
};

/*
 * int wf_spawn(fn, args...);
 * int wf_spawn_with(const struct wf_attr *attr, fn, args...);
 * int wf_waitgroup_spawn(wf_waitgroup *wg, fn, args...);
 *
 * Start fn(args...), a void function of up to eight scalars, as a coroutine.
 * The arguments are evaluated once, here; what was written before the spawn
 * is visible to fn.  The first spawn starts the runtime.  Returns 0, or
 * -ENOMEM (no memory), -EAGAIN (no threads), -EINVAL (stack size): then
 * nothing was started and nothing added to the group.  A coroutine gets its
 * stack when it first runs; if there is none to be had, or no budget for it
 * (weft/runtime.h), it waits for one, and meanwhile every spawn is -ENOMEM.
 * Never blocks; any thread may call it.  A mismatch with fn's prototype is
 * a compile error.
 */
#ifndef __cplusplus

#define wf_spawn(...) WF__SPAWN(WF__ARGC(__VA_ARGS__), NULL, __VA_ARGS__)
#define wf_spawn_with(attr, ...) \
	WF__SPAWN(WF__ARGC(__VA_ARGS__), attr, __VA_ARGS__)

#define WF__SPAWN(n, attr, ...) WF__CAT(WF__SPAWN_, n)(n, attr, __VA_ARGS__)
#define WF__SPAWN_0(n, attr, fn) __extension__({ \
	WF__CHECK0(void, fn); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	wf_spawn_raw(&wf__site, attr, (void (*)(void))(fn), 0, NULL); })
#define WF__SPAWN_n(n, attr, fn, ...) __extension__({ \
	WF__CHECKn(void, fn, n, __VA_ARGS__); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	wf_spawn_raw(&wf__site, attr, (void (*)(void))(fn), \
	    WF__SHAPEn(n, __VA_ARGS__), WF__WORDSn(n, __VA_ARGS__)); })
#define WF__SPAWN_1 WF__SPAWN_n
#define WF__SPAWN_2 WF__SPAWN_n
#define WF__SPAWN_3 WF__SPAWN_n
#define WF__SPAWN_4 WF__SPAWN_n
#define WF__SPAWN_5 WF__SPAWN_n
#define WF__SPAWN_6 WF__SPAWN_n
#define WF__SPAWN_7 WF__SPAWN_n
#define WF__SPAWN_8 WF__SPAWN_n

#define wf_waitgroup_spawn(wg, ...) \
	wf_spawn_with(&((struct wf_attr){ .waitgroup = (wg) }), __VA_ARGS__)

#else

#define wf_spawn(...) WF__SPAWN((const wf_attr *)0, __VA_ARGS__)
#define wf_spawn_with(attr, ...) WF__SPAWN((attr), __VA_ARGS__)
#define WF__SPAWN(attr, ...) __extension__({ \
	static const struct wf_site wf__site = \
	    { __FILE__, WF__FIRST(__VA_ARGS__, 0), __LINE__ }; \
	wf__spawn(&wf__site, attr, __VA_ARGS__); })
#define wf_waitgroup_spawn(wg, ...) \
	wf_spawn_with(wf__attr_of(wg).get(), __VA_ARGS__)

#endif

/* The call beneath wf_spawn(): fn's address, the shape of the call
 * (weft/call.h) and one word an argument.  For other languages. */
WF_API int wf_spawn_raw(const struct wf_site *site, const struct wf_attr *attr,
    void (*fn)(void), unsigned shape, const uint64_t *words);

/* Let others run; return when it is this coroutine's turn again.  0, or -EPERM
 * outside of a coroutine (after giving way to another thread). */
WF_API int wf_yield(void);

/* End the calling coroutine as if its function had returned: the pending
 * wf_defer()s run, the last first.  In the function of wf_run(), the others
 * go on.  Returns, with -EPERM, only outside of a coroutine. */
WF_API int wf_exit(void);

/* The calling coroutine's number, 1 for the function of wf_run(); 0 outside
 * of a coroutine.  Numbers are never used twice. */
WF_API uint64_t wf_self(void);

/*
 * Stay on this OS thread from now on, until as many wf_unpin() as wf_pin().
 * Other coroutines still run on the thread in between, and while one keeps it
 * nobody can stand in.  0, or -EPERM outside of a coroutine, or from
 * wf_unpin() when not pinned.  Both together cost some 15 ns.  A pinned
 * coroutine whose worker is awake is woken as cheaply as another; if it
 * sleeps, or another worker wakes it, at the cost of waking a thread.
 */
WF_API int wf_pin(void);
WF_API int wf_unpin(void);

/* The most bytes of its stack that this coroutine (or an earlier one on the
 * same stack, since its memory was last given back) has touched, in whole
 * pages, and the bytes there are.  0 outside of a coroutine. */
WF_API size_t wf_stack_high_water(void);
WF_API size_t wf_stack_size(void);

WF__END

#ifdef __cplusplus
#include <utility>

template <class... P, class... A> inline int
wf__spawn(const wf_site *site, const wf_attr *attr, void (*fn)(P...),
    A &&...args)
{
	WF__STATIC_ASSERT(sizeof...(P) <= 8, "weft: at most eight arguments");
	WF__STATIC_ASSERT(sizeof...(P) == sizeof...(A),
	    "weft: wrong number of arguments for this function");
	uint64_t words[sizeof...(P) + 1] = {
	    wf__word<P>(static_cast<P>(std::forward<A>(args)))..., 0 };

	return wf_spawn_raw(site, attr, (void (*)())fn,
	    WF__SHAPE(sizeof...(P), (wf__classes<P...>())), words);
}

struct wf__attr_of {
	wf_attr attr{};

	explicit wf__attr_of(wf_waitgroup *wg) { attr.waitgroup = wg; }
	const wf_attr *get() const { return &attr; }
};
#endif

#endif
