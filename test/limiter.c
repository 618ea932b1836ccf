/* SPDX-License-Identifier: MIT */
/*
 * limiter.c - the token bucket: what it allows when, reservations and their
 * cancelling, waits.  Times are given, so that nothing here sleeps to see.
 */
#include "tap.h"

#include <float.h>
#include <math.h>

#define D (100 * WF_MS)
#define T(k) (base + (k) * D)
enum { NEVER = -1 };

static const int64_t base = 1000000 * WF_SEC;

/* 238: every. */
static void
every(void)
{
	check(wf_every(0) >= WF_LIMIT_NONE);
	check(wf_every(-1) >= WF_LIMIT_NONE);
	check(wf_every(INT64_MIN) >= WF_LIMIT_NONE);
	check(wf_every(1) == 1e9);
	check(wf_every(WF_US) == 1e6);
	check(wf_every(WF_MS) == 1e3);
	check(wf_every(10 * WF_MS) == 100);
	check(wf_every(100 * WF_MS) == 10);
	check(wf_every(WF_SEC) == 1);
	check(wf_every(2 * WF_SEC) == 0.5);
	check(fabs(wf_every(2500 * WF_MS) - 0.4) < 1e-12);
	check(wf_every(4 * WF_SEC) == 0.25);
	check(fabs(wf_every(10 * WF_SEC) - 0.1) < 1e-12);
	check(wf_every(INT64_MAX) == 1e9 / (double)INT64_MAX);
	check(WF_LIMIT_NONE == DBL_MAX);
}

/* ---- allow ---- */

struct allow {
	int at;		/* in tenths of a second */
	double tokens;	/* there before */
	int n;
	bool ok;
};

static void
allow(double limit, int burst, const struct allow *a, size_t n)
{
	wf_limiter l;

	wf_limiter_init(&l, limit, burst);
	for (size_t i = 0; i < n; i++) {
		double tokens = wf_limiter_tokens_at(&l, T(a[i].at));

		if (!check(fabs(tokens - a[i].tokens) < 1e-9) ||
		    !check_eq(wf_limiter_allow_at(&l, T(a[i].at), a[i].n),
		    a[i].ok))
			tap_note("step %zu: %f tokens", i, tokens);
	}
}

#define ALLOW(limit, burst, ...) do { \
	static const struct allow a[] = { __VA_ARGS__ }; \
	allow(limit, burst, a, sizeof a / sizeof *a); } while (0)

/* 238: ten a second. */
static void
schedules(void)
{
	ALLOW(10, 1,
	    { 0, 1, 1, true }, { 0, 0, 1, false }, { 0, 0, 1, false },
	    { 1, 1, 1, true }, { 1, 0, 1, false }, { 1, 0, 1, false },
	    { 2, 1, 2, false }, { 2, 1, 1, true }, { 2, 0, 1, false });
	ALLOW(10, 3,
	    { 0, 3, 2, true }, { 0, 1, 2, false }, { 0, 1, 1, true },
	    { 0, 0, 1, false }, { 1, 1, 4, false }, { 2, 2, 1, true },
	    { 3, 2, 1, true }, { 4, 2, 1, true }, { 4, 1, 1, true },
	    { 4, 0, 1, false }, { 4, 0, 1, false }, { 9, 3, 3, true },
	    { 9, 0, 0, true });
	/* Time goes back. */
	ALLOW(10, 3,
	    { 1, 3, 1, true }, { 0, 2, 1, true }, { 0, 1, 1, true },
	    { 0, 0, 1, false }, { 0, 0, 1, false }, { 1, 1, 1, true },
	    { 1, 0, 1, false }, { 1, 0, 1, false }, { 2, 1, 1, true },
	    { 2, 0, 1, false }, { 2, 0, 1, false });
}

