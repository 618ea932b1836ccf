/* SPDX-License-Identifier: MIT */
/*
 * rwmutex.pml - readers, writers, the waiters of both, who gets it next.
 *
 *	holds
 *	holds	-DCANCEL	one gives up at any time
 *	breaks	-DNO_WRITERS	a writer who waits for readers does not say so
 *	breaks	-DKEEP_WOKEN	the one who was woken and loses keeps WOKEN up
 *	breaks	-DNO_WOKEN	who wakes one does not say so
 *	breaks	-DEARLY	who takes it lowers QUEUED
 *	breaks	-DSTORE_LATE	unlock drops the lock, then says what is new
 *	breaks	-DCANCEL -DNO_ADMIT	the readers whom a writer held
 *				off wait on after it gave up
 *	breaks	-DCANCEL -DNO_CLAIM	who gave up can be given the lock
 *
 * Three tasks, of which each is a writer or a reader.  write_grab(),
 * take_or_close(), accept_write(), write_slow(), write_pass_on(),
 * write_leave(), read_slow() and read_unlock_slow() of rwmutex.c, all of
 * rwnext.c, and the units in the state of rwunit.c, step by step, in a memory
 * with store buffers [rw] [lock]; wf__wait() is the queue, the commit that
 * drops the lock, and the claim [claim].  That wf__ready() comes after all
 * that was stored before it, its own queue sees to: go is a store.  Spinning
 * is one try, or none; whether a writer starves is by chance.  Left out:
 * NOTED, and units in rows.
 *
 * What must hold: a writer is alone; nobody waits for ever; whenever the lock
 * of the queues is taken, the flags say what is in them, and I1, I2 and I6 of
 * rwunit.h are true; who gave up is given nothing; and the rwmutex is not
 * touched any more when a writer, the last of all who had it, frees it.
 *
 * WOKEN not raised breaks I6 only: more are woken than there need be.
 */
#define THREADS 3
#define LOCS 5
#include "tso.inc"
#define STATE 0
#define LOCK 1
#define GO(p) (2 + p)
#define HELD 1
#define HANDED 2
#define CLOSING 4		/* WRITERS */
#define READING 8		/* READERS */
#define QUEUED 16
#define WOKEN 32
#define UNIT 64
#define CLOSED (HELD | CLOSING)
#define QUITS(p) (p == 2)

chan writers = [THREADS] of { byte };
chan readers = [THREADS] of { byte };
byte writing, reading;	/* within */
byte left;		/* times that it was had */
bool freed;
bool handed[THREADS];	/* the writer's turn */
byte claim[THREADS];	/* 1: woken or given it; 2: given up */
bool waits[THREADS];	/* between wf__wait() and its return */

/* s is what it was: cas is true if it is that, and then it is new. */
inline compare_and_swap(new)
{
	d_step {
		CLEAR(p);
		assert(!freed);
		cas = (mem[STATE] == s);
		mem[STATE] = (cas -> new : mem[STATE])
	}
}

inline look()
{
	d_step { assert(!freed); s = SEEN(p, STATE) }
}

#define UP(flag) ((mem[STATE] & flag) != 0)

inline lock()
{
	assert(!freed);
	d_step {
		CLEAR(p) && mem[LOCK] == 0;
		mem[LOCK] = 1;
		assert(UP(QUEUED) == (len(writers) > 0));
		assert(UP(READING) == (len(readers) > 0));
		assert(!UP(HELD) || (mem[STATE] < UNIT && !UP(CLOSING)));
		assert(!UP(CLOSING) || mem[STATE] >= UNIT);
		assert(!UP(QUEUED) || UP(HELD) || UP(CLOSING) || UP(WOKEN));
		assert(!UP(READING) || UP(HELD) || UP(CLOSING))
	}
}

inline unlock()
{
	assert(!freed);
	store(p, LOCK, 0)
}

/* wf__rwnext_queues() */
#define QUEUES(units) ((len(writers) > 0 -> \
	QUEUED | ((units) -> CLOSING : 0) : 0) | \
	(len(readers) > 0 -> READING : 0))
#define WAITS (CLOSING | READING | QUEUED)

/* wf__waitq_claim() for writers: other, or THREADS. */
inline claim_writer()
{
	other = THREADS;
	do
	:: other == THREADS && len(writers) > 0 ->
		d_step {
			writers?other;
			assert(waits[other]);
#ifndef NO_CLAIM
			if
			:: claim[other] -> other = THREADS
			:: else -> claim[other] = 1
			fi
#endif
		}
	:: else -> break
	od
}

