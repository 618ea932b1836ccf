/* SPDX-License-Identifier: MIT */
/*
 * resp.c - RESP2: buffers, requests, replies.
 *
 *	in.data  [ done | request: parsed | not parsed | free ]
 *	               begin            at          in.used   in.room
 *
 * A request may come in many pieces: what has been parsed of it is not parsed
 * again.
 */
#include "resp.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ROOM = 16 * 1024, LARGE = 256 * 1024 };

/* ---- bytes ---- */

bool
buffer_reserve(struct buffer *b, size_t more)
{
	size_t room = b->room ? b->room : 1024;
	char *data;

	if (b->room - b->used >= more)
		return !b->failed;
	while (room - b->used < more)
		room *= 2;
	data = b->failed ? NULL : realloc(b->data, room);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->room = room;
	return true;
}

void
buffer_put(struct buffer *b, const void *data, size_t size)
{
	if (!buffer_reserve(b, size))
		return;
	memcpy(b->data + b->used, data, size);
	b->used += size;
}

void
buffer_swap(struct buffer *a, struct buffer *b)
{
	struct buffer other = *a;

	*a = *b;
	*b = other;
}

void
buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){0};
}

void
buffer_clear(struct buffer *b)
{
	b->used = 0;
	if (b->room > LARGE || b->failed)
		buffer_free(b);
}

/* ---- requests ---- */

/* The request goes to the beginning of the buffer: its arguments with it. */
static void
move(struct reader *r, char *to)
{
	for (int i = 0; i < r->argc; i++)
		r->args[i].data = to + (r->args[i].data -
		    (r->in.data + r->begin));
	r->at -= r->begin;
	r->in.used -= r->begin;
	r->begin = 0;
}

char *
reader_room(struct reader *r, size_t *room)
{
	struct buffer old = r->in, new = {0};
	size_t kept = old.used - r->begin;

	if (!r->open)
		r->argc = 0;
	if (!r->open && !kept) {
		r->begin = r->at = 0;
		buffer_clear(&r->in);
	} else if (old.room - kept >= ROOM / 2 && r->begin > 0) {
		memmove(old.data, old.data + r->begin, kept);
		move(r, old.data);
	}
	if (r->in.room - r->in.used < ROOM / 2) {
		if (!buffer_reserve(&new, r->in.used < ROOM / 2 ? ROOM :
		    2 * r->in.used))
			return NULL;
		if (kept)
			buffer_put(&new, r->in.data + r->begin, kept);
		move(r, new.data);
		free(r->in.data);
		r->in = new;
	}
	*room = r->in.room - r->in.used;
	return r->in.data + r->in.used;
}

__attribute__((format(printf, 2, 3)))
static int
fail(struct reader *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->error, sizeof r->error, format, ap);
	va_end(ap);
	return -1;
}

static bool
add(struct reader *r, char *data, size_t size)
{
	size_t room = r->room ? 2 * r->room : 8;

	if ((size_t)r->argc == r->room) {
		struct arg *args = realloc(r->args, room * sizeof *args);

		if (!args)
			return false;
		r->args = args;
		r->room = room;
	}
	r->args[r->argc++] = (struct arg){ data, size, 0 };
	return true;
}

/* The line that begins where r is, without its end: its length, -1 if its end
 * has not come, -2 if it is too long. */
static ptrdiff_t
line(struct reader *r, char end)
{
	char *from = r->in.data + r->at;
	size_t left = r->in.used - r->at;
	char *to = memchr(from, end, left);

	if (!to || (end == '\r' && to + 1 == r->in.data + r->in.used))
		return left > RESP_LINE ? -2 : -1;
	return to - from;
}

/* The number in a line such as $5, least to most: 1, 0 for more, or -1. */
static int
header(struct reader *r, const char *name, int64_t least, int64_t most,
    int64_t *n)
{
	char *from = r->in.data + r->at;
	ptrdiff_t size = line(r, '\r');

	if (size < 0)
		return size == -1 ? 0 : fail(r, "too big %s count string",
		    least < 0 ? "mbulk" : "bulk");
	if (!arg_number(&(struct arg){ from + 1, (size_t)size - 1, 0 }, n) ||
	    *n < least || *n > most)
		return fail(r, "invalid %s length", name);
	r->at += (size_t)size + 2;
	return 1;
}

/* The next argument of an array: 1, 0 for more, or -1. */
static int
string(struct reader *r)
{
	char *from = r->in.data + r->at;
	int got;

	if (r->bulk < 0) {
		if (r->at >= r->in.used)
			return 0;
		if (*from != '$')
			return fail(r, "expected '$', got '%c'",
			    *from ? *from : ' ');
		if ((got = header(r, "bulk", 0, RESP_STRING, &r->bulk)) != 1)
			return got;
		from = r->in.data + r->at;
	}
	if ((int64_t)(r->in.used - r->at) < r->bulk + 2)
		return r->at - r->begin + (size_t)r->bulk > RESP_REQUEST ?
		    fail(r, "too big request") : 0;
	if (!add(r, from, (size_t)r->bulk))
		return fail(r, "out of memory");
	r->at += (size_t)r->bulk + 2;
	r->bulk = -1;
	r->missing--;
	return 1;
}

