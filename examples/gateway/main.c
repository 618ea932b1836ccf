/* SPDX-License-Identifier: MIT */
/*
 * gateway - a reverse proxy: one address for many servers.
 *
 *	main.c		options, signals, start and end
 *	proxy.c		a client's requests, passed on
 *	upstream.c	the servers behind, in turn; a pool of connections
 *	stream.c	heads, and bodies piece by piece
 *	server.c	accepting clients (as in http_server)
 *	http.c		HTTP on the wire (as in http_server)
 *
 * It shows a deadline that goes down a chain of calls: waiting for a free
 * connection, connecting, sending, waiting for the answer and passing it on are
 * all done in the request's context.  Connections to the servers are kept and
 * used again; one that has died meanwhile is replaced, and the request sent
 * again if that is safe.  Bodies are passed on as they come, in both ways, so
 * a request needs the same memory whatever its size.
 *
 *	$ gateway -a 127.0.0.1:8000 127.0.0.1:8080 127.0.0.1:8081
 *	gateway: listening on 127.0.0.1:8000
 *
 * The files server.* and http.* are copies, so that the folder stands alone.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy.h"

static const char *address = "127.0.0.1:8000";

/* Not on a stack: coroutines may outlive app(). */
static struct upstreams upstreams = {
	.connections = 64,
	.idle_time = 30 * WF_SEC,
};
static struct proxy proxy = {
	.upstreams = &upstreams,
	.request_time = 30 * WF_SEC,
	.idle_time = 60 * WF_SEC,
};
static struct server server = {
	.name = "gateway",
	.connections = 10000,
	.grace = 10 * WF_SEC,
	.serve = proxy_serve,
	.data = &proxy,
};

static const char usage[] =
    "usage: gateway [-h] [-a address] [-c connections] [-u connections]\n"
    "               [-t ms] [-I ms] [-i ms] [-g ms] server...\n";

/* A channel that gets the signals to stop, or NULL. */
static wf_chan(int)
catch_stop(void)
{
	wf_chan(int) stop = wf_chan_make(int, 1);

	if (stop && (wf_signal_notify(stop, SIGINT) ||
	    wf_signal_notify(stop, SIGTERM))) {
		wf_chan_free(stop);
		return NULL;
	}
	return stop;
}

static int
fail(const char *what, int err)
{
	fprintf(stderr, "gateway: %s: %s\n", what, strerror(-err));
	return 1;
}

static int
app(void)
{
	wf_ctx *tending = wf_ctx_with_cancel(wf_ctx_background());
	wf_chan(int) stop = catch_stop();
	wf_waitgroup tender = {0};
	int err;

	if (!stop)
		return fail("signals", -ENOMEM);
	upstreams_open(&upstreams);
	if ((err = server_open(&server, address)) ||
	    (err = wf_waitgroup_spawn(&server.running, server_run,
	    &server)) ||
	    (err = wf_waitgroup_spawn(&tender, upstreams_tend, &upstreams,
	    tending)))
		return fail(address, err);
	printf("gateway: listening on %s\n", server.address);
	wf_recv(stop, NULL);
	wf_signal_stop(stop);
	wf_chan_free(stop);
	printf("gateway: closing, requests running: %ld\n",
	    atomic_load(&server.requests));
	printf("gateway: closed, requests cut off: %ld\n",
	    server_close(&server));
	wf_ctx_cancel(tending);
	wf_waitgroup_wait(&tender);
	wf_ctx_free(tending);
	return 0;
}

static int
help(void)
{
	printf("%sPass requests on to servers in turn, until SIGINT or "
	    "SIGTERM.\n"
	    "  -a address      to listen on; port 0 takes any "
	    "(127.0.0.1:8000)\n"
	    "  -c connections  of clients, at most (10000)\n"
	    "  -u connections  to each server, at most 256 (64)\n"
	    "  -t ms           for a request (30000)\n"
	    "  -I ms           between requests (60000)\n"
	    "  -i ms           that an unused connection to a server is kept "
	    "(30000)\n"
	    "  -g ms           for running requests, at the end (10000)\n",
	    usage);
	return 0;
}

/* The number in text, 1 to most. */
static bool
number(const char *text, long most, int64_t *n)
{
	char *end;
	long value = strtol(text, &end, 10);

	*n = value;
	return !*end && value >= 1 && value <= most;
}

static bool
parse(int option)
{
	const long most = 1000000000;
	int64_t n;
	bool good = number(optarg, option == 'u' ? IDLE_MAX : most, &n);

	switch (option) {
	case 'a': address = optarg; return true;
	case 'c': server.connections = (size_t)n; return good;
	case 'u': upstreams.connections = (size_t)n; return good;
	case 't': proxy.request_time = n * WF_MS; return good;
	case 'I': proxy.idle_time = n * WF_MS; return good;
	case 'i': upstreams.idle_time = n * WF_MS; return good;
	case 'g': server.grace = n * WF_MS; return good;
	}
	return false;
}

int
main(int argc, char **argv)
{
	int option, status;

	while ((option = getopt(argc, argv, "ha:c:u:t:I:i:g:")) != -1) {
		if (option == 'h')
			return help();
		if (option == '?' || !parse(option)) {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind == argc || argc - optind > UPSTREAMS) {
		fputs(usage, stderr);
		return 2;
	}
	for (; optind < argc; optind++)
		upstreams.all[upstreams.n++].address = argv[optind];
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wf_run(app);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("gateway: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
