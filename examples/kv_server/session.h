/* SPDX-License-Identifier: MIT */
/*
 * session.h - the server, and one client's session in it.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdatomic.h>
#include <weft.h>

#include "log.h"
#include "pubsub.h"
#include "resp.h"
#include "store.h"

struct options {
	const char *address, *log;	/* log: NULL for none */
	int port, clients;		/* clients: at most so many */
	enum log_policy policy;
};

struct server {
	const struct options *options;
	struct store *store;
	struct log *log;		/* NULL: none, or being replayed */
	struct pubsub *pubsub;
	wf_ctx *stops;			/* done: no more requests */
	wf_ctx *ends;			/* its parent; done: no more replies */
	wf_waitgroup sessions, background;
	atomic_bool rewriting;
	int64_t started;		/* by wf_now() */

	/* What INFO tells; relaxed, for nothing hangs on them. */
	_Atomic int64_t clients, connections, commands;
};

/* What a command works on. */
struct session {
	struct server *server;
	wf_conn *conn;
	struct reader in;
	struct buffer out;
	struct subscriber *subscriber;	/* NULL until it subscribes */
	const struct command *command;	/* the request that is run */
	struct arg *args;
	int argc;
	int64_t now;			/* store_now(), or 0 in a replay */
	uint64_t logged;		/* to be settled before the reply */
	bool quit;
};

/* Serve a client, which is the coroutine's from now on, to its end. */
void session_run(struct server *server, wf_conn *conn);

/* Send the replies so far.  False: the client has gone, or is to go. */
bool session_flush(struct session *s);

/* From now on the session has a subscriber.  False: no memory. */
bool session_subscribe(struct session *s);

#endif
