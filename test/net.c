/* SPDX-License-Identifier: MIT */
/*
 * net.c - connections and listeners over tcp, unix sockets and memory:
 * deadlines, closing, half closing, datagrams, dialling.
 */
#include "tap.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/un.h>

enum kind { TCP, UNIX, MEMORY, KINDS };

static bool simulated;

static wf_ctx *
bg(void)
{
	return wf_ctx_background();
}

static wf_listener *
listen_to(const char *network, const char *address, char *text)
{
	wf_listener *l = NULL;

	check_eq(wf_listen(bg(), network, address, &l), 0);
	check_eq(wf_listener_address(l, text, WF_ADDRESS_TEXT), 0);
	return l;
}

/* Two ends of a connection. */
static void
make_pair(enum kind kind, wf_conn *ends[2])
{
	const char *network = kind == TCP ? "tcp" : "unix";
	char text[WF_ADDRESS_TEXT], unique[64];
	static int n;
	wf_listener *l;

	if (kind == MEMORY) {
		check_eq(wf_conn_pipe(ends), 0);
		return;
	}
	snprintf(unique, sizeof unique, "@weft-test-%d-%d", (int)getpid(),
	    __atomic_add_fetch(&n, 1, __ATOMIC_RELAXED));
	l = listen_to(network, kind == TCP ? "127.0.0.1:0" : unique, text);
	check_eq(wf_dial(bg(), network, text, &ends[0]), 0);
	check_eq(wf_listener_accept(bg(), l, &ends[1]), 0);
	wf_listener_free(l);
}

static void
free_pair(wf_conn *ends[2])
{
	wf_conn_free(ends[0]);
	wf_conn_free(ends[1]);
}

static ssize_t
read_all(wf_conn *c, void *buf, size_t n)
{
	size_t have = 0;
	ssize_t got = 1;

	while (have < n && (got = wf_conn_read(bg(), c, (char *)buf + have,
	    n - have)) > 0)
		have += (size_t)got;
	return have == n ? (ssize_t)n : got;
}

/* 224a: a megabyte in chunks of 1 KiB, then the end. */

enum { MEGABYTE = 1 << 20 };

static void
send_megabyte(wf_conn *c, const char *data, wf_waitgroup *wg)
{
	for (int at = 0; at < MEGABYTE; at += 1024)
		check_eq(wf_conn_write(bg(), c, data + at, 1024), 1024);
	check_eq(wf_conn_close(c), 0);
	check_eq(wf_conn_close(c), -ESHUTDOWN);
	wf_waitgroup_done(wg);
}

static void
megabyte(enum kind kind)
{
	static char data[MEGABYTE], got[MEGABYTE + 1];
	uint64_t random = tap_seed();
	wf_waitgroup wg = {0};
	size_t have = 0;
	wf_conn *c[2];
	ssize_t n;

	for (int i = 0; i < MEGABYTE; i += 8) {
		uint64_t word = tap_random(&random);

		memcpy(data + i, &word, 8);
	}
	make_pair(kind, c);
	wf_waitgroup_add(&wg, 1);
	wf_spawn(send_megabyte, c[0], data, &wg);
	while ((n = wf_conn_read(bg(), c[1], got + have,
	    sizeof got - have)) > 0)
		have += (size_t)n;
	check_eq(n, 0);
	check_eq(have, MEGABYTE);
	check(!memcmp(data, got, MEGABYTE));
	wf_waitgroup_wait(&wg);
	free_pair(c);
}

/* 224b: a counter goes to and fro. */

static void
count_up(wf_conn *c, wf_waitgroup *wg)
{
	uint64_t n = 0;

	while (read_all(c, &n, sizeof n) == sizeof n) {
		n++;
		check_eq(wf_conn_write(bg(), c, &n, sizeof n), sizeof n);
		if (n >= 1000)
			break;
	}
	wf_waitgroup_done(wg);
}

/* What the other side has said when the one that began had counted enough. */
static void
last_word(wf_conn *c)
{
	uint64_t n = 0;

	check_eq(read_all(c, &n, sizeof n), sizeof n);
	check_eq(n, 1001);
}

static void
ping_pong(enum kind kind)
{
	wf_waitgroup wg = {0};
	uint64_t zero = 0;
	wf_conn *c[2];

	make_pair(kind, c);
	wf_waitgroup_add(&wg, 2);
	wf_spawn(count_up, c[1], &wg);
	check_eq(wf_conn_write(bg(), c[0], &zero, sizeof zero), sizeof zero);
	wf_spawn(count_up, c[0], &wg);
	wf_waitgroup_wait(&wg);
	free_pair(c);
}

static void
round_trip(wf_conn *a, wf_conn *b)
{
	char c = 0;

	check_eq(wf_conn_write(bg(), a, "x", 1), 1);
	check_eq(wf_conn_read(bg(), b, &c, 1), 1);
	check_eq(c, 'x');
	check_eq(wf_conn_write(bg(), b, "y", 1), 1);
	check_eq(wf_conn_read(bg(), a, &c, 1), 1);
	check_eq(c, 'y');
}

/* 224c: the buffer is the caller's again after a read that was too late. */

static void
scribble(wf_conn *c, wf_waitgroup *wg)
{
	char buf[64];

	for (int i = 0; i < 100; i++) {
		wf_conn_set_read_deadline(c, wf_now() + WF_US);
		wf_conn_read(bg(), c, buf, sizeof buf);
		memset(buf, i, sizeof buf);
		for (size_t k = 0; k < sizeof buf; k++)
			check_eq(buf[k], i);
		wf_conn_set_write_deadline(c, wf_now() + WF_US);
		wf_conn_write(bg(), c, buf, sizeof buf);
		memset(buf, 0, sizeof buf);
	}
	wf_waitgroup_done(wg);
}

