/* SPDX-License-Identifier: MIT */
/*
 * seen.c - a table of states, open addressing, never more than half full.
 * Layer 7.  Uses: seen, alloc.
 */
#include "seen.h"

#include "alloc.h"

enum { FIRST_STATES = 1024, MOST_STATES = 1 << 22 };		/* 64 MiB */

struct wf__seen_state {
	uint64_t state;		/* 0: free */
	uint32_t price;
};

static struct wf__seen_state *
place_of_state(struct wf__seen_state *states, size_t room, uint64_t state)
{
	size_t i = (size_t)state & (room - 1);

	while (states[i].state && states[i].state != state)
		i = (i + 1) & (room - 1);
	return &states[i];
}

/* Room for one more: false without memory. */
static bool
make_room_for_state(struct wf__seen *s)
{
	size_t room = s->room ? 2 * s->room : FIRST_STATES;
	struct wf__seen_state *states;

	if (2 * s->n < s->room)
		return true;
	if (room > MOST_STATES || !(states = wf__alloc(room * sizeof *states)))
		return false;
	memset(states, 0, room * sizeof *states);
	for (size_t i = 0; i < s->room; i++)
		if (s->states[i].state)
			*place_of_state(states, room, s->states[i].state) =
			    s->states[i];
	wf__free(s->states, s->room * sizeof *states);
	s->states = states;
	s->room = room;
	return true;
}

bool
wf__seen_before(struct wf__seen *s, uint64_t state, uint32_t price)
{
	struct wf__seen_state *at;
	bool may_add = make_room_for_state(s);

	if (!s->room)
		return false;
	at = place_of_state(s->states, s->room, state);
	if (at->state && at->price <= price)
		return true;
	if (!at->state && !may_add)
		return false;
	s->n += !at->state;
	*at = (struct wf__seen_state){ state, price };
	return false;
}

void
wf__seen_free(struct wf__seen *s)
{
	wf__free(s->states, s->room * sizeof *s->states);
	memset(s, 0, sizeof *s);
}
