/* SPDX-License-Identifier: MIT */
/*
 * http.c - the server of examples/http_server, in one process with clients
 * that say byte for byte what they want.
 */
#include "../examples/http_server/http.c"
#include "../examples/http_server/reply.c"
#include "../examples/http_server/client.c"
#include "../examples/http_server/server.c"

#include "tap.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#define COUNT(array) (int)(sizeof (array) / sizeof *(array))
#define HOST "Host: weft\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST "POST /echo HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

enum { BODY_MAX = 100000, BIG = 1 << 20 };

/* ---- the server's side ---- */

static wf_chan(int) ended;		/* how the handler's context ended */
static wf_chan(int) gate;		/* a handler waits here */
static wf_chan(int) arrived;		/* and says so before */
static atomic_int inside, most_inside;
static char big[BIG];

static void
hello(struct client *c)
{
	reply(c, 200, "text/plain", "hello\n", 6);
}

static void
echo(struct client *c)
{
	reply(c, 200, "text/plain", c->body.at, c->body.size);
}

static void
silent(struct client *c)
{
	(void)c;
}

static void
large(struct client *c)
{
	reply(c, 200, "text/plain", big, sizeof big);
}

/* Until the context ends. */
static void
linger_on(struct client *c)
{
	wf_send(arrived, 1);
	wf_send(ended, wf_sleep_ctx(client_ctx(c), WF_FOREVER));
}

static void
nap(struct client *c)
{
	check_eq(wf_sleep_ctx(client_ctx(c), 60 * WF_MS), 0);
	reply_text(c, 200, "%d bytes\n", (int)c->body.size);
}

static void
pass(struct client *c)
{
	int n;

	client_ctx(c);
	wf_send(arrived, 1);
	wf_recv(gate, &n);
	reply_text(c, 200, "passed\n");
}

/* With a context, and watched. */
static void
watched(struct client *c)
{
	check_eq(wf_ctx_err(client_ctx(c)), 0);
	reply_text(c, 200, "watched\n");
}

static void
crowd(struct client *c)
{
	int n = atomic_fetch_add(&inside, 1) + 1;
	int most = atomic_load(&most_inside);

	while (n > most &&
	    !atomic_compare_exchange_weak(&most_inside, &most, n))
		;
	wf_sleep(WF_MS);
	atomic_fetch_sub(&inside, 1);
	reply_text(c, 200, "crowded\n");
}

static void
injected(struct client *c)
{
	reply_field(c, "X-Good", "1");
	reply_field(c, "X-Bad", "1\r\nX-Worse: 1");
	reply_text(c, 200, "fields\n");
}

static const struct route routes[] = {
	{ "/", "GET, HEAD", hello },
	{ "/echo", "POST", echo },
	{ "/silent", "GET", silent },
	{ "/large", "GET, HEAD", large },
	{ "/linger", "GET", linger_on },
	{ "/nap", "POST", nap },
	{ "/pass", "GET", pass },
	{ "/watched", "GET", watched },
	{ "/crowd", "GET", crowd },
	{ "/injected", "GET", injected },
	{ NULL, NULL, NULL }
};

struct options {
	size_t connections;
	int64_t grace;
	struct service service;
};

static struct options
options(void)
{
	return (struct options){ 1000, 60 * WF_SEC, { routes, "", BODY_MAX,
	    60 * WF_SEC, 60 * WF_SEC, 60 * WF_SEC, 60 * WF_SEC } };
}

static void
start(struct server *s, struct options o)
{
	static struct service service;

	service = o.service;
	memset(s, 0, sizeof *s);
	s->name = "http";
	s->connections = o.connections;
	s->grace = o.grace;
	s->serve = client_serve;
	s->data = &service;
	check_eq(server_open(s, "127.0.0.1:0"), 0);
	check_eq(wf_waitgroup_spawn(&s->running, server_run, s), 0);
	ended = wf_chan_make(int, 100);
	gate = wf_chan_make(int, 0);
	arrived = wf_chan_make(int, 100);
}

static void
stop(struct server *s)
{
	check_eq(server_close(s), 0);
	check_eq(atomic_load(&s->requests), 0);
	wf_chan_free(ended);
	wf_chan_free(gate);
	wf_chan_free(arrived);
}

