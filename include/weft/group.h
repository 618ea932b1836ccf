/* SPDX-License-Identifier: MIT */
/*
 * weft/group.h - coroutines that belong together: the first error ends all,
 * and nobody is left behind.
 *
 *	wf_group *g = wf_group_make(ctx);
 *
 *	wf_defer(wf_group_free, g);
 *	for (size_t i = 0; i < n; i++)
 *		wf_group_spawn(g, fetch, wf_group_ctx(g), urls[i], &page[i]);
 *	if ((err = wf_group_wait(g)) < 0)
 *		...			(what the first that failed returned)
 *
 * A child is a function that returns int: 0 or more is success, less is its
 * error, by custom a -errno.  The first error is the group's result, and
 * cancels the group's context, with the error and the name of the child's
 * function as the cause; children watch that context.  What they find out they
 * leave where an argument points to: it is there when the group was waited
 * for.
 *
 * Leaving the scope, wf_group_free(), cancels the context and waits for all
 * children.  Any thread may call everything here; a child may spawn into its
 * own group, but not wait for or free it: that is misuse, reported, then
 * abort.  NULL, a group without memory, is allowed everywhere: nothing starts,
 * and the result is -ENOMEM.
 */
#ifndef WEFT_GROUP_H
#define WEFT_GROUP_H

#include <weft/base.h>
#include <weft/context.h>
#include <weft/coro.h>

WF__BEGIN

typedef struct wf_group wf_group;

/* A group whose context is a child of parent's.  NULL without memory. */
WF_API wf_group *wf_group_make(wf_ctx *parent);

/* Cancel the context, wait until all children have ended, and free g.  Blocks
 * until then. */
WF_API void wf_group_free(wf_group *g);

/* The group's context: the group's, for as long as that is there.  For NULL
 * one that is done, with -ENOMEM. */
WF_API wf_ctx *wf_group_ctx(wf_group *g);

/* Cancel the group's context: -ECANCELED.  Children go on until they look. */
WF_API void wf_group_cancel(wf_group *g);

/* At most n children at a time, at 0 none; -1: no limit, as at first.  While
 * there are children it is misuse. */
WF_API void wf_group_limit(wf_group *g, int n);

/*
 * int wf_group_spawn(wf_group *g, fn, args...);
 * int wf_group_spawn_with(wf_group *g, const struct wf_attr *attr, fn,
 *     args...);
 * int wf_group_try_spawn(wf_group *g, fn, args...);
 *
 * Start fn(args...), an int function of up to eight scalars, as a child; see
 * wf_spawn().  At the limit the first two block until a child ends, first
 * come, first served, or until the group's context is done: then its error
 * (-ECANCELED, -ETIMEDOUT).  The third one does not block: -EAGAIN.  Otherwise
 * 0, or wf_spawn()'s errors; then no child was started.  Below the limit a
 * child is started also if the context is done.
 */
#define wf_group_spawn(g, ...) \
	WF__CALL(int, wf_group_spawn_raw, (g, NULL), __VA_ARGS__)
#define wf_group_spawn_with(g, attr, ...) \
	WF__CALL(int, wf_group_spawn_raw, (g, attr), __VA_ARGS__)
#define wf_group_try_spawn(g, ...) \
	WF__CALL(int, wf_group_try_spawn_raw, (g, NULL), __VA_ARGS__)
WF_API int wf_group_spawn_raw(wf_group *g, const struct wf_attr *attr,
    const struct wf_site *site, void (*fn)(void), unsigned shape,
    const uint64_t *words);
WF_API int wf_group_try_spawn_raw(wf_group *g, const struct wf_attr *attr,
    const struct wf_site *site, void (*fn)(void), unsigned shape,
    const uint64_t *words);

/*
 * Wait until there are no children: the first error of any child so far, or 0.
 * The end of each child happens before the return.  The context is cancelled
 * then, its work being done.  The group may be used again, and keeps its first
 * error; the context stays done.
 */
WF_API int wf_group_wait(wf_group *g);

/* The same, or until ctx is done: then ctx's error, and the children that
 * still run are as they were: wf_group_active() tells the two apart. */
WF_API int wf_group_wait_ctx(wf_ctx *ctx, wf_group *g);

/* How many children there are now. */
WF_API int wf_group_active(const wf_group *g);

/* Write a line about each child of g to fd, as wf_dump() does: who it is and
 * what it waits for.  0 or -errno. */
WF_API int wf_group_dump(const wf_group *g, int fd);

WF__END

#endif
