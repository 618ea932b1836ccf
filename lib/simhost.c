/* SPDX-License-Identifier: MIT */
/*
 * simhost.c - in a simulation: hosts, their addresses, and what is cut.
 * Layer 7.  Uses: simhost, sim, simnet, vec, resolve.
 *
 * Nothing here depends on what the machine knows of names and networks.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "simhost.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/net.h>
#include "sim.h"
#include "simnet.h"
#include "vec.h"

#define sim wf__sim

enum { HOSTS = 60000, HOST_NAME = 64, ALL = -1 };

struct host {
	char name[HOST_NAME];
};

struct simcut {
	int a, b;		/* numbers; b may be ALL */
};

static struct {
	struct wf__vec hosts;	/* struct host */
	struct wf__vec cuts;	/* struct simcut */
} world;

void
wf__simhost_renew(void)
{
	world.hosts.n = world.cuts.n = 0;
}

void
wf__simhost_close(void)
{
	wf__vec_free(&world.hosts, sizeof(struct host));
	wf__vec_free(&world.cuts, sizeof(struct simcut));
}

/* ---- hosts ---- */

static const struct host *
host_at(int n)
{
	return (const struct host *)world.hosts.items + n;
}

static int
add_host(const char *name)
{
	struct host *h = world.hosts.n < HOSTS ?
	    wf__vec_add(&world.hosts, sizeof *h) : NULL;

	if (!h) {
		sim.no_memory = true;
		return -ENOMEM;
	}
	strcpy(h->name, name);
	return (int)world.hosts.n - 1;
}

/* The number of a name, new or not; or -errno. */
static int
host_named(const char *name)
{
	int err;

	if (strlen(name) >= HOST_NAME)
		return -ENAMETOOLONG;
	if (!world.hosts.n && (err = add_host("localhost")) < 0)
		return err;
	for (int i = 0; i < (int)world.hosts.n; i++)
		if (!strcmp(host_at(i)->name, name))
			return i;
	return add_host(name);
}

int
wf__simhost_here(void)
{
	struct wf__person *p = wf__story_person(&sim.story, sim.running);

	return p ? (int)p->host : 0;
}

/* ---- addresses ---- */

static void
set_v4(struct wf__address *a, uint32_t address)
{
	memset(a, 0, sizeof *a);
	a->size = sizeof(struct sockaddr_in);
	a->any.ss_family = AF_INET;
	a->v4.sin_addr.s_addr = htonl(address);
}

static void
set_v6(struct wf__address *a, const struct in6_addr *address)
{
	memset(a, 0, sizeof *a);
	a->size = sizeof(struct sockaddr_in6);
	a->any.ss_family = AF_INET6;
	a->v6.sin6_addr = *address;
}

void
wf__simhost_address(int host, int family, struct wf__address *a)
{
	uint16_t n = (uint16_t)(host + 1);
	struct in6_addr six = { .s6_addr = { 0xfd } };

	if (family == AF_INET6) {
		six.s6_addr[14] = (uint8_t)(n >> 8);
		six.s6_addr[15] = (uint8_t)n;
		set_v6(a, &six);
	} else
		set_v4(a, UINT32_C(10) << 24 | n);
}

bool
wf__simhost_is_any(const struct wf__address *a)
{
	return a->any.ss_family == AF_INET6 ?
	    IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr) :
	    a->v4.sin_addr.s_addr == 0;
}

bool
wf__simhost_is_loopback(const struct wf__address *a)
{
	return a->any.ss_family == AF_INET6 ?
	    IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr) :
	    ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

/* The host of an address that is not everybody's own. */
static int
owner_of(const struct wf__address *a)
{
	struct wf__address host;
	uint32_t n = a->any.ss_family == AF_INET6 ?
	    (uint32_t)(a->v6.sin6_addr.s6_addr[14] << 8 |
	    a->v6.sin6_addr.s6_addr[15]) :
	    ntohl(a->v4.sin_addr.s_addr) & 0xffff;

	if (n < 1 || n > world.hosts.n)
		return WF__SIMHOST_NONE;
	wf__simhost_address((int)n - 1, a->any.ss_family, &host);
	wf__simhost_set_port(&host, wf__simhost_port(a));
	return wf__simhost_same(&host, a) ? (int)n - 1 : WF__SIMHOST_NONE;
}

int
wf__simhost_at(int here, const struct wf__address *a)
{
	return wf__simhost_is_any(a) || wf__simhost_is_loopback(a) ? here :
	    owner_of(a);
}

uint16_t
wf__simhost_port(const struct wf__address *a)
{
	return ntohs(a->any.ss_family == AF_INET6 ? a->v6.sin6_port :
	    a->v4.sin_port);
}

void
wf__simhost_set_port(struct wf__address *a, uint16_t port)
{
	if (a->any.ss_family == AF_INET6)
		a->v6.sin6_port = htons(port);
	else
		a->v4.sin_port = htons(port);
}

bool
wf__simhost_same(const struct wf__address *a, const struct wf__address *b)
{
	if (a->any.ss_family != b->any.ss_family)
		return false;
	if (a->any.ss_family == AF_INET6)
		return a->v6.sin6_port == b->v6.sin6_port &&
		    !memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr,
		    sizeof a->v6.sin6_addr);
	if (a->any.ss_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port &&
		    a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return a->size == b->size && !memcmp(&a->any, &b->any, a->size);
}

