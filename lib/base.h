/* SPDX-License-Identifier: MIT */
/*
 * base.h - attributes, assertion tiers and constants used everywhere.
 * Layer 0.  Uses: nothing.
 */
#ifndef WF__BASE_H
#define WF__BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <weft/base.h>

#define wf__likely(e) __builtin_expect(!!(e), 1)
#define wf__unlikely(e) __builtin_expect(!!(e), 0)
#define wf__container_of(p, T, field) \
	((T *)(void *)((char *)(p) - offsetof(T, field)))
#define wf__countof(a) (sizeof(a) / sizeof *(a))

#define WF__NOINLINE __attribute__((noinline))
#define WF__INLINE inline __attribute__((always_inline))
/* Likewise one that other files call, where all are compiled as one.  (Clang
 * says that inline wants no static functions in it, and gcc wants inline.) */
#ifdef __clang__
#define WF__INLINE_SHARED __attribute__((always_inline))
#else
#define WF__INLINE_SHARED WF__INLINE
#endif
#define WF__ALIGNED(n) __attribute__((aligned(n)))
#define WF__LINE 64		/* bytes in a cache line */

/* Which register switch this CPU has (lib/arch). */
#if defined __x86_64__ && !defined WEFT_UCONTEXT
#define WF__ARCH_X86_64 1
#else
#define WF__ARCH_UCONTEXT 1
#endif

static inline void
wf__pause(void)
{
#if defined __x86_64__
	__builtin_ia32_pause();
#elif defined __aarch64__
	__asm__ volatile("isb" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

/*
 * Assertion tiers.  wf__assert() states what the code beneath relies on and
 * is free in release builds; CHECK builds (-DWEFT_CHECK) verify it, and run
 * the invariant walkers (wf__x_check()) as well.
 */
#ifdef WEFT_CHECK
#define WF__CHECKING 1
#define wf__assert(e) \
	((e) ? (void)0 : wf__assert_failed(#e, __FILE__, __LINE__))
#else
#define WF__CHECKING 0
#define wf__assert(e) ((void)sizeof(!(e)))
#endif
WF__NORETURN void wf__assert_failed(const char *what, const char *file,
    int line);

#endif
