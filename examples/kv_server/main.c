/* SPDX-License-Identifier: MIT */
/*
 * kv_server - a server of keys and values that speaks the protocol of Redis.
 *
 *	$ kv_server -l kv.log
 *	kv_server: listening on 127.0.0.1:6379
 *
 *	$ redis-cli set answer 42 ex 60
 *	OK
 *	$ redis-cli incr answer
 *	(integer) 43
 *	$ redis-benchmark -t get,set -P 16 -q
 *
 * It shows a coroutine for each client (session.c), data in shards under
 * read-write locks (store.c, commands.c), one coroutine that owns the
 * subscriptions (pubsub.c), a log that many write and nobody waits for longer
 * than he must (log.c), and how a server stops: nothing new is taken, what
 * runs has two seconds to end, the log is written out.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

static const char usage[] = "usage: kv_server [-h] [-b address] "
    "[-c clients] [-f always|everysec|no]\n"
    "                 [-l log] [-p port]\n";

/* ---- clients ---- */

static void
refuse(wf_conn *conn)
{
	static const char words[] =
	    "-ERR max number of clients reached\r\n";

	wf_conn_set_deadline(conn, wf_now() + WF_SEC);
	wf_conn_write(wf_ctx_background(), conn, words, sizeof words - 1);
	wf_conn_free(conn);
}

static void
admit(struct server *s, wf_conn *conn)
{
	atomic_fetch_add(&s->connections, 1);
	if (atomic_fetch_add(&s->clients, 1) < s->options->clients &&
	    wf_waitgroup_spawn(&s->sessions, session_run, s, conn) == 0)
		return;
	atomic_fetch_sub(&s->clients, 1);
	refuse(conn);
}

/* Without descriptors the clients wait in the queue, and we for some.  It is
 * said once a minute. */
static void
accept_clients(struct server *s, wf_listener *listener)
{
	int64_t pause = 0, said = wf_now() - 61 * WF_SEC;
	wf_conn *conn;
	int err;

	while ((err = wf_listener_accept(s->stops, listener, &conn)) !=
	    -ECANCELED) {
		if (!err) {
			pause = 0;
			admit(s, conn);
			continue;
		}
		if (wf_now() - said > 60 * WF_SEC) {
			fprintf(stderr, "kv_server: no new clients for now: "
			    "%s\n", strerror(-err));
			said = wf_now();
		}
		pause = !pause ? 5 * WF_MS : pause < WF_SEC ? 2 * pause :
		    WF_SEC;
		wf_sleep_ctx(s->stops, pause);
	}
}

/* ---- in the background ---- */

static void
tick_log(struct server *s)
{
	if (s->log)
		log_tick(s->log);
}

/* Call fn(s) in this interval until the server ends. */
static void
repeat(struct server *s, wf_ticker *ticker, void (*fn)(struct server *s))
{
	while (wf_select_ordered(wf_on_done(s->ends),
	    wf_on_recv(wf_ticker_chan(ticker), NULL)) == 1)
		fn(s);
	wf_ticker_free(ticker);
}

static int
start_repeat(struct server *s, int64_t interval,
    void (*fn)(struct server *s))
{
	wf_ticker *ticker = wf_ticker_make(interval);

	return !ticker ? -ENOMEM :
	    wf_waitgroup_spawn(&s->background, repeat, s, ticker, fn);
}

/* Stop at the first signal, or end with the server. */
static void
wait_for_signal(struct server *s, wf_chan(int) signals)
{
	wf_select(wf_on_recv(signals, NULL), wf_on_done(s->ends));
	wf_ctx_cancel(s->stops);
	wf_signal_stop(signals);
	wf_chan_free(signals);
}

static int
start_signals(struct server *s)
{
	wf_chan(int) signals = wf_chan_make(int, 1);
	int err = signals ? 0 : -ENOMEM;

	if (!err && !(err = wf_signal_notify(signals, SIGINT)) &&
	    !(err = wf_signal_notify(signals, SIGTERM)) &&
	    !(err = wf_waitgroup_spawn(&s->background, wait_for_signal, s,
	    signals)))
		return 0;
	if (signals)
		wf_signal_stop(signals);
	wf_chan_free(signals);
	return err;
}

/* ---- start, stop ---- */

