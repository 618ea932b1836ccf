/* SPDX-License-Identifier: MIT */
/*
 * resolve.c - from "tcp" and "host:port" to addresses, and back to text.
 * Layer 6.  Uses: resolve, socket, offload, alloc.
 *
 * Numbers are understood at once.  Names are for getaddrinfo(3), which may take
 * its time: it is called on a thread of the pool, with a copy of the question.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "resolve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include <weft/io.h>
#include <weft/net.h>
#include "alloc.h"
#include "socket.h"

/* ---- networks ---- */

static const struct wf__network networks[] = {
	{ "tcp", AF_UNSPEC, SOCK_STREAM }, { "tcp4", AF_INET, SOCK_STREAM },
	{ "tcp6", AF_INET6, SOCK_STREAM }, { "udp", AF_UNSPEC, SOCK_DGRAM },
	{ "udp4", AF_INET, SOCK_DGRAM }, { "udp6", AF_INET6, SOCK_DGRAM },
	{ "unix", AF_UNIX, SOCK_STREAM }, { "unixgram", AF_UNIX, SOCK_DGRAM }
};

const struct wf__network *
wf__network_of(const char *name)
{
	for (size_t i = 0; i < wf__countof(networks); i++)
		if (!strcmp(networks[i].name, name))
			return &networks[i];
	return NULL;
}

/* ---- names ---- */

struct lookup {
	struct addrinfo hints;
	char host[256], port[32];
	bool any_host;
	int result;			/* how many, or -errno */
	struct wf__address list[WF__ADDRESSES];
};

/* "host:port", "[host]:port", ":port" */
static int
split(const char *address, struct lookup *q)
{
	const char *colon = strrchr(address, ':'), *host = address;
	size_t n;

	if (!colon)
		return -EINVAL;
	n = (size_t)(colon - address);
	if (*host == '[') {
		if (n < 2 || host[n - 1] != ']')
			return -EINVAL;
		host++;
		n -= 2;
	} else if (memchr(host, ':', n))
		return -EINVAL;		/* a v6 address wants brackets */
	if (n >= sizeof q->host || strlen(colon + 1) >= sizeof q->port)
		return -EINVAL;
	memcpy(q->host, host, n);
	q->host[n] = '\0';
	strcpy(q->port, colon + 1);
	q->any_host = n == 0;
	return q->port[0] ? 0 : -EINVAL;
}

static int
error_of(int gai)
{
	switch (gai) {
	case EAI_AGAIN: return -EAGAIN;
	case EAI_MEMORY: return -ENOMEM;
	case EAI_FAMILY: case EAI_ADDRFAMILY: return -EAFNOSUPPORT;
	case EAI_SYSTEM: return errno ? -errno : -EIO;
	default: return -ENOENT;
	}
}

/* Alternating families, the first one first. */
static int
take_list(const struct addrinfo *all, struct wf__address *list)
{
	const struct addrinfo *next[2] = { all, all };
	int family = all->ai_family, n = 0, turn = 0, idle = 0;

	while (n < WF__ADDRESSES && idle < 2) {
		const struct addrinfo **a = &next[turn];

		while (*a && ((*a)->ai_family == family) == turn)
			*a = (*a)->ai_next;
		idle = *a ? 0 : idle + 1;
		if (*a) {
			memcpy(&list[n].any, (*a)->ai_addr, (*a)->ai_addrlen);
			list[n++].size = (*a)->ai_addrlen;
			*a = (*a)->ai_next;
		}
		turn = !turn;
	}
	return n;
}

static void
look_up(void *arg)
{
	struct lookup *q = arg;
	struct addrinfo *all = NULL;
	int gai = getaddrinfo(q->any_host ? NULL : q->host, q->port,
	    &q->hints, &all);

	q->result = gai ? error_of(gai) : take_list(all, q->list);
	if (!gai)
		freeaddrinfo(all);
}

static void
drop_lookup(void *arg)
{
	wf__free(arg, sizeof(struct lookup));
}

static int
resolve_name(wf_ctx *ctx, struct lookup *q)
{
	int flags = q->hints.ai_flags, err;

	q->hints.ai_flags = flags | AI_NUMERICHOST | AI_NUMERICSERV;
	look_up(q);
	if (q->result > 0)
		return 0;
	q->hints.ai_flags = flags;
	err = wf_offload(ctx, look_up, q, drop_lookup);
	return err;			/* then q is not ours any more */
}

static int
resolve_unix(const char *address, struct wf__address *a)
{
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)&a->any;
	size_t n = strlen(address);

	if (n >= sizeof un->sun_path)
		return -ENAMETOOLONG;
	memset(un, 0, sizeof *un);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, address, n);
	a->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (un->sun_path[0] == '@')
		un->sun_path[0] = '\0';
	else if (n)
		a->size++;		/* the final zero byte */
	return 1;
}

int
wf__resolve(wf_ctx *ctx, const struct wf__network *network,
    const char *address, bool passive, struct wf__address *list)
{
	struct lookup *q;
	int n = wf_ctx_err(ctx), saved = errno;

	if (n)
		return n;
	if (network->family == AF_UNIX)
		return resolve_unix(address, list);
	if (!(q = wf__alloc(sizeof *q)))
		return -ENOMEM;
	q->hints.ai_family = network->family;
	q->hints.ai_socktype = network->type;
	q->hints.ai_flags = passive ? AI_PASSIVE : 0;
	if ((n = split(address, q)) < 0)
		drop_lookup(q);
	else if (wf__socket_table()) {
		n = wf__socket_table()->resolve(network, q->host, q->port,
		    passive, list);
		drop_lookup(q);
	} else if ((n = resolve_name(ctx, q)) == 0) {
		if ((n = q->result) > 0)
			memcpy(list, q->list, (size_t)n * sizeof *list);
		drop_lookup(q);
	}
	*wf__errno_address() = saved;
	return n;
}

WF_API int
wf_resolve(wf_ctx *ctx, const char *network, const char *address,
    struct sockaddr_storage *list, int n)
{
	const struct wf__network *net = wf__network_of(network);
	struct wf__address found[WF__ADDRESSES];
	int got = net ? wf__resolve(ctx, net, address, false, found) : -EINVAL;

	got = got > n ? n : got;
	for (int i = 0; i < got; i++)
		list[i] = found[i].any;
	return got;
}

/* ---- text ---- */

static int
unix_text(const struct sockaddr_un *un, socklen_t size, char *text,
    size_t room)
{
	size_t n = size - offsetof(struct sockaddr_un, sun_path);

	if (size <= offsetof(struct sockaddr_un, sun_path))
		return snprintf(text, room, "%s", "");
	if (!un->sun_path[0])
		return snprintf(text, room, "@%.*s", (int)n - 1,
		    un->sun_path + 1);
	return snprintf(text, room, "%.*s", (int)n, un->sun_path);
}

WF_API int
wf_address_text(const struct sockaddr *address, socklen_t size, char *text,
    size_t room)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	int n;

	if (address->sa_family == AF_UNIX || size < sizeof *address) {
		n = unix_text((const struct sockaddr_un *)(const void *)
		    address, size, text, room);
	} else {
		if (getnameinfo(address, size, host, sizeof host, port,
		    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
			return -EINVAL;
		n = snprintf(text, room, strchr(host, ':') ? "[%s]:%s" :
		    "%s:%s", host, port);
	}
	return n >= 0 && (size_t)n < room ? 0 : -ENOSPC;
}
