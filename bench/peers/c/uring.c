/* SPDX-License-Identifier: MIT */
/*
 * uring.c - the server of Echo written by hand with io_uring: one system call
 * for all that is ready, in place of one for each read and each write.  It is
 * here to tell what such a back end could save at most.
 *
 *	uring		prints its port, serves until killed
 *	uring check	0 if the system has what it takes
 */
#define _GNU_SOURCE

#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
	int fd;
	char buf[1024];
};

static struct io_uring ring;

static void
must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static struct io_uring_sqe *
next_entry(void)
{
	struct io_uring_sqe *s = io_uring_get_sqe(&ring);

	if (!s) {
		io_uring_submit(&ring);
		s = io_uring_get_sqe(&ring);
	}
	return s;
}

/* What a completion is of: a connection, odd after a send; 0: the listener. */

static void
ask_recv(struct conn *c)
{
	struct io_uring_sqe *s = next_entry();

	io_uring_prep_recv(s, c->fd, c->buf, sizeof c->buf, 0);
	s->user_data = (uintptr_t)c;
}

static void
ask_send(struct conn *c, int n)
{
	struct io_uring_sqe *s = next_entry();

	io_uring_prep_send(s, c->fd, c->buf, (size_t)n,
	    MSG_NOSIGNAL | MSG_WAITALL);
	s->user_data = (uintptr_t)c | 1;
}

static void
take_client(int fd)
{
	struct conn *c = malloc(sizeof *c);
	int on = 1;

	must(c != NULL, "malloc");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c->fd = fd;
	ask_recv(c);
}

static void
complete(uintptr_t data, int result)
{
	struct conn *c = (struct conn *)(data & ~(uintptr_t)1);

	if (!c) {
		if (result >= 0)
			take_client(result);
	} else if (result <= 0) {
		close(c->fd);
		free(c);
	} else if (data & 1) {
		ask_recv(c);
	} else
		ask_send(c, result);
}

static int
listen_any(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
	    listen(fd, 4096) == 0 &&
	    getsockname(fd, (struct sockaddr *)&a, &size) == 0, "listen");
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char **argv)
{
	struct io_uring_params p = { .cq_entries = 8192,
	    .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
	    IORING_SETUP_CQSIZE };
	struct io_uring_sqe *entry;
	struct io_uring_cqe *cqe;
	unsigned head, n;

	must(io_uring_queue_init_params(4096, &ring, &p) == 0, "io_uring");
	(void)argv;
	if (argc > 1)
		return 0;
	entry = next_entry();
	io_uring_prep_multishot_accept(entry, listen_any(), NULL, NULL, 0);
	entry->user_data = 0;
	for (;;) {
		n = 0;
		io_uring_submit_and_wait(&ring, 1);
		io_uring_for_each_cqe(&ring, head, cqe) {
			complete((uintptr_t)cqe->user_data, cqe->res);
			n++;
		}
		io_uring_cq_advance(&ring, n);
	}
}
