/* SPDX-License-Identifier: MIT */
/*
 * os/linux_bytes.c - os.h on Linux: bytes from and to sockets.
 * Layer 1.  Uses: os, sanitize.
 *
 * In libc each of these calls can be the end of a cancelled thread, which costs
 * four atomic operations in a program of several threads, and each touches
 * errno.  Weft's threads are not cancelled; so where it is known how, the
 * kernel is called without libc.  Sanitizers look at the calls of libc.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../os.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "../sanitize.h"

#if defined __x86_64__ && defined __LP64__ && !defined WF__ASAN && \
    !defined WF__TSAN

/* Of those with an address, there is none. */
static inline ssize_t
call_kernel(long call, int fd, const void *buf, size_t n, long flags)
{
	register long r10 __asm__("r10") = flags;
	register long r8 __asm__("r8") = 0;
	register long r9 __asm__("r9") = 0;
	long result = call;

	__asm__ volatile("syscall" : "+a"(result) : "D"((long)fd), "S"(buf),
	    "d"(n), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}

ssize_t
wf__os_receive(int fd, void *buf, size_t n)
{
	return call_kernel(SYS_recvfrom, fd, buf, n, 0);
}

ssize_t
wf__os_send(int fd, const void *buf, size_t n)
{
	return call_kernel(SYS_sendto, fd, buf, n, MSG_NOSIGNAL);
}

#else

ssize_t
wf__os_receive(int fd, void *buf, size_t n)
{
	int saved = errno;
	ssize_t done = recv(fd, buf, n, 0);

	if (done < 0) {
		done = -errno;
		errno = saved;
	}
	return done;
}

ssize_t
wf__os_send(int fd, const void *buf, size_t n)
{
	int saved = errno;
	ssize_t done = send(fd, buf, n, MSG_NOSIGNAL);

	if (done < 0) {
		done = -errno;
		errno = saved;
	}
	return done;
}

#endif
