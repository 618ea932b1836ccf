/* SPDX-License-Identifier: MIT */
/*
 * limiter.c - a token bucket with reservations.
 * Layer 4.  Uses: select, lock, seam.
 *
 * While the lock is held:
 *   I1  tokens were there at the time last, negative if some are owed; never
 *       more than burst.
 *   I2  last_event is the time at which the latest reservation may be used,
 *       past or to come.
 *
 * Nothing comes in by itself: tokens are reckoned when somebody asks.
 *
 * A time that is before last counts the time between twice, when it comes
 * again.  So the forms that ask the clock do so under the lock: they hand down
 * PRESENT, which is no time.
 */
#include <weft/limiter.h>

#include <errno.h>

#include <weft/select.h>
#include "lock.h"
#include "seam.h"

struct limiter {
	struct wf__lock lock;
	int burst;
	double limit, tokens;
	int64_t last, last_event;
} __attribute__((may_alias));		/* the user declares words */

_Static_assert(sizeof(struct limiter) <= sizeof(wf_limiter), "room");

static struct limiter *
limiter_of(wf_limiter *l)
{
	return (struct limiter *)(void *)l;
}

#define PRESENT INT64_MIN

static int64_t
time_of(int64_t now)
{
	return now == PRESENT ? wf__seam_now() : now;
}

/* ---- arithmetic ---- */

/* a + b, as far as there are numbers. */
static int64_t
add_times(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

static int64_t
subtract_times(int64_t a, int64_t b)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference))
		return b < 0 ? INT64_MAX : INT64_MIN;
	return difference;
}

static int64_t
time_for(double limit, double tokens)
{
	double ns = limit > 0 ? tokens / limit * (double)WF_SEC : 1e300;

	return ns >= 9.2e18 ? WF_FOREVER : (int64_t)ns;
}

static double
tokens_in(double limit, int64_t ns)
{
	if (limit <= 0)
		return 0;
	/* In two parts, so that whole seconds are exact. */
	return ((double)(ns / WF_SEC) + (double)(ns % WF_SEC) / 1e9) * limit;
}

/* The tokens at the time now; earlier than last, those of last. */
static double
tokens_at(const struct limiter *l, int64_t now)
{
	double tokens = l->tokens;

	if (now > l->last)
		tokens += tokens_in(l->limit, subtract_times(now, l->last));
	return tokens < l->burst ? tokens : l->burst;
}

/* ---- under the lock ---- */

static int
reserve_tokens(struct limiter *l, int64_t now, int n, int64_t patience,
    wf_reservation *r)
{
	double left = tokens_at(l, now) - n;
	int64_t wait = 0;

	r->wf__at = now;
	r->wf__limit = l->limit;
	r->wf__n = n;
	if (l->limit >= WF_LIMIT_NONE)
		return 0;
	if (n > l->burst)
		return -E2BIG;
	if (left < 0)
		wait = time_for(l->limit, -left);
	if (wait > patience)
		return -EAGAIN;
	r->wf__at = add_times(now, wait);
	l->last = now;
	l->tokens = left;
	l->last_event = r->wf__at;
	return 0;
}

static void
return_tokens(struct limiter *l, const wf_reservation *r, int64_t now)
{
	double back, tokens;
	int64_t before;

	if (l->limit >= WF_LIMIT_NONE || r->wf__limit >= WF_LIMIT_NONE ||
	    !r->wf__n || r->wf__at < now)
		return;
	/* What was reserved after r counts on r's tokens. */
	back = r->wf__n - tokens_in(r->wf__limit,
	    subtract_times(l->last_event, r->wf__at));
	if (back <= 0)
		return;
	tokens = tokens_at(l, now) + back;
	l->tokens = tokens < l->burst ? tokens : l->burst;
	l->last = now;
	if (r->wf__at == l->last_event) {
		before = subtract_times(r->wf__at,
		    time_for(r->wf__limit, r->wf__n));
		if (before >= now)
			l->last_event = before;
	}
}

/* ---- public ---- */

WF_API double
wf_every(int64_t interval)
{
	return interval > 0 ? 1e9 / (double)interval : WF_LIMIT_NONE;
}

WF_API void
wf_limiter_init(wf_limiter *limiter, double limit, int burst)
{
	struct limiter *l = limiter_of(limiter);

	memset(limiter, 0, sizeof *limiter);
	l->limit = limit;
	l->burst = burst;
	l->tokens = burst;
	l->last = l->last_event = INT64_MIN;
}

