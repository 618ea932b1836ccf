/* SPDX-License-Identifier: MIT */
/*
 * cancel.c - tests of what ends a wait early, where many wait for it: whoever
 * is attached when it ends is woken, on whichever list, and nobody twice.
 */
#include "tap.h"

#include "cancel.h"

enum { WAITERS = 50, ROUNDS = 40 };

struct shared {
	wf_ctx *ctx;
	wf_chan(int) never;
	wf_waitgroup never_zero;
	int woken;		/* atomic */
};

static void
wait_in_select(struct shared *s)
{
	int v = 7;

	check_eq(wf_select(wf_on_recv(s->never, &v), wf_on_done(s->ctx)), 1);
	check_eq(v, 7);
	check_eq(wf_recv_ctx(s->ctx, s->never, &v), -ECANCELED);
	__atomic_add_fetch(&s->woken, 1, __ATOMIC_RELAXED);
}

static void
wait_for_group(struct shared *s)
{
	check_eq(wf_waitgroup_wait_ctx(s->ctx, &s->never_zero), -ECANCELED);
	__atomic_add_fetch(&s->woken, 1, __ATOMIC_RELAXED);
}

/* Attach and detach again and again, until there is an end. */
static void
come_and_go(struct shared *s)
{
	int64_t us = 1;

	while (wf_select(wf_on_recv(s->never, NULL), wf_on_done(s->ctx),
	    wf_on_timeout(us * WF_US)) != 1)
		us = us % 7 + 1;
	__atomic_add_fetch(&s->woken, 1, __ATOMIC_RELAXED);
}

/* As if many had met at the list. */
static void
crowd(wf_ctx *ctx)
{
	struct wf__cancel *c = wf__cancel_of(ctx);

	wf__lock(&c->own.lock);
	c->own.contended = 1000;
	wf__unlock(&c->own.lock);
}

static void
end_one(wf_chan(int) never, int round)
{
	struct shared s = { .never = never };
	wf_waitgroup wg = {0};

	s.ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup_add(&s.never_zero, 1);
	for (int i = 0; i < WAITERS; i++) {
		if (round % 2 && i == WAITERS / 2)
			crowd(s.ctx);
		wf_waitgroup_spawn(&wg, wait_in_select, &s);
		wf_waitgroup_spawn(&wg, wait_for_group, &s);
		wf_waitgroup_spawn(&wg, come_and_go, &s);
		if (i % (round + 1) == 0)
			wf_yield();
	}
	for (int i = 0; i < 3 * round; i++)
		wf_yield();
	if (round % 4 == 1)
		wf_sleep(100 * WF_US);
	wf_ctx_cancel(s.ctx);
	wf_waitgroup_wait(&wg);
	check_eq(s.woken, 3 * WAITERS);
	wf_ctx_free(s.ctx);
	wf_waitgroup_done(&s.never_zero);
}

static int
all_are_woken(void)
{
	wf_chan(int) never = wf_chan_make(int, 0);

	for (int round = 0; round < ROUNDS; round++)
		end_one(never, round);
	check_eq(wf_len(never), 0);
	wf_chan_free(never);
	return 0;
}

/* Shards are made by who meets others, and not for a context that is done. */
static int
shards_when_crowded(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	struct wf__cancel *c = wf__cancel_of(ctx);
	wf_chan(int) never = wf_chan_make(int, 0);

	crowd(ctx);
	check_eq(wf_select(wf_on_recv(never, NULL), wf_on_done(ctx),
	    wf_on_timeout(WF_US)), 2);
	check(wf__load_acquire(&c->shards));
	check(wf__cancel_list(c) != &c->own);
	wf_ctx_cancel(ctx);
	wf_ctx_free(ctx);
	wf_chan_free(never);
	return 0;
}

int
main(void)
{
	tap_count_memory();
	tap_test_workers("all are woken, on all lists", all_are_woken);
	tap_test_workers("shards when it gets crowded", shards_when_crowded);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