/* ---- the client's side ---- */

static wf_ctx *
bg(void)
{
	return wf_ctx_background();
}

static wf_conn *
dial(struct server *s)
{
	wf_conn *c = NULL;

	check_eq(wf_dial(bg(), "tcp", s->address, &c), 0);
	return c;
}

static void
say_bytes(wf_conn *c, const char *text, size_t size, size_t piece)
{
	for (size_t n; size; text += n, size -= n) {
		n = size < piece ? size : piece;
		/* The server may have had enough. */
		if (wf_conn_write(bg(), c, text, n) != (ssize_t)n)
			return;
	}
}

static void
say(wf_conn *c, const char *text)
{
	say_bytes(c, text, strlen(text), SIZE_MAX);
}

/* All that comes until the end, or the first n bytes, as a string. */
static size_t
hear(wf_conn *c, char *text, size_t n)
{
	size_t have = 0;
	ssize_t got;

	while (have < n && (got = wf_conn_read(bg(), c, text + have,
	    n - have)) > 0)
		have += (size_t)got;
	text[have] = '\0';
	return have;
}

/* The statuses in a text of answers, whose bodies know of none. */
static void
list(const char *text, char *statuses)
{
	char *at = statuses;

	*at = '\0';
	while ((text = strstr(text, "HTTP/1.1 "))) {
		text += 9;
		at += sprintf(at, "%s%.3s", at > statuses ? " " : "", text);
	}
}

/* Say all of it, in pieces, and no more; hear all. */
static void
converse(struct server *s, const char *text, size_t size, size_t piece,
    char *heard, size_t room)
{
	wf_conn *c = dial(s);

	say_bytes(c, text, size, piece);
	wf_conn_close_write(c);
	hear(c, heard, room - 1);
	wf_conn_free(c);
}

/* One whole answer: its status, or 0. */
static int
hear_one(wf_conn *c)
{
	static const char end[] = "\r\n\r\n";
	struct http_head h;
	char text[2048];
	size_t have = 0;

	/* Byte by byte, so that nothing of the next one is taken. */
	while (have < 4 || memcmp(text + have - 4, end, 4) != 0)
		if (have == sizeof text ||
		    wf_conn_read(bg(), c, text + have, 1) <= 0)
			return 0;
		else
			have++;
	http_begin(&h);
	check_eq(http_parse_response(&h, text, have), 1);
	for (int64_t i = 0; i < h.length; i++)
		if (wf_conn_read(bg(), c, text, 1) <= 0)
			return 0;
	return h.status;
}

