/* SPDX-License-Identifier: MIT */
/*
 * weft.h - everything weft offers, in one include.
 *
 *	#include <stdio.h>
 *	#include <weft.h>
 *
 *	static void
 *	hello(wf_chan(int) out)
 *	{
 *		wf_send(out, 42);
 *	}
 *
 *	static int
 *	app(void)
 *	{
 *		wf_chan(int) c = wf_chan_make(int, 0);
 *		int v;
 *
 *		if (!c || wf_spawn(hello, c) < 0)
 *			return 1;
 *		wf_recv(c, &v);
 *		printf("%d\n", v);
 *		wf_chan_free(c);
 *		return 0;
 *	}
 *
 *	int
 *	main(void)
 *	{
 *		return wf_run(app);
 *	}
 */
#ifndef WEFT_H
#define WEFT_H

#include <weft/base.h>		/* version, visibility, sites */
#include <weft/call.h>		/* how a call travels into a coroutine */
#include <weft/time.h>		/* the clock, durations, sleep */
#include <weft/context.h>	/* cancellation and deadlines */
#include <weft/waitgroup.h>	/* waiting for a set of coroutines */
#include <weft/mutex.h>		/* one at a time */
#include <weft/rwmutex.h>	/* many readers, or one writer */
#include <weft/cond.h>		/* waiting for a change of shared data */
#include <weft/once.h>		/* only the first time */
#include <weft/sem.h>		/* weighted semaphores */
#include <weft/pool.h>		/* things kept for the next one */
#include <weft/flight.h>	/* one call for many callers */
#include <weft/coro.h>		/* spawn, yield, exit, pin */
#include <weft/group.h>		/* coroutines that end together */
#include <weft/slot.h>		/* values of a coroutine's own */
#include <weft/chan.h>		/* typed channels */
#include <weft/select.h>	/* waiting for one of several things */
#include <weft/timer.h>		/* timers, tickers, calls made later */
#include <weft/limiter.h>	/* how often something may happen */
#include <weft/defer.h>		/* calls at the end of a scope */
#include <weft/blocking.h>	/* calls that block their thread */
#include <weft/io.h>		/* read, write, wait on descriptors */
#include <weft/net.h>		/* connections and listeners */
#include <weft/signal.h>	/* signals in channels */
#include <weft/process.h>	/* child processes */
#include <weft/runtime.h>	/* run, start, stop, options */
#include <weft/pump.h>		/* inside another event loop */
#include <weft/look.h>		/* dump, statistics, report hook */
#include <weft/sim.h>		/* simulations: every schedule on demand */

#endif
