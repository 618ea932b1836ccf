/* SPDX-License-Identifier: MIT */
/*
 * gateway.c - the proxy of examples/gateway, between clients and servers that
 * say byte for byte what they want.
 */
#include "../examples/gateway/http.c"
#include "../examples/gateway/server.c"
#include "../examples/gateway/stream.c"
#include "../examples/gateway/upstream.c"
#include "../examples/gateway/proxy.c"

#include "tap.h"

#define HOST "Host: weft\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

enum { ROOM = 65536 };

static wf_ctx *
bg(void)
{
	return wf_ctx_background();
}

/* ---- the server behind ---- */

/* It answers each request on a connection with the next one of its answers, and
 * closes after the last.  It remembers what it has read. */
struct behind {
	const char *answers[4];
	int rounds;			/* connections that get such answers */
	wf_listener *listener;
	char address[WF_ADDRESS_TEXT];
	wf_waitgroup running;
	atomic_int connections, inside, most_inside, ends_seen;
	char read[ROOM];		/* on all connections */
	size_t size;
};

/* Read a request whole: 1, or 0 at the end. */
static int
read_request(struct behind *b, wf_conn *c)
{
	size_t from = b->size;
	struct http_head h;
	struct http_chunks k = { 0 };
	struct http_text data;
	size_t used, at = 0;
	ssize_t n;
	int got;

	http_begin(&h);
	for (;;) {
		got = http_parse_request(&h, b->read + from, b->size - from);
		if (got > 0 && h.chunked) {
			at = at ? at : from + h.size;
			do {
				got = http_chunks_next(&k, b->read + at,
				    b->size - at, &used, &data);
				at += used;
			} while (got == 0 && at < b->size);
		} else if (got > 0 && h.length > 0)
			got = b->size - from >= h.size + (size_t)h.length;
		check(got >= 0);
		if (got)
			return 1;
		n = wf_conn_read(bg(), c, b->read + b->size, ROOM - b->size);
		if (n <= 0)
			return 0;
		b->size += (size_t)n;
	}
}

static void
answer_all(struct behind *b, wf_conn *c)
{
	int n = atomic_fetch_add(&b->inside, 1) + 1;
	int most = atomic_load(&b->most_inside);

	while (n > most &&
	    !atomic_compare_exchange_weak(&b->most_inside, &most, n))
		;
	for (int i = 0; i < 4 && b->answers[i]; i++) {
		if (!read_request(b, c)) {
			atomic_fetch_add(&b->ends_seen, 1);
			break;
		}
		wf_conn_write(bg(), c, b->answers[i], strlen(b->answers[i]));
	}
	atomic_fetch_sub(&b->inside, 1);
	wf_conn_free(c);
}

static void
behind_run(struct behind *b)
{
	wf_conn *c;

	for (int i = 0; i < b->rounds; i++) {
		if (wf_listener_accept(bg(), b->listener, &c) < 0)
			break;
		atomic_fetch_add(&b->connections, 1);
		answer_all(b, c);
	}
}

static void
behind_start(struct behind *b)
{
	check_eq(wf_listen(bg(), "tcp", "127.0.0.1:0", &b->listener), 0);
	wf_listener_address(b->listener, b->address, sizeof b->address);
	wf_waitgroup_spawn(&b->running, behind_run, b);
}

static void
behind_stop(struct behind *b)
{
	wf_listener_close(b->listener);
	wf_waitgroup_wait(&b->running);
	wf_listener_free(b->listener);
}

/* ---- the gateway ---- */

struct gateway {
	struct server server;
	struct proxy proxy;
	struct upstreams upstreams;
	wf_ctx *tending;
	wf_waitgroup tender;
};

static struct gateway *
start(struct behind *a, struct behind *b)
{
	struct gateway *g = calloc(1, sizeof *g);

	g->upstreams.n = 1 + (b != NULL);
	g->upstreams.connections = 1;
	g->upstreams.idle_time = 60 * WF_SEC;
	g->upstreams.all[0].address = a->address;
	if (b)
		g->upstreams.all[1].address = b->address;
	g->proxy = (struct proxy){ &g->upstreams, 60 * WF_SEC, 60 * WF_SEC };
	g->server = (struct server){ .name = "gateway", .connections = 100,
	    .grace = 60 * WF_SEC, .serve = proxy_serve, .data = &g->proxy };
	g->tending = wf_ctx_with_cancel(bg());
	upstreams_open(&g->upstreams);
	check_eq(server_open(&g->server, "127.0.0.1:0"), 0);
	check_eq(wf_waitgroup_spawn(&g->server.running, server_run,
	    &g->server), 0);
	return g;
}