static int
hex(int c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* What follows a backslash in double quotes, at *p, which is moved on. */
static char
escape(const char **p, const char *end)
{
	const char *s = *p;

	if (end - s > 2 && *s == 'x' && isxdigit((unsigned char)s[1]) &&
	    isxdigit((unsigned char)s[2])) {
		*p = s + 3;
		return (char)(hex((unsigned char)s[1]) * 16 +
		    hex((unsigned char)s[2]));
	}
	*p = s + 1;
	switch (*s) {
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'b': return '\b';
	case 'a': return '\a';
	}
	return *s;
}

/* One word of a line, its quotes taken off in place; NULL if they do not
 * match. */
static const char *
word(const char *s, const char *end, char *to, size_t *size)
{
	char *begin = to, quote = 0;

	for (; s < end && (quote || !isspace((unsigned char)*s)); ) {
		if (quote == '"' && *s == '\\' && s + 1 < end) {
			s++;
			*to++ = escape(&s, end);
		} else if (quote == '\'' && *s == '\\' && s + 1 < end &&
		    s[1] == '\'') {
			*to++ = '\'';
			s += 2;
		} else if (quote && *s == quote) {
			if (++s < end && !isspace((unsigned char)*s))
				return NULL;
			quote = 0;
			break;
		} else if (!quote && (*s == '"' || *s == '\'')) {
			quote = *s++;
		} else
			*to++ = *s++;
	}
	*size = (size_t)(to - begin);
	return quote ? NULL : s;
}

/* A request that is a line of words, for those who use telnet. */
static int
words(struct reader *r)
{
	ptrdiff_t size = line(r, '\n');
	char *from = r->in.data + r->at;
	const char *s = from, *end = from + size;

	if (size < 0)
		return size == -1 ? 0 : fail(r, "too big inline request");
	r->at += (size_t)size + 1;
	for (;;) {
		char *begin;
		size_t n;

		while (s < end && isspace((unsigned char)*s))
			s++;
		if (s == end)
			return 1;
		begin = (char *)(uintptr_t)s;
		if (!(s = word(s, end, begin, &n)))
			return fail(r, "unbalanced quotes in request");
		if (!add(r, begin, n))
			return fail(r, "out of memory");
	}
}

/* Where a request begins. */
static int
start(struct reader *r)
{
	int64_t n;
	int got;

	r->begin = r->at;
	r->argc = r->missing = 0;
	r->bulk = -1;
	if (r->at >= r->in.used)
		return 0;
	if (r->in.data[r->at] != '*')
		return words(r);
	if ((got = header(r, "multibulk", INT64_MIN, RESP_ARGS, &n)) == 1) {
		r->missing = n > 0 ? (int)n : 0;
		r->open = true;
	}
	return got;
}

int
reader_next(struct reader *r)
{
	int got;

	do {
		if (!r->open && (got = start(r)) != 1)
			return got;
		while (r->missing > 0)
			if ((got = string(r)) != 1)
				return got;
		r->open = false;
	} while (r->argc == 0);		/* an empty line, or *0: passed over */
	return 1;
}

void
reader_free(struct reader *r)
{
	buffer_free(&r->in);
	free(r->args);
}

bool
arg_is(const struct arg *a, const char *word)
{
	return strlen(word) == a->size &&
	    strncasecmp(a->data, word, a->size) == 0;
}

bool
arg_number(const struct arg *a, int64_t *n)
{
	const char *s = a->data, *end = s + a->size;
	bool minus = a->size > 1 && *s == '-';
	int64_t value = 0;

	s += minus;
	if (s == end || (*s == '0' && (minus || end - s > 1)))
		return false;
	for (; s < end; s++)
		if (*s < '0' || *s > '9' ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, *s - '0', &value))
			return false;
	*n = value;
	return minus || !__builtin_sub_overflow(0, value, n);
}

/* ---- replies ---- */

/* A mark and a number, such as :42. */
static void
put_number(struct buffer *b, char mark, int64_t n)
{
	char text[24], *at = text + sizeof text;
	uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	*--at = '\n';
	*--at = '\r';
	do
		*--at = (char)('0' + u % 10);
	while (u /= 10);
	if (n < 0)
		*--at = '-';
	*--at = mark;
	buffer_put(b, at, (size_t)(text + sizeof text - at));
}

void
resp_status(struct buffer *b, const char *text)
{
	buffer_put(b, "+", 1);
	buffer_put(b, text, strlen(text));
	buffer_put(b, "\r\n", 2);
}

void
resp_error(struct buffer *b, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	for (char *s = text; *s; s++)
		if (*s == '\r' || *s == '\n')
			*s = ' ';
	buffer_put(b, "-", 1);
	buffer_put(b, text, strlen(text));
	buffer_put(b, "\r\n", 2);
}

void
resp_number(struct buffer *b, int64_t n)
{
	put_number(b, ':', n);
}

void
resp_string(struct buffer *b, const void *data, size_t size)
{
	put_number(b, '$', (int64_t)size);
	if (!buffer_reserve(b, size + 2))
		return;
	memcpy(b->data + b->used, data, size);
	memcpy(b->data + b->used + size, "\r\n", 2);
	b->used += size + 2;
}

void
resp_text(struct buffer *b, const char *text)
{
	resp_string(b, text, strlen(text));
}

void
resp_nil(struct buffer *b)
{
	buffer_put(b, "$-1\r\n", 5);
}

void
resp_array(struct buffer *b, size_t n)
{
	put_number(b, '*', (int64_t)n);
}

void
resp_array_at(struct buffer *b, size_t at, size_t n)
{
	size_t used = b->used;
	char head[32];

	resp_array(b, n);
	if (b->failed)
		return;
	memcpy(head, b->data + used, b->used - used);
	memmove(b->data + at + (b->used - used), b->data + at, used - at);
	memcpy(b->data + at, head, b->used - used);
}
