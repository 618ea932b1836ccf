/* SPDX-License-Identifier: MIT */
/*
 * context.c - contexts: done once and for ever, down the tree and never up,
 * by cancel or by deadline; references; crowds of waiters; races.
 */
#include "tap.h"

#include <pthread.h>

#define HOUR (3600 * WF_SEC)

/* Block until ctx is done. */
static void
wait_done(wf_ctx *ctx)
{
	check_eq(wf_select(wf_on_done(ctx)), 0);
}

/* Is ctx done, for those who wait as well as for those who ask? */
static bool
is_done(wf_ctx *ctx)
{
	bool asked = wf_ctx_err(ctx) != 0;
	bool waited = wf_select(wf_on_done(ctx), wf_on_default()) == 0;

	check(!asked || waited);
	return waited;
}

/* 176: the background. */

static int
background(void)
{
	wf_ctx *ctx = wf_ctx_background();

	check(ctx && ctx == wf_ctx_background());
	wf_ctx_cancel(ctx);
	wf_ctx_free(ctx);
	check(wf_ctx_ref(ctx) == ctx);
	wf_ctx_unref(ctx);
	check(!is_done(ctx));
	check_eq(wf_ctx_err(ctx), 0);
	check_eq(wf_ctx_deadline(ctx), WF_FOREVER);
	wf_ctx_free(NULL);
	return 0;
}

static void
background_plain(void)
{
	background();
}

/* 178: a tree. */

static int
cancelled_tree(void)
{
	wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *a = wf_ctx_with_cancel(top);
	wf_ctx *b = wf_ctx_with_timeout(top, HOUR);
	wf_ctx *c = wf_ctx_with_timeout(a, HOUR);
	wf_ctx *d = wf_ctx_with_cancel(b);
	wf_ctx *all[] = { top, a, b, c, d, NULL };

	for (int i = 0; all[i]; i++)
		check(!is_done(all[i]) && wf_ctx_err(all[i]) == 0);
	wf_ctx_cancel(top);
	for (int i = 0; all[i]; i++)
		check_eq(wf_ctx_err(all[i]), -ECANCELED);
	for (int i = 0; all[i]; i++)
		check(is_done(all[i]));
	wf_ctx_cancel(top);
	wf_ctx_cancel(d);
	check_eq(wf_ctx_err(d), -ECANCELED);
	wf_ctx_free(top);		/* the order is free */
	for (int i = 4; i > 0; i--)
		wf_ctx_free(all[i]);
	return 0;
}

/* 179, 181: a child's end is its own. */

static int
child_first(void)
{
	for (int timed = 0; timed < 2; timed++) {
		wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
		wf_ctx *child = timed ? wf_ctx_with_timeout(top, HOUR) :
		    wf_ctx_with_cancel(top);
		wf_ctx *other = wf_ctx_with_cancel(top);
		wf_ctx *below = wf_ctx_with_cancel(child);

		wf_ctx_cancel(child);
		check_eq(wf_ctx_err(child), -ECANCELED);
		check_eq(wf_ctx_err(below), -ECANCELED);
		check_eq(wf_ctx_err(other), 0);
		check_eq(wf_ctx_err(top), 0);
		check(!is_done(other) && !is_done(top));
		check_eq(wf_ctx_err(wf_ctx_background()), 0);
		wf_ctx_free(child);
		wf_ctx_cancel(top);
		check_eq(wf_ctx_err(other), -ECANCELED);
		wf_ctx_free(below);
		wf_ctx_free(other);
		wf_ctx_free(top);
	}
	return 0;
}

static int
child_expires_first(void)
{
	wf_ctx *top = wf_ctx_with_timeout(wf_ctx_background(), HOUR);
	wf_ctx *child = wf_ctx_with_timeout(top, WF_MS);
	wf_ctx *below = wf_ctx_with_cancel(child);

	wait_done(below);
	check(wf_now() >= wf_ctx_deadline(child));
	check_eq(wf_ctx_err(below), -ETIMEDOUT);
	check_eq(wf_ctx_err(child), -ETIMEDOUT);
	check_eq(wf_ctx_err(top), 0);
	check(!is_done(top));
	wf_ctx_cancel(child);
	wf_ctx_cancel(top);
	check_eq(wf_ctx_err(child), -ETIMEDOUT);	/* the first error */
	check_eq(wf_ctx_err(top), -ECANCELED);
	wf_ctx_free(below);
	wf_ctx_free(child);
	wf_ctx_free(top);
	return 0;
}

