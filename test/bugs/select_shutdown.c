/* SPDX-License-Identifier: MIT */
/*
 * select_shutdown.c - work and stop are both ready, and select takes the stop:
 * accepted work is never done.  Right: after the stop, drain.
 */
struct select_shutdown {
	wf_chan(int) work, stop;
	int done, fixed;
};

static void
select_shutdown_serve(struct select_shutdown *s)
{
	int v;

	while (wf_select(wf_on_recv(s->work, &v),
	    wf_on_recv(s->stop, NULL)) == 0)
		s->done++;
	while (s->fixed && wf_try_recv(s->work, &v) > 0)
		s->done++;
}

static int
select_shutdown(int fixed)
{
	struct select_shutdown s = { .work = wf_chan_make(int, 4),
	    .stop = wf_chan_make(int, 0), .fixed = fixed };
	wf_waitgroup wg = { 0 };

	wf_waitgroup_spawn(&wg, select_shutdown_serve, &s);
	for (int i = 0; i < 2; i++)
		wf_send(s.work, i);
	wf_close(s.stop);
	wf_waitgroup_wait(&wg);
	wf_sim_check(s.done == 2);
	wf_chan_free(s.work);
	wf_chan_free(s.stop);
	return 0;
}
