/* SPDX-License-Identifier: MIT */
/*
 * sem.pml - a weighted semaphore: take and give back, the waiters, giving up.
 *
 *	holds
 *	holds	-DCANCEL	one gives up at any time
 *	breaks	-DPLAIN_RELEASE	to give back is a load and a store
 *	breaks	-DBLIND		who queues up does not look whether there are
 *				enough by now
 *	breaks	-DNO_FLAG	who gives back forgets that others wait
 *	breaks	-DSTORE_LATE	who gives back drops the lock, then says what
 *				is new
 *	breaks	-DCANCEL -DANYHOW	who gave up says what is new although
 *				the flag was taken down meanwhile
 *	breaks	-DCANCEL -DNO_CLAIM	who gave up can be given units
 *	breaks	-DCANCEL -DNO_REMOVE	who gave up stays in the queue
 *
 * Two units, three tasks: one takes one, and then both; one takes one, one
 * takes both.  take_units(), raise_flag(), grant(), acquire_slow() and
 * wf_sem_release() of sem.c, step by step, in a memory with store buffers [sem]
 * [lock]; wf__wait() is the queue, the commit that drops the lock, and the
 * claim [claim].  That wf__ready() comes after all that was stored before it,
 * its own queue sees to: go is a store.
 *
 * What must hold: never more are held than there are; nobody waits for ever;
 * in the end all are free; and the semaphore is not touched any more when who
 * took both, after all others had theirs, frees it.
 */
#define THREADS 3
#define LOCS 5
#include "tso.inc"
#define STATE 0
#define HELD 1
#define GO(p) (2 + p)
#define QUEUE 1
#define UNIT 2
#define SIZE 2

chan queue = [THREADS] of { byte };
byte within;		/* units held */
byte left;		/* tasks but the first that gave back what they had */
bool freed;
byte want[THREADS];
byte claim[THREADS];	/* 1: given; 2: given up */
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

inline lock()
{
	assert(!freed);
	swap(p, HELD, 0, 1)
}

inline unlock()
{
	assert(!freed);
	store(p, HELD, 0)
}

inline take_units()
{
	do
	:: look();
		if
		:: (s & QUEUE) || s / UNIT + n > SIZE -> break
		:: else ->
			compare_and_swap(s + n * UNIT);
			mine = cas;
			if
			:: cas -> break
			:: else
			fi
		fi
	od
}

/* With the lock held: mine, or the flag is up. */
inline raise_flag()
{
	do
	:: true ->
#ifndef BLIND
		take_units();
#endif
		if
		:: mine -> break
		:: else
		fi;
		look();
		if
		:: s & QUEUE -> break
#ifndef BLIND
		:: !(s & QUEUE) && s / UNIT + n <= SIZE
#endif
		:: else ->
			compare_and_swap(s | QUEUE);
			if
			:: cas -> break
			:: else
			fi
		fi
	od
}

/* With the lock held, which is dropped: so many are back. */
inline grant(back)
{
	look();
	assert(s / UNIT >= back);
	s = s / UNIT - back;
	list = 0;
	do
	:: atomic { len(queue) > 0 -> queue?<other> };
		if
		:: s + want[other] <= SIZE ->
			atomic {
				queue?other;
				assert(waits[other]);
#ifndef NO_CLAIM
				if
				:: claim[other]
				:: else ->
					claim[other] = 1;
					s = s + want[other];
					list = list | (1 << other)
				fi
#else
				s = s + want[other];
				list = list | (1 << other)
#endif
			}
		:: else -> break
		fi
	:: len(queue) == 0 -> break
	od;
	s = s * UNIT;
#ifndef NO_FLAG
	s = s | (len(queue) > 0 -> QUEUE : 0);
#endif
#ifdef STORE_LATE
	unlock();
	store(p, STATE, s);
#else
	store(p, STATE, s);
	unlock();
#endif
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
	other = 0
}

/* wf_sem_acquire(), acquire_slow(): mine, or given up. */
inline acquire()
{
	mine = false;
	take_units();
	if
	:: mine
	:: else ->
		lock();
		raise_flag();
		if
		:: mine -> unlock()
		:: else -> queue_up()
		fi
	fi
}

/* With the lock held: wf__wait(), and what follows it. */
inline queue_up()
{
	atomic {
		claim[p] = 0;
		mem[GO(p)] = 0;
		want[p] = n;
		waits[p] = true;
		queue!p
	}
	unlock();			/* committed */
	if
	:: SEEN(p, GO(p)) ->
		waits[p] = false;
		mine = true
#ifdef CANCEL
	:: atomic { p == 2 && !claim[p] -> claim[p] = 2 } ->
		lock();
#ifndef NO_REMOVE
		d_step {
			if
			:: queue??[eval(p)] -> queue??eval(p)
			:: else
			fi
		}
#endif
		waits[p] = false;
#ifdef ANYHOW
		grant(0)
#else
		look();
		if
		:: s & QUEUE -> grant(0)
		:: else -> unlock()
		fi
#endif
#endif
	fi
}

/* release_slow(): mine stays true if nobody waits after all. */
inline give_to_waiters()
{
	lock();
	look();
	if
	:: s & QUEUE -> grant(n); mine = false
	:: else ->
		unlock()
	fi
}

inline release()
{
	do
	:: mine ->
		look();
		if
		:: s & QUEUE -> give_to_waiters()
		:: else ->
			assert(s / UNIT >= n);
#ifdef PLAIN_RELEASE
			store(p, STATE, s - n * UNIT);
			mine = false
#else
			compare_and_swap(s - n * UNIT);
			mine = !cas
#endif
		fi
	:: else -> break
	od
}

#define UNTOUCHED(k) (!LATE(k, 0, STATE) && !LATE(k, 1, STATE) && \
	!LATE(k, 0, HELD) && !LATE(k, 1, HELD))

proctype task(byte p, n)
{
	byte s, other, list;
	bool cas, mine;

	do
	:: true ->
		acquire();
		if
		:: mine ->
			within = within + n;
			assert(within <= SIZE);
#ifndef CANCEL
			if
			:: p == 0 && n == SIZE && left == 2 ->
				assert(UNTOUCHED(1) && UNTOUCHED(2));
				freed = true;
				break
			:: else
			fi;
#endif
			within = within - n;
			left = left + (p > 0 -> 1 : 0);
			release()
		:: else
		fi;
		if
		:: p == 0 && n < SIZE -> n = SIZE
		:: else -> break
		fi
	od;
	s = 0
}

init {
	atomic {
		run task(0, 1);
		run task(1, 1);
		run task(2, 2)
	}
	_nr_pr == THREADS + 1 && CLEAR(0) && CLEAR(1) && CLEAR(2);
	assert(freed || (mem[STATE] == 0 && len(queue) == 0 && !mem[HELD]))
}