static struct {
	const char *says, *hears;
} talks[] = {
	{ "", "" },
	{ "GET / HT", "" },
	{ GET("/"), "200" },
	{ GET("/") GET("/") GET("/"), "200 200 200" },
	{ "\r\n" GET("/") "\r\n\r\n" GET("/"), "200 200" },
	{ "GET http://weft/ HTTP/1.1\r\n" HOST "\r\n", "200" },
	{ GET("/?a=b"), "200" },
	{ "HEAD / HTTP/1.1\r\n" HOST "\r\n" GET("/"), "200 200" },
	{ GET("/no"), "404" },
	{ GET("/no") GET("/silent") GET("/"), "404 500 200" },
	{ "POST / HTTP/1.1\r\n" HOST "\r\n", "405" },
	{ "get / HTTP/1.1\r\n" HOST "\r\n" GET("/"), "501 200" },
	{ "GET / HTTP/2.0\r\n" GET("/"), "505" },
	{ "G(T / HTTP/1.1\r\n" HOST "\r\n" GET("/"), "400" },
	{ GET("/") "\n" GET("/"), "200 400" },
	/* Keep-alive. */
	{ "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" GET("/"),
	    "200" },
	{ "GET / HTTP/1.0\r\n\r\n" GET("/"), "200" },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET("/"),
	    "200 200" },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n" GET("/"),
	    "200" },
	/* Bodies. */
	{ POST "\r\n" GET("/"), "200 200" },
	{ POST "Content-Length: 3\r\n\r\nabc" GET("/"), "200 200" },
	{ POST "Content-Length: 3\r\n\r\nab", "" },
	{ CHUNKED "3\r\nabc\r\n0\r\n\r\n" GET("/"), "200 200" },
	{ GET("/") CHUNKED "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n"
	    GET("/"), "200 200 200" },
	{ GET("/") CHUNKED "3\r\nab", "200" },
	{ POST "Content-Length: 100001\r\n\r\nabc" GET("/"), "413" },
	{ POST "Content-Length: 99999999999999999999\r\n\r\n", "413" },
	{ CHUNKED "186a1\r\nabc", "413" },
	{ CHUNKED "fffffffffffffff\r\nabc", "413" },
	{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 22\r\n\r\n"
	    "GET /no HTTP/1.1\r\n\r\n\r\n" GET("/"), "200 200" },
	/* Expectations. */
	{ POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
	    "200" },
	{ POST "Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n",
	    "413" },
	{ POST "Expect: 100-continue\r\n\r\n" GET("/"), "200 200" },
	{ POST "Expect: wonders\r\n\r\n" GET("/"), "417" },
	/* What would smuggle the last one. */
	{ POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n" GET("/"), "400" },
	{ POST "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" GET("/"),
	    "400" },
	{ POST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" GET("/"),
	    "400" },
	{ POST "Content-Length : 44\r\n\r\n" GET("/"), "400" },
	{ POST "A: b\r\n Content-Length: 44\r\n\r\n" GET("/"), "400" },
	{ POST "Transfer-Encoding: xchunked\r\n\r\n" GET("/"), "501" },
	{ POST "Transfer-Encoding: chunked, identity\r\n\r\n" GET("/"),
	    "501" },
	{ "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n" GET("/"), "400" },
	{ CHUNKED "3\nabc\r\n0\r\n\r\n" GET("/"), "400" },
	{ CHUNKED "0x3\r\nabc\r\n0\r\n\r\n" GET("/"), "400" },
	{ CHUNKED "3 \r\nabc\r\n0\r\n\r\n" GET("/"), "400" },
	{ CHUNKED "3\r\nabcd\r\n0\r\n\r\n" GET("/"), "400" },
	{ CHUNKED "11111111111111111\r\n" GET("/"), "413" },
	{ CHUNKED "0\r\n\n" GET("/"), "400" },
};

static int
conversations(void)
{
	static const size_t pieces[] = { SIZE_MAX, 1, 5 };
	struct server s;
	char heard[8192], statuses[64];

	start(&s, options());
	for (int i = 0; i < COUNT(talks); i++)
		for (int p = 0; p < COUNT(pieces); p++) {
			converse(&s, talks[i].says, strlen(talks[i].says),
			    pieces[p], heard, sizeof heard);
			list(heard, statuses);
			/* In pieces, it may be asked to go on. */
			if (p && strncmp(statuses, "100 ", 4) == 0)
				memmove(statuses, statuses + 4, 60);
			if (strcmp(statuses, talks[i].hears) != 0)
				tap_note("%s answers %s", statuses,
				    talks[i].says);
			check(strcmp(statuses, talks[i].hears) == 0);
		}
	stop(&s);
	return 0;
}

/* Without the date, which must be there. */
static void
undate(char *text)
{
	char *at, *end;

	while ((at = strstr(text, "Date: "))) {
		end = strstr(at, "GMT\r\n");
		check_eq(end - at, 32);
		memmove(at, end + 5, strlen(end + 5) + 1);
	}
}

static int
answers(void)
{
	static const struct { const char *says, *hears; } exact[] = {
		{ GET("/") "HEAD / HTTP/1.0\r\n\r\n",
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		    "Content-Length: 6\r\n\r\nhello\n"
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		    "Content-Length: 6\r\nConnection: close\r\n\r\n" },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		    "Content-Length: 6\r\nConnection: keep-alive\r\n\r\n"
		    "hello\n" },
		{ "PUT / HTTP/1.1\r\n" HOST "\r\n",
		    "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"
		    "Content-Type: text/plain\r\nContent-Length: 23\r\n\r\n"
		    "405 Method Not Allowed\n" },
		{ GET("/injected"),
		    "HTTP/1.1 200 OK\r\nX-Good: 1\r\n"
		    "Content-Type: text/plain\r\nContent-Length: 7\r\n\r\n"
		    "fields\n" },
		{ CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		    "Content-Length: 5\r\n\r\nabcde" },
	};
	struct server s;
	char heard[8192];

	start(&s, options());
	for (int i = 0; i < COUNT(exact); i++) {
		converse(&s, exact[i].says, strlen(exact[i].says), SIZE_MAX,
		    heard, sizeof heard);
		undate(heard);
		if (strcmp(heard, exact[i].hears) != 0)
			tap_note("heard %s", heard);
		check(strcmp(heard, exact[i].hears) == 0);
	}
	stop(&s);
	return 0;
}

