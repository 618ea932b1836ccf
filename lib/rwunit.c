/* SPDX-License-Identifier: MIT */
/*
 * rwunit.c - read locks as units: counted, noted, gathered.
 * Layer 3.  Uses: rwunit, readers, sched.
 */
#include "rwunit.h"

enum {
#ifdef WEFT_CHAOS
	FIRST_LIMIT = 2, NEXT_LIMIT = 4
#else
	FIRST_LIMIT = 100,		/* reads to raise NOTED */
	NEXT_LIMIT = 2000		/* for each worker: its share of what
					 * the next writer pays */
#endif
};

void
wf__rwunit_number(struct wf__rwmutex *m)
{
	/* Relaxed: who needs it has seen a state that came later. */
	if (!wf__load_relaxed(&m->number))
		wf__store_relaxed(&m->number, wf__wait_number());
}

/* ---- in rows ---- */

static inline bool
note(struct wf__rwmutex *m)
{
	struct wf__reader_row *row = wf__readers_row();
	bool done;

	if (wf__unlikely(!row))
		return false;
	wf__bias_enter(&row->bias);
	/* Once more: who took NOTED down comes by here afterwards. */
	done = wf__rwunit_state(m) & WF__RW_NOTED &&
	    wf__readers_add(row, wf__load_relaxed(&m->number));
	wf__bias_leave(&row->bias);
	return done;
}

static inline bool
forget(uint64_t number)
{
	struct wf__reader_row *row = wf__readers_row();
	bool done;

	if (wf__unlikely(!row))
		return false;
	wf__bias_enter(&row->bias);
	done = wf__readers_remove(row, number);
	wf__bias_leave(&row->bias);
	return done;
}

static void
raise_noted(struct wf__rwmutex *m)
{
	wf__word s;

	wf__readers_setup();
	wf__lock(&m->lock);
	wf__rwunit_number(m);
	do {
		s = wf__rwunit_state(m);
	} while (!(s & (WF__RW_CLOSED | WF__RW_NOTED)) &&
	    !wf__rwunit_change(m, s, s | WF__RW_NOTED));
	wf__unlock(&m->lock);
}

/* One more was counted; the caller still has it. */
static inline void
count_read(struct wf__rwmutex *m)
{
	/* Relaxed: about is good enough. */
	wf__word reads = wf__load_relaxed(&m->reads) + 1;
	wf__word limit = wf__load_relaxed(&m->limit);

	wf__store_relaxed(&m->reads, reads);
	if (wf__likely(reads < (limit ? limit : FIRST_LIMIT)))
		return;
	wf__store_relaxed(&m->reads, 0);
	if (wf__self())
		raise_noted(m);
}

/* ---- for the lock ---- */

bool
wf__rwunit_count(struct wf__rwmutex *m)
{
	wf__word s;

	do {
		s = wf__rwunit_state(m);
		if (s & WF__RW_CLOSED)
			return false;
	} while (!wf__rwunit_change(m, s, s + WF__RW_UNIT));
	return true;
}

bool
wf__rwunit_add(struct wf__rwmutex *m)
{
	if (wf__rwunit_state(m) & WF__RW_NOTED && wf__likely(note(m)))
		return true;
	if (!wf__rwunit_count(m))
		return false;
	count_read(m);
	return true;
}

bool
wf__rwunit_remove(struct wf__rwmutex *m)
{
	wf__word s = wf__rwunit_state(m);

	/* Relaxed: the number came before NOTED. */
	if (s & WF__RW_NOTED &&
	    wf__likely(forget(wf__load_relaxed(&m->number))))
		return true;
	do {
		s = wf__rwunit_state(m);
		if (s < WF__RW_UNIT ||
		    (s < 2 * WF__RW_UNIT && s & WF__RW_WRITERS))
			return false;
	} while (!wf__rwunit_change(m, s, s - WF__RW_UNIT));
	return true;
}

void
wf__rwunit_gather(struct wf__rwmutex *m)
{
	wf__word s, n;

	do {
		s = wf__rwunit_state(m);
	} while (!wf__rwunit_change(m, s,
	    (s & ~(wf__word)WF__RW_NOTED) | WF__RW_WRITERS)); /* [readers] */
	/* Relaxed: it is set, and fixed. */
	n = wf__readers_drain(wf__load_relaxed(&m->number));
	do {
		s = wf__rwunit_state(m);
	} while (!wf__rwunit_change(m, s, s + n * WF__RW_UNIT));
	/* Relaxed: about is good enough. */
	wf__store_relaxed(&m->reads, 0);
	wf__store_relaxed(&m->limit, NEXT_LIMIT *
	    (wf__load_relaxed(&wf__sched.n_workers) + 1));
}
