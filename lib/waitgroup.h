/* SPDX-License-Identifier: MIT */
/*
 * waitgroup.h - a waitgroup from inside, for coroutines that end.
 * Layer 3.  Uses: nothing.
 */
#ifndef WF__WAITGROUP_H
#define WF__WAITGROUP_H

#include <weft/waitgroup.h>

/* Add n without giving way before it: the caller may have ended already, as
 * far as anybody can tell. */
void wf__waitgroup_add(wf_waitgroup *wg, int n);

#endif
