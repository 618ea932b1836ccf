/* SPDX-License-Identifier: MIT */
/*
 * weft/rwmutex.h - many readers, or one writer.
 *
 *	static wf_rwmutex lock;
 *
 *	wf_rwmutex_read_lock(&lock);
 *	price = table[item];
 *	wf_rwmutex_read_unlock(&lock);
 *
 * The zero value is ready to use, unlocked; do not copy one in use.  Any
 * thread may call everything here; who waits parks.  It has no owner: another
 * coroutine or thread may unlock what one has locked.
 *
 * A writer that waits for readers holds off new ones: a reader that locks
 * again for reading may deadlock.  When a writer unlocks, the readers that have
 * queued up meanwhile go before the next writer.  Among writers whoever comes
 * while it is free gets it, also before others that wait for another writer;
 * but who has waited for a millisecond is given it next, in the order of
 * arrival.  There is no way to turn a read lock into a write lock.
 *
 * When readers on different workers meet at the lock often enough, each notes
 * its locks apart, and they touch no common cache line any more.  The next
 * write then costs some microseconds for each worker, and ends that.
 *
 * An unlock happens before the return of each lock that it makes possible, and
 * does not touch the lock once another one may have it: so the last user may
 * free it.
 */
#ifndef WEFT_RWMUTEX_H
#define WEFT_RWMUTEX_H

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

typedef struct wf_rwmutex {
	uintptr_t wf__private[10];
} wf_rwmutex;

/*
 * Lock for writing: block until nobody has it; or only if nobody has it (0, or
 * -EAGAIN; never blocks); or give up when ctx is done (0, or ctx's error,
 * -EINVAL if ctx is NULL; a free lock wins over a done context).
 */
WF_API void wf_rwmutex_lock(wf_rwmutex *rw);
WF_API int wf_rwmutex_try_lock(wf_rwmutex *rw);
WF_API int wf_rwmutex_lock_ctx(wf_ctx *ctx, wf_rwmutex *rw);

/* Never blocks.  Without a write lock it is misuse: reported, then abort. */
WF_API void wf_rwmutex_unlock(wf_rwmutex *rw);

/* The same for reading: until no writer has it or waits for it. */
WF_API void wf_rwmutex_read_lock(wf_rwmutex *rw);
WF_API int wf_rwmutex_try_read_lock(wf_rwmutex *rw);
WF_API int wf_rwmutex_read_lock_ctx(wf_ctx *ctx, wf_rwmutex *rw);

/* Never blocks.  Without a read lock it is misuse: reported, then abort. */
WF_API void wf_rwmutex_read_unlock(wf_rwmutex *rw);

WF__END

#endif
