/* SPDX-License-Identifier: MIT */
/*
 * weft/select.h - wait for one of several channel operations.
 *
 *	switch (wf_select(wf_on_recv(jobs, &job),
 *			  wf_on_send(log, line),
 *			  wf_on_timeout(WF_SEC))) {
 *	case 0: ...	(a job was received, or jobs is closed)
 *	case 1: ...	(line was sent, or log is closed)
 *	case 2: ...	(neither within a second)
 *	}
 *
 * Exactly one case runs, and its index is the result.  All cases are judged
 * at one instant; of several that are ready each is as likely as the others
 * (in wf_select_ordered(): the first one runs).  Channels and values are
 * evaluated once, in order; destinations of cases that do not run are not
 * touched.  A case on a closed channel is ready: a receive zeroes its
 * destination, a send sends nothing; the _ok forms tell.  A case on a NULL
 * channel is never ready, which is the way to switch a case off.  A select
 * never pairs with itself.  Any thread may call it.
 */
#ifndef WEFT_SELECT_H
#define WEFT_SELECT_H

#include <weft/base.h>
#include <weft/chan.h>
#include <weft/context.h>

WF__BEGIN

/* One case.  Make it by the macros below; its room for the waiter node is the
 * reason that select allocates nothing. */
struct wf_case {
	void *wf__object;	/* channel or context */
	void *wf__value;	/* source or destination */
	bool *wf__ok;
	int64_t wf__timeout;
	uint32_t wf__kind;
	uint32_t wf__order;
	uintptr_t wf__node[6];
};

enum {
	WF__CASE_DEFAULT, WF__CASE_RECV, WF__CASE_SEND, WF__CASE_DONE,
	WF__CASE_TIMEOUT
};

/*
 * int wf_select(cases...);
 * int wf_select_ordered(cases...);
 *
 * The cases, only as arguments of these two:
 *	wf_on_recv(c, T *v)		receive; v may be NULL
 *	wf_on_recv_ok(c, T *v, bool *ok)	*ok: a value, or closed
 *	wf_on_send(c, T v)		send
 *	wf_on_send_ok(c, T v, bool *ok)	*ok: sent, or closed
 *	wf_on_done(wf_ctx *ctx)		ctx is done; never for NULL
 *	wf_on_timeout(int64_t ns)	nothing else within ns nanoseconds
 *	wf_on_default()			nothing else is ready now
 */
#define wf_select(...) WF__SELECT(wf_selectv, __VA_ARGS__)
#define wf_select_ordered(...) WF__SELECT(wf_selectv_ordered, __VA_ARGS__)

/*
 * int wf_selectv(struct wf_case *cases, size_t n);
 * int wf_selectv_ordered(struct wf_case *cases, size_t n);
 *
 * The same on a set made at run time.  The cases must stay where they are
 * during the call, and can be used again afterwards.  No case at all, or none
 * that can ever be ready, blocks for ever.  At most 65,536 cases, at most one
 * default, and only the shortest of several timeouts counts.
 */
WF_API int wf_selectv(struct wf_case *cases, size_t n);
WF_API int wf_selectv_ordered(struct wf_case *cases, size_t n);

/* Cases for such a set, with values at addresses that outlive the call:
 * wf_case_recv(c, T *v), wf_case_recv_ok(c, T *v, bool *ok),
 * wf_case_send(c, const T *v), wf_case_send_ok(c, const T *v, bool *ok),
 * wf_case_done(ctx), wf_case_timeout(ns), wf_case_default(). */
static inline void *
wf__ctx_arg(wf_ctx *ctx)
{
	return ctx;
}

WF__END

/* A receive's and a send's object and value; WF__FIXED: at an address that the
 * caller gave. */
#define WF__RECV(c, v) WF__RECVS(c), WF__DEST(c, v)
#define WF__SEND(c, v) WF__SENDS(c), (void *)WF__TEMP(c, v)
#define WF__FIXED(c, v) WF__SENDS(c), WF__SOURCE(c, v)