static void
tend(struct gateway *g)
{
	wf_waitgroup_spawn(&g->tender, upstreams_tend, &g->upstreams,
	    g->tending);
}

static void
stop(struct gateway *g)
{
	check_eq(server_close(&g->server), 0);
	wf_ctx_cancel(g->tending);
	wf_waitgroup_wait(&g->tender);
	upstreams_tend(&g->upstreams, g->tending);
	wf_ctx_free(g->tending);
	free(g);
}

static wf_conn *
dial(struct gateway *g)
{
	wf_conn *c = NULL;

	check_eq(wf_dial(bg(), "tcp", g->server.address, &c), 0);
	return c;
}

/* Say all of it; hear so many bytes, say that it was all, and hear what else
 * comes. */
static void
converse(struct gateway *g, const char *says, size_t enough, char *heard)
{
	wf_conn *c = dial(g);
	size_t have = 0;
	ssize_t n;

	wf_conn_write(bg(), c, says, strlen(says));
	do {
		n = wf_conn_read(bg(), c, heard + have, ROOM - 1 - have);
		have += n > 0 ? (size_t)n : 0;
		if (have >= enough)
			wf_conn_close_write(c);
	} while (n > 0);
	heard[have] = '\0';
	wf_conn_free(c);
}

static bool
same(const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return true;
	tap_note("got %s", got);
	tap_note("wanted %s", want);
	return false;
}

/* ---- tests ---- */

/* What the client says, what the server behind hears and answers, and what the
 * client hears. */
static const struct {
	const char *says, *sent, *answers, *hears;
} talks[] = {
	{ "GET /a?b=c HTTP/1.1\r\n" HOST "A:1 \r\nB: 2\r\n\r\n",
	  "GET /a?b=c HTTP/1.1\r\n" HOST "A: 1\r\nB: 2\r\n"
	  "X-Forwarded-For: 127.0.0.1\r\n\r\n",
	  OK "Content-Length: 2\r\nC: 3\r\n\r\nab",
	  OK "C: 3\r\nContent-Length: 2\r\n\r\nab" },
	/* What is about one connection only is not passed on. */
	{ "GET http://other/x HTTP/1.1\r\n" HOST "Connection: close, A\r\n"
	  "A: 1\r\nTE: trailers\r\nUpgrade: x\r\nKeep-Alive: 5\r\n"
	  "X-Forwarded-For: 10.0.0.1\r\nB: 2\r\n\r\n",
	  "GET /x HTTP/1.1\r\nHost: other\r\nB: 2\r\n"
	  "X-Forwarded-For: 10.0.0.1, 127.0.0.1\r\n\r\n",
	  OK "Connection: D\r\nD: 4\r\nContent-Length: 0\r\n\r\n",
	  OK "Content-Length: 0\r\nConnection: close\r\n\r\n" },
	/* Bodies. */
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 003\r\n\r\nabc",
	  "POST / HTTP/1.1\r\n" HOST "X-Forwarded-For: 127.0.0.1\r\n"
	  "Content-Length: 3\r\n\r\nabc",
	  OK "Transfer-Encoding: chunked\r\n\r\n"
	  "2;x=y\r\nab\r\n0\r\nT: 1\r\n\r\n",
	  OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n" },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	  "003;x\r\nabc\r\n0\r\nT: 1\r\n\r\n",
	  "POST / HTTP/1.1\r\n" HOST "X-Forwarded-For: 127.0.0.1\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	  OK "\r\nto the end",
	  OK "Transfer-Encoding: chunked\r\n\r\n"
	  "a\r\nto the end\r\n0\r\n\r\n" },
	/* To a client that knows no chunks. */
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	  "GET / HTTP/1.1\r\nHost: \r\nX-Forwarded-For: 127.0.0.1\r\n\r\n",
	  OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
	  OK "Connection: close\r\n\r\nab" },
	/* No body, whatever is said of one. */
	{ "HEAD / HTTP/1.1\r\n" HOST "\r\n",
	  "HEAD / HTTP/1.1\r\n" HOST "X-Forwarded-For: 127.0.0.1\r\n\r\n",
	  OK "Content-Length: 100\r\n\r\n", OK "Content-Length: 100\r\n\r\n" },
	{ "GET / HTTP/1.1\r\n" HOST "\r\n",
	  "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 127.0.0.1\r\n\r\n",
	  "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
	  "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" },
	/* An answer before the answer. */
	{ "GET / HTTP/1.1\r\n" HOST "\r\n",
	  "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 127.0.0.1\r\n\r\n",
	  "HTTP/1.1 103 Early Hints\r\nA: 1\r\n\r\n"
	  OK "Content-Length: 0\r\n\r\n",
	  OK "Content-Length: 0\r\n\r\n" },
