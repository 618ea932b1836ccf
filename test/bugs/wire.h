/* SPDX-License-Identifier: MIT */
/*
 * wire.h - what the programs with a network share.
 */
#ifndef WIRE_H
#define WIRE_H

static wf_listener *
wire_listen(char *address)
{
	wf_listener *l;

	wf_sim_check(wf_listen(wf_ctx_background(), "tcp", "127.0.0.1:0",
	    &l) == 0);
	wf_listener_address(l, address, WF_ADDRESS_TEXT);
	return l;
}

/* The two ends of a connection. */
static void
wire_pair(wf_conn *ends[2])
{
	char address[WF_ADDRESS_TEXT];
	wf_listener *l = wire_listen(address);

	wf_sim_check(wf_dial(wf_ctx_background(), "tcp", address,
	    &ends[0]) == 0);
	wf_sim_check(wf_listener_accept(wf_ctx_background(), l,
	    &ends[1]) == 0);
	wf_listener_free(l);
}

/* All n bytes: false if the connection ends before. */
static bool
wire_read(wf_conn *c, void *buf, size_t n)
{
	char *at = buf;
	ssize_t got;

	for (; n; n -= (size_t)got, at += got)
		if ((got = wf_conn_read(wf_ctx_background(), c, at, n)) <= 0)
			return false;
	return true;
}

static bool
wire_write(wf_conn *c, const void *buf, size_t n)
{
	return wf_conn_write(wf_ctx_background(), c, buf, n) == (ssize_t)n;
}

#endif
