/* SPDX-License-Identifier: MIT */
/*
 * context.h - a context from inside.
 * Layer 5.  Uses: cancel, timer, lock.
 *
 * References: the maker's and those of wf_ctx_ref(); one while it is linked,
 * which whoever takes it off the list gets; one of a pending timer.  The
 * memory of a context lasts longer: until its children are freed as well, who
 * look up values and causes there.  They are counted on the list to which they
 * belong (members), under a lock that is taken anyway, so that the children
 * of a shared parent meet at no counter.
 */
#ifndef WF__CONTEXT_H
#define WF__CONTEXT_H

#include <weft/context.h>
#include "cancel.h"
#include "timerq.h"

/* What stands at the other end of a link. */
enum wf__ctx_kind {
	WF__CTX_CHILD,			/* a context, by its link */
	WF__CTX_SECOND,			/* one of two parents, by its second */
	WF__CTX_CALL			/* of wf_ctx_after() */
};

enum { WF__VALUES_NEAR = 8 };

/* The nearest values, and those before them: a few steps to any. */
struct wf__values {
	const struct wf__values *older;
	size_t n;
	struct {
		const void *key;
		void *value;
	} of[];
};

struct wf_ctx {
	struct wf__cancel cancel;	/* must be first; see select.c */
	struct wf__cancel_child link;	/* to the parent */
	wf__word refs;			/* [refs] */
	int64_t deadline;		/* fixed */
	struct wf_ctx *parent;		/* fixed */
	const struct wf__values *values; /* its own or an ancestor's; fixed */
	const struct wf_ctx *origin;	/* whose cause it is, or NULL; written
					 * before state */
	struct wf__lock telling;	/* held while the children are told */
	struct wf__timer timer;
	struct wf_cause cause;		/* its own; written before state */
	bool has_cause;			/* for the deadline; fixed */
	bool is_static;
	bool is_merged;			/* is a struct wf__ctx_merged */
	uint32_t size;			/* of the memory */
};

_Static_assert(offsetof(struct wf_ctx, cancel) == 0, "see chan.c, select.c");

struct wf__ctx_merged {
	struct wf_ctx ctx;
	struct wf__cancel_child second;	/* has a reference, like the link */
	struct wf_ctx *other;		/* the second parent: a reference */
};

static inline struct wf__ctx_merged *
wf__ctx_merged(const struct wf_ctx *ctx)
{
	return wf__container_of(ctx, struct wf__ctx_merged, ctx);
}

/* A new context with room for size bytes in all, nobody's child yet; NULL
 * without memory. */
struct wf_ctx *wf__ctx_new(struct wf_ctx *parent, size_t size);
/* Make it a child of its parent: it can be found and end from now on. */
void wf__ctx_join(struct wf_ctx *ctx);
/* What stands for one that cannot be made. */
struct wf_ctx *wf__ctx_failed(int err);

/* Put child on its list, which is one of the parent's, unless that has ended,
 * or ctx has, whose link it is (NULL: no context's): then false.  By its first
 * link ctx becomes a member of that list in any case. */
bool wf__ctx_link(struct wf_ctx *parent, struct wf__cancel_child *child,
    const struct wf_ctx *ctx);
/* Take it off: 1, its reference is the caller's; 0: it was off already. */
unsigned wf__ctx_unlink(struct wf__cancel_child *child);

/* End ctx and all below it, unless it has ended.  cause, and whose cause it
 * is, may be NULL.  Returns how many references are the caller's now. */
unsigned wf__ctx_end(struct wf_ctx *ctx, int err,
    const struct wf_cause *cause, const struct wf_ctx *origin);
void wf__ctx_release(struct wf_ctx *ctx, unsigned n);

/* after.c: the context of a call is done. */
void wf__ctx_call_tell(struct wf__cancel_child *child);

#endif
