/* SPDX-License-Identifier: MIT */
/*
 * weft/pump.h - weft inside of another event loop, on its thread alone.
 *
 *	struct wf_options o = { .workers = WF_PUMPED };
 *	struct pollfd p = { .events = POLLIN };
 *
 *	wf_start(&o);
 *	wf_spawn(work, 42);
 *	p.fd = wf_pump_fd();
 *	for (;;) {				(the host's loop)
 *		poll(&p, 1, -1);
 *		wf_pump(2 * WF_MS);
 *	}
 *
 * A runtime that is started like this has no workers and no monitor: all
 * coroutines run inside of wf_pump(), on the thread that has called wf_start().
 * For games, for GUIs, for scripts whose interpreter has one thread.  What they
 * share with each other, and with the rest of that thread, needs no lock so
 * long as nothing is called in between that may wait.
 *
 * Coroutines that were spawned between two pumps begin in no particular order.
 * All of weft works as ever: channels, timers, sockets, contexts, signals.
 * Other threads may spawn, send, receive and wake.  Calls on files and names
 * still go to a few threads (wf_offload()), since they block; they run no
 * coroutine.
 *
 * A coroutine that computes, or sits in a system call, holds up the host for as
 * long: there is nobody to stand in, and wf_blocking does nothing.  Use
 * wf_offload() for such calls, wf_yield() in such loops; the option stall_limit
 * names who does it for too long.
 *
 * Signals are the host's: a write to a pipe that nobody reads raises SIGPIPE on
 * its thread, as in any program.
 *
 * A wait on the pump's own thread, outside of a coroutine (wf_recv() between
 * two pumps, say, or wf_sleep()), pumps until it is over.  So does wf_stop(),
 * and so does wf_run(), which gives a program without any thread but its own.
 *
 * doc/hosting.md shows GLib, libuv, Lua, Python and a game.
 */
#ifndef WEFT_PUMP_H
#define WEFT_PUMP_H

#include <weft/base.h>

WF__BEGIN

/*
 * Run the coroutines that are ready, for budget nanoseconds at most: the clock
 * is looked at after each turn, from one wait of a coroutine to its next, and
 * the first turn is always given.  A budget of 0, or less: a turn to each that
 * is ready now, and no more.  WF_FOREVER: until none is ready.
 *
 * Returns the nanoseconds until a timer is due; 0 if there is more to do now;
 * WF_FOREVER if nothing is to be done before something else happens.  Who
 * watches wf_pump_fd() has no need of it.  -EINVAL if the runtime does not run
 * as WF_PUMPED.
 *
 * Never blocks, whatever the coroutines do.  Only on the thread that has called
 * wf_start(), and not inside of itself: else reported as misuse, abort.
 */
WF_API int64_t wf_pump(int64_t budget);

/*
 * A descriptor that is readable (POLLIN) when wf_pump() has something to do:
 * a coroutine was readied, a descriptor is ready that one waits for, a timer is
 * due, the last pump was over before the work.  A pump that leaves nothing to
 * do makes it unreadable.  Watch it by level, read nothing from it, close
 * it never; it is the same one until wf_stop(), and not for the child of
 * a fork.
 *
 * Or -errno: -EINVAL as above, -EMFILE, -ENFILE, -ENOMEM.  Who may call it:
 * as above.  Never blocks.
 */
WF_API int wf_pump_fd(void);

WF__END

#endif
