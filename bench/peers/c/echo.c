/* SPDX-License-Identifier: MIT */
/*
 * echo.c - the Echo row's client, and the server written by hand: one epoll
 * loop, level-triggered, two more system calls for each request.
 *
 *	echo server
 *		prints its port, serves until killed
 *	echo client PORT CONNECTIONS SECONDS
 *		one request of 64 bytes at a time on each connection; prints
 *		requests per second, and the 50th and 99th of 100 latencies
 *		in microseconds
 *	echo idle PORT CONNECTIONS
 *		one request on each, then "open"; at the end of its input
 *		one more on each, then "alive"
 */
#define _GNU_SOURCE

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, EVENTS = 128, MOST = 100000, BUCKETS = 1000000 };

static void
must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void
no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void
watch(int poller, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data = { .fd = fd } };

	must(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
}

/* ---- server ---- */

static int
listen_any(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
	    listen(fd, 4096) == 0 &&
	    getsockname(fd, (struct sockaddr *)&a, &size) == 0, "listen");
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

static void
take_clients(int poller, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		no_delay(fd);
		watch(poller, fd);
	}
}

static void
answer(int fd)
{
	char buf[1024];
	ssize_t n = read(fd, buf, sizeof buf);

	if (n <= 0 || write(fd, buf, (size_t)n) != n)
		close(fd);
}

static void
serve(void)
{
	int poller = epoll_create1(0), listener = listen_any();
	struct epoll_event events[EVENTS];

	watch(poller, listener);
	for (;;) {
		int n = epoll_wait(poller, events, EVENTS, -1);

		for (int i = 0; i < n; i++)
			if (events[i].data.fd == listener)
				take_clients(poller, listener);
			else
				answer(events[i].data.fd);
	}
}

/* ---- client ---- */

static int64_t sent[MOST];		/* by descriptor */
static uint32_t latency[BUCKETS];	/* requests, by tenths of a us */

static void
request(int fd)
{
	static const char data[SIZE];

	sent[fd] = now();
	must(write(fd, data, SIZE) == SIZE, "write");
}

static int
open_one(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0 && fd < MOST &&
	    connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
	no_delay(fd);
	return fd;
}

static void
open_all(int poller, int port, int connections)
{
	for (int i = 0; i < connections; i++) {
		int fd = open_one(port);

		watch(poller, fd);
		request(fd);
	}
}

static void
count(int fd)
{
	char buf[SIZE];
	int64_t bucket;

	must(read(fd, buf, SIZE) == SIZE, "read");
	bucket = (now() - sent[fd]) / 100;
	latency[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	request(fd);
}

static double
percentile(long all, int percent)
{
	long below = 0;
	int i = 0;

	while (i < BUCKETS - 1 && (below += latency[i]) < all * percent / 100)
		i++;
	return i / 10.0;
}

static void
measure(int port, int connections, double seconds)
{
	int poller = epoll_create1(0);
	struct epoll_event events[EVENTS];
	int64_t start, end;
	long done = 0;

	open_all(poller, port, connections);
	start = now();
	end = start + (int64_t)(seconds * 1e9);
	while (now() < end) {
		int n = epoll_wait(poller, events, EVENTS, 1000);

		for (int i = 0; i < n; i++)
			count(events[i].data.fd);
		done += n > 0 ? n : 0;
	}
	printf("%.0f %.1f %.1f\n", (double)done * 1e9 /
	    (double)(now() - start), percentile(done, 50),
	    percentile(done, 99));
}

/* ---- connections without work ---- */

static void
round_trip(int fd)
{
	char buf[SIZE];

	request(fd);
	must(recv(fd, buf, SIZE, MSG_WAITALL) == SIZE, "recv");
}

static void
be_idle(int port, int connections)
{
	static int fds[MOST];

	must(connections <= MOST, "connections");
	for (int i = 0; i < connections; i++)
		round_trip(fds[i] = open_one(port));
	puts("open");
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (int i = 0; i < connections; i++)
		round_trip(fds[i]);
	puts("alive");
}

int
main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "server"))
		serve();
	if (argc == 4 && !strcmp(argv[1], "idle")) {
		be_idle(atoi(argv[2]), atoi(argv[3]));
		return 0;
	}
	if (argc != 5 || strcmp(argv[1], "client")) {
		fprintf(stderr, "usage: %s server | client PORT CONNECTIONS "
		    "SECONDS | idle PORT CONNECTIONS\n", argv[0]);
		return 2;
	}
	measure(atoi(argv[2]), atoi(argv[3]), atof(argv[4]));
	return 0;
}
