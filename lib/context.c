/* SPDX-License-Identifier: MIT */
/*
 * context.c - the tree of contexts over wf__cancel: references and the end.
 * Layer 5.  Uses: context, cancel, timerq, spare, lock.
 *
 *   I1  state changes from 0 once; who changed it wakes the waiters and goes
 *       on to the children.
 *   I2  a child is on the list of its parent from its making until the parent
 *       is done, or it and all below it are, and never afterwards.
 *   I3  telling is held from the change of state until all below is done, if
 *       there is anybody below.
 *
 * The order: done first, waiters woken, then the children; so an observer may
 * see the parent done a moment before a child, never the reverse.  Who finds a
 * context done waits while telling is held, and then everything below is done
 * for him as well.  Waits go down the tree only, and a teller never parks.
 *
 * Nothing recurses: the links of children that are being told are the stack of
 * the walk.  Of two locks none is taken under the other, but telling first.
 */
#include "context.h"

#include <errno.h>

#include <weft/time.h>
#include "seam.h"
#include "spare.h"

/* ---- references ---- */

WF_API wf_ctx *
wf_ctx_ref(wf_ctx *ctx)
{
	if (ctx && !ctx->is_static)
		wf__add_acq_rel(&ctx->refs, 1);			/* [refs] */
	return ctx;
}

/* Give n back; true if those were the last. */
static bool
is_last(wf_ctx *ctx, unsigned n)
{
	return wf__load_acquire(&ctx->refs) == n ||		/* [refs] */
	    wf__add_acq_rel(&ctx->refs, -(wf__word)n) == n;
}

/* Is there no member, and nobody about to touch a list?  The lock is read
 * second: the last member left under it. */
static bool
is_childless(wf_ctx *ctx)
{
	return !wf__cancel_nth_list(&ctx->cancel, 1) &&
	    !wf__load_acquire(&ctx->cancel.own.members) &&	/* [members] */
	    !wf__lock_is_held(&ctx->cancel.own.lock);
}

/*
 * Nobody refers to ctx any more: so no member comes, they only go.  Turn those
 * that are left into references; false if there are some, of whom the last one
 * to go will free ctx.
 */
static bool
close_lists(wf_ctx *ctx)
{
	struct wf__cancel_list *l;
	wf__word n;

	if (wf__likely(is_childless(ctx)))
		return true;
	/* Relaxed: members learn of it under their list's lock. */
	wf__store_relaxed(&ctx->refs, 1);
	for (size_t k = 0; (l = wf__cancel_nth_list(&ctx->cancel, k)); k++) {
		wf__lock(&l->lock);
		n = wf__load_relaxed(&l->members);	/* under its lock */
		if (n)
			wf__add_acq_rel(&ctx->refs, n);		/* [refs] */
		l->closing = true;
		wf__unlock(&l->lock);
	}
	return is_last(ctx, 1);
}

/* ctx is no member of its parent any more; the parent, if that is to be freed
 * now. */
static wf_ctx *
leave_parent(wf_ctx *ctx)
{
	struct wf__cancel_list *l = ctx->link.list;
	bool closing;

	if (!l)
		return NULL;
	wf__lock(&l->lock);
	wf__store_release(&l->members,
	    wf__load_relaxed(&l->members) - 1);			/* [members] */
	closing = l->closing;
	wf__unlock(&l->lock);
	return closing && is_last(ctx->parent, 1) ? ctx->parent : NULL;
}

/* Free what nobody refers to, up the tree. */
static void
destroy_ctx(wf_ctx *ctx)
{
	struct wf__cancel_child *list = NULL;
	wf_ctx *next, *other;

	for (;; ctx = next) {
		next = NULL;
		if (close_lists(ctx)) {
			next = leave_parent(ctx);
			other = ctx->is_merged ?
			    wf__ctx_merged(ctx)->other : NULL;
			if (other && !other->is_static && is_last(other, 1)) {
				other->link.next = list;
				list = &other->link;
			}
			wf__cancel_drop(&ctx->cancel);
			wf__spare_put(ctx, ctx->size);
		}
		if (!next && list) {
			next = wf__container_of(list, wf_ctx, link);
			list = list->next;
		}
		if (!next)
			return;
	}
}