static void
no_limit(void)
{
	wf_limiter l, zero = { { 0 } };
	wf_reservation r;

	wf_limiter_init(&l, WF_LIMIT_NONE, 0);
	for (int i = 0; i < 1000; i++)
		check(wf_limiter_allow_at(&l, base, i));
	check_eq(wf_limiter_reserve(&l, 1000, &r), 0);
	check_eq(wf_reservation_delay(&r), 0);
	wf_reservation_cancel(&r);
	wf_limiter_set_limit_at(&l, base, 10);
	wf_reservation_cancel_at(&r, base);	/* none were taken */
	check(!wf_limiter_allow_at(&l, base, 1));
	/* A limit of zero gives the burst, and no more. */
	wf_limiter_init(&l, 0, 1);
	check(wf_limiter_allow_at(&l, T(0), 1));
	check(!wf_limiter_allow_at(&l, T(0), 1));
	check(!wf_limiter_allow_at(&l, base + 1000 * WF_SEC, 1));
	wf_limiter_set_limit_at(&l, T(0) + 1000 * WF_SEC, 10);
	check(!wf_limiter_allow_at(&l, T(0) + 1000 * WF_SEC, 1));
	check(wf_limiter_allow_at(&l, T(1) + 1000 * WF_SEC, 1));
	check(!wf_limiter_allow(&zero, 1));
	check(wf_limiter_allow(&zero, 0));
	check_eq(wf_limiter_reserve(&zero, 1, &r), -E2BIG);
	check_eq(wf_reservation_delay(&r), WF_FOREVER);
}

/* ---- reserve ---- */

/* n at the tenth of a second at, to act at act, or never. */
static wf_reservation
reserve_max(wf_limiter *l, int at, int n, int act, int64_t patience)
{
	wf_reservation r;
	int err = wf_limiter_reserve_at(l, T(at), n, patience, &r);
	int64_t delay = wf_reservation_delay_at(&r, T(at));

	check_eq(err == 0, act != NEVER);
	if (err)
		check_eq(delay, WF_FOREVER);
	else if (act != NEVER && !check_eq((T(at) + delay - base + D / 2) / D,
	    act))
		tap_note("reserve %d at %d", n, at);
	return r;
}

static wf_reservation
reserve(wf_limiter *l, int at, int n, int act)
{
	return reserve_max(l, at, n, act, WF_FOREVER);
}

static void
cancel(const wf_reservation *r, int at)
{
	wf_reservation_cancel_at(r, T(at));
}

static void
reservations(void)
{
	wf_limiter l;

	wf_limiter_init(&l, 10, 2);
	reserve(&l, 0, 2, 0);
	reserve(&l, 0, 2, 2);
	reserve(&l, 3, 2, 4);
	/* Mixed with allow. */
	wf_limiter_init(&l, 10, 2);
	reserve(&l, 0, 3, NEVER);
	reserve(&l, 0, 2, 0);
	check(!wf_limiter_allow_at(&l, T(1), 2));
	reserve(&l, 1, 2, 2);
	check(fabs(wf_limiter_tokens_at(&l, T(1)) + 1) < 1e-9);
	check(!wf_limiter_allow_at(&l, T(1), 1));
	check(wf_limiter_allow_at(&l, T(3), 1));
	/* Time goes back. */
	wf_limiter_init(&l, 10, 2);
	reserve(&l, 1, 2, 1);
	reserve(&l, 0, 1, 1);
	reserve(&l, 2, 2, 3);
	reserve(&l, 0, 3, NEVER);
	reserve(&l, 2, 1, 4);
	reserve_max(&l, 0, 2, NEVER, D);
	reserve(&l, 2, 1, 5);
	/* At most so long. */
	wf_limiter_init(&l, 10, 2);
	reserve_max(&l, 0, 2, 0, D);
	reserve_max(&l, 0, 1, 1, D);
	reserve_max(&l, 0, 1, NEVER, D);
}

