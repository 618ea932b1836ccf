/* SPDX-License-Identifier: MIT */
/*
 * readers.h - read locks that are held, noted where they were taken.
 * Layer 3.  Uses: sched, lock.
 *
 * Each worker has a row of cells; a cell says that n read locks of one lock
 * are held.  The worker writes its row under a biased lock, nearly for free;
 * a writer that wants to know steals each row in turn, and pays (lock.h).
 *
 *	worker 0   | key n | key n | ...		lock number 17:
 *	worker 1   | key n | key n | ...		cell 17 % CELLS
 *
 * The key is the number of the lock, not its address: a number is used once,
 * so that a cell left over from a lock that was freed while held is mistaken
 * for no other.  The rows are static: nothing is allocated and nothing freed
 * with a lock, and what is held stays held when the runtime ends.
 *
 * (A global table of visible readers is by D. Dice, A. Kogan, "BRAVO - biased
 * locking for reader-writer locks", USENIX ATC 2019.  There a reader swaps
 * itself into a cell; rows that are owned need no atomic operation.)
 */
#ifndef WF__READERS_H
#define WF__READERS_H

#include "lock.h"
#include "sched.h"

enum {
	WF__READER_ROWS = 64,		/* workers beyond have none */
	WF__READER_CELLS = 8		/* of a row */
};

struct wf__reader_row {
	struct wf__bias bias;		/* protects the cells */
	struct wf__reader_cell {
		uint64_t key;
		uint64_t n;		/* 0: the cell is free */
	} cells[WF__READER_CELLS];
} WF__ALIGNED(WF__LINE);

extern struct wf__reader_row wf__reader_rows[WF__READER_ROWS];
extern wf__word wf__reader_high;	/* rows that are in use [readers] */

/* Before the first use of any row, on a worker. */
void wf__readers_setup(void);

/* The first use of row i: NULL if it is not to be used. */
struct wf__reader_row *wf__readers_raise(int i);

/* The calling worker's row; NULL: it has none.  No switch while it is used. */
static inline struct wf__reader_row *
wf__readers_row(void)
{
	struct wf__worker *w = wf__self();

	if (wf__unlikely(!w))
		return NULL;
	/* Relaxed: it only grows, and this worker has raised it before. */
	if (wf__unlikely((wf__word)w->index >=
	    wf__load_relaxed(&wf__reader_high)))
		return wf__readers_raise(w->index);
	return &wf__reader_rows[w->index];
}

static inline struct wf__reader_cell *
wf__readers_cell(struct wf__reader_row *row, uint64_t key)
{
	return &row->cells[key % WF__READER_CELLS];
}

/* Within row->bias: note one, or forget one.  False: there is no room, or none
 * is noted. */
static inline bool
wf__readers_add(struct wf__reader_row *row, uint64_t key)
{
	struct wf__reader_cell *c = wf__readers_cell(row, key);

	if (c->n && c->key != key)
		return false;
	c->key = key;
	c->n++;
	return true;
}

static inline bool
wf__readers_remove(struct wf__reader_row *row, uint64_t key)
{
	struct wf__reader_cell *c = wf__readers_cell(row, key);

	if (!c->n || c->key != key)
		return false;
	c->n--;
	return true;
}

/* Forget all of this key, on all rows, and say how many they were.  The caller
 * has seen to it, by a read-modify-write before [readers], that who enters his
 * row from now on adds none. */
uint64_t wf__readers_drain(uint64_t key);

/* Forget all keys above this one in the worker's own row: a simulated schedule
 * has ended, and its locks with it. */
void wf__readers_forget(uint64_t key);

#endif
