/* SPDX-License-Identifier: MIT */
/*
 * send_after_close.c - a sender looks whether it may still send, and sends
 * when the channel is closed: the value is lost unnoticed.  Right: look at what
 * the send says.
 */
struct send_after_close {
	wf_chan(int) out;
	int open, sent, fixed;
};

static void
send_after_close_send(struct send_after_close *s)
{
	bool ok;

	wf_sim_point();
	if (!s->open)
		return;
	ok = wf_send(s->out, 1) == 1;
	s->sent += s->fixed ? ok : 1;
}

static int
send_after_close(int fixed)
{
	struct send_after_close s = { .out = wf_chan_make(int, 4), .open = 1,
	    .fixed = fixed };
	wf_waitgroup wg = { 0 };
	int v, received = 0;

	for (int i = 0; i < 2; i++)
		wf_waitgroup_spawn(&wg, send_after_close_send, &s);
	wf_sim_point();
	s.open = 0;
	wf_close(s.out);
	wf_waitgroup_wait(&wg);
	while (wf_recv(s.out, &v))
		received++;
	wf_sim_check(s.sent == received);
	wf_chan_free(s.out);
	return 0;
}
