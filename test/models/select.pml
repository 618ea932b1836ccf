/* SPDX-License-Identifier: MIT */
/*
 * select.pml - one of several operations on channels.
 *
 *	holds
 *	holds	-DSAME		both cases of a select on one channel
 *	holds	-DCROSSED	two selects that meet on two channels
 *	breaks	-DNO_CLAIM	a waiter is won by taking it off
 *	breaks	-DFIRST_FIRST	the lock that the resumed task takes first is
 *				dropped first
 *	breaks	-DNO_DEQUEUE	the losers' waiters stay where they are
 *	breaks	-DCROSSED -DUNORDERED	locks are taken in the order of the
 *				cases
 *	breaks	-DNO_STOP	the deadline's timer is left running
 *	breaks	-DONE_BY_ONE	a case is judged when its lock is taken, and
 *				queued up: no one instant
 *	breaks	-DCROSSED -DCLOSE_ONE	close wakes one waiter of each
 *				side
 *
 * Two channels without a buffer.  A task does one select of one or two cases
 * (a send or a receive is one of one case, but for the claim): locks the
 * channels in order, runs a case that is ready, or queues a waiter for each,
 * parks, and takes the losers off: lock_channels(), run_ready(),
 * wait_for_one() and dequeue_losers() of select.c; wf__chan_try_send() and
 * _recv(); wf_chan_close_raw().  The code that runs next after the switch is
 * a process of its own: it starts the deadline and runs unlock_all(), which
 * reads the select's frame until the last lock is dropped [publish].  Who
 * takes a waiter off must win its claim [claim].
 *
 * What must hold: one case runs; what is sent is received once, and a loser's
 * place is not touched; no frame is touched after its select has returned;
 * once all is closed nobody is left: no wake-up is lost, no lock taken twice.
 */
#define TASKS 3
#define RECV 0
#define SEND 1
#define DEADLINE 3	/* in the claim word, where cases are 1 and 2 */

/* A waiter is 2 * task + case; a queue is 2 * channel + side. */
chan queue[4] = [2 * TASKS] of { byte };
bool held[2];		/* channel locks */
bool closed[2];

typedef frame {
	byte claim;
	bool alive;	/* from the call to the return */
	bool post;	/* to be settled */
	bool armed;	/* its timer is in the queue */
	bool deadline;	/* the wait has one */
	bool ready;	/* may go on */
	byte n;		/* cases */
	byte on[2];	/* by case: the queue */
	byte order[2];	/* in order: the channel, 2 for none */
	bool queued[2];	/* by case, under the lock */
	bool ok[2];	/* by the winner */
	byte got[2];	/* what was received, 0: nothing */
}
frame task[TASKS];
byte received[TASKS + 1];	/* by value: a sender's number + 1 */
byte sent[TASKS + 1];

inline lock(c)
{
	d_step { !held[c]; held[c] = true }
}

inline unlock(c)
{
	d_step { assert(held[c]); held[c] = false }
}

/* wf__waitq_claim(): who is won is peer / 2, or NOBODY. */
#define NOBODY 255
inline claim_first(q)
{
	peer = NOBODY;
	do
	:: peer == NOBODY && len(queue[q]) > 0 ->
		atomic {
			queue[q]?peer;
			assert(task[peer / 2].alive &&
			    task[peer / 2].queued[peer % 2]);
			task[peer / 2].queued[peer % 2] = false;
#ifndef NO_CLAIM
			if
			:: task[peer / 2].claim -> peer = NOBODY
			:: else -> task[peer / 2].claim = peer % 2 + 1
			fi
#else
			task[peer / 2].claim = peer % 2 + 1
#endif
		}
	:: else -> break
	od
}

inline make_ready(t)
{
	d_step {
		assert(task[t].alive && !task[t].ready);
		task[t].ready = true
	}
}

/* A value passes from a task to another: the receiver writes to its own case's
 * place, or the sender to the waiter's. */
inline pass(value, t, i)
{
	d_step {
		assert(task[t].alive && !task[t].got[i]);
		task[t].got[i] = value;
		received[value]++;
		assert(received[value] == 1)
	}
}

