/* SPDX-License-Identifier: MIT */
/*
 * proxy.c - requests of clients, passed on to the servers behind.
 *
 * What is passed on is not what came but what was understood: heads are
 * written anew, bodies framed anew.  So nobody behind can read another
 * message in it than was read here.
 *
 * Once a request has come whole, a second coroutine reads on.  What it finds is
 * the next request's and stays in the buffer; should the client go, the
 * present one is cancelled, and the server behind is not kept busy for nobody.
 * A client that will send nothing any more counts as gone: one cannot tell.
 */
#include "proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stream.h"

/* A client, and its present request. */
struct exchange {
	struct server *server;
	struct proxy *proxy;
	wf_ctx *ctx;			/* of this request */
	wf_waitgroup watching;		/* for the client to go */
	bool watched;
	struct http_head request, answer;
	struct body body;		/* the request's */
	bool head_only, replayable, keep;
	int minor;			/* of the client's HTTP */
	bool client_failed;
	struct upstream *upstream;	/* whose connection is in up, or NULL */
	bool used;			/* that connection, before */
	char peer[WF_ADDRESS_TEXT];	/* the client's address, no port */
	struct stream client, up;
};

static bool
has_body(const struct http_head *h)
{
	return h->chunked || h->length > 0;
}

/* ---- heads ---- */

/* Fields that are about one connection only, or that are written anew. */
static const char *const own[] = { "Connection", "Content-Length", "Expect",
    "Host", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
    "Transfer-Encoding", "Upgrade", "X-Forwarded-For", NULL };

static bool
is_passed_on(const struct http_head *h, struct http_text name)
{
	char text[128];

	for (int i = 0; own[i]; i++)
		if (http_like(name, own[i]))
			return false;
	snprintf(text, sizeof text, "%.*s", (int)name.size, name.at);
	for (int i = 0; i < h->count; i++)
		if (http_like(h->fields[i].name, "Connection") &&
		    http_lists(h->fields[i].value, text))
			return false;
	return true;
}

/* A head has room in a stream that has been flushed, so these cannot fail. */
static void
put(struct exchange *x, struct stream *to, struct http_text t)
{
	stream_put(x->ctx, to, t.at, t.size);
}

static void
print(struct exchange *x, struct stream *to, const char *text)
{
	stream_print(x->ctx, to, text);
}

static void
put_fields(struct exchange *x, struct stream *to, const struct http_head *h)
{
	for (int i = 0; i < h->count; i++) {
		if (!is_passed_on(h, h->fields[i].name))
			continue;
		put(x, to, h->fields[i].name);
		print(x, to, ": ");
		put(x, to, h->fields[i].value);
		print(x, to, "\r\n");
	}
}

static void
put_length(struct exchange *x, struct stream *to, int64_t length)
{
	char line[64];

	snprintf(line, sizeof line, "Content-Length: %lld\r\n",
	    (long long)length);
	print(x, to, line);
}

/* Those before us, then the client itself. */
static void
put_forwarded(struct exchange *x)
{
	const struct http_head *h = &x->request;

	print(x, &x->up, "X-Forwarded-For: ");
	for (int i = 0; i < h->count; i++)
		if (http_like(h->fields[i].name, "X-Forwarded-For")) {
			put(x, &x->up, h->fields[i].value);
			print(x, &x->up, ", ");
		}
	print(x, &x->up, x->peer);
	print(x, &x->up, "\r\n");
}

static void
put_request(struct exchange *x)
{
	const struct http_head *h = &x->request;

	put(x, &x->up, h->method);
	print(x, &x->up, " ");
	put(x, &x->up, h->path);
	if (h->query.size) {
		print(x, &x->up, "?");
		put(x, &x->up, h->query);
	}
	print(x, &x->up, " HTTP/1.1\r\nHost: ");
	put(x, &x->up, h->host);
	print(x, &x->up, "\r\n");
	put_fields(x, &x->up, h);
	put_forwarded(x);
	if (h->chunked)
		print(x, &x->up, "Transfer-Encoding: chunked\r\n");
	else if (h->length >= 0)
		put_length(x, &x->up, h->length);
	print(x, &x->up, "\r\n");
}

