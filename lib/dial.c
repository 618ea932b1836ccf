/* SPDX-License-Identifier: MIT */
/*
 * dial.c - dial and listen.
 * Layer 6.  Uses: net, socket, resolve, chan, context, alloc.
 *
 * Several addresses race (RFC 8305): each attempt is a coroutine, which sends
 * its result to a channel that has room for all of them.  The next begins when
 * one fails, or has had its head start.  The first to connect wins; the others
 * are cancelled, and waited for, since the race lies on the dialer's stack.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "net.h"

#include <weft/chan.h>
#include <weft/coro.h>
#include <weft/errno.h>		/* safe across a wait */
#include <weft/select.h>
#include <weft/time.h>
#include "alloc.h"
#include "resolve.h"
#include "seam.h"
#include "socket.h"

#define HEAD_START (250 * WF_MS)

/* ---- one attempt ---- */

static bool
tells_end(const struct wf__address *a, int type)
{
	return type == SOCK_STREAM && a->any.ss_family != AF_UNIX;
}

/* The connect under way has ended: 0 or -errno. */
static int
wait_connected(wf_ctx *ctx, wf_conn *c)
{
	int err;

	do {
		if ((err = wf__endpoint_wait(&c->end, WF__WRITE, ctx)) < 0)
			return err;
		err = wf__socket_connected(c->end.fd);
	} while (err == -EINPROGRESS);
	return err;
}

static int
connect_conn(wf_ctx *ctx, wf_conn *c, const struct wf__address *a)
{
	int err;

	if ((err = wf__endpoint_enter(&c->end, WF__WRITE, ctx)) < 0)
		return err;
	if ((err = wf__socket_connect(c->end.fd, a)) == -EINPROGRESS)
		err = wait_connected(ctx, c);
	wf__endpoint_leave(&c->end, WF__WRITE, false);
	return err;
}

static int
dial_one(wf_ctx *ctx, const struct wf__address *a, int type, wf_conn **c)
{
	int fd = wf__socket_open(a, type), err;

	*c = NULL;
	if (fd < 0)
		return fd;
	if (!(*c = wf__conn_new(fd, tells_end(a, type)))) {
		wf__socket_close(fd);
		return -ENOMEM;
	}
	(*c)->end.words = &wf__endpoint_dialing;
	err = connect_conn(ctx, *c, a);
	if (err == 0)
		(*c)->end.words = &wf__endpoint_conn;
	else {
		wf_conn_free(*c);
		*c = NULL;
	}
	return err;
}

/* ---- the race of several ---- */

struct attempt {
	wf_conn *conn;
	int err;
};

struct race {
	wf_ctx *ctx;
	const struct wf__address *list;
	int n, type;
	wf_chan(struct attempt) results;
	int begun, ended;
	struct attempt won;		/* or the first failure */
};

static void
run_attempt(struct race *r, int i)
{
	struct attempt a;

	a.err = dial_one(r->ctx, &r->list[i], r->type, &a.conn);
	wf_send(r->results, a);
}

/* A result has come in; the first connection ends the race. */
static void
take_result(struct race *r, struct attempt *a)
{
	r->ended++;
	if (a->conn && !r->won.conn) {
		r->won = *a;
		wf_ctx_cancel(r->ctx);
	} else if (a->conn)
		wf_conn_free(a->conn);
	else if (!r->won.err)
		r->won.err = a->err;
}

static void
begin_next(struct race *r)
{
	int err = wf_spawn(run_attempt, r, r->begun);

	r->begun++;
	if (err < 0)
		take_result(r, &(struct attempt){ NULL, err });
}

static void
run_race(struct race *r)
{
	struct attempt a;

	while (r->begun < r->n && !r->won.conn && !wf_ctx_err(r->ctx)) {
		begin_next(r);
		if (r->ended < r->begun &&
		    wf_select(wf_on_recv(r->results, &a),
		    wf_on_timeout(HEAD_START)) == 0)
			take_result(r, &a);
	}
	while (r->ended < r->begun && wf_recv(r->results, &a))
		take_result(r, &a);
}

static int
dial_several(wf_ctx *ctx, const struct wf__address *list, int n, int type,
    wf_conn **c)
{
	struct race r = { .list = list, .n = n, .type = type };
	int err;

	if (!(r.results = wf_chan_make(struct attempt, (size_t)n)))
		return -ENOMEM;
	r.ctx = wf_ctx_with_cancel(ctx);
	run_race(&r);
	wf_ctx_free(r.ctx);
	wf_chan_free(r.results);
	if ((*c = r.won.conn))
		return 0;
	err = wf_ctx_err(ctx);
	return err ? err : r.won.err;
}

