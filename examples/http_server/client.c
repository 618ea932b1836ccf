/* SPDX-License-Identifier: MIT */
/*
 * client.c - one connection: read a request, call its handler, go on.
 *
 *	in: ...[ head | body | what follows, the next request perhaps ... )
 *	       start         from: what has been used          end: has come
 *
 * What is in the buffer is used before more is read, and answers are written
 * before a read may wait: so requests that come together are answered together
 * and a request costs one read and one write.  Nothing is allocated but for
 * a body that is chunked or does not fit the buffer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* ---- reading ---- */

/* The connection is not idle any more: at the end its request is waited for. */
static void
set_busy(struct client *c, bool busy)
{
	if (c->busy != busy)
		atomic_fetch_add(&c->server->requests, busy ? 1 : -1);
	c->busy = busy;
}

/* Read more, in time: how many bytes, 0 at the end, or -408. */
static ssize_t
read_some(struct client *c, char *to, size_t size)
{
	ssize_t n;

	reply_flush(c);
	if (c->broken)
		return 0;
	n = wf_conn_read(c->server->work, c->conn, to, size);
	return n >= 0 ? n : n == -ETIMEDOUT ? -408 : 0;
}

/* Wait for the first bytes of a request: 1, or 0 if there are none. */
static int
await_request(struct client *c)
{
	ssize_t n;

	reply_flush(c);
	if (c->broken)
		return 0;
	set_busy(c, false);
	c->from = c->end = 0;
	n = server_await(c->server, c->conn, c->service->idle_time, c->in,
	    IN_MAX);
	if (n <= 0)
		return 0;
	c->end = (size_t)n;
	return 1;
}

/* Take the head at c->start, as far as it has come. */
static int
take_head(struct client *c)
{
	const struct http_head *h = &c->request;
	size_t size = c->end - c->start;
	int got = http_parse_request(&c->request, c->in + c->start, size);

	c->from = c->start + h->size;
	if (got < 0 || (got ? h->size : size) <= HEAD_MAX)
		return got;
	return h->target.at && h->target.size < HEAD_MAX ? -431 : -414;
}

/* Move what has come of this request to the front, where there is room behind
 * it.  The head's texts point into the buffer: it is taken anew. */
static int
to_front(struct client *c)
{
	memmove(c->in, c->in + c->start, c->end - c->start);
	c->end -= c->start;
	c->start = 0;
	http_begin(&c->request);
	return take_head(c);
}

/* The next request's head: 1, 0 without one, or -status. */
static int
read_head(struct client *c)
{
	int64_t late = 0;
	ssize_t n;
	int got;

	if (c->from == c->end && !await_request(c))
		return 0;
	set_busy(c, true);
	c->start = c->from;
	http_begin(&c->request);
	got = take_head(c);
	if (!got && c->start)
		got = to_front(c);
	while (!got) {
		if (!late) {
			late = wf_now() + c->service->header_time;
			wf_conn_set_read_deadline(c->conn, late);
		}
		if ((n = read_some(c, c->in + c->end, IN_MAX - c->end)) <= 0)
			return (int)n;
		c->end += (size_t)n;
		got = take_head(c);
	}
	return got;
}

/* A body of known length, in the buffer or in memory of its own. */
static int
read_plain(struct client *c, size_t length)
{
	size_t have = c->end - c->from;
	ssize_t n;

	c->body = (struct http_text){ c->in + c->from, length };
	if (have >= length) {
		c->from += length;
		return 1;
	}
	if (!(c->room = malloc(length)))
		return -503;
	memcpy(c->room, c->in + c->from, have);
	c->body.at = c->room;
	for (c->from = c->end; have < length; have += (size_t)n)
		if ((n = read_some(c, c->room + have, length - have)) <= 0)
			return (int)n;
	return 1;
}

/* One more piece of a chunked body, of which so many bytes will follow. */
static int
append(struct client *c, struct http_text data, uint64_t left, size_t *room)
{
	char *more;

	if (data.size + left > c->service->body - c->body.size)
		return -413;
	if (c->body.size + data.size > *room) {
		*room = 2 * (c->body.size + data.size);
		if (!(more = realloc(c->room, *room)))
			return -503;
		c->room = more;
	}
	if (data.size)
		memcpy(c->room + c->body.size, data.at, data.size);
	c->body.size += data.size;
	c->body.at = c->room;
	return 0;
}

