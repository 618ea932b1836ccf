/* SPDX-License-Identifier: MIT */
/*
 * file.c - calls on files, which block for as long as the disk takes.
 * Layer 6.  Uses: fd, offload, alloc, cancel.
 *
 * What is in memory is read at once; the rest is a call in the pool.  If its
 * wait can be cancelled, it works on a copy of the bytes in memory of its own,
 * since the caller's may be gone by the time that the kernel writes there.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "fd.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include <weft/errno.h>	/* safe across a wait */
#include <weft/io.h>
#include "alloc.h"
#include "cancel.h"
#include "seam.h"
#include "self.h"
#include "socket.h"

enum {
	FILE_CHUNK = 1 << 20,		/* bytes of one call with a copy */
	COPY_CHUNK = 1 << 16
};

/* ---- transfers ---- */

struct file_call {
	int fd;
	bool write;
	off_t offset;			/* -1: the position */
	const struct iovec *iov;
	int n;
	ssize_t result;
	size_t room;			/* of copy */
	struct iovec copied;
	char copy[];
};

static void
run_file_call(void *arg)
{
	struct file_call *c = arg;

	do {
		c->result = c->write ?
		    pwritev2(c->fd, c->iov, c->n, c->offset, 0) :
		    preadv2(c->fd, c->iov, c->n, c->offset, 0);
	} while (c->result < 0 && errno == EINTR);
	if (c->result < 0)
		c->result = -errno;
}

static void
drop_file_call(void *arg)
{
	struct file_call *c = arg;

	wf__free(c, sizeof *c + c->room);
}

static size_t
total(const struct iovec *iov, int n)
{
	size_t size = 0;

	for (int i = 0; i < n; i++)
		size += iov[i].iov_len;
	return size;
}

/* Bytes between iov and copy, size at most. */
static void
copy_parts(const struct iovec *iov, int n, char *copy, size_t size, bool in)
{
	for (int i = 0; i < n && size; i++) {
		size_t part = iov[i].iov_len < size ? iov[i].iov_len : size;

		if (in)
			memcpy(copy, iov[i].iov_base, part);
		else
			memcpy(iov[i].iov_base, copy, part);
		copy += part;
		size -= part;
	}
}

static ssize_t
transfer_copy(wf_ctx *ctx, const struct file_call *call)
{
	size_t size = total(call->iov, call->n);
	struct file_call *c;
	ssize_t result;
	int err;

	size = size < FILE_CHUNK ? size : FILE_CHUNK;
	if (!(c = wf__alloc(sizeof *c + size)))
		return -ENOMEM;
	*c = *call;
	c->room = size;
	c->copied = (struct iovec){ c->copy, size };
	c->iov = &c->copied;
	c->n = 1;
	if (c->write)
		copy_parts(call->iov, call->n, c->copy, size, true);
	if ((err = wf_offload(ctx, run_file_call, c, drop_file_call)) < 0)
		return err;
	result = c->result;
	if (!c->write && result > 0)
		copy_parts(call->iov, call->n, c->copy, (size_t)result, false);
	drop_file_call(c);
	return result;
}

ssize_t
wf__file_transfer(wf_ctx *ctx, int fd, const struct iovec *iov, int n,
    off_t offset, bool write)
{
	struct file_call c = { .fd = fd, .write = write, .offset = offset,
	    .iov = iov, .n = n };
	int err;

	if (!wf__cancel_of(ctx)->endless)
		return transfer_copy(ctx, &c);
	err = wf_offload(ctx, run_file_call, &c, NULL);
	return err ? err : c.result;
}

/* A read at once if all is in memory; -EAGAIN if not. */
static ssize_t
read_cached(int fd, const struct iovec *iov, off_t offset)
{
	ssize_t n = preadv2(fd, iov, 1, offset, RWF_NOWAIT);

	return n >= 0 ? n : errno == EOPNOTSUPP || errno == ENOSYS ? -EAGAIN :
	    -errno;
}

WF_API ssize_t
wf_pread(wf_ctx *ctx, int fd, void *buf, size_t n, off_t offset)
{
	struct iovec iov = { buf, n };
	int saved = errno;
	ssize_t done;

	wf__seam_point_at("reads from a file", 0);
	if (offset < 0)
		return -EINVAL;
	if ((done = wf_ctx_err(ctx)) == 0)
		done = read_cached(fd, &iov, offset);
	else if (done == -EAGAIN)
		done = -ECANCELED;
	if (done == -EAGAIN)
		done = wf__file_transfer(ctx, fd, &iov, 1, offset, false);
	errno = saved;
	return done;
}

WF_API ssize_t
wf_pwrite(wf_ctx *ctx, int fd, const void *buf, size_t n, off_t offset)
{
	int saved = errno;
	size_t done = 0;
	ssize_t part;

	wf__seam_point_at("writes to a file", 0);
	if (offset < 0)
		return -EINVAL;
	do {
		struct iovec iov = { (char *)(uintptr_t)buf + done, n - done };

		if ((part = wf_ctx_err(ctx)) == 0)
			part = wf__file_transfer(ctx, fd, &iov, 1,
			    offset + (off_t)done, true);
		done += part > 0 ? (size_t)part : 0;
	} while (part > 0 && done < n);
	errno = saved;
	return done ? (ssize_t)done : part;
}

/* ---- other calls ---- */

struct open_call {
	int flags;
	mode_t mode;
	int result;
	size_t room;
	char path[];
};

static void
run_open(void *arg)
{
	struct open_call *c = arg;

	do {
		c->result = open(c->path, c->flags | O_CLOEXEC, c->mode);
	} while (c->result < 0 && errno == EINTR);
	if (c->result < 0)
		c->result = -errno;
}

