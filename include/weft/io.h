/* SPDX-License-Identifier: MIT */
/*
 * weft/io.h - read, write and wait on any descriptor.
 *
 *	wf_ctx *ctx = wf_ctx_with_timeout(parent, 2 * WF_SEC);
 *	ssize_t n = wf_read(ctx, fd, buf, sizeof buf);
 *
 *	if (n == -ETIMEDOUT)
 *		...
 *
 * Like the calls of the system, but a coroutine that has to wait lets others
 * run; a thread outside of weft blocks.  Any thread may call everything here.
 *
 * - The context comes first; wf_ctx_background() costs nothing, NULL is
 *   -EINVAL.  A context that is done ends the call with its error, also when
 *   there is data.
 * - The result is 0 or a count, or -errno.  errno itself is not touched.
 * - Sockets, pipes, terminals and the like are waited for in the poller, any
 *   number of waiters for each direction.  O_NONBLOCK is never set on
 *   a descriptor of yours.  Where the system cannot try without blocking (an
 *   accept, a terminal), readiness is asked for first; if another process
 *   takes what was there, the thread blocks, and others go on.
 * - Regular files go to a small pool of threads where the data is not in
 *   memory.  A read or write that has begun there cannot be called back: when
 *   its context ends the wait, it goes on with a buffer of its own, and
 *   whether the file has changed, or its position, is not known.
 * - Do not close(2) a descriptor that somebody waits for: that one would not
 *   notice.  wf_fd_close() wakes him.
 * - On a thread outside of weft, SIGPIPE is as always; coroutines get -EPIPE.
 */
#ifndef WEFT_IO_H
#define WEFT_IO_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

/* At most n bytes: how many; 0 at the end. */
WF_API ssize_t wf_read(wf_ctx *ctx, int fd, void *buf, size_t n);
WF_API ssize_t wf_readv(wf_ctx *ctx, int fd, const struct iovec *iov, int n);

/* All n bytes.  Less, if then came an error: the next call gives it. */
WF_API ssize_t wf_write(wf_ctx *ctx, int fd, const void *buf, size_t n);
WF_API ssize_t wf_writev(wf_ctx *ctx, int fd, const struct iovec *iov, int n);

/* The same at an offset, which leaves the position alone. */
WF_API ssize_t wf_pread(wf_ctx *ctx, int fd, void *buf, size_t n,
    off_t offset);
WF_API ssize_t wf_pwrite(wf_ctx *ctx, int fd, const void *buf, size_t n,
    off_t offset);

/* As open(2), with O_CLOEXEC: a descriptor.  fsync(2). */
WF_API int wf_open(wf_ctx *ctx, const char *path, int flags, mode_t mode);
WF_API int wf_fsync(wf_ctx *ctx, int fd);

/* A connection of the listening socket fd: its descriptor, with O_CLOEXEC and
 * O_NONBLOCK.  -EMFILE and -ENFILE are for the caller to wait out. */
WF_API int wf_accept(wf_ctx *ctx, int fd, struct sockaddr *address,
    socklen_t *size);

/* Connect the socket fd, best one with O_NONBLOCK; others take a thread of the
 * pool meanwhile.  After an error close the socket. */
WF_API int wf_connect(wf_ctx *ctx, int fd, const struct sockaddr *address,
    socklen_t size);

/* Send n bytes of the file in, from *offset on (NULL: its position), to
 * a socket: how many; less than n at the file's end or before an error. */
WF_API ssize_t wf_sendfile(wf_ctx *ctx, int out, int in, off_t *offset,
    size_t n);

/* Wait until fd can be read from (WF_IN), written to (WF_OUT) or has ended:
 * which of the events it is, more than 0.  A file is always ready. */
enum { WF_IN = 1, WF_OUT = 2 };
WF_API int wf_wait_fd(wf_ctx *ctx, int fd, int events);

/* Close fd; everybody who waits for it gets -EBADF. */
WF_API int wf_fd_close(int fd);

/*
 * Call fn(arg) on one of a few threads that may block, and wait until it has
 * returned: 0.  Or until ctx is done: then its error, and drop(arg) is called
 * once fn, if it has begun, has returned; arg is not yours any more.  The same
 * with -ENOMEM or -EAGAIN when there is no memory or no thread.  With drop
 * NULL a call that has been queued is waited for to its end.  While 32 calls
 * are under way, others wait for their turn.
 */
WF_API int wf_offload(wf_ctx *ctx, void (*fn)(void *arg), void *arg,
    void (*drop)(void *arg));

WF__END

#endif