WF_API int
wf_limiter_reserve_at(wf_limiter *limiter, int64_t now, int n,
    int64_t patience, wf_reservation *r)
{
	struct limiter *l = limiter_of(limiter);
	int err;

	wf__seam_point_at("reserves at a limiter", 0);
	wf__lock(&l->lock);
	err = reserve_tokens(l, time_of(now), n, patience, r);
	wf__unlock(&l->lock);
	r->wf__limiter = err ? NULL : limiter;
	return err;
}

WF_API int
wf_limiter_reserve(wf_limiter *l, int n, wf_reservation *r)
{
	return wf_limiter_reserve_at(l, PRESENT, n, WF_FOREVER, r);
}

WF_API bool
wf_limiter_allow_at(wf_limiter *l, int64_t now, int n)
{
	wf_reservation r;

	return wf_limiter_reserve_at(l, now, n, 0, &r) == 0;
}

WF_API bool
wf_limiter_allow(wf_limiter *l, int n)
{
	return wf_limiter_allow_at(l, PRESENT, n);
}

WF_API int64_t
wf_reservation_delay_at(const wf_reservation *r, int64_t now)
{
	if (!r->wf__limiter)
		return WF_FOREVER;
	return r->wf__at > now ? subtract_times(r->wf__at, now) : 0;
}

WF_API int64_t
wf_reservation_delay(const wf_reservation *r)
{
	return wf_reservation_delay_at(r, wf__seam_now());
}

WF_API void
wf_reservation_cancel_at(const wf_reservation *r, int64_t now)
{
	struct limiter *l;

	if (!r->wf__limiter)
		return;
	l = limiter_of(r->wf__limiter);
	wf__seam_point_at("cancels a reservation", 0);
	wf__lock(&l->lock);
	return_tokens(l, r, time_of(now));
	wf__unlock(&l->lock);
}

WF_API void
wf_reservation_cancel(const wf_reservation *r)
{
	wf_reservation_cancel_at(r, PRESENT);
}

WF_API int
wf_limiter_wait(wf_ctx *ctx, wf_limiter *l, int n)
{
	int64_t deadline, patience = WF_FOREVER;
	wf_reservation r;
	int err;

	if (!ctx)
		return -EINVAL;
	if ((err = wf_ctx_err(ctx)) < 0)
		return err;
	if ((deadline = wf_ctx_deadline(ctx)) != WF_FOREVER)
		patience = subtract_times(deadline, wf__seam_now());
	err = wf_limiter_reserve_at(l, PRESENT, n, patience, &r);
	if (err)
		return err == -EAGAIN ? -ETIMEDOUT : err;
	err = wf_sleep_ctx(ctx, wf_reservation_delay(&r));
	if (err)
		wf_reservation_cancel(&r);
	return err;
}

WF_API void
wf_limiter_set_limit_at(wf_limiter *limiter, int64_t now, double limit)
{
	struct limiter *l = limiter_of(limiter);

	wf__seam_touch(WF__ANYTHING);
	wf__lock(&l->lock);
	now = time_of(now);
	l->tokens = tokens_at(l, now);
	l->last = now;
	l->limit = limit;
	wf__unlock(&l->lock);
}

WF_API void
wf_limiter_set_limit(wf_limiter *l, double limit)
{
	wf_limiter_set_limit_at(l, PRESENT, limit);
}

WF_API void
wf_limiter_set_burst_at(wf_limiter *limiter, int64_t now, int burst)
{
	struct limiter *l = limiter_of(limiter);

	wf__seam_touch(WF__ANYTHING);
	wf__lock(&l->lock);
	now = time_of(now);
	l->tokens = tokens_at(l, now);
	l->last = now;
	l->burst = burst;
	wf__unlock(&l->lock);
}

WF_API void
wf_limiter_set_burst(wf_limiter *l, int burst)
{
	wf_limiter_set_burst_at(l, PRESENT, burst);
}

WF_API double
wf_limiter_limit(wf_limiter *limiter)
{
	struct limiter *l = limiter_of(limiter);
	double limit;

	wf__lock(&l->lock);
	limit = l->limit;
	wf__unlock(&l->lock);
	return limit;
}

WF_API int
wf_limiter_burst(wf_limiter *limiter)
{
	struct limiter *l = limiter_of(limiter);
	int burst;

	wf__lock(&l->lock);
	burst = l->burst;
	wf__unlock(&l->lock);
	return burst;
}

WF_API double
wf_limiter_tokens_at(wf_limiter *limiter, int64_t now)
{
	struct limiter *l = limiter_of(limiter);
	double tokens;

	wf__lock(&l->lock);
	tokens = tokens_at(l, time_of(now));
	wf__unlock(&l->lock);
	return tokens;
}

WF_API double
wf_limiter_tokens(wf_limiter *l)
{
	return wf_limiter_tokens_at(l, PRESENT);
}
