/* SPDX-License-Identifier: MIT */
/*
 * resolve.h - from "tcp" and "host:port" to addresses.
 * Layer 6.  Uses: nothing of weft's.
 */
#ifndef WF__RESOLVE_H
#define WF__RESOLVE_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <weft/context.h>
#include "base.h"
#include "self.h"

enum { WF__ADDRESSES = 16 };		/* of one name, at most */

struct wf__network {
	const char *name;
	int family, type;		/* AF_UNSPEC: v4 and v6 */
};

struct wf__address {
	union {
		struct sockaddr_storage any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
	};
	socklen_t size;
};

/* NULL: there is no such network. */
const struct wf__network *wf__network_of(const char *name);

/* The addresses into list[WF__ADDRESSES], families alternating: how many, or
 * -errno.  passive: to listen on. */
int wf__resolve(wf_ctx *ctx, const struct wf__network *network,
    const char *address, bool passive, struct wf__address *list);

#endif
