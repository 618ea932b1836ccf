/* SPDX-License-Identifier: MIT */
/*
 * reply.c - answers, collected in the client's buffer and written when there
 * is nothing else to do: many that are short go out in one write.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

static const char *
first_line(int status)
{
	switch (status) {
	case 200: return "HTTP/1.1 200 OK\r\n";
	case 204: return "HTTP/1.1 204 No Content\r\n";
	case 400: return "HTTP/1.1 400 Bad Request\r\n";
	case 404: return "HTTP/1.1 404 Not Found\r\n";
	case 405: return "HTTP/1.1 405 Method Not Allowed\r\n";
	case 408: return "HTTP/1.1 408 Request Timeout\r\n";
	case 413: return "HTTP/1.1 413 Content Too Large\r\n";
	case 414: return "HTTP/1.1 414 URI Too Long\r\n";
	case 417: return "HTTP/1.1 417 Expectation Failed\r\n";
	case 431: return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
	case 501: return "HTTP/1.1 501 Not Implemented\r\n";
	case 503: return "HTTP/1.1 503 Service Unavailable\r\n";
	case 504: return "HTTP/1.1 504 Gateway Timeout\r\n";
	case 505: return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
	default: return "HTTP/1.1 500 Internal Server Error\r\n";
	}
}

/* ---- the buffer ---- */

/* Write what has been collected, then body. */
static void
write_out(struct client *c, const void *body, size_t size)
{
	struct iovec parts[2] = { { c->out, c->out_size },
	    { (void *)(uintptr_t)body, size } };
	ssize_t all = (ssize_t)(c->out_size + size);

	c->out_size = 0;
	if (!all || c->broken)
		return;
	wf_conn_set_write_deadline(c->conn,
	    wf_now() + c->service->write_time);
	c->broken = (size ? wf_conn_writev(c->server->work, c->conn, parts, 2) :
	    wf_conn_write(c->server->work, c->conn, c->out, (size_t)all)) < all;
}

void
reply_flush(struct client *c)
{
	write_out(c, NULL, 0);
}

static inline void
put(struct client *c, const void *data, size_t n)
{
	memcpy(c->out + c->out_size, data, n);
	c->out_size += n;
}

/* Inline, so that the length of a literal is known. */
static inline void
put_text(struct client *c, const char *text)
{
	put(c, text, strlen(text));
}

static void
put_number(struct client *c, size_t n)
{
	char digits[24], *at = digits + sizeof digits;

	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	put(c, at, (size_t)(digits + sizeof digits - at));
}

/* ---- heads ---- */

/* The field Date, made once a second. */
static void
put_date(struct client *c)
{
	time_t now = time(NULL);
	struct tm utc;

	if (now != c->second) {
		c->second = now;
		gmtime_r(&now, &utc);
		strftime(c->date, sizeof c->date,
		    "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
	}
	put_text(c, c->date);
}

void
reply_field(struct client *c, const char *name, const char *value)
{
	size_t room = REPLY_FIELDS - c->fields_size;
	int n = snprintf(c->fields + c->fields_size, room, "%s: %s\r\n", name,
	    value);

	/* A line end in it would begin a field of somebody else's. */
	if (n > 0 && (size_t)n < room && !strpbrk(value, "\r\n"))
		c->fields_size += (size_t)n;
}

static void
put_head(struct client *c, int status, const char *type, size_t size)
{
	/* All but the fields is less than half of what is asked for. */
	if (OUT_MAX - c->out_size < 2 * REPLY_FIELDS)
		reply_flush(c);
	put_text(c, first_line(status));
	put_date(c);
	put(c, c->fields, c->fields_size);
	if (status != 204) {
		put_text(c, "Content-Type: ");
		put_text(c, type);
		put_text(c, "\r\nContent-Length: ");
		put_number(c, size);
		put_text(c, "\r\n");
	}
	if (!c->keep)
		put_text(c, "Connection: close\r\n");
	else if (c->request.minor == 0)
		put_text(c, "Connection: keep-alive\r\n");
	put_text(c, "\r\n");
}

/* ---- answers ---- */

void
reply_continue(struct client *c)
{
	reply_flush(c);
	put_text(c, "HTTP/1.1 100 Continue\r\n\r\n");
}

void
reply(struct client *c, int status, const char *type, const void *body,
    size_t size)
{
	if (c->replied)
		return;
	c->replied = true;
	if (wf_ctx_err(c->server->open))
		c->keep = false;
	put_head(c, status, type, size);
	if (http_is(c->request.method, "HEAD"))
		return;
	if (size > OUT_MAX - c->out_size)
		write_out(c, body, size);
	else if (size)
		put(c, body, size);
}

void
reply_text(struct client *c, int status, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n >= (int)sizeof text)
		n = sizeof text - 1;
	reply(c, status, "text/plain", text, n < 0 ? 0 : (size_t)n);
}

void
reply_error(struct client *c, int status)
{
	const char *line = first_line(status) + strlen("HTTP/1.1 ");

	reply_text(c, status, "%.*s\n", (int)strcspn(line, "\r"), line);
}
