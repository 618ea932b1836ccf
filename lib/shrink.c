/* SPDX-License-Identifier: MIT */
/*
 * shrink.c - leave out halves, quarters, and at last one by one.
 * Layer 7.  Uses: shrink, choice.
 *
 * After A. Zeller, R. Hildebrandt, "Simplifying and isolating failure-inducing
 * input", IEEE Transactions on Software Engineering 28(2), 2002.
 */
#include "shrink.h"

enum { TRIES = 4000 };

static bool
copy_recipe(struct wf__recipe *to, const struct wf__recipe *from)
{
	return wf__vec_copy(&to->deviations, &from->deviations,
	    sizeof(struct wf__deviation));
}

static void
leave_out(struct wf__recipe *r, size_t from, size_t n)
{
	struct wf__deviation *d = r->deviations.items;

	memmove(d + from, d + from + n,
	    (r->deviations.n - from - n) * sizeof *d);
	r->deviations.n -= n;
}

/* One pass with pieces of this size, from the end; true if any was left
 * out. */
static bool
pass(struct wf__recipe *r, struct wf__recipe *trial, size_t piece,
    bool (*fails)(struct wf__recipe *), unsigned *tries)
{
	size_t end = r->deviations.n, from;
	bool any = false;

	while (end && *tries) {
		from = end > piece ? end - piece : 0;
		if (!copy_recipe(trial, r))
			break;
		leave_out(trial, from, end - from);
		--*tries;
		if (fails(trial) && trial->deviations.n < r->deviations.n &&
		    copy_recipe(r, trial)) {
			any = true;
			end = from < r->deviations.n ? from : r->deviations.n;
		} else
			end = from;
	}
	return any;
}

bool
wf__shrink(struct wf__recipe *r, bool (*fails)(struct wf__recipe *r))
{
	struct wf__recipe trial = *r;
	size_t piece = r->deviations.n;
	unsigned tries = TRIES;

	memset(&trial.deviations, 0, sizeof trial.deviations);
	while (piece && tries)
		if (!pass(r, &trial, piece, fails, &tries) || piece > 1)
			piece /= 2;
	wf__vec_free(&trial.deviations, sizeof(struct wf__deviation));
	return true;
}
