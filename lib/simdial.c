/* SPDX-License-Identifier: MIT */
/*
 * simdial.c - in a simulation: to bind, to listen, to connect, to accept.
 * Layer 7.  Uses: simnet, simhost, sim.
 *
 * An attempt takes its time on the way, then finds a listener with room, or is
 * refused.  One that is lost is made again after a second, two, four, as by
 * TCP, and so is one that finds no room, or a cut.  In memory (unix) all of it
 * is at once.
 *
 *   I1  two that listen on one host have no address in common.
 *   I2  who is among a listener's clients is connected, and has no pollee.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "simnet.h"

#include <errno.h>

#include <weft/net.h>
#include "os.h"
#include "sim.h"
#include "simhost.h"

#define sim wf__sim

enum {
	FIRST_PORT = 40000,
	ATTEMPTS = 7			/* given up after 127 s */
};

static uint16_t last_port;

void
wf__simdial_renew(void)
{
	last_port = FIRST_PORT;
}

/* ---- addresses ---- */

static bool
is_unix(const struct wf__address *a)
{
	return a->any.ss_family == AF_UNIX;
}

static bool
is_abstract(const struct wf__address *a)
{
	return !a->un.sun_path[0];
}

/* Addresses that stand for one and the same, or one for the other too. */
static bool
do_overlap(const struct wf__address *a, bool both, const struct wf__address *b,
    bool b_both)
{
	if (is_unix(a) || is_unix(b))
		return wf__simhost_same(a, b);
	if (wf__simhost_port(a) != wf__simhost_port(b))
		return false;
	if (a->any.ss_family != b->any.ss_family && !both && !b_both)
		return false;
	return wf__simhost_is_any(a) || wf__simhost_is_any(b) ||
	    wf__simhost_same(a, b);
}

/* Who listens there, or on a part of it; or is bound there, for datagrams. */
static struct wf__simsock *
find_listener(int type, int host, const struct wf__address *a, bool both)
{
	struct wf__simsock *l;

	for (int i = 0; (l = wf__simsock_each(i)); i++)
		if (l->state == WF__SIM_LISTENS && l->host == host &&
		    l->type == type && do_overlap(&l->local, l->both, a, both))
			return l;
	return NULL;
}

/* One that is connected gets only what its peer sends. */
struct wf__simsock *
wf__simdial_bound(int host, const struct wf__address *a,
    const struct wf__address *from)
{
	struct wf__simsock *s;

	for (int i = 0; (s = wf__simsock_each(i)); i++)
		if (s->state == WF__SIM_CONNECTED && s->type == SOCK_DGRAM &&
		    s->host == host && wf__simhost_same(&s->local, a) &&
		    wf__simhost_same(&s->remote, from))
			return s;
	return find_listener(SOCK_DGRAM, host, a, false);
}

/* A port that nobody has. */
static void
give_port(int type, int host, struct wf__address *a, bool both)
{
	do {
		last_port = last_port < UINT16_MAX ? last_port + 1 : FIRST_PORT;
		wf__simhost_set_port(a, last_port);
	} while (find_listener(type, host, a, both));
}

/* ---- listen ---- */

int
wf__simdial_bind(const struct wf__address *a, int type, bool both)
{
	int host = wf__simhost_here();
	struct wf__address local = *a;
	char text[WF_ADDRESS_TEXT];
	struct wf__simsock *s;

	if (!is_unix(a) && wf__simhost_at(host, a) != host)
		return -EADDRNOTAVAIL;
	if (!is_unix(a) && !wf__simhost_port(a))
		give_port(type, host, &local, both);
	if (find_listener(type, host, &local, both))
		return -EADDRINUSE;
	if (!(s = wf__simsock_new(a->any.ss_family, type, host)))
		return -ENOMEM;
	s->state = WF__SIM_LISTENS;
	s->local = local;
	s->both = both && a->any.ss_family == AF_INET6;
	wf__simhost_text(&local, text, sizeof text);
	wf__simnet_tell("%s %s", type == SOCK_DGRAM ? "is bound to" :
	    "listens on", text);
	return s->fd;
}

int
wf__simdial_accept(int fd)
{
	struct wf__simsock *l = wf__simsock_of(fd), *s;
	char text[WF_ADDRESS_TEXT * 2];

	if (!l)
		return -ENOSYS;
	if (l->state != WF__SIM_LISTENS || l->type != SOCK_STREAM)
		return -EINVAL;
	if (!l->clients.n)
		return -EAGAIN;
	s = *(struct wf__simsock **)l->clients.items;
	wf__vec_remove(&l->clients, 0, sizeof s);
	wf__simsock_text(s, text, sizeof text);
	wf__simnet_tell("gets a client: %s", text);
	return s->fd;
}

