/* SPDX-License-Identifier: MIT */
/*
 * signals.c - signals in channels: who gets which, stop, reset, ignore, and
 * what is there before and after.
 */
#include "tap.h"

#include <pthread.h>
#include <unistd.h>

#include "chan.h"

static void
send_to_self(int sig)
{
	check_eq(kill(getpid(), sig), 0);
}

static int
next_of(wf_chan(int) c)
{
	int sig = 0;

	check_eq(wf_recv(c, &sig), 1);
	return sig;
}

/* Several channels each get their copy; a full one holds up nobody. */

static int
copies(void)
{
	wf_chan(int) one = wf_chan_make(int, 1), two = wf_chan_make(int, 4);
	wf_chan(int) full = wf_chan_make(int, 1), none = wf_chan_make(int, 0);

	check_eq(wf_signal_notify(one, SIGUSR1), 0);
	check_eq(wf_signal_notify(two, SIGUSR1), 0);
	check_eq(wf_signal_notify(two, SIGUSR2), 0);
	check_eq(wf_signal_notify(full, SIGUSR1), 0);
	check_eq(wf_signal_notify(none, SIGUSR1), 0);
	check_eq(wf_send(full, 99), 1);
	for (int i = 0; i < 5; i++) {
		send_to_self(SIGUSR1);
		check_eq(next_of(one), SIGUSR1);
		check_eq(next_of(two), SIGUSR1);
	}
	send_to_self(SIGUSR2);
	check_eq(next_of(two), SIGUSR2);
	check_eq(wf_try_recv(one, NULL), -EAGAIN);
	check_eq(next_of(full), 99);
	wf_signal_stop(one);
	wf_signal_stop(two);
	wf_signal_stop(full);
	wf_signal_stop(none);
	wf_signal_stop(none);
	wf_chan_free(one);
	wf_chan_free(two);
	wf_chan_free(full);
	wf_chan_free(none);
	return 0;
}

/* All signals to one channel, which is not read, beside another one. */

static int
all_signals(void)
{
	wf_chan(int) all = wf_chan_make(int, 1), unread = wf_chan_make(int, 1);
	wf_chan(int) hup = wf_chan_make(int, 1);
	static const int sigs[] = { SIGWINCH, SIGHUP, SIGUSR1, SIGTERM };

	check_eq(wf_signal_notify(all, 0), 0);
	check_eq(wf_signal_notify(unread, 0), 0);
	check_eq(wf_signal_notify(hup, SIGHUP), 0);
	for (int i = 0; i < 4; i++) {
		send_to_self(sigs[i]);
		check_eq(next_of(all), sigs[i]);
	}
	check_eq(next_of(hup), SIGHUP);
	check_eq(next_of(unread), SIGWINCH);
	check_eq(wf_signal_notify(all, SIGKILL), -EINVAL);
	check_eq(wf_signal_notify(all, SIGSEGV), -EINVAL);
	check_eq(wf_signal_notify(all, 65), -EINVAL);
	check_eq(wf_signal_notify(all, -1), -EINVAL);
	wf_signal_stop(all);
	wf_signal_stop(unread);
	wf_signal_stop(hup);
	wf_chan_free(all);
	wf_chan_free(unread);
	wf_chan_free(hup);
	return 0;
}

static void
handler(int sig)
{
	(void)sig;
}

/* Nothing is sent after stop has returned: close and free are safe then. */

enum { LISTENERS = 100 };

static void
shower(int *stop, wf_waitgroup *wg)
{
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		send_to_self(SIGUSR1);
		wf_yield();
	}
	wf_waitgroup_done(wg);
}

/* The oldest of several, which is the last one to be sent to. */
static void
end_one(wf_chan(int) c)
{
	int sig;

	wf_signal_stop(c);
	while (wf_try_recv(c, &sig) > 0)
		check_eq(sig, SIGUSR1);
	for (int k = 0; k < 3; k++)
		wf_yield();
	check_eq(wf_len(c), 0);
	wf_close(c);
	wf_chan_free(c);
}

