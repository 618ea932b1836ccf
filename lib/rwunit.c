/* SPDX-License-Identifier: MIT */
/*
 * rwunit.c - read locks as units: counted, noted, gathered.
 * Layer 3.  Uses: rwunit, readers, sched, seam.
 */
#include "rwunit.h"

#include "seam.h"

enum {
#ifdef WEFT_CHAOS
	FIRST_LIMIT = 2, NEXT_LIMIT = 2
#else
	FIRST_LIMIT = 50,		/* meetings */
	NEXT_LIMIT = 200		/* for each worker: its share of what
					 * the writer before has paid */
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

/* Within the row.  Once more: who took NOTED down comes by here afterwards. */
static inline bool
note_within(struct wf__rwmutex *m, struct wf__reader_row *row)
{
	return wf__rwunit_state(m) & WF__RW_NOTED &&
	    wf__readers_add(row, wf__load_relaxed(&m->number));
}

WF__NOINLINE static bool
note_slow(struct wf__rwmutex *m, struct wf__reader_row *row)
{
	bool done;

	wf__bias_enter_slow(&row->bias);
	done = note_within(m, row);
	wf__bias_leave(&row->bias);
	return done;
}

static inline bool
note(struct wf__rwmutex *m)
{
	struct wf__reader_row *row = wf__readers_row();
	bool done;

	if (wf__unlikely(!row))
		return false;
	if (wf__unlikely(!wf__bias_enter_fast(&row->bias)))
		return note_slow(m, row);
	done = note_within(m, row);
	wf__bias_leave_fast(&row->bias);
	return done;
}

WF__NOINLINE static bool
forget_slow(struct wf__reader_row *row, uint64_t number)
{
	bool done;

	wf__bias_enter_slow(&row->bias);
	done = wf__readers_remove(row, number);
	wf__bias_leave(&row->bias);
	return done;
}

static inline bool
forget(struct wf__rwmutex *m)
{
	/* Relaxed: NOTED was seen, and the number came before that. */
	uint64_t number = wf__load_relaxed(&m->number);
	struct wf__reader_row *row = wf__readers_row();
	bool done;

	if (wf__unlikely(!row))
		return false;
	if (wf__unlikely(!wf__bias_enter_fast(&row->bias)))
		return forget_slow(row, number);
	done = wf__readers_remove(row, number);
	wf__bias_leave_fast(&row->bias);
	return done;
}

WF__NOINLINE static void
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

/* The caller, who has a unit, has met another reader at the state. */
static void
count_meeting(struct wf__rwmutex *m)
{
	/* Relaxed: about is good enough. */
	wf__word meetings = wf__load_relaxed(&m->meetings) + 1;
	wf__word limit = wf__load_relaxed(&m->limit);

	if (meetings >= (limit ? limit : FIRST_LIMIT) && wf__self()) {
		meetings = 0;
		raise_noted(m);
	}
	wf__store_relaxed(&m->meetings, meetings);
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

/* After a first try that has failed: because of somebody else, if the lock is
 * open to readers and notes none. */
bool
wf__rwunit_add_slow(struct wf__rwmutex *m)
{
	wf__word s = wf__rwunit_state(m);

	if (WF__RW_ALL_MEET)
		wf__seam_point();	/* much may happen right here */
	if (s & WF__RW_NOTED && wf__likely(note(m)))
		return true;
	if (!wf__rwunit_count(m))
		return false;
	if (!(s & (WF__RW_CLOSED | WF__RW_NOTED)))
		count_meeting(m);
	return true;
}

bool
wf__rwunit_remove_slow(struct wf__rwmutex *m)
{
	wf__word s;

	if (wf__rwunit_state(m) & WF__RW_NOTED && wf__likely(forget(m)))
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
	wf__store_relaxed(&m->meetings, 0);
	wf__store_relaxed(&m->limit, NEXT_LIMIT *
	    (wf__load_relaxed(&wf__sched.n_workers) + 1));
}
