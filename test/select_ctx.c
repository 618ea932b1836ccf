/* SPDX-License-Identifier: MIT */
/*
 * select_ctx.c - tests of contexts in select and in the verbs of channels, and
 * of timeouts, against everything that may happen at the same moment.
 *
 * A cancel that takes a value with it, or gives one twice, fails the races; one
 * that forgets a waiter hangs "a cancel wakes all".
 */
#include "tap.h"

static void
bump(long *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_ACQ_REL);
}

/* Contexts. */

static void
cancel_it(wf_ctx *ctx)
{
	wf_ctx_cancel(ctx);
}

static int
done_cases(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *child = wf_ctx_with_cancel(ctx), *soon, *past;
	wf_waitgroup wg = {0};

	if (!check(c != NULL))
		return 1;
	soon = wf_ctx_with_timeout(ctx, WF_MS);
	past = wf_ctx_with_deadline(ctx, wf_now() - 1);
	check_eq(wf_ctx_err(past), -ETIMEDOUT);
	check_eq(wf_select(wf_on_done(past), wf_on_default()), 0);
	check_eq(wf_select(wf_on_recv(c, NULL), wf_on_done(soon)), 1);
	check_eq(wf_ctx_err(soon), -ETIMEDOUT);
	check_eq(wf_select(wf_on_done(child), wf_on_default()), 1);
	check_eq(wf_waitgroup_spawn(&wg, cancel_it, ctx), 0);
	check_eq(wf_select(wf_on_recv(c, NULL), wf_on_done(child)), 1);
	check_eq(wf_ctx_err(child), -ECANCELED);
	check_eq(wf_ctx_err(soon), -ETIMEDOUT);
	check_eq(wf_select(wf_on_done(child), wf_on_default()), 0);
	check_eq(wf_select(wf_on_done(NULL), wf_on_done(ctx)), 1);
	wf_waitgroup_wait(&wg);
	wf_ctx_free(past);
	wf_ctx_free(soon);
	wf_ctx_free(child);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	return 0;
}

/* Two contexts and the same one twice, in one parked select. */
static int
done_twice(void)
{
	for (int round = 0; round < 100; round++) {
		wf_ctx *a = wf_ctx_with_cancel(wf_ctx_background());
		wf_ctx *b = wf_ctx_with_cancel(wf_ctx_background());
		wf_waitgroup wg = {0};
		int got;

		check_eq(wf_waitgroup_spawn(&wg, cancel_it,
		    round % 2 ? a : b), 0);
		got = wf_select(wf_on_done(a), wf_on_done(b), wf_on_done(a));
		check(round % 2 ? got == 0 || got == 2 : got == 1);
		wf_waitgroup_wait(&wg);
		wf_ctx_free(a);
		wf_ctx_free(b);
	}
	return 0;
}

static int
ctx_forms(void)
{
	wf_chan(int) c = wf_chan_make(int, 0), b = wf_chan_make(int, 1);
	wf_ctx *live = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *gone = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *late = wf_ctx_with_timeout(wf_ctx_background(), 0);
	wf_ctx *soon = wf_ctx_with_timeout(wf_ctx_background(), WF_MS);
	int v = 3;

	if (!check(c && b))
		return 1;
	wf_ctx_cancel(gone);
	check_eq(wf_recv_ctx(gone, c, &v), -ECANCELED);
	check_eq(wf_send_ctx(gone, c, 1), -ECANCELED);
	check_eq(wf_recv_ctx(late, c, &v), -ETIMEDOUT);
	check_eq(wf_send_ctx(late, c, 1), -ETIMEDOUT);
	check_eq(wf_recv_ctx(soon, c, &v), -ETIMEDOUT);
	check_eq(wf_send_ctx(soon, c, 1), -ETIMEDOUT);
	check_eq(v, 3);
	check_eq(wf_send_ctx(live, b, 8), 1);
	wf_ctx_free(soon);
	soon = wf_ctx_with_timeout(live, WF_MS);
	check_eq(wf_send_ctx(soon, b, 9), -ETIMEDOUT);
	/* A done context goes before a channel that is ready. */
	check_eq(wf_recv_ctx(gone, b, &v), -ECANCELED);
	check_eq(v, 3);
	check_eq(wf_recv_ctx(live, b, &v), 1);
	check_eq(v, 8);
	check_eq(wf_send_ctx(late, b, 1), -ETIMEDOUT);
	check_eq(wf_len(b), 0);
	check_eq(wf_send_ctx(NULL, b, 1), -EINVAL);
	check_eq(wf_recv_ctx(NULL, b, &v), -EINVAL);
	wf_ctx_free(live);
	wf_ctx_free(gone);
	wf_ctx_free(late);
	wf_ctx_free(soon);
	wf_chan_free(c);
	wf_chan_free(b);
	return 0;
}

/* One cancel, or one deadline, ends a hundred waits of all forms. */

static void
wait_cancelled(wf_ctx *ctx, wf_chan(int) c, int form, int err)
{
	int v = 5;

	if (form == 0)
		check_eq(wf_recv_ctx(ctx, c, &v), err);
	else if (form == 1)
		check_eq(wf_select(wf_on_recv(c, &v), wf_on_done(ctx)), 1);
	else
		check_eq(wf_recv_ctx(ctx, c, NULL), err);
	check_eq(v, 5);
}

