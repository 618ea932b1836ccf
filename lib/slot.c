/* SPDX-License-Identifier: MIT */
/*
 * slot.c - values of one's own for each coroutine.
 * Layer 2.  Uses: slot, coro, sched, alloc.
 *
 * The destructors are the process's: a slot exists once its number is below
 * made, and its destructor was written before that [slots].  The values are
 * the coroutine's: an array, allocated at the first set, that only the
 * coroutine itself touches.
 */
#include "slot.h"

#include <errno.h>

#include "alloc.h"
#include "fork.h"
#include "sched.h"

enum { ROUNDS = 4 };

static struct {
	struct wf__lock lock;		/* for making */
	wf__word made;			/* [slots] */
	void (*destroy[WF_SLOTS])(void *value);
} slots;

/* In the child of a fork: what was made is there, but nobody is making. */
void
wf__forget_slots(void)
{
	memset(&slots.lock, 0, sizeof slots.lock);
}

WF_API int
wf_slot_make(void (*destroy)(void *value))
{
	wf__word n;

	wf__lock(&slots.lock);
	/* Relaxed: written under the lock only. */
	n = wf__load_relaxed(&slots.made);
	if (n < WF_SLOTS) {
		slots.destroy[n] = destroy;
		wf__store_release(&slots.made, n + 1);		/* [slots] */
	}
	wf__unlock(&slots.lock);
	return n < WF_SLOTS ? (int)n : -EAGAIN;
}

static bool
exists(int slot)
{
	return slot >= 0 &&
	    (wf__word)slot < wf__load_acquire(&slots.made);	/* [slots] */
}

WF_API int
wf_slot_set(int slot, void *value)
{
	struct wf__worker *w = wf__self();
	struct wf__coro *me = w ? w->running : NULL;

	if (!me)
		return -EPERM;
	if (!exists(slot))
		return -EINVAL;
	if (!me->slots && value &&
	    !(me->slots = wf__alloc_object(WF_SLOTS * sizeof *me->slots)))
		return -ENOMEM;
	if (me->slots)
		me->slots[slot] = value;
	return 0;
}

WF_API void *
wf_slot_get(int slot)
{
	struct wf__worker *w = wf__self();
	struct wf__coro *me = w ? w->running : NULL;

	return me && me->slots && exists(slot) ? me->slots[slot] : NULL;
}

/* One call for each value; true if there was any. */
static bool
destroy_values(struct wf__coro *c)
{
	bool any = false;
	void *value;

	for (int i = 0; i < WF_SLOTS; i++) {
		if (!(value = c->slots[i]))
			continue;
		c->slots[i] = NULL;
		if (!slots.destroy[i])
			continue;
		slots.destroy[i](value);
		any = true;
	}
	return any;
}

void
wf__slot_end(struct wf__coro *c)
{
	for (int round = 0; round < ROUNDS && destroy_values(c); round++)
		continue;
	wf__free(c->slots, WF_SLOTS * sizeof *c->slots);
	c->slots = NULL;
}
