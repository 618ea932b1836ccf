/* SPDX-License-Identifier: MIT */
/*
 * simnet.c - the network of a simulation.  What a program may rely on is tested
 * by programs that run on the real network of the machine as well, unchanged;
 * then what only a simulation can do: the clock, losses, resets, cuts.
 */
#include "tap.h"

#include <weft/errno.h>

enum { SCHEDULES = 300 };

static struct wf_sim_result result;
static bool simulated;

/* As wf_sim_check(), and outside of a simulation as check(). */
#define must(expr) ((expr) ? (void)0 : fail(__FILE__, __LINE__, #expr))
#define must_eq(a, b) must_eq_at((long long)(a), (long long)(b), __FILE__, \
	__LINE__, #a " == " #b)

static void
fail(const char *file, int line, const char *what)
{
	if (simulated)
		wf_sim_fail(file, line, what);
	tap__fail(file, line, what);
}

static void
must_eq_at(long long a, long long b, const char *file, int line,
    const char *what)
{
	char text[128];

	if (a == b)
		return;
	snprintf(text, sizeof text, "%s: %lld, %lld", what, a, b);
	fail(file, line, text);
}

static wf_ctx *
bg(void)
{
	return wf_ctx_background();
}

static struct wf_sim_options
quiet(unsigned schedules)
{
	return (struct wf_sim_options){ .schedules = schedules, .quiet = true,
	    .result = &result };
}

static int
simulate(const struct wf_sim_options *o, int (*fn)(void))
{
	int outcome;

	simulated = true;
	outcome = wf_sim(o, fn);
	simulated = false;
	if (outcome && o->quiet && result.outcome != WF_SIM_PASSED)
		tap_note("%s, WEFT_SIM_SEED='%s'", result.what, result.replay);
	return outcome;
}

/* A program runs on the machine's network, and in as many schedules by lot and
 * by priorities, on an unkind network and on an ideal one. */
static void
on_both(int (*fn)(void), unsigned schedules)
{
	struct wf_sim_options o = quiet(schedules);

	check_eq(wf_run(fn), 0);
	for (int i = 0; i < 4; i++) {
		o.how = i & 1 ? WF_SIM_PCT : WF_SIM_RANDOM;
		o.net = (struct wf_sim_net){ .ideal = i & 2 };
		check_eq(simulate(&o, fn), 0);
	}
}

/* ---- helpers of the programs ---- */

static ssize_t
read_all(wf_conn *c, void *buf, size_t n)
{
	size_t have = 0;
	ssize_t got = 1;

	while (have < n && (got = wf_conn_read(bg(), c, (char *)buf + have,
	    n - have)) > 0)
		have += (size_t)got;
	return got < 0 ? got : (ssize_t)have;
}

static wf_listener *
listen_any(char *address)
{
	wf_listener *l = NULL;

	must_eq(wf_listen(bg(), "tcp", "127.0.0.1:0", &l), 0);
	must_eq(wf_listener_address(l, address, WF_ADDRESS_TEXT), 0);
	return l;
}

static void
make_pair(wf_conn *ends[2])
{
	char address[WF_ADDRESS_TEXT];
	wf_listener *l = listen_any(address);

	must_eq(wf_dial(bg(), "tcp", address, &ends[0]), 0);
	must_eq(wf_listener_accept(bg(), l, &ends[1]), 0);
	wf_listener_free(l);
}

static void
free_pair(wf_conn *ends[2])
{
	wf_conn_free(ends[0]);
	wf_conn_free(ends[1]);
}

/* ---- an echo server ---- */

enum { CLIENTS = 3, MESSAGES = 3, MESSAGE = 200 };

static void
echo(wf_conn *c, wf_waitgroup *wg)
{
	char buf[64];
	ssize_t n;

	while ((n = wf_conn_read(bg(), c, buf, sizeof buf)) > 0)
		must_eq(wf_conn_write(bg(), c, buf, (size_t)n), n);
	must_eq(n, 0);
	wf_conn_free(c);
	wf_waitgroup_done(wg);
}

static void
serve(wf_listener *l, wf_waitgroup *wg)
{
	wf_conn *c;
	int err;

	while ((err = wf_listener_accept(bg(), l, &c)) == 0) {
		wf_waitgroup_add(wg, 1);
		wf_spawn(echo, c, wg);
	}
	must_eq(err, -ESHUTDOWN);
	wf_waitgroup_done(wg);
}

