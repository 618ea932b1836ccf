/* SPDX-License-Identifier: MIT */
/*
 * socket.c - the system's calls on sockets, with the options that weft's have.
 * Layer 6.  Uses: socket, fd.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "fd.h"

enum { KEEPALIVE = 15, BACKLOG = 4096 };	/* seconds; the system's limit
						 * holds as well */

static bool
is_inet(int family)
{
	return family == AF_INET || family == AF_INET6;
}

/* What a connection has, and inherits from its listener. */
static void
set_tcp_options(int fd)
{
	int on = 1, seconds = KEEPALIVE;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

int
wf__socket_open(const struct wf__address *a, int type)
{
	const struct wf__sockets *s = wf__socket_table();
	int fd;

	if (s)
		return s->open(a, type);
	fd = socket(a->any.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM && is_inet(a->any.ss_family))
		set_tcp_options(fd);
	return fd;
}

int
wf__socket_bind(const struct wf__address *a, int type, bool both)
{
	const struct wf__sockets *s = wf__socket_table();
	int fd, on = 1, only = !both, err;

	if (s)
		return s->bind(a, type, both);
	if ((fd = wf__socket_open(a, type)) < 0)
		return fd;
	if (is_inet(a->any.ss_family) && type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a->any.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
	if (bind(fd, (const struct sockaddr *)&a->any, a->size) < 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int
wf__socket_pair(int fds[2])
{
	const struct wf__sockets *s = wf__socket_table();

	if (s)
		return s->pair(fds);
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, fds) < 0 ? -errno : 0;
}

int
wf__socket_connect(int fd, const struct wf__address *a)
{
	const struct wf__sockets *s = wf__socket_table();

	if (s)
		return s->connect(fd, a);
	if (connect(fd, (const struct sockaddr *)&a->any, a->size) == 0)
		return 0;
	return errno == EINTR ? -EINPROGRESS : -errno;
}

int
wf__socket_connected(int fd)
{
	const struct wf__sockets *s = wf__socket_table();
	struct sockaddr_storage a;
	socklen_t size = sizeof a;
	int err;

	if (s)
		return s->connected(fd);
	if ((err = wf__fd_socket_error(fd)) < 0)
		return err;
	return getpeername(fd, (struct sockaddr *)&a, &size) < 0 ?
	    -EINPROGRESS : 0;
}

int
wf__socket_accept(int fd)
{
	const struct wf__sockets *s = wf__socket_table();
	int got;

	if (s)
		return s->accept(fd);
	got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return got < 0 ? -errno : got;
}

int
wf__socket_shut(int fd, int how)
{
	const struct wf__sockets *s = wf__socket_table();

	if (s)
		return s->shut(fd, how);
	return shutdown(fd, how) < 0 ? -errno : 0;
}

/* In a simulation, one of before it is of the system all the same. */
void
wf__socket_close(int fd)
{
	const struct wf__sockets *s = wf__socket_table();

	if (s && wf__socket_is_simulated(fd))
		s->close(fd);
	else
		close(fd);
}

int
wf__socket_name(int fd, bool remote, struct wf__address *a)
{
	const struct wf__sockets *s = wf__socket_table();
	struct sockaddr *any = (struct sockaddr *)&a->any;

	if (s)
		return s->name(fd, remote, a);
	a->size = sizeof a->any;
	return (remote ? getpeername(fd, any, &a->size) :
	    getsockname(fd, any, &a->size)) < 0 ? -errno : 0;
}
