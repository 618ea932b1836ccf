/* SPDX-License-Identifier: MIT */
/*
 * http_server - an HTTP/1.1 server from scratch, to copy and begin with.
 *
 *	main.c		options, signals, start and end
 *	routes.c	the handlers: begin here
 *	directory.c	another service that a handler asks, JSON over HTTP
 *	server.c	accepting clients, the limit on them, the graceful end
 *	client.c	a connection: requests, bodies, the request's context
 *	reply.c		answers
 *	http.c		HTTP on the wire, without any socket
 *
 * It shows one coroutine for each connection, in code that reads as if it
 * blocked; time limits for all that a client can delay; a context for each
 * request, done when the client goes away, from which a handler derives its
 * own deadlines; and an end that interrupts no request within its grace time.
 *
 *	$ http_server -a 127.0.0.1:8080
 *	http_server: listening on 127.0.0.1:8080
 *	^Chttp_server: closing, 1 request running
 *	http_server: closed, 0 requests cut off
 *
 *	$ curl 'http://127.0.0.1:8080/user?id=2'
 *	user 2 is Grace Hopper
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "routes.h"

static const char *address = "127.0.0.1:8080";

/* Not on a stack: coroutines may outlive app(). */
static struct service service = {
	.routes = routes,
	.body = 1 << 20,
	.header_time = 10 * WF_SEC,
	.body_time = 30 * WF_SEC,
	.idle_time = 60 * WF_SEC,
	.write_time = 30 * WF_SEC,
};
static struct server server = {
	.name = "http_server",
	.connections = 10000,
	.grace = 10 * WF_SEC,
	.serve = client_serve,
	.data = &service,
};

static const char usage[] =
    "usage: http_server [-h] [-a address] [-d address] [-c connections]\n"
    "                   [-b bytes] [-H ms] [-B ms] [-I ms] [-W ms] [-g ms]\n";

/* A channel that gets the signals to stop, or NULL.  Once it is freed they kill
 * again, so that a second one does not wait. */
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

static const char *
requests(long n)
{
	return n == 1 ? "request" : "requests";
}

static int
fail(const char *what, int err)
{
	fprintf(stderr, "http_server: %s: %s\n", what, strerror(-err));
	return 1;
}

static int
app(void)
{
	wf_chan(int) stop = catch_stop();
	long n;
	int err;

	if (!stop)
		return fail("signals", -ENOMEM);
	if ((err = server_open(&server, address)) ||
	    (err = wf_waitgroup_spawn(&server.running, server_run,
	    &server)))
		return fail(address, err);
	if (!service.directory)
		service.directory = server.address;
	printf("http_server: listening on %s\n", server.address);
	wf_recv(stop, NULL);
	wf_signal_stop(stop);
	wf_chan_free(stop);
	n = atomic_load(&server.requests);
	printf("http_server: closing, %ld %s running\n", n, requests(n));
	n = server_close(&server);
	printf("http_server: closed, %ld %s cut off\n", n, requests(n));
	return 0;
}

static int
help(void)
{
	printf("%sServe HTTP/1.1 until SIGINT or SIGTERM.\n"
	    "  -a address      to listen on; port 0 takes any "
	    "(127.0.0.1:8080)\n"
	    "  -d address      the directory to ask for users (this server)\n"
	    "  -c connections  at the same time, at most (10000)\n"
	    "  -b bytes        of the body of a request, at most (1048576)\n"
	    "  -H ms           for the head of a request (10000)\n"
	    "  -B ms           for its body (30000)\n"
	    "  -I ms           between requests (60000)\n"
	    "  -W ms           for the client to take an answer (30000)\n"
	    "  -g ms           for running requests, at the end (10000)\n",
	    usage);
	return 0;
}

/* The number in text, times unit.  False if it is not one from 1 on. */
static bool
number(const char *text, int64_t unit, int64_t *n)
{
	char *end;
	long value = strtol(text, &end, 10);

	*n = value * unit;
	return !*end && value >= 1 && value <= 1000000000;
}

static bool
size(const char *text, size_t *n)
{
	int64_t value;
	bool good = number(text, 1, &value);

	*n = (size_t)value;
	return good;
}

static bool
parse(int option)
{
	switch (option) {
	case 'a': address = optarg; return true;
	case 'd': service.directory = optarg; return true;
	case 'c': return size(optarg, &server.connections);
	case 'b': return size(optarg, &service.body);
	case 'H': return number(optarg, WF_MS, &service.header_time);
	case 'B': return number(optarg, WF_MS, &service.body_time);
	case 'I': return number(optarg, WF_MS, &service.idle_time);
	case 'W': return number(optarg, WF_MS, &service.write_time);
	case 'g': return number(optarg, WF_MS, &server.grace);
	}
	return false;
}

int
main(int argc, char **argv)
{
	int option, status;

	while ((option = getopt(argc, argv, "ha:d:c:b:H:B:I:W:g:")) != -1) {
		if (option == 'h')
			return help();
		if (!parse(option)) {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wf_run(app);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("http_server: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