static void
talk(const char *network, const char *address, int who, wf_waitgroup *wg)
{
	char out[MESSAGE], in[MESSAGE];
	wf_conn *c = NULL;

	must_eq(wf_dial(bg(), network, address, &c), 0);
	for (int i = 0; i < MESSAGES; i++) {
		size_t n = 1 + wf_rand() % sizeof out;

		for (size_t at = 0; at < n; at++)
			out[at] = (char)(who * 31 + i * 7 + (int)at);
		must_eq(wf_conn_write(bg(), c, out, n), n);
		must_eq(read_all(c, in, n), n);
		must(!memcmp(in, out, n));
	}
	wf_conn_free(c);
	wf_waitgroup_done(wg);
}

static int
echo_over(const char *network, const char *at)
{
	wf_waitgroup server = {0}, clients = {0};
	char address[WF_ADDRESS_TEXT];
	wf_listener *l = NULL;

	must_eq(wf_listen(bg(), network, at, &l), 0);
	must_eq(wf_listener_address(l, address, sizeof address), 0);
	wf_waitgroup_add(&server, 1);
	wf_spawn(serve, l, &server);
	wf_waitgroup_add(&clients, CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		wf_spawn(talk, network, address, i, &clients);
	wf_waitgroup_wait(&clients);
	must_eq(wf_listener_close(l), 0);
	wf_waitgroup_wait(&server);
	wf_listener_free(l);
	return 0;
}

static int
echo_tcp(void)
{
	return echo_over("tcp", "127.0.0.1:0");
}

static int
echo_unix(void)
{
	return echo_over("unix", "@weft-test-simnet");
}

static void
echoes(void)
{
	on_both(echo_tcp, (unsigned)tap_scale(20000, 500));
	on_both(echo_unix, (unsigned)tap_scale(20000, 500));
}

/* ---- a row of bytes: each once, in order ---- */

enum { ROW = 3000 };

static unsigned char
byte_at(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13);
}

static void
write_row(wf_conn *c, ssize_t *sent, wf_waitgroup *wg)
{
	unsigned char part[400];
	size_t done = 0, n;
	ssize_t put = 0;

	while (done < ROW) {
		n = 1 + wf_rand() % sizeof part;
		n = n < ROW - done ? n : ROW - done;
		for (size_t i = 0; i < n; i++)
			part[i] = byte_at(done + i);
		if ((put = wf_conn_write(bg(), c, part, n)) < 0)
			break;
		done += (size_t)put;
	}
	*sent = put < 0 ? put : (ssize_t)done;
	wf_conn_close_write(c);
	wf_waitgroup_done(wg);
}

/* How many came until the end, or the error. */
static ssize_t
read_row(wf_conn *c, size_t *have)
{
	unsigned char part[300];
	ssize_t n;

	for (*have = 0; (n = wf_conn_read(bg(), c, part,
	    1 + wf_rand() % sizeof part)) > 0; *have += (size_t)n)
		for (ssize_t i = 0; i < n; i++)
			must_eq(part[i], byte_at(*have + (size_t)i));
	return n;
}

static void
pass_row(wf_conn *c[2], ssize_t *sent, ssize_t *end, size_t *have)
{
	wf_waitgroup wg = {0};

	wf_waitgroup_add(&wg, 1);
	wf_spawn(write_row, c[0], sent, &wg);
	*end = read_row(c[1], have);
	wf_conn_close(c[1]);
	wf_waitgroup_wait(&wg);
	free_pair(c);
}

static int
row(void)
{
	wf_conn *c[2];
	ssize_t sent, end;
	size_t have;

	for (int i = 0; i < 2; i++) {
		if (i)
			must_eq(wf_conn_pipe(c), 0);
		else
			make_pair(c);
		pass_row(c, &sent, &end, &have);
		must_eq(end, 0);
		must_eq(sent, ROW);
		must_eq(have, ROW);
	}
	return 0;
}

static unsigned complete, broken;

/* The beginning of the row comes, in order; all of it, unless both hear of
 * a reset, or the writer had sent all before. */
static int
row_or_reset(void)
{
	wf_conn *c[2];
	ssize_t sent, end;
	size_t have;

	make_pair(c);
	pass_row(c, &sent, &end, &have);
	if (end == 0 && sent >= 0) {
		must_eq(have, ROW);
		complete++;
	} else {
		must(end == -ECONNRESET);
		must(sent == ROW || sent == -ECONNRESET || sent == -EPIPE);
		must(have < ROW || sent == ROW);
		broken++;
	}
	return 0;
}