/* 182: cancel before the deadline, and deadlines that are past. */

static int
cancel_before_deadline(void)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), HOUR);
	int err;

	wf_ctx_cancel(ctx);
	check_eq(wf_ctx_err(ctx), -ECANCELED);
	wf_ctx_free(ctx);
	ctx = wf_ctx_with_timeout(wf_ctx_background(), 2 * WF_MS);
	wf_ctx_cancel(ctx);
	/* Whichever was first. */
	err = wf_ctx_err(ctx);
	check(err == -ECANCELED || err == -ETIMEDOUT);
	wf_sleep(5 * WF_MS);
	check_eq(wf_ctx_err(ctx), err);
	wf_ctx_free(ctx);
	return 0;
}

static int
past_deadlines(void)
{
	static const int64_t past[] = { 0, -1, -HOUR, INT64_MIN };

	for (int i = 0; i < 4; i++) {
		wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), past[i]);
		wf_ctx *child = wf_ctx_with_timeout(ctx, HOUR);

		check(is_done(ctx));
		check_eq(wf_ctx_err(ctx), -ETIMEDOUT);
		check_eq(wf_ctx_err(child), -ETIMEDOUT);
		wf_ctx_cancel(ctx);
		check_eq(wf_ctx_err(ctx), -ETIMEDOUT);
		wf_ctx_free(child);
		wf_ctx_free(ctx);
		ctx = wf_ctx_with_deadline(wf_ctx_background(),
		    past[i] > -HOUR ? wf_now() + past[i] : past[i]);
		check_eq(wf_ctx_err(ctx), -ETIMEDOUT);
		wf_ctx_free(ctx);
	}
	return 0;
}

/* The effective deadline is the earlier one. */

static int
earlier_deadline(void)
{
	int64_t now = wf_now();
	wf_ctx *top = wf_ctx_with_deadline(wf_ctx_background(), now + HOUR);
	wf_ctx *later = wf_ctx_with_deadline(top, now + 2 * HOUR);
	wf_ctx *sooner = wf_ctx_with_deadline(top, now + HOUR / 2);
	wf_ctx *plain = wf_ctx_with_cancel(sooner);
	wf_ctx *never = wf_ctx_with_timeout(wf_ctx_background(), WF_FOREVER);
	wf_ctx *far = wf_ctx_with_timeout(top, WF_FOREVER);
	wf_ctx *wide = wf_ctx_with_timeout(wf_ctx_background(), INT64_MAX - 1);

	check_eq(wf_ctx_deadline(top), now + HOUR);
	check_eq(wf_ctx_deadline(later), now + HOUR);
	check_eq(wf_ctx_deadline(sooner), now + HOUR / 2);
	check_eq(wf_ctx_deadline(plain), now + HOUR / 2);
	check_eq(wf_ctx_deadline(never), WF_FOREVER);
	check_eq(wf_ctx_deadline(far), now + HOUR);
	check(wf_ctx_deadline(wide) >= INT64_MAX - 1);	/* no overflow */
	check(!is_done(never) && !is_done(far) && !is_done(wide));
	wf_ctx_free(wide);
	wf_ctx_free(far);
	wf_ctx_free(never);
	wf_ctx_free(plain);
	wf_ctx_free(sooner);
	wf_ctx_free(later);
	wf_ctx_free(top);
	return 0;
}

static int
parents_deadline(void)
{
	wf_ctx *top = wf_ctx_with_timeout(wf_ctx_background(), 2 * WF_MS);
	wf_ctx *child = wf_ctx_with_timeout(top, HOUR);

	wait_done(child);
	check(wf_now() >= wf_ctx_deadline(top));
	check_eq(wf_ctx_err(child), -ETIMEDOUT);
	check_eq(wf_ctx_err(top), -ETIMEDOUT);
	wf_ctx_free(child);
	wf_ctx_free(top);
	return 0;
}

/* Deadlines expire in their order: when a later one is seen to be done, the
 * earlier ones are.  On one thread: of two, one may be about to end them. */