static void
drink(wf_conn *c, wf_waitgroup *wg)
{
	char buf[4096];

	while (wf_conn_read(bg(), c, buf, sizeof buf) > 0)
		;
	wf_waitgroup_done(wg);
}

static void
racy_buffers(enum kind kind)
{
	wf_waitgroup wg = {0}, rest = {0};
	wf_conn *c[2];

	make_pair(kind, c);
	wf_waitgroup_add(&rest, 1);
	wf_spawn(drink, c[1], &rest);
	wf_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		wf_spawn(scribble, c[0], &wg);
	wf_waitgroup_wait(&wg);
	wf_conn_close(c[0]);
	wf_waitgroup_wait(&rest);
	free_pair(c);
}

/* 211, 214, 224e-g: past deadlines fail at once, with data waiting, twice; one
 * direction leaves the other alone; without, all is as before. */

static void
past_deadlines(enum kind kind)
{
	wf_conn *c[2];
	char buf[8];

	make_pair(kind, c);
	check_eq(wf_conn_write(bg(), c[1], "data", 4), 4);
	if (!simulated)
		check_eq(wf_wait_fd(bg(), wf_conn_fd(c[0]), WF_IN), WF_IN);
	check_eq(wf_conn_set_read_deadline(c[0], wf_now() - 5 * WF_SEC), 0);
	for (int i = 0; i < 2; i++)
		check_eq(wf_conn_read(bg(), c[0], buf, 8), -ETIMEDOUT);
	check_eq(wf_conn_write(bg(), c[0], "x", 1), 1);
	check_eq(wf_conn_read(bg(), c[1], buf, 8), 1);
	check_eq(wf_conn_set_read_deadline(c[0], WF_FOREVER), 0);
	check_eq(wf_conn_set_write_deadline(c[0], 0), 0);
	for (int i = 0; i < 2; i++)
		check_eq(wf_conn_write(bg(), c[0], "x", 1), -ETIMEDOUT);
	check_eq(wf_conn_read(bg(), c[0], buf, 8), 4);
	check_eq(wf_conn_set_deadline(c[0], 1), 0);
	check_eq(wf_conn_read(bg(), c[0], buf, 8), -ETIMEDOUT);
	check_eq(wf_conn_write(bg(), c[0], buf, 8), -ETIMEDOUT);
	check_eq(wf_conn_set_deadline(c[0], WF_FOREVER), 0);
	round_trip(c[0], c[1]);
	/* Reads go on until the deadline, and then no more. */
	check_eq(wf_conn_write(bg(), c[1], "data", 4), 4);
	wf_conn_set_read_deadline(c[0], wf_now() + 20 * WF_MS);
	while (wf_conn_read(bg(), c[0], buf, 1) == 1)
		;
	check_eq(wf_conn_read(bg(), c[0], buf, 1), -ETIMEDOUT);
	free_pair(c);
}

/* 209, 212, 215, 224h-j: calls that wait are ended by a deadline that is moved
 * into the past or comes, and by close; not by one that was taken back. */

static void
blocked_read(wf_conn *c, int want, wf_waitgroup *wg)
{
	char b;

	check_eq(wf_conn_read(bg(), c, &b, 1), want);
	wf_waitgroup_done(wg);
}

static void
blocked_write(wf_conn *c, int want, wf_waitgroup *wg)
{
	static char many[1 << 20];
	ssize_t n;

	while ((n = wf_conn_write(bg(), c, many, sizeof many)) > 0)
		;
	check_eq(n, want);
	wf_waitgroup_done(wg);
}

static void
block_both(wf_conn *c, int want, int readers, wf_waitgroup *wg)
{
	wf_waitgroup_add(wg, readers + 1);
	for (int i = 0; i < readers; i++)
		wf_spawn(blocked_read, c, want, wg);
	wf_spawn(blocked_write, c, want, wg);
	tap_settle();
}

static void
release(enum kind kind)
{
	wf_waitgroup wg = {0};
	int64_t start;
	wf_conn *c[2];

	make_pair(kind, c);
	block_both(c[0], -ETIMEDOUT, 3, &wg);
	wf_conn_set_deadline(c[0], 1);
	wf_waitgroup_wait(&wg);
	/* A deadline to come. */
	wf_conn_set_deadline(c[0], WF_FOREVER);
	block_both(c[0], -ETIMEDOUT, 1, &wg);
	start = wf_now();
	wf_conn_set_deadline(c[0], start + 10 * WF_MS);
	wf_waitgroup_wait(&wg);
	check(wf_now() - start >= 10 * WF_MS);
	/* Taken back before the wait, and prolonged in it: only close. */
	wf_conn_set_deadline(c[0], 1);
	wf_conn_set_deadline(c[0], WF_FOREVER);
	block_both(c[0], -ESHUTDOWN, 3, &wg);
	for (int i = 0; i < 10; i++)
		wf_conn_set_deadline(c[0], wf_now() + 3600 * WF_SEC);
	check_eq(wf_conn_close(c[0]), 0);
	wf_waitgroup_wait(&wg);
	check_eq(wf_conn_read(bg(), c[0], &wg, 1), -ESHUTDOWN);
	check_eq(wf_conn_write(bg(), c[0], &wg, 1), -ESHUTDOWN);
	check_eq(wf_conn_set_deadline(c[0], 1), -ESHUTDOWN);
	check_eq(wf_conn_fd(c[0]), -1);
	free_pair(c);
}

