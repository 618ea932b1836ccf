/* SPDX-License-Identifier: MIT */
/*
 * net.h - connections from inside, for who makes them.
 * Layer 6.  Uses: endpoint.
 */
#ifndef WF__NET_H
#define WF__NET_H

#include <weft/net.h>
#include "endpoint.h"

struct wf_conn {
	struct wf__endpoint end;
};

struct wf_listener {
	struct wf__endpoint end;
	bool tells_end;			/* its connections */
	char path[108];			/* to be removed, or "" */
};

/* From a socket with O_NONBLOCK: NULL without memory, and fd stays open. */
struct wf_conn *wf__conn_new(int fd, bool tells_end);
struct wf_listener *wf__listener_new(int fd, bool tells_end);

#endif
