/* SPDX-License-Identifier: MIT */
/*
 * glued_messages.c - a read is believed to give one message only: the second
 * one, in the same buffer, is thrown away, and then waited for.  Right: lines
 * are taken out of the buffer one by one.
 */
#include "wire.h"

static void
glued_messages_send(wf_conn *c, wf_chan(int) done)
{
	wire_write(c, "one\n", 4);
	wire_write(c, "two\n", 4);
	wf_recv(done, NULL);
	wf_conn_free(c);
}

static int
glued_messages(int fixed)
{
	wf_chan(int) done = wf_chan_make(int, 0);
	wf_conn *c[2];
	char buf[64];
	int lines = 0;
	ssize_t n = 0;

	wire_pair(c);
	wf_spawn(glued_messages_send, c[0], done);
	while (lines < 2 && (n = wf_conn_read(wf_ctx_background(), c[1], buf,
	    sizeof buf)) > 0) {
		if (fixed)
			for (ssize_t i = 0; i < n; i++)
				lines += buf[i] == '\n';
		else
			lines += buf[n - 1] == '\n';
	}
	wf_close(done);
	wf_conn_free(c[1]);
	wf_sleep(WF_SEC / 1000);
	wf_chan_free(done);
	return 0;
}
