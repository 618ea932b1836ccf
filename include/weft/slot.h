/* SPDX-License-Identifier: MIT */
/*
 * weft/slot.h - a value of its own for each coroutine.
 *
 *	static int request;		(= wf_slot_make(free), once)
 *
 *	wf_slot_set(request, strdup(id));
 *	...
 *	log_line(wf_slot_get(request), text);
 *
 * What thread-local variables are for threads: they stay with the coroutine
 * wherever it runs.  Slots are made once, for the life of the process.  None
 * of these calls blocks.
 */
#ifndef WEFT_SLOT_H
#define WEFT_SLOT_H

#include <weft/base.h>

WF__BEGIN

enum { WF_SLOTS = 32 };		/* as many as there can be */

/*
 * A new slot, empty in every coroutine: its number, or -EAGAIN if all are
 * taken.  When a coroutine ends with a value in it, destroy (which may be
 * NULL) is called with that value, in the coroutine, after its deferred calls
 * and before its waitgroup is told.  It may wait, and set slots again: then it
 * is called again, four times at most.  Any thread.
 */
WF_API int wf_slot_make(void (*destroy)(void *value));

/* Put a value into the calling coroutine's slot; the one before is the
 * caller's.  0, -EPERM outside of a coroutine, -EINVAL for a number that is no
 * slot, -ENOMEM. */
WF_API int wf_slot_set(int slot, void *value);

/* What is in the calling coroutine's slot; NULL if nothing is, or outside of
 * a coroutine. */
WF_API void *wf_slot_get(int slot);

WF__END

#endif