/* A context ends a call, and is asked first. */

static void
cancel_late(wf_ctx *ctx)
{
	tap_settle();
	wf_ctx_cancel(ctx);
	wf_ctx_unref(ctx);
}

static void
contexts(enum kind kind)
{
	wf_ctx *ctx = wf_ctx_with_cancel(bg());
	wf_ctx *soon = wf_ctx_with_timeout(bg(), 2 * WF_MS);
	wf_conn *c[2];
	char b;

	make_pair(kind, c);
	wf_spawn(cancel_late, wf_ctx_ref(ctx));
	check_eq(wf_conn_read(ctx, c[0], &b, 1), -ECANCELED);
	check_eq(wf_conn_read(soon, c[0], &b, 1), -ETIMEDOUT);
	check_eq(wf_conn_write(bg(), c[1], "x", 1), 1);
	check_eq(wf_conn_read(ctx, c[0], &b, 1), -ECANCELED);
	check_eq(wf_conn_write(ctx, c[0], &b, 1), -ECANCELED);
	check_eq(wf_conn_read(NULL, c[0], &b, 1), -EINVAL);
	check_eq(wf_conn_read(bg(), c[0], &b, 1), 1);
	round_trip(c[0], c[1]);
	wf_ctx_free(ctx);
	wf_ctx_free(soon);
	free_pair(c);
}

/* 221, 223, 224k: all at the same time on the same connection. */

static void
set_deadlines(wf_conn *c, int how, wf_waitgroup *wg)
{
	char text[WF_ADDRESS_TEXT];

	for (int i = 0; i < 100; i++) {
		int64_t when = wf_now() + (3600 - i) * WF_SEC;

		if (how == 0)
			wf_conn_set_deadline(c, when);
		else if (how == 1)
			wf_conn_set_read_deadline(c, when);
		else if (how == 2)
			wf_conn_set_write_deadline(c, when);
		else if (how == 3)
			check_eq(wf_conn_local_address(c, text, sizeof text),
			    0);
		else
			check_eq(wf_conn_remote_address(c, text,
			    sizeof text), 0);
		if (i % 10 == 0)
			wf_yield();
	}
	wf_waitgroup_done(wg);
}

static void
all_at_once(enum kind kind)
{
	wf_waitgroup wg = {0};
	wf_conn *c[2];
	uint64_t zero = 0;

	make_pair(kind, c);
	wf_waitgroup_add(&wg, 12);
	for (int i = 0; i < 10; i++)
		wf_spawn(set_deadlines, c[i / 5], i % 5, &wg);
	wf_spawn(count_up, c[1], &wg);
	check_eq(wf_conn_write(bg(), c[0], &zero, sizeof zero), sizeof zero);
	wf_spawn(count_up, c[0], &wg);
	wf_waitgroup_wait(&wg);
	last_word(c[0]);
	round_trip(c[0], c[1]);
	free_pair(c);
}

/* Writes do not mix: several write long lines at once, and each comes whole. */

enum { WRITERS = 6, LINE = 70001, LINES = 5 };

static void
write_lines(wf_conn *c, int id, wf_waitgroup *wg)
{
	char *line = malloc(LINE);
	struct iovec iov[2] = { { line, 1000 }, { line + 1000, LINE - 1000 } };

	memset(line, 'a' + id, LINE);
	for (int i = 0; i < LINES; i++)
		if (i % 2)
			check_eq(wf_conn_writev(bg(), c, iov, 2), LINE);
		else
			check_eq(wf_conn_write(bg(), c, line, LINE), LINE);
	free(line);
	wf_waitgroup_done(wg);
}

static void
whole_writes(enum kind kind)
{
	char *line = malloc(LINE);
	wf_waitgroup wg = {0};
	wf_conn *c[2];

	make_pair(kind, c);
	wf_waitgroup_add(&wg, WRITERS);
	for (int i = 0; i < WRITERS; i++)
		wf_spawn(write_lines, c[0], i, &wg);
	for (int i = 0; i < WRITERS * LINES; i++) {
		int mixed = 0;

		check_eq(read_all(c[1], line, LINE), LINE);
		for (int k = 1; k < LINE; k++)
			mixed += line[k] != line[0];
		check_eq(mixed, 0);
	}
	wf_waitgroup_wait(&wg);
	free_pair(c);
	free(line);
}

/* Half closing. */

static void
halves(enum kind kind)
{
	wf_waitgroup wg = {0};
	wf_conn *c[2];
	char buf[8];

	make_pair(kind, c);
	check_eq(wf_conn_write(bg(), c[0], "last", 4), 4);
	check_eq(wf_conn_close_write(c[0]), 0);
	check_eq(read_all(c[1], buf, 4), 4);
	check_eq(wf_conn_read(bg(), c[1], buf, 8), 0);
	check_eq(wf_conn_read(bg(), c[1], buf, 8), 0);
	check_eq(wf_conn_write(bg(), c[0], "x", 1), -EPIPE);
	check_eq(wf_conn_write(bg(), c[1], "more", 4), 4);
	check_eq(read_all(c[0], buf, 4), 4);
	wf_waitgroup_add(&wg, 1);
	wf_spawn(blocked_read, c[0], 0, &wg);
	tap_settle();
	check_eq(wf_conn_close_read(c[0]), 0);
	wf_waitgroup_wait(&wg);
	wf_conn_close(c[0]);
	check_eq(wf_conn_close_read(c[0]), -ESHUTDOWN);
	free_pair(c);
}

