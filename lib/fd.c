/* SPDX-License-Identifier: MIT */
/*
 * fd.c - the calls on any descriptor: try, wait, try again.
 * Layer 6.  Uses: poller, offload, cancel.
 *
 * A descriptor may block, be shared with other processes, and its number may
 * be of something else at the next call: nothing is remembered about it.  What
 * is tried is tried without blocking, whatever its flags are:
 *
 *	preadv2, pwritev2 with RWF_NOWAIT	where the kernel knows it
 *	recvmsg, sendmsg with MSG_DONTWAIT	sockets on older kernels
 *	poll, then the plain call		terminals and the like
 *
 * and a regular file, for which the poller has nothing to say, goes to the
 * pool (file.c).
 *
 * In a simulation files only: what others do is not determined.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "fd.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/errno.h>	/* safe across a wait */
#include <weft/io.h>
#include <weft/time.h>
#include "cancel.h"
#include "poller.h"
#include "sanitize.h"
#include "seam.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

/* ---- tries: a count, -EAGAIN, -EPERM for a file, or another -errno ---- */

/* Readiness now, as bits of poll(2). */
static int
look_now(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, 0);

	return n < 0 ? -errno : n ? p.revents : 0;
}

static ssize_t
try_old(int fd, struct iovec *iov, int n, bool write)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	struct stat st;
	ssize_t done;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ||
	    S_ISDIR(st.st_mode))
		return -EPERM;
	if (S_ISSOCK(st.st_mode))
		done = write ? sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) :
		    recvmsg(fd, &m, MSG_DONTWAIT);
	else if (!look_now(fd, write ? POLLOUT : POLLIN))
		return -EAGAIN;
	else
		done = write ? writev(fd, iov, n) : readv(fd, iov, n);
	return done < 0 ? -errno : done;
}

static ssize_t
try_transfer(int fd, struct iovec *iov, int n, bool write)
{
	ssize_t done = write ? pwritev2(fd, iov, n, -1, RWF_NOWAIT) :
	    preadv2(fd, iov, n, -1, RWF_NOWAIT);

	if (done >= 0)
		return done;
	return errno == EOPNOTSUPP || errno == ENOSYS ?
	    try_old(fd, iov, n, write) : -errno;
}

/* ---- transfers ---- */

/* A descriptor of the world outside, in a simulation: -ENOSYS. */
static int
outside(int fd)
{
	struct stat st;

	if (!wf__seam_alone() || (fstat(fd, &st) == 0 &&
	    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))))
		return 0;
	return -ENOSYS;
}

/* One read or write of at least a byte. */
static ssize_t
transfer(wf_ctx *ctx, int fd, struct iovec *iov, int n, bool write)
{
	ssize_t done;
	int err;

	if ((err = outside(fd)) < 0)
		return err;
	for (;;) {
		if ((err = wf_ctx_err(ctx)) < 0)
			return err;
		done = try_transfer(fd, iov, n, write);
		if (done == -EAGAIN)
			done = wf__poller_wait(fd, write ? WF_OUT : WF_IN,
			    wf__cancel_of(ctx), WF_FOREVER);
		else if (done != -EINTR && done != -EPERM)
			return done;
		if (done == -EPERM)
			return wf__file_transfer(ctx, fd, iov, n, -1, write);
		if (done < 0 && done != -EINTR)
			return done;
	}
}

/* The call is made with the caller's errno left as it is. */
static ssize_t
transfer_quietly(wf_ctx *ctx, int fd, const struct iovec *iov, int n,
    bool write)
{
	int saved = errno;
	ssize_t done;

	wf__seam_point_at(write ? "writes to a descriptor" :
	    "reads from a descriptor", 0);
	done = n < 0 || n > IOV_MAX ? -EINVAL :
	    transfer(ctx, fd, (struct iovec *)(uintptr_t)iov, n, write);
	errno = saved;
	return done;
}

WF_API ssize_t
wf_readv(wf_ctx *ctx, int fd, const struct iovec *iov, int n)
{
	return transfer_quietly(ctx, fd, iov, n, false);
}

WF_API ssize_t
wf_read(wf_ctx *ctx, int fd, void *buf, size_t n)
{
	struct iovec iov = { buf, n };

	return transfer_quietly(ctx, fd, &iov, 1, false);
}

WF_API ssize_t
wf_write(wf_ctx *ctx, int fd, const void *buf, size_t n)
{
	const char *p = buf;
	size_t done = 0;
	ssize_t part;

	do {
		struct iovec iov = { (char *)(uintptr_t)p + done, n - done };

		part = transfer_quietly(ctx, fd, &iov, 1, true);
		if (part < 0)
			return done ? (ssize_t)done : part;
		done += (size_t)part;
	} while (done < n);
	return (ssize_t)done;
}

/* What is left of iov[n] without its first done bytes: how many parts are
 * passed; *first is what is left of the next. */
int
wf__fd_advance(const struct iovec *iov, int n, size_t done,
    struct iovec *first)
{
	int i = 0;