/* attempt(): case i of task t, its channel locked; done: it ran. */
inline attempt(t, i)
{
	q = task[t].on[i];
	claim_first(q ^ 1);
	if
	:: q % 2 == SEND && closed[q / 2] ->
		assert(peer == NOBODY);
		done = true
	:: q % 2 == SEND && peer != NOBODY ->
		pass(t + 1, peer / 2, peer % 2);
		task[peer / 2].ok[peer % 2] = true;
		task[t].ok[i] = true;
		done = true
	:: q % 2 == RECV && peer != NOBODY ->
		pass(peer / 2 + 1, t, i);
		task[peer / 2].ok[peer % 2] = true;
		task[t].ok[i] = true;
		done = true
	:: q % 2 == RECV && peer == NOBODY && closed[q / 2] -> done = true
	:: else
	fi
}

#define MAY_RUN(t, i) (i < task[t].n && (closed[task[t].on[i] / 2] || \
	len(queue[task[t].on[i] ^ 1]) > 0))

inline enqueue(t, i)
{
	d_step {
		queue[task[t].on[i]]!(2 * t + i);
		task[t].queued[i] = true
	}
}

inline dequeue(t, i)
{
	lock(task[t].on[i] / 2);
	if
	:: task[t].queued[i] -> d_step {
			queue[task[t].on[i]]??eval(2 * t + i);
			task[t].queued[i] = false
		}
	:: else
	fi;
	unlock(task[t].on[i] / 2)
}

/* wf_select(), of task t.  q and r are the queues of the cases; 4: none. */
proctype selects(byte t, q0, q1; bool deadline)
{
	byte q, peer, winner;
	bool done;

	atomic {	/* wf__selection_examine() and _sort() */
		task[t].alive = true;
		task[t].deadline = deadline;
		task[t].n = (q1 < 4 -> 2 : 1);
		task[t].on[0] = q0;
		task[t].on[1] = q1;
		task[t].order[0] = q0 / 2;
		task[t].order[1] = (q1 < 4 && q1 / 2 != q0 / 2 -> q1 / 2 : 2);
#ifndef UNORDERED
		if
		:: q1 / 2 < q0 / 2 ->
			task[t].order[0] = q1 / 2;
			task[t].order[1] = q0 / 2
		:: else
		fi
#endif
	}
#ifdef ONE_BY_ONE
	winner = 0;
	do
	:: winner < task[t].n && !done ->
		lock(task[t].on[winner] / 2);
		attempt(t, winner);
		unlock(task[t].on[winner] / 2);
		winner = (done -> winner : winner + 1)
	:: else -> break
	od;
	if
	:: done ->
		if
		:: peer != NOBODY -> make_ready(peer / 2)
		:: else
		fi;
		goto out
	:: else
	fi;
#endif
	lock(task[t].order[0]);
	if
	:: task[t].order[1] < 2 -> lock(task[t].order[1])
	:: else
	fi;
#ifndef ONE_BY_ONE
	/* run_ready(): any of those that may run; it may fail. */
	do
	:: !done && MAY_RUN(t, 0) -> winner = 0; attempt(t, 0)
	:: !done && MAY_RUN(t, 1) -> winner = 1; attempt(t, 1)
	:: done || (!MAY_RUN(t, 0) && !MAY_RUN(t, 1)) -> break
	od;
	if
	:: done ->
		if
		:: task[t].order[1] < 2 -> unlock(task[t].order[1])
		:: else
		fi;
		unlock(task[t].order[0]);
		if
		:: peer != NOBODY -> make_ready(peer / 2)
		:: else
		fi;
		goto out
	:: else
	fi;
#endif
	/* wait_for_one() */
	enqueue(t, 0);
	if
	:: task[t].n == 2 -> enqueue(t, 1)
	:: else
	fi;
	task[t].post = true;	/* wf__park(): the registers are saved */
	task[t].ready;		/* resumed */
	task[t].ready = false;
	winner = task[t].claim - 1;
#ifndef NO_DEQUEUE
	/* dequeue_losers(), in lock order */
	if
	:: task[t].n == 2 && task[t].on[1] / 2 < task[t].on[0] / 2 ->
		if
		:: winner != 1 -> dequeue(t, 1)
		:: else
		fi
	:: else
	fi;
	if
	:: winner != 0 -> dequeue(t, 0)
	:: else
	fi;
	if
	:: task[t].n == 2 && task[t].on[1] / 2 >= task[t].on[0] / 2 &&
	    winner != 1 -> dequeue(t, 1)
	:: else
	fi;
#endif
#ifndef NO_STOP
	task[t].armed = false;	/* under the timer queue's lock */
#endif
out:
	atomic {
		task[t].alive = false;
		assert(winner == 0 || !task[t].got[0]);
		assert(winner == 1 || !task[t].got[1]);
		if
		:: winner < 2 && task[t].ok[winner] &&
		    task[t].on[winner] % 2 == SEND -> sent[t + 1] = 1
		:: winner < 2 && task[t].ok[winner] &&
		    task[t].on[winner] % 2 == RECV ->
			assert(task[t].got[winner])
		:: else
		fi;
		winner = 0;
		peer = 0;
		q = 0;
		done = false
	}
}

