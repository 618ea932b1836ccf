/* SPDX-License-Identifier: MIT */
/*
 * weft/net.h - connections and listeners.
 *
 *	static void
 *	serve(wf_conn *c)
 *	{
 *		char buf[4096];
 *		ssize_t n;
 *
 *		while ((n = wf_conn_read(wf_ctx_background(), c, buf,
 *		    sizeof buf)) > 0)
 *			wf_conn_write(wf_ctx_background(), c, buf, (size_t)n);
 *		wf_conn_free(c);
 *	}
 *
 *	if (wf_listen(ctx, "tcp", "127.0.0.1:4221", &l) < 0)
 *		return 1;
 *	while (wf_listener_accept(ctx, l, &c) == 0)
 *		wf_spawn(serve, c);
 *
 * network	address
 * tcp udp	host:port, [v6]:port, :port (any, or this machine); a 4 or 6 at
 *		the end of the network allows one family only
 * unix		a path, or @name in the abstract namespace
 * unixgram	the same, for datagrams
 *
 * Rules, for connections and listeners:
 *
 * - The context comes first, NULL is -EINVAL.  Results are 0 or a count, or
 *   -errno.  Any thread may call everything here, at the same time; of several
 *   writes each goes out whole, of several reads each gets what comes next,
 *   by turns.
 * - A deadline is a time of wf_now(), WF_FOREVER for none.  A call whose
 *   deadline has passed is -ETIMEDOUT at once, also when there is data.
 *   A change also holds for calls that wait already, and a later deadline
 *   revives the connection.
 * - Closing ends all calls with -ESHUTDOWN, waits until they have ended, and
 *   so do later calls.  Free closes, if need be, and frees: once no other
 *   coroutine uses the thing any more.  NULL may be freed.
 * - -EMFILE or -ENFILE from an accept leaves the client in the queue: free
 *   descriptors, or sleep for a few milliseconds, twice as long each time, up
 *   to a second, and try again.
 * - TCP connections have TCP_NODELAY, and keepalive after 15 s.  Nothing here
 *   raises SIGPIPE.
 * - In a simulation all of this runs on a network in memory; see weft/sim.h.
 */
#ifndef WEFT_NET_H
#define WEFT_NET_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

typedef struct wf_conn wf_conn;
typedef struct wf_listener wf_listener;

/* Room for an address as text. */
enum { WF_ADDRESS_TEXT = 128 };

/* ---- making ---- */

/* Connect: 0 and *c, to be freed; -ETIMEDOUT, -ECONNREFUSED, -ENOENT for a name
 * that is unknown, ...  ctx counts for the connecting only.  Where a name has
 * several addresses they are tried in turn, each with a head start of 250 ms
 * or until it fails, families alternating (RFC 8305); the first to answer is
 * it.  If none does it is the context's error, or that of the first to fail. */
WF_API int wf_dial(wf_ctx *ctx, const char *network, const char *address,
    wf_conn **c);

/* The same with options, zero for none of each. */
struct wf_dialer {
	int64_t timeout;	/* nanoseconds; negative has passed already */
	int64_t deadline;	/* a time of wf_now(); the earlier one wins */
	uintptr_t wf__reserved[6];
};
WF_API int wf_dial_with(wf_ctx *ctx, const struct wf_dialer *dialer,
    const char *network, const char *address, wf_conn **c);

/* Listen: 0 and *l, to be freed.  Port 0 takes any: wf_listener_address()
 * tells.  A unix socket's path is removed when the listener is closed. */
WF_API int wf_listen(wf_ctx *ctx, const char *network, const char *address,
    wf_listener **l);

/* A socket for datagrams from anybody: udp, unixgram. */
WF_API int wf_listen_packet(wf_ctx *ctx, const char *network,
    const char *address, wf_conn **c);

/* Two connections, joined in memory. */
WF_API int wf_conn_pipe(wf_conn *ends[2]);

/* A connection from a connected socket of yours, which belongs to it from now
 * on and gets O_NONBLOCK.  After an error it is still yours. */
WF_API int wf_conn_of(int fd, wf_conn **c);

/* ---- listeners ---- */

/* The next client: 0 and *c. */
WF_API int wf_listener_accept(wf_ctx *ctx, wf_listener *l, wf_conn **c);
WF_API int wf_listener_set_deadline(wf_listener *l, int64_t deadline);
WF_API int wf_listener_close(wf_listener *l);
WF_API void wf_listener_free(wf_listener *l);
WF_API int wf_listener_address(wf_listener *l, char *text, size_t size);
WF_API int wf_listener_fd(const wf_listener *l);

/* ---- connections ---- */

/* At most n bytes, at least one: how many; 0 at the end of the stream.  Of
 * a datagram what is over n is lost. */
WF_API ssize_t wf_conn_read(wf_ctx *ctx, wf_conn *c, void *buf, size_t n);

/* All n bytes.  Less, if then came an error: the next call gives it, unless it
 * was the deadline or the context and has passed by then. */
WF_API ssize_t wf_conn_write(wf_ctx *ctx, wf_conn *c, const void *buf,
    size_t n);
WF_API ssize_t wf_conn_writev(wf_ctx *ctx, wf_conn *c, const struct iovec *iov,
    int n);

/* A datagram and where it comes from, or goes to. */
WF_API ssize_t wf_conn_read_from(wf_ctx *ctx, wf_conn *c, void *buf, size_t n,
    struct sockaddr *from, socklen_t *size);
WF_API ssize_t wf_conn_write_to(wf_ctx *ctx, wf_conn *c, const void *buf,
    size_t n, const struct sockaddr *to, socklen_t size);

/* For reads, for writes, for both. */
WF_API int wf_conn_set_read_deadline(wf_conn *c, int64_t deadline);
WF_API int wf_conn_set_write_deadline(wf_conn *c, int64_t deadline);
WF_API int wf_conn_set_deadline(wf_conn *c, int64_t deadline);

/* Half of it: reads give 0 from now on; the peer reads 0 after all that has
 * been written. */
WF_API int wf_conn_close_read(wf_conn *c);
WF_API int wf_conn_close_write(wf_conn *c);

/* Both halves: 0, or -ESHUTDOWN if it is closed already. */
WF_API int wf_conn_close(wf_conn *c);
WF_API void wf_conn_free(wf_conn *c);

/* The two addresses as text, such as "127.0.0.1:80"; "" where there is none. */
WF_API int wf_conn_local_address(wf_conn *c, char *text, size_t size);
WF_API int wf_conn_remote_address(wf_conn *c, char *text, size_t size);

/* Its descriptor, for socket options and wf_sendfile(); -1 if it is closed.  It
 * belongs to the connection. */
WF_API int wf_conn_fd(const wf_conn *c);

/* ---- addresses ---- */

/* The addresses of a network and address, at most n, the best one first: how
 * many.  Names are looked up on a thread of the pool. */
WF_API int wf_resolve(wf_ctx *ctx, const char *network, const char *address,
    struct sockaddr_storage *list, int n);

/* An address as text: 0, or -ENOSPC if it was cut. */
WF_API int wf_address_text(const struct sockaddr *address, socklen_t size,
    char *text, size_t room);

WF__END

#endif