static void
rows(void)
{
	struct wf_sim_options o = quiet(SCHEDULES);

	on_both(row, (unsigned)tap_scale(5000, 100));
	o.net.buffer = 7;		/* then writes have to wait */
	check_eq(simulate(&o, row), 0);
	o.net.buffer = 200;
	o.net.resets = 10;
	complete = broken = 0;
	check_eq(simulate(&o, row_or_reset), 0);
	check(complete > SCHEDULES / 20);
	check(broken > SCHEDULES / 20);
}

/* ---- what errors there are, and when ---- */

static int
addresses(void)
{
	char at[WF_ADDRESS_TEXT], a[WF_ADDRESS_TEXT], b[WF_ADDRESS_TEXT];
	wf_listener *l = listen_any(at), *other;
	wf_conn *c, *s;

	must_eq(wf_listen(bg(), "tcp", at, &other), -EADDRINUSE);
	must(!other);
	must_eq(wf_dial(bg(), "tcp", at, &c), 0);
	must_eq(wf_listener_accept(bg(), l, &s), 0);
	must_eq(wf_conn_remote_address(c, a, sizeof a), 0);
	must(!strcmp(a, at));
	must_eq(wf_conn_local_address(s, a, sizeof a), 0);
	must(!strcmp(a, at));
	must_eq(wf_conn_local_address(c, a, sizeof a), 0);
	must_eq(wf_conn_remote_address(s, b, sizeof b), 0);
	must(!strcmp(a, b) && strcmp(a, at));
	wf_conn_free(c);
	wf_conn_free(s);
	wf_listener_free(l);
	must_eq(wf_dial(bg(), "tcp", at, &c), -ECONNREFUSED);
	must_eq(wf_listen(bg(), "tcp", at, &l), 0);
	wf_listener_free(l);
	must_eq(wf_dial(bg(), "tcp", "there.invalid:80", &c), -ENOENT);
	must_eq(wf_dial(bg(), "tcp", "no port", &c), -EINVAL);
	must_eq(wf_dial(bg(), "unix", "@weft-test-nobody", &c), -ECONNREFUSED);
	must_eq(wf_dial(bg(), "unix", "/nonexistent/socket", &c), -ENOENT);
	must_eq(wf_listen(bg(), "tcp", "192.0.2.1:0", &l), -EADDRNOTAVAIL);
	must_eq(wf_listen(bg(), "tcp", ":0", &l), 0);
	must_eq(wf_listener_address(l, at, sizeof at), 0);
	snprintf(a, sizeof a, "127.0.0.1%s", strrchr(at, ':'));
	must_eq(wf_dial(bg(), "tcp", a, &c), 0);
	wf_listener_free(l);
	wf_conn_free(c);
	return 0;
}

static int
ends(void)
{
	wf_conn *c[2];
	char buf[8];

	for (int memory = 0; memory < 2; memory++) {
		if (memory)
			must_eq(wf_conn_pipe(c), 0);
		else
			make_pair(c);
		must_eq(wf_conn_write(bg(), c[0], "last", 4), 4);
		must_eq(wf_conn_close_write(c[0]), 0);
		must_eq(wf_conn_write(bg(), c[0], "more", 4), -EPIPE);
		must_eq(read_all(c[1], buf, sizeof buf), 4);
		must_eq(wf_conn_read(bg(), c[1], buf, sizeof buf), 0);
		must_eq(wf_conn_write(bg(), c[1], "back", 4), 4);
		must_eq(wf_conn_close(c[1]), 0);
		must_eq(wf_conn_close(c[1]), -ESHUTDOWN);
		must_eq(wf_conn_read(bg(), c[1], buf, 1), -ESHUTDOWN);
		must_eq(read_all(c[0], buf, sizeof buf), 4);
		must_eq(wf_conn_read(bg(), c[0], buf, sizeof buf), 0);
		must_eq(wf_conn_close_read(c[0]), memory ? 0 : -ENOTCONN);
		free_pair(c);
	}
	return 0;
}

/* The peer has not read all that came: it is told so. */
static int
unread(void)
{
	wf_conn *c[2];
	char byte;
	ssize_t n;

	make_pair(c);
	must_eq(wf_conn_write(bg(), c[0], "hello", 5), 5);
	must_eq(wf_conn_read(bg(), c[1], &byte, 1), 1);
	must_eq(wf_conn_set_read_deadline(c[1], 0), 0);
	must_eq(wf_conn_read(bg(), c[1], &byte, 1), -ETIMEDOUT);
	wf_conn_close(c[1]);
	n = wf_conn_read(bg(), c[0], &byte, 1);
	must(n == -ECONNRESET || (simulated && n == 0));
	while ((n = wf_conn_write(bg(), c[0], "x", 1)) == 1)
		wf_sleep(WF_MS);
	must(n == -EPIPE || n == -ECONNRESET);
	free_pair(c);
	return 0;
}

