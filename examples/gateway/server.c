/* SPDX-License-Identifier: MIT */
/*
 * server.c - accept clients, as many as there is room for, and end well.
 *
 * Two contexts do all of the ending.  Who waits for a new client or a new
 * request waits in open; all other waits are in work.  So server_close()
 * needs no list of connections: when open is done the idle ones end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server.h"

enum { LINGER_MAX = 1 << 20 };		/* bytes thrown away at an end */

int
server_open(struct server *s, const char *address)
{
	int err = wf_listen(wf_ctx_background(), "tcp", address, &s->listener);

	if (err)
		return err;
	wf_listener_address(s->listener, s->address, sizeof s->address);
	wf_sem_init(&s->room, s->connections);
	s->work = wf_ctx_with_cancel(wf_ctx_background());
	s->open = wf_ctx_with_cancel(s->work);
	return wf_ctx_err(s->open);
}

static void
serve(struct server *s, wf_conn *conn)
{
	s->serve(s, conn);
	wf_conn_free(conn);
	wf_sem_release(&s->room, 1);
}

/* Take the next client and start its coroutine. */
static int
welcome(struct server *s)
{
	struct wf_attr attr = { .waitgroup = &s->clients };
	wf_conn *conn;
	int err = wf_listener_accept(s->open, s->listener, &conn);

	if (err)
		return err;
	err = wf_spawn_with(&attr, serve, s, conn);
	if (err)
		wf_conn_free(conn);
	return err;
}

/* There is no descriptor or no memory left: let others end, for 5 ms, twice as
 * long each time, up to a second.  It is said once a minute. */
static void
back_off(struct server *s, int err, int64_t *pause, int64_t *said)
{
	int64_t now = wf_now();

	if (now - *said > 60 * WF_SEC) {
		fprintf(stderr, "%s: cannot take clients for now: %s\n",
		    s->name, strerror(-err));
		*said = now;
	}
	*pause = !*pause ? 5 * WF_MS :
	    *pause < WF_SEC / 2 ? 2 * *pause : WF_SEC;
	wf_sleep_ctx(s->open, *pause);
}

void
server_run(struct server *s)
{
	int64_t pause = 0, said = wf_now() - 61 * WF_SEC;
	int err;

	while (wf_sem_acquire_ctx(s->open, &s->room, 1) == 0) {
		err = welcome(s);
		if (!err) {
			pause = 0;
			continue;
		}
		wf_sem_release(&s->room, 1);
		if (wf_ctx_err(s->open))
			break;
		back_off(s, err, &pause, &said);
	}
}

ssize_t
server_await(struct server *s, wf_conn *conn, int64_t idle_time, void *buf,
    size_t n)
{
	ssize_t got;

	wf_conn_set_read_deadline(conn, wf_now() + idle_time);
	got = wf_conn_read(s->open, conn, buf, n);
	return got == -ECANCELED ?
	    recv(wf_conn_fd(conn), buf, n, MSG_DONTWAIT) : got;
}

/* Were the connection closed while the client sends, the answer could be lost
 * on its way.  So only our half is, and the rest read for a second. */
void
server_linger(struct server *s, wf_conn *conn)
{
	size_t left = LINGER_MAX;
	char rest[4096];
	ssize_t n;

	wf_conn_close_write(conn);
	wf_conn_set_read_deadline(conn, wf_now() + WF_SEC);
	while (left > sizeof rest &&
	    (n = wf_conn_read(s->open, conn, rest, sizeof rest)) > 0)
		left -= (size_t)n;
}

long
server_close(struct server *s)
{
	wf_ctx *grace = wf_ctx_with_timeout(s->work, s->grace);
	long left = 0;

	wf_ctx_cancel(s->open);
	wf_waitgroup_wait(&s->running);
	wf_listener_free(s->listener);
	if (wf_waitgroup_wait_ctx(grace, &s->clients) < 0)
		left = atomic_load(&s->requests);
	wf_ctx_cancel(s->work);
	wf_waitgroup_wait(&s->clients);
	wf_ctx_free(grace);
	wf_ctx_free(s->open);
	wf_ctx_free(s->work);
	return left;
}