static int
read_chunks(struct client *c)
{
	struct http_chunks chunks = { 0 };
	struct http_text data;
	size_t used, room = 0;
	ssize_t n;
	int got, err;

	if (c->start)
		to_front(c);
	for (;;) {
		got = http_chunks_next(&chunks, c->in + c->from,
		    c->end - c->from, &used, &data);
		c->from += used;
		if (got < 0)
			return got;
		if ((err = append(c, data, chunks.left, &room)))
			return err;
		if (got > 0)
			return 1;
		if (c->from < c->end)
			continue;
		c->from = c->end = c->request.size;
		if ((n = read_some(c, c->in + c->end, IN_MAX - c->end)) <= 0)
			return (int)n;
		c->end += (size_t)n;
	}
}

/* The present request's body: 1, 0 if the client is gone, or -status. */
static int
read_body(struct client *c)
{
	const struct http_head *h = &c->request;

	c->body = (struct http_text){ c->in + c->from, 0 };
	if (h->length <= 0 && !h->chunked)
		return 1;
	if (h->length > 0 && (uint64_t)h->length > c->service->body)
		return -413;
	if (h->expects_continue && c->from == c->end)
		reply_continue(c);
	wf_conn_set_read_deadline(c->conn, wf_now() +
	    c->service->body_time);
	return h->chunked ? read_chunks(c) : read_plain(c, (size_t)h->length);
}

/* ---- the context of a request ---- */

/* Until the handler has returned, read what follows; if nothing ever will,
 * the request is cancelled. */
static void
watch(struct client *c)
{
	ssize_t n;

	while (c->end < IN_MAX) {
		n = wf_conn_read(c->ctx, c->conn, c->in + c->end,
		    IN_MAX - c->end);
		if (n <= 0) {
			wf_ctx_cancel(c->ctx);
			return;
		}
		c->end += (size_t)n;
	}
}

wf_ctx *
client_ctx(struct client *c)
{
	if (c->ctx)
		return c->ctx;
	reply_flush(c);		/* the answers before are not to wait */
	c->ctx = wf_ctx_with_cancel(c->server->work);
	wf_conn_set_read_deadline(c->conn, WF_FOREVER);
	wf_waitgroup_spawn(&c->watching, watch, c);
	return c->ctx;
}

static void
end_ctx(struct client *c)
{
	if (!c->ctx)
		return;
	wf_ctx_cancel(c->ctx);
	wf_waitgroup_wait(&c->watching);
	wf_ctx_free(c->ctx);
	c->ctx = NULL;
}

/* ---- a request ---- */

static bool
allows(const char *methods, struct http_text method)
{
	while (*methods) {
		size_t n = strcspn(methods, ", ");

		if (n == method.size && memcmp(methods, method.at, n) == 0)
			return true;
		methods += n;
		methods += strspn(methods, ", ");
	}
	return false;
}

static void
dispatch(struct client *c)
{
	static const char known[] =
	    "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, CONNECT, TRACE";
	const struct route *r = c->service->routes;

	while (r->path && !http_is(c->request.path, r->path))
		r++;
	if (r->path && allows(r->methods, c->request.method))
		r->handle(c);
	else if (!allows(known, c->request.method))
		reply_error(c, 501);
	else if (!r->path)
		reply_error(c, 404);
	else {
		reply_field(c, "Allow", r->methods);
		reply_error(c, 405);
	}
}

/* Answer the present request: whether the connection goes on. */
static bool
answer(struct client *c)
{
	c->keep = c->request.keep;
	c->replied = false;
	c->fields_size = 0;
	dispatch(c);
	if (!c->replied)
		reply_error(c, 500);
	end_ctx(c);
	free(c->room);
	c->room = NULL;
	return c->keep && !c->broken;
}

static void
refuse(struct client *c, int status)
{
	c->keep = c->replied = false;
	c->fields_size = 0;
	reply_error(c, status);
}

void
client_serve(struct server *s, wf_conn *conn)
{
	struct client c;
	int got;

	memset(&c, 0, offsetof(struct client, in));
	c.server = s;
	c.service = s->data;
	c.conn = conn;
	while ((got = read_head(&c)) > 0 && (got = read_body(&c)) > 0)
		if (!answer(&c))
			break;
	if (got < 0)
		refuse(&c, -got);
	reply_flush(&c);
	set_busy(&c, false);
	if (got && got != -408 && !c.broken)
		server_linger(s, conn);
	free(c.room);
}
