/* SPDX-License-Identifier: MIT */
/*
 * retire.pml - a worker that is one too many: its timers, its thread.
 *
 *	holds
 *	breaks	-DGLANCE	who retires hands over no timers where a look
 *				without the lock shows none
 *	breaks	-DNO_LOOK	who starts a timer does not look if the worker
 *				has retired
 *	breaks	-DMOVE_FIRST	the worker hands over its timers, then says
 *				that it has retired
 *	breaks	-DNO_MOVE	it does not hand them over
 *	breaks	-DBLIND		who leaves does not look at the limit again
 *	breaks	-DNO_START	when the limit grows, who has left is only
 *				woken
 *	breaks	-DNO_THREAD	no thread can be started for it, and it retires
 *				again without handing over its timers
 *
 * wf__retire() of retire.c, wf__sched_timer_place() of sched.c,
 * wf__workers_leave(), let_one_more_run() and set_limit() of workers.c,
 * wf__idle_wake_worker() of idle.c [wake].  Thread 0 is the worker.  Thread 1,
 * which is none, starts a timer there.  Thread 2 lowers the limit, then perhaps
 * raises it, for which there may be no thread, and lowers it again.  The words
 * are in a memory with store buffers (tso.inc); a lock is free when nothing
 * written under it is pending.  The worker above the limit sees to its timers:
 * that part is idle.pml's.
 *
 * What must hold when all stands still: a worker within the limit has a thread,
 * is up and not retired; the timer is with the heir, or with a worker that is
 * up.
 */
#define THREADS 3
#define LOCS 4
#include "tso.inc"
#define RETIRED 0
#define TIMER 1
#define LIMIT 2
#define WAKE 3
#define IDLE_LOCK_FREE (!PENDING(RETIRED) && !PENDING(WAKE))
#define AT_WORKER 1
#define AT_HEIR 2

bool growth;		/* that lock is held */
bool left, up;		/* left: under both locks, or one to read */

/* wf__timerq_move(), under both locks. */
inline move(p)
{
	d_step {
		CLEAR(p) && !PENDING(TIMER);
		if
		:: mem[TIMER] == AT_WORKER -> put(p, TIMER, AT_HEIR)
		:: else
		fi
	}
}

/* wf__idle_wake_worker(). */
inline wake(p)
{
	d_step {
		CLEAR(p) && IDLE_LOCK_FREE;
		if
		:: !left ->
			put(p, RETIRED, 0);
			put(p, WAKE, 1)
		:: else
		fi
	}
}

inline hold_growth(p)
{
	atomic { CLEAR(p) && !growth && !PENDING(LIMIT) -> growth = true }
}

inline say_retired()
{
	d_step { CLEAR(0) && IDLE_LOCK_FREE; put(0, RETIRED, 1) }
}

/* Thread 0, the loop of a worker. */
proctype worker()
{
	bool leaves;

	do
	:: leaves -> break
	:: else ->
		up = true;
		/* Runs; or sleeps, and set_limit() wakes it. */
endup:		CLEAR(0) && !mem[LIMIT];
		up = false;
#ifdef MOVE_FIRST
		move(0);
		say_retired();
#else
		say_retired();
#endif
#ifdef GLANCE
		if
		:: SEEN(0, TIMER) == AT_WORKER -> move(0)
		:: else
		fi;
#elif !defined MOVE_FIRST && !defined NO_MOVE
		move(0);
#endif
		do			/* sleep_on() */
		:: SEEN(0, WAKE) || SEEN(0, LIMIT) -> break
		:: else ->
			if
			:: CLEAR(0) && mem[WAKE]	/* woken */
			:: true ->			/* for long */
#ifdef BLIND
				leaves = true;
				left = true;
#else
				hold_growth(0);
				d_step {
					CLEAR(0) && IDLE_LOCK_FREE;
					leaves = !mem[WAKE] && !mem[LIMIT];
					left = leaves
				}
				growth = false;
#endif
				break
			fi
		od;
		if
		:: leaves
		:: else ->
			d_step {
				CLEAR(0) && IDLE_LOCK_FREE;
				put(0, RETIRED, 0);
				put(0, WAKE, 0)
			}
		fi
	od
}

/* Thread 1. */
proctype starter()
{
	d_step {
		CLEAR(1) && !PENDING(TIMER);
		put(1, TIMER, AT_WORKER)
	}
	if
#ifndef NO_LOOK
	:: SEEN(1, RETIRED) -> move(1)
	:: else ->
#else
	:: true ->
#endif
		if
		:: wake(1)		/* it is the first */
		:: true
		fi
	fi
}

/* Thread 2. */
inline lower()
{
	hold_growth(2);
	store(2, LIMIT, 0);
	wake(2);
	growth = false
}

/* No thread. */
inline leave_again()
{
	d_step {
		CLEAR(2) && IDLE_LOCK_FREE;
		left = true;
		put(2, RETIRED, 1)
	}
#ifndef NO_THREAD
	move(2);
#endif
	store(2, LIMIT, 0)
}

inline raise()
{
	hold_growth(2);
	store(2, LIMIT, 1);
#ifdef NO_START
	wake(2);
#else
	if
	:: left ->
		d_step {
			CLEAR(2) && IDLE_LOCK_FREE;
			left = false;
			put(2, RETIRED, 0)
		}
		if
		:: run worker()
		:: leave_again()
		fi
	:: else -> wake(2)
	fi;
#endif
	growth = false
}

proctype limiter()
{
	lower();
	if
	:: true ->
		raise();
		if
		:: lower()
		:: true
		fi
	:: true
	fi
}

/* When nothing else can happen. */
proctype judge()
{
end:	timeout;
	assert(!mem[LIMIT] || (up && !left && !mem[RETIRED]));
	assert(mem[TIMER] == AT_HEIR || up)
}

init {
	atomic {
		mem[LIMIT] = 1;
		run worker();
		run starter();
		run limiter();
		run judge()
	}
}
