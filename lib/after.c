/* SPDX-License-Identifier: MIT */
/*
 * after.c - a coroutine that starts when a context is done.
 * Layer 5.  Uses: context, coro, sched, stack, alloc.
 *
 * All that the start needs is reserved when the call is registered: the start
 * record is part of it, and lies in the run queue as any other.
 *
 * References: the registrar's handle, and one of the list, which goes on to
 * the coroutine until that has begun.  Who takes armed down decides: whether
 * the coroutine starts or the call was stopped [armed].
 */
#include "context.h"

#include "alloc.h"
#include "coro.h"
#include "report.h"
#include "sched.h"
#include "seam.h"

struct wf_ctx_call {
	struct wf__cancel_child link;
	wf_ctx *ctx;			/* a reference */
	wf__word refs;			/* [refs] */
	wf__word armed;			/* [armed] */
	struct wf__start start;
};

static void
release_call(wf_ctx_call *call)
{
	if (wf__add_acq_rel(&call->refs, (wf__word)-1) != 1)	/* [refs] */
		return;
	wf_ctx_unref(call->ctx);
	wf__free(call, sizeof *call);
}

/* The coroutine has begun, and has taken its words. */
static void
begun(struct wf__start *start)
{
	release_call(wf__container_of(start, wf_ctx_call, start));
}

static bool
disarm(wf_ctx_call *call)
{
	return wf__cas_acq_rel(&call->armed, 1, 0);		/* [armed] */
}

static void
launch_call(wf_ctx_call *call)
{
	if (wf__sched_need() == 0) {
		wf__coro_launch(&call->start);
		return;
	}
	wf__report("weft: wf_ctx_after: %s (%s:%d) cannot start, the runtime "
	    "was stopped", call->start.entry.site->what,
	    call->start.entry.site->file, call->start.entry.site->line);
	release_call(call);
}

void
wf__ctx_call_tell(struct wf__cancel_child *child)
{
	wf_ctx_call *call = wf__container_of(child, wf_ctx_call, link);

	if (disarm(call))
		launch_call(call);
	else
		release_call(call);
}

static void
fill_in_call(wf_ctx_call *call, const struct wf_site *site, void (*fn)(void),
    unsigned shape, const uint64_t *words)
{
	struct wf__entry e = { .fn = fn, .site = site };

	call->link.kind = WF__CTX_CALL;
	wf__store_relaxed(&call->refs, 2);	/* nobody else knows it yet */
	wf__store_relaxed(&call->armed, 1);
	call->start.begun = begun;
	wf__coro_prepare(&call->start, &e, wf__stack_class(0), shape, words);
}

WF_API wf_ctx_call *
wf_ctx_after_raw(wf_ctx *ctx, const struct wf_site *site, void (*fn)(void),
    unsigned shape, const uint64_t *words)
{
	wf_ctx_call *call;

	wf__seam_point_at("sets a call for a context's end", 0);
	if (!ctx || wf__sched_need() < 0 ||
	    !(call = wf__alloc_object(sizeof *call)))
		return NULL;
	fill_in_call(call, site, fn, shape, words);
	call->ctx = wf_ctx_ref(ctx);
	if (ctx->cancel.endless) {
		release_call(call);		/* the list's: there is none */
		return call;
	}
	if (!ctx->is_static)
		call->link.list = wf__cancel_list(&ctx->cancel);
	if (!call->link.list || !wf__ctx_link(ctx, &call->link, NULL))
		wf__ctx_call_tell(&call->link);
	return call;
}

WF_API bool
wf_ctx_after_stop(wf_ctx_call *call)
{
	wf__seam_point_at("calls off a context's call", 0);
	if (!call || !disarm(call))
		return false;
	if (wf__ctx_unlink(&call->link))
		release_call(call);
	return true;
}

WF_API void
wf_ctx_after_release(wf_ctx_call *call)
{
	if (call)
		release_call(call);
}

WF_API void
wf_ctx_after_free(wf_ctx_call *call)
{
	wf_ctx_after_stop(call);
	wf_ctx_after_release(call);
}
