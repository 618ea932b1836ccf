/* SPDX-License-Identifier: MIT */
/*
 * context.c - the tree of contexts over wf__cancel.
 * Layer 5.  Uses: cancel, timer, sched, alloc, lock.
 *
 * While a context's own lock is held:
 *   I1  state changes from 0 once; who changed it wakes the waiters and goes
 *       on to the children.
 *   I2  a child is on the list of its parent from its making until it or the
 *       parent is done, and never afterwards.
 *
 * References: the maker's, one of each child on its parent, one of a pending
 * timer, one of a propagation in progress.  No lock is taken under another.
 *
 * The order: done first, waiters woken, then the children; so an observer may
 * see the parent done a moment before a child, never the reverse.
 */
#include <weft/context.h>

#include <errno.h>

#include <weft/time.h>
#include "alloc.h"
#include "cancel.h"
#include "sched.h"
#include "seam.h"

struct wf_ctx {
	struct wf__cancel cancel;	/* must be first; see select.c */
	wf__word refs;			/* [refs] */
	int64_t deadline;		/* fixed */
	struct wf_ctx *parent;		/* fixed */
	struct wf_ctx *children;	/* under the lock */
	struct wf_ctx *next, *prev;	/* siblings: under the parent's lock */
	bool linked;			/* likewise */
	bool is_static;
	struct wf_ctx *work;		/* of the parent's propagation */
	struct wf__timer timer;
};

_Static_assert(offsetof(struct wf_ctx, cancel) == 0, "see chan.c, select.c");

static wf_ctx background = { .cancel.endless = true, .deadline = WF_FOREVER,
    .is_static = true };
static wf_ctx no_memory = { .cancel.state = ENOMEM, .deadline = WF_FOREVER,
    .is_static = true };
static wf_ctx no_parent = { .cancel.state = EINVAL, .deadline = WF_FOREVER,
    .is_static = true };

/* ---- references ---- */

WF_API wf_ctx *
wf_ctx_ref(wf_ctx *ctx)
{
	if (!ctx->is_static)
		wf__add_acq_rel(&ctx->refs, 1);			/* [refs] */
	return ctx;
}

static void
unlink_child(wf_ctx *ctx)
{
	wf_ctx *parent = ctx->parent;

	if (parent == &background)
		return;			/* it keeps no list */
	wf__lock(&parent->cancel.own.lock);
	if (ctx->linked) {
		if (ctx->prev)
			ctx->prev->next = ctx->next;
		else
			parent->children = ctx->next;
		if (ctx->next)
			ctx->next->prev = ctx->prev;
		ctx->linked = false;
	}
	wf__unlock(&parent->cancel.own.lock);
}

WF_API void
wf_ctx_unref(wf_ctx *ctx)
{
	wf_ctx *parent;

	/* The last one frees, and gives back the reference on the parent. */
	while (ctx && !ctx->is_static &&
	    wf__add_acq_rel(&ctx->refs, (wf__word)-1) == 1) {	/* [refs] */
		parent = ctx->parent;
		unlink_child(ctx);
		wf__cancel_drop(&ctx->cancel);
		wf__free(ctx, sizeof *ctx);
		ctx = parent;
	}
}

/* ---- done ---- */

/* Under the lock: the children, each with a reference, for the worklist. */
static wf_ctx *
disown_children(wf_ctx *ctx, wf_ctx *list)
{
	wf_ctx *child;

	while ((child = ctx->children)) {
		ctx->children = child->next;
		child->linked = false;
		child->work = list;
		list = wf_ctx_ref(child);
	}
	return list;
}

/* Make one context done; its children come in front of list. */
static wf_ctx *
end(wf_ctx *ctx, int err, wf_ctx *list)
{
	wf__lock(&ctx->cancel.own.lock);
	if (wf__cancel_state(&ctx->cancel)) {
		wf__unlock(&ctx->cancel.own.lock);
		return list;
	}
	wf__store_release(&ctx->cancel.state, (wf__word)err);	/* [cancel] */
	list = disown_children(ctx, list);
	wf__cancel_wake(&ctx->cancel);
	if (ctx->timer.fire && wf__timer_stop(&ctx->timer))
		wf_ctx_unref(ctx);
	return list;
}

