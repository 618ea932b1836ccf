/* SPDX-License-Identifier: MIT */
/*
 * mutex.pml - lock, unlock, the waiters, the hand-over.
 *
 *	holds
 *	holds	-DCANCEL	one gives up at any time
 *	breaks	-DPLAIN_UNLOCK	unlock is a load and a store
 *	breaks	-DBLIND		who queues up does not look whether the mutex
 *				is free by now
 *	breaks	-DKEEP_WOKEN	the one who was woken and loses keeps WOKEN up
 *	breaks	-DNO_QUEUED	unlock forgets that others wait
 *	breaks	-DSTORE_LATE	unlock drops the lock, then says what is new
 *	breaks	-DWAKE_AFTER	unlock frees the mutex, then looks for waiters
 *	breaks	-DCANCEL -DNO_CLAIM	who gave up can be handed the mutex
 *	breaks	-DCANCEL -DNO_REMOVE	who gave up stays in the queue
 *
 * Three tasks lock and unlock, one of them twice.  lock_slow(), show_queue(),
 * hide_queue(), take_hand_over(), pass_on() and unlock_slow() of mutex.c, step
 * by step, in a memory with store buffers [mutex] [lock]; wf__wait() is the
 * queue, the commit that drops the lock, and the claim [claim].  That
 * wf__ready() comes after all that was stored before it, its own queue sees
 * to: go is a store.  Spinning is one try, or none; whether a waiter starves
 * is by chance.
 *
 * What must hold: one at a time; nobody waits for ever; the mutex is not
 * touched any more when the last one who had it frees it after unlock.
 */
#define THREADS 3
#define LOCS 5
#include "tso.inc"
#define STATE 0
#define HELD 1
#define GO(p) (2 + p)
#define LOCKED 1
#define HANDED 2
#define WOKEN 4
#define QUEUED 8

chan queue = [THREADS] of { byte };
byte within;		/* the mutex */
byte left;		/* times that it was */
bool freed;
bool handed[THREADS];	/* the waiter's turn */
byte claim[THREADS];	/* 1: unlocked for it; 2: given up */
bool waits[THREADS];	/* between wf__wait() and its return */

inline touch()
{
	assert(!freed)
}

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
	touch();
	swap(p, HELD, 0, 1)
}

inline unlock()
{
	touch();
	store(p, HELD, 0)
}

/* With the lock held. */
inline show_queue()
{
	do
	:: look();
		if
#ifdef BLIND
		:: false
#else
		:: !(s & LOCKED) ->
			compare_and_swap((s & ~token) | LOCKED);
			if
			:: cas -> mine = true; break
			:: else
			fi
#endif
		:: else ->
#ifdef KEEP_WOKEN
			compare_and_swap(s | QUEUED);
#else
			compare_and_swap((s & ~token) | QUEUED);
#endif
			if
			:: cas -> break
			:: else
			fi
		fi
	od
}

/* With the lock held. */
inline hide_queue()
{
	do
	:: look();
		if
		:: len(queue) == 0 && (s & QUEUED) ->
			compare_and_swap(s & ~QUEUED);
			if
			:: cas -> break
			:: else
			fi
		:: else -> break
		fi
	od
}

/* wf__mutex_lock(), lock_slow(): mine, or given_up. */
inline lock_mutex()
{
	mine = false;
	given_up = false;
	token = 0;
	s = 0;
	compare_and_swap(LOCKED);
	mine = cas;
	do
	:: mine || given_up -> break
	:: else ->
		if
		:: true ->		/* spin(), one try */
			look();
			if
			:: !(s & (LOCKED | HANDED)) ->
				compare_and_swap((s & ~token) | LOCKED);
				mine = cas
			:: else
			fi
		:: true			/* or none */
		fi;
		if
		:: !mine ->
			lock();
			show_queue();
			if
			:: mine -> unlock()
			:: else -> queue_up()
			fi
		:: else
		fi
	od
}

