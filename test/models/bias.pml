/* SPDX-License-Identifier: MIT */
/*
 * bias.pml - the biased lock around a run queue, and who steals from it.
 *
 *	holds
 *	holds	-DPLAIN		no asymmetric fences: revoked for ever
 *	breaks	-DNO_HEAVY	the thief has an ordinary fence only
 *	breaks	-DNO_LIGHT	the compiler moves the owner's look up
 *	breaks	-DOUT_EARLY	the owner is out before its last store
 *	breaks	-DNO_WAIT	the thief takes what it wants at once
 *	breaks	-DEARLY_RETURN	the bias is given back before the loot is
 *				off the queue
 *
 * The owner pushes and pops (wf__runq_push(), wf__runq_pop()) under
 * wf__bias_enter() and _leave(); two thieves take the older half under
 * wf__bias_steal() and _return() (wf__runq_steal()).  Words: inside, revoked
 * [bias]; held is the lock's [lock]; head and tail are the ring's, and a task
 * is its number in the ring: so each number must come out exactly once, and
 * who is inside is alone.
 *
 * Left out: the next slot, which is under the same lock, and the spill.
 */
#define THREADS 3
#define LOCS 5
#include "tso.inc"
#define INSIDE 0
#define REVOKED 1
#define HELD 2
#define HEAD 3
#define TAIL 4
#define TASKS 3

byte taken[TASKS];	/* how often */
byte within;		/* how many are in the critical section */

inline take(p, n)
{
	assert(n < TASKS && !taken[n]);
	taken[n]++
}

inline lock(p)
{
	swap(p, HELD, 0, 1)
}

inline unlock(p)
{
	store(p, HELD, 0)
}

/* wf__bias_enter() */
inline enter()
{
#ifdef NO_LIGHT
	revoked = SEEN(0, REVOKED);
	store(0, INSIDE, 1);
#else
	store(0, INSIDE, 1);
	revoked = SEEN(0, REVOKED);
#endif
	if
	:: revoked -> store(0, INSIDE, 0); lock(0)
	:: else
	fi;
	within++;
	assert(within == 1)
}

/* wf__bias_leave() */
inline leave()
{
	within--;
	if
	:: SEEN(0, INSIDE) -> store(0, INSIDE, 0)
	:: else -> unlock(0)
	fi
}

proctype owner()
{
	byte pushed, n, revoked;

	do
	:: pushed < TASKS ->
		enter();
		n = SEEN(0, TAIL);
		store(0, TAIL, n + 1);
		leave();
		pushed++
	:: true ->
		enter();
		n = SEEN(0, HEAD);
		if
		:: n != SEEN(0, TAIL) ->
			take(0, n);
#ifdef OUT_EARLY
			leave();
			store(0, HEAD, n + 1)
#else
			store(0, HEAD, n + 1);
			leave()
#endif
		:: else ->
			leave();
			if
			:: pushed == TASKS -> break
			:: else
			fi
		fi
	od;
	n = 0
}

proctype thief(byte p)
{
	byte head, n, tries;

	do
	:: tries < 2 ->
		tries++;
		lock(p);
#ifndef PLAIN
		store(p, REVOKED, 1);
#ifdef NO_HEAVY
		fence(p);
#else
		heavy(p);
#endif
		/* STEAL_SPINS: it may give up at any time. */
		if
#ifdef NO_WAIT
		:: true
#else
		:: !SEEN(p, INSIDE)
#endif
		:: true -> goto back
		fi;
#endif
		within++;
		assert(within == 1);
		head = SEEN(p, HEAD);
		n = (SEEN(p, TAIL) - head + 1) / 2;
#ifdef EARLY_RETURN
		store(p, REVOKED, 0);
#endif
		do
		:: n > 0 ->
			take(p, head);
			head++;
			n--
		:: else -> break
		od;
		store(p, HEAD, head);
		within--;
back:
#ifndef PLAIN
		store(p, REVOKED, 0);
#endif
		unlock(p)
	:: true -> break
	od;
	head = 0;
	tries = 0
}

/* When all is over, what is left in the ring was never taken. */
init {
	byte n;

	atomic {
#ifdef PLAIN
		mem[REVOKED] = 1;
#endif
		run owner();
		run thief(1);
		run thief(2)
	}
	_nr_pr == THREADS + 1 && CLEAR(0) && CLEAR(1) && CLEAR(2);
	assert(mem[HEAD] == mem[TAIL] && mem[TAIL] == TASKS);
	assert(!mem[HELD] && !mem[INSIDE]);
	for (n : 0 .. TASKS - 1) {
		assert(taken[n] == 1)
	}
}
