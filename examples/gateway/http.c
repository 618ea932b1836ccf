/* SPDX-License-Identifier: MIT */
/*
 * http.c - HTTP/1.1 as it is on the wire: heads and chunks.
 *
 * A head is taken line by line as it comes, each line once, so that slow
 * senders cost no more than fast ones.
 */
#include "http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* ---- texts ---- */

static struct http_text
span(const char *from, const char *to)
{
	return (struct http_text){ from, (size_t)(to - from) };
}

bool
http_is(struct http_text t, const char *text)
{
	return t.size == strlen(text) && memcmp(t.at, text, t.size) == 0;
}

bool
http_like(struct http_text t, const char *text)
{
	return t.size == strlen(text) && strncasecmp(t.at, text, t.size) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct http_text
trim(struct http_text t)
{
	while (t.size && is_blank(*t.at))
		t.at++, t.size--;
	while (t.size && is_blank(t.at[t.size - 1]))
		t.size--;
	return t;
}

/* Cut off what stands before the first c; all of it without one. */
static struct http_text
cut(struct http_text *rest, char c)
{
	const char *at = rest->size ? memchr(rest->at, c, rest->size) : NULL;
	const char *end = rest->at + rest->size;
	struct http_text first = span(rest->at, at ? at : end);

	*rest = span(at ? at + 1 : end, end);
	return first;
}

bool
http_lists(struct http_text list, const char *text)
{
	while (list.size)
		if (http_like(trim(cut(&list, ',')), text))
			return true;
	return false;
}

/* What a byte may be part of, as bits. */
enum { TOKEN = 1, VALUE = 2, TARGET = 4, HOST = 8 };

#define HIGH 10, 10, 10, 10, 10, 10, 10, 10	/* no ASCII */

static const unsigned char kinds[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/*  ! " # $ % & ' ( ) * + , - . / */
	2, 15, 14, 3, 15, 15, 15, 15, 14, 14, 15, 15, 6, 15, 15, 6,
	/* 0 to 9 : ; < = > ? */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 14, 14, 14, 14, 6,
	/* @ A to O */
	6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	/* P to Z [ \ ] ^ _ */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 6, 14, 15, 15,
	/* ` a to o */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	/* p to z { | } ~ */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 15, 14, 15, 0,
	HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH,
	HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How many bytes at the front of t are of that kind. */
static size_t
run_of(struct http_text t, unsigned kind)
{
	size_t n = 0;

	while (n < t.size && kinds[(unsigned char)t.at[n]] & kind)
		n++;
	return n;
}

static bool
is_all(struct http_text t, unsigned kind)
{
	return run_of(t, kind) == t.size;
}

/* Cut off a run of that kind that ends with c; false if there is none, or if
 * it is empty. */
static bool
cut_run(struct http_text *rest, unsigned kind, char c, struct http_text *run)
{
	size_t n = run_of(*rest, kind);

	*run = (struct http_text){ rest->at, n };
	if (!n || n == rest->size || rest->at[n] != c)
		return false;
	rest->at += n + 1;
	rest->size -= n + 1;
	return true;
}

/* ---- first lines ---- */

static int
take_version(struct http_head *h, struct http_text t)
{
	if (t.size != 8 || memcmp(t.at, "HTTP/", 5) != 0 || t.at[6] != '.' ||
	    !is_digit(t.at[5]) || !is_digit(t.at[7]))
		return -400;
	h->minor = t.at[7] > '0';
	return t.at[5] == '1' ? 0 : -505;
}

/* Origin form, absolute form, "*" or the authority form of CONNECT. */
static int
take_target(struct http_head *h)
{
	struct http_text rest = h->target;

	if (*rest.at == '/')
		;
	else if (rest.size > 7 && strncasecmp(rest.at, "http://", 7) == 0) {
		const char *end = rest.at + rest.size;

		rest = span(rest.at + 7, end);
		h->host = span(rest.at, rest.at + strcspn(rest.at, "/? "));
		rest = span(h->host.at + h->host.size, end);
		if (!h->host.size || !is_all(h->host, HOST))
			return -400;
	} else if (!http_is(h->method, "CONNECT") &&
	    !(http_is(h->method, "OPTIONS") && http_is(rest, "*")))
		return -400;
	h->path = cut(&rest, '?');
	h->query = rest;
	if (!h->path.size)
		h->path = (struct http_text){ "/", 1 };
	return 0;
}

/* method SP target SP version */
static int
request_line(struct http_head *h, struct http_text line)
{
	int err;

	if (!cut_run(&line, TOKEN, ' ', &h->method) ||
	    !cut_run(&line, TARGET, ' ', &h->target))
		return -400;
	if ((err = take_version(h, line)))
		return err;
	return take_target(h);
}

/* version SP status SP reason */
static int
status_line(struct http_head *h, struct http_text line)
{
	struct http_text version = cut(&line, ' '), code = cut(&line, ' ');

	if (code.size != 3 || !is_all(line, VALUE))
		return -400;
	for (int i = 0; i < 3; i++) {
		if (!is_digit(code.at[i]))
			return -400;
		h->status = 10 * h->status + code.at[i] - '0';
	}
	h->reason = line;
	return h->status < 100 ? -400 : take_version(h, version);
}

/* ---- fields ---- */

static int
take_length(struct http_head *h, struct http_text value)
{
	int64_t n = 0;

	if (h->length >= 0 || !value.size)
		return -400;
	for (size_t i = 0; i < value.size; i++) {
		if (!is_digit(value.at[i]))
			return -400;
		if (n > (INT64_MAX - 9) / 10)
			return -413;
		n = 10 * n + value.at[i] - '0';
	}
	h->length = n;
	return 0;
}

/* Chunked is the one coding that is known here. */
static int
take_coding(struct http_head *h, struct http_text value)
{
	if (h->chunked)
		return -400;
	h->chunked = http_like(value, "chunked");
	return h->chunked ? 0 : -501;
}

static int
take_host(struct http_head *h, struct http_text value)
{
	if (!is_all(value, HOST))
		return -400;
	/* That of an absolute target wins. */
	if (!h->host.size)
		h->host = value;
	return ++h->hosts > 1 ? -400 : 0;
}

static int
take_expectation(struct http_head *h, struct http_text value)
{
	h->expects_continue = http_like(value, "100-continue");
	return h->expects_continue ? 0 : -417;
}

static int
take_connection(struct http_head *h, struct http_text value)
{
	h->says_close |= http_lists(value, "close");
	h->says_keep |= http_lists(value, "keep-alive");
	return 0;
}

/* What a field means for the message itself. */
static int
apply(struct http_head *h, const struct http_field *f)
{
	switch (f->name.size) {
	case 4: return http_like(f->name, "Host") ?
		    take_host(h, f->value) : 0;
	case 6: return http_like(f->name, "Expect") ?
		    take_expectation(h, f->value) : 0;
	case 10: return http_like(f->name, "Connection") ?
		    take_connection(h, f->value) : 0;
	case 14: return http_like(f->name, "Content-Length") ?
		    take_length(h, f->value) : 0;
	case 17: return http_like(f->name, "Transfer-Encoding") ?
		    take_coding(h, f->value) : 0;
	}
	return 0;
}

/* name ":" value.  A line that begins with a blank, which once continued the
 * one before, has no name that is a token. */
static int
field_line(struct http_head *h, struct http_text line)
{
	struct http_field f;

	if (!cut_run(&line, TOKEN, ':', &f.name))
		return -400;
	f.value = trim(line);
	if (!is_all(f.value, VALUE))
		return -400;
	if (h->count == HTTP_FIELDS)
		return -431;
	h->fields[h->count++] = f;
	return apply(h, &f);
}

const struct http_field *
http_find(const struct http_head *h, const char *name)
{
	for (int i = 0; i < h->count; i++)
		if (http_like(h->fields[i].name, name))
			return &h->fields[i];
	return NULL;
}

/* ---- heads ---- */

void
http_begin(struct http_head *h)
{
	memset(h, 0, offsetof(struct http_head, fields));
	h->length = -1;
}

/* The next line, without its end: 1, or 0 if it has not come, or -400. */
static int
next_line(struct http_head *h, const char *buf, size_t n,
    struct http_text *line)
{
	const char *from = buf + h->size;
	const char *end = memchr(buf + h->seen, '\n', n - h->seen);

	h->seen = end ? (size_t)(end - buf) + 1 : n;
	if (!end)
		return 0;
	if (end == from || end[-1] != '\r')
		return -400;
	h->size = h->seen;
	*line = span(from, end - 1);
	return 1;
}

/* The fields, up to the empty line. */
static int
parse_fields(struct http_head *h, const char *buf, size_t n)
{
	struct http_text line;
	int got;

	while ((got = next_line(h, buf, n, &line)) > 0) {
		if (!line.size)
			return 1;
		if ((got = field_line(h, line)))
			break;
	}
	return got;
}

/* What must hold of every message; 1. */
static int
finish(struct http_head *h)
{
	if (h->chunked && (h->length >= 0 || h->minor == 0))
		return -400;
	h->keep = !h->says_close && (h->minor > 0 || h->says_keep);
	return 1;
}

int
http_parse_request(struct http_head *h, const char *buf, size_t n)
{
	struct http_text line;
	int got;

	while (!h->method.at) {
		if ((got = next_line(h, buf, n, &line)) <= 0)
			return got;
		/* Empty lines before a request are allowed for. */
		if (line.size && (got = request_line(h, line)))
			return got;
	}
	if ((got = parse_fields(h, buf, n)) <= 0)
		return got;
	if (h->minor > 0 && h->hosts == 0)
		return -400;
	h->expects_continue &= h->minor > 0;
	return finish(h);
}

int
http_parse_response(struct http_head *h, const char *buf, size_t n)
{
	struct http_text line;
	int got;

	if (!h->status) {
		if ((got = next_line(h, buf, n, &line)) <= 0)
			return got;
		if ((got = status_line(h, line)))
			return got;
	}
	got = parse_fields(h, buf, n);
	return got > 0 ? finish(h) : got;
}

/* ---- queries ---- */

static int
hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
decode(struct http_text t, char *value, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < t.size; i++) {
		int c = t.at[i] == '+' ? ' ' : t.at[i];

		if (c == '%') {
			if (t.size - i < 3 || hex(t.at[i + 1]) < 0 ||
			    hex(t.at[i + 2]) < 0)
				return -EINVAL;
			c = 16 * hex(t.at[i + 1]) + hex(t.at[i + 2]);
			i += 2;
		}
		if (!c || n + 1 >= size)
			return -EINVAL;
		value[n++] = (char)c;
	}
	value[n] = '\0';
	return (int)n;
}

int
http_query(const struct http_head *h, const char *name, char *value,
    size_t size)
{
	struct http_text rest = h->query;

	while (rest.size) {
		struct http_text pair = cut(&rest, '&');

		if (http_is(cut(&pair, '='), name))
			return decode(pair, value, size);
	}
	return -ENOENT;
}

/* ---- chunks ---- */

enum {
	FIRST_DIGIT, DIGITS, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF,
	TRAILER, TRAILER_LINE, TRAILER_LF, LAST_LF, ENDED
};

/* The state after c in the line before a chunk, or -status. */
static int
size_line(struct http_chunks *k, char c)
{
	int digit = hex(c);

	if (++k->line > HTTP_LINE)
		return -400;
	if (k->state != EXTENSION && digit >= 0) {
		if (k->left >> 56)
			return -413;
		k->left = 16 * k->left + (uint64_t)digit;
		return DIGITS;
	}
	if (k->state == FIRST_DIGIT)
		return -400;
	if (c == '\r')
		return SIZE_LF;
	if (k->state == DIGITS && c != ';')
		return -400;
	return is_all(span(&c, &c + 1), VALUE) ? EXTENSION : -400;
}

/* The state after c in the lines after the last chunk, or -400. */
static int
trailer(struct http_chunks *k, char c)
{
	if (++k->line > HTTP_TRAILER)
		return -400;
	if (c == '\r')
		return k->state == TRAILER ? LAST_LF : TRAILER_LF;
	return is_all(span(&c, &c + 1), VALUE) ? TRAILER_LINE : -400;
}

/* The state after c, or -status. */
static int
step(struct http_chunks *k, char c)
{
	switch (k->state) {
	case FIRST_DIGIT:
	case DIGITS:
	case EXTENSION: return size_line(k, c);
	case SIZE_LF:
		k->line = 0;
		return c != '\n' ? -400 : k->left ? DATA : TRAILER;
	case DATA_CR: return c == '\r' ? DATA_LF : -400;
	case DATA_LF: return c == '\n' ? FIRST_DIGIT : -400;
	case TRAILER:
	case TRAILER_LINE: return trailer(k, c);
	case TRAILER_LF: return c == '\n' ? TRAILER : -400;
	case LAST_LF: return c == '\n' ? ENDED : -400;
	}
	return -400;
}

int
http_chunks_next(struct http_chunks *k, const char *in, size_t n,
    size_t *used, struct http_text *data)
{
	size_t i = 0;

	*data = span(in, in);
	while (k->state >= 0 && k->state != ENDED && k->state != DATA && i < n)
		k->state = step(k, in[i++]);
	if (k->state == DATA && i < n) {
		data->at = in + i;
		data->size = n - i < k->left ? n - i : (size_t)k->left;
		k->left -= data->size;
		i += data->size;
		if (!k->left)
			k->state = DATA_CR;
	}
	*used = i;
	return k->state < 0 ? k->state : k->state == ENDED;
}
