/* SPDX-License-Identifier: MIT */
/*
 * readers.c - the rows of all workers.
 * Layer 3.  Uses: readers, sched, lock.
 *
 * A row counts as used before its worker first enters it.  The worker raises
 * the mark by a read-modify-write, then looks whether it may add; who drains
 * forbids adding by one, then reads the mark [readers].  So either the drain
 * comes by the row, or the worker adds nothing.
 */
#include "readers.h"

struct wf__reader_row wf__reader_rows[WF__READER_ROWS];
wf__word wf__reader_high;

void
wf__readers_setup(void)
{
	static struct wf__lock lock;
	static wf__word done;		/* [rows] */

	if (wf__load_acquire(&done))				/* [rows] */
		return;
	wf__lock(&lock);
	/* Relaxed: written under the lock only. */
	for (int i = 0; !wf__load_relaxed(&done) && i < WF__READER_ROWS; i++)
		wf__bias_init(&wf__reader_rows[i].bias);
	wf__store_release(&done, 1);				/* [rows] */
	wf__unlock(&lock);
}

WF__NOINLINE struct wf__reader_row *
wf__readers_raise(int i)
{
	wf__word high;

	if (i >= WF__READER_ROWS)
		return NULL;
	do {
		high = wf__load_acquire(&wf__reader_high);	/* [readers] */
	} while (high <= (wf__word)i && !wf__cas_acq_rel(&wf__reader_high,
	    high, (wf__word)i + 1));
	return &wf__reader_rows[i];
}

/* The caller's own without a fence.  Nobody stays in a row for longer than
 * a few instructions, unless its thread is off its core. */
static bool
enter(struct wf__reader_row *row)
{
	if (row == wf__readers_row()) {
		wf__bias_enter(&row->bias);
		return true;
	}
	while (!wf__bias_steal(&row->bias))
		wf__os_yield();
	return false;
}

uint64_t
wf__readers_drain(uint64_t key)
{
	wf__word high = wf__load_acquire(&wf__reader_high);	/* [readers] */
	struct wf__reader_cell *c;
	uint64_t n = 0;
	bool own;

	for (wf__word i = 0; i < high; i++) {
		own = enter(&wf__reader_rows[i]);
		c = wf__readers_cell(&wf__reader_rows[i], key);
		if (c->key == key) {
			n += c->n;
			c->n = 0;
		}
		if (own)
			wf__bias_leave(&wf__reader_rows[i].bias);
		else
			wf__bias_return(&wf__reader_rows[i].bias);
	}
	return n;
}

void
wf__readers_forget(uint64_t key)
{
	struct wf__reader_row *row = wf__readers_row();

	for (int i = 0; row && i < WF__READER_CELLS; i++)
		if (row->cells[i].key > key)
			row->cells[i].n = 0;
}
