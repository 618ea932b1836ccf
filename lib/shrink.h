/* SPDX-License-Identifier: MIT */
/*
 * shrink.h - a failing schedule made short.
 * Layer 7.  Uses: choice.
 */
#ifndef WF__SHRINK_H
#define WF__SHRINK_H

#include "choice.h"

/* Leave out deviations of a plain recipe as long as it fails in the same way,
 * until none can be left out alone.
 * fails() plays a recipe, and replaces its deviations, if it fails, by those
 * that were made.  False without memory. */
bool wf__shrink(struct wf__recipe *r, bool (*fails)(struct wf__recipe *r));

#endif
