/* SPDX-License-Identifier: MIT */
/*
 * net.c - connections and listeners: read, write, accept.
 * Layer 6.  Uses: net, socket, endpoint, fd, alloc.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "net.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/un.h>
#include <unistd.h>

#include <weft/errno.h>		/* safe across a wait */
#include <weft/time.h>
#include "alloc.h"
#include "fd.h"
#include "socket.h"

/* ---- read ---- */

/* A try has ended with got. */
static ssize_t
read_at_last(wf_ctx *ctx, wf_conn *c, void *buf, size_t n, ssize_t got)
{
	int saved = errno, err = 0;

	while (!err && (got == -EAGAIN || got == -EINTR)) {
		if (got == -EAGAIN)
			err = wf__endpoint_wait(&c->end, WF__READ, ctx);
		got = err ? err : wf__socket_read(c->end.fd, buf, n);
	}
	errno = saved;
	return got;
}

WF_API ssize_t
wf_conn_read(wf_ctx *ctx, wf_conn *c, void *buf, size_t n)
{
	int err = wf__endpoint_enter(&c->end, WF__READ, ctx);
	ssize_t got;

	if (err)
		return err;
	/* What is there, in the simplest way. */
	got = wf__socket_read(c->end.fd, buf, n);
	if (wf__unlikely(got < 0))
		got = read_at_last(ctx, c, buf, n, got);
	wf__endpoint_leave(&c->end, WF__READ, got > 0 && (size_t)got < n);
	return got;
}

WF_API ssize_t
wf_conn_read_from(wf_ctx *ctx, wf_conn *c, void *buf, size_t n,
    struct sockaddr *from, socklen_t *size)
{
	int saved = errno, err = wf__endpoint_enter(&c->end, WF__READ, ctx);
	socklen_t room = size ? *size : 0;
	struct iovec iov = { buf, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_name = from };
	ssize_t got;

	if (err < 0)
		return err;
	for (;;) {
		m.msg_namelen = room;
		got = wf__socket_receive(c->end.fd, &m);
		if (got == -EAGAIN)
			got = err = wf__endpoint_wait(&c->end, WF__READ, ctx);
		else if (got != -EINTR)
			break;
		if (err < 0)
			break;
	}
	wf__endpoint_leave(&c->end, WF__READ, false);
	if (size && got >= 0)
		*size = m.msg_namelen;
	errno = saved;
	return got;
}

/* ---- write ---- */

/* One call that takes at least a byte; with the turn. */
static ssize_t
send_some(wf_ctx *ctx, wf_conn *c, const struct msghdr *m)
{
	ssize_t sent;

	for (;;) {
		sent = wf__socket_send(c->end.fd, m);
		if (sent == -EAGAIN)
			sent = wf__endpoint_wait(&c->end, WF__WRITE, ctx);
		else if (sent != -EINTR)
			return sent;
		if (sent < 0 && sent != -EINTR)
			return sent;
	}
}

/* All of iov[n], the turn ours throughout: no other write comes between. */
static ssize_t
send_all(wf_ctx *ctx, wf_conn *c, const struct iovec *iov, int n)
{
	struct iovec rest;
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov,
	    .msg_iovlen = (size_t)n };
	ssize_t sent = send_some(ctx, c, &m);
	size_t done = sent > 0 ? (size_t)sent : 0;
	int i;

	while (sent >= 0 && (i = wf__fd_advance(iov, n, done, &rest)) < n) {
		m.msg_iov = &rest;
		m.msg_iovlen = 1;
		sent = send_some(ctx, c, &m);
		done += sent > 0 ? (size_t)sent : 0;
	}
	return done ? (ssize_t)done : sent;
}

WF_API ssize_t
wf_conn_writev(wf_ctx *ctx, wf_conn *c, const struct iovec *iov, int n)
{
	int saved = errno, err;
	ssize_t done;

	if (n < 0 || n > IOV_MAX)
		return -EINVAL;
	if ((err = wf__endpoint_enter(&c->end, WF__WRITE, ctx)) < 0)
		return err;
	done = send_all(ctx, c, iov, n);
	wf__endpoint_leave(&c->end, WF__WRITE, false);
	errno = saved;
	return done;
}

