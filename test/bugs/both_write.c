/* SPDX-License-Identifier: MIT */
/*
 * both_write.c - both ends write all that they have, and then read: that lasts
 * as long as the buffers between them.  Right: one reads while it writes.
 */
#include "wire.h"

enum { BOTH_WRITE = 100000 };

static char both_write_sent[BOTH_WRITE], both_write_got[2][BOTH_WRITE];

static void
both_write_send(wf_conn *c)
{
	wire_write(c, both_write_sent, BOTH_WRITE);
}

static void
both_write_peer(wf_conn *c, wf_waitgroup *wg)
{
	wire_write(c, both_write_sent, BOTH_WRITE);
	wire_read(c, both_write_got[0], BOTH_WRITE);
	wf_waitgroup_done(wg);
}

static int
both_write(int fixed)
{
	wf_waitgroup wg = { 0 };
	wf_conn *c[2];

	wire_pair(c);
	wf_waitgroup_add(&wg, 1);
	wf_spawn(both_write_peer, c[0], &wg);
	if (fixed)
		wf_waitgroup_spawn(&wg, both_write_send, c[1]);
	else
		both_write_send(c[1]);
	wire_read(c[1], both_write_got[1], BOTH_WRITE);
	wf_waitgroup_wait(&wg);
	wf_conn_free(c[0]);
	wf_conn_free(c[1]);
	return 0;
}