	while (i < n && done >= iov[i].iov_len)
		done -= iov[i++].iov_len;
	if (i < n) {
		first->iov_base = (char *)iov[i].iov_base + done;
		first->iov_len = iov[i].iov_len - done;
	}
	return i;
}

WF_API ssize_t
wf_writev(wf_ctx *ctx, int fd, const struct iovec *iov, int n)
{
	ssize_t part = transfer_quietly(ctx, fd, iov, n, true);
	size_t done = part > 0 ? (size_t)part : 0;
	struct iovec rest = { 0 };
	int i;

	/* What the first call leaves goes part by part. */
	while (part >= 0 && (i = wf__fd_advance(iov, n, done, &rest)) < n) {
		part = wf_write(ctx, fd, rest.iov_base, rest.iov_len);
		done += part > 0 ? (size_t)part : 0;
		if (part >= 0 && (size_t)part < rest.iov_len)
			break;
	}
	return done || part >= 0 ? (ssize_t)done : part;
}

/* ---- readiness ---- */

static int
look_for(int fd, int events)
{
	int got = look_now(fd, (short)((events & WF_IN ? POLLIN : 0) |
	    (events & WF_OUT ? POLLOUT : 0)));

	if (got < 0)
		return got;
	if (got & POLLNVAL)
		return -EBADF;
	return ((got & (POLLIN | POLLHUP | POLLERR) ? WF_IN : 0) |
	    (got & (POLLOUT | POLLHUP | POLLERR) ? WF_OUT : 0)) & events;
}

WF_API int
wf_wait_fd(wf_ctx *ctx, int fd, int events)
{
	int saved = errno, got;

	wf__seam_point_at("looks at a descriptor", 0);
	if (!events || events & ~(WF_IN | WF_OUT))
		return -EINVAL;
	if ((got = wf_ctx_err(ctx)) == 0 && (got = outside(fd)) == 0)
		got = look_for(fd, events);
	while (got == 0 || got == -EINTR) {
		got = wf__poller_wait(fd, (unsigned)events,
		    wf__cancel_of(ctx), WF_FOREVER);
		if (got == 0)
			got = look_for(fd, events);
	}
	errno = saved;
	return got == -EPERM ? events : got;
}

WF_API int
wf_fd_close(int fd)
{
	int saved = errno, err;

	wf__poller_drop(fd, 1);
	wf__race_is_meant();
	err = close(fd) < 0 && errno != EINTR ? -errno : 0;
	wf__race_is_over();
	wf__poller_drop(fd, -1);
	errno = saved;
	return err;
}

/* ---- sockets ---- */

static bool
is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && flags & O_NONBLOCK;
}

static int
accept_loop(wf_ctx *ctx, int fd, struct sockaddr *address, socklen_t *size)
{
	bool nonblocking = is_nonblocking(fd);
	socklen_t room = size ? *size : 0;
	int got;

	for (;;) {
		if ((got = wf_ctx_err(ctx)) < 0)
			return got;
		if (size)
			*size = room;
		if (nonblocking || look_for(fd, WF_IN))
			got = accept4(fd, address, size,
			    SOCK_CLOEXEC | SOCK_NONBLOCK) ;
		else
			got = -1, errno = EAGAIN;
		if (got >= 0)
			return got;
		if (errno == EAGAIN)
			got = wf__poller_wait(fd, WF_IN, wf__cancel_of(ctx),
			    WF_FOREVER);
		else if (errno != EINTR && errno != ECONNABORTED)
			return -errno;
		else
			got = 0;
		if (got < 0)
			return got;
	}
}

WF_API int
wf_accept(wf_ctx *ctx, int fd, struct sockaddr *address, socklen_t *size)
{
	int saved = errno, got;

	wf__seam_point_at("accepts from a descriptor", 0);
	if ((got = outside(fd)) == 0)
		got = accept_loop(ctx, fd, address, size);
	errno = saved;
	return got;
}

/* How a connection under way has ended. */
int
wf__fd_socket_error(int fd)
{
	socklen_t size = sizeof(int);
	int err = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
		return -errno;
	return -err;
}

static int
connect_and_wait(wf_ctx *ctx, int fd, const struct sockaddr *address,
    socklen_t size)
{
	int err;

	if (connect(fd, address, size) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -errno;
	do {
		err = wf__poller_wait(fd, WF_OUT, wf__cancel_of(ctx),
		    WF_FOREVER);
		if (err)
			return err;
	} while (look_for(fd, WF_OUT) == 0);
	return wf__fd_socket_error(fd);
}

WF_API int
wf_connect(wf_ctx *ctx, int fd, const struct sockaddr *address,
    socklen_t size)
{
	int saved = errno, err;

	wf__seam_point_at("connects a descriptor", 0);
	if ((err = wf_ctx_err(ctx)) == 0 && (err = outside(fd)) == 0)
		err = is_nonblocking(fd) ?
		    connect_and_wait(ctx, fd, address, size) :
		    wf__file_connect(ctx, fd, address, size);
	errno = saved;
	return err;
}