static int
deadline_order(void)
{
	enum { MANY = 30 };
	int64_t now = wf_now();
	wf_ctx *ctx[MANY];

	for (int i = 0; i < MANY; i++)		/* made in another order */
		ctx[i * 7 % MANY] = wf_ctx_with_deadline(wf_ctx_background(),
		    now + (i * 7 % MANY + 1) * 500 * WF_US);
	for (int last = 0; last < MANY; last += 4) {
		wait_done(ctx[last]);
		check(wf_now() >= wf_ctx_deadline(ctx[last]));
		for (int i = 0; i <= last; i++)
			check_eq(wf_ctx_err(ctx[i]), -ETIMEDOUT);
	}
	for (int i = 0; i < MANY; i++)
		wf_ctx_free(ctx[i]);
	return 0;
}

static void
expire(int64_t ns)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), ns);
	wf_chan(int) never = wf_chan_make(int, 0);
	int v = 5;

	check_eq(wf_recv_ctx(ctx, never, &v), -ETIMEDOUT);
	check(wf_now() >= wf_ctx_deadline(ctx));
	check_eq(wf_send_ctx(ctx, never, 1), -ETIMEDOUT);
	wf_ctx_free(ctx);
	wf_chan_free(never);
}

static int
crowd_expires(void)
{
	uint64_t random = tap_seed();
	wf_waitgroup wg = {0};

	for (int i = 0; i < 1000; i++)
		wf_waitgroup_spawn(&wg, expire,
		    (int64_t)(tap_random(&random) % 10000) * WF_US);
	wf_waitgroup_wait(&wg);
	return 0;
}

/* 185: a tree of about a hundred, all cancelled at once. */

static void
cancel_and_look(wf_ctx *ctx)
{
	wf_ctx_cancel(ctx);
	check_eq(wf_ctx_err(ctx), -ECANCELED);
}

static void
await(wf_ctx *ctx)
{
	wait_done(ctx);
	check_eq(wf_ctx_err(ctx), -ECANCELED);
}

static int
simultaneous_cancels(void)
{
	enum { MANY = 100 };
	uint64_t random = tap_seed();
	wf_ctx *ctx[MANY];
	int order[MANY];

	for (int round = 0; round < 20; round++) {
		wf_waitgroup wg = {0};

		for (int i = 0; i < MANY; i++) {
			int k = (int)(tap_random(&random) % (uint64_t)(i + 1));

			ctx[i] = wf_ctx_with_cancel(i ? ctx[(i - 1) / 4] :
			    wf_ctx_background());
			order[i] = order[k];
			order[k] = i;
		}
		for (int i = 0; i < MANY; i++) {
			wf_waitgroup_spawn(&wg, await, ctx[i]);
			wf_waitgroup_spawn(&wg, cancel_and_look,
			    ctx[order[i]]);
		}
		wf_waitgroup_wait(&wg);
		for (int i = 0; i < MANY; i++)
			wf_ctx_free(ctx[round % 2 ? i : order[i]]);
	}
	return 0;
}

/* 187, 188: many layers. */

enum { LAYERS = 40 };

static void
make_layers(wf_ctx **layer, uint64_t *random, int64_t timeout)
{
	for (int i = 0; i < LAYERS; i++) {
		wf_ctx *parent = i ? layer[i - 1] : wf_ctx_background();

		layer[i] = tap_random(random) % 2 ?
		    wf_ctx_with_timeout(parent, timeout) :
		    wf_ctx_with_cancel(parent);
	}
}

static int
layers(void)
{
	uint64_t random = tap_seed();
	wf_ctx *layer[LAYERS];

	for (int round = 0; round < 100; round++) {
		int which = (int)(tap_random(&random) % LAYERS);
		wf_waitgroup wg = {0};

		make_layers(layer, &random, 1000 * HOUR);
		check(!is_done(layer[LAYERS - 1]));
		wf_waitgroup_spawn(&wg, await, layer[LAYERS - 1]);
		if (round % 2)
			wf_yield();
		wf_ctx_cancel(layer[which]);
		for (int i = 0; i < LAYERS; i++)
			check_eq(wf_ctx_err(layer[i]),
			    i >= which ? -ECANCELED : 0);
		wf_waitgroup_wait(&wg);
		for (int i = LAYERS - 1; i >= 0; i--)
			wf_ctx_free(layer[i]);
	}
	return 0;
}

