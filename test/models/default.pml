/* SPDX-License-Identifier: MIT */
/*
 * default.pml - a select that finds nothing ready, without a lock.
 *
 *	holds
 *	breaks	-DNO_VERSION	the versions are not compared
 *	breaks	-DNO_HELD	whether a lock is held is not asked
 *	breaks	-DONE_LOOK	there is no second look
 *	breaks	-DREADY_LAST	what changes a channel says so after it has
 *				dropped the lock
 *	breaks	-DVERSION_LAST	the version counts after the lock is dropped
 *
 * none_ready() of select.c, for a select with a default on two channels.  Two
 * threads change them under their locks: each makes its channel ready and takes
 * that back (wf__chan_publish(), wf__unlock()), so that nearly always one of
 * the two is ready.  Words are in a memory with store buffers [lock] [ready].
 *
 * What must hold: who finds nothing ready is right about one instant of his
 * search: at some moment in it no channel was ready.  A channel is ready when
 * its last change says so, from the moment on at which the lock was taken for
 * it.  (Before, or later until the lock is dropped, would do as well: this is
 * what the callers can agree on.)
 */
#define THREADS 3
#define LOCS 6
#include "tso.inc"
#define READER 2
#define HELD(c) (c)
#define VERSION(c) (2 + c)
#define READY(c) (4 + c)

bool is_ready[2];	/* in truth */
bool looks;		/* the reader is at it, */
bool right;		/* and there was an instant */

#define NOTE right = (right || (looks && !is_ready[0] && !is_ready[1]))

/* Channel c is changed by thread c alone, so its lock is free. */
inline change(now)
{
	atomic {
		CLEAR(c);
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

inline may_run(c)
{
	if
	:: SEEN(READER, READY(c)) -> goto no
	:: else
	fi
}

proctype reader()
{
	byte before, after;

	atomic {
		looks = true;
		NOTE
	}
	add_version(0, before);
	may_run(0);
	add_version(1, before);
	may_run(1);
#ifndef ONE_LOOK
	add_version(0, after);
	add_version(1, after);
#ifndef NO_VERSION
	if
	:: before != after -> goto no
	:: else
	fi;
#endif
#endif
	assert(right);
no:	looks = false
}

init {
	atomic {
		run changer(0);
		run changer(1);
		run reader()
	}
}
