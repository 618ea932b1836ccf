/* SPDX-License-Identifier: MIT */
/*
 * http.h - HTTP/1.1 as it is on the wire (RFC 9112): heads and chunks.
 *
 *	http_begin(&head);
 *	while ((got = http_parse_request(&head, buf, n)) == 0)
 *		n += read(fd, buf + n, sizeof buf - n);
 *	if (got < 0)
 *		answer(-got);			(a status, such as 400)
 *	else
 *		body_begins_at(buf + head.size);
 *
 * Nothing is copied: texts point into the buffer, which must stay where it is
 * while the head is read and used.  Nothing is lenient: what two readers could
 * take in two ways is refused, since that is how requests are smuggled past
 * a gateway.  This file knows neither sockets nor weft.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_FIELDS = 64,	/* the most of one head */
	HTTP_LINE = 256,	/* the longest line before a chunk */
	HTTP_TRAILER = 4096	/* the longest trailer section */
};

struct http_text {
	const char *at;
	size_t size;
};

struct http_field {
	struct http_text name, value;
};

/* The head of a request or of a response. */
struct http_head {
	size_t size;			/* bytes of it that have been taken */
	size_t seen;			/* no line ends before here */
	struct http_text method, target;	/* of a request; the target's */
	struct http_text path, query;		/* parts, not decoded */
	struct http_text host;
	int status;			/* of a response */
	struct http_text reason;
	int minor;			/* HTTP/1.minor, 0 or 1 */
	int hosts;
	int64_t length;			/* Content-Length; -1 without one */
	bool chunked;			/* the body comes in chunks */
	bool expects_continue;
	bool says_close, says_keep;	/* in Connection */
	bool keep;			/* the connection may be used again */
	int count;
	struct http_field fields[HTTP_FIELDS];
};

/* Before a head: forget the last one. */
void http_begin(struct http_head *h);

/*
 * Go on with the head that begins at buf, of which n bytes have come: 1 when
 * it is complete, 0 when more is needed, or -400, -413, -417, -431, -501, -505:
 * the status to answer, before the connection is closed.
 */
int http_parse_request(struct http_head *h, const char *buf, size_t n);
int http_parse_response(struct http_head *h, const char *buf, size_t n);

/* The first field of that name, or NULL. */
const struct http_field *http_find(const struct http_head *h,
    const char *name);

/* Is it this text?  The second: in whatever case.  The third: does the
 * comma-separated list have it, in whatever case? */
bool http_is(struct http_text t, const char *text);
bool http_like(struct http_text t, const char *text);
bool http_lists(struct http_text list, const char *text);

/* The decoded value of a query parameter: its length; -ENOENT if there is no
 * such parameter, -EINVAL if it is badly encoded or does not fit. */
int http_query(const struct http_head *h, const char *name, char *value,
    size_t size);

/* Where we are in a body of chunks; zero is the beginning. */
struct http_chunks {
	int state;
	size_t line;			/* bytes of the present line */
	uint64_t left;			/* bytes of the present chunk */
};

/*
 * Go on with a chunked body: *used bytes of in are done with, among them
 * *data, which are the body's.  1 at the end of the body; 0: call again, with
 * what follows, and with more if *used was n; -400, -413.
 */
int http_chunks_next(struct http_chunks *k, const char *in, size_t n,
    size_t *used, struct http_text *data);

#endif