static void
read_until(wf_ctx *ctx, wf_conn *c, int wanted, wf_waitgroup *wg)
{
	char byte;

	must_eq(wf_conn_read(ctx, c, &byte, 1), wanted);
	wf_waitgroup_done(wg);
}

static void
accept_until(wf_listener *l, int wanted, wf_waitgroup *wg)
{
	wf_conn *c;

	must_eq(wf_listener_accept(bg(), l, &c), wanted);
	wf_waitgroup_done(wg);
}

/* Context, deadline and close end a read; a close ends an accept. */
static int
ended(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(bg());
	char address[WF_ADDRESS_TEXT];
	wf_listener *l = listen_any(address);
	int64_t begin = wf_now();
	wf_waitgroup wg = {0};
	wf_conn *c[2], *d[2];

	make_pair(c);
	make_pair(d);
	wf_waitgroup_add(&wg, 4);
	wf_spawn(read_until, ctx, c[0], -ECANCELED, &wg);
	wf_spawn(read_until, bg(), c[1], -ETIMEDOUT, &wg);
	wf_spawn(read_until, bg(), d[0], -ESHUTDOWN, &wg);
	wf_spawn(accept_until, l, -ESHUTDOWN, &wg);
	wf_yield();
	wf_ctx_cancel(ctx);
	wf_conn_set_read_deadline(c[1], begin + 5 * WF_MS);
	wf_conn_close(d[0]);
	wf_listener_close(l);
	wf_waitgroup_wait(&wg);
	must(wf_now() >= begin + 5 * WF_MS);
	must_eq(wf_conn_set_read_deadline(c[1], WF_FOREVER), 0);
	must_eq(wf_conn_write(bg(), c[0], "x", 1), 1);
	wf_waitgroup_add(&wg, 1);
	read_until(bg(), c[1], 1, &wg);
	wf_listener_free(l);
	free_pair(c);
	free_pair(d);
	wf_ctx_free(ctx);
	return 0;
}

static void
contract(void)
{
	on_both(addresses, 50);
	on_both(ends, SCHEDULES);
	on_both(unread, 50);
	on_both(ended, SCHEDULES);
}

/* ---- the clock ---- */

enum { HOUR = 3600 };

static int64_t least, most;

static int
delayed(void)
{
	int64_t begin = wf_now(), took;
	wf_conn *c[2];
	char byte;

	make_pair(c);
	must(wf_now() - begin >= 2 * WF_SEC && wf_now() - begin <= 5 * WF_SEC);
	begin = wf_now();
	must_eq(wf_conn_write(bg(), c[0], "x", 1), 1);
	must_eq(wf_now(), begin);
	must_eq(wf_conn_read(bg(), c[1], &byte, 1), 1);
	took = wf_now() - begin;
	must(took >= 2 * WF_SEC && took <= 5 * WF_SEC);
	least = took < least ? took : least;
	most = took > most ? took : most;
	begin = wf_now();
	must_eq(wf_conn_set_deadline(c[0], begin + HOUR * WF_SEC), 0);
	must_eq(wf_conn_read(bg(), c[0], &byte, 1), -ETIMEDOUT);
	must_eq(wf_now(), begin + HOUR * WF_SEC);
	free_pair(c);
	return 0;
}

/* What arrives when nobody is there any more is answered by a reset. */
static int
too_late(void)
{
	wf_conn *c[2];
	char byte;

	make_pair(c);
	must_eq(wf_conn_write(bg(), c[0], "x", 1), 1);
	must_eq(wf_conn_close(c[1]), 0);
	must_eq(wf_conn_read(bg(), c[0], &byte, 1), 0);
	wf_sleep(10 * WF_SEC);
	must_eq(wf_conn_write(bg(), c[0], "x", 1), -EPIPE);
	free_pair(c);
	make_pair(c);
	must_eq(wf_conn_close(c[1]), 0);
	wf_sleep(10 * WF_SEC);
	must_eq(wf_conn_write(bg(), c[0], "x", 1), 1);
	must_eq(wf_conn_write(bg(), c[0], "y", 1), 1);
	must_eq(wf_conn_read(bg(), c[0], &byte, 1), 0);
	wf_sleep(10 * WF_SEC);
	must_eq(wf_conn_write(bg(), c[0], "z", 1), -EPIPE);
	free_pair(c);
	return 0;
}

