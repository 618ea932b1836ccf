/* SPDX-License-Identifier: MIT */
/*
 * search.h - a worker looks for work elsewhere.
 * Layer 2.  Uses: sched.
 */
#ifndef WF__SEARCH_H
#define WF__SEARCH_H

#include "sched.h"

/* w has nothing left: true if its queue has something now.  timed: all it has
 * done since its last sleep was what its timers asked for. */
bool wf__search_for_work(struct wf__worker *w, bool timed);
/* w has work, and perhaps the token: give that back, and let another worker
 * search if there is more to do. */
void wf__search_over(struct wf__worker *w);

#endif