static int
continues(void)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct server s;
	char heard[1024];
	wf_conn *c;

	start(&s, options());
	c = dial(&s);
	say(c, POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	check_eq(hear(c, heard, sizeof go_on - 1), sizeof go_on - 1);
	check(strcmp(heard, go_on) == 0);
	say(c, "abc");
	wf_conn_close_write(c);
	hear(c, heard, sizeof heard - 1);
	check(strstr(heard, "200 OK") && strstr(heard, "\r\n\r\nabc"));
	wf_conn_free(c);
	stop(&s);
	return 0;
}

/* ---- limits ---- */

/* The answer to a head with so many bytes of target and of a field. */
static int
ask_with_head(struct server *s, size_t target, size_t field)
{
	static char text[65536], heard[1024];
	size_t n = (size_t)sprintf(text, "GET /?");

	memset(text + n, 'a', target);
	n += target;
	n += (size_t)sprintf(text + n, " HTTP/1.1\r\n" HOST "A: ");
	memset(text + n, 'b', field);
	n += field;
	n += (size_t)sprintf(text + n, "\r\n\r\n");
	converse(s, text, n, 1000, heard, sizeof heard);
	return atoi(heard + strlen("HTTP/1.1 "));
}

static int
heads(void)
{
	struct server s;

	start(&s, options());
	check_eq(ask_with_head(&s, 10, 10), 200);
	check_eq(ask_with_head(&s, HEAD_MAX - 100, 10), 200);
	check_eq(ask_with_head(&s, 10, HEAD_MAX - 100), 200);
	check_eq(ask_with_head(&s, HEAD_MAX, 10), 414);
	check_eq(ask_with_head(&s, 10, HEAD_MAX), 431);
	check_eq(ask_with_head(&s, 10, 3 * HEAD_MAX), 431);
	check_eq(ask_with_head(&s, 60000, 10), 414);
	stop(&s);
	return 0;
}

static char body[BODY_MAX], heard_back[BODY_MAX + 1024];

/* A body of n bytes comes back, in chunks of so many or in one. */
static void
send_and_hear(struct server *s, size_t n, size_t chunk)
{
	wf_conn *c = dial(s);
	char text[256];
	size_t have;
	char *at;

	snprintf(text, sizeof text, POST "Content-Length: %zu\r\n\r\n", n);
	say(c, chunk ? CHUNKED : text);
	for (size_t sent = 0, part; sent < n; sent += part) {
		part = chunk && chunk < n - sent ? chunk : n - sent;
		snprintf(text, sizeof text, "%zx\r\n", part);
		if (chunk)
			say(c, text);
		say_bytes(c, body + sent, part, SIZE_MAX);
		if (chunk)
			say(c, "\r\n");
	}
	say(c, chunk ? "0\r\n\r\n" : "");
	wf_conn_close_write(c);
	have = hear(c, heard_back, sizeof heard_back - 1);
	at = strstr(heard_back, "\r\n\r\n");
	check(at && memcmp(heard_back, "HTTP/1.1 200", 12) == 0);
	if (at) {
		check_eq(have - (size_t)(at + 4 - heard_back), n);
		check(memcmp(at + 4, body, n) == 0);
	}
	wf_conn_free(c);
}

