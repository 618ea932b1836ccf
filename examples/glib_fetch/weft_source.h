/* SPDX-License-Identifier: MIT */
/*
 * weft_source.h - weft as a source of a GLib main loop: to copy as it is.
 */
#ifndef WEFT_SOURCE_H
#define WEFT_SOURCE_H

#include <glib.h>

/* Start weft without threads, and run its coroutines whenever the context
 * finds that there is something to run, for some milliseconds at a time; on
 * the calling thread, which is the one that iterates the context (NULL: the
 * default one).  The source's number, for g_source_remove() before wf_stop();
 * or 0 and *error. */
guint weft_source_attach(GMainContext *context, int *error);

#endif
