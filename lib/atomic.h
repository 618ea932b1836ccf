/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - the closed set of atomic operations, each named by its order.
 * Layer 0.  Uses: base; libatomic_ops, which nothing else includes.
 *
 * A wf__word is as wide as a pointer; a wf__word32 is what a futex waits on.
 * Both are touched by these verbs only.  acquire pairs with release at the
 * place that carries the same [tag].
 */
#ifndef WF__ATOMIC_H
#define WF__ATOMIC_H

#include <atomic_ops.h>

#include "base.h"

typedef AO_t wf__word;
typedef unsigned wf__word32;
typedef AO_TS_t wf__flag;	/* for test-and-set; zero is clear */

_Static_assert(sizeof(wf__word) == sizeof(void *), "a word holds a pointer");
_Static_assert(sizeof(wf__flag) == 1 && AO_TS_CLEAR == 0, "zero is clear");

static inline wf__word
wf__load_relaxed(const wf__word *p)
{
	return AO_load((const volatile AO_t *)p);
}

static inline wf__word
wf__load_acquire(const wf__word *p)
{
	return AO_load_acquire((const volatile AO_t *)p);
}

static inline void
wf__store_relaxed(wf__word *p, wf__word v)
{
	AO_store((volatile AO_t *)p, v);
}

static inline void
wf__store_release(wf__word *p, wf__word v)
{
	AO_store_release((volatile AO_t *)p, v);
}

static inline bool
wf__cas_acquire(wf__word *p, wf__word old, wf__word new)
{
	return AO_compare_and_swap_acquire((volatile AO_t *)p, old, new);
}

static inline bool
wf__cas_acq_rel(wf__word *p, wf__word old, wf__word new)
{
	return AO_compare_and_swap_full((volatile AO_t *)p, old, new);
}

/* Add n, return what was there before. */
static inline wf__word
wf__add_acq_rel(wf__word *p, wf__word n)
{
	return AO_fetch_and_add_full((volatile AO_t *)p, n);
}

/* The same where only the number matters: nothing is ordered by it. */
static inline wf__word
wf__add_relaxed(wf__word *p, wf__word n)
{
	return AO_fetch_and_add((volatile AO_t *)p, n);
}

static inline unsigned
wf__load32_acquire(const wf__word32 *p)
{
	return AO_int_load_acquire((const volatile unsigned *)p);
}

static inline void
wf__store32_release(wf__word32 *p, unsigned v)
{
	AO_int_store_release((volatile unsigned *)p, v);
}

/* Add n, return what was there before. */
static inline unsigned
wf__add32_acq_rel(wf__word32 *p, unsigned n)
{
	return AO_int_fetch_and_add_full((volatile unsigned *)p, n);
}

/* Set the flag; true if it was clear before. */
static inline bool
wf__flag_set_acquire(wf__flag *f)
{
	return AO_test_and_set_acquire((volatile AO_TS_t *)f) == AO_TS_CLEAR;
}

static inline void
wf__flag_clear_release(wf__flag *f)
{
	AO_CLEAR((volatile AO_TS_t *)f);
}

static inline bool
wf__flag_load_acquire(const wf__flag *f)
{
	return AO_char_load_acquire((const volatile unsigned char *)f);
}

/* Full fence.  A read-modify-write of a word of one's own, not a stand-alone
 * fence, because ThreadSanitizer does not see the latter. */
static inline void
wf__fence(void)
{
	wf__word own = 0;

	(void)AO_fetch_and_add_full((volatile AO_t *)&own, 1);
	__asm__ volatile("" ::: "memory");
}

/* Only a word's owner writes it; others may read it at any time. */
static inline void
wf__add_owned(wf__word *p, wf__word n)
{
	wf__store_relaxed(p, wf__load_relaxed(p) + n);
}

#endif
