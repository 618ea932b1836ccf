/* SPDX-License-Identifier: MIT */
/*
 * idle.pml - who sleeps while there is work, and who is woken.
 *
 *	holds
 *	holds	-DFOREIGN	who pushes is no worker
 *	holds	-DPINNED	a task that only one worker may run
 *	holds	-DPOLLER	one sleeps in the poller; an event comes
 *	holds	-DSHORT		some sleeps are short: an ordinary fence
 *	holds	-DBUSY -DMONITOR	a task computes for ever
 *	holds	-DBUSY -DHEAVY_FOUND	likewise, without the monitor, if who
 *				has found work had the heavy fence too
 *	breaks	-DBUSY		without either: what the monitor is for
 *	breaks	-DBUSY -DHEAVY_FOUND -DNO_TOKEN	who sees work on his
 *				way to sleep does not take the token for it
 *	breaks	-DNO_HEAVY	who goes to sleep has an ordinary fence
 *	breaks	-DSHORT -DNO_END	likewise, but the timer that makes a
 *				sleep short does not come
 *	breaks	-DFOREIGN -DLIGHT_PUSH	and has no ordinary fence
 *	breaks	-DLOOK_FIRST	he looks for work, then is on the idle list
 *	breaks	-DNO_LOOK	he does not look
 *	breaks	-DTOKEN_LATE	he looks, then gives the token back
 *	breaks	-DTOKEN_LOST	who is woken does not take the token
 *	breaks	-DNO_WORD	the sleep does not begin with a look at the
 *				word that the waker writes
 *	breaks	-DPINNED -DNO_INBOX -DONLY_LISTED	he does not look at his
 *				inbox, and is told only when on the list
 *	breaks	-DPOLLER -DFUTEX_ONLY	who sleeps in the poller is woken
 *				like others
 *	breaks	-DPOLLER -DNO_BED	the poller is left to who looks by
 *				chance
 *
 * Two workers, and a thread that pushes two tasks to the shared queue
 * (wf__share_push(), wf__idle_notify(), wf__idle_wake()).  A worker takes one
 * (wf__share_take()), gives the token back and wakes the next one
 * (wf__search_over()), runs it; or searches with the token (search()); or
 * sleeps: list_idle(), the heavy fence, is_wanted(), doze(), wf__idle_rise() of
 * idle.c [idle] [wake].
 * The thread stands for a worker that does not sleep, and fills its ring; or
 * with FOREIGN it is none, and the last of the two workers has the ordinary
 * fence.  All words are in a memory with store buffers.  One sleep may end by
 * a timer; a short one (fence_for()) does.
 *
 * What must hold: when all stands still, all tasks have been run, except that
 * a task may wait while all workers compute; the token is not lost.
 *
 * Left out: a worker's own ring, which its worker empties before it sleeps and
 * which counts like the shared queue when it is long; retired workers.
 */
#ifdef MONITOR
#define THREADS 4
#else
#define THREADS 3
#endif
#define LOCS 7
#include "tso.inc"
#define PUSHER 2
#define LENGTH 0	/* of the shared queue */
#define N_IDLE 1
#define SEARCHING 2
#define WAKE(w) (3 + w)
#define INBOX 5		/* length of worker 0's */
#define IN_POLLER 6	/* a worker's number + 1 */

/* The idle lock: held, or its last stores are on their way. */
#define IDLE_FREE (!idle_held && !PENDING(N_IDLE) && !PENDING(WAKE(0)) && \
	!PENDING(WAKE(1)) && !PENDING(IN_POLLER))

/* enum wf__wake */
#define ASLEEP 0
#define POLLS 1
#define SEARCH 2
#define LOOK 3

#define TASKS 2
#ifdef POLLER
#define PUSHES 1	/* and an event */
#else
#define PUSHES 2
#endif

bool idle_held;
bool on_idle[2];	/* under the idle lock */
bool asleep[2];		/* in the futex */
bool kicked;		/* the poller: wf__os_poll_wake() */
byte events;		/* the kernel has for the poller */
byte ran;
byte stuck;		/* workers that compute for ever */
bool timer = true;	/* may end one sleep */
#ifdef SHORT
byte shorts = 1;	/* sleeps with a timer that comes soon */
#endif

/* rouse(), of a worker that was in the poller or not. */
inline rouse(p, w, poller)
{
	CLEAR(p);			/* a system call */
#ifdef FUTEX_ONLY
	asleep[w] = false;
#else
	if
	:: poller -> kicked = true
	:: else -> asleep[w] = false
	fi;
#endif
	poller = false;
	w = 0
}

/* Under the idle lock, as stores behind one another. */
inline unlist(p, w)
{
	on_idle[w] = false;
	put(p, N_IDLE, mem[N_IDLE] - 1)
}

