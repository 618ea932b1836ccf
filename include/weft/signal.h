/* SPDX-License-Identifier: MIT */
/*
 * weft/signal.h - signals as values in a channel.
 *
 *	wf_chan(int) stop = wf_chan_make(int, 1);
 *	int sig;
 *
 *	wf_signal_notify(stop, SIGINT);
 *	wf_signal_notify(stop, SIGTERM);
 *	wf_recv(stop, &sig);
 *
 * Nothing is caught before it is asked for.  A signal is sent to every channel
 * that asked for it, without waiting: a channel that is full does not get it,
 * and holds up nobody; so give it room.  A signal that arrives again before it
 * was sent is one signal.
 *
 * A thread outside of weft has to leave the signal unblocked, as the caller of
 * wf_run() does by itself; weft's own threads block all.  While somebody asks
 * for signals, all coroutines parked is no deadlock.  wf_stop() and the end of
 * wf_run() forget all requests and put everything back.
 */
#ifndef WEFT_SIGNAL_H
#define WEFT_SIGNAL_H

#include <weft/base.h>
#include <weft/chan.h>

WF__BEGIN

/*
 * Send signal sig to c from now on, also when it was ignored; sig 0: every
 * signal that is no fault of the program's own (SIGSEGV and its kind) and can
 * be caught.  Several calls for one channel add up.  0, -EINVAL for a signal
 * that cannot be asked for, -ENOMEM, -EMFILE.  Blocks no longer than a lock.
 */
WF_API int wf_signal_notify(wf_chan(int) c, int sig);

/* No more signals to c: once it returns, none is being sent, and c may be
 * closed or freed.  What nobody asks for any more is as it was before.  May
 * block for the time of a few sends. */
WF_API void wf_signal_stop(wf_chan(int) c);

/* Nobody asks for sig any more: it is as it was before, or ignored.  0 is
 * every signal.  0 or -EINVAL. */
WF_API int wf_signal_reset(int sig);
WF_API int wf_signal_ignore(int sig);

/* Is it ignored by the process? */
WF_API bool wf_signal_is_ignored(int sig);

WF__END

#endif