/* What is on its way when a connection is reset does not arrive. */
static int
lost_by_reset(void)
{
	wf_conn *c[2];
	ssize_t n;
	char byte;
	int sent = 0, got = 0;

	make_pair(c);
	while ((n = wf_conn_write(bg(), c[0], "x", 1)) == 1)
		sent++;
	must_eq(n, -ECONNRESET);
	must_eq(wf_conn_write(bg(), c[0], "x", 1), -EPIPE);
	while ((n = wf_conn_read(bg(), c[1], &byte, 1)) == 1)
		got++;
	must_eq(n, -ECONNRESET);
	must_eq(wf_conn_read(bg(), c[1], &byte, 1), 0);
	must_eq(got, 0);		/* no time has passed */
	broken += sent > 0;
	free_pair(c);
	return 0;
}

static void
virtual_time(void)
{
	struct wf_sim_options o = quiet(SCHEDULES);

	o.net.delay_min = 2 * WF_SEC;
	o.net.delay_max = 5 * WF_SEC;
	least = WF_FOREVER;
	most = 0;
	check_eq(simulate(&o, delayed), 0);
	check_eq(least, 2 * WF_SEC);
	check_eq(most, 5 * WF_SEC);
	check_eq(simulate(&o, too_late), 0);
	o.net.resets = 100;
	broken = 0;
	check_eq(simulate(&o, lost_by_reset), 0);
	check(broken > SCHEDULES / 2);
}

/* ---- losses, a full backlog, cuts ---- */

static int64_t dialled[8];	/* how often after so many seconds, binary */

static int
dial_lossy(void)
{
	char address[WF_ADDRESS_TEXT];
	wf_listener *l = listen_any(address);
	int64_t begin = wf_now(), took;
	wf_conn *c;
	int err = wf_dial(bg(), "tcp", address, &c), n = 0;

	took = (wf_now() - begin) / WF_SEC;
	must_eq(wf_now() - begin, took * WF_SEC);
	while (took >> n)
		n++;
	must_eq(took, (1 << n) - 1);
	must_eq(err, n == 7 ? -ETIMEDOUT : 0);
	dialled[n]++;
	wf_conn_free(c);
	wf_listener_free(l);
	return 0;
}

static void
accept_late(wf_listener *l, wf_waitgroup *wg)
{
	wf_conn *c;

	wf_sleep(10 * WF_SEC);
	for (int i = 0; i < 2; i++) {
		must_eq(wf_listener_accept(bg(), l, &c), 0);
		wf_conn_free(c);
	}
	wf_waitgroup_done(wg);
}

static int
dial_crowded(void)
{
	char address[WF_ADDRESS_TEXT];
	wf_listener *l = listen_any(address);
	int64_t begin = wf_now();
	wf_waitgroup wg = {0};
	wf_conn *c[2];

	wf_waitgroup_add(&wg, 1);
	wf_spawn(accept_late, l, &wg);
	must_eq(wf_dial(bg(), "tcp", address, &c[0]), 0);
	must_eq(wf_now(), begin);
	must_eq(wf_dial(bg(), "tcp", address, &c[1]), 0);
	must_eq(wf_now(), begin + 15 * WF_SEC);
	wf_waitgroup_wait(&wg);
	free_pair(c);
	wf_listener_free(l);
	return 0;
}

static void
lossy(void)
{
	struct wf_sim_options o = quiet(SCHEDULES);

	o.net.ideal = true;
	check_eq(simulate(&o, dial_lossy), 0);
	check_eq(dialled[0], SCHEDULES);
	o.net.losses = 600;
	check_eq(simulate(&o, dial_lossy), 0);
	check(dialled[1] && dialled[2] && dialled[4] && dialled[7]);
	o.net.losses = 0;
	o.net.backlog = 1;
	check_eq(simulate(&o, dial_crowded), 0);
}

static void
at_home(wf_listener **l, wf_conn **c, wf_waitgroup *wg)
{
	must_eq(wf_sim_host("home"), 0);
	must_eq(wf_listen(bg(), "tcp", "home:80", l), 0);
	wf_waitgroup_done(wg);
	must_eq(wf_listener_accept(bg(), *l, c), 0);
	wf_waitgroup_done(wg);
}

