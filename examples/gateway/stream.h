/* SPDX-License-Identifier: MIT */
/*
 * stream.h - messages on a connection: heads, and bodies piece by piece.
 *
 * A stream holds no more of a body than a buffer, however long it is.
 */
#ifndef STREAM_H
#define STREAM_H

#include <weft.h>

#include "http.h"

enum {
	HEAD_MAX = 8192,
	IN_MAX = 16384,
	OUT_MAX = IN_MAX + 1024		/* a head and what is added to it */
};

struct stream {
	wf_conn *conn;
	size_t from, end;		/* what in has that is not used */
	size_t out_size;
	char in[IN_MAX];
	char out[OUT_MAX];
};

/* What is still to come of a body. */
struct body {
	int64_t left;			/* bytes; INT64_MAX: until the end */
	bool chunked;
	struct http_chunks chunks;
};

void stream_init(struct stream *s, wf_conn *conn);

/* Read more: how many bytes, 0 at the end, or -errno. */
ssize_t stream_fill(wf_ctx *ctx, struct stream *s);

/* The next head, whose texts are in the buffer until more is read: 1; 0 if the
 * stream ends before it; -errno; or -status below -399. */
int stream_head(wf_ctx *ctx, struct stream *s, struct http_head *h,
    int (*parse)(struct http_head *h, const char *buf, size_t n));

/* Collect for the next write; what does not fit is written at once.  0 or
 * -errno. */
int stream_put(wf_ctx *ctx, struct stream *s, const void *data, size_t n);
int stream_print(wf_ctx *ctx, struct stream *s, const char *text);
int stream_flush(wf_ctx *ctx, struct stream *s);

/* Is there a body?  Which errors came from where: see stream_pass(). */
struct body body_of(const struct http_head *h, bool until_end);

enum side { NO_SIDE, SOURCE, SINK };

/* Pass a body on, in chunks or as it is: 0, or -errno and which side it is
 * that failed.  A body that is no body is -EPROTO. */
int stream_pass(wf_ctx *ctx, struct stream *from, struct body *b,
    struct stream *to, bool chunked, enum side *failed);

#endif
