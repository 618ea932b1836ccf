/* SPDX-License-Identifier: MIT */
/*
 * http_parser.c - the parser of the HTTP examples: what it takes, and what it
 * refuses.
 *
 * With -DWEFT_FUZZ and -fsanitize=fuzzer it is a fuzz target instead.  Either
 * way the same must come out of a text whether it comes at once or in pieces.
 */
#include "../examples/http_server/http.c"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 65536 };

/* What came out of a text. */
struct outcome {
	int head, chunks;		/* the last results */
	size_t head_size, used;		/* bytes taken */
	size_t body;
	uint64_t sum;			/* over the parts of the head */
};

static uint64_t
mix(uint64_t sum, struct http_text t)
{
	for (size_t i = 0; i < t.size; i++)
		sum = 31 * sum + (unsigned char)t.at[i];
	return 31 * sum + t.size;
}

static uint64_t
sum_of(const struct http_head *h)
{
	uint64_t sum = (uint64_t)h->length + (uint64_t)h->keep +
	    (uint64_t)h->chunked * 2 + (uint64_t)h->status * 8;

	sum = mix(mix(mix(sum, h->method), h->path), h->query);
	sum = mix(sum, h->host);
	for (int i = 0; i < h->count; i++)
		sum = mix(mix(sum, h->fields[i].name), h->fields[i].value);
	return sum;
}

/* A whole body of chunks, the text ending anywhere. */
static void
take_chunks(struct outcome *o, const char *text, size_t size, size_t piece)
{
	struct http_chunks k = { 0 };
	struct http_text data;
	size_t used, have;

	for (have = piece; o->chunks == 0; have += piece) {
		if (have > size)
			have = size;
		do {
			o->chunks = http_chunks_next(&k, text + o->used,
			    have - o->used, &used, &data);
			assert(used <= have - o->used);
			assert(data.size <= used);
			o->used += used;
			o->body += data.size;
		} while (o->chunks == 0 && o->used < have);
		if (have == size)
			return;
	}
}

/* Each call sees so many more bytes than the one before. */
static struct outcome
take(const char *text, size_t size, size_t piece,
    int (*parse)(struct http_head *, const char *, size_t))
{
	static _Thread_local struct http_head h;
	struct outcome o = { 0 };
	size_t have;

	http_begin(&h);
	for (have = piece; o.head == 0; have += piece) {
		if (have > size)
			have = size;
		o.head = parse(&h, text, have);
		assert(h.size <= have);
		if (have == size)
			break;
	}
	o.head_size = h.size;
	if (o.head == 1)
		o.sum = sum_of(&h);
	if (o.head == 1 && h.chunked)
		take_chunks(&o, text + h.size, size - h.size, piece);
	return o;
}

/* In pieces as at once. */
static int
consistent(const char *text, size_t size)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64 };
	int (*const parsers[])(struct http_head *, const char *, size_t) = {
	    http_parse_request, http_parse_response };

	for (int p = 0; p < 2; p++) {
		struct outcome all = take(text, size, size + 1, parsers[p]);

		for (int i = 0; i < 5; i++) {
			struct outcome o = take(text, size, pieces[i],
			    parsers[p]);

			if (memcmp(&o, &all, sizeof o) != 0)
				return 0;
		}
	}
	return 1;
}

#ifdef WEFT_FUZZ

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);	/* ends where it ends */

	if (!text)
		return 0;
	memcpy(text, data, size);
	text = realloc(text, size ? size : 1);
	if (!consistent(text, size))
		abort();
	free(text);
	return 0;
}

#else

#include "tap.h"

struct sample {
	int want;
	const char *text;
};

#define HOST "Host: weft\r\n"

