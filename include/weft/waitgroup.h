/* SPDX-License-Identifier: MIT */
/*
 * weft/waitgroup.h - wait until a set of coroutines has ended.
 *
 *	wf_waitgroup wg = {0};
 *
 *	for (int id = 0; id < 3; id++)
 *		wf_waitgroup_spawn(&wg, work, id);
 *	wf_waitgroup_wait(&wg);
 *
 * A counter: wait returns when it is zero.  The zero value is ready to use; do
 * not copy one in use.  Any thread may call everything here.  When
 * wf_waitgroup_wait() returns, the group may go out of scope: no
 * wf_waitgroup_done() touches it after the one that released the waiters.
 *
 * Start a new round, from zero, only after every wait of the old round has
 * returned.  A negative counter is misuse: reported, then abort.
 */
#ifndef WEFT_WAITGROUP_H
#define WEFT_WAITGROUP_H

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

typedef struct wf_waitgroup {
	uintptr_t wf__private[6];
} wf_waitgroup;

/* Add n, which may be negative, to the counter.  Never blocks.  Adding from
 * zero must happen before the wait it is meant for. */
WF_API void wf_waitgroup_add(wf_waitgroup *wg, int n);

/* Take one from the counter.  Happens before the return of every wait that it
 * releases.  Never blocks. */
WF_API void wf_waitgroup_done(wf_waitgroup *wg);

/* Block until the counter is zero. */
WF_API void wf_waitgroup_wait(wf_waitgroup *wg);

/* The same, or until ctx is done: 0, or ctx's error (-ECANCELED, -ETIMEDOUT).
 * A zero counter wins over a done context. */
WF_API int wf_waitgroup_wait_ctx(wf_ctx *ctx, wf_waitgroup *wg);

/* int wf_waitgroup_spawn(wf_waitgroup *wg, fn, args...): see weft/coro.h. */

WF__END

#endif