/* n units, and list. */
inline claim_readers()
{
	n = 0;
	list = 0;
	do
	:: len(readers) > 0 ->
		d_step {
			readers?other;
			assert(waits[other]);
			if
			:: claim[other]
			:: else ->
				claim[other] = 1;
				n = n + UNIT;
				list = list | (1 << other)
			fi;
			other = 0
		}
	:: else -> break
	od
}

inline ready_list()
{
	other = 0;
	do
	:: other < THREADS ->
		if
		:: list & (1 << other) -> store(p, GO(other), 1)
		:: else
		fi;
		other++
	:: else -> break
	od;
	list = 0;
	other = 0;
	n = 0
}

/* wf__rwnext_withdraw(), admit(): with the lock held, which is dropped. */
inline withdraw()
{
	list = 0;
	do
	:: look();
		n = QUEUES(!(s & HELD) && s >= UNIT);
		if
		:: !(s & HELD) && !(n & CLOSING) ->
#ifdef NO_ADMIT
			n = 0;
#else
			claim_readers();
#endif
			do
			:: true ->
				compare_and_swap((s & ~WAITS) + n +
				    QUEUES(false));
				if
				:: cas -> break
				:: else -> look()
				fi
			od;
			break
		:: else ->
			compare_and_swap((s & ~WAITS) | n);
			if
			:: cas -> break
			:: else
			fi
		fi
	od;
	unlock();
	ready_list()
}

/* wf__wait() with the lock held, and wait_in(): given_up, or woken. */
inline wait_in()
{
	if
#ifdef CANCEL
	:: QUITS(p) -> given_up = true	/* before it began */
#endif
	:: true ->
		enqueue();
		unlock();		/* committed */
		if
		:: SEEN(p, GO(p))
#ifdef CANCEL
		:: atomic { QUITS(p) && !claim[p] -> claim[p] = 2 } ->
			lock();
			give_up()
#endif
		fi;
		waits[p] = false
	fi;
	if
	:: given_up -> withdraw()
	:: else
	fi
}

/* Who was woken goes before those who wait already. */
inline enqueue()
{
	d_step {
		claim[p] = 0;
		handed[p] = false;
		mem[GO(p)] = 0;
		waits[p] = true;
		if
		:: !write -> readers!p
		:: else ->
			writers!p;
			other = (token -> len(writers) - 1 : 0);
			do
			:: other > 0 -> writers?n; writers!n; other--
			:: else -> break
			od;
			n = 0
		fi
	}
}

inline give_up()
{
	d_step {
		given_up = true;
		if
		:: writers??[eval(p)] -> writers??eval(p)
		:: readers??[eval(p)] -> readers??eval(p)
		:: else
		fi
	}
}

#ifdef EARLY
#define GRAB(s) (HELD | (s & WOKEN & ~token))
#else
#define GRAB(s) (HELD | (s & ~token))
#endif

/* write_grab() */
inline write_grab()
{
	look();
	if
	:: !(s & ~(QUEUED | WOKEN)) ->
		compare_and_swap(GRAB(s));
		mine = cas
	:: else
	fi
}

/* With the lock held: mine, or flags are up. */
inline take_or_close()
{
	do
	:: look();
		if
		:: !(s & HELD) && s < UNIT ->
			compare_and_swap((s & WOKEN & ~token) | HELD |
			    QUEUES(false));
			mine = cas
		:: else ->
#ifdef KEEP_WOKEN
			n = s;
#else
			n = s & ~token;
#endif
#ifndef NO_WRITERS
			n = n | (s & HELD -> 0 : CLOSING);
#endif
			n = n | QUEUED;
			compare_and_swap(n)
		fi;
		if
		:: cas -> break
		:: else
		fi
	od;
	n = 0
}

/* accept_write() */
inline accept_write()
{
	do
	:: look();
		assert((s & HELD) && (s & HANDED) && s < UNIT);
		compare_and_swap(s & ~HANDED);
		if
		:: cas -> break
		:: else
		fi
	od
}

/* wf__rwunit_add(), wf__rwunit_count(): mine, or it is closed. */
inline count()
{
	do
	:: look();
		if
		:: s & CLOSED -> break
		:: else ->
			compare_and_swap(s + UNIT);
			mine = cas;
			if
			:: cas -> break
			:: else
			fi
		fi
	od
}

/* read_slow(), with the lock held: mine, or the flag is up. */
inline count_or_show()
{
	do
	:: true ->
		count();
		look();
		if
		:: mine -> break
		:: !mine && (s & CLOSED) ->
			compare_and_swap(s | READING);
			if
			:: cas -> break
			:: else
			fi
		:: else
		fi
	od
}

/* The fast path, and spin_to_write(), spin_to_read(): one try. */
inline try()
{
	if
	:: write -> write_grab()
	:: else -> count()
	fi
}