static int
layers_expire(void)
{
	uint64_t random = tap_seed();
	wf_ctx *layer[LAYERS], *leaf;

	for (int round = 0; round < 10; round++) {
		make_layers(layer, &random, WF_MS);
		leaf = wf_ctx_with_timeout(layer[LAYERS - 1], WF_MS);
		wait_done(leaf);
		check(wf_now() >= wf_ctx_deadline(leaf));
		check_eq(wf_ctx_err(leaf), -ETIMEDOUT);
		wf_ctx_free(leaf);
		for (int i = LAYERS - 1; i >= 0; i--)
			wf_ctx_free(layer[i]);
	}
	return 0;
}

/* 190: a child of a done parent is born done, with its parent's error. */

static int
born_done(void)
{
	wf_ctx *cancelled = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *expired = wf_ctx_with_timeout(wf_ctx_background(), 0);
	wf_ctx *child[6];

	wf_ctx_cancel(cancelled);
	child[0] = wf_ctx_with_cancel(cancelled);
	child[1] = wf_ctx_with_timeout(cancelled, HOUR);
	child[2] = wf_ctx_with_cancel(expired);
	child[3] = wf_ctx_with_timeout(expired, HOUR);
	child[4] = wf_ctx_with_cancel(child[1]);
	child[5] = wf_ctx_with_cancel(child[3]);
	for (int i = 0; i < 6; i++) {
		int err = i == 2 || i == 3 || i == 5 ? -ETIMEDOUT : -ECANCELED;

		check_eq(wf_ctx_err(child[i]), err);
		check(is_done(child[i]));
		wf_ctx_cancel(child[i]);
		check_eq(wf_ctx_err(child[i]), err);
	}
	for (int i = 0; i < 6; i++)
		wf_ctx_free(child[i]);
	wf_ctx_free(cancelled);
	wf_ctx_free(expired);
	return 0;
}

/* 191: children made while the parent is cancelled. */

static void
make_child(wf_ctx *parent, wf_ctx **child)
{
	*child = wf_ctx_with_cancel(parent);
	wait_done(*child);
	check_eq(wf_ctx_err(*child), -ECANCELED);
}

static int
born_while_cancelled(void)
{
	for (int round = 0; round < 200; round++) {
		wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
		wf_waitgroup wg = {0};
		wf_ctx *child[4];

		for (int i = 0; i < 4; i++) {
			if (i == round % 5)
				wf_waitgroup_spawn(&wg, cancel_and_look, top);
			wf_waitgroup_spawn(&wg, make_child, top, &child[i]);
		}
		if (round % 5 == 4)
			wf_ctx_cancel(top);
		wf_waitgroup_wait(&wg);
		for (int i = 0; i < 4; i++)
			wf_ctx_free(child[i]);
		wf_ctx_free(top);
	}
	return 0;
}

/* A NULL parent gives a static context that is done. */

static int
no_parent(void)
{
	wf_ctx *ctx[4], *child;
	int v;
	wf_chan(int) c = wf_chan_make(int, 0);

	ctx[0] = wf_ctx_with_cancel(NULL);
	ctx[1] = wf_ctx_with_timeout(NULL, HOUR);
	ctx[2] = wf_ctx_with_deadline(NULL, wf_now() + HOUR);
	ctx[3] = wf_ctx_with_deadline(NULL, 0);
	for (int i = 0; i < 4; i++) {
		if (!check(ctx[i]))
			return 1;
		check_eq(wf_ctx_err(ctx[i]), -EINVAL);
		check(is_done(ctx[i]));
		wf_ctx_cancel(ctx[i]);
		check_eq(wf_ctx_err(ctx[i]), -EINVAL);
		check(wf_ctx_ref(ctx[i]) == ctx[i]);
		wf_ctx_unref(ctx[i]);
		check_eq(wf_recv_ctx(ctx[i], c, &v), -EINVAL);
		child = wf_ctx_with_timeout(ctx[i], HOUR);
		check_eq(wf_ctx_err(child), -EINVAL);
		wf_ctx_free(child);
		wf_ctx_free(ctx[i]);
	}
	wf_chan_free(c);
	return 0;
}

/* References. */

static void
outlives(wf_ctx *ctx, int *err)
{
	wait_done(ctx);
	wf_yield();
	*err = wf_ctx_err(ctx);
	wf_ctx_unref(ctx);
}

