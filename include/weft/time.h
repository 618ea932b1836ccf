/* SPDX-License-Identifier: MIT */
/*
 * weft/time.h - the clock, durations and sleep.
 *
 *	int64_t t = wf_now();
 *	wf_sleep(100 * WF_MS);
 *	printf("%lld ms\n", (long long)((wf_now() - t) / WF_MS));
 *
 * Times and durations are int64_t nanoseconds of the monotonic clock: setting
 * the wall clock changes nothing.  Any thread may call everything here.
 */
#ifndef WEFT_TIME_H
#define WEFT_TIME_H

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

#define WF_NS INT64_C(1)
#define WF_US (1000 * WF_NS)
#define WF_MS (1000 * WF_US)
#define WF_SEC (1000 * WF_MS)

/* Never: as a duration or a deadline, waits without limit. */
#define WF_FOREVER INT64_MAX

/* The monotonic time, in nanoseconds.  Never blocks. */
WF_API int64_t wf_now(void);

/*
 * Sleep for at least ns nanoseconds, never less, also when signals arrive.
 * Zero or less returns at once; WF_FOREVER sleeps for ever.  Blocks the
 * calling coroutine, or the calling thread outside of one.
 */
WF_API void wf_sleep(int64_t ns);

/* The same, but no longer than until ctx is done, and not at all if it is done
 * already: 0, or its error (-ECANCELED, -ETIMEDOUT); -EINVAL for NULL. */
WF_API int wf_sleep_ctx(wf_ctx *ctx, int64_t ns);

WF__END

#endif
