/* SPDX-License-Identifier: MIT */
/*
 * context_make.c - the kinds of contexts, and how each is made.
 * Layer 5.  Uses: context, timerq, sched, spare.
 *
 * A context is filled in while nobody knows it.  Then its timer is started,
 * so that whoever ends it can stop that; then it is linked to its parent.
 * References for both are there beforehand.
 */
#include "context.h"

#include <errno.h>

#include <weft/time.h>
#include "sched.h"
#include "seam.h"
#include "spare.h"

static wf_ctx background = { .cancel.endless = true, .deadline = WF_FOREVER,
    .is_static = true };
static wf_ctx todo = { .cancel.endless = true, .deadline = WF_FOREVER,
    .is_static = true };
static wf_ctx no_memory = { .cancel.state = ENOMEM, .deadline = WF_FOREVER,
    .is_static = true };
static wf_ctx no_parent = { .cancel.state = EINVAL, .deadline = WF_FOREVER,
    .is_static = true };

WF_API wf_ctx *
wf_ctx_background(void)
{
	return &background;
}

WF_API wf_ctx *
wf_ctx_todo(void)
{
	return &todo;
}

wf_ctx *
wf__ctx_failed(int err)
{
	return err == ENOMEM ? &no_memory : &no_parent;
}

wf_ctx *
wf__ctx_new(wf_ctx *parent, size_t size)
{
	wf_ctx *ctx = wf__spare_get(size);

	if (!ctx)
		return NULL;
	ctx->size = (uint32_t)size;
	wf__store_relaxed(&ctx->refs, 1);	/* nobody else knows it yet */
	ctx->parent = parent;
	ctx->deadline = parent->deadline;
	ctx->values = parent->values;
	return ctx;
}

static void
deadline_passes(struct wf__timer *t, bool expired)
{
	wf_ctx *ctx = wf__container_of(t, wf_ctx, timer);
	unsigned refs = 1;

	if (expired)
		refs += wf__ctx_end(ctx, ETIMEDOUT, NULL,
		    ctx->has_cause ? ctx : NULL);
	wf__ctx_release(ctx, refs);
}

/* Done with its parent, if that is done. */
static unsigned
end_with(wf_ctx *ctx, const wf_ctx *parent)
{
	int err = wf__cancel_state(&parent->cancel);

	if (!err || ctx->cancel.endless)
		return 0;
	return wf__ctx_end(ctx, err, NULL, parent->origin);
}

void
wf__ctx_join(wf_ctx *ctx)
{
	bool timed = ctx->timer.fire;
	unsigned refs;

	wf__seam_touch(WF__ANYTHING);	/* children have an order */
	if (!ctx->parent->is_static)
		ctx->link.list = wf__cancel_list(&ctx->parent->cancel);
	/* Relaxed: nobody else knows it yet. */
	wf__store_relaxed(&ctx->refs,
	    1u + timed + (ctx->link.list ? 1 : 0));
	if (timed)
		wf__sched_timer_start(&ctx->timer, ctx->deadline);
	refs = ctx->link.list &&
	    !wf__ctx_link(ctx->parent, &ctx->link, ctx);
	refs += end_with(ctx, ctx->parent);
	wf__ctx_release(ctx, refs);
}

/* A child that ends at the deadline as well. */
static wf_ctx *
make_timed(wf_ctx *parent, int64_t deadline, int64_t now,
    const struct wf_cause *cause)
{
	bool own, past;
	wf_ctx *ctx;

	if (!parent)
		return &no_parent;
	own = deadline < parent->deadline;
	past = own && deadline <= now;
	if ((own && !past && wf__sched_need() < 0) ||
	    !(ctx = wf__ctx_new(parent, sizeof *ctx)))
		return &no_memory;
	if (own) {
		ctx->deadline = deadline;
		ctx->has_cause = cause;
		if (!past && !wf__cancel_state(&parent->cancel))
			ctx->timer.fire = deadline_passes;
	}
	if (ctx->has_cause) {
		ctx->cause = *cause;
		ctx->cause.err = cause->err ? cause->err : -ETIMEDOUT;
		ctx->cause.text[sizeof cause->text - 1] = '\0';
	}
	wf__ctx_join(ctx);
	if (past)
		wf__ctx_release(ctx, wf__ctx_end(ctx, ETIMEDOUT, NULL,
		    ctx->has_cause ? ctx : NULL));
	return ctx;
}

