/* SPDX-License-Identifier: MIT */
/*
 * proxy.h - requests of clients, passed on to the servers behind.
 */
#ifndef PROXY_H
#define PROXY_H

#include "server.h"
#include "upstream.h"

struct proxy {
	struct upstreams *upstreams;
	int64_t request_time;		/* from a request's first byte to the
					 * end of its answer; nanoseconds */
	int64_t idle_time;		/* from an answer to the next request */
};

/* To be the server's serve; its data is the proxy. */
void proxy_serve(struct server *s, wf_conn *conn);

#endif