/* wf__idle_wake(), by thread p; w and poller are its variables. */
inline idle_wake(p)
{
	atomic {
		CLEAR(p) && IDLE_FREE;
		/* first_sleeper(): the one in the poller if there is no
		 * other. */
		if
		:: on_idle[0] && (!on_idle[1] || mem[WAKE(0)] != POLLS) -> w = 0
		:: on_idle[1] && (!on_idle[0] || mem[WAKE(1)] != POLLS) -> w = 1
		:: !on_idle[0] && !on_idle[1] -> w = 2
		fi;
		if
		:: w < 2 && !mem[SEARCHING] ->
			mem[SEARCHING] = 1;
			poller = (mem[WAKE(w)] == POLLS);
			unlist(p, w);
			put(p, WAKE(w), SEARCH)
		:: else -> w = 2
		fi
	}
	if
	:: w < 2 -> rouse(p, w, poller)
	:: else -> w = 0
	fi
}

/* wf__idle_wake_worker(), of worker 0. */
inline idle_wake_worker(p)
{
	w = 0;
	atomic {
		CLEAR(p) && IDLE_FREE;
#ifdef ONLY_LISTED
		if
		:: on_idle[0] ->
			poller = (mem[WAKE(0)] == POLLS);
			unlist(p, 0);
			put(p, WAKE(0), LOOK)
		:: else
		fi
#else
		if
		:: mem[WAKE(0)] <= POLLS ->
			poller = (mem[WAKE(0)] == POLLS);
			put(p, WAKE(0), LOOK)
		:: else
		fi;
		if
		:: on_idle[0] -> unlist(p, 0)
		:: else
		fi
#endif
	}
	rouse(p, w, poller)
}

/* wf__share_take(): takes is true if there was one. */
inline share_take(p)
{
	if
	:: SEEN(p, LENGTH) > 0 ->
		atomic {
			CLEAR(p) && !PENDING(LENGTH);
			if
			:: mem[LENGTH] > 0 ->
				put(p, LENGTH, mem[LENGTH] - 1);
				takes = true
			:: else
			fi
		}
	:: else
	fi
}

inline take_pinned(p)
{
	if
	:: p == 0 && SEEN(p, INBOX) > 0 ->
		atomic {
			CLEAR(p) && !PENDING(INBOX);
			put(p, INBOX, 0);
			takes = true
		}
	:: else
	fi
}

/* wf__sched_poll() */
inline poll(p)
{
#ifdef POLLER
	if
	:: !takes && !SEEN(p, IN_POLLER) ->
		atomic {
			if
			:: events > 0 -> events--; takes = true
			:: else
			fi
		}
	:: else
	fi
#else
	skip
#endif
}

/* wf__idle_rise() */
inline rise(p)
{
	atomic {
		CLEAR(p) && IDLE_FREE;
		idle_held = true;
		if
		:: on_idle[p] -> unlist(p, me)
		:: else
		fi;
#ifndef TOKEN_LOST
		searching = (searching || mem[WAKE(p)] == SEARCH);
#endif
		put(p, WAKE(p), ASLEEP);
#ifndef POLLER
		idle_held = false
#endif
	}
#ifdef POLLER
	atomic {
		CLEAR(p);
		if
		:: mem[IN_POLLER] == p + 1 -> put(p, IN_POLLER, 0)
		:: else
		fi;
		idle_held = false
	}
#endif
}

/* list_idle() */
inline list(p)
{
	atomic {
		CLEAR(p) && IDLE_FREE;
		idle_held = true;
		on_idle[p] = true;
#ifdef FOREIGN
		last = on_idle[1 - p];
#endif
		put(p, N_IDLE, mem[N_IDLE] + 1);
#ifndef TOKEN_LATE
		if
		:: searching -> searching = false; put(p, SEARCHING, 0)
		:: else
		fi;
#endif
#ifndef POLLER
		idle_held = false
#endif
	}
#ifdef POLLER
	/* choose_bed() */
	atomic {
		CLEAR(p);
#ifndef NO_BED
		if
		:: !mem[IN_POLLER] && mem[WAKE(p)] == ASLEEP ->
			put(p, IN_POLLER, p + 1);
			put(p, WAKE(p), POLLS)
		:: else
		fi;
#endif
		idle_held = false
	}
#endif
}

/* is_wanted(), and the inbox */
inline look(p)
{
	if
	:: SEEN(p, SEARCHING) -> wanted = false
	:: else -> wanted = (SEEN(p, LENGTH) > 0)
	fi;
#if defined PINNED && !defined NO_INBOX
	wanted = (wanted || (p == 0 && SEEN(p, INBOX)));
#endif
#ifdef NO_LOOK
	wanted = false
#endif
}

