/* SPDX-License-Identifier: MIT */
/*
 * weft/timer.h - timers and tickers whose channels tell the time, and calls
 * that are made later.
 *
 *	wf_ticker *beat = wf_ticker_make(WF_SEC);
 *	wf_chan_in(int64_t) stop = wf_after(10 * WF_SEC);
 *	int64_t when;
 *
 *	while (wf_select(wf_on_recv(wf_ticker_chan(beat), &when),
 *			 wf_on_recv(stop, NULL)) == 0)
 *		printf("still here\n");
 *	wf_ticker_free(beat);
 *	wf_chan_free(stop);
 *
 * For a timeout of one select or one call no timer is needed: see
 * wf_on_timeout() and wf_ctx_with_timeout(), which allocate nothing.
 *
 * A timer's channel is received from like any other, in a select too.  What
 * it gives is the time at which the timer fired, as wf_now() tells time,
 * however much later it is received.  It is never closed, and its length and
 * capacity read as 0.
 *
 * When a stop or a reset returns, no value of the old setting can be received
 * any more, and no call of it begins: there is nothing to drain.
 *
 * Any thread may call everything here, also several at once on one timer, and
 * also before the runtime runs: making or resetting a timer starts it.
 * Nothing here blocks.  A stop of the runtime is a stop of all timers.  To
 * call anything but free, or wf_ticker_stop(), with NULL is misuse: reported,
 * abort.
 */
#ifndef WEFT_TIMER_H
#define WEFT_TIMER_H

#include <weft/base.h>
#include <weft/call.h>
#include <weft/chan.h>

WF__BEGIN

typedef struct wf_timer wf_timer;
typedef struct wf_ticker wf_ticker;

/*
 * wf_chan_in(int64_t) wf_timer_chan(wf_timer *t);
 *
 * A timer that fires once, ns nanoseconds from now; at once for zero or less,
 * never for WF_FOREVER.  NULL without memory, or if the runtime cannot start.
 */
WF_API wf_timer *wf_timer_make(int64_t ns);
WF_API struct wf_channel *wf_timer_chan_raw(wf_timer *t);
#define wf_timer_chan(t) WF__TIMES(wf_timer_chan_raw(t))

/* Stop t.  True if that prevented a receipt or a call: false if t was stopped
 * before, its value was received, or its call has begun (stop does not wait
 * for it).  A receiver that waits goes on waiting. */
WF_API bool wf_timer_stop(wf_timer *t);

/*
 * Fire ns nanoseconds from now, and not as was set before.  1 if that had
 * still been to come or to be received, 0 if not; -errno, with nothing
 * changed, if the runtime was stopped and cannot start again (-ENOMEM,
 * -EAGAIN), or a call that was made already can have no memory to be made
 * once more (-ENOMEM).
 */
WF_API int wf_timer_reset(wf_timer *t, int64_t ns);

/* Stop t and free it, with its channel: nobody may wait on that.  A call that
 * has begun goes on.  NULL is allowed. */
WF_API void wf_timer_free(wf_timer *t);

/*
 * wf_chan_in(int64_t) wf_after(int64_t ns);
 *
 * The channel of a timer that only the channel stands for.  It is the
 * caller's: wf_chan_free() stops and frees the timer with it, at any time.
 * NULL as wf_timer_make().
 */
WF_API struct wf_channel *wf_after_raw(int64_t ns);
#define wf_after(ns) WF__TIMES(wf_after_raw(ns))

/*
 * wf_timer *wf_after_func(int64_t ns, fn, args...);
 *
 * A timer that starts fn(args...) as a coroutine of its own, as wf_spawn()
 * would, ns nanoseconds from now.  The arguments are evaluated once, here.
 * All that the start needs is put by now, so that it cannot fail then.  After
 * a reset fn is called again, with the same arguments; if the first call has
 * not ended, beside it.  The timer's channel is NULL.
 */
WF_API wf_timer *wf_after_func_raw(const struct wf_site *site, int64_t ns,
    void (*fn)(void), unsigned shape, const uint64_t *words);

/*
 * wf_chan_in(int64_t) wf_ticker_chan(wf_ticker *t);
 *
 * A timer that fires every period nanoseconds, from one period from now on.
 * At most one tick waits to be received: a slow receiver loses some, and the
 * others stay in step with the first.  A period of zero or less is misuse,
 * in the reset too.  NULL as wf_timer_make().
 */
WF_API wf_ticker *wf_ticker_make(int64_t period);
WF_API struct wf_channel *wf_ticker_chan_raw(wf_ticker *t);
#define wf_ticker_chan(t) WF__TIMES(wf_ticker_chan_raw(t))

/* No more ticks.  A receiver that waits goes on waiting.  NULL does
 * nothing. */
WF_API void wf_ticker_stop(wf_ticker *t);

/* Tick every period nanoseconds, from one period from now on.  The result is
 * that of wf_timer_reset(). */
WF_API int wf_ticker_reset(wf_ticker *t, int64_t period);

/* Stop t and free it, with its channel.  NULL is allowed. */
WF_API void wf_ticker_free(wf_ticker *t);

WF__END

#define WF__TIMES(raw) ((wf_chan_in(int64_t))(uintptr_t)(raw))

#ifndef __cplusplus

#define wf_after_func(ns, ...) \
	WF__AFTER(WF__ARGC(__VA_ARGS__), ns, __VA_ARGS__)
#define WF__AFTER(n, ns, ...) WF__CAT(WF__AFTER_, n)(n, ns, __VA_ARGS__)
#define WF__AFTER_0(n, ns, fn) __extension__({ \
	WF__CHECK0(void, fn); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	wf_after_func_raw(&wf__site, ns, (void (*)(void))(fn), 0, NULL); })
#define WF__AFTER_n(n, ns, fn, ...) __extension__({ \
	WF__CHECKn(void, fn, n, __VA_ARGS__); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	wf_after_func_raw(&wf__site, ns, (void (*)(void))(fn), \
	    WF__SHAPEn(n, __VA_ARGS__), WF__WORDSn(n, __VA_ARGS__)); })
#define WF__AFTER_1 WF__AFTER_n
#define WF__AFTER_2 WF__AFTER_n
#define WF__AFTER_3 WF__AFTER_n
#define WF__AFTER_4 WF__AFTER_n
#define WF__AFTER_5 WF__AFTER_n
#define WF__AFTER_6 WF__AFTER_n
#define WF__AFTER_7 WF__AFTER_n
#define WF__AFTER_8 WF__AFTER_n

#else

#include <utility>

#define wf_after_func(ns, ...) __extension__({ \
	static const struct wf_site wf__site = \
	    { __FILE__, WF__AFTER_NAME(__VA_ARGS__, 0), __LINE__ }; \
	wf__after_func(&wf__site, ns, __VA_ARGS__); })
#define WF__AFTER_NAME(a, ...) #a

template <class... P, class... A> inline wf_timer *
wf__after_func(const wf_site *site, int64_t ns, void (*fn)(P...), A &&...args)
{
	WF__STATIC_ASSERT(sizeof...(P) <= 8, "weft: at most eight arguments");
	WF__STATIC_ASSERT(sizeof...(P) == sizeof...(A),
	    "weft: wrong number of arguments for this function");
	uint64_t words[sizeof...(P) + 1] = {
	    wf__word<P>(static_cast<P>(std::forward<A>(args)))..., 0 };

	return wf_after_func_raw(site, ns, (void (*)())fn,
	    WF__SHAPE(sizeof...(P), (wf__classes<P...>())), words);
}

#endif

#endif
