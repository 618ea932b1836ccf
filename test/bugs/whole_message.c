/* SPDX-License-Identifier: MIT */
/*
 * whole_message.c - a read is believed to give the whole message, as it nearly
 * always does.  Right: it is read until all of it is there.
 */
#include "wire.h"

struct whole_message {
	char text[56];
	uint64_t sum;
};

static void
whole_message_send(wf_conn *c)
{
	struct whole_message m = { "hello", 5 };

	wire_write(c, &m, sizeof m);
	wf_conn_free(c);
}

static int
whole_message(int fixed)
{
	struct whole_message m = { "", 0 };
	wf_conn *c[2];

	wire_pair(c);
	wf_spawn(whole_message_send, c[0]);
	if (fixed)
		wire_read(c[1], &m, sizeof m);
	else
		wf_conn_read(wf_ctx_background(), c[1], &m, sizeof m);
	wf_sim_check(m.sum == 5);
	wf_sleep(WF_SEC / 1000);
	wf_conn_free(c[1]);
	return 0;
}