static void
put_answer(struct exchange *x, bool chunked)
{
	const struct http_head *h = &x->answer;
	char line[32];

	snprintf(line, sizeof line, "HTTP/1.1 %d ", h->status);
	print(x, &x->client, line);
	put(x, &x->client, h->reason);
	print(x, &x->client, "\r\n");
	put_fields(x, &x->client, h);
	if (chunked)
		print(x, &x->client, "Transfer-Encoding: chunked\r\n");
	else if (h->length >= 0)
		put_length(x, &x->client, h->length);
	if (!x->keep)
		print(x, &x->client, "Connection: close\r\n");
	else if (x->minor == 0)
		print(x, &x->client, "Connection: keep-alive\r\n");
	print(x, &x->client, "\r\n");
}

/* ---- a client that goes ---- */

/* Read behind the request, where nobody else reads or writes until the watch
 * has ended. */
static void
watch(struct exchange *x)
{
	struct stream *c = &x->client;
	ssize_t n;

	while (c->end < IN_MAX) {
		n = wf_conn_read(x->ctx, c->conn, c->in + c->end,
		    IN_MAX - c->end);
		if (n <= 0) {
			wf_ctx_cancel(x->ctx);
			return;
		}
		c->end += (size_t)n;
	}
}

static void
begin_watch(struct exchange *x)
{
	if (!x->watched)
		x->watched = wf_waitgroup_spawn(&x->watching, watch, x) == 0;
}

/* Nothing is waited for in the request's context any more. */
static void
end_watch(struct exchange *x)
{
	if (!x->watched)
		return;
	wf_ctx_cancel(x->ctx);
	wf_waitgroup_wait(&x->watching);
	x->watched = false;
}

/* ---- the server behind ---- */

/* The head of the answer: 1 or -errno. */
static int
read_answer(struct exchange *x)
{
	int got;

	do
		got = stream_head(x->ctx, &x->up, &x->answer,
		    http_parse_response);
	while (got == 1 && x->answer.status < 200 && x->answer.status != 101);
	return got == 0 ? -ECONNRESET : got < -399 ||
	    (got == 1 && x->answer.status < 200) ? -EPROTO : got;
}

/* Pass the request's body on, if it has one; then the client is watched. */
static int
send_body(struct exchange *x, enum side *failed)
{
	int err;

	*failed = SINK;
	if (!has_body(&x->request))
		return stream_flush(x->ctx, &x->up);
	err = stream_pass(x->ctx, &x->client, &x->body, &x->up,
	    x->request.chunked, failed);
	if (!err)
		begin_watch(x);
	return err;
}

/* Send the request to the next server, to the head of its answer: 1 or
 * -errno. */
static int
ask(struct exchange *x, bool fresh)
{
	struct upstream *u = upstreams_next(x->proxy->upstreams);
	enum side failed;
	wf_conn *conn;
	int err = upstream_take(x->ctx, u, fresh, &conn, &x->used), got;

	if (err)
		return err;
	x->upstream = u;
	stream_init(&x->up, conn);
	put_request(x);
	err = send_body(x, &failed);
	if (err && failed == SOURCE) {
		x->client_failed = true;
		return err;
	}
	/* Who does not want all of a body may have said so before. */
	if (err)
		x->keep = false;
	got = read_answer(x);
	return got < 0 && err ? err : got;
}

static void
give_back(struct exchange *x, bool good)
{
	if (x->upstream)
		upstream_give(x->upstream, x->up.conn, good);
	x->upstream = NULL;
}

/* Nothing was sent; or to somebody who had closed the connection before, and
 * sending it again does no harm. */
static bool
may_try_again(struct exchange *x)
{
	return !x->client_failed && !wf_ctx_err(x->ctx) && (!x->upstream ||
	    (x->used && x->up.end == 0 && x->replayable));
}

/* Ask one after the other: 1 when there is an answer, or -errno. */
static int
ask_all(struct exchange *x)
{
	bool again = true, fresh = false;
	int got = -EHOSTUNREACH;

	for (int i = 0; again && i <= x->proxy->upstreams->n; i++) {
		got = ask(x, fresh);
		if (got == 1)
			return 1;
		again = may_try_again(x);
		fresh = x->upstream != NULL;
		give_back(x, false);
	}
	return got;
}

/* ---- the client ---- */

static bool
refuse(struct exchange *x, int status, const char *reason)
{
	char text[256];

	snprintf(text, sizeof text, "HTTP/1.1 %d %s\r\n"
	    "Content-Type: text/plain\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n%d %s\n", status, reason,
	    strlen(reason) + 5, status, reason);
	x->client.out_size = 0;
	stream_print(x->server->work, &x->client, text);
	wf_conn_set_write_deadline(x->client.conn, wf_now() + WF_SEC);
	stream_flush(x->server->work, &x->client);
	server_linger(x->server, x->client.conn);
	return false;
}

