/* SPDX-License-Identifier: MIT */
/*
 * weft/context.h - cancellation and deadlines, carried down the call tree.
 *
 *	wf_ctx *ctx = wf_ctx_with_timeout(parent, 2 * WF_SEC);
 *	int got = wf_recv_ctx(ctx, replies, &reply);
 *
 *	if (got == -ETIMEDOUT)
 *		...
 *	wf_ctx_free(ctx);		(Go's "defer cancel()")
 *
 * A context becomes done once: when it is cancelled, when its deadline
 * passes, or when its parent becomes done.  It then stays done with the error
 * it got first.  Any thread may call everything here; nothing here blocks.
 *
 * The maker owns one reference, wf_ctx_free() cancels and gives it back.  A
 * coroutine that may outlive its maker's wf_ctx_free() takes its own with
 * wf_ctx_ref().  Children keep their parent alive.
 */
#ifndef WEFT_CONTEXT_H
#define WEFT_CONTEXT_H

#include <weft/base.h>

WF__BEGIN

typedef struct wf_ctx wf_ctx;

/* The root: never done, no deadline.  Static; freeing it does nothing. */
WF_API wf_ctx *wf_ctx_background(void);

/*
 * A child of parent that can be cancelled on its own; one that is also done
 * at the deadline (as wf_now() tells time); or after ns nanoseconds.  The
 * effective deadline is the earlier one of the child's and the parent's.
 *
 * Never NULL: without memory the result is a static context, done with the
 * error -ENOMEM; for a NULL parent one with -EINVAL.  Give each result to
 * wf_ctx_free().
 */
WF_API wf_ctx *wf_ctx_with_cancel(wf_ctx *parent);
WF_API wf_ctx *wf_ctx_with_deadline(wf_ctx *parent, int64_t deadline);
WF_API wf_ctx *wf_ctx_with_timeout(wf_ctx *parent, int64_t ns);

/*
 * Make ctx and all its descendants done with -ECANCELED; what happened before
 * the call happens before any return that reports it.  A second call does
 * nothing, nor does cancelling the background.
 */
WF_API void wf_ctx_cancel(wf_ctx *ctx);

/* 0 while ctx is not done, then -ECANCELED or -ETIMEDOUT for ever. */
WF_API int wf_ctx_err(const wf_ctx *ctx);

/* The time at which ctx will be done by itself; WF_FOREVER if there is none. */
WF_API int64_t wf_ctx_deadline(const wf_ctx *ctx);

/* One more reference.  Returns ctx. */
WF_API wf_ctx *wf_ctx_ref(wf_ctx *ctx);

/* Cancel ctx, then give back one reference.  NULL is allowed. */
WF_API void wf_ctx_free(wf_ctx *ctx);

/* Give back a reference taken with wf_ctx_ref(), without cancelling. */
WF_API void wf_ctx_unref(wf_ctx *ctx);

WF__END

#endif