/* A try has ended with done. */
static ssize_t
write_the_rest(wf_ctx *ctx, wf_conn *c, const char *buf, size_t n, ssize_t done)
{
	size_t sent = done > 0 ? (size_t)done : 0;
	char *from = (char *)(uintptr_t)buf;
	struct iovec rest = { sent ? from + sent : from, n - sent };
	int saved = errno;
	ssize_t more;

	if (done < 0 && done != -EAGAIN && done != -EINTR)
		return done;
	more = send_all(ctx, c, &rest, 1);
	errno = saved;
	return sent ? (ssize_t)sent + (more > 0 ? more : 0) : more;
}

WF_API ssize_t
wf_conn_write(wf_ctx *ctx, wf_conn *c, const void *buf, size_t n)
{
	int err = wf__endpoint_enter(&c->end, WF__WRITE, ctx);
	ssize_t done;

	if (err)
		return err;
	/* What goes out at once, in the simplest way. */
	done = wf__socket_write(c->end.fd, buf, n);
	if (wf__unlikely(done < 0 || (size_t)done < n))
		done = write_the_rest(ctx, c, buf, n, done);
	wf__endpoint_leave(&c->end, WF__WRITE, false);
	return done;
}

WF_API ssize_t
wf_conn_write_to(wf_ctx *ctx, wf_conn *c, const void *buf, size_t n,
    const struct sockaddr *to, socklen_t size)
{
	int saved = errno, err = wf__endpoint_enter(&c->end, WF__WRITE, ctx);
	struct iovec iov = { (char *)(uintptr_t)buf, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_name = (struct sockaddr *)(uintptr_t)to,
	    .msg_namelen = size };
	ssize_t done;

	if (err < 0)
		return err;
	done = send_some(ctx, c, &m);
	wf__endpoint_leave(&c->end, WF__WRITE, false);
	errno = saved;
	return done;
}

/* ---- accept ---- */

/* Of these the next client may know nothing. */
static bool
is_clients_own(int err)
{
	return err == -EINTR || err == -ECONNABORTED || err == -EPROTO ||
	    err == -ENETDOWN || err == -ENOPROTOOPT ||
	    err == -EHOSTDOWN || err == -ENONET || err == -EHOSTUNREACH ||
	    err == -EOPNOTSUPP || err == -ENETUNREACH;
}

static int
accept_fd(wf_ctx *ctx, wf_listener *l)
{
	int fd, err;

	for (;;) {
		fd = wf__socket_accept(l->end.fd);
		if (fd == -EAGAIN) {
			err = wf__endpoint_wait(&l->end, WF__READ, ctx);
			if (err)
				return err;
		} else if (fd >= 0 || !is_clients_own(fd))
			return fd;
	}
}

WF_API int
wf_listener_accept(wf_ctx *ctx, wf_listener *l, wf_conn **c)
{
	int saved = errno, fd;

	*c = NULL;
	fd = wf__endpoint_enter(&l->end, WF__READ, ctx);
	if (fd < 0)
		return fd;
	fd = accept_fd(ctx, l);
	wf__endpoint_leave(&l->end, WF__READ, false);
	if (fd >= 0 && !(*c = wf__conn_new(fd, l->tells_end))) {
		wf__socket_close(fd);
		fd = -ENOMEM;
	}
	errno = saved;
	return fd < 0 ? fd : 0;
}

WF_API int
wf_listener_set_deadline(wf_listener *l, int64_t deadline)
{
	return wf__endpoint_set_deadline(&l->end, 1u << WF__READ, deadline);
}

WF_API int
wf_listener_close(wf_listener *l)
{
	int err = wf__endpoint_close(&l->end), saved = errno;

	if (!err && l->path[0])
		unlink(l->path);
	errno = saved;
	return err;
}

WF_API void
wf_listener_free(wf_listener *l)
{
	if (!l)
		return;
	if (!l->end.closed)
		wf_listener_close(l);
	wf__endpoint_end(&l->end);
	wf__free(l, sizeof *l);
}

WF_API int
wf_listener_fd(const wf_listener *l)
{
	return l->end.fd;
}

struct wf_listener *
wf__listener_new(int fd, bool tells_end)
{
	struct wf_listener *l = wf__alloc_object(sizeof *l);

	if (!l)
		return NULL;
	if (wf__endpoint_init(&l->end, fd, false,
	    &wf__endpoint_listener) < 0) {
		wf__free(l, sizeof *l);
		return NULL;
	}
	l->tells_end = tells_end;
	return l;
}