WF_API wf_ctx *
wf_ctx_with_cancel(wf_ctx *parent)
{
	return make_timed(parent, WF_FOREVER, 0, NULL);
}

WF_API wf_ctx *
wf_ctx_with_deadline(wf_ctx *parent, int64_t deadline)
{
	return wf_ctx_with_deadline_cause(parent, deadline, NULL);
}

WF_API wf_ctx *
wf_ctx_with_deadline_cause(wf_ctx *parent, int64_t deadline,
    const struct wf_cause *cause)
{
	return make_timed(parent, deadline, wf__seam_now(), cause);
}

WF_API wf_ctx *
wf_ctx_with_timeout(wf_ctx *parent, int64_t ns)
{
	return wf_ctx_with_timeout_cause(parent, ns, NULL);
}

WF_API wf_ctx *
wf_ctx_with_timeout_cause(wf_ctx *parent, int64_t ns,
    const struct wf_cause *cause)
{
	int64_t now = wf__seam_now();

	if (ns > 0 && ns >= WF_FOREVER - now)
		return make_timed(parent, WF_FOREVER, now, cause);
	return make_timed(parent, ns > 0 ? now + ns : now, now, cause);
}

WF_API wf_ctx *
wf_ctx_without_cancel(wf_ctx *parent)
{
	wf_ctx *ctx;

	if (!parent)
		return &no_parent;
	if (!(ctx = wf__ctx_new(parent, sizeof *ctx)))
		return &no_memory;
	ctx->deadline = WF_FOREVER;
	ctx->cancel.endless = true;
	ctx->cancel.own.told = true;		/* nobody is ever linked */
	wf__ctx_join(ctx);
	return ctx;
}

/* ---- two parents ---- */

/* m may end by its first parent at any time. */
static void
link_second(struct wf__ctx_merged *m)
{
	unsigned refs = 0;

	if (m->second.list) {
		wf_ctx_ref(&m->ctx);
		refs = !wf__ctx_link(m->other, &m->second, &m->ctx);
	}
	refs += end_with(&m->ctx, m->other);
	wf__ctx_release(&m->ctx, refs);
}

WF_API wf_ctx *
wf_ctx_merge(wf_ctx *a, wf_ctx *b)
{
	struct wf__ctx_merged *m;

	if (!a || !b)
		return &no_parent;
	m = (struct wf__ctx_merged *)(void *)wf__ctx_new(a, sizeof *m);
	if (!m)
		return &no_memory;
	if (b->deadline < a->deadline)
		m->ctx.deadline = b->deadline;
	m->ctx.is_merged = true;
	m->other = wf_ctx_ref(b);
	m->second.kind = WF__CTX_SECOND;
	if (!b->is_static)
		m->second.list = wf__cancel_list(&b->cancel);
	wf__ctx_join(&m->ctx);
	link_second(m);
	return &m->ctx;
}

/* ---- values ---- */

/* The values of old, nearest first, behind room for a new one; those of the
 * same key are left out.  Without room all of old stays where it is. */
static void
copy_values(struct wf__values *v, const struct wf__values *old,
    const void *key)
{
	v->n = 1;
	v->older = old;
	if (!old || old->n == WF__VALUES_NEAR)
		return;
	v->older = old->older;
	for (size_t i = 0; i < old->n; i++)
		if (old->of[i].key != key)
			v->of[v->n++] = old->of[i];
}

WF_API wf_ctx *
wf_ctx_with_value_raw(wf_ctx *parent, const void *key, void *value)
{
	const struct wf__values *old;
	struct wf__values *v;
	wf_ctx *ctx;
	size_t n = 1;

	if (!parent || !key)
		return &no_parent;
	old = parent->values;
	if (old && old->n < WF__VALUES_NEAR)
		n += old->n;
	ctx = wf__ctx_new(parent, sizeof *ctx + sizeof *v + n * sizeof *v->of);
	if (!ctx)
		return &no_memory;
	v = (struct wf__values *)(void *)(ctx + 1);
	copy_values(v, old, key);
	v->of[0].key = key;
	v->of[0].value = value;
	ctx->values = v;
	wf__ctx_join(ctx);
	return ctx;
}
