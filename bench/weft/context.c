/* SPDX-License-Identifier: MIT */
/* context.c - Ctx, CtxCancel1000, CtxTimeout, CtxTree, CtxShared,
 * SelectShared. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR (3600 * WF_SEC)

enum { CHILDREN = 1000, IN_FLIGHT = 10, SHARERS = 8, PAIRS = 8 };

/* ---- Ctx ---- */

static void
cancel_one(const char *name, wf_ctx *parent, long ops)
{
	int64_t start = bench_now();
	long ended = 0;

	for (long n = 0; n < ops; n++) {
		wf_ctx *ctx = wf_ctx_with_cancel(parent);

		wf_ctx_cancel(ctx);
		ended += wf_ctx_err(ctx) == -ECANCELED;
		wf_ctx_free(ctx);
	}
	bench_per_op(name, start, ops);
	bench_check(name, ended, ops);
}

static void
cancel_timed(long ops)
{
	int64_t start = bench_now();
	long ended = 0;

	for (long n = 0; n < ops; n++) {
		wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), HOUR);

		wf_ctx_cancel(ctx);
		ended += wf_ctx_err(ctx) == -ECANCELED;
		wf_ctx_free(ctx);
	}
	bench_per_op("Ctx/timeout", start, ops);
	bench_check("Ctx/timeout", ended, ops);
}

void
bench_ctx(long ops)
{
	wf_ctx *parent = wf_ctx_with_cancel(wf_ctx_background());

	cancel_one("Ctx/cancel", wf_ctx_background(), ops);
	cancel_one("Ctx/child", parent, ops);
	cancel_timed(ops);
	wf_ctx_free(parent);
}

/* ---- CtxCancel1000 ---- */

void
bench_ctxcancel1000(long ops)
{
	static wf_ctx *child[CHILDREN];
	int64_t made = 0, cancelled = 0, ended = 0;

	for (long n = 0; n < ops; n++) {
		wf_ctx *parent = wf_ctx_with_cancel(wf_ctx_background());
		int64_t start = bench_now(), middle;

		for (int i = 0; i < CHILDREN; i++)
			child[i] = wf_ctx_with_cancel(parent);
		middle = bench_now();
		wf_ctx_cancel(parent);
		cancelled += bench_now() - middle;
		made += middle - start;
		for (int i = 0; i < CHILDREN; i++) {
			ended += wf_ctx_err(child[i]) == -ECANCELED;
			wf_ctx_free(child[i]);
		}
		wf_ctx_free(parent);
	}
	bench_figure("CtxCancel1000/cancel", (double)cancelled /
	    (double)(ops * CHILDREN), "ns");
	bench_figure("CtxCancel1000/make", (double)made /
	    (double)(ops * CHILDREN), "ns");
	bench_check("CtxCancel1000", ended, ops * CHILDREN);
}

/* ---- CtxTimeout ---- */

static void
churn_timed(long ops)
{
	wf_ctx *ctx[IN_FLIGHT];

	for (long n = 0; n < ops / IN_FLIGHT; n++) {
		for (int i = 0; i < IN_FLIGHT; i++)
			ctx[i] = wf_ctx_with_timeout(wf_ctx_background(),
			    HOUR);
		for (int i = 0; i < IN_FLIGHT; i++)
			wf_ctx_free(ctx[i]);
	}
}

static void
timeout_among(const char *name, long live, long ops)
{
	wf_ctx **ctx = calloc((size_t)live, sizeof *ctx);
	int workers = wf_workers(0);
	wf_waitgroup wg = {0};
	int64_t start;

	BENCH_MUST(ctx);
	for (long i = 0; i < live; i++)
		ctx[i] = wf_ctx_with_timeout(wf_ctx_background(), HOUR);
	start = bench_now();
	for (int i = 0; i < workers; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&wg, churn_timed,
		    ops / workers));
	wf_waitgroup_wait(&wg);
	bench_per_op(name, start, ops);
	for (long i = 0; i < live; i++) {
		bench_check(name, wf_ctx_err(ctx[i]), 0);
		wf_ctx_free(ctx[i]);
	}
	free(ctx);
}

void
bench_ctxtimeout(long ops)
{
	timeout_among("CtxTimeout/40", 40, ops);
	timeout_among("CtxTimeout/4000", 4000, ops);
	timeout_among("CtxTimeout/400000", 400000, ops);
}

/* ---- CtxTree ---- */