static void
cancelling(void)
{
	wf_reservation r;
	wf_limiter l;

	wf_limiter_init(&l, 10, 2);		/* what was none */
	reserve(&l, 0, 2, 0);
	r = reserve(&l, 0, 3, NEVER);
	cancel(&r, 0);
	reserve(&l, 0, 2, 2);
	wf_limiter_init(&l, 10, 2);		/* the last: 2 back */
	reserve(&l, 0, 2, 0);
	r = reserve(&l, 0, 2, 2);
	cancel(&r, 1);
	reserve(&l, 1, 2, 2);
	wf_limiter_init(&l, 10, 2);		/* too late: 0 back */
	reserve(&l, 0, 2, 0);
	r = reserve(&l, 0, 2, 2);
	cancel(&r, 3);
	reserve(&l, 3, 2, 4);
	wf_limiter_init(&l, 10, 2);		/* others after it: 0 */
	reserve(&l, 0, 2, 0);
	r = reserve(&l, 0, 1, 1);
	reserve(&l, 0, 1, 2);
	cancel(&r, 0);
	reserve(&l, 0, 1, 3);
	wf_limiter_init(&l, 10, 2);		/* 1 of 2 */
	reserve(&l, 0, 2, 0);
	r = reserve(&l, 0, 2, 2);
	reserve(&l, 0, 1, 3);
	cancel(&r, 2);
	reserve(&l, 2, 2, 4);
	wf_limiter_init(&l, 10, 2);		/* time goes back: 1 */
	reserve(&l, 1, 2, 1);
	r = reserve(&l, 1, 2, 3);
	reserve(&l, 1, 1, 4);
	cancel(&r, 0);
	reserve(&l, 1, 2, 4);
}

/* Several, and the order matters. */
static void
cancelling_many(void)
{
	wf_reservation a, c;
	wf_limiter l;

	wf_limiter_init(&l, 10, 4);
	reserve(&l, 0, 4, 0);
	a = reserve(&l, 0, 3, 3);
	reserve(&l, 0, 1, 4);
	c = reserve(&l, 0, 1, 5);
	cancel(&c, 1);			/* 1 back */
	cancel(&a, 1);			/* 2, as if c had never been */
	reserve(&l, 1, 3, 5);
	wf_limiter_init(&l, 10, 4);
	reserve(&l, 0, 4, 0);
	a = reserve(&l, 0, 3, 3);
	reserve(&l, 0, 1, 4);
	c = reserve(&l, 0, 1, 5);
	cancel(&a, 1);			/* 1, for two come after it */
	cancel(&c, 1);			/* 1 */
	reserve(&l, 1, 3, 6);
}

static void
changes(void)
{
	wf_reservation r;
	wf_limiter l;

	wf_limiter_init(&l, 5, 2);
	reserve(&l, 0, 2, 0);
	reserve(&l, 0, 2, 4);
	wf_limiter_set_limit_at(&l, T(2), 10);
	check(wf_limiter_limit(&l) == 10);
	reserve(&l, 2, 1, 4);
	wf_limiter_init(&l, 5, 2);
	reserve(&l, 0, 2, 0);
	reserve(&l, 0, 2, 4);
	wf_limiter_set_burst_at(&l, T(3), 4);
	check_eq(wf_limiter_burst(&l), 4);
	reserve(&l, 0, 4, 9);
	wf_limiter_init(&l, 5, 2);
	reserve(&l, 0, 2, 0);
	r = reserve(&l, 0, 2, 4);
	wf_limiter_set_limit_at(&l, T(2), 10);
	cancel(&r, 2);
	reserve(&l, 2, 2, 3);
}

/* ---- many at once, and waits ---- */

static void
ask(wf_limiter *l, int *ok)
{
	if (wf_limiter_allow_at(l, base, 1))
		__atomic_add_fetch(ok, 1, __ATOMIC_RELAXED);
}

/* 238: 15 at once, a burst of 5. */
static int
simultaneous(void)
{
	for (int i = 0; i < 100; i++) {
		wf_waitgroup wg = {0};
		wf_limiter l;
		int ok = 0;

		wf_limiter_init(&l, 1, 5);
		for (int k = 0; k < 15; k++)
			wf_waitgroup_spawn(&wg, ask, &l, &ok);
		wf_waitgroup_wait(&wg);
		check_eq(ok, 5);
	}
	return 0;
}

