/* SPDX-License-Identifier: MIT */
/*
 * weft/defer.h - call a function when the scope is left, in whatever way.
 *
 *	char *line = malloc(n);
 *	wf_defer(free, line);		(free(line) at the scope's end)
 *
 * A declaration, to stand where one may stand.  The call is made when the
 * enclosing block is left by its end, return, break, continue or goto, and
 * by wf_exit(); the last deferred comes first.  The argument is evaluated
 * once, here, and a result of the function is evaluated before the call.
 *
 * In C++, and in C compiled with -fexceptions, an exception makes the call as
 * well.  longjmp() and exit() do not.  wf_exit() makes deferred calls and
 * nothing else: in C++ it runs no destructors.
 */
#ifndef WEFT_DEFER_H
#define WEFT_DEFER_H

#include <weft/base.h>

WF__BEGIN

struct wf__defer {
	struct wf__defer *next;
	void (*fn)(void *);
	void *arg;
};

/* Remember d for wf_exit().  Returns d. */
WF_API struct wf__defer *wf__defer_push(struct wf__defer *d);
/* Forget it, and make the call. */
WF_API void wf__defer_run(struct wf__defer *d);

WF__END

#define WF__DEFER_NAME WF__CAT(wf__defer_, __LINE__)
#define WF__DEFER_LINK WF__CAT(wf__defer_link_, __LINE__)

/* wf_defer(fn, arg): fn takes one pointer; its result is thrown away. */
#ifndef __cplusplus
#define wf_defer(function, argument) \
	struct wf__defer WF__DEFER_NAME \
	    __attribute__((cleanup(wf__defer_run))) = { \
		sizeof((function)(argument), 0) ? NULL : NULL, \
		(void (*)(void *))(function), \
		(void *)(uintptr_t)(argument) }, \
	*const WF__DEFER_LINK __attribute__((unused)) = \
	    wf__defer_push(&WF__DEFER_NAME)
#else
struct wf__deferred {
	wf__defer d;

	template <class R, class T, class A>
	wf__deferred(R (*fn)(T *), A arg)
	    : d{ nullptr, (void (*)(void *))fn, (void *)static_cast<T *>(arg) }
	{
		wf__defer_push(&d);
	}
	~wf__deferred() { wf__defer_run(&d); }
	wf__deferred(const wf__deferred &) = delete;
};
#define wf_defer(function, argument) \
	wf__deferred WF__DEFER_NAME(function, argument)
#endif

#endif
