/* SPDX-License-Identifier: MIT */
/*
 * self.h - which worker the calling thread is.
 * Layer 1.  Uses: base.
 *
 * The only thread-local variable of weft stands in self.c, and is reached by
 * a call that the compiler can neither inline nor move: it must not keep the
 * variable's address over a switch, after which the same function runs on
 * another thread.  For the same reason nothing derived from the result may be
 * kept over a switch either: ask again.
 */
#ifndef WF__SELF_H
#define WF__SELF_H

#include "base.h"

struct wf__worker;

/* The worker that runs on this thread; NULL on a thread that is not weft's. */
struct wf__worker *wf__self(void);
void wf__self_set(struct wf__worker *w);

/* Where this thread's errno is now; see weft/errno.h. */
WF_API int *wf__errno_address(void);

#endif
