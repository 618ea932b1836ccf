/* SPDX-License-Identifier: MIT */
/*
 * time.c - the clock and sleep.
 * Layer 4.  Uses: select, park, seam.
 */
#include <weft/time.h>

#include <errno.h>

#include <weft/select.h>
#include "park.h"
#include "seam.h"

WF_API int64_t
wf_now(void)
{
	return wf__seam_now();
}

WF_API void
wf_sleep(int64_t ns)
{
	struct wf__parking p = { NULL, NULL, WF_FOREVER, 1, "asleep", 0 };
	struct wf__task spare, *me;
	int64_t now;

	wf__seam_point_at("sleeps", WF__NOTHING);
	if (ns <= 0)
		return;
	now = wf__seam_now();
	if (ns < WF_FOREVER - now)
		p.deadline = now + ns;
	me = wf__park_self(&spare);
	wf__park(me, &p);
}

WF_API int
wf_sleep_ctx(wf_ctx *ctx, int64_t ns)
{
	if (!ctx)
		return -EINVAL;
	if (wf_select_ordered(wf_on_done(ctx), wf_on_timeout(ns)) == 0)
		return wf_ctx_err(ctx);
	return 0;
}