void
wf__simhost_text(const struct wf__address *a, char *text, size_t size)
{
	int host;

	if (a->any.ss_family != AF_UNIX && !wf__simhost_is_any(a) &&
	    !wf__simhost_is_loopback(a) &&
	    (host = owner_of(a)) != WF__SIMHOST_NONE)
		snprintf(text, size, "%s:%u", host_at(host)->name,
		    (unsigned)wf__simhost_port(a));
	else if (wf_address_text((const struct sockaddr *)&a->any, a->size,
	    text, size) < 0)
		text[0] = '\0';
}

/* ---- names ---- */

/* What a name stands for. */
enum meaning { NUMBER, ANY, LOOPBACK, NAMED };

static bool
is_number(const char *host)
{
	struct in6_addr six;

	return inet_pton(AF_INET, host, &six) == 1 ||
	    inet_pton(AF_INET6, host, &six) == 1;
}

static enum meaning
meaning_of(const char *host, bool passive)
{
	if (!host[0])
		return passive ? ANY : LOOPBACK;
	if (!strcmp(host, "localhost"))
		return LOOPBACK;
	return is_number(host) ? NUMBER : NAMED;
}

/* The address of this family: false if a number is of the other one. */
static bool
address_of_name(const char *host, enum meaning meaning, int number, int family,
    struct wf__address *a)
{
	struct in_addr four;
	struct in6_addr six;

	switch (meaning) {
	case ANY:
		if (family == AF_INET)
			set_v4(a, INADDR_ANY);
		else
			set_v6(a, &in6addr_any);
		return true;
	case LOOPBACK:
		if (family == AF_INET)
			set_v4(a, INADDR_LOOPBACK);
		else
			set_v6(a, &in6addr_loopback);
		return true;
	case NAMED:
		wf__simhost_address(number, family, a);
		return true;
	case NUMBER:
		break;
	}
	if (family == AF_INET && inet_pton(AF_INET, host, &four) == 1)
		set_v4(a, ntohl(four.s_addr));
	else if (family == AF_INET6 && inet_pton(AF_INET6, host, &six) == 1)
		set_v6(a, &six);
	else
		return false;
	return true;
}

static bool
ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* v4, or v6 where that is asked for; both, v4 first, for any address. */
int
wf__simhost_resolve(const struct wf__network *network, const char *host,
    const char *port, bool passive, struct wf__address *list)
{
	enum meaning meaning = meaning_of(host, passive);
	int n = 0, number = 0;
	char *end;
	unsigned long p = strtoul(port, &end, 10);

	if (*end || p > 65535 || ends_in(host, ".invalid"))
		return -ENOENT;
	if (meaning == NAMED && (number = host_named(host)) < 0)
		return number == -ENAMETOOLONG ? -ENOENT : number;
	if (network->family != AF_INET6)
		n += address_of_name(host, meaning, number, AF_INET, list);
	if (network->family != AF_INET && (!n || meaning == ANY))
		n += address_of_name(host, meaning, number, AF_INET6,
		    &list[n]);
	for (int i = 0; i < n; i++)
		wf__simhost_set_port(&list[i], (uint16_t)p);
	return n ? n : -EAFNOSUPPORT;
}

/* ---- cuts ---- */

static bool
is_cut_between(const struct simcut *c, int a, int b)
{
	if (c->b == ALL)
		return a != b && (c->a == a || c->a == b);
	return (c->a == a && c->b == b) || (c->a == b && c->b == a);
}

bool
wf__simhost_are_cut(int a, int b)
{
	const struct simcut *c = world.cuts.items;

	for (size_t i = 0; i < world.cuts.n; i++)
		if (is_cut_between(&c[i], a, b))
			return true;
	return false;
}

static int
find_cut(const char *a, const char *b, struct simcut *c)
{
	if ((c->a = host_named(a)) < 0)
		return c->a;
	c->b = b ? host_named(b) : ALL;
	return b && c->b < 0 ? c->b : 0;
}

static void
tell_cut(const char *what, const char *a, const char *b)
{
	wf__story_tell(&sim.story, sim.running, "%s the network between %s "
	    "and %s", what, a, b ? b : "all others");
}

/* ---- public ---- */

WF_API int
wf_sim_host(const char *name)
{
	int host;

	if (!wf__sim_in_coroutine())
		return 0;
	if ((host = host_named(name)) < 0)
		return host;
	wf__story_person(&sim.story, sim.running)->host = (uint32_t)host;
	wf__story_tell(&sim.story, sim.running, "is on host %s", name);
	return 0;
}

static int
begin_cut(const char *a, const char *b, struct simcut *wanted)
{
	if (!wf__sim_in_coroutine())
		return -EPERM;
	wf__seam_point();
	return find_cut(a, b, wanted);
}

WF_API int
wf_sim_cut(const char *a, const char *b)
{
	struct simcut wanted, *c;
	int err;

	if ((err = begin_cut(a, b, &wanted)) < 0)
		return err;
	if (!(c = wf__vec_add(&world.cuts, sizeof *c))) {
		sim.no_memory = true;
		return -ENOMEM;
	}
	*c = wanted;
	tell_cut("cuts", a, b);
	wf__simnet_cuts_changed();
	return 0;
}

/* Healed is what was cut by these two, in any order. */
WF_API int
wf_sim_heal(const char *a, const char *b)
{
	struct simcut wanted, *c;
	int err;

	if ((err = begin_cut(a, b, &wanted)) < 0)
		return err;
	for (size_t i = world.cuts.n; i--; ) {
		c = (struct simcut *)world.cuts.items + i;
		if ((c->a == wanted.a && c->b == wanted.b) ||
		    (c->a == wanted.b && c->b == wanted.a))
			wf__vec_remove(&world.cuts, i, sizeof *c);
	}
	tell_cut("heals", a, b);
	wf__simnet_cuts_changed();
	return 0;
}

#undef sim