static void
drop_open(void *arg)
{
	struct open_call *c = arg;

	if (c->result > 0)
		close(c->result);
	wf__free(c, sizeof *c + c->room);
}

WF_API int
wf_open(wf_ctx *ctx, const char *path, int flags, mode_t mode)
{
	size_t room = strlen(path) + 1;
	int saved = errno, fd;
	struct open_call *c;

	wf__seam_point_at("opens a file", 0);
	if ((fd = wf_ctx_err(ctx)) < 0)
		return fd;
	if (!(c = wf__alloc(sizeof *c + room)))
		return -ENOMEM;
	c->flags = flags;
	c->mode = mode;
	c->room = room;
	memcpy(c->path, path, room);
	if ((fd = wf_offload(ctx, run_open, c, drop_open)) == 0) {
		fd = c->result;
		c->result = -1;
		drop_open(c);
	}
	errno = saved;
	return fd;
}

struct small_call {
	int fd;
	int result;
	socklen_t size;
	struct sockaddr_storage address;
};

static void
run_fsync(void *arg)
{
	struct small_call *c = arg;

	c->result = fsync(c->fd) < 0 ? -errno : 0;
}

static void
run_connect(void *arg)
{
	struct small_call *c = arg;

	c->result = connect(c->fd, (struct sockaddr *)&c->address,
	    c->size) < 0 ? -errno : 0;
}

static void
drop_small(void *arg)
{
	wf__free(arg, sizeof(struct small_call));
}

static int
small_call(wf_ctx *ctx, void (*fn)(void *), const struct small_call *call)
{
	struct small_call *c = wf__alloc(sizeof *c);
	int saved = errno, result;

	if (!c)
		return -ENOMEM;
	*c = *call;
	if ((result = wf_offload(ctx, fn, c, drop_small)) == 0) {
		result = c->result;
		drop_small(c);
	}
	errno = saved;
	return result;
}

WF_API int
wf_fsync(wf_ctx *ctx, int fd)
{
	struct small_call c = { .fd = fd };

	return small_call(ctx, run_fsync, &c);
}

int
wf__file_connect(wf_ctx *ctx, int fd, const struct sockaddr *address,
    socklen_t size)
{
	struct small_call c = { .fd = fd, .size = size };

	if (size > sizeof c.address)
		return -EINVAL;
	memcpy(&c.address, address, size);
	return small_call(ctx, run_connect, &c);
}

/* ---- sendfile ---- */

/* By a copy in memory: for what sendfile(2) could only do blocking. */
static ssize_t
send_copy(wf_ctx *ctx, int out, int in, off_t offset, size_t n, char *copy)
{
	ssize_t got, sent;
	size_t done = 0;

	while (done < n) {
		size_t part = n - done < COPY_CHUNK ? n - done : COPY_CHUNK;

		got = wf_pread(ctx, in, copy, part, offset + (off_t)done);
		sent = got > 0 ? wf_write(ctx, out, copy, (size_t)got) : got;
		done += sent > 0 ? (size_t)sent : 0;
		if (sent <= 0 || sent < got)
			return done ? (ssize_t)done : sent;
	}
	return (ssize_t)done;
}

/* The first of it is in memory, and so is the rest, as a rule. */
static bool
is_cached(int in, off_t offset)
{
	char byte;
	struct iovec iov = { &byte, 1 };

	return read_cached(in, &iov, offset) >= 0;
}

static ssize_t
send_direct(wf_ctx *ctx, int out, int in, off_t offset, size_t n, char *copy)
{
	size_t done = 0, part;
	ssize_t sent;
	int err;

	while (done < n) {
		part = n - done < FILE_CHUNK ? n - done : FILE_CHUNK;
		if ((err = wf_ctx_err(ctx)) < 0)
			return done ? (ssize_t)done : err;
		if (!is_cached(in, offset)) {
			part = part < COPY_CHUNK ? part : COPY_CHUNK;
			sent = send_copy(ctx, out, in, offset, part, copy);
			offset += sent > 0 ? sent : 0;
		} else if ((sent = sendfile(out, in, &offset, part)) < 0)
			sent = -errno;
		if (sent == -EAGAIN) {
			sent = wf_wait_fd(ctx, out, WF_OUT);
			if (sent > 0)
				continue;
		}
		if (sent == -EINTR)
			continue;
		if (sent <= 0)
			return done ? (ssize_t)done : sent;
		done += (size_t)sent;
	}
	return (ssize_t)done;
}

WF_API ssize_t
wf_sendfile(wf_ctx *ctx, int out, int in, off_t *offset, size_t n)
{
	int saved = errno, flags, err;
	ssize_t done;
	char *copy;
	off_t from;

	wf__seam_point_at("sends a file", 0);
	if ((err = wf_ctx_err(ctx)) < 0)
		return err;
	if (wf__socket_table() && wf__socket_is_simulated(out))
		return -ENOSYS;
	if ((flags = fcntl(out, F_GETFL)) < 0 ||
	    (from = offset ? *offset : lseek(in, 0, SEEK_CUR)) < 0) {
		err = -errno;
		errno = saved;
		return err;
	}
	if (!(copy = wf__alloc(COPY_CHUNK)))
		return -ENOMEM;
	done = (flags & O_NONBLOCK ? send_direct : send_copy)(ctx, out, in,
	    from, n, copy);
	wf__free(copy, COPY_CHUNK);
	if (done > 0 && offset)
		*offset = from + done;
	else if (done > 0)
		lseek(in, from + done, SEEK_SET);
	errno = saved;
	return done;
}