static int
bodies(void)
{
	static const size_t sizes[] = { 1, 5000, IN_MAX - 100, IN_MAX,
	    OUT_MAX, BODY_MAX };
	uint64_t seed = 1;
	struct server s;

	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)('a' + tap_random(&seed) % 26);
	start(&s, options());
	for (int i = 0; i < COUNT(sizes); i++) {
		send_and_hear(&s, sizes[i], 0);
		send_and_hear(&s, sizes[i], sizes[i] / 7 + 1);
	}
	stop(&s);
	return 0;
}

/* A client that goes on sending is not reset at once, or else it might lose the
 * refusal.  (For a second only: so one of many has to see it.) */
static int
refused_bodies(void)
{
	struct server s;
	int spared = 0;
	wf_conn *c;

	start(&s, options());
	for (int i = 0; i < 20; i++) {
		c = dial(&s);
		say(c, POST "Content-Length: 900000\r\n\r\n");
		check_eq(hear_one(c), 413);
		for (int j = 0; j < 3; j++) {
			say_bytes(c, body, sizeof body, SIZE_MAX);
			tap_settle();
		}
		spared += wf_conn_write(bg(), c, body, 100) == 100;
		wf_conn_free(c);
	}
	check(spared > 0);
	stop(&s);
	return 0;
}

/* ---- time ---- */

/* What is heard after text, without an end of ours: is it this? */
static bool
hears(struct server *s, const char *text, const char *want)
{
	wf_conn *c = dial(s);
	char heard[1024], statuses[64];

	say(c, text);
	hear(c, heard, sizeof heard - 1);
	list(heard, statuses);
	wf_conn_free(c);
	return strcmp(statuses, want) == 0;
}

static void
wait_out(struct server *s, const char *text, const char *want)
{
	check(hears(s, text, want));
}

/* The same where the time is short: on a busy machine we may be too slow
 * ourselves. */
static void
wait_out_at_last(struct server *s, const char *text, const char *want)
{
	while (!hears(s, text, want))
		continue;
}

static int
timeouts(void)
{
	struct options o = options();
	struct server s;

	o.service.header_time = o.service.body_time = 30 * WF_MS;
	start(&s, o);
	wait_out(&s, "GET / HTTP/1.1\r\n", "408");
	wait_out(&s, GET("/") "GET", "200 408");
	wait_out(&s, POST "Content-Length: 3\r\n\r\nab", "408");
	wait_out(&s, CHUNKED "3\r\nab", "408");
	stop(&s);
	o.service.idle_time = 100 * WF_MS;
	start(&s, o);
	wait_out(&s, "", "");
	wait_out_at_last(&s, GET("/"), "200");
	stop(&s);
	return 0;
}

/* The time for a head does not run while there is none, nor that for a body
 * while the handler runs. */
static int
no_timeouts(void)
{
	struct options o = options();
	struct server s;
	wf_conn *c;

	o.service.header_time = o.service.body_time = 30 * WF_MS;
	start(&s, o);
	c = dial(&s);
	for (int i = 0; i < 2; i++) {
		wf_sleep(60 * WF_MS);
		say(c, GET("/"));
		check_eq(hear_one(c), 200);
	}
	say(c, "POST /nap HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab");
	check_eq(hear_one(c), 200);
	wf_conn_free(c);
	stop(&s);
	return 0;
}

/* A client that does not read is not waited for. */
static int
stuffed(void)
{
	struct options o = options();
	struct server s;
	wf_conn *c;

	o.service.write_time = 30 * WF_MS;
	o.connections = 1;
	start(&s, o);
	c = dial(&s);
	for (int i = 0; i < 20; i++)
		say(c, GET("/large"));
	/* Its place is free again. */
	wait_out_at_last(&s, "GET / HTTP/1.0\r\n\r\n", "200");
	wf_conn_free(c);
	stop(&s);
	return 0;
}

/* ---- clients that go away ---- */

static int
gone(void)
{
	struct server s;
	wf_conn *c;
	int n;

	start(&s, options());
	for (int i = 0; i < 10; i++) {
		c = dial(&s);
		say(c, GET("/") GET("/linger"));
		/* What was answered before is not held up. */
		check_eq(hear_one(c), 200);
		wf_recv(arrived, &n);
		if (i % 2)
			say(c, "GET / HTT");
		wf_conn_free(c);
		check(wf_recv(ended, &n));
		check_eq(n, -ECANCELED);
	}
	stop(&s);
	return 0;
}

