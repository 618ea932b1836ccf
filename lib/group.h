/* SPDX-License-Identifier: MIT */
/*
 * group.h - a group from inside, for children that end.
 * Layer 5.  Uses: nothing.
 */
#ifndef WF__GROUP_H
#define WF__GROUP_H

#include <weft/group.h>

/* A child of g, spawned at site, has ended with this result.  Never parks: it
 * has ended already, as far as anybody can tell. */
void wf__group_ended(wf_group *g, const struct wf_site *site, int result);

#endif