void
wf__ctx_release(wf_ctx *ctx, unsigned n)
{
	if (n && !ctx->is_static && is_last(ctx, n))
		destroy_ctx(ctx);
}

WF_API void
wf_ctx_unref(wf_ctx *ctx)
{
	if (ctx)
		wf__ctx_release(ctx, 1);
}

/* ---- links ---- */

bool
wf__ctx_link(wf_ctx *parent, struct wf__cancel_child *child,
    const wf_ctx *ctx)
{
	struct wf__cancel_list *l = child->list;
	bool linked, crowded;

	wf__cancel_lock(l);
	if (ctx && child == &ctx->link)
		wf__store_release(&l->members,
		    wf__load_relaxed(&l->members) + 1);		/* [members] */
	linked = !l->told && !wf__cancel_state(&parent->cancel) && !(ctx &&
	    (ctx->cancel.endless || wf__cancel_state(&ctx->cancel)));
	if (linked)
		wf__cancel_link(l, child);
	crowded = wf__cancel_is_crowded(l);
	wf__unlock(&l->lock);
	if (wf__unlikely(crowded))
		wf__cancel_relieve(&parent->cancel, l);
	return linked;
}

unsigned
wf__ctx_unlink(struct wf__cancel_child *child)
{
	struct wf__cancel_list *l = child->list;
	unsigned unlinked = 0;

	if (!l)
		return 0;
	wf__lock(&l->lock);
	if (child->linked && !l->told) {
		wf__cancel_unlink(l, child);
		unlinked = 1;
	}
	wf__unlock(&l->lock);
	return unlinked;
}

/* ---- the end ---- */

/* What an end gives to the one who makes it. */
struct end {
	int err;
	const struct wf_cause *cause;	/* or NULL; then, whose it is: */
	const wf_ctx *origin;
};

/* Off all lists but that of from, which has told it. */
static unsigned
leave_lists(wf_ctx *ctx, const struct wf__cancel_child *from)
{
	unsigned n = 0;

	if (&ctx->link != from)
		n += wf__ctx_unlink(&ctx->link);
	if (ctx->is_merged && &wf__ctx_merged(ctx)->second != from)
		n += wf__ctx_unlink(&wf__ctx_merged(ctx)->second);
	return n;
}

/* Somebody else ended it: until he is through with those below. */
static void
await_telling(wf_ctx *ctx)
{
	if (wf__unlikely(wf__lock_is_held(&ctx->telling))) {
		wf__lock(&ctx->telling);
		wf__unlock(&ctx->telling);
	}
}

/* Make one context done; returns its children, to be told, and telling is held
 * if there are any.  *refs: the caller's. */
static struct wf__cancel_child *
end_one(wf_ctx *ctx, const struct end *end, unsigned *refs)
{
	struct wf__cancel *c = &ctx->cancel;
	struct wf__cancel_child *children;
	bool telling;

	wf__lock(&c->own.lock);
	if (wf__cancel_state(c)) {
		wf__unlock(&c->own.lock);
		await_telling(ctx);
		return NULL;
	}
	if (end->cause)
		ctx->cause = *end->cause;
	ctx->origin = end->cause ? ctx : end->origin;
	telling = c->own.children || wf__cancel_nth_list(c, 1);
	if (telling)
		wf__lock(&ctx->telling);	/* nobody else wants it yet */
	wf__store_release(&c->state, (wf__word)end->err);	/* [cancel] */
	children = wf__cancel_wake(c);
	if (telling && !children)
		wf__unlock(&ctx->telling);
	if (ctx->timer.fire && wf__timer_stop(&ctx->timer))
		++*refs;
	return children;
}

/* The context that a link on a list stands for. */
static wf_ctx *
told_context(struct wf__cancel_child *child)
{
	if (child->kind == WF__CTX_SECOND)
		return &wf__container_of(child, struct wf__ctx_merged,
		    second)->ctx;
	return wf__container_of(child, wf_ctx, link);
}

/* Tell one child; returns its children, which are to be told before it is
 * given back, or NULL. */
