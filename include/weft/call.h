/* SPDX-License-Identifier: MIT */
/*
 * weft/call.h - how a call travels into a coroutine.
 *
 * wf_spawn(fn, args...) checks the call against fn's prototype at compile
 * time, evaluates the arguments once, in the spawner, and packs each into one
 * 64-bit word; a bit per argument says whether the word is of the integer or
 * of the floating-point class.  The coroutine's entry loads the words into the
 * argument registers of the calling convention, so fn is called exactly as
 * its prototype says.  Up to eight scalar arguments; what is no scalar goes
 * by pointer.
 *
 * The check in C takes, for each argument, exactly the parameter's type.  For
 * pointers five readings are tried, each for all arguments of the call:
 * as they are; char pointers (string literals) as const char pointers; all as
 * pointers to const; all as void *; all as const void *.  In C++ each
 * argument converts to its parameter by the language's own rules.
 *
 * Nothing here is to be used directly.
 */
#ifndef WEFT_CALL_H
#define WEFT_CALL_H

#include <weft/base.h>

/* Number of arguments after the first, 0 to 8. */
#define WF__ARGC(...) \
	WF__ARGC_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0, too_many)
#define WF__ARGC_(f, a, b, c, d, e, g, h, i, n, ...) n

/* WF__MAPn(M, args...): M of each argument, separated by commas. */
#define WF__MAP1(M, a) M(a)
#define WF__MAP2(M, a, ...) M(a), WF__MAP1(M, __VA_ARGS__)
#define WF__MAP3(M, a, ...) M(a), WF__MAP2(M, __VA_ARGS__)
#define WF__MAP4(M, a, ...) M(a), WF__MAP3(M, __VA_ARGS__)
#define WF__MAP5(M, a, ...) M(a), WF__MAP4(M, __VA_ARGS__)
#define WF__MAP6(M, a, ...) M(a), WF__MAP5(M, __VA_ARGS__)
#define WF__MAP7(M, a, ...) M(a), WF__MAP6(M, __VA_ARGS__)
#define WF__MAP8(M, a, ...) M(a), WF__MAP7(M, __VA_ARGS__)

/* The number of arguments and the class bits, in one word. */
#define WF__SHAPE(argc, classes) ((unsigned)(argc) | (unsigned)(classes) << 8)

#define WF__ARGS(...) __VA_ARGS__
#define WF__FIRST(a, ...) #a

/* WF__CALL(R, verb, (x...), fn, args...): check the call of fn, which returns
 * R, then verb(x..., site, fn, shape, words). */
#ifndef __cplusplus

#define WF__CALL(R, verb, x, ...) \
	WF__CALL_(WF__ARGC(__VA_ARGS__), R, verb, x, __VA_ARGS__)
#define WF__CALL_(n, ...) WF__CAT(WF__CALL_, n)(n, __VA_ARGS__)
#define WF__CALL_0(n, R, verb, x, fn) __extension__({ \
	WF__CHECK0(R, fn); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	verb(WF__ARGS x, &wf__site, (void (*)(void))(fn), 0, NULL); })
#define WF__CALL_n(n, R, verb, x, fn, ...) __extension__({ \
	WF__CHECKn(R, fn, n, __VA_ARGS__); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	verb(WF__ARGS x, &wf__site, (void (*)(void))(fn), \
	    WF__SHAPEn(n, __VA_ARGS__), WF__WORDSn(n, __VA_ARGS__)); })
#define WF__CALL_1 WF__CALL_n
#define WF__CALL_2 WF__CALL_n
#define WF__CALL_3 WF__CALL_n
#define WF__CALL_4 WF__CALL_n
#define WF__CALL_5 WF__CALL_n
#define WF__CALL_6 WF__CALL_n
#define WF__CALL_7 WF__CALL_n
#define WF__CALL_8 WF__CALL_n

static inline uint64_t
wf__word_float(float v)
{
	union { float f; uint32_t u; } x = { v };

	return UINT64_C(0xffffffff00000000) | x.u;	/* boxed, for RISC-V */
}

static inline uint64_t
wf__word_double(double v)
{
	union { double d; uint64_t u; } x = { v };

	return x.u;
}

/* An argument as a word.  A branch of _Generic that is not chosen must still
 * compile, so each conversion sees its own type or a constant. */
#define WF__AS(T, a, none) _Generic((a), T: (a), default: (none))
#define WF__WORD(a) _Generic((a), \
	float: wf__word_float(WF__AS(float, a, 0.0f)), \
	double: wf__word_double(WF__AS(double, a, 0.0)), \
	default: (uint64_t)(a))

#define WF__FP(a) _Generic((a), float: 1u, double: 1u, default: 0u)
#define WF__CLASSES1(a) WF__FP(a)
#define WF__CLASSES2(a, ...) WF__FP(a) | WF__CLASSES1(__VA_ARGS__) << 1
#define WF__CLASSES3(a, ...) WF__FP(a) | (WF__CLASSES2(__VA_ARGS__)) << 1
#define WF__CLASSES4(a, ...) WF__FP(a) | (WF__CLASSES3(__VA_ARGS__)) << 1
#define WF__CLASSES5(a, ...) WF__FP(a) | (WF__CLASSES4(__VA_ARGS__)) << 1
#define WF__CLASSES6(a, ...) WF__FP(a) | (WF__CLASSES5(__VA_ARGS__)) << 1
#define WF__CLASSES7(a, ...) WF__FP(a) | (WF__CLASSES6(__VA_ARGS__)) << 1
#define WF__CLASSES8(a, ...) WF__FP(a) | (WF__CLASSES7(__VA_ARGS__)) << 1

