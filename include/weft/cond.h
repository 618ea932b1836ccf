/* SPDX-License-Identifier: MIT */
/*
 * weft/cond.h - wait until something about shared data has changed.
 *
 *	wf_mutex_lock(&q->lock);
 *	while (q->n == 0)
 *		wf_cond_wait(&q->filled, &q->lock);
 *	take(q);
 *	wf_mutex_unlock(&q->lock);
 *
 * The zero value is ready to use; a copy of one in use is misuse: reported,
 * then abort.  Any thread may call everything here.
 *
 * A wait begins and unlocks the mutex in one step, and ends by a signal or
 * broadcast that came later, by its context, and by nothing else.  A signal is
 * for the one who has waited longest, and nobody who comes later can take it
 * from him.  The loop is needed all the same where others may change the data
 * between the signal and the return.
 *
 * A signal happens before the return of the wait it ends.  When a wait has
 * returned, signal and broadcast do not touch the condition on its behalf any
 * more.
 */
#ifndef WEFT_COND_H
#define WEFT_COND_H

#include <weft/base.h>
#include <weft/context.h>
#include <weft/mutex.h>

WF__BEGIN

typedef struct wf_cond {
	uintptr_t wf__private[7];
} wf_cond;

/* With the mutex locked: unlock it and wait for a signal; lock it again.  Not
 * locked is misuse. */
WF_API void wf_cond_wait(wf_cond *c, wf_mutex *m);

/* The same, or until ctx is done: 0, or ctx's error (-ECANCELED, -ETIMEDOUT),
 * -EINVAL if ctx is NULL.  The mutex is locked again in any case. */
WF_API int wf_cond_wait_ctx(wf_ctx *ctx, wf_cond *c, wf_mutex *m);

/* Wake the one who has waited longest, or all who wait.  The mutex may be
 * locked or not.  Never blocks.  Does nothing if nobody waits. */
WF_API void wf_cond_signal(wf_cond *c);
WF_API void wf_cond_broadcast(wf_cond *c);

WF__END

#endif