/* 238: five seconds, asked at any time: as many as the limit says. */
static void
long_run(void)
{
	uint64_t random = tap_seed();
	int64_t now = base, end = base + 5 * WF_SEC;
	int ideal = 100 + 5 * 100, ok = 0;
	wf_limiter l;

	wf_limiter_init(&l, 100, 100);
	for (; now < end; now += (int64_t)(tap_random(&random) %
	    (uint64_t)(4 * WF_MS)))
		ok += wf_limiter_allow_at(&l, now, 1);
	while (wf_limiter_allow_at(&l, end, 1))
		ok++;
	check(ok <= ideal);
	check(ok >= ideal - 1);		/* by rounding */
}

static int
waits(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *soon = wf_ctx_with_timeout(ctx, 3600 * WF_SEC);
	int64_t start = wf_now();
	wf_limiter l;

	wf_limiter_init(&l, 100, 3);
	check_eq(wf_limiter_wait(NULL, &l, 1), -EINVAL);
	check_eq(wf_limiter_wait(ctx, &l, 4), -E2BIG);
	check_eq(wf_limiter_wait(ctx, &l, 2), 0);
	check_eq(wf_limiter_wait(ctx, &l, 3), 0);	/* 2 of them to come */
	check(wf_now() - start >= 20 * WF_MS);
	/* A token in two hours: the deadline is sooner.  At once. */
	wf_limiter_init(&l, 1.0 / 7200, 1);
	check_eq(wf_limiter_wait(soon, &l, 1), 0);
	check_eq(wf_limiter_wait(soon, &l, 1), -ETIMEDOUT);
	check(wf_limiter_tokens(&l) >= 0);		/* nothing taken */
	wf_ctx_cancel(ctx);
	check_eq(wf_limiter_wait(ctx, &l, 1), -ECANCELED);
	check(wf_limiter_tokens(&l) >= 0);
	wf_limiter_init(&l, WF_LIMIT_NONE, 0);
	check_eq(wf_limiter_wait(wf_ctx_background(), &l, 1000), 0);
	wf_ctx_free(soon);
	wf_ctx_free(ctx);
	return 0;
}

static void
wait_long(wf_ctx *ctx, wf_limiter *l, int *err)
{
	*err = wf_limiter_wait(ctx, l, 1);
}

/* A wait that is cancelled gives its token back. */
static int
cancelled_waits(void)
{
	for (int i = 0; i < 20; i++) {
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		wf_waitgroup wg = {0};
		wf_limiter l;
		int err = 1;

		wf_limiter_init(&l, 1.0 / 3600, 1);
		check(wf_limiter_allow(&l, 1));
		wf_waitgroup_spawn(&wg, wait_long, ctx, &l, &err);
		while (wf_limiter_tokens(&l) > -0.5)
			wf_yield();
		if (i % 2)
			tap_settle();
		wf_ctx_cancel(ctx);
		wf_waitgroup_wait(&wg);
		check_eq(err, -ECANCELED);
		check(wf_limiter_tokens(&l) > -0.5);
		wf_ctx_free(ctx);
	}
	return 0;
}

static void
take_some(wf_limiter *l, int times)
{
	while (times--)
		check_eq(wf_limiter_wait(wf_ctx_background(), l, 1), 0);
}

/* Many wait, none is early: the last has its token after so many. */
static int
crowd(void)
{
	int64_t start = wf_now();
	wf_waitgroup wg = {0};
	wf_limiter l;

	wf_limiter_init(&l, 10000, 1);
	for (int i = 0; i < 10; i++)
		wf_waitgroup_spawn(&wg, take_some, &l, 20);
	wf_waitgroup_wait(&wg);
	check(wf_now() - start >= 199 * 100 * WF_US);
	return 0;
}

int
main(void)
{
	tap_plain("238: every", every);
	tap_plain("238: schedules", schedules);
	tap_plain("no limit, nothing, zeros", no_limit);
	tap_plain("239: reservations", reservations);
	tap_plain("239: cancelling", cancelling);
	tap_plain("239: cancelling many", cancelling_many);
	tap_plain("239: changes", changes);
	tap_test_workers("238: at once", simultaneous);
	tap_plain("238: a long run", long_run);
	tap_test_workers("waits", waits);
	tap_test_workers("cancelled waits", cancelled_waits);
	tap_test_workers("a crowd", crowd);
	return tap_end();
}