static int
references(void)
{
	for (int round = 0; round < 100; round++) {
		wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), HOUR);
		wf_waitgroup wg = {0};
		int err[8] = {0};

		check(wf_ctx_ref(ctx) == ctx);
		wf_ctx_unref(ctx);
		check_eq(wf_ctx_err(ctx), 0);	/* without cancelling */
		for (int i = 0; i < 8; i++)
			wf_waitgroup_spawn(&wg, outlives, wf_ctx_ref(ctx),
			    &err[i]);
		if (round % 2)
			wf_yield();
		wf_ctx_free(ctx);
		wf_waitgroup_wait(&wg);
		for (int i = 0; i < 8; i++)
			check_eq(err[i], -ECANCELED);
	}
	return 0;
}

/* A child stays usable after its parent was given back. */
static int
parent_given_back(void)
{
	wf_ctx *top = wf_ctx_with_timeout(wf_ctx_background(), HOUR);
	wf_ctx *middle = wf_ctx_with_cancel(top);
	wf_ctx *child = wf_ctx_with_cancel(middle);
	int64_t deadline = wf_ctx_deadline(top);

	wf_ctx_free(top);
	check_eq(wf_ctx_err(child), -ECANCELED);
	wf_ctx_free(middle);
	check_eq(wf_ctx_err(child), -ECANCELED);
	check_eq(wf_ctx_deadline(child), deadline);
	wf_ctx_free(child);
	return 0;
}

/* Freed while its deadline comes: nobody touches it afterwards. */

static void
free_at_deadline(uint64_t random)
{
	for (int i = 0; i < 20; i++) {
		int64_t ns = (int64_t)(tap_random(&random) % 300) * WF_US;
		wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), ns);
		wf_ctx *child = wf_ctx_with_timeout(ctx, ns / 2 + 1);
		bool parent_first = tap_random(&random) % 2;

		wf_sleep(ns / (parent_first ? 1 : 2) - 10 * WF_US);
		wf_ctx_free(parent_first ? ctx : child);
		wf_ctx_free(parent_first ? child : ctx);
	}
}

static int
freed_at_deadline(void)
{
	uint64_t random = tap_seed();
	wf_waitgroup wg = {0};

	for (int i = 0; i < 50; i++)
		wf_waitgroup_spawn(&wg, free_at_deadline,
		    tap_random(&random));
	wf_waitgroup_wait(&wg);
	return 0;
}

/* Crowds of waiters, each in another kind of wait. */

static void
wait_somehow(wf_ctx *ctx, int how, wf_chan(int) c, wf_waitgroup *held,
    int *ended)
{
	int v = 5;

	switch (how % 4) {
	case 0: check_eq(wf_recv_ctx(ctx, c, &v), -ECANCELED); break;
	case 1: check_eq(wf_waitgroup_wait_ctx(ctx, held), -ECANCELED); break;
	case 2: wait_done(ctx); break;
	case 3:
		check_eq(wf_select(wf_on_recv(c, &v), wf_on_timeout(HOUR),
		    wf_on_done(ctx)), 2);
		break;
	}
	check_eq(v, 5);
	check_eq(wf_ctx_err(ctx), -ECANCELED);
	__atomic_add_fetch(ended, 1, __ATOMIC_RELAXED);
}

static int
thousand_waiters(void)
{
	for (int round = 0; round < 10; round++) {
		wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
		wf_ctx *ctx = wf_ctx_with_timeout(top, HOUR);
		wf_chan(int) c = wf_chan_make(int, 0);
		wf_waitgroup wg = {0}, held = {0};
		int ended = 0;

		wf_waitgroup_add(&held, 1);
		for (int i = 0; i < 1000; i++)
			check_eq(wf_waitgroup_spawn(&wg, wait_somehow, ctx, i,
			    c, &held, &ended), 0);
		if (round % 3)
			wf_sleep(WF_MS);
		if (round % 3 == 1)
			check_eq(ended, 0);
		wf_ctx_cancel(round % 2 ? top : ctx);
		wf_waitgroup_wait(&wg);
		check_eq(ended, 1000);
		wf_waitgroup_done(&held);
		wf_chan_free(c);
		wf_ctx_free(ctx);
		wf_ctx_free(top);
	}
	return 0;
}

/* A wait that ends otherwise leaves the context: later waits and the cancel
 * see nothing of it. */