static void
meet_home(wf_listener **l, wf_conn *c[2])
{
	wf_waitgroup wg = {0};

	wf_waitgroup_add(&wg, 1);
	wf_spawn(at_home, l, &c[1], &wg);
	wf_waitgroup_wait(&wg);
	wf_waitgroup_add(&wg, 1);
	must_eq(wf_dial(bg(), "tcp", "home:80", &c[0]), 0);
	wf_waitgroup_wait(&wg);
}

/* What was sent across a cut comes when it is healed. */
static int
cut_and_healed(void)
{
	int64_t begin = wf_now();
	struct wf_dialer dialer = { .timeout = 5 * WF_SEC };
	wf_listener *l;
	wf_conn *c[2], *d;
	char buf[4];

	must_eq(wf_listen(bg(), "tcp", "home:80", &l), -EADDRNOTAVAIL);
	meet_home(&l, c);
	must_eq(wf_conn_write(bg(), c[0], "ab", 2), 2);
	must_eq(read_all(c[1], buf, 2), 2);
	must_eq(wf_sim_cut("home", "localhost"), 0);
	must_eq(wf_conn_write(bg(), c[0], "cd", 2), 2);
	must_eq(wf_conn_write(bg(), c[1], "ef", 2), 2);
	begin = wf_now();
	wf_conn_set_read_deadline(c[1], begin + 100 * WF_SEC);
	must_eq(wf_conn_read(bg(), c[1], buf, 4), -ETIMEDOUT);
	must_eq(wf_now(), begin + 100 * WF_SEC);
	must_eq(wf_dial_with(bg(), &dialer, "tcp", "home:80", &d), -ETIMEDOUT);
	must_eq(wf_now(), begin + 105 * WF_SEC);
	must_eq(wf_sim_heal("localhost", "home"), 0);
	wf_conn_set_read_deadline(c[1], WF_FOREVER);
	must_eq(read_all(c[1], buf, 2), 2);
	must(!memcmp(buf, "cd", 2));
	must_eq(read_all(c[0], buf, 2), 2);
	must(wf_now() <= begin + 105 * WF_SEC + 3 * WF_MS);
	must_eq(wf_dial(bg(), "tcp", "home:80", &d), 0);
	wf_conn_free(d);
	wf_listener_free(l);
	free_pair(c);
	return 0;
}

static void
close_at(wf_conn *c, int64_t when)
{
	wf_sleep(when - wf_now());
	wf_conn_close_write(c);
}

/* Keepalive ends what is cut for too long. */
static int
cut_for_good(void)
{
	int64_t begin;
	wf_listener *l;
	wf_conn *c[2], *d;
	char byte;

	meet_home(&l, c);
	must_eq(wf_sim_cut("home", NULL), 0);
	begin = wf_now();
	wf_spawn(close_at, c[1], begin + 149 * WF_SEC);
	must_eq(wf_conn_read(bg(), c[0], &byte, 1), -ETIMEDOUT);
	must_eq(wf_now(), begin + 150 * WF_SEC);
	must_eq(wf_conn_write(bg(), c[0], "x", 1), -EPIPE);
	must_eq(wf_conn_read(bg(), c[1], &byte, 1), -ETIMEDOUT);
	must_eq(wf_sim_heal("home", NULL), 0);
	must_eq(wf_conn_read(bg(), c[0], &byte, 1), 0);
	must_eq(wf_dial(bg(), "tcp", "home:80", &d), 0);
	wf_conn_free(d);
	wf_listener_free(l);
	free_pair(c);
	return 0;
}

static void
cuts(void)
{
	struct wf_sim_options o = quiet(SCHEDULES);

	check_eq(simulate(&o, cut_and_healed), 0);
	check_eq(simulate(&o, cut_for_good), 0);
	check_eq(wf_sim_cut("a", "b"), -EPERM);
	check_eq(wf_sim_heal("a", "b"), -EPERM);
	check_eq(wf_sim_host("a"), 0);
}

/* ---- datagrams ---- */

enum { DATAGRAMS = 5 };

static unsigned missing, overtaken;

