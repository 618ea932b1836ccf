/* SPDX-License-Identifier: MIT */
/*
 * default.pml - a select that looks at its channels without their locks.
 *
 *	holds
 *	holds	-DRUNS		what is ready is run
 *	breaks	-DNO_VERSION	the versions are not compared
 *	breaks	-DNO_HELD	whether a lock is held is not asked
 *	breaks	-DONE_LOOK	there is no second look
 *	breaks	-DREADY_LAST	what changes a channel says so after it has
 *				dropped the lock
 *	breaks	-DVERSION_LAST	the version counts after the lock is dropped
 *	breaks	-DRUNS -DNO_VERSION
 *	breaks	-DRUNS -DNO_HELD
 *	breaks	-DRUNS -DONE_LOOK
 *	breaks	-DRUNS -DLOCK_LAST	the second look comes before the lock
 *
 * selection.h, of a select on two channels: with a default that runs when
 * nothing is ready, or a case that does (run_at_once() of select.c).  Two
 * threads change the channels under their locks: each makes its channel ready
 * and takes that back (wf__chan_publish(), wf__unlock()), so that nearly always
 * one of the two is ready.  Words are in a memory with store buffers [lock]
 * [ready].
 *
 * What must hold: who finds nothing ready is right about one instant of his
 * search: at some moment in it no channel was ready.  Who runs a case is right
 * about one instant at which he holds its lock: each channel was then as he
 * saw it.  A channel is ready when its last change says so, from the moment on
 * at which the lock was taken for it.  (Before, or later until the lock is
 * dropped, would do as well: this is what the callers can agree on.)
 */
#define THREADS 3
#define LOCS 6
#include "tso.inc"
#define READER 2
#define HELD(c) (c)
#define VERSION(c) (2 + c)
#define READY(c) (4 + c)

bool is_ready[2];	/* in truth */
bool seen[2];		/* by the reader, */
bool looks;		/* who is at it, or has the lock */
bool right;		/* and there was an instant */

#define NOTE right = (right || (looks && is_ready[0] == seen[0] && \
	is_ready[1] == seen[1]))

/* Channel c is changed by thread c, and locked by the reader besides. */
inline change(now)
{
	atomic {
		CLEAR(c) && !mem[HELD(c)];
		mem[HELD(c)] = 1;
		is_ready[c] = now;
		NOTE
	}
#ifndef READY_LAST
	store(c, READY(c), now);
#endif
#ifndef VERSION_LAST
	d_step { buffer[c].n < 2; put(c, VERSION(c), version) }
#endif
	store(c, HELD(c), 0);
#ifdef READY_LAST
	store(c, READY(c), now);
#endif
#ifdef VERSION_LAST
	d_step { buffer[c].n < 2; put(c, VERSION(c), version) }
#endif
	version++
}

proctype changer(byte c)
{
	byte version = 1, n;

	do
	:: n < 2 ->
		n++;
		change(1);
		change(0)
	:: else -> break
	od
}

inline add_version(c, sum)
{
#ifndef NO_HELD
	if
	:: SEEN(READER, HELD(c)) -> goto no
	:: else
	fi;
#endif
	sum = sum + SEEN(READER, VERSION(c))
}

inline second_look()
{
#ifdef ONE_LOOK
	skip
#else
#ifdef RUNS
	/* The lock of channel 1 is one's own. */
	add_version(0, after);
	after = after + SEEN(READER, VERSION(1));
#else
	add_version(0, after);
	add_version(1, after);
#endif
#ifndef NO_VERSION
	if
	:: before != after -> goto no
	:: else
	fi;
#endif
#endif
}

#ifdef RUNS
/* Channel 1 is ready, and the other one may be: the case on it runs. */
proctype reader()
{
	byte before, after;

	add_version(0, before);
	seen[0] = SEEN(READER, READY(0));
	add_version(1, before);
	seen[1] = SEEN(READER, READY(1));
	if
	:: !seen[1] -> goto no
	:: else
	fi;
#ifdef LOCK_LAST
	second_look();
#endif
	atomic {
		!mem[HELD(1)];
		mem[HELD(1)] = 1;
		looks = true;
		NOTE
	}
#ifndef LOCK_LAST
	second_look();
#endif
	assert(right);
no:	if
	:: looks ->
		looks = false;
		store(READER, HELD(1), 0)
	:: else
	fi
}
#else
proctype reader()
{
	byte before, after;

	atomic {
		looks = true;
		NOTE
	}
	add_version(0, before);
	if
	:: SEEN(READER, READY(0)) -> goto no
	:: else
	fi;
	add_version(1, before);
	if
	:: SEEN(READER, READY(1)) -> goto no
	:: else
	fi;
	second_look();
	assert(right);
no:	looks = false
}
#endif

init {
	atomic {
		run changer(0);
		run changer(1);
		run reader()
	}
}