/* Mine, or given_up. */
inline acquire()
{
	token = 0;
	do
	:: mine || given_up -> break
	:: else ->
		if
		:: try()
		:: token		/* or none */
		fi;
		if
		:: !mine -> acquire_slow()
		:: else
		fi
	od
}

/* write_slow(), read_slow() */
inline acquire_slow()
{
	lock();
	if
	:: write -> take_or_close()
	:: else -> count_or_show()
	fi;
	if
	:: mine -> unlock()
	:: else ->
		wait_in();
		if
		:: given_up
		:: !given_up && !write -> mine = true
		:: !given_up && write && handed[p] ->
			accept_write();
			mine = true
		:: else ->
			token = WOKEN
		fi
	fi
}

/* write_pass_on(), wf__rwnext_choose(): mine stays true if nobody waits. */
inline write_pass_on()
{
	lock();
	starves = false;
	if
	:: len(writers) > 0 -> starves = true
	:: true
	fi;
	claim_readers();
	look();
	s = s & WOKEN;
	other = THREADS;
	if
	:: !s && !(list && starves) -> claim_writer()
	:: else
	fi;
	if
	:: other < THREADS ->
		handed[other] = starves;
#ifdef NO_WOKEN
		s = (starves -> HELD | HANDED : 0);
#else
		s = (starves -> HELD | HANDED : WOKEN);
#endif
		list = list | (1 << other)
	:: else
	fi;
	mine = (list == 0);
	s = s | n | QUEUES(n && starves);
	s = s | (mine -> HELD : 0);
#ifdef STORE_LATE
	unlock();
	store(p, STATE, s);
#else
	store(p, STATE, s);
	unlock();
#endif
	ready_list()
}

/* wf_rwmutex_unlock(), write_leave(), write_unlock_slow() */
inline write_unlock()
{
	do
	:: mine ->
		look();
		assert(s & HELD);
		if
		:: s == HELD || (s & ~QUEUED) == (HELD | WOKEN) ->
			compare_and_swap(s - HELD);
			mine = !cas
		:: else -> write_pass_on()
		fi
	:: else -> break
	od
}

/* wf_rwmutex_read_unlock(), wf__rwunit_remove(), read_unlock_slow() */
inline read_unlock()
{
	do
	:: mine ->
		look();
		assert(s >= UNIT);
		if
		:: s < 2 * UNIT && (s & CLOSING) -> read_pass_on()
		:: else ->
			compare_and_swap(s - UNIT);
			mine = !cas
		fi
	:: else -> break
	od
}

/* wf__rwnext_give() */
inline read_pass_on()
{
	lock();
	look();
	assert(s >= UNIT);
	other = THREADS;
	if
	:: s < 2 * UNIT && (s & CLOSING) -> claim_writer()
	:: else
	fi;
	if
	:: other < THREADS ->
		handed[other] = true;
		look();
		store(p, STATE, HELD | HANDED | QUEUES(false) | (s & WOKEN));
		unlock();
		store(p, GO(other), 1);
		other = 0;
		mine = false
	:: else -> withdraw()
	fi
}

#define UNTOUCHED(k) (!LATE(k, 0, STATE) && !LATE(k, 1, STATE) && \
	!LATE(k, 0, LOCK) && !LATE(k, 1, LOCK))

inline use()
{
	if
	:: write ->
		writing++;
		assert(writing == 1 && reading == 0);
		left++;
		last = (left == THREADS);
		writing--;
		write_unlock()
	:: else ->
		reading++;
		assert(writing == 0);
		left++;
		reading--;
		read_unlock()
	fi
}

proctype task(byte p; bool write)
{
	byte s, n, token, other, list;
	bool cas, mine, given_up, starves, last;

	acquire();
	if
	:: mine -> use()
	:: else
	fi;
#ifndef CANCEL
	if
	:: last ->
		freed = true;
		assert(mem[STATE] == 0);
		assert(len(writers) == 0 && len(readers) == 0);
		assert(UNTOUCHED(0) && UNTOUCHED(1) && UNTOUCHED(2))
	:: else
	fi;
#endif
	s = 0;
	token = 0;
	starves = false
}

init {
	atomic {
		if
		:: run task(0, false); run task(1, false)
		:: run task(0, false); run task(1, true)
		:: run task(0, true); run task(1, true)
		fi;
		if
		:: run task(2, true)
		:: run task(2, false)
		fi
	}
	_nr_pr == THREADS + 1 && CLEAR(0) && CLEAR(1) && CLEAR(2);
	assert(mem[STATE] == 0 && len(writers) == 0 && len(readers) == 0);
	assert(!mem[LOCK])
}