/* A short read, then the end at once: the end is not missed. */

static void
short_and_end(enum kind kind)
{
	for (int i = 0; i < 200; i++) {
		wf_conn *c[2];
		char buf[64];

		make_pair(kind, c);
		/* Known to the poller, as after a first wait. */
		wf_conn_set_read_deadline(c[1], wf_now() + WF_US);
		check_eq(wf_conn_read(bg(), c[1], buf, 64), -ETIMEDOUT);
		wf_conn_set_read_deadline(c[1], WF_FOREVER);
		check_eq(wf_conn_write(bg(), c[0], "abc", 3), 3);
		if (i % 2)
			wf_conn_close(c[0]);
		check_eq(wf_conn_read(bg(), c[1], buf, 64), 3);
		if (i % 2 == 0)
			wf_conn_close(c[0]);
		check_eq(wf_conn_read(bg(), c[1], buf, 64), 0);
		free_pair(c);
	}
}

/* The turn to read is handed to one whose context ends before he takes it:
 * then it is the next one's. */

struct line {
	wf_conn *conn;
	wf_ctx *ctx;			/* of the second */
	int done;			/* atomic: of the three */
	wf_waitgroup wg;
};

static void
read_first(struct line *l)
{
	char b;

	check_eq(wf_conn_read(bg(), l->conn, &b, 1), 1);
	wf_ctx_cancel(l->ctx);
	__atomic_add_fetch(&l->done, 1, __ATOMIC_RELAXED);
	wf_waitgroup_done(&l->wg);
}

static void
read_second(struct line *l)
{
	ssize_t n;
	char b;

	/* It may have been faster than the cancel: then again. */
	while ((n = wf_conn_read(l->ctx, l->conn, &b, 1)) == 1)
		;
	check_eq(n, -ECANCELED);
	__atomic_add_fetch(&l->done, 1, __ATOMIC_RELAXED);
	wf_waitgroup_done(&l->wg);
}

static void
read_third(struct line *l)
{
	char b;

	check_eq(wf_conn_read(bg(), l->conn, &b, 1), 1);
	__atomic_add_fetch(&l->done, 1, __ATOMIC_RELAXED);
	wf_waitgroup_done(&l->wg);
}

static void
turns(enum kind kind)
{
	for (int i = 0; i < 20; i++) {
		struct line l = { .ctx = wf_ctx_with_cancel(bg()) };
		wf_conn *c[2];
		ssize_t n;

		make_pair(kind, c);
		l.conn = c[0];
		wf_waitgroup_add(&l.wg, 3);
		wf_spawn(read_first, &l);
		tap_settle();
		wf_spawn(read_second, &l);
		tap_settle();
		wf_spawn(read_third, &l);
		tap_settle();
		/* In whatever order they have come. */
		while (__atomic_load_n(&l.done, __ATOMIC_RELAXED) < 3) {
			/* As long as there is room: all may be done before
			 * it is empty enough for more. */
			wf_conn_set_write_deadline(c[1], wf_now() + WF_MS);
			n = wf_conn_write(bg(), c[1], "x", 1);
			check(n == 1 || n == -ETIMEDOUT);
			wf_sleep(100 * WF_US);
		}
		wf_waitgroup_wait(&l.wg);
		wf_ctx_free(l.ctx);
		free_pair(c);
	}
}

/* Three read in a loop what has come at once: each has its turns, for none
 * takes it again before those who wait for it. */

enum { READERS = 3 };

struct readers {
	wf_conn *conn;
	int got[READERS];
	wf_waitgroup wg;
};

static void
read_on(struct readers *r, int id)
{
	char b;

	while (wf_conn_read(bg(), r->conn, &b, 1) == 1)
		r->got[id]++;
	wf_waitgroup_done(&r->wg);
}

static void
fair_turns(enum kind kind)
{
	struct readers r = {0};
	char bytes[300] = {0};
	int sum = 0;
	wf_conn *c[2];

	make_pair(kind, c);
	r.conn = c[0];
	wf_waitgroup_add(&r.wg, READERS);
	for (int i = 0; i < READERS; i++)
		wf_spawn(read_on, &r, i);
	tap_await_parked("for its turn to read from connection", READERS - 1);
	check_eq(wf_conn_write(bg(), c[1], bytes, sizeof bytes), sizeof bytes);
	check_eq(wf_conn_close(c[1]), 0);
	wf_waitgroup_wait(&r.wg);
	for (int i = 0; i < READERS; i++) {
		check(r.got[i] > 0);
		sum += r.got[i];
	}
	check_eq(sum, sizeof bytes);
	free_pair(c);
}

