/* SPDX-License-Identifier: MIT */
/*
 * park.pml - a coroutine parks, with a deadline, and is made ready.
 *
 *	holds
 *	breaks	-DCOMMIT_FIRST	the lock is dropped before the switch
 *	breaks	-DTIMER_LAST	the deadline is started after the lock is
 *				dropped
 *	breaks	-DNO_CLAIM	the deadline does not ask who was first
 *	breaks	-DHOME_FIRST	a timer that fires is not at home any more
 *				before it has claimed
 *	breaks	-DNO_STOP	the wait is left with its timer running
 *	breaks	-DNO_REMOVE	who was woken by the deadline stays in the queue
 *
 * The coroutine waits for a permit of an object, three times: under the
 * object's lock it queues up and parks, wf__await().  Its worker switches to
 * its own stack and settles (settle() of park.c): starts the deadline, then
 * commits, that is, drops the lock [publish].  A thread gives permits, to who
 * waits: takes the waiter off, claims it [claim], drops the lock, calls
 * wf__ready().  Either worker takes the coroutine from the run queue, and runs
 * timers (collect() of timerq.c) [fire].
 *
 * What must hold: nobody runs the coroutine before its registers are saved, it
 * is in the run queue once at most, its timer and its waiter belong to the
 * wait that goes on; and no permit is lost, nor a wake-up: all come to their
 * end.
 */
#define WAITS 3
#define PERMITS 2
#define BY_QUEUE 1
#define BY_DEADLINE 2

bool locked;		/* the object's lock */
bool queued;		/* the waiter is in its queue */
byte permits;		/* given when nobody waited */
byte given, got;

byte on;		/* the worker whose thread is on the coroutine's stack,
			 * + 1 */
bool saved;		/* its registers */
byte runnable;		/* times that it is in the run queue */
bool run_by[2];		/* the worker has switched to it, and not back */
bool over;

byte claim;
bool waiting;		/* between the open claim and the end of the wait */
bool post[2];		/* the worker has one to settle */

bool heap_locked;	/* the timer's queue */
bool home;		/* the timer is in it */

inline lock(l)
{
	d_step { !l; l = true }
}

inline unlock(l)
{
	assert(l);
	l = false
}

inline ready()
{
	d_step {
		runnable++;
		assert(runnable == 1)
	}
}

/* wf_mutex_lock(), wf_sem_acquire() and their like, with a deadline. */
proctype coroutine()
{
	byte n, w;

	on != 0;
	do
	:: n < WAITS ->
		lock(locked);
		if
		:: permits > 0 ->
			permits--;
			got++;
			unlock(locked);
			goto next
		:: else
		fi;
		d_step {		/* wf__park_self() */
			claim = 0;
			waiting = true;
			queued = true
		}
		w = on - 1;
#ifdef COMMIT_FIRST
		unlock(locked);
#endif
		post[w] = true;
		d_step {		/* wf__switch() */
			saved = true;
			on = 0;
			run_by[w] = false
		}
		on != 0;		/* and back, on any worker */
		assert(claim);
#ifndef NO_STOP
		/* wf__timer_stop() */
		if
		:: home ->
			lock(heap_locked);
			home = false;
			unlock(heap_locked)
		:: else
		fi;
#endif
		lock(locked);
#ifndef NO_REMOVE
		queued = false;
#endif
		if
		:: claim == BY_QUEUE -> got++
		:: else
		fi;
		waiting = false;
		unlock(locked);
next:
		n++
	:: else -> break
	od;
	atomic {
		over = true;
		run_by[on - 1] = false;
		on = 0
	}
}

proctype giver()
{
	bool won;
	byte n;

	for (n : 1 .. PERMITS) {
		lock(locked);
		won = false;
		if
		:: queued ->
			assert(waiting);
			queued = false;
			/* wf__waiter_win() */
			d_step {
				won = !claim;
				claim = (won -> BY_QUEUE : claim)
			}
		:: else
		fi;
		given++;
		if
		:: !won -> permits++
		:: else
		fi;
		unlock(locked);
		if
		:: won -> ready()
		:: else
		fi
	}
}

/* settle() */
inline settle(w)
{
	if
	:: post[w] ->
		post[w] = false;
#ifndef TIMER_LAST
		lock(heap_locked);
		assert(waiting && !home);
		home = true;
		unlock(heap_locked);
#endif
#ifndef COMMIT_FIRST
		unlock(locked);
#endif
#ifdef TIMER_LAST
		lock(heap_locked);
		assert(waiting && !home);
		home = true;
		unlock(heap_locked)
#endif
	:: else
	fi
}

/* collect() */
inline run_timers()
{
	lock(heap_locked);
	wins = false;
	if
	:: home ->
#ifdef HOME_FIRST
		home = false;
#endif
		d_step {
			assert(waiting);
#ifdef NO_CLAIM
			wins = true;
#else
			wins = !claim;
#endif
			claim = (wins -> BY_DEADLINE : claim)
		}
		home = false
	:: else
	fi;
	unlock(heap_locked);
	if
	:: wins -> ready()
	:: else
	fi
}

proctype worker(byte w)
{
	bool wins;

	do
	:: atomic { runnable > 0; runnable-- } ->
		assert(saved && !on && !over);
		d_step {
			saved = false;
			run_by[w] = true;
			on = w + 1
		}
		!run_by[w];
		settle(w)
	:: home -> run_timers()		/* it is due */
	:: over -> break
	od
}

init {
	atomic {
		saved = true;
		runnable = 1;
		run coroutine();
		run giver();
		run worker(0);
		run worker(1)
	}
	_nr_pr == 1;
	assert(given == PERMITS && got + permits == given);
	assert(!locked && !heap_locked && !home && !runnable)
}
