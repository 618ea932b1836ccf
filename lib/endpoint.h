/* SPDX-License-Identifier: MIT */
/*
 * endpoint.h - a socket of weft's own: turns, deadlines, close.
 * Layer 6.  Uses: poller.
 *
 * What connections and listeners have in common.  An operation on one side is
 *
 *	enter		wait for the turn; closed, cancelled, too late?
 *	try, wait, try	...the system call; wait says whether to try again
 *	leave		the turn is the next one's
 *
 * so of each side one operation at a time is under way, and the descriptor is
 * not closed before the last one has left.
 */
#ifndef WF__ENDPOINT_H
#define WF__ENDPOINT_H

#include <weft/context.h>
#include "poller.h"

/* What is done with one, for stories and reports; by side. */
struct wf__endpoint_words {
	const char *does[2], *waits[2], *wants_turn[2];
	const char *changes, *closes, *wants_close;
};
extern const struct wf__endpoint_words wf__endpoint_conn, wf__endpoint_listener,
    wf__endpoint_dialing;

/* All under the pollee's lock. */
struct wf__endpoint {
	struct wf__pollee *pollee;	/* fixed */
	const struct wf__endpoint_words *words;
	int fd;				/* -1 once it is closed */
	bool closed;
	bool tells_end;			/* fixed: a short read says that there
					 * is nothing more just now */
	bool busy[2];			/* somebody has the turn */
	bool drained[2];		/* the last operation was a short
					 * read */
	unsigned users;			/* of the descriptor */
	int64_t deadline[2];
	struct wf__waitq turns[2], closer;
};

/* For a socket with O_NONBLOCK; 0 or -ENOMEM. */
int wf__endpoint_init(struct wf__endpoint *e, int fd, bool tells_end,
    const struct wf__endpoint_words *words);

/* 0, with the turn, and after a wait if a try would surely have blocked; or
 * -ESHUTDOWN, -ETIMEDOUT, the context's -errno. */
int wf__endpoint_enter(struct wf__endpoint *e, enum wf__side side,
    wf_ctx *ctx);
/* The call would block: 0 when it is worth a try. */
int wf__endpoint_wait(struct wf__endpoint *e, enum wf__side side, wf_ctx *ctx);
/* drained: it was a short read. */
void wf__endpoint_leave(struct wf__endpoint *e, enum wf__side side,
    bool drained);

/* Keep the descriptor open for a moment: it, or -ESHUTDOWN. */
int wf__endpoint_hold(struct wf__endpoint *e);
void wf__endpoint_release(struct wf__endpoint *e);

int wf__endpoint_set_deadline(struct wf__endpoint *e, unsigned sides,
    int64_t deadline);
int wf__endpoint_close(struct wf__endpoint *e);
/* Close it if need be; nobody else uses it. */
void wf__endpoint_end(struct wf__endpoint *e);

#endif