/* Each comes once, or is lost; in any order. */
static int
datagrams(void)
{
	char address[WF_ADDRESS_TEXT], text[WF_ADDRESS_TEXT];
	struct sockaddr_storage from;
	unsigned seen = 0, last = 0;
	socklen_t size;
	wf_conn *a, *b;
	char n[2];

	must_eq(wf_sim_host("here"), 0);
	must_eq(wf_listen_packet(bg(), "udp", ":5000", &a), 0);
	must_eq(wf_listen_packet(bg(), "udp", ":5000", &b), -EADDRINUSE);
	must_eq(wf_dial(bg(), "udp", "here:5000", &b), 0);
	for (char i = 1; i <= DATAGRAMS; i++)
		must_eq(wf_conn_write(bg(), b, &i, 1), 1);
	wf_conn_set_deadline(a, wf_now() + WF_SEC);
	wf_conn_local_address(b, address, sizeof address);
	while (size = sizeof from, wf_conn_read_from(bg(), a, n, 2,
	    (struct sockaddr *)&from, &size) == 1) {
		must(n[0] >= 1 && n[0] <= DATAGRAMS && !(seen >> n[0] & 1));
		seen |= 1u << n[0];
		overtaken += (unsigned)n[0] < last;
		last = (unsigned)n[0];
		wf_address_text((struct sockaddr *)&from, size, text,
		    sizeof text);
		must(!strcmp(text, address));
	}
	missing += (unsigned)(DATAGRAMS - __builtin_popcount(seen));
	must_eq(wf_sim_cut("here", "there"), 0);
	must_eq(wf_conn_write(bg(), a, "x", 1), -ETIMEDOUT);
	wf_conn_set_deadline(a, WF_FOREVER);
	must_eq(wf_conn_write(bg(), a, "x", 1), -EDESTADDRREQ);
	must_eq(wf_conn_write_to(bg(), a, "xyz", 3, (struct sockaddr *)&from,
	    size), 3);
	wf_conn_set_deadline(b, wf_now() + WF_SEC);
	must(wf_conn_read(bg(), b, n, 2) == 2 || missing);
	free_pair((wf_conn *[2]){ a, b });
	return 0;
}

static void
packets(void)
{
	struct wf_sim_options o = quiet(SCHEDULES);

	missing = overtaken = 0;
	check_eq(simulate(&o, datagrams), 0);
	check(!missing && overtaken);
	o.net = (struct wf_sim_net){ .ideal = true };
	overtaken = 0;
	check_eq(simulate(&o, datagrams), 0);
	check(!missing && !overtaken);
	o.net.losses = 100;
	check_eq(simulate(&o, datagrams), 0);
	check(missing > SCHEDULES / 5);
}

/* ---- each way in turn ---- */

static unsigned portions;	/* bits: first reads of so many bytes */

static int
four_bytes(void)
{
	wf_conn *c[2];
	char buf[4];
	ssize_t n;

	must_eq(wf_conn_pipe(c), 0);
	must_eq(wf_conn_write(bg(), c[0], "abcd", 4), 4);
	n = wf_conn_read(bg(), c[1], buf, 4);
	portions |= 1u << n;
	must_eq(read_all(c[1], buf + n, (size_t)(4 - n)), 4 - n);
	must(!memcmp(buf, "abcd", 4));
	free_pair(c);
	return 0;
}

