/* SPDX-License-Identifier: MIT */
/*
 * stream.c - messages on a connection: heads, and bodies piece by piece.
 */
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
stream_init(struct stream *s, wf_conn *conn)
{
	s->conn = conn;
	s->from = s->end = s->out_size = 0;
}

/* ---- in ---- */

ssize_t
stream_fill(wf_ctx *ctx, struct stream *s)
{
	ssize_t n;

	if (s->from == s->end)
		s->from = s->end = 0;
	n = wf_conn_read(ctx, s->conn, s->in + s->end, IN_MAX - s->end);
	if (n > 0)
		s->end += (size_t)n;
	return n;
}

int
stream_head(wf_ctx *ctx, struct stream *s, struct http_head *h,
    int (*parse)(struct http_head *h, const char *buf, size_t n))
{
	ssize_t n;
	int got;

	memmove(s->in, s->in + s->from, s->end - s->from);
	s->end -= s->from;
	s->from = 0;
	http_begin(h);
	while ((got = parse(h, s->in, s->end)) == 0) {
		if (s->end >= HEAD_MAX)
			return -431;
		/* Not by stream_fill(): the head is to stay where it is. */
		n = wf_conn_read(ctx, s->conn, s->in + s->end,
		    IN_MAX - s->end);
		if (n <= 0)
			return n || !s->end ? (int)n : -ECONNRESET;
		s->end += (size_t)n;
	}
	s->from = h->size;
	return got;
}

/* ---- out ---- */

/* Write what has been collected, then data. */
static int
write_all(wf_ctx *ctx, struct stream *s, const void *data, size_t n)
{
	struct iovec parts[2] = { { s->out, s->out_size },
	    { (void *)(uintptr_t)data, n } };
	ssize_t all = (ssize_t)(s->out_size + n), written;

	s->out_size = 0;
	if (!all)
		return 0;
	written = wf_conn_writev(ctx, s->conn, parts, 2);
	return written == all ? 0 : written < 0 ? (int)written :
	    wf_ctx_err(ctx) ? wf_ctx_err(ctx) : -EPIPE;
}

int
stream_put(wf_ctx *ctx, struct stream *s, const void *data, size_t n)
{
	if (n > OUT_MAX - s->out_size)
		return write_all(ctx, s, data, n);
	if (n)		/* data may be NULL */
		memcpy(s->out + s->out_size, data, n);
	s->out_size += n;
	return 0;
}

int
stream_print(wf_ctx *ctx, struct stream *s, const char *text)
{
	return stream_put(ctx, s, text, strlen(text));
}

int
stream_flush(wf_ctx *ctx, struct stream *s)
{
	return write_all(ctx, s, NULL, 0);
}

/* ---- bodies ---- */

struct body
body_of(const struct http_head *h, bool until_end)
{
	return (struct body){ .chunked = h->chunked,
	    .left = h->length >= 0 ? h->length : until_end ? INT64_MAX : 0 };
}

/* What the buffer has of it: 1 and a piece, 0 at the end, -EAGAIN when more is
 * needed, -EPROTO. */
static int
next_piece(struct stream *s, struct body *b, struct http_text *piece)
{
	size_t have = s->end - s->from, used;
	int got;

	if (b->chunked) {
		got = http_chunks_next(&b->chunks, s->in + s->from, have,
		    &used, piece);
		s->from += used;
		return got < 0 ? -EPROTO : piece->size ? 1 : got ? 0 : -EAGAIN;
	}
	*piece = (struct http_text){ s->in + s->from,
	    (int64_t)have < b->left ? have : (size_t)b->left };
	s->from += piece->size;
	if (b->left != INT64_MAX)
		b->left -= (int64_t)piece->size;
	return piece->size ? 1 : b->left ? -EAGAIN : 0;
}

static int
put_piece(wf_ctx *ctx, struct stream *to, struct http_text piece, bool chunked)
{
	char line[24];
	int err = 0;

	snprintf(line, sizeof line, "%zx\r\n", piece.size);
	if (chunked)
		err = stream_print(ctx, to, line);
	if (!err)
		err = stream_put(ctx, to, piece.at, piece.size);
	if (!err && chunked)
		err = stream_print(ctx, to, "\r\n");
	return err;
}

int
stream_pass(wf_ctx *ctx, struct stream *from, struct body *b,
    struct stream *to, bool chunked, enum side *failed)
{
	struct http_text piece;
	ssize_t n;
	int got, err;

	for (;;) {
		while ((got = next_piece(from, b, &piece)) > 0)
			if ((err = put_piece(ctx, to, piece, chunked)))
				goto sink;
		if (got != -EAGAIN)
			break;
		/* Nothing is held back while more is waited for. */
		if ((err = stream_flush(ctx, to)))
			goto sink;
		if ((n = stream_fill(ctx, from)) <= 0) {
			got = n ? (int)n : b->left == INT64_MAX &&
			    !b->chunked ? 0 : -ECONNRESET;
			break;
		}
	}
	*failed = SOURCE;
	if (got < 0)
		return got;
	if ((chunked && (err = stream_print(ctx, to, "0\r\n\r\n"))) ||
	    (err = stream_flush(ctx, to)))
		goto sink;
	*failed = NO_SIDE;
	return 0;
sink:
	*failed = SINK;
	return err;
}
