/* SPDX-License-Identifier: MIT */
/*
 * thread.pml - a thread that is not weft's waits, and is made ready.
 *
 *	holds
 *	breaks	-DWAKE_FIRST	the futex is woken, then set
 *	breaks	-DNO_LOOP	who comes out of the futex takes that for the
 *				end
 *	breaks	-DNO_CLAIM	the deadline does not ask who was first
 *	breaks	-DNO_COMPARE	the kernel does not look at the word again
 *
 * park_thread() and ready_thread() of park.c.  The thread waits twice, each
 * time on the same place of its stack, so that a wake meant for the first wait
 * may come in the second one.  Who makes it ready wins its claim [claim],
 * stores the futex [thread], and wakes; a store may be late (tso.inc), but a
 * system call is a fence.
 *
 * What must hold: the thread goes on only when it was made ready or won its
 * claim by the deadline; nobody writes into a wait that is over; nobody sleeps
 * for ever.
 */
#define THREADS 3
#define LOCS 2
#include "tso.inc"
#define CLAIM 0
#define FUTEX 1
#define BY_READY 1
#define BY_DEADLINE 2

bool asleep;		/* in the kernel */
bool waiting;		/* the waiter can be found; under the object's lock,
			 * as taken by who makes ready */
byte done;

/* Thread 0. */
proctype waiter()
{
	bool deadline;
	byte n;

	do
	:: n < 2 ->
		store(0, CLAIM, 0);
		store(0, FUTEX, 0);
		fence(0);		/* the object's lock */
		waiting = true;		/* and it is dropped: commit */
		if
		:: deadline = true
		:: deadline = false
		fi;
		do
		:: SEEN(0, FUTEX) -> break
		:: else ->
			if
			:: deadline ->	/* it has passed */
				deadline = false;
#ifdef NO_CLAIM
				break
#else
				if
				:: atomic { CLEAR(0) && mem[CLAIM] == 0 ->
				    mem[CLAIM] = BY_DEADLINE } -> break
				:: atomic { CLEAR(0) && mem[CLAIM] != 0 }
				fi
#endif
			:: true
			fi;
			/* The kernel compares and goes to sleep at once. */
			CLEAR(0);
#ifdef NO_COMPARE
			asleep = true;
#else
			asleep = !mem[FUTEX];
#endif
			if
			:: !asleep
			:: deadline -> asleep = false	/* timed out */
			fi;
#ifdef NO_LOOP
			if
			:: !deadline -> break
			:: else
			fi
#endif
		od;
		/* The object's lock: the waiter is off, or is taken off. */
		atomic {
			CLEAR(0);
			assert(mem[CLAIM]);
			assert(mem[CLAIM] == BY_DEADLINE || mem[FUTEX]);
			waiting = false
		}
		n++
	:: else -> break
	od;
	done = 1
}

/* Threads 1 and 2 make ready who waits. */
proctype maker(byte p)
{
	bool won;

	do
	:: done -> break
	:: d_step {			/* under the object's lock */
		CLEAR(p) && waiting;
		waiting = false;
		won = !mem[CLAIM];
		mem[CLAIM] = (won -> BY_READY : mem[CLAIM])
	   } ->
		if
		:: won ->
#ifdef WAKE_FIRST
			CLEAR(p);
			asleep = false;
			store(p, FUTEX, 1)
#else
			store(p, FUTEX, 1);
			CLEAR(p);
			asleep = false
#endif
		:: else
		fi
	od
}

init {
	atomic {
		run waiter();
		run maker(1);
		run maker(2)
	}
}
