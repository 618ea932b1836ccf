/* SPDX-License-Identifier: MIT */
/*
 * time.c - the clock and sleep.
 * Layer 4.  Uses: park, seam.
 */
#include <weft/time.h>

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

	wf__seam_point();
	if (ns <= 0)
		return;
	now = wf__seam_now();
	if (ns < WF_FOREVER - now)
		p.deadline = now + ns;
	me = wf__park_self(&spare);
	wf__park(me, &p);
}