static void
in_turn(void)
{
	struct wf_sim_options o = quiet(0);

	o.how = WF_SIM_EXHAUSTIVE;
	portions = 0;
	check_eq(simulate(&o, four_bytes), 0);
	check(result.complete);
	check_eq(portions, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
	/* Equal states are told apart by what went wrong on the way. */
	o.reduce = true;
	for (int any = 0; any < 2; any++) {
		o.preemptions = any ? WF_SIM_ANY : 2;
		portions = 0;
		check_eq(simulate(&o, four_bytes), 0);
		check(result.complete);
		check_eq(portions, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
	}
	o = quiet(0);
	o.how = WF_SIM_EXHAUSTIVE;
	o.net.ideal = true;
	portions = 0;
	check_eq(simulate(&o, four_bytes), 0);
	check_eq(portions, 1 << 4);
	check_eq(result.schedules, 1);
}

/* ---- the same again, to the byte ---- */

static size_t
story_of(const struct wf_sim_options *options, int (*fn)(void), char *text,
    size_t size)
{
	struct wf_sim_options o = *options;
	FILE *f = tmpfile();
	size_t n = 0;

	if (!check(f != NULL))
		return 0;
	o.trace = fileno(f);
	simulated = true;
	wf_sim(&o, fn);
	simulated = false;
	rewind(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
	return n;
}

static void
same_story(void)
{
	static char first[1 << 18], second[1 << 18], last[1 << 18];
	struct wf_sim_options o = quiet(1);
	int differ = 0;

	o.net.resets = 20;
	o.net.losses = 100;
	for (o.seed = 1; o.seed <= 10; o.seed++) {
		check(story_of(&o, row_or_reset, first, sizeof first) > 500);
		free(malloc(o.seed * 777));
		story_of(&o, row_or_reset, second, sizeof second);
		check(!strcmp(first, second));
		differ += strcmp(first, last) != 0;
		memcpy(last, first, sizeof last);
	}
	check_eq(differ, 10);
}

/* ---- what is told ---- */

static void
wait_for_each_other(wf_conn *c, wf_waitgroup *wg)
{
	char byte;

	wf_conn_read(bg(), c, &byte, 1);
	wf_waitgroup_done(wg);
}

static int
both_read(void)
{
	wf_waitgroup wg = {0};
	wf_listener *l;
	wf_conn *c[2];

	meet_home(&l, c);
	wf_waitgroup_add(&wg, 2);
	wf_spawn(wait_for_each_other, c[0], &wg);
	wf_spawn(wait_for_each_other, c[1], &wg);
	wf_waitgroup_wait(&wg);
	return 0;
}

static int
deadlock_told(void)
{
	struct wf_sim_options o = { .net = { .delay_max = WF_MS } };

	return wf_sim(&o, both_read);
}

/* ---- and all else ---- */

/* Descriptors are of the world outside; files are not. */
static int
outside(void)
{
	int fds[2], file;
	wf_conn *c[2], *d;
	char byte;

	must_eq(pipe(fds), 0);
	must_eq(wf_write(bg(), fds[1], "x", 1), -ENOSYS);
	must_eq(wf_read(bg(), fds[0], &byte, 1), -ENOSYS);
	must_eq(wf_wait_fd(bg(), fds[0], WF_IN), -ENOSYS);
	must_eq(wf_conn_of(fds[0], &d), -ENOSYS);
	must_eq(wf_fd_close(fds[0]), 0);
	must_eq(wf_fd_close(fds[1]), 0);
	must((file = wf_open(bg(), "/proc/self/comm", 0, 0)) >= 0);
	must_eq(wf_read(bg(), file, &byte, 1), 1);
	must_eq(wf_fd_close(file), 0);
	must_eq(wf_conn_pipe(c), 0);
	must(wf_conn_fd(c[0]) >= 1 << 30);
	must_eq(wf_read(bg(), wf_conn_fd(c[0]), &byte, 1), -ENOSYS);
	must_eq(wf_sendfile(bg(), wf_conn_fd(c[0]), 0, NULL, 1), -ENOSYS);
	free_pair(c);
	return 0;
}

static wf_conn *from_before[2];

static int
of_before(void)
{
	char byte;

	must_eq(wf_conn_write(bg(), from_before[0], "x", 1), -ENOSYS);
	must_eq(wf_conn_read(bg(), from_before[1], &byte, 1), -ENOSYS);
	wf_conn_free(from_before[1]);
	return 0;
}

static void
read_for_ever(wf_conn *c)
{
	char byte;

	wf_conn_read(bg(), c, &byte, 1);
}

/* All of it is left behind. */
static int
leave(void)
{
	char address[WF_ADDRESS_TEXT];
	wf_listener *l = listen_any(address);
	wf_conn *c[2];

	make_pair(c);
	wf_spawn(read_for_ever, c[0]);
	wf_conn_write(bg(), c[0], "x", 1);
	must(l != NULL);
	return 0;
}

static void
the_rest(void)
{
	struct wf_sim_options o = quiet(20);

	check_eq(simulate(&o, outside), 0);
	check_eq(wf_conn_pipe(from_before), 0);
	o.schedules = 1;
	check_eq(simulate(&o, of_before), 0);
	wf_conn_free(from_before[0]);
	o.schedules = 50;
	o.may_leave = true;
	check_eq(simulate(&o, leave), 0);
	check_eq(wf_run(echo_tcp), 0);
}

int
main(void)
{
	tap_count_memory();
	tap_plain("an echo server, here and there", echoes);
	tap_plain("bytes in order, none lost, none twice", rows);
	tap_plain("the same errors, here and there", contract);
	tap_plain("the way takes its time", virtual_time);
	tap_plain("attempts are lost, or find no room", lossy);
	tap_plain("cut and healed", cuts);
	tap_plain("datagrams are lost, and overtake each other", packets);
	tap_plain("each way in turn", in_turn);
	tap_plain("the same story by the same seed", same_story);
	tap_child("a deadlock names the connections", deadlock_told,
	    WF_SIM_DEADLOCK, "deadlock: all 3 coroutines",
	    "is left parked to read from connection ",
	    "(localhost:40001 to home:80)",
	    "(home:80 to localhost:40001)");
	tap_plain("descriptors, and what is left", the_rest);
	tap_plain("nothing is left", tap_all_freed);
	return tap_end();
}