/*
 * The readings of an argument's type.  A pointer to a function must be told
 * from a pointer to data (channel handles are of the first kind): only a
 * function type adjusts to its own pointer when it is a parameter.
 */
#define WF__IS_POINTER(a) (__builtin_classify_type(a) == 5)
#define WF__POINTER(a) \
	__builtin_choose_expr(WF__IS_POINTER(a), (a), (char *)0)
#define WF__NOT_VOID(a) _Generic(WF__POINTER(a), \
	void *: (char *)0, const void *: (char *)0, default: WF__POINTER(a))
#define WF__IS_FUNCTION(a) __builtin_types_compatible_p( \
	void (*)(__typeof__(*WF__NOT_VOID(a))), \
	void (*)(__typeof__(WF__NOT_VOID(a))))
#define WF__IS_DATA(a) (WF__IS_POINTER(a) && !WF__IS_FUNCTION(a))
#define WF__DATA(a) \
	__builtin_choose_expr(WF__IS_DATA(a), WF__NOT_VOID(a), (char *)0)
#define WF__READ_AS(a, is, T) __typeof__(__builtin_choose_expr(is, (T)0, (a)))

#define WF__T_EXACT(a) __typeof__(a)
#define WF__T_TEXT(a) WF__READ_AS(a, \
	_Generic(WF__DATA(a), char *: WF__IS_DATA(a), default: 0), const char *)
#define WF__T_CONST(a) \
	WF__READ_AS(a, WF__IS_DATA(a), const __typeof__(*WF__DATA(a)) *)
#define WF__T_VOID(a) WF__READ_AS(a, WF__IS_DATA(a), void *)
#define WF__T_CONST_VOID(a) WF__READ_AS(a, WF__IS_DATA(a), const void *)

/* 1 if fn takes the types of reading M, otherwise what comes last. */
#define WF__READS(R, fn, types, otherwise) \
	_Generic((fn), R (*) types: 1, default: otherwise)
#define WF__TYPES(n, M, ...) (WF__MAP##n(M, __VA_ARGS__))
#define WF__TAKES(R, fn, n, ...) \
	WF__READS(R, fn, WF__TYPES(n, WF__T_EXACT, __VA_ARGS__), \
	WF__READS(R, fn, WF__TYPES(n, WF__T_TEXT, __VA_ARGS__), \
	WF__READS(R, fn, WF__TYPES(n, WF__T_CONST, __VA_ARGS__), \
	WF__READS(R, fn, WF__TYPES(n, WF__T_VOID, __VA_ARGS__), \
	WF__READS(R, fn, WF__TYPES(n, WF__T_CONST_VOID, __VA_ARGS__), 0)))))

#define WF__CHECK0(R, fn) \
	_Static_assert(_Generic((fn), R (*)(void): 1, default: 0), \
	"weft: " #fn " is to be a function of no arguments that returns " #R)
#define WF__CHECKn(R, fn, n, ...) \
	_Static_assert(WF__TAKES(R, fn, n, __VA_ARGS__), \
	"weft: " #fn "(" #__VA_ARGS__ "): cast each argument to the exact " \
	"type of its parameter, such as (size_t)1; " #fn " returns " #R)

#define WF__SHAPEn(n, ...) WF__SHAPE(n, WF__CLASSES##n(__VA_ARGS__))
#define WF__WORDSn(n, ...) (uint64_t[]){ WF__MAP##n(WF__WORD, __VA_ARGS__) }

#else /* C++ */

extern "C++" {

template <class T> inline uint64_t
wf__word(T v)
{
	uint64_t w = 0;

	WF__STATIC_ASSERT(sizeof(T) <= sizeof(uint64_t),
	    "weft: what is no scalar goes by pointer");
	__builtin_memcpy(&w, &v, sizeof v);
	return w;
}
inline uint64_t wf__word(signed char v) { return (uint64_t)v; }
inline uint64_t wf__word(short v) { return (uint64_t)v; }
inline uint64_t wf__word(int v) { return (uint64_t)v; }
inline uint64_t wf__word(long v) { return (uint64_t)v; }
inline uint64_t wf__word(char v) { return (uint64_t)v; }

template <class T> struct wf__fp { static constexpr unsigned value = 0; };
template <> struct wf__fp<float> { static constexpr unsigned value = 1; };
template <> struct wf__fp<double> { static constexpr unsigned value = 1; };

template <class... P> constexpr unsigned
wf__classes()
{
	unsigned bits = 0, at = 0;

	((bits |= wf__fp<P>::value << at++), ...);
	(void)at;
	return bits;
}

template <class R, class V, class... P, class... A> inline auto
wf__call(const wf_site *site, V verb, R (*fn)(P...), A &&...args)
{
	WF__STATIC_ASSERT(sizeof...(P) <= 8, "weft: at most eight arguments");
	WF__STATIC_ASSERT(sizeof...(P) == sizeof...(A),
	    "weft: wrong number of arguments for this function");
	uint64_t words[sizeof...(P) + 1] = {
	    wf__word<P>(static_cast<P>(static_cast<A &&>(args)))..., 0 };

	return verb(site, (void (*)())fn,
	    WF__SHAPE(sizeof...(P), (wf__classes<P...>())), words);
}

#define WF__CALL(R, verb, x, ...) __extension__({ \
	static const struct wf_site wf__site = \
	    { __FILE__, WF__FIRST(__VA_ARGS__, 0), __LINE__ }; \
	wf__call<R>(&wf__site, [&](auto... wf__a) { \
		return verb(WF__ARGS x, wf__a...); }, __VA_ARGS__); })

} /* extern "C++" */

#endif

#endif