static int
contract(void)
{
	static void (*const parts[])(enum kind) = { megabyte, ping_pong,
	    racy_buffers, past_deadlines, release, contexts, all_at_once,
	    whole_writes, halves, short_and_end, turns,
	    fair_turns };

	for (int kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
			parts[i](kind);
	return 0;
}

/* 217-220: never early, by deadlines that grow; for reads and writes. */

static int
not_early(void)
{
	wf_waitgroup wg = {0};
	int64_t ns = 1, until;
	wf_conn *c[2];
	char b;

	make_pair(TCP, c);
	block_both(c[0], -ETIMEDOUT, 0, &wg);
	wf_conn_set_deadline(c[0], 1);
	wf_waitgroup_wait(&wg);
	for (; ns < 20 * WF_MS; ns = ns * 5 / 2 + 1) {
		until = wf_now() + ns;
		wf_conn_set_deadline(c[0], until);
		check_eq(wf_conn_read(bg(), c[0], &b, 1), -ETIMEDOUT);
		check(wf_now() >= until);
		check_eq(wf_conn_write(bg(), c[0], &b, 1), -ETIMEDOUT);
	}
	free_pair(c);
	return 0;
}

/* One alarm serves all waits of a connection: what an earlier one has left is
 * neither too early for a later deadline nor too late for an earlier one, and
 * the two sides have it in common. */

static void
send_one(wf_conn *c, wf_waitgroup *wg)
{
	check_eq(wf_conn_write(bg(), c, "x", 1), 1);
	wf_waitgroup_done(wg);
}

/* A read that has waited, and ended before its deadline, if there was time. */
static void
read_within(wf_conn *c[2], int64_t ns)
{
	wf_waitgroup wg = {0};
	ssize_t n;
	char b;

	wf_waitgroup_add(&wg, 1);
	wf_conn_set_read_deadline(c[0], wf_now() + ns);
	wf_spawn(send_one, c[1], &wg);
	n = wf_conn_read(bg(), c[0], &b, 1);
	check(n == 1 || (n == -ETIMEDOUT && ns < WF_SEC));
	wf_waitgroup_wait(&wg);
	wf_conn_set_read_deadline(c[0], WF_FOREVER);
	if (n != 1)
		check_eq(wf_conn_read(bg(), c[0], &b, 1), 1);
}

static void
read_in_vain(wf_conn *c, int64_t ns)
{
	int64_t until = wf_now() + ns;
	char b;

	wf_conn_set_read_deadline(c, until);
	check_eq(wf_conn_read(bg(), c, &b, 1), -ETIMEDOUT);
	check(wf_now() >= until);
}

static int
alarms(void)
{
	static const int64_t times[] = { 3600 * WF_SEC, 5 * WF_MS, WF_MS };
	wf_waitgroup wg = {0};
	wf_conn *c[2];

	for (int round = 0; round < 3; round++) {
		make_pair(round ? TCP : MEMORY, c);
		for (int i = 0; i < 9; i++) {
			read_within(c, times[i % 3]);
			read_in_vain(c[0], times[1 + i / 3 % 2]);
		}
		block_both(c[0], -ETIMEDOUT, 0, &wg);
		wf_conn_set_write_deadline(c[0], wf_now() + times[round]);
		read_in_vain(c[0], 2 * WF_MS);
		if (!round)
			wf_conn_set_write_deadline(c[0], wf_now() + WF_MS);
		wf_waitgroup_wait(&wg);
		read_within(c, times[round]);
		free_pair(c);		/* the alarm is set, or late */
	}
	return 0;
}

/* 208, 209, 228: the listener's deadlines and end. */

static void
accept_until(wf_listener *l, int want, wf_waitgroup *wg)
{
	wf_conn *c;

	check_eq(wf_listener_accept(bg(), l, &c), want);
	check(!c);
	wf_waitgroup_done(wg);
}

static int
listeners(void)
{
	char text[WF_ADDRESS_TEXT], again[WF_ADDRESS_TEXT];
	wf_listener *l = listen_to("tcp", "127.0.0.1:0", text);
	wf_waitgroup wg = {0};
	wf_conn *a, *b;

	check_eq(wf_dial(bg(), "tcp4", text, &a), 0);
	wf_listener_set_deadline(l, 1);
	for (int i = 0; i < 2; i++) {
		check_eq(wf_listener_accept(bg(), l, &b), -ETIMEDOUT);
		check(!b);
	}
	wf_listener_set_deadline(l, WF_FOREVER);
	check_eq(wf_listener_accept(bg(), l, &b), 0);
	check_eq(wf_conn_remote_address(b, text, sizeof text), 0);
	check_eq(wf_conn_local_address(a, again, sizeof again), 0);
	check(!strcmp(text, again));
	wf_conn_free(a);
	wf_conn_free(b);
	wf_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		wf_spawn(accept_until, l, -ETIMEDOUT, &wg);
	tap_settle();
	wf_listener_set_deadline(l, wf_now() + 5 * WF_MS);
	wf_waitgroup_wait(&wg);
	wf_listener_set_deadline(l, WF_FOREVER);
	wf_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		wf_spawn(accept_until, l, -ESHUTDOWN, &wg);
	tap_settle();
	check_eq(wf_listener_address(l, text, sizeof text), 0);
	check_eq(wf_listener_close(l), 0);
	wf_waitgroup_wait(&wg);
	check_eq(wf_listener_accept(bg(), l, &b), -ESHUTDOWN);
	check_eq(wf_dial(bg(), "tcp", text, &a), -ECONNREFUSED);
	check(!a);
	wf_listener_free(l);
	return 0;
}

/* Many clients come and go; several accept. */

enum { CLIENTS = 200, ACCEPTORS = 4 };

static void
serve(wf_conn *c, wf_waitgroup *wg)
{
	char buf[64];
	ssize_t n;

	while ((n = wf_conn_read(bg(), c, buf, sizeof buf)) > 0)
		check_eq(wf_conn_write(bg(), c, buf, (size_t)n), n);
	wf_conn_free(c);
	wf_waitgroup_done(wg);
}

static void
accept_all(wf_listener *l, wf_waitgroup *wg)
{
	wf_conn *c;
	int err;

	while ((err = wf_listener_accept(bg(), l, &c)) == 0) {
		wf_waitgroup_add(wg, 1);
		check_eq(wf_spawn(serve, c, wg), 0);
	}
	check_eq(err, -ESHUTDOWN);
	wf_waitgroup_done(wg);
}

static void
client(const char *address, int id, wf_waitgroup *wg)
{
	wf_conn *c;
	int got;

	check_eq(wf_dial(bg(), "tcp", address, &c), 0);
	for (int i = 0; i < 20 && c; i++) {
		int word = id * 1000 + i;

		check_eq(wf_conn_write(bg(), c, &word, sizeof word),
		    sizeof word);
		check_eq(read_all(c, &got, sizeof got), sizeof got);
		check_eq(got, word);
	}
	wf_conn_free(c);
	wf_waitgroup_done(wg);
}

static int
many_clients(void)
{
	char text[WF_ADDRESS_TEXT];
	wf_listener *l = listen_to("tcp", "127.0.0.1:0", text);
	wf_waitgroup servers = {0}, clients = {0};

	wf_waitgroup_add(&servers, ACCEPTORS);
	for (int i = 0; i < ACCEPTORS; i++)
		wf_spawn(accept_all, l, &servers);
	wf_waitgroup_add(&clients, CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		wf_spawn(client, (const char *)text, i, &clients);
	wf_waitgroup_wait(&clients);
	wf_listener_close(l);
	wf_waitgroup_wait(&servers);
	wf_listener_free(l);
	return 0;
}

/* Thousands that are idle cost little, and are all there when they are needed:
 * for those of 10,000 in a process of its own, see bench/idle.sh. */

/* Both ends are here. */
static int
count_affordable(long wanted)
{
	struct rlimit limit;
	rlim_t most;

	check_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	check_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	most = (limit.rlim_cur - 100) / 2;
	return (rlim_t)wanted < most ? (int)wanted : (int)most;
}

static void
use(wf_conn *c, int i)
{
	int got = -1;

	check_eq(wf_conn_write(bg(), c, &i, sizeof i), sizeof i);
	check_eq(read_all(c, &got, sizeof got), sizeof got);
	check_eq(got, i);
}

static int
many_idle(void)
{
	int n = count_affordable(tap_scale(10000, 1000));
	wf_conn **c = calloc((size_t)n, sizeof *c);
	char text[WF_ADDRESS_TEXT];
	wf_listener *l = listen_to("tcp", "127.0.0.1:0", text);
	wf_waitgroup wg = {0};
	long before;

	wf_waitgroup_add(&wg, 1);
	wf_spawn(accept_all, l, &wg);
	check_eq(wf_dial(bg(), "tcp", text, &c[0]), 0);
	use(c[0], 0);
	before = tap_bytes();
	for (int i = 1; i < n; i++) {
		check_eq(wf_dial(bg(), "tcp", text, &c[i]), 0);
		use(c[i], i);
	}
	tap_note("%d connections, %ld bytes of the heap for both ends", n,
	    (tap_bytes() - before) / n);
	check((tap_bytes() - before) / n < 1500);
	for (int i = n - 1; i >= 0; i--)
		use(c[i], i);
	for (int i = 0; i < n; i++)
		wf_conn_free(c[i]);
	wf_listener_close(l);
	wf_waitgroup_wait(&wg);
	wf_listener_free(l);
	free(c);
	return 0;
}

/* 206: timeouts of a dial to where nobody answers: a queue that is full. */

struct hole {
	int listener, queued;
	char text[WF_ADDRESS_TEXT];
};

static void
open_hole(struct hole *h)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof a;

	h->listener = socket(AF_INET, SOCK_STREAM, 0);
	check_eq(bind(h->listener, (struct sockaddr *)&a, sizeof a), 0);
	check_eq(listen(h->listener, 0), 0);
	check_eq(getsockname(h->listener, (struct sockaddr *)&a, &size), 0);
	check_eq(wf_address_text((struct sockaddr *)&a, size, h->text,
	    sizeof h->text), 0);
	/* There is room for one. */
	h->queued = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	check_eq(wf_connect(bg(), h->queued, (struct sockaddr *)&a, size), 0);
	check_eq(wf_wait_fd(bg(), h->listener, WF_IN), WF_IN);
}

static void
close_hole(struct hole *h)
{
	close(h->queued);
	close(h->listener);
}

static int
dial_timeouts(void)
{
	static const int64_t table[][2] = { { -5 * WF_SEC, 0 },
	    { 0, -5 * WF_SEC }, { -5 * WF_SEC, 5 * WF_SEC },
	    { INT64_MIN, 0 }, { 0, INT64_MIN }, { 5 * WF_MS, 0 },
	    { 0, 5 * WF_MS }, { 5 * WF_MS, 3600 * WF_SEC },
	    { INT64_MAX, 5 * WF_MS } };
	wf_ctx *ctx = wf_ctx_with_cancel(bg());
	struct hole h;
	wf_conn *c;

	open_hole(&h);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct wf_dialer d = { .timeout = table[i][0],
		    .deadline = table[i][1] };

		if (d.deadline && d.deadline != INT64_MIN)
			d.deadline += wf_now();
		check_eq(wf_dial_with(bg(), &d, "tcp", h.text, &c),
		    -ETIMEDOUT);
		check(!c);
	}
	wf_spawn(cancel_late, wf_ctx_ref(ctx));
	check_eq(wf_dial(ctx, "tcp", h.text, &c), -ECANCELED);
	check(!c);
	close_hole(&h);
	wf_ctx_free(ctx);
	return 0;
}