static void
feed(wf_chan(int) c, int n)
{
	for (int i = 0; i < n; i++)
		check_eq(wf_send(c, i), 1);
}

static int
waits_that_end_otherwise(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	int v = -1;

	wf_waitgroup_spawn(&wg, feed, c, 2000);
	for (int i = 0; i < 1000; i++) {
		check_eq(wf_recv_ctx(ctx, c, &v), 1);
		check_eq(v, 2 * i);
		check_eq(wf_select(wf_on_done(ctx), wf_on_recv(c, &v)), 1);
		check_eq(v, 2 * i + 1);
	}
	wf_waitgroup_wait(&wg);
	wf_ctx_cancel(ctx);
	check_eq(wf_recv_ctx(ctx, c, &v), -ECANCELED);
	check_eq(v, 1999);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	return 0;
}

/* Values against cancel: what was sent was received, or neither. */

static void
send_until(wf_ctx *ctx, wf_chan(int) c, long *n)
{
	int r;

	while ((r = wf_send_ctx(ctx, c, 1)) == 1)
		++*n;
	check_eq(r, -ECANCELED);
}

static void
recv_until(wf_ctx *ctx, wf_chan(int) c, long *n)
{
	int r, v;

	while ((r = wf_recv_ctx(ctx, c, &v)) == 1)
		++*n;
	check_eq(r, -ECANCELED);
}

static int
values_against_cancel(void)
{
	for (int round = 0; round < 50; round++) {
		wf_ctx *a = wf_ctx_with_cancel(wf_ctx_background());
		wf_ctx *b = wf_ctx_with_cancel(wf_ctx_background());
		wf_chan(int) c = wf_chan_make(int, 0);
		long sent[2] = {0}, received[2] = {0};
		wf_waitgroup wg = {0};

		wf_waitgroup_spawn(&wg, send_until, a, c, &sent[0]);
		wf_waitgroup_spawn(&wg, recv_until, b, c, &received[0]);
		wf_waitgroup_spawn(&wg, send_until, b, c, &sent[1]);
		wf_waitgroup_spawn(&wg, recv_until, a, c, &received[1]);
		wf_sleep(100 * WF_US);
		wf_ctx_cancel(a);
		wf_yield();
		wf_ctx_cancel(b);
		wf_waitgroup_wait(&wg);
		check_eq(sent[0] + sent[1], received[0] + received[1]);
		wf_ctx_free(a);
		wf_ctx_free(b);
		wf_chan_free(c);
	}
	return 0;
}

/* Who received the reply may free its channel at once, also when it was sent
 * under a context; and the other way round. */

static void
reply_under(wf_ctx *ctx, wf_chan(int) reply)
{
	check_eq(wf_send_ctx(ctx, reply, 7), 1);
}

static void
ask_under(wf_ctx *ctx, wf_chan(int) question)
{
	int v = 0;

	check_eq(wf_recv_ctx(ctx, question, &v), 1);
	check_eq(v, 8);
}

static int
freed_by_the_peer(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());

	for (long i = tap_scale(20000, 1000); i > 0; i--) {
		wf_chan(int) reply = wf_chan_make(int, 0);
		wf_chan(int) question = wf_chan_make(int, 0);
		wf_waitgroup wg = {0};
		int v = 0;

		wf_waitgroup_spawn(&wg, reply_under, ctx, reply);
		wf_waitgroup_spawn(&wg, ask_under, ctx, question);
		if (i % 2)
			wf_yield();
		check_eq(wf_recv(reply, &v), 1);
		wf_chan_free(reply);
		check_eq(v, 7);
		check_eq(wf_send(question, 8), 1);
		wf_chan_free(question);
		if (i % 16 == 0)
			wf_waitgroup_wait(&wg);
		else
			wf_waitgroup_wait_ctx(ctx, &wg);
	}
	wf_ctx_free(ctx);
	return 0;
}

/* NULL and the background in a select: never. */
static int
never_in_select(void)
{
	check_eq(wf_select(wf_on_done(NULL), wf_on_default()), 1);
	check_eq(wf_select(wf_on_done(wf_ctx_background()), wf_on_default()),
	    1);
	check_eq(wf_select(wf_on_done(NULL), wf_on_done(wf_ctx_background()),
	    wf_on_timeout(WF_MS)), 2);
	return 0;
}

/* Plain threads wait and cancel as well. */