/* Chains of contexts under root, each cancelled at its top. */
static void
tree(const char *kind, wf_ctx *root, long depth, long ops)
{
	static wf_ctx *chain[1000];
	int64_t start = bench_now();
	char name[40];

	snprintf(name, sizeof name, "CtxTree/%ld-%s", depth, kind);
	for (long n = 0; n < ops / depth; n++) {
		for (long i = 0; i < depth; i++)
			chain[i] = wf_ctx_with_cancel(i ? chain[i - 1] : root);
		wf_ctx_cancel(chain[0]);
		bench_check(name, wf_ctx_err(chain[depth - 1]), -ECANCELED);
		for (long i = 0; i < depth; i++)
			wf_ctx_free(chain[i]);
	}
	bench_per_op(name, start, ops);
}

void
bench_ctxtree(long ops)
{
	wf_ctx *open = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *cancelled = wf_ctx_with_cancel(wf_ctx_background());

	wf_ctx_cancel(cancelled);
	for (long depth = 1; depth <= 1000; depth *= 10) {
		tree("background", wf_ctx_background(), depth, ops);
		tree("open", open, depth, ops);
		tree("cancelled", cancelled, depth, ops);
	}
	wf_ctx_free(cancelled);
	wf_ctx_free(open);
}

/* ---- CtxShared ---- */

static void
churn_children(wf_ctx *parent, long ops)
{
	for (long n = 0; n < ops; n++)
		wf_ctx_free(wf_ctx_with_cancel(parent));
}

static void
children_of(const char *name, wf_ctx **parent, int parents, long ops)
{
	int64_t start = bench_now();
	wf_waitgroup wg = {0};

	for (int i = 0; i < SHARERS; i++)
		BENCH_MUST(!wf_waitgroup_spawn(&wg, churn_children,
		    parent[i % parents], ops / SHARERS));
	wf_waitgroup_wait(&wg);
	bench_per_op(name, start, ops);
}

void
bench_ctxshared(long ops)
{
	wf_ctx *parent[SHARERS];

	for (int i = 0; i < SHARERS; i++)
		parent[i] = wf_ctx_with_cancel(wf_ctx_background());
	children_of("CtxShared/shared", parent, 1, ops);
	children_of("CtxShared/private", parent, SHARERS, ops);
	for (int i = 0; i < SHARERS; i++)
		wf_ctx_free(parent[i]);
}

/* ---- SelectShared ---- */

static void
produce(wf_chan(long) out, wf_chan(long) idle, wf_ctx *ctx, long times)
{
	while (times--)
		BENCH_MUST(wf_select(wf_on_send(out, 1L),
		    wf_on_recv(idle, NULL), wf_on_done(ctx)) == 0);
}

static void
consume(wf_chan(long) in, wf_chan(long) idle, wf_ctx *ctx, long times,
    long *sum)
{
	long v = 0;

	while (times--) {
		BENCH_MUST(wf_select(wf_on_recv(in, &v),
		    wf_on_recv(idle, NULL), wf_on_done(ctx)) == 0);
		*sum += v;
	}
}

static void
select_with(const char *name, bool shared, long ops)
{
	wf_chan(long) c[PAIRS], idle[PAIRS];
	wf_ctx *ctx[PAIRS];
	wf_waitgroup wg = {0};
	long sum[PAIRS] = { 0 }, total = 0, each = ops / PAIRS;
	int64_t start;

	for (int i = 0; i < PAIRS; i++) {
		BENCH_MUST(c[i] = wf_chan_make(long, 0));
		BENCH_MUST(idle[i] = wf_chan_make(long, 0));
		ctx[i] = wf_ctx_with_cancel(wf_ctx_background());
	}
	start = bench_now();
	for (int i = 0; i < PAIRS; i++) {
		wf_ctx *common = ctx[shared ? 0 : i];

		BENCH_MUST(!wf_waitgroup_spawn(&wg, produce, c[i], idle[i],
		    common, each));
		BENCH_MUST(!wf_waitgroup_spawn(&wg, consume, c[i], idle[i],
		    common, each, &sum[i]));
	}
	wf_waitgroup_wait(&wg);
	bench_per_op(name, start, ops);
	for (int i = 0; i < PAIRS; i++) {
		total += sum[i];
		wf_chan_free(c[i]);
		wf_chan_free(idle[i]);
		wf_ctx_free(ctx[i]);
	}
	bench_check(name, total, ops);
}

void
bench_selectshared(long ops)
{
	select_with("SelectShared/shared", true, ops);
	select_with("SelectShared/private", false, ops);
}