#define BAD "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\n" \
	  "Content-Length: 16\r\nConnection: close\r\n\r\n502 Bad Gateway\n"
	/* Answers that are none. */
	{ "POST / HTTP/1.1\r\n" HOST "\r\n",
	  "POST / HTTP/1.1\r\n" HOST "X-Forwarded-For: 127.0.0.1\r\n\r\n",
	  "HTTP/1.1 200 OK\nContent-Length: 0\n\n", BAD },
	{ "POST / HTTP/1.1\r\n" HOST "\r\n",
	  "POST / HTTP/1.1\r\n" HOST "X-Forwarded-For: 127.0.0.1\r\n\r\n",
	  OK "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", BAD },
	{ "POST / HTTP/1.1\r\n" HOST "\r\n",
	  "POST / HTTP/1.1\r\n" HOST "X-Forwarded-For: 127.0.0.1\r\n\r\n",
	  "", BAD },
	/* Requests that are none never get there. */
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", NULL,
	  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
	  "Content-Length: 16\r\nConnection: close\r\n\r\n400 Bad Request\n" },
};

static int
conversations(void)
{
	static char heard[ROOM];

	for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) {
		struct behind *b = calloc(1, sizeof *b);
		struct gateway *g;

		b->answers[0] = talks[i].answers;
		b->rounds = talks[i].answers != NULL;
		behind_start(b);
		g = start(b, NULL);
		converse(g, talks[i].says, strlen(talks[i].hears),
		    heard);
		check(same(heard, talks[i].hears));
		stop(g);
		behind_stop(b);
		check(same(b->read, talks[i].sent));
		free(b);
	}
	return 0;
}

#define GET "GET / HTTP/1.1\r\n" HOST "\r\n"
#define EMPTY OK "Content-Length: 0\r\n\r\n"

/* How many of the answers are good, with so many requests on a connection. */
static int
count_good(struct gateway *g, const char *request, int n)
{
	static char heard[ROOM];
	char says[1024] = "";
	int good = 0;

	for (int i = 0; i < n; i++)
		strcat(says, request);
	converse(g, says, (size_t)n * strlen(EMPTY), heard);
	for (char *at = heard; (at = strstr(at, "200 OK")); at++)
		good++;
	return good;
}

/* Requests of several clients, one connection to the server. */
static int
reuse(void)
{
	struct behind *b = calloc(1, sizeof *b);
	struct gateway *g;

	*b = (struct behind){ .rounds = 1,
	    .answers = { EMPTY, EMPTY, EMPTY, EMPTY } };
	behind_start(b);
	g = start(b, NULL);
	check_eq(count_good(g, GET, 3), 3);
	check_eq(count_good(g, GET, 1), 1);
	check_eq(atomic_load(&b->connections), 1);
	stop(g);
	behind_stop(b);
	free(b);
	return 0;
}

/* A server that closes after each answer, when it gets the next request: a kept
 * connection that looks alive, and is not. */
static int
dead_idle(void)
{
	struct behind *b = calloc(1, sizeof *b);
	struct gateway *g;

	*b = (struct behind){ .rounds = 4, .answers = { EMPTY, "" } };
	behind_start(b);
	g = start(b, NULL);
	check_eq(count_good(g, GET, 4), 4);
	check_eq(atomic_load(&b->connections), 4);
	stop(g);
	behind_stop(b);
	/* What might do harm if done twice is not tried again. */
	memset(b, 0, sizeof *b);
	*b = (struct behind){ .rounds = 2, .answers = { EMPTY, "" } };
	behind_start(b);
	g = start(b, NULL);
	check_eq(count_good(g, "POST / HTTP/1.1\r\n" HOST "\r\n", 2), 1);
	check_eq(atomic_load(&b->connections), 1);
	stop(g);
	behind_stop(b);
	free(b);
	return 0;
}

