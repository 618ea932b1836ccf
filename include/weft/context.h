/* SPDX-License-Identifier: MIT */
/*
 * weft/context.h - cancellation, deadlines and values, carried down the call
 * tree.
 *
 *	wf_ctx *ctx = wf_ctx_with_timeout(parent, 2 * WF_SEC);
 *
 *	wf_defer(wf_ctx_free, ctx);	(Go's "defer cancel()")
 *	if (wf_recv_ctx(ctx, replies, &reply) == -ETIMEDOUT)
 *		...
 *
 * A context becomes done once: when it is cancelled, when its deadline
 * passes, or when its parent becomes done.  It then stays done with the error
 * and the cause it got first.  A child never ends its parent.  Any thread may
 * call everything here; nothing here waits for anything but another call that
 * ends the same context.  In a select: wf_on_done(ctx).
 *
 * References.  Who makes a context gives it to wf_ctx_free(), once, in any
 * order with its parents and children: a child keeps of its ancestors what it
 * needs.  Who is joined before that (by a wait group, say) just uses it.  Who
 * may go on after that has a reference of its own:
 *
 *	wf_spawn(serve, wf_ctx_ref(ctx));	(serve: wf_ctx_unref(ctx))
 */
#ifndef WEFT_CONTEXT_H
#define WEFT_CONTEXT_H

#include <weft/base.h>
#include <weft/call.h>

WF__BEGIN

typedef struct wf_ctx wf_ctx;

/*
 * Why a context ended, for people and for logs: a -errno of the program's
 * choice and some words.  It is copied when it is given and when it is asked
 * for, so that nobody owns it: who reads a cause cannot know how long the one
 * who gave it keeps what it points to.
 *
 *	wf_ctx_cancel_cause(ctx, &(struct wf_cause){ -EPIPE, "hung up" });
 */
struct wf_cause {
	int err;		/* 0: what wf_ctx_err() says */
	char text[44];
};

/* The roots: never done, no deadline, no values.  The second one stands where
 * a better one is still to be found.  Static; freeing them does nothing. */
WF_API wf_ctx *wf_ctx_background(void);
WF_API wf_ctx *wf_ctx_todo(void);

/*
 * A child of parent that can be cancelled on its own; one that is also done
 * at the deadline (as wf_now() tells time); or after ns nanoseconds; with
 * cause as its cause, if that is what ended it.  The effective deadline is the
 * earlier one of the child's and the parent's.
 *
 * Never NULL: without memory (or, for a deadline, threads) the result is a
 * static context, done with the error -ENOMEM; for a NULL parent one with
 * -EINVAL.  Give each result to wf_ctx_free().
 */
WF_API wf_ctx *wf_ctx_with_cancel(wf_ctx *parent);
WF_API wf_ctx *wf_ctx_with_deadline(wf_ctx *parent, int64_t deadline);
WF_API wf_ctx *wf_ctx_with_timeout(wf_ctx *parent, int64_t ns);
WF_API wf_ctx *wf_ctx_with_deadline_cause(wf_ctx *parent, int64_t deadline,
    const struct wf_cause *cause);
WF_API wf_ctx *wf_ctx_with_timeout_cause(wf_ctx *parent, int64_t ns,
    const struct wf_cause *cause);

/* A child that keeps nothing but the values: never done, no deadline. */
WF_API wf_ctx *wf_ctx_without_cancel(wf_ctx *parent);

/* A child of both, done when one of them is, with that one's error and cause,
 * at the earlier deadline.  The values are those of a. */
WF_API wf_ctx *wf_ctx_merge(wf_ctx *a, wf_ctx *b);

/*
 * Make ctx and all its descendants done with -ECANCELED, and with the cause,
 * which may be NULL: then that is -ECANCELED as well.  All of them are done
 * when the call returns, also if another call was first.  What happened before
 * the call happens before any return that reports it.  On a context that is
 * done, and on one that is never done, it does nothing.
 */
WF_API void wf_ctx_cancel(wf_ctx *ctx);
WF_API void wf_ctx_cancel_cause(wf_ctx *ctx, const struct wf_cause *cause);