/* Who runs next on the thread that task t has left: settle(), unlock_all(). */
proctype next(byte t)
{
	byte l;

end:	task[t].post;
	task[t].post = false;
	if
	:: task[t].deadline ->
		assert(task[t].alive);
		task[t].armed = true
	:: else
	fi;
#ifdef FIRST_FIRST
	l = task[t].order[0];
	unlock(l);
	assert(task[t].alive);		/* the frame is read */
	l = task[t].order[1];
	if
	:: l < 2 -> unlock(l)
	:: else
	fi
#else
	assert(task[t].alive);
	l = task[t].order[1];
	if
	:: l < 2 -> unlock(l)
	:: else
	fi;
	assert(task[t].alive);
	l = task[t].order[0];
	unlock(l)
#endif
}

/* collect(), of one timer: claims while it is at home. */
proctype timer(byte t)
{
	bool won;

end:	atomic {
		task[t].armed;
		assert(task[t].alive);
		task[t].armed = false;
		won = !task[t].claim;
		task[t].claim = (won -> DEADLINE : task[t].claim)
	}
	if
	:: won -> make_ready(t)
	:: else
	fi
}

/* wf_close(), of one channel after the other. */
proctype closes()
{
	byte peer, c, n;
	chan won = [2 * TASKS] of { byte };

	for (c : 0 .. 1) {
		lock(c);
		closed[c] = true;
		for (n : 0 .. 1) {
			do
			:: len(queue[2 * c + n]) > 0 ->
				claim_first(2 * c + n);
				if
				:: peer != NOBODY -> won!peer / 2
				:: else
				fi;
#ifdef CLOSE_ONE
				break
#endif
			:: len(queue[2 * c + n]) == 0 -> break
			od
		}
		unlock(c);
		do
		:: won?peer -> make_ready(peer)
		:: len(won) == 0 -> break
		od
	}
	peer = 0
}

#define Q(channel, side) (2 * channel + side)

init {
	byte t;

	atomic {
#if defined CROSSED
		run selects(0, Q(0, RECV), Q(1, SEND), true);
		run selects(1, Q(1, RECV), Q(0, SEND), false);
		run selects(2, Q(0, SEND), 4, false);
#elif defined SAME
		run selects(0, Q(0, RECV), Q(0, SEND), true);
		run selects(1, Q(0, RECV), Q(0, SEND), false);
		run selects(2, Q(0, SEND), 4, false);
#else
		run selects(0, Q(0, RECV), Q(1, RECV), true);
		run selects(1, Q(1, SEND), 4, false);
		run selects(2, Q(0, SEND), 4, false);
#endif
		run closes();
		run timer(0);
		for (t : 0 .. TASKS - 1) {
			run next(t)
		}
	}
	/* The tasks and who closes; timer and next may be left. */
end:	false
}

/* At a standstill nobody is within a select, and all that was sent has come. */
active proctype judge()
{
	byte t;

	atomic {
		timeout;
		for (t : 0 .. TASKS - 1) {
			assert(!task[t].alive && !task[t].queued[0] &&
			    !task[t].queued[1] && !task[t].armed);
			assert(sent[t + 1] == received[t + 1])
		}
		assert(!held[0] && !held[1] && closed[0] && closed[1])
	}
}