/* What comes while a handler runs is not lost. */
static int
pipelined_while_watched(void)
{
	struct server s;
	wf_conn *c;
	int n;

	start(&s, options());
	c = dial(&s);
	say(c, "POST /nap HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab"
	    GET("/pass") "GET");
	check_eq(hear_one(c), 200);
	wf_recv(arrived, &n);
	say(c, " / HTTP/1.1\r\n" HOST "\r\n");
	wf_send(gate, 1);
	check_eq(hear_one(c), 200);
	check_eq(hear_one(c), 200);
	wf_conn_free(c);
	stop(&s);
	return 0;
}

static void
pump(struct server *s, wf_conn *c, int n)
{
	(void)s;
	for (int i = 0; i < n; i++)
		say(c, i % 2 ? GET("/watched") : GET("/"));
}

static void
pipeline(struct server *s, int n)
{
	wf_waitgroup pumping = {0};
	wf_conn *c = dial(s);
	int good = 0;

	wf_waitgroup_spawn(&pumping, pump, s, c, n);
	while (good < n && hear_one(c) == 200)
		good++;
	check_eq(good, n);
	wf_waitgroup_wait(&pumping);
	wf_conn_free(c);
}

static int
pipelines(void)
{
	wf_waitgroup clients = {0};
	struct server s;

	start(&s, options());
	for (int i = 0; i < 5; i++)
		wf_waitgroup_spawn(&clients, pipeline, &s,
		    (int)tap_scale(2000, 300));
	wf_waitgroup_wait(&clients);
	stop(&s);
	return 0;
}

static int
resets(void)
{
	struct linger now = { 1, 0 };
	struct server s;
	char some[100];
	wf_conn *c;

	start(&s, options());
	for (int i = 0; i < 50; i++) {
		c = dial(&s);
		for (int j = 0; j < 8; j++)
			say(c, GET("/large"));
		if (i % 3)
			hear(c, some, sizeof some - 1);
		setsockopt(wf_conn_fd(c), SOL_SOCKET, SO_LINGER, &now,
		    sizeof now);
		wf_conn_free(c);
	}
	wait_out(&s, "GET / HTTP/1.0\r\n\r\n", "200");
	stop(&s);
	return 0;
}

/* The client's machine has lost its power: nothing is said of that, and what
 * comes to it later is answered by a reset.  False: one may not do that. */
static bool
vanish(wf_conn *c)
{
	int on = 1;
	bool may = setsockopt(wf_conn_fd(c), IPPROTO_TCP, TCP_REPAIR, &on,
	    sizeof on) == 0;

	wf_conn_free(c);
	return may;
}

static bool
can_vanish(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	bool may = setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on,
	    sizeof on) == 0;

	close(fd);
	return may;
}

/* Its place is free again, after the time for what it was about. */
static int
half_open(void)
{
	static const char *const says[] = { GET("/"), "GET / HTTP/1.1\r\n",
	    POST "Content-Length: 100\r\n\r\nab", CHUNKED "a\r\nab",
	    GET("/large") GET("/large") GET("/large") GET("/large") };
	struct options o = options();
	struct server s;
	wf_conn *c;
	int status;

	o.connections = 1;
	o.service.header_time = o.service.body_time = 30 * WF_MS;
	o.service.idle_time = 30 * WF_MS;
	start(&s, o);
	for (int i = 0; i < COUNT(says); i++) {
		c = dial(&s);
		say(c, says[i]);
		tap_settle();
		check(vanish(c));
		/* On a busy machine this one may be too slow itself. */
		do {
			c = dial(&s);
			say(c, GET("/"));
			status = hear_one(c);
			wf_conn_free(c);
		} while (status != 200);
	}
	stop(&s);
	return 0;
}

/* ---- crowds ---- */

static void
visit(struct server *s, int n)
{
	while (n--)
		wait_out(s, "GET /crowd HTTP/1.0\r\n\r\n", "200");
}

