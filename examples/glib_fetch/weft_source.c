/* SPDX-License-Identifier: MIT */
/*
 * weft_source.c - weft as a source of a GLib main loop.
 *
 * The loop watches one descriptor, which is readable while weft has something
 * to do.  Timers and sockets of coroutines are behind it as well.
 */
#include "weft_source.h"

#include <weft.h>

/* The longest that the rest of the loop waits: a part of a frame. */
#define BUDGET (4 * WF_MS)

static gboolean
dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	(void)source;
	(void)callback;
	(void)data;
	wf_pump(BUDGET);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs functions = { .dispatch = dispatch };

guint
weft_source_attach(GMainContext *context, int *error)
{
	struct wf_options options = { .workers = WF_PUMPED };
	GSource *source;
	guint id;
	int fd;

	if ((*error = wf_start(&options)) < 0)
		return 0;
	if ((fd = *error = wf_pump_fd()) < 0) {
		wf_stop(0);
		return 0;
	}
	source = g_source_new(&functions, sizeof *source);
	g_source_set_name(source, "weft");
	g_source_add_unix_fd(source, fd, G_IO_IN);
	id = g_source_attach(source, context);
	g_source_unref(source);
	return id;
}
