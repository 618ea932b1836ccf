/* SPDX-License-Identifier: MIT */
/*
 * weft/limiter.h - how often something may happen: a token bucket.
 *
 *	static wf_limiter limiter;
 *
 *	wf_limiter_init(&limiter, wf_every(100 * WF_MS), 5);
 *	...
 *	if (wf_limiter_wait(ctx, &limiter, 1) == 0)	(10 a second, and
 *		request(...);				 5 at once)
 *
 * The bucket holds burst tokens and begins full; limit tokens a second come
 * in.  An event takes n tokens.  It may take tokens that come in later only:
 * then it has to wait until they are there.
 *
 * Three ways to ask: allow takes tokens that are there, or none; reserve takes
 * them in any case, and tells how long to wait; wait waits.  The forms with
 * _at are told the time, as wf_now() tells it; it may go back.
 *
 * A wf_limiter of all zeros allows nothing; wf_limiter_init() makes it one
 * that does.  Any thread may call everything here.  Only wf_limiter_wait()
 * blocks.  (After golang.org/x/time/rate.)
 */
#ifndef WEFT_LIMITER_H
#define WEFT_LIMITER_H

#include <weft/base.h>
#include <weft/context.h>
#include <weft/time.h>

WF__BEGIN

typedef struct wf_limiter {
	uint64_t wf__private[8];
} wf_limiter;

/* Tokens that were taken, and from when on they may be used. */
typedef struct wf_reservation {
	wf_limiter *wf__limiter;	/* NULL: none was taken */
	int64_t wf__at;
	double wf__limit;
	int wf__n;
} wf_reservation;

/* As a limit, in events a second: none at all.  The burst is not asked. */
#define WF_LIMIT_NONE 1.7976931348623157e308

/* The limit of one event in interval nanoseconds; WF_LIMIT_NONE for zero or
 * less. */
WF_API double wf_every(int64_t interval);

/* limit events a second, burst of them at once.  Before anybody uses l. */
WF_API void wf_limiter_init(wf_limiter *l, double limit, int burst);

/* May n events happen now?  Then they have taken their tokens. */
WF_API bool wf_limiter_allow(wf_limiter *l, int n);
WF_API bool wf_limiter_allow_at(wf_limiter *l, int64_t now, int n);

/*
 * Take n tokens, though they may still have to come in, if that takes at most
 * patience nanoseconds (WF_FOREVER: any time).  0 and *r, to be asked how long
 * to wait; -E2BIG: n is more than the burst, it will never be allowed;
 * -EAGAIN: not so soon.  Then nothing is taken.
 */
WF_API int wf_limiter_reserve(wf_limiter *l, int n, wf_reservation *r);
WF_API int wf_limiter_reserve_at(wf_limiter *l, int64_t now, int n,
    int64_t patience, wf_reservation *r);

/* How long to wait before using r: zero if not at all, WF_FOREVER if nothing
 * was taken. */
WF_API int64_t wf_reservation_delay(const wf_reservation *r);
WF_API int64_t wf_reservation_delay_at(const wf_reservation *r, int64_t now);

/* r will not be used: give its tokens back, as far as later reservations do
 * not count on them.  Too late does nothing. */
WF_API void wf_reservation_cancel(const wf_reservation *r);
WF_API void wf_reservation_cancel_at(const wf_reservation *r, int64_t now);

/*
 * Wait until n events may happen: 0, and they have their tokens.  Or nothing
 * is taken: -E2BIG for more than the burst; the context's error when it is or
 * becomes done; -ETIMEDOUT, at once, if its deadline is sooner than the
 * tokens; -EINVAL for a NULL context.
 */
WF_API int wf_limiter_wait(wf_ctx *ctx, wf_limiter *l, int n);

/* Change limit or burst.  What was reserved stays as it is. */
WF_API void wf_limiter_set_limit(wf_limiter *l, double limit);
WF_API void wf_limiter_set_limit_at(wf_limiter *l, int64_t now, double limit);
WF_API void wf_limiter_set_burst(wf_limiter *l, int burst);
WF_API void wf_limiter_set_burst_at(wf_limiter *l, int64_t now, int burst);

/* What they are; and the tokens there are, negative if some are owed. */
WF_API double wf_limiter_limit(wf_limiter *l);
WF_API int wf_limiter_burst(wf_limiter *l);
WF_API double wf_limiter_tokens(wf_limiter *l);
WF_API double wf_limiter_tokens_at(wf_limiter *l, int64_t now);

WF__END

#endif
