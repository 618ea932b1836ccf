/* SPDX-License-Identifier: MIT */
/*
 * server.c - the hub for clients on the network.
 *
 *	serve(): lines --hub_say()--> hub_run() --inbox--> write_out()
 *
 * Two coroutines for each client: one reads his lines and says them, one
 * writes to him what comes out of his inbox.  Who reads nothing holds up the
 * second one only.  His inbox fills and messages are dropped for him; when one
 * write has taken all of our patience he is cut off.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <weft.h>

#include "hub.h"

enum { SEND_BUFFER = 16 * 1024 };	/* more would only hide the sleepers */

struct server {
	wf_ctx *ctx;			/* done: the end */
	struct hub *hub;
	wf_waitgroup clients;
	size_t room;			/* in an inbox */
	int64_t patience;		/* in ns: with a write */
};

/* ---- lines in ---- */

struct lines {
	wf_ctx *ctx;
	wf_conn *conn;
	char data[512];
	size_t begin, end;		/* of what has been read, not taken */
};

/* Take a line of so many bytes with its end: a text that is fit to print. */
static char *
take(struct lines *l, size_t size)
{
	char *line = l->data + l->begin, *end = line + size - 1;

	l->begin += size;
	if (end > line && end[-1] == '\r')
		end--;
	*end = '\0';
	for (char *c = line; c < end; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	return line;
}

/* The next line, which holds until the next call; one that does not fit comes
 * in parts.  NULL at the end. */
static char *
next_line(struct lines *l)
{
	char *newline;
	ssize_t n;

	while (!(newline = memchr(l->data + l->begin, '\n',
	    l->end - l->begin))) {
		memmove(l->data, l->data + l->begin, l->end - l->begin);
		l->end -= l->begin;
		l->begin = 0;
		if (l->end == sizeof l->data - 1)
			return take(l, ++l->end);	/* for the zero */
		n = wf_conn_read(l->ctx, l->conn, l->data + l->end,
		    sizeof l->data - 1 - l->end);
		if (n <= 0)
			return NULL;
		l->end += (size_t)n;
	}
	return take(l, (size_t)(newline + 1 - (l->data + l->begin)));
}

/* ---- messages out ---- */

/* As many messages as there are and fit, as text: its size. */
static size_t
gather(struct hub_client *c, struct hub_message *m, char *text, size_t size)
{
	size_t used = 0;

	do
		used += (size_t)snprintf(text + used, size - used,
		    "<%s> %s\n", m->from, m->text);
	while (size - used > sizeof *m + 8 && wf_try_recv(c->inbox, m) == 1);
	return used;
}

/* Until he has left.  If he cannot be written to, his reads end, too. */
static void
write_out(struct server *s, struct hub_client *c, wf_conn *conn)
{
	char text[4096];
	struct hub_message m;

	while (wf_recv(c->inbox, &m)) {
		size_t size = gather(c, &m, text, sizeof text);

		wf_conn_set_write_deadline(conn, wf_now() + s->patience);
		if (wf_conn_write(s->ctx, conn, text, size) != (ssize_t)size)
			wf_conn_close(conn);
	}
}

/* ---- clients ---- */

/* Say his lines until he goes. */
static void
say_all(struct server *s, struct hub_client *c, struct lines *l)
{
	char *line;

	while ((line = next_line(l)))
		if (*line && hub_say(s->hub, c, line) < 0)
			break;
}

static void
take_part(struct server *s, struct hub_client *c, struct lines *l)
{
	wf_waitgroup writing = {0};

	if (wf_waitgroup_spawn(&writing, write_out, s, c, l->conn) < 0)
		wf_conn_close(l->conn);		/* no memory */
	else
		say_all(s, c, l);
	hub_leave(s->hub, c);
	wf_waitgroup_wait(&writing);
	while (wf_recv(c->inbox, NULL))
		;				/* closed: the hub is done */
}

/* His name is the first line. */
static void
serve(struct server *s, wf_conn *conn)
{
	struct lines l = { .ctx = s->ctx, .conn = conn };
	int size = SEND_BUFFER;
	struct hub_client *c = NULL;
	char *name;

	setsockopt(wf_conn_fd(conn), SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof size);
	if ((name = next_line(&l)) && *name)
		c = hub_client_make(name, s->room);
	if (c && hub_join(s->hub, c) > 0)
		take_part(s, c, &l);
	hub_client_free(c);
	wf_conn_free(conn);
}

/* Without descriptors the clients wait in the queue, and we for some.  It is
 * said once a minute. */
static void
accept_clients(struct server *s, wf_listener *listener)
{
	int64_t pause = 0, said = wf_now() - 61 * WF_SEC;
	wf_conn *conn;
	int err;

	while ((err = wf_listener_accept(s->ctx, listener, &conn)) !=
	    -ECANCELED) {
		if (!err && wf_waitgroup_spawn(&s->clients, serve, s,
		    conn) < 0) {
			wf_conn_free(conn);
			err = -ENOMEM;
		}
		if (!err) {
			pause = 0;
			continue;
		}
		if (wf_now() - said > 60 * WF_SEC) {
			printf("* no new clients for now: %s\n",
			    strerror(-err));
			said = wf_now();
		}
		pause = !pause ? 5 * WF_MS : pause < WF_SEC ? 2 * pause :
		    WF_SEC;
		wf_sleep_ctx(s->ctx, pause);
	}
}

/* ---- start, stop ---- */

/* A signal ends all; so does the end of all. */
static void
wait_for_signal(struct server *s, wf_chan(int) signals)
{
	wf_select(wf_on_recv(signals, NULL), wf_on_done(s->ctx));
	wf_ctx_cancel(s->ctx);
}

static int
start(struct server *s, wf_waitgroup *running, wf_chan(int) signals)
{
	int err;

	if (!s->hub || !signals)
		return -ENOMEM;
	if ((err = wf_signal_notify(signals, SIGINT)) ||
	    (err = wf_signal_notify(signals, SIGTERM)) ||
	    (err = wf_waitgroup_spawn(running, hub_run, s->hub)) ||
	    (err = wf_waitgroup_spawn(running, wait_for_signal, s, signals)))
		return err;
	return 0;
}

static int
run(struct server *s, wf_listener *listener)
{
	wf_chan(int) signals = wf_chan_make(int, 1);
	wf_waitgroup running = {0};
	char address[WF_ADDRESS_TEXT];
	int err = start(s, &running, signals);

	if (!err) {
		wf_listener_address(listener, address, sizeof address);
		printf("* listening on %s\n", address);
		accept_clients(s, listener);
	} else
		fprintf(stderr, "hub: %s\n", strerror(-err));
	wf_ctx_cancel(s->ctx);
	wf_waitgroup_wait(&running);
	wf_waitgroup_wait(&s->clients);
	if (signals)
		wf_signal_stop(signals);
	wf_chan_free(signals);
	return err;
}

int
server_run(const char *address, int room, int patience)
{
	struct server s = { .room = (size_t)room,
	    .patience = patience * WF_SEC };
	wf_listener *listener;
	int err = wf_listen(wf_ctx_background(), "tcp", address, &listener);

	if (err) {
		fprintf(stderr, "hub: %s: %s\n", address, strerror(-err));
		return err;
	}
	s.ctx = wf_ctx_with_cancel(wf_ctx_background());
	s.hub = hub_make(s.ctx);
	err = run(&s, listener);
	hub_free(s.hub);
	wf_ctx_free(s.ctx);
	wf_listener_free(listener);
	return err;
}
