/* SPDX-License-Identifier: MIT */
/*
 * weft/blocking.h - calls that block their thread.
 *
 *	wf_blocking {
 *		err = sqlite3_step(statement);
 *	}
 *
 * A coroutine may call anything, also what makes its thread sleep in the
 * kernel: after some 10 ms weft notices, and a stand-in takes up the work of
 * that thread.  A region says it in advance, so that the others do not wait
 * even so long.  Use it where a call may take longer than some 50
 * microseconds: files, databases, other people's locks.
 *
 * Inside, nothing of weft that waits may be called.  The region ends with its
 * block, by return, break or goto out of it, and by wf_exit().  Regions may
 * nest.  Outside of a coroutine it is just a block.
 */
#ifndef WEFT_BLOCKING_H
#define WEFT_BLOCKING_H

#include <weft/base.h>

WF__BEGIN

/* The two ends of a region, for other languages.  errno stays as it is.
 * Entering costs some 50 ns, and a few microseconds when another thread has to
 * be woken; neither waits for others. */
WF_API void wf_blocking_enter(void);
WF_API void wf_blocking_leave(void);

static inline bool
wf__blocking_begin(void)
{
	wf_blocking_enter();
	return true;
}

static inline void
wf__blocking_end(bool *once)
{
	(void)once;
	wf_blocking_leave();
}

WF__END

/* wf_blocking { ... } */
#ifndef __cplusplus
#define wf_blocking WF__BLOCKING(WF__CAT(wf__region_, __LINE__))
#define WF__BLOCKING(once) \
	for (bool once __attribute__((cleanup(wf__blocking_end))) = \
	    wf__blocking_begin(); once; once = false)
#else
struct wf__region {
	bool once;

	wf__region() : once(wf__blocking_begin()) {}
	~wf__region() { wf_blocking_leave(); }
	wf__region(const wf__region &) = delete;
};
#define wf_blocking WF__BLOCKING(WF__CAT(wf__region_, __LINE__))
#define WF__BLOCKING(region) \
	for (wf__region region; region.once; region.once = false)
#endif

#endif