static int
limit(void)
{
	struct options o = options();
	wf_waitgroup clients = {0};
	struct server s;

	o.connections = 2;
	atomic_store(&most_inside, 0);
	start(&s, o);
	for (int i = 0; i < 8; i++)
		wf_waitgroup_spawn(&clients, visit, &s, 10);
	wf_waitgroup_wait(&clients);
	check(atomic_load(&most_inside) >= 1);
	check(atomic_load(&most_inside) <= 2);
	stop(&s);
	return 0;
}

/* Slow ones take every place, again and again, and others get theirs. */
static int
slowloris(void)
{
	struct options o = options();
	struct server s;
	wf_conn *slow[32];

	o.connections = 8;
	o.service.header_time = 20 * WF_MS;
	start(&s, o);
	for (int i = 0; i < COUNT(slow); i++) {
		slow[i] = dial(&s);
		say(slow[i], "GET / HTTP/1.1\r\nHost:");
	}
	wait_out(&s, "GET / HTTP/1.0\r\n\r\n", "200");
	for (int i = 0; i < COUNT(slow); i++)
		wf_conn_free(slow[i]);
	stop(&s);
	return 0;
}

/* ---- thousands that are wrong ---- */

/* Some talks in a row, with some bytes changed. */
static size_t
make_text(uint64_t seed, char *text, size_t room)
{
	static const char odd[] = "\r\n\t :;,0aF\0\x7f\xff/?#HTTP/1.1";
	size_t n = 0;

	for (uint64_t parts = 1 + tap_random(&seed) % 3; parts--;)
		n += (size_t)snprintf(text + n, room - n, "%s",
		    talks[tap_random(&seed) % COUNT(talks)].says);
	for (uint64_t edits = tap_random(&seed) % 6; n && edits--;)
		text[tap_random(&seed) % n] =
		    odd[tap_random(&seed) % (sizeof odd - 1)];
	return n;
}

static void
pester(struct server *s, uint64_t seed, int n)
{
	char text[4096], heard[8192];
	wf_conn *c;

	for (int i = 0; i < n; i++) {
		size_t size = make_text(seed + (uint64_t)i, text, sizeof text);

		c = dial(s);
		say_bytes(c, text, size, 1 + tap_random(&seed) % 400);
		if (tap_random(&seed) % 4) {
			wf_conn_close_write(c);
			hear(c, heard, sizeof heard - 1);
			check(!*heard || !strncmp(heard, "HTTP/1.1 ", 9));
		}
		wf_conn_free(c);
	}
}

static int
nonsense(void)
{
	wf_waitgroup clients = {0};
	uint64_t seed = tap_seed();
	struct server s;

	start(&s, options());
	for (uint64_t i = 0; i < 4; i++)
		wf_waitgroup_spawn(&clients, pester, &s, seed + i * 1000000,
		    (int)tap_scale(5000, 500));
	wf_waitgroup_wait(&clients);
	wait_out(&s, "GET / HTTP/1.0\r\n\r\n", "200");
	stop(&s);
	return 0;
}

/* ---- the end ---- */

static void
close_it(struct server *s, wf_chan(int) left)
{
	wf_send(left, (int)server_close(s));
}

static int
graceful(void)
{
	wf_chan(int) left = wf_chan_make(int, 1);
	wf_conn *running, *idle, *late = NULL;
	struct server s;
	char heard[1024];
	int n;

	start(&s, options());
	idle = dial(&s);
	say(idle, GET("/"));
	check_eq(hear_one(idle), 200);
	running = dial(&s);
	say(running, GET("/pass") GET("/"));
	wf_recv(arrived, &n);
	wf_spawn(close_it, &s, left);
	/* The idle one ends, and nobody else can come. */
	check_eq(hear(idle, heard, 10), 0);
	while (wf_dial(bg(), "tcp", s.address, &late) == 0) {
		wf_conn_free(late);
		wf_yield();
	}
	check_eq(wf_try_recv(left, &n), -EAGAIN);
	wf_send(gate, 1);
	/* The running one is answered, and is the last. */
	hear(running, heard, sizeof heard - 1);
	check(strstr(heard, "Connection: close\r\n") && strstr(heard,
	    "passed\n"));
	check(!strstr(heard, "hello"));
	check(wf_recv(left, &n) && n == 0);
	wf_conn_free(running);
	wf_conn_free(idle);
	wf_chan_free(left);
	wf_chan_free(ended);
	wf_chan_free(gate);
	wf_chan_free(arrived);
	return 0;
}

