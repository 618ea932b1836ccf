/* SPDX-License-Identifier: MIT */
/*
 * weft.c - the whole library in one file, in the order of its layers: a table
 * of contents, and with lib/arch/switch.S all that is to be compiled.
 * Layer 8.  Uses: all.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

/* 1: the machine and the system */
#include "switch.c"	/* registers: from one stack to another */
#include "os/linux.c"	/* time, futexes, memory, threads */
#include "os/linux_guards.c"	/* guards of stacks */
#include "os/linux_cores.c"	/* how many cores there are for us */
#include "os/linux_faults.c"	/* stack overflow, backtraces */
#include "os/linux_look.c"	/* where another thread is */
#include "os/linux_symbols.c"	/* an address in words */
#include "os/linux_bytes.c"	/* bytes from and to sockets */
#include "os/epoll.c"	/* which descriptors are ready */
#include "os/linux_signals.c"	/* signals, child processes */
#include "self.c"	/* which worker this thread is */
#include "lock.c"	/* the short lock, the biased lock */
#include "alloc.c"	/* the allocator hook */
#include "report.c"	/* the misuse line */
#include "vec.c"	/* an array that grows */
#include "budget.c"	/* how many stacks there may be */
#include "stack.c"	/* stacks, guards, and who keeps the free ones */

/* 2: scheduling */
#include "coro.c"	/* a coroutine's life */
#include "start.c"	/* records of those that have not begun */
#include "slot.c"	/* values of a coroutine's own */
#include "runq.c"	/* one worker's run queue */
#include "timerq.c"	/* one worker's timers */
#include "sched.c"	/* the worker loop: pick, search, sleep */
#include "workers.c"	/* how many there are */
#include "search.c"	/* work from elsewhere, for one that has none */
#include "share.c"	/* tasks between workers */
#include "idle.c"	/* who sleeps, and who is woken when */
#include "quiet.c"	/* all sleep: will anything ever wake one? */
#include "retire.c"	/* workers that are one too many */
#include "park.c"	/* the two doors: park and ready */
#include "blocking.c"	/* threads about to sleep in a call */
#include "spare.c"	/* blocks of memory that a worker keeps */
#include "pump.c"	/* no workers: the host's thread is one */
#include "stall.c"	/* who keeps a worker for too long */
#include "monitor.c"	/* the watcher of stuck workers */
#include "seam.c"	/* disorder, in CHAOS builds */

/* 3: waiting for each other */
#include "wait.c"	/* waiter nodes, the wait in one queue */
#include "cancel.c"	/* what ends a wait early */
#include "await.c"	/* the wait with context and deadline */
#include "chan.c"	/* channels */
#include "chan_make.c"	/* their beginning and end */
#include "selection.c"	/* the cases of a select, sorted out */
#include "select.c"	/* one of several */
#include "waitgroup.c"	/* all of several */
#include "mutex.c"	/* one at a time */
#include "readers.c"	/* read locks, noted where they were taken */
#include "rwunit.c"	/* read locks as units */
#include "rwnext.c"	/* who gets an rwmutex next */
#include "rwmutex.c"	/* many readers, or one writer */
#include "cond.c"	/* something has changed */
#include "once.c"	/* only the first time */
#include "sem.c"	/* so many units */
#include "pool.c"	/* things kept for the next one */
#include "flight.c"	/* one call for many callers */
#include "defer.c"	/* calls at the end of a scope */

/* 4 and 5 */
#include "time.c"	/* clock and sleep */
#include "timer.c"	/* timers, tickers, calls made later */
#include "limiter.c"	/* how often something may happen */
#include "context.c"	/* cancellation, down the tree */
#include "context_make.c"	/* deadlines, values, and other contexts */
#include "after.c"	/* a coroutine when a context is done */
#include "group.c"	/* coroutines that end together */

/* 6: what comes from outside */
#include "pollee.c"	/* one descriptor: edges and waiters */
#include "poller.c"	/* from events to ready coroutines */
#include "offload.c"	/* a few threads for calls that block */
#include "fd.c"		/* read, write and wait on any descriptor */
#include "file.c"	/* calls on files */
#include "endpoint.c"	/* turns, deadlines and the end of a socket */
#include "resolve.c"	/* addresses */
#include "socket.c"	/* the calls on sockets, real or simulated */
#include "net.c"	/* connections and listeners */
#include "dial.c"	/* dial and listen */
#include "signals.c"	/* signals in channels */
#include "process.c"	/* child processes */

/* 7: looking inside */
#include "dump.c"	/* every coroutine in words */
#include "stats.c"	/* counters */
#include "seen.c"	/* states that there were */
#include "order.c"	/* which steps depend on each other */
#include "source.c"	/* one schedule of each kind */
#include "choice.c"	/* what a schedule is made of */
#include "story.c"	/* a schedule in words */
#include "sim.c"	/* a simulated world */
#include "simhost.c"	/* its hosts, and what is cut between them */
#include "simnet.c"	/* its sockets */
#include "simdial.c"	/* to listen and to connect there */
#include "simflow.c"	/* bytes on their way there */
#include "simpacket.c"	/* datagrams there */
#include "simclock.c"	/* what time does to them */
#include "turn.c"	/* whose turn it is in it */
#include "point.c"	/* what the program meets in it */
#include "shrink.c"	/* a failing schedule made short */

/* 8: all together */
#include "options.c"	/* from the program and the environment */
#include "fork.c"	/* the child of a fork begins anew */
#include "runtime.c"	/* start, stop, spawn */
#include "run.c"	/* wf_run(), and deadlock */
#include "explore.c"	/* wf_sim(): schedule after schedule */
#include "version.c"	/* which weft this is */
