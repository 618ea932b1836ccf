/* SPDX-License-Identifier: MIT */
/*
 * context_leak.c - on the way out by an error the context is not cancelled,
 * and its watcher waits for ever.  Right: cancel on every way out.
 */
static void
context_leak_watch(wf_ctx *ctx)
{
	wf_select(wf_on_done(ctx));
	wf_ctx_unref(ctx);
}

static void
context_leak_fail(wf_chan(int) errors)
{
	wf_try_send(errors, 1);
}

static int
context_leak_call(wf_ctx *ctx, wf_chan(int) errors)
{
	int err = 0;

	wf_spawn(context_leak_watch, wf_ctx_ref(ctx));
	wf_try_recv(errors, &err);
	return err;
}

static int
context_leak(int fixed)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_chan(int) errors = wf_chan_make(int, 1);

	wf_spawn(context_leak_fail, errors);
	if (context_leak_call(ctx, errors) && !fixed)
		return 0;
	wf_ctx_free(ctx);
	wf_sim_settle();
	wf_chan_free(errors);
	return 0;
}