/* 0 while ctx is not done, then -ECANCELED or -ETIMEDOUT for ever. */
WF_API int wf_ctx_err(const wf_ctx *ctx);

/* The cause's error, and the cause into *cause, which may be NULL; 0 and empty
 * while ctx is not done.  What ended without a cause has its error for one,
 * and no words. */
WF_API int wf_ctx_cause(const wf_ctx *ctx, struct wf_cause *cause);

/* The time at which ctx will be done by itself; WF_FOREVER if there is none. */
WF_API int64_t wf_ctx_deadline(const wf_ctx *ctx);

/* One more reference.  Returns ctx. */
WF_API wf_ctx *wf_ctx_ref(wf_ctx *ctx);

/* Cancel ctx, then give back one reference.  NULL is allowed. */
WF_API void wf_ctx_free(wf_ctx *ctx);

/* Give back a reference taken with wf_ctx_ref(), without cancelling. */
WF_API void wf_ctx_unref(wf_ctx *ctx);

/*
 * Values for a request's way through the program, such as who asks.  A key is
 * a static variable, typed by what it points to; two keys are never the same.
 *
 *	static wf_ctx_key(struct user) user_key;
 *	...
 *	wf_ctx *ctx = wf_ctx_with_value(parent, user_key, &user);
 *	struct user *u = wf_ctx_value(ctx, user_key);
 *
 * wf_ctx *wf_ctx_with_value(wf_ctx *parent, wf_ctx_key(T) key, T *value);
 * T *wf_ctx_value(const wf_ctx *ctx, wf_ctx_key(T) key);
 *
 * The first makes a child, like those above; the value, which may be NULL,
 * has to live as long as the child and its descendants.  The second one finds
 * the nearest value, NULL if there is none; also when ctx is done.
 */
struct wf__ctx_key;
#define wf_ctx_key(T) __typeof__(__typeof__(T) *(*)(struct wf__ctx_key *))
#define WF__VALUE(key) __typeof__((key)((struct wf__ctx_key *)0))
#define wf_ctx_with_value(parent, key, v) \
	wf_ctx_with_value_raw(parent, &(key), \
	    ((void)sizeof(((int (*)(WF__VALUE(key)))0)(v)), \
	    (void *)(uintptr_t)(v)))
#define wf_ctx_value(ctx, key) \
	((WF__VALUE(key))wf_ctx_value_raw(ctx, &(key)))
WF_API wf_ctx *wf_ctx_with_value_raw(wf_ctx *parent, const void *key,
    void *value);
WF_API void *wf_ctx_value_raw(const wf_ctx *ctx, const void *key);

/*
 * wf_ctx_call *wf_ctx_after(wf_ctx *ctx, fn, args...);
 *
 * Once ctx is done, at once if it is, start fn(args...) as a coroutine, as
 * wf_spawn() would.  All it needs is reserved now, so that nothing can be
 * lost then.  NULL without memory or threads, or for a NULL ctx: then nothing
 * will start.  The result is given back by wf_ctx_after_free(), which stops
 * it, or by wf_ctx_after_release(), which does not.
 */
typedef struct wf_ctx_call wf_ctx_call;
#define wf_ctx_after(ctx, ...) \
	WF__CALL(void, wf_ctx_after_raw, (ctx), __VA_ARGS__)
WF_API wf_ctx_call *wf_ctx_after_raw(wf_ctx *ctx, const struct wf_site *site,
    void (*fn)(void), unsigned shape, const uint64_t *words);

/* True if this prevented fn from being started; false if it was started, or
 * stopped before.  Does not wait for fn.  The handle stays valid. */
WF_API bool wf_ctx_after_stop(wf_ctx_call *call);

/* Give the handle back; stop it before, or leave it registered.  NULL is
 * allowed. */
WF_API void wf_ctx_after_free(wf_ctx_call *call);
WF_API void wf_ctx_after_release(wf_ctx_call *call);

WF__END

#endif
