/* SPDX-License-Identifier: MIT */
/*
 * os/linux_faults.c - stack overflow caught on another stack; backtraces.
 * Layer 1.  Uses: os.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../os.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#if defined __has_include
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAVE_BACKTRACE 1
#endif
#endif

static bool (*overflow_at)(void *address);
static struct sigaction old_segv, old_bus;

static void
on_fault(int signo, siginfo_t *info, void *context)
{
	struct sigaction *old = signo == SIGBUS ? &old_bus : &old_segv;

	if (overflow_at && overflow_at(info->si_addr))
		abort();		/* it has been reported */
	if (old->sa_flags & SA_SIGINFO) {
		old->sa_sigaction(signo, info, context);
	} else if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN) {
		signal(signo, SIG_DFL);	/* the instruction faults again */
	} else
		old->sa_handler(signo);
}

int
wf__os_catch_faults(bool (*overflow)(void *address))
{
	struct sigaction a = { .sa_sigaction = on_fault,
	    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	sigemptyset(&a.sa_mask);
	overflow_at = overflow;
	if (sigaction(SIGSEGV, &a, &old_segv) < 0)
		return -errno;
	if (sigaction(SIGBUS, &a, &old_bus) < 0) {
		sigaction(SIGSEGV, &old_segv, NULL);
		return -errno;
	}
	return 0;
}

/* Put back what was found, unless the host has set its own meanwhile. */
static void
uncatch(int signo, const struct sigaction *old)
{
	struct sigaction now;

	if (sigaction(signo, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
	    now.sa_sigaction == on_fault)
		sigaction(signo, old, NULL);
}

void
wf__os_uncatch_faults(void)
{
	uncatch(SIGSEGV, &old_segv);
	uncatch(SIGBUS, &old_bus);
	overflow_at = NULL;
}

static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
enum { DEADLY = sizeof deadly / sizeof *deadly };
static struct sigaction old_deadly[DEADLY];
static void (*tell_death)(void);

/* With the old handlers back in place, abort() goes on and a fault comes
 * again. */
static void
on_death(int signo)
{
	void (*tell)(void) = tell_death;

	(void)signo;
	wf__os_uncatch_death();
	if (tell)
		tell();
}

void
wf__os_catch_death(void (*tell)(void))
{
	struct sigaction a = { .sa_handler = on_death,
	    .sa_flags = SA_ONSTACK | SA_NODEFER };

	sigemptyset(&a.sa_mask);
	tell_death = tell;
	for (int i = 0; i < DEADLY; i++)
		sigaction(deadly[i], &a, &old_deadly[i]);
}

void
wf__os_uncatch_death(void)
{
	tell_death = NULL;
	for (int i = 0; i < DEADLY; i++)
		sigaction(deadly[i], &old_deadly[i], NULL);
}

int
wf__os_altstack_on(struct wf__os_altstack *a)
{
	stack_t s = { 0 };

	a->memory = NULL;
	a->size = 64 * 1024;
	if (sigaltstack(NULL, &s) == 0 && !(s.ss_flags & SS_DISABLE))
		return 0;		/* a sanitizer or the host has one */
	if (!(a->memory = wf__os_map(a->size)))
		return -ENOMEM;
	s = (stack_t){ .ss_sp = a->memory, .ss_size = a->size };
	return sigaltstack(&s, NULL) < 0 ? -errno : 0;
}

void
wf__os_altstack_off(struct wf__os_altstack *a)
{
	stack_t s = { .ss_flags = SS_DISABLE };

	if (!a->memory)
		return;
	sigaltstack(&s, NULL);
	wf__os_unmap(a->memory, a->size);
	a->memory = NULL;
}

int
wf__os_backtrace(void **addresses, int n)
{
#ifdef HAVE_BACKTRACE
	return backtrace(addresses, n);
#else
	(void)addresses;
	(void)n;
	return 0;
#endif
}

void
wf__os_backtrace_write(int fd, void *const *addresses, int n)
{
#ifdef HAVE_BACKTRACE
	backtrace_symbols_fd(addresses, n, fd);
#else
	(void)fd;
	(void)addresses;
	(void)n;
#endif
}