static int
in_turn(void)
{
	struct behind *a = calloc(2, sizeof *a), *b = a + 1;
	struct gateway *g;

	a->rounds = b->rounds = 1;
	a->answers[0] = a->answers[1] = EMPTY;
	b->answers[0] = b->answers[1] = b->answers[2] = EMPTY;
	behind_start(a);
	behind_start(b);
	g = start(a, b);
	check_eq(count_good(g, GET, 4), 4);
	check_eq(atomic_load(&a->connections), 1);
	check_eq(atomic_load(&b->connections), 1);
	/* One of them goes, the other one takes over. */
	behind_stop(a);
	check_eq(count_good(g, GET, 1), 1);
	stop(g);
	behind_stop(b);
	free(a);
	return 0;
}

static void
visit(struct gateway *g, int n)
{
	char heard[1024];
	wf_conn *c = NULL;
	ssize_t got;

	while (n--) {
		check_eq(wf_dial(bg(), "tcp", g->server.address, &c), 0);
		wf_conn_write(bg(), c, GET, sizeof GET - 1);
		got = wf_conn_read(bg(), c, heard, sizeof heard);
		check(got > 12 && memcmp(heard, "HTTP/1.1 200", 12) == 0);
		wf_conn_free(c);
	}
}

/* More clients than connections: they wait for each other. */
static int
bounded(void)
{
	struct behind *b = calloc(1, sizeof *b);
	wf_waitgroup visitors = {0};
	struct gateway *g;

	*b = (struct behind){ .rounds = 1000,
	    .answers = { EMPTY, EMPTY, EMPTY } };
	behind_start(b);
	g = start(b, NULL);
	for (int i = 0; i < 8; i++)
		wf_waitgroup_spawn(&visitors, visit, g, 10);
	wf_waitgroup_wait(&visitors);
	check_eq(atomic_load(&b->most_inside), 1);
	stop(g);
	behind_stop(b);
	free(b);
	return 0;
}

static int
grows_old(void)
{
	struct behind *b = calloc(1, sizeof *b);
	struct gateway *g;

	*b = (struct behind){ .rounds = 1, .answers = { EMPTY, EMPTY } };
	behind_start(b);
	g = start(b, NULL);
	g->upstreams.idle_time = 10 * WF_MS;
	tend(g);
	check_eq(count_good(g, GET, 1), 1);
	while (!atomic_load(&b->ends_seen))
		wf_sleep(WF_MS);
	stop(g);
	behind_stop(b);
	free(b);
	return 0;
}

/* ---- clients that go ---- */

/* It says this, and then nothing until the other side has gone. */
struct staller {
	const char *says;
	struct behind *b;
	wf_chan(int) asked, left;
};

static void
stall(struct staller *st)
{
	wf_conn *c = NULL;
	char buf[1024];

	check_eq(wf_listener_accept(bg(), st->b->listener, &c), 0);
	st->b->size = 0;
	check_eq(read_request(st->b, c), 1);
	wf_conn_write(bg(), c, st->says, strlen(st->says));
	wf_send(st->asked, 1);
	while (wf_conn_read(bg(), c, buf, sizeof buf) > 0)
		;
	wf_conn_free(c);
	wf_send(st->left, 1);
}

/* What a client says before it goes, and what the server behind has said by
 * then. */
static const struct {
	const char *says, *answer;
} partings[] = {
	{ GET, "" },
	{ GET GET "GET / HT", "" },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "" },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	  "3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n" },
	{ GET, OK "Content-Length: 100\r\n\r\nab" },
	{ GET, OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n" },
};

static int
given_up(void)
{
	for (size_t i = 0; i < sizeof partings / sizeof *partings; i++) {
		struct behind *b = calloc(1, sizeof *b);
		struct staller st = { partings[i].answer, b,
		    wf_chan_make(int, 1), wf_chan_make(int, 1) };
		struct gateway *g;
		wf_conn *c;

		behind_start(b);	/* with no rounds: it only listens */
		wf_spawn(stall, &st);
		g = start(b, NULL);
		c = dial(g);
		wf_conn_write(bg(), c, partings[i].says,
		    strlen(partings[i].says));
		wf_recv(st.asked, NULL);
		check_eq(wf_try_recv(st.left, NULL), -EAGAIN);
		wf_conn_free(c);
		wf_recv(st.left, NULL);
		stop(g);
		behind_stop(b);
		wf_chan_free(st.asked);
		wf_chan_free(st.left);
		free(b);
	}
	return 0;
}