/* doze() */
inline doze(p)
{
	CLEAR(p);			/* a system call */
	if
	:: mem[IN_POLLER] == p + 1 ->
end_poller:	if
		:: atomic { kicked -> kicked = false }
		:: atomic { events > 0 -> events--; takes = true }
		:: atomic { timer -> timer = false }
		fi
#if defined SHORT && !defined NO_END
	:: mem[IN_POLLER] != p + 1 && brief
	:: mem[IN_POLLER] != p + 1 && !brief ->
#else
	:: else ->
#endif
#ifdef NO_WORD
		asleep[p] = true;
#else
		asleep[p] = (mem[WAKE(p)] == ASLEEP);
#endif
end_futex:	if
		:: !asleep[p]
		:: atomic { timer -> timer = false; asleep[p] = false }
		fi
	fi
}

/* The searcher's token, if nobody has it. */
inline take_token(p)
{
	atomic {
		CLEAR(p);
		searching = !mem[SEARCHING];
		mem[SEARCHING] = 1
	}
}

/* wf__idle_sleep() */
inline sleep(p)
{
#ifdef LOOK_FIRST
	look(p);
	list(p);
	heavy(p);
#else
	list(p);
#ifdef NO_HEAVY
	fence(p);
#elif defined SHORT
	if
	:: atomic { shorts > 0 -> shorts-- }; brief = true; fence(p)
	:: true -> brief = false; heavy(p)
	fi;
#else
	if
	:: last -> fence(p)
	:: else -> heavy(p)
	fi;
#endif
	look(p);
#endif
#ifdef TOKEN_LATE
	if
	:: searching -> searching = false; store(p, SEARCHING, 0)
	:: else
	fi;
#endif
	if
	:: !wanted -> doze(p)
	:: else ->
		wanted = false;
#ifndef NO_TOKEN
		take_token(p)
#endif
	fi;
	rise(p)
}

/* wf__search_over() */
inline found(p)
{
	if
	:: searching ->
		searching = false;
		store(p, SEARCHING, 0);
#ifdef HEAVY_FOUND
		heavy(p);
#else
		fence(p);
#endif
		if
		:: SEEN(p, N_IDLE) && SEEN(p, LENGTH) -> idle_wake(p)
		:: else
		fi
	:: else
	fi
}

/* loop(); search() in one round. */
proctype worker(byte p)
{
	bool searching, takes, wanted, poller, last;
#ifdef SHORT
	bool brief;
#endif
	byte w, me = p;

end:	do
	:: true ->
		take_pinned(p);
		if
		:: !takes -> share_take(p)
		:: else
		fi;
		poll(p);
		if
		:: !takes && !searching -> take_token(p)
		:: else
		fi;
		if
		:: !takes && searching -> share_take(p)
		:: else
		fi;
		if
		:: takes ->
			takes = false;
			found(p);
			ran++;
#ifdef BUSY
			if
			:: true
			:: stuck == 0 ->
				stuck++;
end_stuck:			false
			fi
#endif
		:: else -> sleep(p)
		fi
	od
}

proctype pusher()
{
	byte n, w;
	bool poller;

	do
	:: n < PUSHES ->
		n++;
#ifdef PINNED
		if
		:: n == 2 ->
			atomic {
				CLEAR(PUSHER) && !PENDING(INBOX);
				put(PUSHER, INBOX, 1)
			}
			idle_wake_worker(PUSHER);
			break
		:: else
		fi;
#endif
		atomic {
			CLEAR(PUSHER) && !PENDING(LENGTH);
			put(PUSHER, LENGTH, mem[LENGTH] + 1)
		}
#if defined FOREIGN && !defined LIGHT_PUSH
		fence(PUSHER);
#endif
		/* wf__idle_notify(): the light fence, then */
		if
		:: SEEN(PUSHER, N_IDLE) && !SEEN(PUSHER, SEARCHING) ->
			idle_wake(PUSHER)
		:: else
		fi
	:: else -> break
	od
}

/* Something happens on a descriptor. */
proctype outside()
{
	events++
}

#ifdef MONITOR
#define MONITOR_THREAD 3
#define LOOKS 2
/* compensate(): every 10 ms, so when all that goes on by itself is over. */
active proctype monitor()
{
	byte w, looks;
	bool poller;

	do
	:: looks < LOOKS ->
		timeout;
		looks++;
		if
		:: SEEN(MONITOR_THREAD, LENGTH) &&
		    SEEN(MONITOR_THREAD, N_IDLE) -> idle_wake(MONITOR_THREAD)
		:: else
		fi
	:: else -> break
	od;
	run judge()
}
#endif

proctype judge()
{
	atomic {
		timeout;
		assert(ran == TASKS);
		assert(!mem[SEARCHING]);
		assert(mem[N_IDLE] == 2 - stuck)
	}
end:	false
}

init {
	atomic {
		run worker(0);
		run worker(1);
		run pusher();
#ifdef POLLER
		run outside();
#endif
#ifndef MONITOR
		run judge()
#endif
	}
}
