/* SPDX-License-Identifier: MIT */
/*
 * group.c - coroutines that are waited for together, and fail together.
 * Layer 5.  Uses: group, context, wait, cancel, coro, lock, report.
 *
 * While g->lock is held:
 *   I1  active counts the children, and those about to be started.
 *   I2  spawners wait => active is at the limit, or over it: a child that ends
 *       leaves its place to the first of them, and active as it is.
 *   I3  joiners wait => active > 0.
 *   I4  error changes from 0 once.
 *
 * The last child takes the joiners off, drops the lock, and does not touch the
 * group any more; so it may be freed by who finds active 0 under the lock.
 */
#include "group.h"

#include <errno.h>
#include <stdio.h>

#include "alloc.h"
#include "cancel.h"
#include "context.h"
#include "coro.h"
#include "report.h"
#include "sched.h"
#include "seam.h"
#include "wait.h"

enum { NO_LIMIT = -1 };

struct wf_group {
	struct wf__lock lock;
	struct wf__waitq joiners, spawners;
	int active;
	int limit;			/* or NO_LIMIT */
	int error;
	wf_ctx *ctx;			/* fixed */
	uint64_t number;		/* for reports; fixed */
};

WF_API wf_group *
wf_group_make(wf_ctx *parent)
{
	wf_group *g = wf__alloc_object(sizeof *g);

	if (!g)
		return NULL;
	g->limit = NO_LIMIT;
	g->number = wf__wait_number();
	g->ctx = wf_ctx_with_cancel(parent);
	if (g->ctx == wf__ctx_failed(ENOMEM)) {
		wf__free(g, sizeof *g);
		return NULL;
	}
	return g;
}

WF_API wf_ctx *
wf_group_ctx(wf_group *g)
{
	return g ? g->ctx : wf__ctx_failed(ENOMEM);
}

WF_API void
wf_group_cancel(wf_group *g)
{
	if (g)
		wf_ctx_cancel(g->ctx);
}

WF_API int
wf_group_active(const wf_group *group)
{
	wf_group *g = (wf_group *)(uintptr_t)group;
	int n = 0;

	if (g) {
		wf__seam_touch(g->number);
		wf__lock(&g->lock);
		n = g->active;
		wf__unlock(&g->lock);
	}
	return n;
}

WF_API void
wf_group_limit(wf_group *g, int n)
{
	int active;

	if (!g)
		return;
	wf__seam_touch(g->number);
	wf__lock(&g->lock);
	active = g->active;
	if (!active)
		g->limit = n < 0 ? NO_LIMIT : n;
	wf__unlock(&g->lock);
	if (active)
		wf__misuse("wf_group_limit", "group %llu has %d children",
		    (unsigned long long)wf__wait_shown(g->number), active);
}

/* ---- the end of a child ---- */

/* The first error, and why the others are to end. */
static void
fail_group(wf_group *g, const struct wf_site *site, int result)
{
	struct wf_cause cause = { .err = result };
	bool first;

	wf__seam_touch(g->number);
	wf__lock(&g->lock);
	first = !g->error;
	if (first)
		g->error = result;
	wf__unlock(&g->lock);
	if (!first || g->ctx->is_static)
		return;
	snprintf(cause.text, sizeof cause.text, "%s", site->what);
	wf__ctx_release(g->ctx, wf__ctx_end(g->ctx, ECANCELED, &cause, NULL));
}

/* One place is free: for the first who waits for one, or nobody's. */
static void
leave_group(wf_group *g)
{
	struct wf__waiter *list = NULL, *w;

	wf__seam_touch(g->number);
	wf__lock(&g->lock);
	if ((w = wf__waitq_claim(&g->spawners)))
		w->next = NULL;
	else if (--g->active == 0)
		list = wf__waitq_claim_all(&g->joiners);
	wf__unlock(&g->lock);
	wf__waitq_ready_all(w ? w : list);
}

