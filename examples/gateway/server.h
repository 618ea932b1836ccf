/* SPDX-License-Identifier: MIT */
/*
 * server.h - accept clients, a coroutine for each, and end well.
 *
 *	struct server s = { .name = "echo", .connections = 1000,
 *	    .grace = 10 * WF_SEC, .serve = echo };
 *
 *	if (server_open(&s, "127.0.0.1:8080") == 0)
 *		wf_waitgroup_spawn(&s.running, server_run, &s);
 *	...
 *	server_close(&s);
 *
 * It knows nothing of what is spoken.  A coroutine reads its next request in
 * s->open, and does everything else in s->work.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdatomic.h>

#include <weft.h>

struct server {
	/* Given by the user. */
	const char *name;		/* of the program, for messages */
	size_t connections;		/* at most, at the same time */
	int64_t grace;			/* for running requests, at the end;
					 * nanoseconds */
	void (*serve)(struct server *s, wf_conn *conn);
	void *data;			/* for serve */

	char address[WF_ADDRESS_TEXT];	/* where it listens */
	wf_listener *listener;
	wf_ctx *open;			/* done: no new requests */
	wf_ctx *work;			/* done: the end of all */
	wf_sem room;			/* for connections */
	wf_waitgroup running;		/* server_run() */
	wf_waitgroup clients;
	atomic_long requests;		/* that run: counted by serve */
};

/* Listen: 0 or -errno. */
int server_open(struct server *s, const char *address);

/* Accept clients until the server is closed.  A connection is freed when serve
 * returns.  To be spawned in s->running, for which server_close() waits. */
void server_run(struct server *s);

/* For serve: wait for the first bytes of a request, at most for idle_time: how
 * many; 0 or -errno when none will come.  What has arrived when the server
 * closes is still to be served. */
ssize_t server_await(struct server *s, wf_conn *conn, int64_t idle_time,
    void *buf, size_t n);

/* For serve: after the last answer, if the client may still send. */
void server_linger(struct server *s, wf_conn *conn);

/* Take no more requests, let those that run end within the grace time, then
 * cancel them: how many had to be. */
long server_close(struct server *s);

#endif
