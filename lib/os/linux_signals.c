/* SPDX-License-Identifier: MIT */
/*
 * os/linux_signals.c - signals that were asked for; child processes.
 * Layer 1.  Uses: os.
 *
 * The handler sets a bit and rings: all else is done by who watches the bell.
 * A signal that comes again before its bit is taken is one signal, as it is
 * for the kernel.  The child of a fork has no part in it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static wf__word caught_bits;		/* bit signo - 1 [caught] */
static wf__word32 caught_bell;		/* the eventfd + 1, or 0 [bell-fd] */
static wf__word32 handlers_inside;	/* which may ring it */
static struct sigaction before_catch[64];

static void
on_signal(int signo)
{
	wf__word bits, bit = (wf__word)1 << (signo - 1);
	uint64_t one = 1;
	int saved = errno, bell;

	/* Counted before the bell is looked at: it stays open until then. */
	wf__add32_acq_rel(&handlers_inside, 1);			/* [bell-fd] */
	bell = (int)wf__load32_acquire(&caught_bell);
	do {
		bits = wf__load_acquire(&caught_bits);		/* [caught] */
	} while (bell && !(bits & bit) &&
	    !wf__cas_acq_rel(&caught_bits, bits, bits | bit));
	if (bell && write(bell - 1, &one, sizeof one) < 0)
		errno = saved;	/* it is full: it has been rung */
	wf__add32_acq_rel(&handlers_inside, (unsigned)-1);	/* [bell-fd] */
	errno = saved;
}

static void
forget_bell(void)
{
	wf__store32_release(&caught_bell, 0);			/* [bell-fd] */
}

/* The child of a fork has none of the threads that were inside. */
static void
forget_in_child(void)
{
	forget_bell();
	wf__store32_release(&handlers_inside, 0);		/* [bell-fd] */
}

int
wf__os_signals_open(void)
{
	static bool forks;
	int saved = errno, fd;

	if (!forks)
		forks = pthread_atfork(NULL, NULL, forget_in_child) == 0;
	fd = wf__os_fault() ? -EMFILE :
	    eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd == -1)
		fd = -errno;
	if (fd >= 0)
		wf__store32_release(&caught_bell, (unsigned)fd + 1);
	errno = saved;						/* [bell-fd] */
	return fd;
}

void
wf__os_signals_close(int fd)
{
	int saved = errno;

	forget_bell();
	wf__fence();
	while (wf__load32_acquire(&handlers_inside))		/* [bell-fd] */
		wf__os_yield();
	close(fd);
	errno = saved;
}

uint64_t
wf__os_signals_take(void)
{
	wf__word bits;

	do {
		bits = wf__load_acquire(&caught_bits);		/* [caught] */
	} while (!wf__cas_acq_rel(&caught_bits, bits, 0));
	return bits;
}

bool
wf__os_signal_is_worth(int signo)
{
	switch (signo) {
	case SIGKILL: case SIGSTOP: case SIGSEGV: case SIGBUS: case SIGFPE:
	case SIGILL: case SIGTRAP: case SIGABRT: case SIGSYS:
		return false;
	}
	/* Between them libc keeps two for itself. */
	return (signo >= 1 && signo <= 31) ||
	    (signo >= SIGRTMIN && signo <= SIGRTMAX);
}

int
wf__os_signal_catch(int signo)
{
	struct sigaction a = { .sa_handler = on_signal,
	    .sa_flags = SA_RESTART | SA_ONSTACK };
	int saved = errno, err = 0;

	sigfillset(&a.sa_mask);
	if (sigaction(signo, &a, &before_catch[signo - 1]) < 0)
		err = -errno;
	errno = saved;
	return err;
}

void
wf__os_signal_release(int signo)
{
	struct sigaction now;
	int saved = errno;

	/* Unless the host has set its own meanwhile. */
	if (sigaction(signo, NULL, &now) == 0 && now.sa_handler == on_signal)
		sigaction(signo, &before_catch[signo - 1], NULL);
	errno = saved;
}

int
wf__os_signal_ignore(int signo)
{
	struct sigaction a = { .sa_handler = SIG_IGN };
	int saved = errno, err = 0;

	if (sigaction(signo, &a, NULL) < 0)
		err = -errno;
	errno = saved;
	return err;
}

bool
wf__os_signal_is_ignored(int signo)
{
	struct sigaction now;
	int saved = errno;
	bool ignored = sigaction(signo, NULL, &now) == 0 &&
	    now.sa_handler == SIG_IGN;

	errno = saved;
	return ignored;
}

/* ---- child processes ---- */

extern char **environ;

/* Sources out of the way of 0, 1, 2, then each to its place. */
static int
add_files(posix_spawn_file_actions_t *files, const int fds[3], int moved[3])
{
	int err = 0;

	for (int i = 0; i < 3 && !err; i++)
		if (fds[i] >= 0 && fds[i] < 3 && fds[i] != i &&
		    (moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3)) < 0)
			err = errno;
	for (int i = 0; i < 3 && !err; i++)
		if (fds[i] < 0)
			err = posix_spawn_file_actions_addopen(files, i,
			    "/dev/null", i ? O_WRONLY : O_RDONLY, 0);
		else
			err = posix_spawn_file_actions_adddup2(files,
			    moved[i] >= 0 ? moved[i] : fds[i], i);
	return err;
}

/* Nothing of our own way with signals is the child's. */
static int
set_signals(posix_spawnattr_t *attr)
{
	sigset_t none;

	sigemptyset(&none);
	posix_spawnattr_setsigmask(attr, &none);
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK);
}

int
wf__os_spawn(const struct wf__os_command *c, int *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int moved[3] = { -1, -1, -1 }, err, saved = errno;
	pid_t child;

	if (wf__os_fault() || posix_spawn_file_actions_init(&files))
		return -ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&files);
		return -ENOMEM;
	}
	err = add_files(&files, c->fds, moved);
	if (!err && c->dir)
		err = posix_spawn_file_actions_addchdir_np(&files, c->dir);
	if (!err && !(err = set_signals(&attr)))
		err = posix_spawnp(&child, c->argv[0], &files, &attr, c->argv,
		    c->env ? c->env : environ);
	for (int i = 0; i < 3; i++)
		if (moved[i] >= 0)
			close(moved[i]);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	errno = saved;
	if (!err)
		*pid = (int)child;
	return -err;
}

int
wf__os_pidfd(int pid)
{
	int saved = errno, fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		fd = -errno;
	errno = saved;
	return fd;
}

int
wf__os_pidfd_signal(int pidfd, int signo)
{
	int saved = errno;
	int err = syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ?
	    -errno : 0;

	errno = saved;
	return err;
}

int
wf__os_pidfd_reap(int pidfd, int *status)
{
	siginfo_t info = { .si_pid = 0 };
	int saved = errno, err = 0;

	if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info,
	    WEXITED | WNOHANG) < 0)
		err = -errno;
	else if (!info.si_pid)
		err = -EAGAIN;
	else if (info.si_code == CLD_EXITED)
		*status = info.si_status << 8;
	else
		*status = info.si_status |
		    (info.si_code == CLD_DUMPED ? 0x80 : 0);
	errno = saved;
	return err;
}

int
wf__os_kill_and_reap(int pid)
{
	int saved = errno, status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	errno = saved;
	return 0;
}
