/* SPDX-License-Identifier: MIT */
/*
 * weft/chan.h - typed channels.
 *
 *	wf_chan(struct result) results = wf_chan_make(struct result, 100);
 *	struct result r;
 *
 *	wf_send(results, ((struct result){ 1, 2 }));
 *	while (wf_recv(results, &r))		(until closed and drained)
 *		...
 *
 * wf_chan(T) is a type: two wf_chan(int) written in different files are the
 * same one, and sending what is not an int is diagnosed by the compiler.  The
 * handle is a pointer to a function from an opaque tag to T; it can be
 * neither dereferenced nor called, only handed to the verbs below.
 *
 * A channel of capacity 0 is a rendezvous: send returns when a receiver has
 * the value.  With capacity n it holds n values, first in, first out.
 *
 * Rules for all verbs: any thread may call them; a wait parks the calling
 * coroutine, or the calling thread outside of one.  A result is 1 when the
 * value was sent or received, 0 when the channel is closed (for receive:
 * closed and drained; *v is then zeroed), and in the try and ctx forms
 * a negative errno: -EAGAIN not now, -ECANCELED or -ETIMEDOUT from the
 * context.  The k-th send happens before the return of the k-th receive; the
 * k-th receive happens before the return of the (k + capacity)-th send; close
 * happens before a receive that reports it.
 *
 * A NULL channel is for select and the try forms, which take it as never
 * ready.  To send to, receive from or close NULL is misuse: reported, abort.
 */
#ifndef WEFT_CHAN_H
#define WEFT_CHAN_H

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

struct wf_channel;		/* a channel without its type */
struct wf__both;		/* the tags: a channel for both directions, */
struct wf__out;			/* a view for sending only, */
struct wf__in;			/* a view for receiving only */

/* The handle's type, and those of its one-way views. */
#define wf_chan(T) __typeof__(__typeof__(T) (*)(struct wf__both *))
#define wf_chan_out(T) __typeof__(__typeof__(T) (*)(struct wf__out *))
#define wf_chan_in(T) __typeof__(__typeof__(T) (*)(struct wf__in *))

/*
 * wf_chan(T) wf_chan_make(T, size_t cap);
 * void wf_chan_free(wf_chan(T) c);
 *
 * Make a channel that holds cap values of at most 64 KiB each.  NULL without
 * memory; more bytes than there are addresses is misuse.  Free it once nobody
 * uses it, waits on it, or will: when all who do are joined, or by the one
 * whom the last operation paired with.  Freeing a channel that someone waits
 * on is misuse; freeing NULL is allowed.
 */
#define wf_chan_make(T, cap) __extension__({ \
	WF__STATIC_ASSERT(sizeof(T) <= 65536, \
	    "weft: elements are at most 64 KiB: send a pointer"); \
	(wf_chan(T))(uintptr_t)wf_chan_make_raw(sizeof(T), cap); })
#define wf_chan_free(c) wf_chan_free_raw(WF__RAW(c))

/* wf_chan_out(T) wf_out(wf_chan(T) c);	a view of c that can only send
 * wf_chan_in(T) wf_in(wf_chan(T) c);	a view of c that can only receive */

/*
 * int wf_send(wf_chan(T) or wf_chan_out(T) c, T v);
 * int wf_try_send(c, T v);		never blocks: -EAGAIN
 * int wf_send_ctx(wf_ctx *ctx, c, T v);
 *
 * The context is looked at first: when it is done, nothing is sent, nor
 * received below, however ready the channel is.  -EINVAL if it is NULL.
 */
#define wf_send(c, v) wf_chan_send_raw(WF__SENDS(c), WF__TEMP(c, v))
#define wf_try_send(c, v) wf_chan_try_send_raw(WF__SENDS(c), WF__TEMP(c, v))
#define wf_send_ctx(ctx, c, v) \
	wf_chan_send_ctx_raw(ctx, WF__SENDS(c), WF__TEMP(c, v))

/*
 * int wf_recv(wf_chan(T) or wf_chan_in(T) c, T *v);	v may be NULL
 * int wf_try_recv(c, T *v);		never blocks: -EAGAIN
 * int wf_recv_ctx(wf_ctx *ctx, c, T *v);
 */
#define wf_recv(c, v) wf_chan_recv_raw(WF__RECVS(c), WF__DEST(c, v))
#define wf_try_recv(c, v) wf_chan_try_recv_raw(WF__RECVS(c), WF__DEST(c, v))
#define wf_recv_ctx(ctx, c, v) \
	wf_chan_recv_ctx_raw(ctx, WF__RECVS(c), WF__DEST(c, v))

/*
 * int wf_close(wf_chan(T) or wf_chan_out(T) c);
 *
 * No more sends: every waiting and later send returns 0, receives drain what
 * is buffered and then return 0.  Returns 0, or -EALREADY if c was closed
 * already: of racing closers one wins.  Never blocks.
 */
