/* SPDX-License-Identifier: MIT */
/*
 * fd.h - what fd.c, file.c and net.c know of each other.
 * Layer 6.  Uses: nothing of weft's.
 */
#ifndef WF__FD_H
#define WF__FD_H

#include <sys/socket.h>
#include <sys/uio.h>

#include <weft/context.h>

/* A transfer with a file, at an offset or (-1) its position, in the pool. */
ssize_t wf__file_transfer(wf_ctx *ctx, int fd, const struct iovec *iov, int n,
    off_t offset, bool write);
/* A connect that may block, in the pool. */
int wf__file_connect(wf_ctx *ctx, int fd, const struct sockaddr *address,
    socklen_t size);

/* How a connect that was under way has ended: 0 or -errno. */
int wf__fd_socket_error(int fd);

/* After done bytes of iov[n]: how many parts are passed; *first is what is
 * left of the next. */
int wf__fd_advance(const struct iovec *iov, int n, size_t done,
    struct iovec *first);

#endif
