/* SPDX-License-Identifier: MIT */
/*
 * share.h - tasks between workers: the shared queue, inboxes of pinned ones,
 * and starts that wait for a stack.
 * Layer 2.  Uses: sched.
 */
#ifndef WF__SHARE_H
#define WF__SHARE_H

#include "sched.h"

/* Make a task run: by w's next slot, w's ring, the shared queue (any thread,
 * a whole list), or only by the worker that it is pinned to. */
void wf__share_push_next(struct wf__worker *w, struct wf__task *t);
void wf__share_push_last(struct wf__worker *w, struct wf__task *t);
void wf__share_push(struct wf__tasks *list);
void wf__share_push_pinned(struct wf__worker *owner, struct wf__task *t);

/* The same for very many coroutines, at once; the list is empty then. */
void wf__share_push_crowd(struct wf__crowd *c);

/* A list into w's ring, without waking anybody for it. */
void wf__share_push_list(struct wf__worker *w, struct wf__tasks *list);
/* A fair share of the shared queue into w's ring; true if there was any. */
bool wf__share_take(struct wf__worker *w);
/* A pinned task whose turn it is, or NULL. */
struct wf__task *wf__share_take_pinned(struct wf__worker *w);

/* The coroutine for a task that was picked; NULL if it must wait for a stack
 * (it was put aside then). */
struct wf__coro *wf__share_embody(struct wf__worker *w, struct wf__task *t);
/* Those that were put aside try again. */
void wf__share_retry_starved(void);

#endif
