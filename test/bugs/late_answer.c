/* SPDX-License-Identifier: MIT */
/*
 * late_answer.c - the caller has given up when the answer comes, and who
 * answers waits for ever.  Right: a place for the answer.
 */
static void
late_answer_serve(wf_chan(int) reply)
{
	wf_sleep(WF_MS);
	wf_send(reply, 42);
}

static int
late_answer(int fixed)
{
	wf_chan(int) reply = wf_chan_make(int, fixed ? 1 : 0);
	int v;

	wf_spawn(late_answer_serve, reply);
	wf_select(wf_on_recv(reply, &v), wf_on_timeout(WF_MS));
	return 0;
}