static void
await_arrival(wf_conn *c)
{
	int left = 1;

	while (ioctl(wf_conn_fd(c), SIOCOUTQ, &left) == 0 && left)
		wf_sleep(100 * WF_US);
	check_eq(left, 0);
}

/* A request that has arrived when the server closes. */
static int
just_in_time(void)
{
	struct server s;
	wf_conn *c;

	for (int i = 0; i < 20; i++) {
		start(&s, options());
		c = dial(&s);
		say(c, GET("/"));
		check_eq(hear_one(c), 200);
		tap_settle();
		say(c, GET("/"));
		await_arrival(c);
		stop(&s);
		check_eq(hear_one(c), 200);
		wf_conn_free(c);
	}
	return 0;
}

static int
cut_off(void)
{
	struct options o = options();
	struct server s;
	wf_conn *c;
	int n;

	o.grace = 20 * WF_MS;
	start(&s, o);
	c = dial(&s);
	say(c, GET("/linger"));
	wf_recv(arrived, &n);
	check_eq(server_close(&s), 1);
	check(wf_recv(ended, &n) && n == -ECANCELED);
	check_eq(hear_one(c), 0);
	wf_conn_free(c);
	wf_chan_free(ended);
	wf_chan_free(gate);
	wf_chan_free(arrived);
	return 0;
}

/* ---- no descriptors left ---- */

/* By the words of a dump, which takes no new descriptor. */
static bool
is_backing_off(FILE *f)
{
	char line[512];
	bool found = false;

	rewind(f);
	check_eq(ftruncate(fileno(f), 0), 0);
	wf_dump(fileno(f));
	rewind(f);
	while (fgets(line, sizeof line, f))
		found |= strstr(line, "server_run") &&
		    strstr(line, "in a select");
	return found;
}

/* Somebody else has all that there are, but for one for the client. */
static int
exhausted(void)
{
	struct rlimit few = { 100, 100 };
	FILE *f = tmpfile();
	int fill[100], n = 0;
	struct server s;
	wf_conn *c;

	start(&s, options());
	wait_out(&s, "GET / HTTP/1.0\r\n\r\n", "200");
	setrlimit(RLIMIT_NOFILE, &few);
	while ((fill[n] = dup(2)) >= 0)
		n++;
	close(fill[--n]);
	c = dial(&s);
	say(c, GET("/"));
	while (!is_backing_off(f))
		wf_yield();
	while (n > 0)
		close(fill[--n]);
	check_eq(hear_one(c), 200);
	wf_conn_free(c);
	fclose(f);
	stop(&s);
	return 0;
}

static int
child_exhausted(void)
{
	return wf_run(exhausted);
}

int
main(void)
{
	tap_count_memory();
	tap_test_workers("conversations", conversations);
	tap_test_workers("answers byte for byte", answers);
	tap_test_workers("100-continue", continues);
	tap_test_workers("the limit on heads", heads);
	tap_test_workers("bodies of all lengths", bodies);
	tap_test_workers("bodies that are refused", refused_bodies);
	tap_test_workers("time limits", timeouts);
	tap_test_workers("no time limit but where there is one", no_timeouts);
	tap_test_workers("a client that does not read", stuffed);
	tap_test_workers("a client goes, its request is cancelled", gone);
	tap_test_workers("more requests while one runs",
	    pipelined_while_watched);
	tap_test_workers("five clients with pipelines", pipelines);
	tap_test_workers("resets in the middle of an answer", resets);
	if (can_vanish())
		tap_test_workers("clients whose machine is off", half_open);
	else
		tap_skip("clients whose machine is off", "only for root");
	tap_test_workers("no more connections than allowed", limit);
	tap_test_workers("slow clients take every place", slowloris);
	tap_test_workers("nonsense by the thousand", nonsense);
	tap_test_workers("a graceful end", graceful);
	tap_test_workers("a request just before the end", just_in_time);
	tap_test_workers("an end that cuts off", cut_off);
	tap_child("no descriptors left: clients wait, and it is said",
	    child_exhausted, 0, "cannot take clients for now");
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
