/* SPDX-License-Identifier: MIT */
/*
 * fetch.h - one document, by HTTP.
 */
#ifndef FETCH_H
#define FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>
#include <weft.h>

struct fetch {
	const char *url;
	GChecksum *sum;		/* SHA-256 of what has come so far */
	size_t bytes;		/* as many */
	int status;		/* of the answer, or 0 */
	int error;		/* why it is not complete, -errno, or 0 */
	bool over;
};

/* Fetch f->url, within the context.  Blocks, as it reads. */
void fetch(wf_ctx *ctx, struct fetch *f);

#endif
