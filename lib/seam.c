/* SPDX-License-Identifier: MIT */
/*
 * seam.c - the seam's table in normal builds and in CHAOS builds.
 * Layer 2.  Uses: seam, sched, park.
 */
#include "seam.h"

#include "park.h"
#include "sched.h"
#include "share.h"

#ifdef WEFT_CHAOS

/* One in four operations gives way first, by the shared queue, so that the
 * coroutine goes on on any worker. */
static void
chaos_migrate(void *arg)
{
	struct wf__coro *c = arg;
	struct wf__tasks one = { 0 };

	if (wf__coro_pinned(c)) {
		wf__share_push_pinned(wf__coro_pinned(c), &c->task);
		return;
	}
	wf__tasks_add(&one, &c->task);
	wf__share_push(&one);
}

static void
chaos_point(const char *what, uint64_t object)
{
	struct wf__worker *w = wf__self();
	struct wf__coro *me = w ? w->running : NULL;

	(void)what;
	(void)object;
	if (!me || wf__sched_random(w) % 4)
		return;
	wf__park_aside(w, chaos_migrate);
}

/* Any of the first few, not the first. */
static struct wf__task *
chaos_next(struct wf__worker *w)
{
	struct wf__task *t = wf__runq_pop(&w->queue), *other;

	if (t && wf__sched_random(w) % 2 &&
	    (other = wf__runq_pop(&w->queue))) {
		wf__share_push_last(w, t);
		t = other;
	}
	return t;
}

static const struct wf__seam chaos = {
	.next = chaos_next, .point = chaos_point
};

const struct wf__seam *wf__seam = &chaos;

#else

const struct wf__seam *wf__seam;

#endif
