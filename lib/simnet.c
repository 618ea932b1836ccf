/* SPDX-License-Identifier: MIT */
/*
 * simnet.c - the network of a simulation: sockets that the system never sees.
 * Layer 7.  Uses: simnet, simhost, sim, choice, alloc.
 *
 *	fresh -> listens
 *	   \---> connects -> connected -> closed
 *
 * The calls of socket.h, so that net.c, dial.c and endpoint.c run in
 * a simulation as they do elsewhere: readiness comes as edges to the pollee,
 * waits are parks, deadlines are the clock's.  All that the system leaves open,
 * and all that can go wrong, is a lot of the schedule.
 *
 * None of it needs a lock: the running coroutine is here, without a point
 * inside, or the clock by a timer.
 *
 *   I1  a socket's number is its place in the table, for the whole schedule;
 *       what is closed stays as such.
 *   I2  a->peer == b  <=>  b->peer == a: two that are connected, and neither is
 *       closed.
 *
 * From schedule to schedule the memory is kept: sockets, and what they hold.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "simnet.h"

#include <stdarg.h>
#include <stdio.h>

#include <weft/net.h>
#include "alloc.h"
#include "sim.h"
#include "simhost.h"

#define sim wf__sim

enum {
	DELAYS = 4,			/* different ones */
	CHANCE = 100			/* in 1000, of a short read or write */
};
#define DELAY WF_MS

struct wf_sim_net wf__simnet_options;

static struct {
	struct wf__vec socks;		/* struct wf__simsock *, all ever */
	int n;				/* of this schedule */
} net;

/* ---- for the simulation ---- */

static void
forget_bytes(struct wf__simsock *s)
{
	s->bytes.n = s->pieces.n = s->clients.n = 0;
	wf__simpacket_forget(s, false);
}

static struct wf__simsock *
sock_at(int i)
{
	return ((struct wf__simsock **)net.socks.items)[i];
}

static void
fill_in_network(struct wf_sim_net *o)
{
	if (!o->ideal) {
		if (!o->delay_min && !o->delay_max)
			o->delay_max = DELAY;
		o->short_reads = o->short_reads ? o->short_reads : CHANCE;
		o->short_writes = o->short_writes ? o->short_writes : CHANCE;
	}
	o->delay_min = o->delay_min > 0 ? o->delay_min : 0;
	if (o->delay_max < o->delay_min)
		o->delay_max = o->delay_min;
	o->buffer = o->buffer ? o->buffer : 1 << 16;
	o->backlog = o->backlog ? o->backlog : 4096;
}

void
wf__simnet_open(const struct wf_sim_net *options)
{
	wf__simnet_options = *options;
	fill_in_network(&wf__simnet_options);
}

void
wf__simnet_renew(void)
{
	for (int i = 0; i < net.n; i++)
		forget_bytes(sock_at(i));
	net.n = 0;
	wf__simdial_renew();
	wf__simhost_renew();
}

void
wf__simnet_close(void)
{
	struct wf__simsock *s;

	for (size_t i = 0; i < net.socks.n; i++) {
		if (!(s = sock_at((int)i)))
			continue;
		wf__vec_free(&s->bytes, 1);
		wf__vec_free(&s->pieces, sizeof(struct wf__simpiece));
		wf__vec_free(&s->clients, sizeof s);
		wf__simpacket_forget(s, true);
		wf__free(s, sizeof *s);
	}
	wf__vec_free(&net.socks, sizeof s);
	net.n = 0;
	wf__simhost_close();
}

/* ---- for each other ---- */

int
wf__simnet_no_memory(void)
{
	sim.no_memory = true;
	return -ENOMEM;
}

void
wf__simnet_tell(const char *format, ...)
{
	char text[256];
	va_list args;

	if (!sim.story.on)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	wf__story_tell(&sim.story, sim.running, "%s", text);
}

unsigned
wf__simnet_mishap(unsigned n, unsigned chance)
{
	uint32_t lot = wf__choice_mishap(&sim.choice, sim.running, n, chance);

	wf__order_lot(&sim.order, lot);
	return lot;
}

int64_t
wf__simnet_delay(const struct wf__simsock *s)
{
	int64_t least = wf__simnet_options.delay_min;
	int64_t more = wf__simnet_options.delay_max - least;

	if (!s->inet)
		return 0;
	if (more)
		least += more / (DELAYS - 1) * wf__simnet_mishap(DELAYS,
		    1000 * (DELAYS - 1) / DELAYS);
	return least;
}

void
wf__simsock_text(const struct wf__simsock *s, char *text, size_t size)
{
	char local[WF_ADDRESS_TEXT], remote[WF_ADDRESS_TEXT];

	text[0] = '\0';
	if (!s->local.size)
		return;
	wf__simhost_text(&s->local, local, sizeof local);
	if (!s->remote.size) {
		snprintf(text, size, "%s", local);
		return;
	}
	wf__simhost_text(&s->remote, remote, sizeof remote);
	if (local[0] || remote[0])
		snprintf(text, size, "%s to %s", local[0] ? local : "here",
		    remote[0] ? remote : "a client");
}

void
wf__simnet_text(uint64_t number, char *text, size_t size)
{
	char own[WF_ADDRESS_TEXT * 2];
	struct wf__simsock *s;

	text[0] = '\0';
	for (int i = net.n; number && i--; )
		if ((s = sock_at(i))->pollee && s->pollee->number == number) {
			wf__simsock_text(s, own, sizeof own);
			if (own[0])
				snprintf(text, size, " (%s)", own);
			return;
		}
}