static int
cancel_wakes_all(void)
{
	for (int round = 0; round < 20; round++) {
		wf_chan(int) c = wf_chan_make(int, 0);
		wf_ctx *ctx = round % 2 ?
		    wf_ctx_with_timeout(wf_ctx_background(), WF_MS) :
		    wf_ctx_with_cancel(wf_ctx_background());
		wf_waitgroup wg = {0};

		if (!check(c != NULL))
			return 1;
		for (int i = 0; i < 100; i++)
			check_eq(wf_waitgroup_spawn(&wg, wait_cancelled, ctx,
			    c, i % 3, round % 2 ? -ETIMEDOUT : -ECANCELED), 0);
		if (round % 4 == 0)
			tap_settle();
		if (round % 2 == 0)
			wf_ctx_cancel(ctx);
		wf_waitgroup_wait(&wg);
		check_eq(wf_try_send(c, 1), -EAGAIN);
		wf_ctx_free(ctx);
		wf_chan_free(c);
	}
	return 0;
}

/* A cancel races with a rendezvous: either both sides have it or neither. */

struct race {
	wf_chan(int) c;
	wf_ctx *ctx;
	int sent, received;	/* results */
};

static void
race_send(struct race *r, bool by_select)
{
	bool ok = false;

	if (by_select) {
		r->sent = wf_select(wf_on_send_ok(r->c, 1, &ok),
		    wf_on_done(r->ctx)) ? -ECANCELED : ok;
		check_eq(ok, r->sent == 1);
	} else {
		r->sent = wf_send_ctx(r->ctx, r->c, 1);
	}
}

static void
race_recv(struct race *r, bool by_select)
{
	bool ok = false;
	int v = 0;

	if (by_select)
		r->received = wf_select(wf_on_done(r->ctx),
		    wf_on_recv_ok(r->c, &v, &ok)) ? ok : -ECANCELED;
	else
		r->received = wf_recv_ctx(r->ctx, r->c, &v);
	check_eq(v, r->received == 1);
}

static int
cancel_races(void)
{
	long paired = 0;

	for (long n = tap_scale(20000, 2000); n > 0; n--) {
		struct race r = { wf_chan_make(int, 0),
		    wf_ctx_with_cancel(wf_ctx_background()), 9, 9 };
		wf_waitgroup wg = {0};

		if (!check(r.c != NULL))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, race_send, &r,
		    (bool)(n & 1)), 0);
		if (n % 3 == 0)
			check_eq(wf_waitgroup_spawn(&wg, cancel_it, r.ctx), 0);
		check_eq(wf_waitgroup_spawn(&wg, race_recv, &r,
		    (bool)(n & 2)), 0);
		if (n % 3 == 1)
			wf_yield();
		wf_ctx_cancel(r.ctx);
		wf_waitgroup_wait(&wg);
		check(r.sent == 1 || r.sent == -ECANCELED);
		check_eq(r.sent, r.received);
		paired += r.sent == 1;
		wf_ctx_free(r.ctx);
		wf_chan_free(r.c);
	}
	tap_note("%ld paired before the cancel", paired);
	return 0;
}

/* Select against timeouts: a value is taken, or it stays. */

static void
recv_impatient(wf_chan(int) c, long *taken, uint64_t random)
{
	for (int i = 0; i < 300; i++)
		if (wf_select(wf_on_recv(c, NULL), wf_on_timeout((int64_t)
		    (tap_random(&random) % 60) * WF_US)) == 0)
			bump(taken);
}

static void
send_impatient(wf_chan(int) c, long *given, uint64_t random)
{
	for (int i = 0; i < 300; i++)
		if (wf_select(wf_on_send(c, 1), wf_on_timeout((int64_t)
		    (tap_random(&random) % 60) * WF_US)) == 0)
			bump(given);
}

static int
timeout_races(void)
{
	uint64_t seed = tap_seed();
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	long taken = 0, given = 0;

	if (!check(c != NULL))
		return 1;
	for (int i = 0; i < 4; i++) {
		check_eq(wf_waitgroup_spawn(&wg, recv_impatient, c, &taken,
		    tap_random(&seed)), 0);
		check_eq(wf_waitgroup_spawn(&wg, send_impatient, c, &given,
		    tap_random(&seed)), 0);
	}
	wf_waitgroup_wait(&wg);
	check_eq(taken, given);
	wf_chan_free(c);
	return 0;
}

static void
test_contexts(void)
{
	tap_test("contexts in channel verbs", ctx_forms);
	tap_test_workers("done contexts", done_cases);
	tap_test_workers("two contexts", done_twice);
	tap_test_workers("a cancel wakes all", cancel_wakes_all);
	tap_test_workers("cancel against rendezvous", cancel_races);
	tap_test_workers("timeout against rendezvous", timeout_races);
}

int
main(void)
{
	if (!tap_count_memory())
		return 1;
	test_contexts();
	tap_plain("all memory was given back", tap_all_freed);
	return tap_end();
}