/* Names and addresses. */

static int
addresses(void)
{
	struct sockaddr_storage list[16];
	char text[WF_ADDRESS_TEXT], small[5];
	wf_listener *l;
	wf_conn *c;
	int n;

	check_eq(wf_resolve(bg(), "tcp", "127.0.0.1:80", list, 16), 1);
	check_eq(wf_address_text((struct sockaddr *)&list[0],
	    sizeof(struct sockaddr_in), text, sizeof text), 0);
	check(!strcmp(text, "127.0.0.1:80"));
	check_eq(wf_address_text((struct sockaddr *)&list[0],
	    sizeof(struct sockaddr_in), small, sizeof small), -ENOSPC);
	check_eq(wf_resolve(bg(), "tcp", "[::1]:443", list, 16), 1);
	check_eq(wf_address_text((struct sockaddr *)&list[0],
	    sizeof(struct sockaddr_in6), text, sizeof text), 0);
	check(!strcmp(text, "[::1]:443"));
	n = wf_resolve(bg(), "tcp", "localhost:http", list, 16);
	check(n > 0 || n == -ENOENT);	/* without /etc/services */
	n = wf_resolve(bg(), "tcp", "localhost:80", list, 16);
	check(n > 0);
	check_eq(wf_resolve(bg(), "tcp", "127.0.0.1", list, 16), -EINVAL);
	check_eq(wf_resolve(bg(), "tcp", "::1:80", list, 16), -EINVAL);
	check_eq(wf_resolve(bg(), "tcp", "127.0.0.1:", list, 16), -EINVAL);
	check_eq(wf_resolve(bg(), "ipx", "127.0.0.1:80", list, 16), -EINVAL);
	check_eq(wf_dial(bg(), "tcp", "nowhere", &c), -EINVAL);
	check_eq(wf_listen(bg(), "udp", "127.0.0.1:0", &l), -EINVAL);
	check_eq(wf_dial(bg(), "unix", "/nowhere/at/all", &c), -ENOENT);
	check(!c);
	return 0;
}