/* Nobody will accept them. */
void
wf__simdial_refuse_all(struct wf__simsock *l)
{
	struct wf__simsock **clients = l->clients.items;

	l->state = WF__SIM_CLOSED;
	for (size_t i = 0; i < l->clients.n; i++) {
		clients[i]->unwanted = true;
		wf__simsock_close(clients[i]);
	}
	l->clients.n = 0;
}

/* ---- connect ---- */

/* Where s comes from when it goes to a. */
static void
choose_local(struct wf__simsock *s, const struct wf__address *a)
{
	if (wf__simhost_is_any(a) || wf__simhost_is_loopback(a))
		s->local = *a;
	else
		wf__simhost_address(s->host, a->any.ss_family, &s->local);
	give_port(s->type, s->host, &s->local, false);
}

static bool
is_full(const struct wf__simsock *l)
{
	return l->clients.n >= wf__simnet_options.backlog;
}

/* s becomes a client of l. */
static int
meet(struct wf__simsock *s, struct wf__simsock *l)
{
	struct wf__simsock *t = wf__simsock_new(s->remote.any.ss_family,
	    s->type, l->host), **place;

	if (!t || !(place = wf__vec_add(&l->clients, sizeof t)))
		return wf__simnet_no_memory();
	*place = t;
	t->local = s->remote;
	wf__simsock_join(s, t);
	wf__simsock_change(l, WF__OS_IN);
	return 0;
}

static unsigned
fail(struct wf__simsock *s, int err)
{
	s->state = WF__SIM_FRESH;
	s->err = err;
	return WF__OS_IN | WF__OS_OUT | WF__OS_END;
}

static bool
is_lost(void)
{
	unsigned chance = wf__simnet_options.losses;

	return chance && wf__simnet_mishap(2, chance);
}

/* Once more, later: after 1 s, 2 s, 4 s, ... */
static unsigned
put_off(struct wf__simsock *s, const char *why)
{
	char text[WF_ADDRESS_TEXT * 2];

	wf__simsock_text(s, text, sizeof text);
	wf__simnet_tell("%s: %s", why, text);
	s->try_at = sim.now + (WF_SEC << s->tries++);
	return 0;
}

unsigned
wf__simdial_attempt(struct wf__simsock *s)
{
	int host = wf__simhost_at(s->host, &s->remote);
	struct wf__simsock *l;

	if (s->tries >= ATTEMPTS)
		return fail(s, ETIMEDOUT);
	if (host == WF__SIMHOST_NONE)
		return fail(s, EHOSTUNREACH);
	if (wf__simhost_are_cut(s->host, host))
		return put_off(s, "cannot be reached");
	if (is_lost())
		return put_off(s, "an attempt to connect is lost");
	if (!(l = find_listener(s->type, host, &s->remote, false)))
		return fail(s, ECONNREFUSED);
	if (is_full(l))
		return put_off(s, "finds no room in the backlog");
	return meet(s, l) < 0 ? fail(s, ENOMEM) : WF__OS_OUT;
}

static int
connect_unix(struct wf__simsock *s, const struct wf__address *a)
{
	struct wf__simsock *l = find_listener(s->type, s->host, a, false);

	if (!l)
		return is_abstract(a) ? -ECONNREFUSED : -ENOENT;
	s->remote = *a;
	if (s->type == SOCK_DGRAM) {
		s->state = WF__SIM_CONNECTED;
		return 0;
	}
	return is_full(l) ? -EAGAIN : meet(s, l);
}

/* To send to one address, and to hear from it, costs nothing. */
static int
connect_packets(struct wf__simsock *s, const struct wf__address *a)
{
	s->remote = *a;
	choose_local(s, a);
	s->state = WF__SIM_CONNECTED;
	return 0;
}

int
wf__simdial_connect(int fd, const struct wf__address *a)
{
	struct wf__simsock *s = wf__simsock_of(fd);
	char text[WF_ADDRESS_TEXT * 2];

	if (!s)
		return -ENOSYS;
	if (is_unix(a))
		return connect_unix(s, a);
	if (s->type == SOCK_DGRAM)
		return connect_packets(s, a);
	s->remote = *a;
	choose_local(s, a);
	s->state = WF__SIM_CONNECTS;
	s->try_at = sim.now + wf__simnet_delay(s);
	wf__simsock_text(s, text, sizeof text);
	wf__simnet_tell("connects %s", text);
	wf__simsock_run(s);
	return wf__simdial_connected(fd);
}

int
wf__simdial_connected(int fd)
{
	struct wf__simsock *s = wf__simsock_of(fd);

	if (!s)
		return -ENOSYS;
	if (s->err)
		return wf__simflow_error(s);
	return s->state == WF__SIM_CONNECTED ? 0 :
	    s->state == WF__SIM_CONNECTS ? -EINPROGRESS : -ENOTCONN;
}

#undef sim
