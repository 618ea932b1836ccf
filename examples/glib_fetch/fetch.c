/* SPDX-License-Identifier: MIT */
/*
 * fetch.c - one document, by HTTP.
 *
 * HTTP/1.0: the answer is a head, an empty line, and a body as long as the
 * head says, or up to the end of the connection.
 */
#include "fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BUFFER = 16384, NO_LENGTH = -1 };

struct place {
	char address[256];	/* host:port */
	const char *path;
};

static int
parse_url(const char *url, struct place *p)
{
	const char *host = url + strlen("http://"), *end;
	size_t n;

	if (strncasecmp(url, "http://", strlen("http://")) != 0)
		return -EPROTONOSUPPORT;
	end = strchr(host, '/');
	n = end ? (size_t)(end - host) : strlen(host);
	if (n == 0 || n + sizeof ":80" > sizeof p->address ||
	    strpbrk(url, " \r\n"))
		return -EINVAL;
	snprintf(p->address, sizeof p->address, "%.*s%s", (int)n, host,
	    memchr(host, ':', n) ? "" : ":80");
	p->path = end ? end : "/";
	return 0;
}

static int
send_request(wf_ctx *ctx, wf_conn *c, const struct place *p)
{
	char *text = g_strdup_printf("GET %s HTTP/1.0\r\nHost: %s\r\n"
	    "User-Agent: glib_fetch\r\n\r\n", p->path, p->address);
	ssize_t n = wf_conn_write(ctx, c, text, strlen(text));
	int err = n < 0 ? (int)n : (size_t)n < strlen(text) ? -EPIPE : 0;

	g_free(text);
	return err;
}

/* What head says of the length: NO_LENGTH if nothing. */
static long long
length_of(const char *head)
{
	static const char name[] = "\ncontent-length:";
	size_t n = sizeof name - 1;

	for (; *head; head++)
		if (strncasecmp(head, name, n) == 0)
			return strtoll(head + n, NULL, 10);
	return NO_LENGTH;
}

static void
take_body(struct fetch *f, const char *buf, size_t n)
{
	g_checksum_update(f->sum, (const guchar *)buf, (gssize)n);
	f->bytes += n;
}

/* The head, and what of the body has come along. */
static int
read_head(wf_ctx *ctx, wf_conn *c, struct fetch *f, char *buf,
    long long *length)
{
	size_t have = 0;
	char *body = NULL;
	ssize_t n;

	while (!body) {
		if (have == BUFFER - 1)
			return -EMSGSIZE;
		n = wf_conn_read(ctx, c, buf + have, BUFFER - 1 - have);
		if (n <= 0)
			return n < 0 ? (int)n : -EPROTO;
		have += (size_t)n;
		buf[have] = '\0';
		body = strstr(buf, "\r\n\r\n");
	}
	if (sscanf(buf, "HTTP/1.%*1d %3d ", &f->status) != 1)
		return -EPROTO;
	*body = '\0';
	*length = length_of(buf);
	body += strlen("\r\n\r\n");
	take_body(f, body, have - (size_t)(body - buf));
	return 0;
}

static int
read_answer(wf_ctx *ctx, wf_conn *c, struct fetch *f)
{
	long long length = NO_LENGTH;
	char buf[BUFFER];
	ssize_t n = 0;
	int err;

	if ((err = read_head(ctx, c, f, buf, &length)) < 0)
		return err;
	while ((length == NO_LENGTH || f->bytes < (size_t)length) &&
	    (n = wf_conn_read(ctx, c, buf, sizeof buf)) > 0)
		take_body(f, buf, (size_t)n);
	if (n < 0)
		return (int)n;
	return length == NO_LENGTH || f->bytes == (size_t)length ? 0 : -EPIPE;
}

void
fetch(wf_ctx *ctx, struct fetch *f)
{
	struct place p;
	wf_conn *c;

	f->error = parse_url(f->url, &p);
	if (!f->error)
		f->error = wf_dial(ctx, "tcp", p.address, &c);
	if (!f->error) {
		f->error = send_request(ctx, c, &p);
		if (!f->error)
			f->error = read_answer(ctx, c, f);
		wf_conn_free(c);
	}
	f->over = true;
}