static void
cancel_tree(wf_ctx *root, int err)
{
	wf_ctx *list = end(root, err, NULL), *ctx;

	while ((ctx = list)) {
		list = end(ctx, err, ctx->work);
		wf_ctx_unref(ctx);
	}
	unlink_child(root);
}

WF_API void
wf_ctx_cancel(wf_ctx *ctx)
{
	wf__seam_point();
	if (ctx && !ctx->is_static)
		cancel_tree(ctx, ECANCELED);
}

WF_API void
wf_ctx_free(wf_ctx *ctx)
{
	wf_ctx_cancel(ctx);
	wf_ctx_unref(ctx);
}

WF_API int
wf_ctx_err(const wf_ctx *ctx)
{
	return ctx ? -wf__cancel_state(&ctx->cancel) : -EINVAL;
}

WF_API int64_t
wf_ctx_deadline(const wf_ctx *ctx)
{
	return ctx ? ctx->deadline : WF_FOREVER;
}

/* ---- making ---- */

static void
fire(struct wf__timer *t, bool expired)
{
	wf_ctx *ctx = wf__container_of(t, struct wf_ctx, timer);

	if (expired)
		cancel_tree(ctx, ETIMEDOUT);
	wf_ctx_unref(ctx);
}

/* As a child of its parent, or done with it. */
static void
link_child(wf_ctx *ctx)
{
	wf_ctx *parent = ctx->parent;
	int err;

	if (parent == &background)
		return;
	wf__lock(&parent->cancel.own.lock);
	err = wf__cancel_state(&parent->cancel);
	if (!err && !wf__cancel_state(&ctx->cancel)) {
		ctx->prev = NULL;
		ctx->next = parent->children;
		if (ctx->next)
			ctx->next->prev = ctx;
		parent->children = ctx;
		ctx->linked = true;
	}
	wf__unlock(&parent->cancel.own.lock);
	if (err)
		cancel_tree(ctx, err);
}

/* The timer goes first: whoever makes the context done can stop it then. */
static void
start_timer(wf_ctx *ctx)
{
	ctx->timer.fire = fire;
	wf_ctx_ref(ctx);
	wf__sched_timer_start(&ctx->timer, ctx->deadline);
}

WF_API wf_ctx *
wf_ctx_with_deadline(wf_ctx *parent, int64_t deadline)
{
	bool own, past;
	wf_ctx *ctx;

	if (!parent)
		return &no_parent;
	own = deadline < parent->deadline;
	past = own && deadline <= wf__seam_now();
	if ((own && !past && wf__sched_need() < 0) ||
	    !(ctx = wf__alloc(sizeof *ctx)))
		return &no_memory;
	wf__store_relaxed(&ctx->refs, 1);	/* nobody else knows it yet */
	ctx->parent = wf_ctx_ref(parent);
	ctx->deadline = own ? deadline : parent->deadline;
	if (own && !past && !wf__cancel_state(&parent->cancel))
		start_timer(ctx);
	link_child(ctx);
	if (past)
		cancel_tree(ctx, ETIMEDOUT);
	return ctx;
}

WF_API wf_ctx *
wf_ctx_with_timeout(wf_ctx *parent, int64_t ns)
{
	int64_t now = wf__seam_now();

	if (ns > 0 && ns >= WF_FOREVER - now)
		return wf_ctx_with_deadline(parent, WF_FOREVER);
	return wf_ctx_with_deadline(parent, ns > 0 ? now + ns : now);
}

WF_API wf_ctx *
wf_ctx_with_cancel(wf_ctx *parent)
{
	return wf_ctx_with_deadline(parent, WF_FOREVER);
}

WF_API wf_ctx *
wf_ctx_background(void)
{
	return &background;
}