/* A name with two addresses, of which one refuses: the other one it is. */

static int
two_addresses(void)
{
	char text[WF_ADDRESS_TEXT], name[WF_ADDRESS_TEXT];
	wf_listener *l = listen_to("tcp4", "127.0.0.1:0", text);
	struct sockaddr_storage list[16];
	wf_conn *c = NULL;

	snprintf(name, sizeof name, "localhost:%s", strchr(text, ':') + 1);
	tap_note("localhost has %d addresses", wf_resolve(bg(), "tcp", name,
	    list, 16));
	check_eq(wf_dial(bg(), "tcp", name, &c), 0);
	wf_conn_free(c);
	wf_listener_free(l);
	check_eq(wf_dial(bg(), "tcp", name, &c), -ECONNREFUSED);
	/* Any address: by both families, where there are both. */
	l = listen_to("tcp", ":0", text);
	snprintf(name, sizeof name, "127.0.0.1:%s", strrchr(text, ':') + 1);
	check_eq(wf_dial(bg(), "tcp", name, &c), 0);
	wf_conn_free(c);
	wf_listener_free(l);
	return 0;
}

/* 216, 218, 229: datagrams. */

static void
read_from_closed(wf_conn *c, wf_waitgroup *wg)
{
	char buf[8];

	check_eq(wf_conn_read_from(bg(), c, buf, 8, NULL, NULL), -ESHUTDOWN);
	wf_waitgroup_done(wg);
}

static int
datagrams(void)
{
	char text[WF_ADDRESS_TEXT], buf[64] = {0};
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	wf_waitgroup wg = {0};
	wf_conn *a, *b;

	check_eq(wf_listen_packet(bg(), "udp", "127.0.0.1:0", &a), 0);
	check_eq(wf_conn_local_address(a, text, sizeof text), 0);
	check_eq(wf_dial(bg(), "udp", text, &b), 0);
	check_eq(wf_conn_write(bg(), b, "hello", 5), 5);
	check_eq(wf_conn_read_from(bg(), a, buf, sizeof buf,
	    (struct sockaddr *)&from, &size), 5);
	check(!strcmp(buf, "hello"));
	check_eq(wf_conn_write_to(bg(), a, "world!", 6,
	    (struct sockaddr *)&from, size), 6);
	check_eq(wf_conn_read(bg(), b, buf, sizeof buf), 6);
	/* A short one does not mean that there is no other one. */
	check_eq(wf_conn_write(bg(), b, "1", 1), 1);
	check_eq(wf_conn_write(bg(), b, "2", 1), 1);
	check_eq(wf_conn_read(bg(), a, buf, sizeof buf), 1);
	check_eq(wf_conn_read(bg(), a, buf, sizeof buf), 1);
	wf_conn_set_deadline(a, wf_now() + WF_MS);
	check_eq(wf_conn_read_from(bg(), a, buf, 64, NULL, NULL), -ETIMEDOUT);
	check_eq(wf_conn_write_to(bg(), a, "x", 1, (struct sockaddr *)&from,
	    size), -ETIMEDOUT);
	wf_conn_set_deadline(a, WF_FOREVER);
	wf_waitgroup_add(&wg, 1);
	wf_spawn(read_from_closed, a, &wg);
	tap_settle();
	wf_conn_close(a);
	wf_waitgroup_wait(&wg);
	free_pair((wf_conn *[2]){ a, b });
	return 0;
}