struct thread_wait {
	wf_ctx *ctx;
	wf_chan(int) c;
};

static void *
thread_waits(void *arg)
{
	struct thread_wait *w = arg;
	int v;

	check_eq(wf_recv_ctx(w->ctx, w->c, &v), -ECANCELED);
	wait_done(w->ctx);
	return NULL;
}

static void *
thread_cancels(void *arg)
{
	wf_ctx_cancel(arg);
	return NULL;
}

static int
threads(void)
{
	for (int round = 0; round < 20; round++) {
		wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), HOUR);
		struct thread_wait w = { ctx, wf_chan_make(int, 0) };
		wf_waitgroup wg = {0};
		pthread_t thread[5];
		int n = 0;

		for (int i = 0; i < 4; i++) {
			wf_waitgroup_spawn(&wg, await, ctx);
			if (check(!pthread_create(&thread[n], NULL,
			    thread_waits, &w)))
				n++;
		}
		if (round % 2 && check(!pthread_create(&thread[n], NULL,
		    thread_cancels, ctx)))
			n++;
		else
			wf_ctx_cancel(ctx);
		wf_waitgroup_wait(&wg);
		while (n > 0)
			pthread_join(thread[--n], NULL);
		wf_ctx_free(ctx);
		wf_chan_free(w.c);
	}
	return 0;
}

/* Without any coroutine, deadlines included. */
static void
plain_thread(void)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), 3 * WF_MS);
	wf_ctx *child = wf_ctx_with_cancel(ctx);
	wf_chan(int) c = wf_chan_make(int, 0);
	int v;

	check_eq(wf_recv_ctx(child, c, &v), -ETIMEDOUT);
	check(wf_now() >= wf_ctx_deadline(ctx));
	check_eq(wf_ctx_err(ctx), -ETIMEDOUT);
	wf_ctx_free(child);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	check_eq(wf_stop(WF_FOREVER), 0);	/* the deadline started it */
}

/* Many children, given back in any order. */
static int
many_children(void)
{
	long many = tap_scale(100000, 5000);
	wf_ctx **child = calloc((size_t)many, sizeof *child);
	wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());

	if (!check(child))
		return 1;
	for (long i = 0; i < many; i++)
		child[i] = i % 2 ? wf_ctx_with_cancel(top) :
		    wf_ctx_with_timeout(top, HOUR + i);
	for (long i = 0; i < many; i += 3)
		wf_ctx_free(child[i]);
	wf_ctx_cancel(top);
	for (long i = 0; i < many; i++)
		if (i % 3) {
			check_eq(wf_ctx_err(child[i]), -ECANCELED);
			wf_ctx_free(child[i]);
		}
	wf_ctx_free(top);
	free(child);
	return 0;
}

int
main(void)
{
	tap_plain("176: background, plain", background_plain);
	tap_plain("a plain thread alone", plain_thread);
	tap_test("176: background", background);
	tap_test("178: a tree", cancelled_tree);
	tap_test("179: child first", child_first);
	tap_test("181: child expires first", child_expires_first);
	tap_test("182: cancel before the deadline", cancel_before_deadline);
	tap_test("deadlines in the past", past_deadlines);
	tap_test("the earlier deadline", earlier_deadline);
	tap_test("the parent's deadline", parents_deadline);
	tap_test("190: born done", born_done);
	tap_test("NULL for a parent", no_parent);
	tap_test("never in a select", never_in_select);
	tap_test("parent given back", parent_given_back);
	tap_test("many children", many_children);
	tap_test_workers("a crowd expires", crowd_expires);
	tap_test_workers("185: simultaneous cancels", simultaneous_cancels);
	tap_test_workers("187: layers", layers);
	tap_test_workers("188: layers expire", layers_expire);
	tap_test_workers("191: born while cancelled", born_while_cancelled);
	tap_test_workers("references", references);
	tap_test_workers("freed at the deadline", freed_at_deadline);
	tap_test_workers("a thousand waiters", thousand_waiters);
	tap_test_workers("waits that end otherwise",
	    waits_that_end_otherwise);
	tap_test_workers("values against cancel", values_against_cancel);
	tap_test_workers("freed by the peer", freed_by_the_peer);
	tap_test_workers("plain threads", threads);
	tap_workers(1);
	tap_test_pumped("deadlines in order", deadline_order);
	return tap_end();
}
