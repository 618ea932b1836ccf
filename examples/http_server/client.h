/* SPDX-License-Identifier: MIT */
/*
 * client.h - a connection that speaks HTTP: requests in, answers out.
 *
 *	static void
 *	hello(struct client *c)
 *	{
 *		reply_text(c, 200, "hello, world\n");
 *	}
 *	...
 *	static const struct route routes[] = {
 *		{ "/", "GET, HEAD", hello },
 *		{ 0 }
 *	};
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <time.h>

#include "http.h"
#include "server.h"

struct client;

struct route {
	const char *path;
	const char *methods;		/* as in the field Allow */
	void (*handle)(struct client *c);
};

/* What all connections have in common.  Times are in nanoseconds. */
struct service {
	const struct route *routes;	/* up to one without a path */
	const char *directory;		/* see directory.h */
	size_t body;			/* bytes of a request's body, at most */
	int64_t header_time;		/* for a head, from its first byte */
	int64_t body_time;		/* for a body, from its head */
	int64_t idle_time;		/* from an answer to the next request */
	int64_t write_time;		/* for each write */
};

enum {
	HEAD_MAX = 8192,		/* bytes of a request's head */
	IN_MAX = 2 * HEAD_MAX,
	REPLY_FIELDS = 512,		/* bytes of fields of an answer */
	OUT_MAX = 16384			/* answers collected in one write */
};

/* A connection and its present request.  It lives on the stack of the
 * connection's coroutine; only request, body and service are for handlers.
 * What each request needs stands together, before what is long. */
struct client {
	struct http_head request;
	struct http_text body;
	struct service *service;

	struct server *server;
	wf_conn *conn;
	wf_ctx *ctx;			/* of this request, once asked for */
	wf_waitgroup watching;		/* for the client to go */
	char *room;			/* of a body too long for in, or NULL */
	bool busy;			/* counted in server->requests */
	bool replied;
	bool keep;			/* the connection, after this request */
	bool broken;			/* nothing can be written any more */
	time_t second;			/* of the date */
	char date[40];			/* a field */
	size_t start, from, end;	/* see client.c */
	size_t out_size, fields_size;
	char fields[REPLY_FIELDS];
	char in[IN_MAX];
	char out[OUT_MAX];
};

/* To be the server's serve; its data is the service. */
void client_serve(struct server *s, wf_conn *conn);

/* ---- for handlers ---- */

/* The context of the present request: done when the handler has returned, when
 * the client has gone, or when the server cannot wait any longer.  Who waits
 * asks for it first: then the client is watched, and answers to earlier
 * requests are written. */
wf_ctx *client_ctx(struct client *c);

/* A field for the answer.  Before the answer. */
void reply_field(struct client *c, const char *name, const char *value);

/* The answer.  The first one counts; without one it is 500. */
void reply(struct client *c, int status, const char *type, const void *body,
    size_t size);
__attribute__((format(printf, 3, 4)))
void reply_text(struct client *c, int status, const char *format, ...);

/* An answer that says what the status means. */
void reply_error(struct client *c, int status);

/* The client may send the body. */
void reply_continue(struct client *c);

/* Write what has been answered so far. */
void reply_flush(struct client *c);

#endif