static struct wf__cancel_child *
tell_child(struct wf__cancel_child *child, const struct end *end)
{
	struct wf__cancel_child *below;
	unsigned refs = 0;
	wf_ctx *ctx;

	if (child->kind == WF__CTX_CALL) {
		wf__ctx_call_tell(child);
		return NULL;
	}
	ctx = told_context(child);
	below = end_one(ctx, end, &refs);
	if (!below)
		refs += leave_lists(ctx, child) + 1;
	wf__ctx_release(ctx, refs);
	return below;
}

/*
 * Depth first.  A child whose own children are told lies on a stack meanwhile:
 * its prev is the one beneath, its next the rest of its list.
 */
static void
tell_all(struct wf__cancel_child *child, const struct end *end)
{
	struct wf__cancel_child *stack = NULL, *next, *below;
	unsigned refs;
	wf_ctx *ctx;

	while (child || stack) {
		if (child) {
			next = child->next;
			if ((below = tell_child(child, end))) {
				child->prev = stack;
				stack = child;
				next = below;
			}
			child = next;
			continue;
		}
		ctx = told_context(stack);
		refs = leave_lists(ctx, stack) + 1;
		child = stack->next;
		stack = stack->prev;
		wf__unlock(&ctx->telling);
		wf__ctx_release(ctx, refs);
	}
}

unsigned
wf__ctx_end(wf_ctx *ctx, int err, const struct wf_cause *cause,
    const wf_ctx *origin)
{
	struct end end = { err, cause, origin };
	struct wf__cancel_child *children;
	unsigned refs = 0;

	wf__seam_touch(WF__ANYTHING);
	if (wf__cancel_state(&ctx->cancel)) {
		await_telling(ctx);
		return 0;
	}
	children = end_one(ctx, &end, &refs);
	end.cause = NULL;
	end.origin = ctx->origin;
	tell_all(children, &end);
	refs += leave_lists(ctx, NULL);
	if (children)
		wf__unlock(&ctx->telling);
	return refs;
}

static bool
can_end(const wf_ctx *ctx)
{
	return ctx && !ctx->is_static && !ctx->cancel.endless;
}

WF_API void
wf_ctx_cancel(wf_ctx *ctx)
{
	wf_ctx_cancel_cause(ctx, NULL);
}

WF_API void
wf_ctx_cancel_cause(wf_ctx *ctx, const struct wf_cause *cause)
{
	struct wf_cause given;

	wf__seam_point_at("cancels a context", 0);
	if (!can_end(ctx))
		return;
	if (cause) {
		given = *cause;
		given.err = given.err ? given.err : -ECANCELED;
		given.text[sizeof given.text - 1] = '\0';
	}
	wf__ctx_release(ctx, wf__ctx_end(ctx, ECANCELED,
	    cause ? &given : NULL, NULL));
}

WF_API void
wf_ctx_free(wf_ctx *ctx)
{
	wf__seam_point_at("frees a context", 0);
	if (!ctx)
		return;
	wf__ctx_release(ctx, 1 + (can_end(ctx) ?
	    wf__ctx_end(ctx, ECANCELED, NULL, NULL) : 0));
}

/* ---- asking ---- */

WF_API int
wf_ctx_err(const wf_ctx *ctx)
{
	return ctx ? -wf__cancel_state(&ctx->cancel) : -EINVAL;
}

WF_API int
wf_ctx_cause(const wf_ctx *ctx, struct wf_cause *cause)
{
	struct wf_cause c = { wf_ctx_err(ctx), "" };

	if (c.err && ctx && ctx->origin)
		c = ctx->origin->cause;
	if (cause)
		*cause = c;
	return c.err;
}

WF_API int64_t
wf_ctx_deadline(const wf_ctx *ctx)
{
	return ctx ? ctx->deadline : WF_FOREVER;
}

WF_API void *
wf_ctx_value_raw(const wf_ctx *ctx, const void *key)
{
	const struct wf__values *v = ctx ? ctx->values : NULL;

	for (; v; v = v->older)
		for (size_t i = 0; i < v->n; i++)
			if (v->of[i].key == key)
				return v->of[i].value;
	return NULL;
}