static int
stop_is_final(void)
{
	wf_chan(int) all[LISTENERS] = {0};
	long rounds = tap_scale(10000, 1000);
	wf_waitgroup wg = {0};
	int stop = 0;

	/* For those still on their way when nobody asks any more. */
	signal(SIGUSR1, handler);
	wf_waitgroup_add(&wg, 1);
	wf_spawn(shower, &stop, &wg);
	for (long i = 0; i < rounds; i++) {
		wf_chan(int) *c = &all[i % LISTENERS];

		if (*c)
			end_one(*c);
		*c = wf_chan_make(int, 3);
		check_eq(wf_signal_notify(*c, SIGUSR1), 0);
		if (i % 16 == 0)
			check_eq(next_of(*c), SIGUSR1);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i < LISTENERS; i++)
		end_one(all[i]);
	return 0;
}

/* A stop that comes in the middle of a delivery waits for its end: here that
 * cannot go on, since somebody has the lock of a channel on its way.  It is all
 * done by threads: the worker that delivers may be the one that the others look
 * to for work. */

struct stopping {
	wf_chan(int) last;
	int let_go, ended;
};

static void *
end_last(void *arg)
{
	struct stopping *s = arg;

	wf_signal_stop(s->last);
	check(__atomic_load_n(&s->let_go, __ATOMIC_ACQUIRE));
	__atomic_store_n(&s->ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void
stop_in_the_middle(void)
{
	wf_chan(int) last = wf_chan_make(int, 1), held = wf_chan_make(int, 1);
	wf_chan(int) first = wf_chan_make(int, 1);
	struct stopping s = { .last = last };
	pthread_t t;

	/* The newest is the first to be sent to. */
	check_eq(wf_signal_notify(last, SIGUSR1), 0);
	check_eq(wf_signal_notify(held, SIGUSR1), 0);
	check_eq(wf_signal_notify(first, SIGUSR1), 0);
	/* One that goes through, so that none of before is on its way. */
	send_to_self(SIGUSR1);
	check_eq(next_of(first), SIGUSR1);
	check_eq(next_of(held), SIGUSR1);
	check_eq(next_of(last), SIGUSR1);
	wf__lock(&WF__RAW(held)->lock);
	send_to_self(SIGUSR1);
	check_eq(next_of(first), SIGUSR1);
	pthread_create(&t, NULL, end_last, &s);
	/* Time enough for one that does not wait. */
	for (int i = 0; i < 20 && !__atomic_load_n(&s.ended,
	    __ATOMIC_ACQUIRE); i++)
		usleep(500);
	__atomic_store_n(&s.let_go, 1, __ATOMIC_RELEASE);
	wf__unlock(&WF__RAW(held)->lock);
	pthread_join(t, NULL);
	wf_signal_stop(first);
	wf_signal_stop(held);
	wf_chan_free(first);
	wf_chan_free(held);
	wf_chan_free(last);
}

static void
stop_waits(void)
{
	/* For one still on its way when nobody asks any more. */
	signal(SIGUSR1, handler);
	for (int i = 0; i < 6; i++) {
		wf_workers(1 + i % 2 * 3);
		stop_in_the_middle();
	}
	check_eq(wf_stop(10 * WF_SEC), 0);
}

/* Reset and ignore end it for all channels. */

static bool
handled_by(int sig, void (*fn)(int))
{
	struct sigaction now;

	check_eq(sigaction(sig, NULL, &now), 0);
	return now.sa_handler == fn;
}

static int
reset_and_ignore(void)
{
	wf_chan(int) a = wf_chan_make(int, 1), b = wf_chan_make(int, 1);
	wf_chan(int) other = wf_chan_make(int, 1);

	signal(SIGUSR2, handler);
	check_eq(wf_signal_notify(a, SIGUSR2), 0);
	check_eq(wf_signal_notify(b, SIGUSR2), 0);
	check_eq(wf_signal_notify(other, SIGUSR1), 0);
	check(!handled_by(SIGUSR2, handler));
	check_eq(wf_signal_reset(SIGUSR2), 0);
	check(handled_by(SIGUSR2, handler));
	send_to_self(SIGUSR2);
	send_to_self(SIGUSR1);
	check_eq(next_of(other), SIGUSR1);
	check_eq(wf_try_recv(a, NULL), -EAGAIN);
	check_eq(wf_try_recv(b, NULL), -EAGAIN);
	check(!wf_signal_is_ignored(SIGUSR2));
	check_eq(wf_signal_notify(a, SIGUSR2), 0);
	check_eq(wf_signal_ignore(SIGUSR2), 0);
	check(wf_signal_is_ignored(SIGUSR2));
	send_to_self(SIGUSR2);
	send_to_self(SIGUSR1);
	check_eq(next_of(other), SIGUSR1);
	check_eq(wf_try_recv(a, NULL), -EAGAIN);
	/* Asked for again it comes, and then it is ignored as before. */
	check_eq(wf_signal_notify(a, SIGUSR2), 0);
	check(!wf_signal_is_ignored(SIGUSR2));
	send_to_self(SIGUSR2);
	check_eq(next_of(a), SIGUSR2);
	wf_signal_stop(a);
	check(wf_signal_is_ignored(SIGUSR2));
	signal(SIGUSR2, SIG_DFL);
	check_eq(wf_signal_reset(-3), -EINVAL);
	check_eq(wf_signal_ignore(SIGKILL), -EINVAL);
	wf_signal_stop(b);
	wf_signal_stop(other);
	wf_chan_free(a);
	wf_chan_free(b);
	wf_chan_free(other);
	return 0;
}

/* A program that was started with SIGHUP ignored keeps it so until it asks. */

static int
nohup(void)
{
	wf_chan(int) c = wf_chan_make(int, 1), d = wf_chan_make(int, 1);

	check_eq(wf_signal_notify(c, SIGUSR1), 0);
	check(wf_signal_is_ignored(SIGHUP));
	send_to_self(SIGHUP);
	check_eq(wf_signal_notify(d, SIGHUP), 0);
	send_to_self(SIGHUP);
	check_eq(next_of(d), SIGHUP);
	wf_signal_stop(d);
	check(wf_signal_is_ignored(SIGHUP));
	wf_signal_stop(c);
	wf_chan_free(c);
	wf_chan_free(d);
	return 0;
}

static int
child_nohup(void)
{
	signal(SIGHUP, SIG_IGN);
	return wf_run(nohup);
}

/* All parked, waiting for a signal, is no deadlock: the parent sends it. */

static int
wait_for_usr1(void)
{
	wf_chan(int) c = wf_chan_make(int, 1);

	check_eq(wf_signal_notify(c, SIGUSR1), 0);
	alarm(60);
	/* From outside, when all sleep: a process of its own. */
	if (fork() == 0) {
		usleep(150000);
		_exit(kill(getppid(), SIGUSR1));
	}
	check_eq(next_of(c), SIGUSR1);
	wf_signal_stop(c);
	wf_chan_free(c);
	return 0;
}

static int
child_waits(void)
{
	return wf_run(wait_for_usr1);
}

/* After the stop the handlers are those of before, though nobody has stopped
 * his channel; and a child of fork sends nothing to its parent. */

static int
leave_it(wf_chan(int) c)
{
	pid_t pid;

	check_eq(wf_signal_notify(c, SIGUSR1), 0);
	if ((pid = fork()) == 0) {
		raise(SIGUSR1);
		_exit(0);
	}
	check_eq(waitpid(pid, NULL, 0), pid);
	send_to_self(SIGUSR1);
	check_eq(next_of(c), SIGUSR1);
	check_eq(wf_try_recv(c, NULL), -EAGAIN);
	return 0;
}

static void
put_back(void)
{
	wf_chan(int) c = wf_chan_make(int, 2);

	signal(SIGUSR1, handler);
	check_eq(wf_run(leave_it, c), 0);
	check(handled_by(SIGUSR1, handler));
	signal(SIGUSR1, SIG_DFL);
	wf_chan_free(c);
}

/* ThreadSanitizer runs a handler only in calls that it knows; the main thread
 * sleeps in one that it does not. */

static void *
take_signals(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void
lend_thread(void)
{
	pthread_t t;
	sigset_t all;

	check_eq(pthread_create(&t, NULL, take_signals, NULL), 0);
	pthread_detach(t);
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
}

int
main(void)
{
	if (TAP_TSAN)
		lend_thread();
	tap_count_memory();
	tap_test_workers("241: each channel gets its copy", copies);
	tap_test_workers("241: all signals", all_signals);
	tap_test_workers("241: stop is final", stop_is_final);
	tap_plain("241: stop waits for a delivery", stop_waits);
	tap_test_workers("241: reset and ignore", reset_and_ignore);
	if (TAP_TSAN) {
		tap_skip("241: SIGHUP stays ignored", "see lend_thread()");
		tap_skip("waiting for a signal is no deadlock", "likewise");
	} else {
		tap_child("241: SIGHUP stays ignored", child_nohup, 0, "");
		tap_child("waiting for a signal is no deadlock", child_waits,
		    0, "");
	}
	tap_plain("handlers are put back", put_back);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
