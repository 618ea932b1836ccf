/* SPDX-License-Identifier: MIT */
/*
 * upstream.h - the servers behind the gateway, and the connections to them.
 *
 *	u = upstreams_next(&all);
 *	if (upstream_take(ctx, u, false, &conn, &used) == 0) {
 *		...
 *		upstream_give(u, conn, whether it can be used again);
 *	}
 *
 * There are never more connections to one of them than allowed; who asks
 * for one more waits.  Those that nobody uses are kept for a while.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <stdatomic.h>

#include <weft.h>

enum { UPSTREAMS = 64, IDLE_MAX = 256 };
#define CONNECT_TIME (2 * WF_SEC)	/* then it counts as not reached */
#define DOWN_TIME WF_SEC		/* others are preferred for so long */

struct upstream {
	const char *address;
	wf_sem room;			/* for connections in use */
	atomic_llong down_until;	/* it could not be reached */
	wf_mutex lock;			/* for the rest */
	int n_idle;
	struct {
		wf_conn *conn;
		int64_t since;
	} idle[IDLE_MAX];		/* the youngest last */
};

/* Given by the user: the addresses and n, connections, idle_time. */
struct upstreams {
	int n;
	size_t connections;		/* to each; at most IDLE_MAX */
	int64_t idle_time;		/* nanoseconds */
	atomic_uint turn;
	struct upstream all[UPSTREAMS];
};

void upstreams_open(struct upstreams *all);

/* Close what has been idle for too long, until ctx is done; then the rest. */
void upstreams_tend(struct upstreams *all, wf_ctx *ctx);

/* Whose turn it is, of those that could be reached a moment ago. */
struct upstream *upstreams_next(struct upstreams *all);

/* A connection, if it is to be fresh a new one: 0 or -errno.  *used: it is not
 * new, so the other side may have closed it. */
int upstream_take(wf_ctx *ctx, struct upstream *u, bool fresh,
    wf_conn **conn, bool *used);

/* Give it back, to be kept if it is good. */
void upstream_give(struct upstream *u, wf_conn *conn, bool good);

#endif