/* Clients that wait for the one connection to the server, and go: their places
 * in the queue are free, and nothing is asked for them. */
static int
given_up_in_line(void)
{
	struct behind *b = calloc(1, sizeof *b);
	struct staller st = { "", b, wf_chan_make(int, 1),
	    wf_chan_make(int, 1) };
	struct gateway *g;
	wf_conn *c[5];

	behind_start(b);
	wf_spawn(stall, &st);
	g = start(b, NULL);
	for (int i = 0; i < 5; i++) {
		c[i] = dial(g);
		wf_conn_write(bg(), c[i], GET, sizeof GET - 1);
		if (i == 0)
			wf_recv(st.asked, NULL);
	}
	while (atomic_load(&g->server.requests) < 5)
		wf_yield();
	for (int i = 1; i < 5; i++)
		wf_conn_free(c[i]);
	while (atomic_load(&g->server.requests) > 1)
		wf_yield();
	check_eq(wf_try_recv(st.left, NULL), -EAGAIN);
	wf_conn_free(c[0]);
	wf_recv(st.left, NULL);
	stop(g);
	behind_stop(b);
	check(same(b->read, "GET / HTTP/1.1\r\n" HOST
	    "X-Forwarded-For: 127.0.0.1\r\n\r\n"));
	wf_chan_free(st.asked);
	wf_chan_free(st.left);
	free(b);
	return 0;
}

/* What comes while an answer is waited for is not lost. */
static int
pipelined(void)
{
	struct behind *b = calloc(1, sizeof *b);
	struct gateway *g;
	size_t have = 0;
	char heard[1024];
	wf_conn *c;

	*b = (struct behind){ .rounds = 1,
	    .answers = { EMPTY, EMPTY, EMPTY, EMPTY } };
	behind_start(b);
	g = start(b, NULL);
	c = dial(g);
	for (size_t i = 0; i < 4 * (sizeof GET - 1); i++) {
		wf_conn_write(bg(), c, &GET[i % (sizeof GET - 1)], 1);
		if (i % 5 == 0)
			wf_yield();
	}
	while (have < 4 * (sizeof EMPTY - 1))
		have += (size_t)wf_conn_read(bg(), c, heard + have,
		    sizeof heard - have);
	wf_conn_free(c);
	stop(g);
	behind_stop(b);
	free(b);
	return 0;
}

/* One that accepts, and says nothing; unless it is too late even for that. */
static void
be_silent(wf_listener *l, wf_chan(int) end)
{
	wf_conn *c = NULL;

	if (wf_listener_accept(bg(), l, &c) == 0)
		wf_recv(end, NULL);
	wf_conn_free(c);
}

static int
too_late(void)
{
	struct behind *b = calloc(1, sizeof *b);
	wf_chan(int) end = wf_chan_make(int, 0);
	wf_waitgroup silent = {0};
	static char heard[ROOM];
	struct gateway *g;

	check_eq(wf_listen(bg(), "tcp", "127.0.0.1:0", &b->listener), 0);
	wf_listener_address(b->listener, b->address, sizeof b->address);
	wf_waitgroup_spawn(&silent, be_silent, b->listener, end);
	g = start(b, NULL);
	g->proxy.request_time = 30 * WF_MS;
	converse(g, GET, SIZE_MAX, heard);
	check(strncmp(heard, "HTTP/1.1 504 ", 13) == 0);
	wf_close(end);
	stop(g);
	wf_listener_close(b->listener);
	wf_waitgroup_wait(&silent);
	behind_stop(b);
	/* And one that is not there, at a port that nobody is given. */
	strcpy(b->address, "127.0.0.1:1");
	g = start(b, NULL);
	converse(g, GET, SIZE_MAX, heard);
	check(same(heard, BAD));
	stop(g);
	wf_chan_free(end);
	free(b);
	return 0;
}

int
main(void)
{
	tap_test_workers("conversations", conversations);
	tap_test_workers("a connection is used again", reuse);
	tap_test_workers("one that has died is replaced", dead_idle);
	tap_test_workers("servers in turn", in_turn);
	tap_test_workers("no more connections than allowed", bounded);
	tap_test_workers("unused connections are closed", grows_old);
	tap_test_workers("clients go, their requests are given up", given_up);
	tap_test_workers("the same while they wait in line", given_up_in_line);
	tap_test_workers("more requests while one runs", pipelined);
	tap_test_workers("servers that do not answer", too_late);
	return tap_end();
}