static const struct sample requests[] = {
	{ 1, "GET / HTTP/1.1\r\n" HOST "\r\n" },
	{ 1, "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n" },
	{ 1, "GET / HTTP/1.0\r\n\r\n" },
	{ 1, "GET / HTTP/1.7\r\n" HOST "\r\n" },
	{ 1, "GET /a?b=c&d HTTP/1.1\r\nhOsT:weft:80 \t \r\nA:\r\n\r\n" },
	{ 1, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n" },
	{ 1, "CONNECT weft:443 HTTP/1.1\r\n" HOST "\r\n" },
	{ 1, "GET http://weft/a HTTP/1.1\r\n" HOST "\r\n" },
	{ 1, "GET HTTP://weft?a HTTP/1.1\r\n" HOST "\r\n" },
	{ 1, "B!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n" HOST "\r\n" },
	{ 1, "GET / HTTP/1.1\r\n" HOST "A: \xc3\xa4\t\x80\r\n\r\n" },
	{ 1, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n" },
	{ 1, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0012\r\n\r\n" },
	{ 1, "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n" },
	{ 1, "GET / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n" },
	/* More is needed. */
	{ 0, "" },
	{ 0, "\r" },
	{ 0, "GET / HTTP/1.1" },
	{ 0, "GET / HTTP/1.1\r\n" HOST },
	{ 0, "GET / HTTP/1.1\r\n" HOST "\r" },
	/* First lines. */
	{ -400, "\n" },
	{ -400, "GET / HTTP/1.1\n" },
	{ -400, "GET /\r\n" },
	{ -400, "GET  / HTTP/1.1\r\n" },
	{ -400, "GET / HTTP/1.1 \r\n" },
	{ -400, " GET / HTTP/1.1\r\n" },
	{ -400, "GET\t/ HTTP/1.1\r\n" },
	{ -400, "GET / HTTP/1.1\r\r\n" },
	{ -400, "GET / HTTP/1.11\r\n" },
	{ -400, "GET / HTTP/11\r\n" },
	{ -400, "GET / http/1.1\r\n" },
	{ -400, "GET / HTTP/x.1\r\n" },
	{ -400, "G(T / HTTP/1.1\r\n" },
	{ -400, "G\xc3T / HTTP/1.1\r\n" },
	{ -400, "GET a HTTP/1.1\r\n" },
	{ -400, "GET * HTTP/1.1\r\n" },
	{ -400, "GET /a#b HTTP/1.1\r\n" },
	{ -400, "GET /\x7f HTTP/1.1\r\n" },
	{ -400, "GET /\xc3\xa4 HTTP/1.1\r\n" },
	{ -400, "GET http:///a HTTP/1.1\r\n" },
	{ -400, "GET http://a@weft/ HTTP/1.1\r\n" },
	{ -400, "GET https://weft/ HTTP/1.1\r\n" },
	{ -505, "GET / HTTP/2.0\r\n" },
	{ -505, "PRI * HTTP/2.0\r\n" },
	{ -505, "GET / HTTP/0.9\r\n" },
	/* Fields. */
	{ -400, "GET / HTTP/1.1\r\n\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n" },
	{ -400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" },
	{ -400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST "A\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST ": a\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST "A : b\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST "A\t: b\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST " A: b\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST "A: b\r\n\tc: d\r\n" },
	{ -400, "GET / HTTP/1.1\r\n " HOST "\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST "A: b\x01\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST "A: b\n\r\n" },
	{ -400, "GET / HTTP/1.1\r\n" HOST "\n" },
	{ -417, "GET / HTTP/1.1\r\n" HOST "Expect: more\r\n" },
	/* How long is it? */
#define POST "POST / HTTP/1.1\r\n" HOST
	{ -400, POST "Content-Length: 3\r\nContent-Length: 3\r\n" },
	{ -400, POST "Content-Length: 3\r\nContent-Length: 4\r\n" },
	{ -400, POST "Content-Length: 3, 3\r\n" },
	{ -400, POST "Content-Length: +3\r\n" },
	{ -400, POST "Content-Length: -3\r\n" },
	{ -400, POST "Content-Length: 0x3\r\n" },
	{ -400, POST "Content-Length: 3 3\r\n" },
	{ -400, POST "Content-Length:\r\n" },
	{ -400, POST "Content-Length : 3\r\n" },
	{ -413, POST "Content-Length: 99999999999999999999\r\n" },
	{ -400, POST "Content-Length: 3\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n" },
	{ -400, POST "Transfer-Encoding: chunked\r\n"
	    "Content-Length: 3\r\n\r\n" },
	{ -400, POST "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: chunked\r\n" },
	{ -501, POST "Transfer-Encoding: chunked, chunked\r\n" },
	{ -501, POST "Transfer-Encoding: gzip, chunked\r\n" },
	{ -501, POST "Transfer-Encoding: chunked, identity\r\n" },
	{ -501, POST "Transfer-Encoding: identity\r\n" },
	{ -501, POST "Transfer-Encoding: xchunked\r\n" },
	{ -501, POST "Transfer-Encoding: \"chunked\"\r\n" },
	{ -501, POST "Transfer-Encoding:\r\n" },
	{ -400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
};

/* Bodies of chunks; the number is that of the bytes in it, or -400, or -1 when
 * more is needed. */
static const struct sample bodies[] = {
	{ 0, "0\r\n\r\n" },
	{ 0, "000\r\n\r\n" },
	{ 3, "3\r\nabc\r\n0\r\n\r\n" },
	{ 3, "3;a=b;c=\"d\"\r\nabc\r\n0\r\n\r\n" },
	{ 12, "A\r\n0123456789\r\n2\r\nab\r\n0\r\nA: b\r\nC: d\r\n\r\n" },
	{ 10, "a\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1" },
	{ -1, "" },
	{ -1, "3\r\nab" },
	{ -1, "3\r\nabc\r\n0\r\n" },
	{ -1, "0\r\nA: b\r\n" },
	{ -400, "\r\n" },
	{ -400, ";\r\n" },
	{ -400, "g\r\n" },
	{ -400, "-1\r\n" },
	{ -400, "+1\r\n" },
	{ -400, "0x1\r\n" },
	{ -400, " 1\r\n" },
	{ -400, "1 \r\n" },
	{ -400, "1\n" },
	{ -400, "1\r\r\n" },
	{ -400, "1;\n" },
	{ -400, "1;\x01\r\n" },
	{ -400, "1\r\nab" },
	{ -400, "1\r\na\n" },
	{ -400, "1\r\na\r\r" },
	{ -400, "0\r\n\n" },
	{ -400, "0\r\n\r\r" },
	{ -400, "0\r\nA: b\n" },
	{ -413, "11111111111111111\r\n" },
};

#define COUNT(array) (int)(sizeof (array) / sizeof *(array))

static void
check_requests(void)
{
	for (int i = 0; i < COUNT(requests); i++) {
		const struct sample *s = &requests[i];
		size_t size = strlen(s->text);
		int got = take(s->text, size, size + 1, http_parse_request)
		    .head;

		if (got != s->want)
			tap_note("%d of %s", got, s->text);
		check_eq(got, s->want);
		check(consistent(s->text, size));
	}
}

static void
check_parts(void)
{
	static const char text[] = "PUT /a/b?c=d%20e&f=+&g=%4&h&i=%00&j=jjjj "
	    "HTTP/1.1\r\nHost: weft\r\nA: 1\r\na: 2\r\n"
	    "Connection: Keep-Alive, close\r\nContent-Length: 17\r\n\r\nbody";
	struct http_head h;
	char value[4];

	http_begin(&h);
	check_eq(http_parse_request(&h, text, sizeof text - 1), 1);
	check_eq(h.size, sizeof text - 5);
	check(http_is(h.method, "PUT") && http_is(h.path, "/a/b"));
	check(http_is(h.host, "weft") && h.length == 17 && !h.keep);
	check_eq(h.count, 5);
	check(http_is(http_find(&h, "A")->value, "1"));
	check(!http_find(&h, "B"));
	check_eq(http_query(&h, "c", value, sizeof value), 3);
	check(strcmp(value, "d e") == 0);
	check_eq(http_query(&h, "f", value, sizeof value), 1);
	check(strcmp(value, " ") == 0);
	check_eq(http_query(&h, "g", value, sizeof value), -EINVAL);
	check_eq(http_query(&h, "h", value, sizeof value), 0);
	check_eq(http_query(&h, "i", value, sizeof value), -EINVAL);
	check_eq(http_query(&h, "j", value, sizeof value), -EINVAL);
	check_eq(http_query(&h, "k", value, sizeof value), -ENOENT);
}

/* A target in absolute form: its host wins. */
static void
check_absolute(void)
{
	static const char text[] =
	    "GET http://b:80?x HTTP/1.1\r\nHost: a\r\n\r\n";
	struct http_head h;

	http_begin(&h);
	check_eq(http_parse_request(&h, text, sizeof text - 1), 1);
	check(http_is(h.host, "b:80") && http_is(h.path, "/"));
	check(http_is(h.query, "x") && h.keep);
}

static void
check_many_fields(void)
{
	static char text[MOST];
	size_t n = (size_t)sprintf(text, "GET / HTTP/1.1\r\n" HOST);

	for (int i = 0; i < HTTP_FIELDS - 1; i++)
		n += (size_t)sprintf(text + n, "A%d: b\r\n", i);
	sprintf(text + n, "\r\n");
	check_eq(take(text, n + 2, n + 3, http_parse_request).head, 1);
	n += (size_t)sprintf(text + n, "B: c\r\n\r\n");
	check_eq(take(text, n, n + 1, http_parse_request).head, -431);
}

static void
check_chunks(void)
{
	static const char head[] = POST "Transfer-Encoding: chunked\r\n\r\n";
	char text[512];

	for (int i = 0; i < COUNT(bodies); i++) {
		const struct sample *s = &bodies[i];
		size_t size = (size_t)snprintf(text, sizeof text, "%s%s", head,
		    s->text);
		struct outcome o = take(text, size, size + 1,
		    http_parse_request);
		int got = o.chunks < 0 ? o.chunks : o.chunks ? (int)o.body : -1;

		if (got != s->want)
			tap_note("%d of %s", got, s->text);
		check_eq(got, s->want);
		check(consistent(text, size));
	}
}

static void
check_responses(void)
{
	static const struct sample samples[] = {
		{ 200, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" },
		{ 404, "HTTP/1.0 404 \r\n\r\n" },
		{ 304, "HTTP/1.1 304\r\n\r\n" },
		{ -400, "HTTP/1.1 20 OK\r\n\r\n" },
		{ -400, "HTTP/1.1 2000 OK\r\n\r\n" },
		{ -400, "HTTP/1.1 099 OK\r\n\r\n" },
		{ -400, "HTTP/1.1  200 OK\r\n\r\n" },
		{ -400, "ICY 200 OK\r\n\r\n" },
		{ -505, "HTTP/2.0 200 OK\r\n\r\n" },
		{ -400, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n" },
	};
	struct http_head h;
	int got;

	for (int i = 0; i < COUNT(samples); i++) {
		http_begin(&h);
		got = http_parse_response(&h, samples[i].text,
		    strlen(samples[i].text));
		check_eq(got == 1 ? h.status : got, samples[i].want);
	}
}

/* Texts that are nearly right: one of the samples, or two, some bytes of it
 * changed, doubled or left out. */
static size_t
make_text(uint64_t seed, char *text, size_t room)
{
	static const char odd[] = "\r\n\t :;,0aF\0\x7f\xff/?#HTTP/1.1";
	size_t n = 0;

	for (uint64_t parts = 1 + tap_random(&seed) % 3; parts--;) {
		const struct sample *s = tap_random(&seed) % 3 ?
		    &requests[tap_random(&seed) % COUNT(requests)] :
		    &bodies[tap_random(&seed) % COUNT(bodies)];

		n += (size_t)snprintf(text + n, room - n, "%s", s->text);
	}
	for (uint64_t edits = tap_random(&seed) % 4; n && edits--;) {
		size_t at = tap_random(&seed) % n;

		switch (tap_random(&seed) % 3) {
		case 0:
			text[at] = odd[tap_random(&seed) % (sizeof odd - 1)];
			break;
		case 1:
			memmove(text + at, text + at + 1, --n - at);
			break;
		case 2:
			memmove(text + at + 1, text + at, n++ - at);
			break;
		}
	}
	return n;
}

static void
check_generated(void)
{
	uint64_t seed = tap_seed();
	long right = 0, n = tap_scale(200000, 20000);
	char text[2048], *copy;
	size_t size;

	for (long i = 0; i < n; i++) {
		size = make_text(seed + (uint64_t)i, text, sizeof text - 8);
		/* In memory that ends where it ends. */
		copy = malloc(size ? size : 1);
		memcpy(copy, text, size);
		if (!consistent(copy, size))
			check(!"in pieces as at once");
		right += take(copy, size, size + 1, http_parse_request)
		    .head == 1;
		free(copy);
	}
	check(right > n / 50 && right < n / 2);
}

int
main(void)
{
	tap_plain("requests", check_requests);
	tap_plain("the parts of a request", check_parts);
	tap_plain("a target in absolute form", check_absolute);
	tap_plain("too many fields", check_many_fields);
	tap_plain("chunks", check_chunks);
	tap_plain("responses", check_responses);
	tap_plain("thousands that are nearly right", check_generated);
	return tap_end();
}

#endif
