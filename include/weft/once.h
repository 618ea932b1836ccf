/* SPDX-License-Identifier: MIT */
/*
 * weft/once.h - do something the first time only.
 *
 *	static wf_once loaded;
 *
 *	wf_once_do(&loaded, load_tables, path);		(load_tables(path))
 *
 * The zero value is ready to use; do not copy one in use.  Any thread may call
 * everything here.  The first caller makes the call, all others wait until it
 * has returned: when wf_once_do() is over, it has been made, and all it did
 * happened before.  Afterwards it costs one load.
 *
 * A function that ends by wf_exit() counts as done.  The same wf_once_do()
 * from within it is misuse: reported, then abort.
 */
#ifndef WEFT_ONCE_H
#define WEFT_ONCE_H

#include <weft/base.h>
#include <weft/call.h>
#include <weft/context.h>
#include <weft/defer.h>

WF__BEGIN

enum { WF__ONCE_DONE = 2 };

typedef struct wf_once {
	uintptr_t wf__state;
	uintptr_t wf__private[6];
} wf_once;

/*
 * wf_once_do(wf_once *once, fn, args...);
 *
 * Call fn(args...), any function of up to eight arguments, unless this once has
 * been used.  The arguments are evaluated only for the call.  A statement.
 */
#define wf_once_do(once, ...) do { \
	wf_once *const wf__once = (once); \
	if (__builtin_expect(!wf__once_is_done(wf__once), 0) && \
	    wf_once_begin(wf__once)) { \
		wf_defer(wf_once_end, wf__once); \
		WF__ONCE(WF__ARGC(__VA_ARGS__), __VA_ARGS__); \
	} } while (0)
#define WF__ONCE(n, ...) WF__CAT(WF__ONCE_, n)(__VA_ARGS__)
#define WF__ONCE_0(fn) (fn)()
#define WF__ONCE_n(fn, ...) (fn)(__VA_ARGS__)
#define WF__ONCE_1 WF__ONCE_n
#define WF__ONCE_2 WF__ONCE_n
#define WF__ONCE_3 WF__ONCE_n
#define WF__ONCE_4 WF__ONCE_n
#define WF__ONCE_5 WF__ONCE_n
#define WF__ONCE_6 WF__ONCE_n
#define WF__ONCE_7 WF__ONCE_n
#define WF__ONCE_8 WF__ONCE_n

/* What stands behind it, for other languages and other forms: true, 1: it is
 * the caller's to do, and to end with wf_once_end(); false, 0: it is done.
 * Begin blocks while another one is at it; try is -EAGAIN then; and under
 * a context, ctx's error, or -EINVAL if ctx is NULL. */
WF_API bool wf_once_begin(wf_once *once);
WF_API int wf_once_try_begin(wf_once *once);
WF_API int wf_once_begin_ctx(wf_ctx *ctx, wf_once *once);
WF_API void wf_once_end(wf_once *once);

static inline bool
wf__once_is_done(const wf_once *once)
{
	return __atomic_load_n(&once->wf__state, __ATOMIC_ACQUIRE) ==
	    WF__ONCE_DONE;
}

WF__END

#endif