/* With the lock held: wf__wait(), and what follows it. */
inline queue_up()
{
#ifdef CANCEL
	if
	:: p == 2 ->			/* given up before it began */
		hide_queue();
		unlock();
		given_up = true;
		goto up
	:: true
	fi;
#endif
	atomic {
		claim[p] = 0;
		handed[p] = false;
		mem[GO(p)] = 0;
		waits[p] = true;
		if
		:: token -> was_first(p)
		:: else -> queue!p
		fi
	}
	unlock();			/* committed */
	if
	:: SEEN(p, GO(p)) ->
		waits[p] = false;
		if
		:: handed[p] ->		/* take_hand_over() */
			do
			:: look();
				assert((s & HANDED) && (s & LOCKED));
				compare_and_swap(s & ~HANDED);
				if
				:: cas -> break
				:: else
				fi
			od;
			mine = true
		:: else -> token = WOKEN
		fi
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
		hide_queue();
		unlock();
		given_up = true
#endif
	fi;
up:	skip
}

/* Before those who wait already. */
inline was_first(who)
{
	other = len(queue);
	queue!who;
	do
	:: other > 0 -> queue?cas2; queue!cas2; other--
	:: else -> break
	od;
	cas2 = 0
}

/* pass_on(): mine stays true if nobody waits. */
inline pass_on()
{
	lock();
	other = THREADS;
	do
	:: other == THREADS && len(queue) > 0 ->
		atomic {
			queue?other;
			assert(waits[other]);
#ifndef NO_CLAIM
			if
			:: claim[other] -> other = THREADS
			:: else -> claim[other] = 1
			fi
#endif
		}
	:: else -> break
	od;
	if
	:: other == THREADS ->
		hide_queue();
		unlock()
	:: else ->
		if
		:: handed[other] = true; s = LOCKED | HANDED
		:: s = WOKEN
		fi;
#ifndef NO_QUEUED
		s = s | (len(queue) > 0 -> QUEUED : 0);
#endif
#ifdef STORE_LATE
		unlock();
		store(p, STATE, s);
#else
		store(p, STATE, s);
		unlock();
#endif
		store(p, GO(other), 1);
		mine = false
	fi;
	other = 0
}

#ifdef WAKE_AFTER
inline wake_one()
{
	lock();
	if
	:: len(queue) > 0 -> queue?other
	:: else -> other = THREADS
	fi;
	hide_queue();
	unlock();
	if
	:: other < THREADS -> store(p, GO(other), 1)
	:: else
	fi;
	other = 0
}
#endif

/* wf__mutex_unlock(), unlock_slow() */
inline unlock_mutex()
{
#if defined PLAIN_UNLOCK
	look();
	if
	:: s == LOCKED -> touch(); store(p, STATE, 0); mine = false
	:: else
	fi;
#elif !defined WAKE_AFTER
	s = LOCKED;
	compare_and_swap(0);
	mine = !cas;
#endif
	do
	:: mine ->
		look();
		assert(s & LOCKED);
#ifdef WAKE_AFTER
		compare_and_swap(s & ~(LOCKED | HANDED));
		if
		:: cas ->
			mine = false;
			if
			:: s & QUEUED -> wake_one()
			:: else
			fi
		:: else
		fi
#else
		if
		:: (s & QUEUED) && !(s & WOKEN) -> pass_on()
		:: else ->
			compare_and_swap(s & ~(LOCKED | HANDED));
			mine = !cas
		fi
#endif
	:: else -> break
	od
}

#define UNTOUCHED(k) (!LATE(k, 0, STATE) && !LATE(k, 1, STATE) && \
	!LATE(k, 0, HELD) && !LATE(k, 1, HELD))

proctype task(byte p, times)
{
	byte s, token, other, cas2;
	bool cas, mine, given_up, last;

	do
	:: times > 0 ->
		times--;
		lock_mutex();
		if
		:: mine ->
			within++;
			assert(within == 1);
			left++;
			last = (left == 4);
			within--;
			unlock_mutex()
		:: else
		fi
	:: else -> break
	od;
#ifndef CANCEL
	if
	:: last ->
		freed = true;
		assert(mem[STATE] == 0 && len(queue) == 0);
		assert(UNTOUCHED(0) && UNTOUCHED(1) && UNTOUCHED(2))
	:: else
	fi;
#endif
	s = 0;
	token = 0
}

init {
	atomic {
		run task(0, 2);
		run task(1, 1);
		run task(2, 1)
	}
	_nr_pr == THREADS + 1 && CLEAR(0) && CLEAR(1) && CLEAR(2);
	assert(mem[STATE] == 0 && len(queue) == 0 && !mem[HELD])
}
