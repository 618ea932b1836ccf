/* SPDX-License-Identifier: MIT */
/*
 * weft/mutex.h - one at a time.
 *
 *	static wf_mutex lock;
 *
 *	wf_mutex_lock(&lock);
 *	balance += amount;
 *	wf_mutex_unlock(&lock);
 *
 * The zero value is ready to use, unlocked; do not copy one in use.  Any
 * thread may call everything here, coroutines and plain threads on the same
 * mutex; who waits parks, and the thread runs other coroutines.  It may be
 * held across calls that wait.  A mutex has no owner: another coroutine or
 * thread than the one that locked it may unlock it.  Locking it twice is
 * a deadlock.
 *
 * Whoever comes while it is free gets it, also before others that wait; but
 * who has waited for a millisecond is given it next, in the order of arrival.
 *
 * An unlock happens before the return of each lock after it, and does not touch
 * the mutex once the next one may have it: so the last user may free it.
 */
#ifndef WEFT_MUTEX_H
#define WEFT_MUTEX_H

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

typedef struct wf_mutex {
	uintptr_t wf__private[6];
} wf_mutex;

/* Block until the mutex is free, and lock it. */
WF_API void wf_mutex_lock(wf_mutex *m);

/* Lock it if it is free: 0, or -EAGAIN.  Never blocks. */
WF_API int wf_mutex_try_lock(wf_mutex *m);

/* Lock it, or give up when ctx is done: 0, or ctx's error (-ECANCELED,
 * -ETIMEDOUT), -EINVAL if ctx is NULL.  A free mutex wins over a done
 * context. */
WF_API int wf_mutex_lock_ctx(wf_ctx *ctx, wf_mutex *m);

/* Unlock it.  Never blocks.  Unlocking one that is not locked is misuse:
 * reported, then abort. */
WF_API void wf_mutex_unlock(wf_mutex *m);

WF__END

#endif