/* ---- connections ---- */

struct wf_conn *
wf__conn_new(int fd, bool tells_end)
{
	struct wf_conn *c = wf__alloc_object(sizeof *c);

	if (c && wf__endpoint_init(&c->end, fd, tells_end,
	    &wf__endpoint_conn) < 0) {
		wf__free(c, sizeof *c);
		c = NULL;
	}
	return c;
}

WF_API int
wf_conn_set_read_deadline(wf_conn *c, int64_t deadline)
{
	return wf__endpoint_set_deadline(&c->end, 1u << WF__READ, deadline);
}

WF_API int
wf_conn_set_write_deadline(wf_conn *c, int64_t deadline)
{
	return wf__endpoint_set_deadline(&c->end, 1u << WF__WRITE, deadline);
}

WF_API int
wf_conn_set_deadline(wf_conn *c, int64_t deadline)
{
	return wf__endpoint_set_deadline(&c->end,
	    1u << WF__READ | 1u << WF__WRITE, deadline);
}

static int
close_half(wf_conn *c, int how)
{
	int saved = errno, fd = wf__endpoint_hold(&c->end), err;

	if (fd < 0)
		return fd;
	err = wf__socket_shut(fd, how);
	wf__endpoint_release(&c->end);
	errno = saved;
	return err;
}

WF_API int
wf_conn_close_read(wf_conn *c)
{
	return close_half(c, SHUT_RD);
}

WF_API int
wf_conn_close_write(wf_conn *c)
{
	return close_half(c, SHUT_WR);
}

WF_API int
wf_conn_close(wf_conn *c)
{
	return wf__endpoint_close(&c->end);
}

WF_API void
wf_conn_free(wf_conn *c)
{
	if (!c)
		return;
	wf__endpoint_end(&c->end);
	wf__free(c, sizeof *c);
}

WF_API int
wf_conn_fd(const wf_conn *c)
{
	return c->end.fd;
}

WF_API int
wf_conn_of(int fd, wf_conn **c)
{
	int saved = errno, family = 0, type = 0, flags;
	socklen_t size = sizeof family, type_size = sizeof type;
	int err = 0;

	*c = NULL;
	if (wf__socket_table())
		return -ENOSYS;		/* it is of the world outside */
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) < 0 ||
	    (flags = fcntl(fd, F_GETFL)) < 0 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		err = -errno;
	else if (!(*c = wf__conn_new(fd, type == SOCK_STREAM &&
	    (family == AF_INET || family == AF_INET6))))
		err = -ENOMEM;
	errno = saved;
	return err;
}

WF_API int
wf_conn_pipe(wf_conn *ends[2])
{
	int saved = errno, fds[2], err = wf__socket_pair(fds);

	ends[0] = ends[1] = NULL;
	if (err < 0) {
		errno = saved;
		return err;
	}
	for (int i = 0; i < 2; i++)
		if (!(ends[i] = wf__conn_new(fds[i], false))) {
			wf__socket_close(fds[i]);
			err = -ENOMEM;
		}
	for (int i = 0; err && i < 2; i++) {
		wf_conn_free(ends[i]);
		ends[i] = NULL;
	}
	errno = saved;
	return err;
}

/* ---- addresses ---- */

static int
address_of(struct wf__endpoint *e, bool remote, char *text, size_t size)
{
	struct wf__address a;
	int saved = errno, fd = wf__endpoint_hold(e), err;

	if (fd < 0)
		return fd;
	err = wf__socket_name(fd, remote, &a);
	wf__endpoint_release(e);
	if (!err)
		err = wf_address_text((struct sockaddr *)&a.any, a.size, text,
		    size);
	errno = saved;
	return err;
}

WF_API int
wf_listener_address(wf_listener *l, char *text, size_t size)
{
	return address_of(&l->end, false, text, size);
}

WF_API int
wf_conn_local_address(wf_conn *c, char *text, size_t size)
{
	return address_of(&c->end, false, text, size);
}

WF_API int
wf_conn_remote_address(wf_conn *c, char *text, size_t size)
{
	return address_of(&c->end, true, text, size);
}