void
wf__group_ended(wf_group *g, const struct wf_site *site, int result)
{
	if (result < 0)
		fail_group(g, site, result);
	leave_group(g);
}

/* ---- spawning ---- */

/* A place for a child; -EAGAIN, or wait for it. */
static int
enter_group(wf_group *g, bool may_wait)
{
	struct wf__wait wait = { .lock = &g->lock, .queue = &g->spawners,
	    .cancel = wf__cancel_of(g->ctx),
	    .why = "for a place in group", .number = g->number };
	int err = -EAGAIN;

	wf__lock(&g->lock);
	if (g->limit == NO_LIMIT || g->active < g->limit) {
		g->active++;
		err = 0;
	} else if (may_wait && (err = wf__wait(&wait)) == 0)
		return 0;		/* with the place of one that ended */
	wf__unlock(&g->lock);
	return err;
}

static int
spawn_child(wf_group *g, const struct wf_attr *attr, struct wf__entry *e,
    unsigned shape, const uint64_t *words, bool may_wait)
{
	int err;

	wf__seam_point_at("spawns in group", g ? g->number : 0);
	if (!g)
		return -ENOMEM;
	if ((err = enter_group(g, may_wait)) < 0)
		return err;
	e->group = g;
	if ((err = wf__coro_spawn_with(e, attr, shape, words)) < 0)
		leave_group(g);
	return err;
}

WF_API int
wf_group_spawn_raw(wf_group *g, const struct wf_attr *attr,
    const struct wf_site *site, void (*fn)(void), unsigned shape,
    const uint64_t *words)
{
	struct wf__entry e = { .fn = fn, .site = site };

	return spawn_child(g, attr, &e, shape, words, true);
}

WF_API int
wf_group_try_spawn_raw(wf_group *g, const struct wf_attr *attr,
    const struct wf_site *site, void (*fn)(void), unsigned shape,
    const uint64_t *words)
{
	struct wf__entry e = { .fn = fn, .site = site };

	return spawn_child(g, attr, &e, shape, words, false);
}

/* ---- waiting ---- */

static void
check_no_child(const wf_group *g, const char *call)
{
	struct wf__worker *w = wf__self();

	if (w && w->running && w->running->entry.group == g)
		wf__misuse(call, "a child of group %llu waits for itself",
		    (unsigned long long)wf__wait_shown(g->number));
}

/* Wait until there are no children, or until *cancel is done: its error. */
static int
join_group(wf_group *g, struct wf__cancel *cancel, int *error)
{
	struct wf__wait wait = { .lock = &g->lock, .queue = &g->joiners,
	    .cancel = cancel, .why = "for group", .number = g->number };
	int err = 0;

	wf__lock(&g->lock);
	if (g->active) {
		err = wf__wait(&wait);
		if (!err)
			wf__lock(&g->lock);
	}
	*error = g->error;
	wf__unlock(&g->lock);
	return err;
}

static int
await_children(wf_group *g, struct wf__cancel *cancel, const char *call)
{
	int error = 0, err;

	wf__seam_point_at("waits for group", g ? g->number : 0);
	if (!g)
		return -ENOMEM;
	check_no_child(g, call);
	if ((err = join_group(g, cancel, &error)) < 0)
		return err;
	wf_ctx_cancel(g->ctx);
	return error;
}

WF_API int
wf_group_wait(wf_group *g)
{
	return await_children(g, NULL, "wf_group_wait");
}

WF_API int
wf_group_wait_ctx(wf_ctx *ctx, wf_group *g)
{
	if (!ctx)
		return -EINVAL;
	return await_children(g, wf__cancel_of(ctx), "wf_group_wait_ctx");
}

WF_API void
wf_group_free(wf_group *g)
{
	if (!g)
		return;
	wf_ctx_cancel(g->ctx);
	await_children(g, NULL, "wf_group_free");
	wf_ctx_free(g->ctx);
	wf__free(g, sizeof *g);
}
