/* SPDX-License-Identifier: MIT */
/*
 * session.c - a client: read, run what has come, reply, again.
 *
 * As many requests as one read brings are run in a row, and their replies
 * written at once.
 */
#include "session.h"

#include <stdio.h>

#include "commands.h"

enum { REPLIES = 64 * 1024 };		/* are sent, though there are more */

bool
session_flush(struct session *s)
{
	struct server *server = s->server;
	bool good = !s->out.failed;

	/* A change that is not safe is not answered: who asked cannot know. */
	if (s->logged && log_settle(server->log, s->logged) < 0)
		good = false;
	if (good && s->out.used > 0 && s->subscriber)
		subscriber_put(s->subscriber, s->out.data, s->out.used);
	else if (good && s->out.used > 0)
		good = wf_conn_write(server->ends, s->conn, s->out.data,
		    s->out.used) == (ssize_t)s->out.used;
	s->logged = 0;
	s->now = store_now();
	buffer_clear(&s->out);
	return good;
}

bool
session_subscribe(struct session *s)
{
	if (s->subscriber)
		return true;
	if (!session_flush(s))		/* from now on by way of the outbox */
		return false;
	s->subscriber = subscriber_make(s->server->stops, s->conn);
	return s->subscriber != NULL;
}

static bool
read_some(struct session *s)
{
	wf_ctx *ctx = s->subscriber ? s->subscriber->ctx : s->server->stops;
	size_t room;
	char *to = reader_room(&s->in, &room);
	ssize_t n = to ? wf_conn_read(ctx, s->conn, to, room) : -1;

	if (n <= 0)
		return false;
	s->in.in.used += (size_t)n;
	if ((size_t)n == room)
		wf_yield();		/* there is more: others first */
	return true;
}

/* Run the requests that have been read whole, and reply. */
static bool
run_batch(struct session *s)
{
	int64_t n = 0;
	int got = 0;

	s->now = store_now();
	while (!s->quit && (got = reader_next(&s->in)) > 0) {
		n++;
		command_run(s, s->in.args, s->in.argc);
		if (s->out.used > REPLIES && !session_flush(s))
			return false;
	}
	atomic_fetch_add_explicit(&s->server->commands, n,
	    memory_order_relaxed);
	if (got < 0) {
		resp_error(&s->out, "ERR Protocol error: %s", s->in.error);
		s->quit = true;
	}
	return session_flush(s) && !s->quit;
}

/* An outbox that ran over is the client's own doing, and worth a line. */
static void
leave(struct session *s)
{
	struct subscriber *who = s->subscriber;
	char address[WF_ADDRESS_TEXT];

	pubsub_leave(s->server->pubsub, who);	/* nobody puts any more */
	if (who->over && wf_conn_remote_address(s->conn, address,
	    sizeof address) == 0)
		fprintf(stderr, "kv_server: %s does not read what it has "
		    "subscribed to: closed\n", address);
	subscriber_free(who);
}

void
session_run(struct server *server, wf_conn *conn)
{
	struct session s = { .server = server, .conn = conn };

	while (read_some(&s) && run_batch(&s))
		;
	if (s.subscriber)
		leave(&s);
	wf_conn_free(conn);
	reader_free(&s.in);
	buffer_free(&s.out);
	atomic_fetch_sub_explicit(&server->clients, 1, memory_order_relaxed);
}