/* ---- sockets ---- */

struct wf__simsock *
wf__simsock_of(int fd)
{
	int i = fd - WF__SOCKET_SIMULATED;

	return i >= 0 && i < net.n ? sock_at(i) : NULL;
}

static struct wf__simsock *
new_place(void)
{
	struct wf__simsock **place;

	if ((size_t)net.n < net.socks.n && sock_at(net.n))
		return sock_at(net.n);
	if ((size_t)net.n == net.socks.n &&
	    !wf__vec_add(&net.socks, sizeof *place))
		return NULL;
	place = (struct wf__simsock **)net.socks.items + net.n;
	return *place = wf__alloc(sizeof **place);
}

struct wf__simsock *
wf__simsock_new(int family, int type, int host)
{
	struct wf__simsock *s = new_place();
	struct wf__vec bytes, pieces, clients, packets;

	if (!s) {
		wf__simnet_no_memory();
		return NULL;
	}
	bytes = s->bytes;
	pieces = s->pieces;
	clients = s->clients;
	packets = s->packets;
	*s = (struct wf__simsock){ .type = type, .host = host, .bytes = bytes,
	    .pieces = pieces, .clients = clients, .packets = packets,
	    .dies_at = WF_FOREVER, .inet = family != AF_UNIX,
	    .tcp = type == SOCK_STREAM && family != AF_UNIX,
	    .fd = WF__SOCKET_SIMULATED + net.n++ };
	return s;
}

struct wf__simsock *
wf__simsock_each(int i)
{
	return i < net.n ? sock_at(i) : NULL;
}

/* ---- the calls ---- */

static int
sim_open(const struct wf__address *a, int type)
{
	struct wf__simsock *s = wf__simsock_new(a->any.ss_family, type,
	    wf__simhost_here());

	return s ? s->fd : -ENOMEM;
}

static void
name_nobody(struct wf__address *a)
{
	memset(a, 0, sizeof *a);
	a->any.ss_family = AF_UNIX;
	a->size = offsetof(struct sockaddr_un, sun_path);
}

void
wf__simsock_join(struct wf__simsock *a, struct wf__simsock *b)
{
	a->peer = b;
	b->peer = a;
	a->state = b->state = WF__SIM_CONNECTED;
	if (!a->local.size)
		name_nobody(&a->local);
	if (!b->local.size)
		name_nobody(&b->local);
	a->remote = b->local;
	b->remote = a->local;
}

static int
sim_pair(int fds[2])
{
	int host = wf__simhost_here();
	struct wf__simsock *a = wf__simsock_new(AF_UNIX, SOCK_STREAM, host);
	struct wf__simsock *b = a ? wf__simsock_new(AF_UNIX, SOCK_STREAM,
	    host) : NULL;

	if (!b)
		return -ENOMEM;
	wf__simsock_join(a, b);
	fds[0] = a->fd;
	fds[1] = b->fd;
	return 0;
}

static ssize_t
sim_receive(int fd, struct msghdr *m)
{
	struct wf__simsock *s = wf__simsock_of(fd);

	if (!s)
		return -ENOSYS;
	return s->type == SOCK_DGRAM ? wf__simpacket_receive(s, m) :
	    wf__simflow_receive(s, m);
}

static ssize_t
sim_send(int fd, const struct msghdr *m)
{
	struct wf__simsock *s = wf__simsock_of(fd);

	if (!s)
		return -ENOSYS;
	return s->type == SOCK_DGRAM ? wf__simpacket_send(s, m) :
	    wf__simflow_send(s, m);
}

static int
sim_shut(int fd, int how)
{
	struct wf__simsock *s = wf__simsock_of(fd);

	return s ? wf__simflow_shut(s, how) : -ENOSYS;
}

void
wf__simsock_close(struct wf__simsock *s)
{
	if (s->state == WF__SIM_LISTENS)
		wf__simdial_refuse_all(s);
	wf__simflow_end(s);
	s->state = WF__SIM_CLOSED;
	s->pollee = NULL;
	forget_bytes(s);
}

static int
sim_close(int fd)
{
	struct wf__simsock *s = wf__simsock_of(fd);

	if (!s)
		return -ENOSYS;
	wf__simsock_close(s);
	return 0;
}

static int
sim_name(int fd, bool remote, struct wf__address *a)
{
	struct wf__simsock *s = wf__simsock_of(fd);

	if (!s)
		return -ENOSYS;
	if (remote && s->state != WF__SIM_CONNECTED)
		return -ENOTCONN;
	*a = remote ? s->remote : s->local;
	return 0;
}

static int
sim_watch(int fd, struct wf__pollee *p)
{
	struct wf__simsock *s = wf__simsock_of(fd);

	if (!s)
		return -ENOSYS;
	s->pollee = p;
	return 0;
}

const struct wf__sockets wf__simnet_sockets = {
	.resolve = wf__simhost_resolve, .open = sim_open,
	.bind = wf__simdial_bind, .pair = sim_pair,
	.connect = wf__simdial_connect, .connected = wf__simdial_connected,
	.accept = wf__simdial_accept, .receive = sim_receive,
	.send = sim_send, .shut = sim_shut, .close = sim_close,
	.name = sim_name, .watch = sim_watch
};

#undef sim
