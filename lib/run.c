/* SPDX-License-Identifier: MIT */
/*
 * run.c - wf_run(): a program whose main function is a coroutine; and what it
 * means when all its coroutines are parked.
 * Layer 8.  Uses: run, runtime, coro, dump, idle, os, pump, report.
 */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <weft.h>
#include "coro.h"
#include "dump.h"
#include "fork.h"
#include "idle.h"
#include "os.h"
#include "pump.h"
#include "report.h"
#include "runtime.h"

enum { MAIN_STACK = 8 << 20, DEADLOCK_STATUS = 2, CANNOT_START = 125 };

static struct {
	wf__word taken;			/* there is one [run] */
	wf__word waits;			/* its caller will do nothing more but
					 * wait [waits] */
	wf__word main_ended;		/* by wf_exit() [main] */
	int result;
	wf__word32 finished;		/* [finished] */
	wf__word parked_hook;		/* void (*)(uint64_t) [hook] */
	wf__word parked_at;		/* the switches when it was called */
} run;

static void
finish_run(int result)
{
	run.result = result;
	wf__store32_release(&run.finished, 1);			/* [finished] */
	wf__os_futex_wake(&run.finished, 1);
}

void
wf__run_main_ended(bool by_exit, int result)
{
	if (by_exit)
		wf__store_release(&run.main_ended, 1);		/* [main] */
	else
		finish_run(result);
}

/* Workers, monitor, helpers, and the caller: he is the worker if he pumps. */
static int
own_threads(void)
{
	int n = 1 + (int)wf__load_relaxed(&wf__sched.helpers);

	if (!wf__pump_is_on())
		n += (int)wf__load32_acquire(&wf__sched.present) + 1;
	return n;						/* [stop] */
}

/*
 * Nothing can wake anybody: wf_run() waits, there is no thread in the process
 * but weft's and the one that called it, and after that is known all is still
 * asleep, with nothing to do: a thread that was there before may have woken
 * somebody.
 */
static bool
is_certain(void)
{
	return wf__load_acquire(&run.waits) &&			/* [waits] */
	    !wf__load32_acquire(&run.finished) &&		/* [finished] */
	    wf__os_thread_count() == own_threads() &&
	    wf__idle_all_quiet();
}

/* Coroutines were resumed this often: tells one quiet moment from the next. */
static uint64_t
switches(void)
{
	struct wf_stats stats;

	wf_stats(&stats);
	return stats.switches;
}

static void
perhaps_deadlock(uint64_t live)
{
	void (*hook)(uint64_t) = (void (*)(uint64_t))(uintptr_t)
	    wf__load_acquire(&run.parked_hook);			/* [hook] */
	wf__word now;

	if (!hook || wf__load32_acquire(&run.finished))		/* [finished] */
		return;
	/* Relaxed: of two who come at once, one calls or both. */
	now = switches();
	if (wf__load_relaxed(&run.parked_at) == now)
		return;
	wf__store_relaxed(&run.parked_at, now);
	hook(live);
}

WF_API void
wf_set_parked_hook(void (*hook)(uint64_t live))
{
	wf__store_release(&run.parked_hook,
	    (wf__word)(uintptr_t)hook);				/* [hook] */
}

static void
on_deadlock(uint64_t live)
{
	static wf__word once;

	if (!is_certain()) {
		perhaps_deadlock(live);
		return;
	}
	/* Relaxed: only one may report. */
	if (wf__add_relaxed(&once, 1))
		return;
	if (wf__load_acquire(&run.main_ended))			/* [main] */
		wf__report("weft: deadlock: main has ended by wf_exit(), and "
		    "the %llu coroutines left are parked with nothing to wake "
		    "them", (unsigned long long)live);
	else
		wf__report("weft: deadlock: all %llu coroutines are parked "
		    "with nothing to wake them", (unsigned long long)live);
	wf__dump_all(2, 100, true);
	exit(DEADLOCK_STATUS);
}

void
wf__run_quiet(uint64_t live)
{
	if (live)
		on_deadlock(live);
	else if (wf__load_acquire(&run.main_ended) &&		/* [main] */
	    !wf__load32_acquire(&run.finished))			/* [finished] */
		finish_run(0);		/* it ended by wf_exit(), and so did
					 * all others */
}

static int
begin(struct wf__entry *main, unsigned shape, const uint64_t *words)
{
	int err;

	if (wf__pump_is_on() && !wf__pump_is_mine())
		return -EPERM;
	if (!wf__cas_acq_rel(&run.taken, 0, 1))			/* [run] */
		return -EBUSY;
	wf__store_release(&run.main_ended, 0);			/* [main] */
	wf__store32_release(&run.finished, 0);			/* [finished] */
	err = wf__runtime_start_run();
	if (!err) {
		err = wf__coro_spawn(main, wf__stack_class(MAIN_STACK), true,
		    shape, words);
		if (err)
			wf__runtime_end_run();
	}
	if (err)
		wf__store_release(&run.taken, 0);		/* [run] */
	return err;
}

static void
wait_for_main(void)
{
	wf__store_release(&run.waits, 1);			/* [waits] */
	while (!wf__load32_acquire(&run.finished))		/* [finished] */
		wf__pump_wait(&run.finished, 0, WF_FOREVER);
	wf__store_release(&run.waits, 0);			/* [waits] */
}

WF_API int
wf_run_raw(const struct wf_site *site, void (*fn)(void), unsigned shape,
    const uint64_t *words)
{
	struct wf__entry main = { .fn = fn, .site = site };
	int err;

	if (wf_self())
		wf__misuse("wf_run", "a coroutine cannot start a run");
	err = begin(&main, shape, words);
	if (err) {
		wf__report("weft: wf_run() cannot start: %s", err == -EBUSY ?
		    "another run is not over" : strerror(-err));
		return CANNOT_START;
	}
	wait_for_main();
	wf__runtime_end_run();
	err = run.result;
	wf__store_release(&run.taken, 0);			/* [run] */
	return err;
}

/* The hook is the program's, and stays. */
void
wf__forget_run(void)
{
	/* Relaxed: the child of a fork has no other thread. */
	wf__word hook = wf__load_relaxed(&run.parked_hook);

	memset(&run, 0, sizeof run);
	wf__store_relaxed(&run.parked_hook, hook);
}
