/* SPDX-License-Identifier: MIT */
/*
 * timer_stop.c - a stop that comes too late is followed by a receive of the
 * value that must be there; but somebody has it already.  Right: do not wait
 * for it.
 */
struct timer_stop {
	wf_timer *timer;
	int fixed;
};

static void
timer_stop_watch(struct timer_stop *t, wf_ctx *ctx)
{
	wf_select(wf_on_recv(wf_timer_chan(t->timer), NULL), wf_on_done(ctx));
}

static int
timer_stop(int fixed)
{
	struct timer_stop t = { wf_timer_make(WF_MS), fixed };
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup wg = { 0 };

	wf_waitgroup_spawn(&wg, timer_stop_watch, &t, ctx);
	wf_sleep(WF_MS);
	if (!wf_timer_stop(t.timer) && !fixed)
		wf_recv(wf_timer_chan(t.timer), NULL);
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&wg);
	wf_timer_free(t.timer);
	wf_ctx_free(ctx);
	return 0;
}
