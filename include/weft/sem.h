/* SPDX-License-Identifier: MIT */
/*
 * weft/sem.h - a weighted semaphore: so many units, taken and given back.
 *
 *	static wf_sem memory = WF_SEM(64);		(MiB)
 *
 *	if (wf_sem_acquire_ctx(ctx, &memory, need) < 0)
 *		return;
 *	...
 *	wf_sem_release(&memory, need);
 *
 * Begin with WF_SEM(size) or wf_sem_init(); zero is a semaphore without units.
 * Do not copy one in use.  Any thread may call everything here.
 *
 * Units are given in the order of arrival: a request that does not fit yet is
 * not overtaken by later, smaller ones.  A release happens before the return
 * of each acquire that it makes possible.
 */
#ifndef WEFT_SEM_H
#define WEFT_SEM_H

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

typedef struct wf_sem {
	uintptr_t wf__size;
	uintptr_t wf__private[6];
} wf_sem;

/* The initial value of a semaphore of so many units, at most SIZE_MAX / 4. */
#ifndef __cplusplus
#define WF_SEM(size) { (size), { 0 } }
#else
#define WF_SEM(size) { (size), {} }
#endif

/* Make *s a semaphore of that size, all units free; nobody uses it yet. */
WF_API void wf_sem_init(wf_sem *s, size_t size);

/* Block until n units are free and nobody who came before waits, and take
 * them.  More than there are at all is misuse: reported, then abort. */
WF_API void wf_sem_acquire(wf_sem *s, size_t n);

/* The same at once: 0, or -EAGAIN.  Never blocks. */
WF_API int wf_sem_try_acquire(wf_sem *s, size_t n);

/* The same, or give up when ctx is done: 0, or ctx's error (-ECANCELED,
 * -ETIMEDOUT), -EINVAL if ctx is NULL.  Who asks for more than there are waits
 * for ctx only, and holds up nobody.  Free units win over a done context. */
WF_API int wf_sem_acquire_ctx(wf_ctx *ctx, wf_sem *s, size_t n);

/* Give n units back.  Never blocks.  More than are taken is misuse. */
WF_API void wf_sem_release(wf_sem *s, size_t n);

WF__END

#endif