#define wf_on_recv(c, v) WF__PUT(WF__RECV(c, v), NULL, 0, WF__CASE_RECV)
#define wf_on_recv_ok(c, v, ok) WF__PUT(WF__RECV(c, v), ok, 0, WF__CASE_RECV)
#define wf_on_send(c, v) WF__PUT(WF__SEND(c, v), NULL, 0, WF__CASE_SEND)
#define wf_on_send_ok(c, v, ok) WF__PUT(WF__SEND(c, v), ok, 0, WF__CASE_SEND)
#define wf_on_done(ctx) \
	WF__PUT(wf__ctx_arg(ctx), NULL, NULL, 0, WF__CASE_DONE)
#define wf_on_timeout(ns) WF__PUT(NULL, NULL, NULL, ns, WF__CASE_TIMEOUT)
#define wf_on_default() WF__PUT(NULL, NULL, NULL, 0, WF__CASE_DEFAULT)

#define wf_case_recv(c, v) WF__CASE(WF__RECV(c, v), NULL, 0, WF__CASE_RECV)
#define wf_case_recv_ok(c, v, ok) \
	WF__CASE(WF__RECV(c, v), ok, 0, WF__CASE_RECV)
#define wf_case_send(c, v) WF__CASE(WF__FIXED(c, v), NULL, 0, WF__CASE_SEND)
#define wf_case_send_ok(c, v, ok) \
	WF__CASE(WF__FIXED(c, v), ok, 0, WF__CASE_SEND)
#define wf_case_done(ctx) \
	WF__CASE(wf__ctx_arg(ctx), NULL, NULL, 0, WF__CASE_DONE)
#define wf_case_timeout(ns) WF__CASE(NULL, NULL, NULL, ns, WF__CASE_TIMEOUT)
#define wf_case_default() WF__CASE(NULL, NULL, NULL, 0, WF__CASE_DEFAULT)

#define WF__CASE(...) WF__CASE_(__VA_ARGS__)
#define WF__PUT(...) WF__PUT_(__VA_ARGS__)

#ifndef __cplusplus
#define WF__CASE_(object, value, ok, timeout, kind) ((struct wf_case){ \
	(object), (value), (ok), (timeout), (kind), 0, { 0 } })
#define WF__SOURCE(c, v) (void *)(uintptr_t) \
	__extension__({ const __typeof__((c)(0)) *wf__p = (v); wf__p; })

/* wf_select() leaves the room for the waiter nodes as it is, and what means
 * nothing in a case of this kind.  Its cases fill in the next place of the
 * array, one after the other; values given to them live in its block. */
#define WF__PUT_(object, value, ok, timeout, kind) ((void)( \
	(kind) == WF__CASE_DEFAULT ? (void)0 : (void)( \
	wf__at->wf__object = (object), wf__at->wf__value = (value), \
	wf__at->wf__ok = (ok)), \
	(kind) != WF__CASE_TIMEOUT ? (void)0 : \
	(void)(wf__at->wf__timeout = (timeout)), \
	wf__at->wf__kind = (kind), wf__at++))
#define WF__SELECT(verb, ...) __extension__({ \
	struct wf_case wf__cases[WF__COUNT(__VA_ARGS__)]; \
	struct wf_case *wf__at = wf__cases; \
	__VA_ARGS__; \
	verb(wf__cases, (size_t)(wf__at - wf__cases)); })
#define WF__COUNT(...) WF__COUNT_(__VA_ARGS__, \
	24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, \
	11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, more_than_24_cases_use_wf_selectv)
#define WF__COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, \
	t, u, v, w, x, count, ...) count
#else
#define WF__CASE_(object, value, ok, timeout, kind) (wf_case{ \
	(object), (void *)(value), (ok), (timeout), (kind), 0, { 0 } })
#define WF__PUT_ WF__CASE_
#define WF__SOURCE(c, v) \
	(void *)(uintptr_t)wf__dest<const __typeof__((c)(0))>(v)
#define WF__SELECT(verb, ...) wf__select(verb, __VA_ARGS__)
template <class... C> inline int
wf__select(int (*verb)(wf_case *, size_t), const C &...c)
{
	wf_case cases[] = { c... };

	return verb(cases, sizeof...(c));
}
#endif

#endif
