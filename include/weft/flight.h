/* SPDX-License-Identifier: MIT */
/*
 * weft/flight.h - callers who want the same at the same time share one call.
 *
 *	static wf_flight lookups;
 *
 *	err = wf_flight_do(&lookups, host, resolve, host, &address, NULL);
 *
 * The first caller with a key makes the call; who comes with the same key
 * before it has returned waits, and gets the same result.  Nothing is kept
 * afterwards: the next caller makes a new call.  (That is Go's singleflight.)
 *
 * The zero value is ready to use; do not copy one in use.  Any thread may call
 * everything here.  Nothing is allocated.  Keys are strings; they are used
 * during the call only.
 *
 * A function that ends its coroutine by wf_exit() releases those who wait with
 * the result 0 and what it has written to *value so far.  A call with its own
 * key from within it is a deadlock.
 */
#ifndef WEFT_FLIGHT_H
#define WEFT_FLIGHT_H

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

typedef struct wf_flight {
	uintptr_t wf__private[12];
} wf_flight;

/* What is called: puts its result into *value, which is NULL before, and
 * returns 0 or -errno. */
typedef int wf_flight_fn(void *arg, void **value);

/*
 * Call fn(arg, ...), or wait for the call with this key that somebody has
 * begun.  Returns what fn did, and through value, unless it is NULL, its
 * result: the same for all callers, who agree among themselves how long it
 * lives.  *shared, unless NULL, tells if more than one got it.  All that fn
 * did happens before each return.
 */
WF_API int wf_flight_do(wf_flight *f, const char *key, wf_flight_fn *fn,
    void *arg, void **value, bool *shared);

/* The same, but -EAGAIN instead of waiting. */
WF_API int wf_flight_try_do(wf_flight *f, const char *key, wf_flight_fn *fn,
    void *arg, void **value, bool *shared);

/* The same, but stop waiting for another one's call when ctx is done: ctx's
 * error, with *value and *shared untouched; -EINVAL if ctx is NULL.  A call
 * that the caller makes himself is his own affair. */
WF_API int wf_flight_do_ctx(wf_ctx *ctx, wf_flight *f, const char *key,
    wf_flight_fn *fn, void *arg, void **value, bool *shared);

/* From now on callers with this key make a new call.  One that has begun goes
 * on for those who wait for it.  Never blocks. */
WF_API void wf_flight_forget(wf_flight *f, const char *key);

WF__END

#endif