/* A path in the file system goes with its listener. */

static int
unix_paths(void)
{
	char folder[] = "/tmp/weft-net-XXXXXX", path[64];
	char text[WF_ADDRESS_TEXT];
	wf_listener *l, *second;
	wf_conn *c[2];

	check(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/socket", folder);
	l = listen_to("unix", path, text);
	check(!strcmp(text, path));
	check_eq(wf_listen(bg(), "unix", path, &second), -EADDRINUSE);
	check(!second);
	check_eq(wf_dial(bg(), "unix", path, &c[0]), 0);
	check_eq(wf_listener_accept(bg(), l, &c[1]), 0);
	round_trip(c[0], c[1]);
	free_pair(c);
	wf_listener_free(l);
	check_eq(access(path, F_OK), -1);
	check_eq(rmdir(folder), 0);
	return 0;
}

/* Descriptors run out: accept says so, and goes on when there are some.  No
 * thread of weft's opens and closes a file meanwhile. */

static int
exhausted(void)
{
	char text[WF_ADDRESS_TEXT];
	wf_listener *l = listen_to("tcp", "127.0.0.1:0", text);
	struct rlimit old, low;
	wf_conn *a, *b;
	int top;

	/* The poller, and one client in the queue. */
	wf_listener_set_deadline(l, wf_now() + WF_US);
	check_eq(wf_listener_accept(bg(), l, &b), -ETIMEDOUT);
	wf_listener_set_deadline(l, WF_FOREVER);
	check_eq(wf_dial(bg(), "tcp", text, &a), 0);
	top = dup(0);
	close(top);
	check_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)top;
	check_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	check_eq(wf_listener_accept(bg(), l, &b), -EMFILE);
	check_eq(wf_listener_accept(bg(), l, &b), -EMFILE);
	check_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	check_eq(wf_listener_accept(bg(), l, &b), 0);
	round_trip(a, b);
	free_pair((wf_conn *[2]){ a, b });
	wf_listener_free(l);
	return 0;
}

/* A socket of the caller's becomes a connection; a reset is an error. */

static int
adopted(void)
{
	int ends[2];
	wf_conn *c[2];
	char b;

	check_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	check_eq(wf_conn_of(ends[0], &c[0]), 0);
	check_eq(wf_conn_of(ends[1], &c[1]), 0);
	check(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
	round_trip(c[0], c[1]);
	free_pair(c);
	check_eq(wf_conn_of(-1, &c[0]), -EBADF);
	make_pair(TCP, c);
	check_eq(setsockopt(wf_conn_fd(c[0]), SOL_SOCKET, SO_LINGER,
	    &(struct linger){ 1, 0 }, sizeof(struct linger)), 0);
	wf_conn_close(c[0]);
	check_eq(wf_conn_read(bg(), c[1], &b, 1), -ECONNRESET);
	free_pair(c);
	return 0;
}

/* Connections outlive the runtime: a stop in between, and plain threads. */

static void *
thread_side(void *arg)
{
	wf_waitgroup wg = {0};

	wf_waitgroup_add(&wg, 1);
	count_up(arg, &wg);
	return NULL;
}

static void
over_a_stop(void)
{
	uint64_t zero = 0;
	wf_waitgroup wg = {0};
	wf_conn *c[2];
	pthread_t t;

	make_pair(TCP, c);
	for (int i = 0; i < 3; i++) {
		check_eq(pthread_create(&t, NULL, thread_side, c[1]), 0);
		zero = 0;
		check_eq(wf_conn_write(bg(), c[0], &zero, 8), 8);
		wf_waitgroup_add(&wg, 1);
		count_up(c[0], &wg);
		pthread_join(t, NULL);
		last_word(c[0]);
		check_eq(wf_stop(10 * WF_SEC), 0);
	}
	free_pair(c);
	check_eq(wf_stop(10 * WF_SEC), 0);
}

/* The same on the network of a simulation. */
static void
in_simulations(void)
{
	static int (*const all[])(void) = { contract, not_early, listeners,
	    many_clients, unix_paths, datagrams };
	struct wf_sim_options o = { .schedules = (unsigned)tap_scale(300, 3),
	    .steps = 10000000, .seed = tap_seed(), .net = { .ideal = true } };

	simulated = true;
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		check_eq(wf_sim(&o, all[i]), 0);
	simulated = false;
}

int
main(void)
{
	tap_count_memory();
	tap_test_workers("224: the contract, over tcp, unix and memory",
	    contract);
	tap_test_workers("217-220: never early", not_early);
	tap_test_workers("alarms that are left as they are", alarms);
	tap_test_workers("208, 209, 228: listeners", listeners);
	tap_test_workers("many clients", many_clients);
	tap_test_workers("many that are idle", many_idle);
	tap_test("206: dial timeouts", dial_timeouts);
	tap_test("addresses", addresses);
	tap_test("several addresses", two_addresses);
	tap_test_workers("216, 229: datagrams", datagrams);
	tap_test("unix sockets by path", unix_paths);
	tap_test_pumped("descriptors run out", exhausted);
	tap_test_workers("sockets of others", adopted);
	tap_plain("over a stop, and in threads", over_a_stop);
	tap_plain("the same, simulated", in_simulations);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