static void
stop(struct server *s)
{
	wf_ctx *grace = wf_ctx_with_timeout(wf_ctx_background(), 2 * WF_SEC);

	wf_ctx_cancel(s->stops);
	if (wf_waitgroup_wait_ctx(grace, &s->sessions) < 0)
		fprintf(stderr, "kv_server: clients that do not read their "
		    "replies are cut off\n");
	wf_ctx_free(grace);
	wf_ctx_cancel(s->ends);
	wf_waitgroup_wait(&s->sessions);
	pubsub_close(s->pubsub);
	wf_waitgroup_wait(&s->background);
}

/* Serve until a signal.  0 or -errno. */
static int
serve(struct server *s, wf_listener *listener)
{
	char address[WF_ADDRESS_TEXT];
	int err;

	if ((err = wf_waitgroup_spawn(&s->background, pubsub_run, s->pubsub)) ||
	    (err = start_repeat(s, 100 * WF_MS, command_expire)) ||
	    (err = start_repeat(s, WF_SEC, tick_log)) ||
	    (err = start_signals(s)))
		fprintf(stderr, "kv_server: %s\n", strerror(-err));
	else {
		wf_listener_address(listener, address, sizeof address);
		printf("kv_server: listening on %s\n", address);
		accept_clients(s, listener);
	}
	stop(s);
	return err;
}

static int
open_and_serve(struct server *s, wf_listener *listener)
{
	struct log *log = NULL;
	int err = 0;

	s->store = store_make();
	s->pubsub = pubsub_make();
	if (!s->store || !s->pubsub) {
		fprintf(stderr, "kv_server: %s\n", strerror(ENOMEM));
		return -ENOMEM;
	}
	if (s->options->log)
		err = log_open(&log, s->options->log, s->options->policy,
		    command_replay, s);
	s->log = log;
	if (!err)
		err = serve(s, listener);
	return err | log_close(log);
}

static int
app(struct options *o)
{
	struct server s = { .options = o, .started = wf_now() };
	char address[WF_ADDRESS_TEXT];
	wf_listener *listener;
	int err;

	snprintf(address, sizeof address, strchr(o->address, ':') ?
	    "[%s]:%d" : "%s:%d", o->address, o->port);
	err = wf_listen(wf_ctx_background(), "tcp", address, &listener);
	if (err) {
		fprintf(stderr, "kv_server: %s: %s\n", address,
		    strerror(-err));
		return 1;
	}
	wf_listener_address(listener, address, sizeof address);
	o->port = atoi(strrchr(address, ':') + 1);
	s.ends = wf_ctx_with_cancel(wf_ctx_background());
	s.stops = wf_ctx_with_cancel(s.ends);
	err = open_and_serve(&s, listener);
	wf_ctx_free(s.stops);
	wf_ctx_free(s.ends);
	wf_listener_free(listener);
	pubsub_free(s.pubsub);
	store_free(s.store);
	return err ? 1 : 0;
}

/* ---- options ---- */

static int
help(void)
{
	printf("%sServe keys and values to clients of Redis.\n"
	    "  -b address  to listen on (127.0.0.1)\n"
	    "  -c clients  at most, at a time (10000)\n"
	    "  -f policy   when the log goes to the disk (everysec)\n"
	    "  -l log      a file that keeps the data over a restart (none)\n"
	    "  -p port     to listen on, 0 for any (6379)\n", usage);
	return 0;
}

static bool
number(const char *text, long least, long most, int *n)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < least || value > most)
		return false;
	*n = (int)value;
	return true;
}

static bool
policy(const char *text, enum log_policy *p)
{
	*p = !strcmp(text, "always") ? LOG_ALWAYS :
	    !strcmp(text, "everysec") ? LOG_EVERYSEC : LOG_NO;
	return *p != LOG_NO || !strcmp(text, "no");
}

static bool
parse(struct options *o, int option)
{
	switch (option) {
	case 'b': o->address = optarg; return strlen(optarg) < 64;
	case 'c': return number(optarg, 1, 1000000, &o->clients);
	case 'f': return policy(optarg, &o->policy);
	case 'l': o->log = optarg; return *optarg && strlen(optarg) < 4096;
	case 'p': return number(optarg, 0, 65535, &o->port);
	}
	return false;
}

int
main(int argc, char **argv)
{
	struct options o = { .address = "127.0.0.1", .port = 6379,
	    .clients = 10000, .policy = LOG_EVERYSEC };
	int option;

	while ((option = getopt(argc, argv, "hb:c:f:l:p:")) != -1) {
		if (option == 'h')
			return help();
		if (!parse(&o, option)) {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	return wf_run(app, &o);
}
