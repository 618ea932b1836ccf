/* SPDX-License-Identifier: MIT */
/*
 * socket.h - the system's calls on sockets; in a simulation, its network's.
 * Layer 6.  Uses: seam, resolve.
 *
 * All that net.c, dial.c and endpoint.c ask of a socket goes through here:
 * calls that never block, 0 or a count, or -errno.  A simulation brings a table
 * with the same calls (simnet.c), for descriptors of numbers that the system
 * never gives; above this line all is the same code.
 */
#ifndef WF__SOCKET_H
#define WF__SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <weft/errno.h>		/* safe across a wait */
#include "resolve.h"
#include "seam.h"

struct wf__pollee;

/* Descriptors of a simulation are counted from here. */
enum { WF__SOCKET_SIMULATED = 1 << 30 };

struct wf__sockets {
	/* Of a name: as wf__resolve(). */
	int (*resolve)(const struct wf__network *network, const char *host,
	    const char *port, bool passive, struct wf__address *list);
	int (*open)(const struct wf__address *a, int type);
	int (*bind)(const struct wf__address *a, int type, bool both);
	int (*pair)(int fds[2]);
	int (*connect)(int fd, const struct wf__address *a);
	int (*connected)(int fd);
	int (*accept)(int fd);
	ssize_t (*receive)(int fd, struct msghdr *m);
	ssize_t (*send)(int fd, const struct msghdr *m);
	int (*shut)(int fd, int how);
	int (*close)(int fd);
	int (*name)(int fd, bool remote, struct wf__address *a);
	/* From now on p, or nobody (NULL), hears of fd. */
	int (*watch)(int fd, struct wf__pollee *p);
};

/* The simulation's, or NULL. */
static inline const struct wf__sockets *
wf__socket_table(void)
{
	return wf__unlikely(wf__seam != NULL) ? wf__seam->sockets : NULL;
}

static inline bool
wf__socket_is_simulated(int fd)
{
	return fd >= WF__SOCKET_SIMULATED;
}

/* A socket for this address, with O_NONBLOCK and the options that it shall
 * have; the same, bound, and listening if it is a stream.  both: an address of
 * v6 takes v4 as well. */
int wf__socket_open(const struct wf__address *a, int type);
int wf__socket_bind(const struct wf__address *a, int type, bool both);
/* Two, joined. */
int wf__socket_pair(int fds[2]);

/* 0, -EINPROGRESS, or another -errno; and once it is writable, how that has
 * ended, -EINPROGRESS if it has not. */
int wf__socket_connect(int fd, const struct wf__address *a);
int wf__socket_connected(int fd);

/* The next client's socket. */
int wf__socket_accept(int fd);

int wf__socket_shut(int fd, int how);
void wf__socket_close(int fd);
int wf__socket_name(int fd, bool remote, struct wf__address *a);

/* ---- bytes: inline, for the sake of speed ---- */

static inline ssize_t
wf__socket_receive(int fd, struct msghdr *m)
{
	const struct wf__sockets *s = wf__socket_table();
	ssize_t n;

	if (wf__unlikely(s != NULL))
		return s->receive(fd, m);
	return (n = recvmsg(fd, m, 0)) < 0 ? -errno : n;
}

static inline ssize_t
wf__socket_send(int fd, const struct msghdr *m)
{
	const struct wf__sockets *s = wf__socket_table();
	ssize_t n;

	if (wf__unlikely(s != NULL))
		return s->send(fd, m);
	return (n = sendmsg(fd, m, MSG_NOSIGNAL)) < 0 ? -errno : n;
}

/* The simplest form of each, which leaves errno alone. */

static inline ssize_t
wf__socket_read(int fd, void *buf, size_t size)
{
	const struct wf__sockets *s = wf__socket_table();
	struct iovec iov = { buf, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (wf__unlikely(s != NULL))
		return s->receive(fd, &m);
	return wf__os_receive(fd, buf, size);
}

static inline ssize_t
wf__socket_write(int fd, const void *buf, size_t size)
{
	const struct wf__sockets *s = wf__socket_table();
	struct iovec iov = { (char *)(uintptr_t)buf, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (wf__unlikely(s != NULL))
		return s->send(fd, &m);
	return wf__os_send(fd, buf, size);
}

#endif
