/* SPDX-License-Identifier: MIT */
/*
 * vec.c - an array that grows by doubling.
 * Layer 1.  Uses: vec, alloc.
 */
#include "vec.h"

#include "alloc.h"

enum { FIRST_ROOM = 16 };

static bool
make_room(struct wf__vec *v, size_t n, size_t size)
{
	size_t room = v->room ? v->room : FIRST_ROOM;
	void *items;

	while (room < n)
		room *= 2;
	if (room == v->room)
		return true;
	if (!(items = wf__alloc(room * size)))
		return false;
	if (v->n)
		memcpy(items, v->items, v->n * size);
	wf__free(v->items, v->room * size);
	v->items = items;
	v->room = room;
	return true;
}

bool
wf__vec_reach(struct wf__vec *v, size_t n, size_t size)
{
	if (n <= v->n)
		return true;
	if (!make_room(v, n, size))
		return false;
	memset((char *)v->items + v->n * size, 0, (n - v->n) * size);
	v->n = n;
	return true;
}

void *
wf__vec_add(struct wf__vec *v, size_t size)
{
	if (!wf__vec_reach(v, v->n + 1, size))
		return NULL;
	return (char *)v->items + (v->n - 1) * size;
}

void
wf__vec_remove(struct wf__vec *v, size_t at, size_t size)
{
	char *item = (char *)v->items + at * size;

	memmove(item, item + size, (--v->n - at) * size);
}

bool
wf__vec_copy(struct wf__vec *to, const struct wf__vec *from, size_t size)
{
	if (!make_room(to, from->n, size))
		return false;
	if (from->n)
		memcpy(to->items, from->items, from->n * size);
	to->n = from->n;
	return true;
}

void
wf__vec_free(struct wf__vec *v, size_t size)
{
	wf__free(v->items, v->room * size);
	memset(v, 0, sizeof *v);
}