/* ---- dial ---- */

static int
dial(wf_ctx *ctx, const char *network, const char *address, wf_conn **c)
{
	const struct wf__network *net = wf__network_of(network);
	struct wf__address list[WF__ADDRESSES];
	int n;

	*c = NULL;
	if (!net)
		return -EINVAL;
	if ((n = wf__resolve(ctx, net, address, false, list)) < 0)
		return n;
	return n == 1 || net->type == SOCK_DGRAM ?
	    dial_one(ctx, list, net->type, c) :
	    dial_several(ctx, list, n, net->type, c);
}

WF_API int
wf_dial(wf_ctx *ctx, const char *network, const char *address, wf_conn **c)
{
	int saved = errno, err = dial(ctx, network, address, c);

	errno = saved;
	return err;
}

static int64_t
dial_deadline(const struct wf_dialer *d)
{
	int64_t deadline = d->deadline ? d->deadline : WF_FOREVER, now;

	if (d->timeout < 0)
		return 0;
	now = wf__seam_now();
	if (d->timeout && d->timeout < WF_FOREVER - now &&
	    now + d->timeout < deadline)
		deadline = now + d->timeout;
	return deadline;
}

WF_API int
wf_dial_with(wf_ctx *ctx, const struct wf_dialer *dialer,
    const char *network, const char *address, wf_conn **c)
{
	int64_t deadline = dial_deadline(dialer);
	wf_ctx *limited;
	int err;

	*c = NULL;
	if (deadline == WF_FOREVER)
		return wf_dial(ctx, network, address, c);
	limited = wf_ctx_with_deadline(ctx, deadline);
	err = wf_dial(limited, network, address, c);
	wf_ctx_free(limited);
	return err;
}

/* ---- listen ---- */

/* Any address, of both families where the network has both: one v6 socket
 * serves them, if the machine has v6. */
static int
bind_any(wf_ctx *ctx, const struct wf__network *net, const char *address,
    struct wf__address *a)
{
	struct wf__address list[WF__ADDRESSES];
	int n = wf__resolve(ctx, net, address, true, list), fd = -ENOENT;

	for (int i = 0; i < n; i++)
		if (list[i].any.ss_family == AF_INET6) {
			*a = list[i];
			if ((fd = wf__socket_bind(a, net->type, true)) >= 0)
				return fd;
		}
	for (int i = 0; i < n && fd < 0; i++) {
		*a = list[i];
		fd = wf__socket_bind(a, net->type, false);
	}
	return n < 0 ? n : fd;
}

static int
bind_to(wf_ctx *ctx, const struct wf__network *net, const char *address,
    struct wf__address *a)
{
	struct wf__address list[WF__ADDRESSES];
	int n;

	if (net->family == AF_UNSPEC && address[0] == ':')
		return bind_any(ctx, net, address, a);
	if ((n = wf__resolve(ctx, net, address, true, list)) < 0)
		return n;
	*a = list[0];
	return wf__socket_bind(a, net->type, false);
}

static int
listen_on(wf_ctx *ctx, const struct wf__network *net, const char *address,
    wf_listener **l)
{
	struct wf__address a;
	int fd = bind_to(ctx, net, address, &a);

	if (fd < 0)
		return fd;
	if (!(*l = wf__listener_new(fd, tells_end(&a, net->type)))) {
		wf__socket_close(fd);
		return -ENOMEM;
	}
	if (net->family == AF_UNIX && address[0] != '@' && !wf__socket_table())
		strcpy((*l)->path, address);	/* it fits, or bind failed */
	return 0;
}

WF_API int
wf_listen(wf_ctx *ctx, const char *network, const char *address,
    wf_listener **l)
{
	const struct wf__network *net = wf__network_of(network);
	int saved = errno, err;

	*l = NULL;
	err = net && net->type == SOCK_STREAM ?
	    listen_on(ctx, net, address, l) : -EINVAL;
	errno = saved;
	return err;
}

WF_API int
wf_listen_packet(wf_ctx *ctx, const char *network, const char *address,
    wf_conn **c)
{
	const struct wf__network *net = wf__network_of(network);
	int saved = errno, fd = -EINVAL;
	struct wf__address a;

	*c = NULL;
	if (net && net->type == SOCK_DGRAM)
		fd = bind_to(ctx, net, address, &a);
	if (fd >= 0 && !(*c = wf__conn_new(fd, false))) {
		wf__socket_close(fd);
		fd = -ENOMEM;
	}
	errno = saved;
	return fd < 0 ? fd : 0;
}