#define wf_close(c) wf_chan_close_raw(WF__SENDS(c))

/* size_t wf_len(c), wf_cap(c): values buffered at some moment during the
 * call, never counting waiting senders; and the capacity.  0 for NULL. */
#define wf_len(c) wf_chan_len_raw(WF__RAW(c))
#define wf_cap(c) wf_chan_cap_raw(WF__RAW(c))

/* The verbs beneath the macros, for other languages.  v points to a value of
 * the channel's element size; as a destination it may be NULL. */
WF_API struct wf_channel *wf_chan_make_raw(size_t size, size_t cap);
WF_API void wf_chan_free_raw(struct wf_channel *c);
WF_API int wf_chan_send_raw(struct wf_channel *c, const void *v);
WF_API int wf_chan_try_send_raw(struct wf_channel *c, const void *v);
WF_API int wf_chan_send_ctx_raw(wf_ctx *ctx, struct wf_channel *c,
    const void *v);
WF_API int wf_chan_recv_raw(struct wf_channel *c, void *v);
WF_API int wf_chan_try_recv_raw(struct wf_channel *c, void *v);
WF_API int wf_chan_recv_ctx_raw(wf_ctx *ctx, struct wf_channel *c, void *v);
WF_API int wf_chan_close_raw(struct wf_channel *c);
WF_API size_t wf_chan_len_raw(const struct wf_channel *c);
WF_API size_t wf_chan_cap_raw(const struct wf_channel *c);

WF__END

/* The handle without its type. */
#define WF__RAW(c) ((struct wf_channel *)(uintptr_t)(c))

/* The address of a value of c's element type that lives as long as the
 * enclosing full expression, and a checked destination. */
#ifndef __cplusplus
#define WF__TAGGED(c, tag) __typeof__(__typeof__((c)(0)) (*)(struct tag *))
#define WF__HAS_TAG(c, tag) __builtin_types_compatible_p( \
	__typeof__(c), __typeof__((c)(0)) (*)(struct tag *))
#define WF__TEMP(c, v) ((__typeof__((c)(0))[1]){ \
	__extension__({ __typeof__((c)(0)) wf__v = (v); wf__v; }) })
#define WF__DEST(c, v) \
	__extension__({ __typeof__((c)(0)) *wf__p = (v); wf__p; })
#define WF__SENDS(c) __extension__({ \
	WF__STATIC_ASSERT(!WF__HAS_TAG(c, wf__in), \
	    "weft: " #c " is a view for receiving only"); WF__RAW(c); })
#define WF__RECVS(c) __extension__({ \
	WF__STATIC_ASSERT(!WF__HAS_TAG(c, wf__out), \
	    "weft: " #c " is a view for sending only"); WF__RAW(c); })
#define WF__BOTH(c) __extension__({ \
	WF__STATIC_ASSERT(WF__HAS_TAG(c, wf__both), \
	    "weft: " #c " is a one-way view already"); (uintptr_t)(c); })
#define wf_out(c) ((WF__TAGGED(c, wf__out))WF__BOTH(c))
#define wf_in(c) ((WF__TAGGED(c, wf__in))WF__BOTH(c))
#else
extern "C++" {
template <class A, class B> struct wf__same {
	static constexpr bool value = false;
};
template <class A> struct wf__same<A, A> {
	static constexpr bool value = true;
};
template <class T, class Tag> inline struct wf_channel *
wf__sends(T (*c)(Tag *))
{
	WF__STATIC_ASSERT((!wf__same<Tag, wf__in>::value),
	    "weft: this is a view for receiving only");
	return (struct wf_channel *)(uintptr_t)c;
}
template <class T, class Tag> inline struct wf_channel *
wf__recvs(T (*c)(Tag *))
{
	WF__STATIC_ASSERT((!wf__same<Tag, wf__out>::value),
	    "weft: this is a view for sending only");
	return (struct wf_channel *)(uintptr_t)c;
}
template <class View, class T, class Tag> inline T (*wf__view(T (*c)(Tag *)))
(View *)
{
	WF__STATIC_ASSERT((wf__same<Tag, wf__both>::value),
	    "weft: this is a one-way view already");
	return (T (*)(View *))(uintptr_t)c;
}
template <class T> inline const T *
wf__address(const T &v)
{
	return __builtin_addressof(v);
}
template <class T> inline T *
wf__dest(T *v)
{
	return v;
}
}
#define WF__TEMP(c, v) wf__address<__typeof__((c)(0))>(v)
#define WF__DEST(c, v) wf__dest<__typeof__((c)(0))>(v)
#define WF__SENDS(c) wf__sends(c)
#define WF__RECVS(c) wf__recvs(c)
#define wf_out(c) wf__view<struct wf__out>(c)
#define wf_in(c) wf__view<struct wf__in>(c)
#endif

#endif