static bool
refuse_head(struct exchange *x, int got)
{
	switch (got) {
	case -417: return refuse(x, 417, "Expectation Failed");
	case -431: return refuse(x, 431, "Request Header Fields Too Large");
	case -501: return refuse(x, 501, "Not Implemented");
	case -505: return refuse(x, 505, "HTTP Version Not Supported");
	case -413: return refuse(x, 413, "Content Too Large");
	case -400: return refuse(x, 400, "Bad Request");
	case -ETIMEDOUT: return refuse(x, 408, "Request Timeout");
	}
	return false;
}

static bool
refuse_all(struct exchange *x, int got)
{
	if (x->client_failed)
		return refuse_head(x, got == -EPROTO ? -400 : got);
	if (got == -ECANCELED)
		return false;		/* there is nobody to tell */
	return got == -ETIMEDOUT ? refuse(x, 504, "Gateway Timeout") :
	    refuse(x, 502, "Bad Gateway");
}

/* Pass the answer on: whether the connection goes on. */
static bool
pass_answer(struct exchange *x)
{
	const struct http_head *h = &x->answer;
	bool none = x->head_only || h->status == 204 || h->status == 304;
	bool until_end = !none && !h->chunked && h->length < 0;
	bool chunked = (h->chunked || until_end) && x->minor > 0;
	bool keep_up = h->keep && !until_end;
	struct body b = body_of(h, until_end);
	enum side failed;

	if (none)
		b = (struct body){ 0 };
	if ((h->chunked || until_end) && !chunked)
		x->keep = false;
	put_answer(x, chunked);
	stream_pass(x->ctx, &x->up, &b, &x->client, chunked && !none, &failed);
	end_watch(x);
	give_back(x, failed == NO_SIDE && keep_up && x->up.from == x->up.end);
	return failed == NO_SIDE && x->keep;
}

/* One request: whether the connection goes on. */
static bool
relay(struct exchange *x)
{
	struct http_head *h = &x->request;
	int got = stream_head(x->ctx, &x->client, h, http_parse_request);

	x->client_failed = false;
	if (got <= 0)
		return refuse_head(x, got);
	if (http_is(h->method, "CONNECT"))
		return refuse(x, 405, "Method Not Allowed");
	x->minor = h->minor;
	x->keep = h->keep && !wf_ctx_err(x->server->open);
	x->head_only = http_is(h->method, "HEAD");
	x->body = body_of(h, false);
	x->replayable = !has_body(h) &&
	    !http_is(h->method, "POST") && !http_is(h->method, "PATCH");
	if (h->expects_continue && x->client.from == x->client.end) {
		print(x, &x->client, "HTTP/1.1 100 Continue\r\n\r\n");
		stream_flush(x->ctx, &x->client);
	}
	if (!has_body(h))
		begin_watch(x);
	if ((got = ask_all(x)) > 0)
		return pass_answer(x);
	end_watch(x);
	return refuse_all(x, got);
}

/* The next request, with a context of its own. */
static bool
serve_one(struct exchange *x)
{
	struct stream *c = &x->client;
	bool more;
	ssize_t n;

	if (c->from == c->end) {
		n = server_await(x->server, c->conn, x->proxy->idle_time,
		    c->in, IN_MAX);
		if (n <= 0)
			return false;
		c->from = 0;
		c->end = (size_t)n;
	}
	wf_conn_set_read_deadline(c->conn, WF_FOREVER);
	atomic_fetch_add(&x->server->requests, 1);
	x->ctx = wf_ctx_with_timeout(x->server->work, x->proxy->request_time);
	more = relay(x);
	wf_ctx_free(x->ctx);
	atomic_fetch_sub(&x->server->requests, 1);
	return more;
}

/* The address of the other side, without its port and brackets. */
static void
peer_of(wf_conn *conn, char *text, size_t size)
{
	char *port;

	wf_conn_remote_address(conn, text, size);
	if ((port = strrchr(text, ':')))
		*port = '\0';
	if (*text == '[') {
		text[strlen(text) - 1] = '\0';
		memmove(text, text + 1, strlen(text));
	}
}

void
proxy_serve(struct server *s, wf_conn *conn)
{
	struct exchange x;

	x.server = s;
	x.proxy = s->data;
	x.upstream = NULL;
	x.watching = (wf_waitgroup){0};
	x.watched = false;
	peer_of(conn, x.peer, sizeof x.peer);
	stream_init(&x.client, conn);
	while (serve_one(&x))
		;
}
