/* SPDX-License-Identifier: MIT */
/*
 * os/linux_look.c - where another thread is, while it goes on.
 * Layer 1.  Uses: os.
 *
 * The thread is asked by a real-time signal that nobody has, and answers from
 * its handler with its callers.
 *
 *   I1  ticket is the number of the question that may still be answered, or 0.
 *       Who changes it to 0 by compare-and-swap, the handler or who asked and
 *       withdraws, has won [look]; so an answer that comes late writes nothing.
 *   I2  From then on frames are the handler's, until it sets answered to the
 *       number of the question [answer].
 *
 * No call of the program is to fail with EINTR because of it.  The kernel
 * takes up some calls again by itself (SA_RESTART: read, write, wait, a lock);
 * others it never does, as sleep, poll, select, epoll_wait, a wait with
 * a timeout, pause.  Those the handler takes up again: it finds the thread
 * right behind the instruction of a system call that gave EINTR, and sets it
 * back by one instruction.  A sleep is given what was left of it; a timeout
 * that the kernel does not count down (poll, epoll_wait) begins anew.  Not so
 * close(), which has closed all the same.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* A system call that a thread sits in, from /proc. */
struct seen_call {
	long number;			/* -1: none, or not known */
	unsigned long args[6], sp, ip;
};

static struct {
	int signo;			/* 0: closed */
	struct sigaction old;
	wf__word ticket;		/* I1 */
	wf__word32 answered;
	unsigned asked;			/* the last ticket; by who asks */
	struct seen_call call;		/* fixed while a ticket is out */
	int n;				/* I2 */
	void *frames[WF__OS_FRAMES];
} look;

/* ---- taking up a system call again ---- */

#if defined __x86_64__ && defined REG_RIP

static bool
is_same_call(const greg_t *r, const struct seen_call *c)
{
	const int where[] = { REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8,
	    REG_R9 };

	for (int i = 0; i < 6; i++)
		if ((unsigned long)r[where[i]] != c->args[i])
			return false;
	return c->number >= 0 && (unsigned long)r[REG_RIP] == c->ip &&
	    (unsigned long)r[REG_RSP] == c->sp;
}

/* The number of the call that ends at ip: as it was seen from outside, or by
 * the instruction before, "mov $number, %eax".  -1: not known. */
static long
number_of(const greg_t *r, const struct seen_call *seen)
{
	const unsigned char *ip = (const unsigned char *)r[REG_RIP];
	unsigned number;

	if (seen && is_same_call(r, seen))
		return seen->number;
	memcpy(&number, ip - 6, sizeof number);
	return ip[-7] == 0xb8 && number < 1024 ? (long)number : -1;
}

/* After a system call, and only there, rcx is the address of the next
 * instruction. */
static void
take_up_again(ucontext_t *u, const struct seen_call *seen)
{
	greg_t *r = u->uc_mcontext.gregs;
	const unsigned char *ip = (const unsigned char *)r[REG_RIP];
	long number;

	if (r[REG_RAX] != -EINTR || r[REG_RCX] != r[REG_RIP] ||
	    ip[-2] != 0x0f || ip[-1] != 0x05)
		return;
	number = number_of(r, seen);
	if (number < 0 || number == SYS_close ||
	    number == SYS_restart_syscall)
		return;
	r[REG_RAX] = number;
	r[REG_RIP] -= 2;
}

static void *
place_of(const ucontext_t *u)
{
	return (void *)u->uc_mcontext.gregs[REG_RIP];
}

#else

static void
take_up_again(ucontext_t *u, const struct seen_call *seen)
{
	(void)u;
	(void)seen;
}

static void *
place_of(const ucontext_t *u)
{
	(void)u;
	return NULL;
}

#endif

/* ---- the answer ---- */

/* The callers, from the place at which the signal came; the handler and what
 * is beneath it are left out. */
static void
note_frames(void *at)
{
	void *all[WF__OS_FRAMES + 8];
	int n = wf__os_backtrace(all, WF__OS_FRAMES + 8), from = 0;

	while (from < n && all[from] != at)
		from++;
	look.n = 0;
	if (from == n && at)
		look.frames[look.n++] = at;	/* that much is certain */
	while (from < n && look.n < WF__OS_FRAMES)
		look.frames[look.n++] = all[from++];
}

static void
on_look(int signo, siginfo_t *info, void *context)
{
	unsigned ticket = (unsigned)info->si_value.sival_int;
	int saved = errno;
	bool asked = info->si_code == SI_QUEUE && ticket &&
	    wf__cas_acq_rel(&look.ticket, ticket, 0);		/* [look] */

	(void)signo;
	take_up_again(context, asked ? &look.call : NULL);
	if (asked) {
		note_frames(place_of(context));
		wf__store32_release(&look.answered, ticket);	/* [answer] */
		wf__os_futex_wake(&look.answered, 1);
	}
	errno = saved;
}

/* ---- the question ---- */

static void
see_call(unsigned id, struct seen_call *c)
{
	char path[64], text[256];
	int fd, n = 0;

	c->number = -1;
	snprintf(path, sizeof path, "/proc/self/task/%u/syscall", id);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	n = (int)read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%ld %lx %lx %lx %lx %lx %lx %lx %lx", &c->number,
	    &c->args[0], &c->args[1], &c->args[2], &c->args[3], &c->args[4],
	    &c->args[5], &c->sp, &c->ip) != 9)
		c->number = -1;		/* "running", or a page fault */
}

static bool
send_ticket(unsigned id, unsigned ticket)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = look.signo;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = (int)ticket;
	return syscall(SYS_rt_tgsigqueueinfo, getpid(), id, look.signo,
	    &info) == 0;
}

static bool
is_ours(void)
{
	struct sigaction now;

	return look.signo && sigaction(look.signo, NULL, &now) == 0 &&
	    (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_look;
}

/* Withdrawn after the handler has begun. */
static bool
is_answered(void)
{
	return wf__load32_acquire(&look.answered) == look.asked; /* [answer] */
}

bool
wf__os_look_ask(const struct wf__os_thread *t)
{
	unsigned id = wf__load32_acquire(&t->id);		/* [start] */
	int saved = errno;
	bool sent = false;

	/* I2; and somebody may have the signal now who does not know us. */
	if (is_answered() && is_ours()) {
		see_call(id, &look.call);
		look.asked = (look.asked + 1) & 0x7fffffff;
		look.asked += !look.asked;
		wf__store_release(&look.ticket, look.asked);	/* [look] */
		sent = send_ticket(id, look.asked);
		if (!sent)
			wf__os_look_withdraw();
	}
	errno = saved;
	return sent;
}

bool
wf__os_look_answer(struct wf__os_look *l, int64_t until)
{
	if (!is_answered())
		wf__os_futex_wait(&look.answered,
		    wf__load32_acquire(&look.answered), until);	/* [answer] */
	if (!is_answered())
		return false;
	l->call = look.call.number;
	l->n = look.n;
	memcpy(l->frames, look.frames, sizeof l->frames);
	return true;
}

void
wf__os_look_withdraw(void)
{
	if (wf__cas_acq_rel(&look.ticket, look.asked, 0))	/* [look] */
		wf__store32_release(&look.answered, look.asked); /* [answer] */
}

/* ---- the signal ---- */

int
wf__os_look_signal(void)
{
	return look.signo;
}

static bool
is_nobodys(int signo)
{
	struct sigaction now;

	return sigaction(signo, NULL, &now) == 0 &&
	    !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
}

int
wf__os_look_open(void)
{
	struct sigaction a = { .sa_sigaction = on_look,
	    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	int signo = SIGRTMAX, saved = errno, err = 0;
	void *frame;

	while (signo >= SIGRTMIN && !is_nobodys(signo))
		signo--;
	sigfillset(&a.sa_mask);
	/* The unwinder is loaded here and now, not in the handler. */
	wf__os_backtrace(&frame, 1);
	wf__os_symbols_open();
	if (signo < SIGRTMIN)
		err = -EBUSY;
	else if (sigaction(signo, &a, &look.old) < 0)
		err = -errno;
	else
		look.signo = signo;
	errno = saved;
	return err;
}

void
wf__os_look_close(void)
{
	if (is_ours())
		sigaction(look.signo, &look.old, NULL);
	look.signo = 0;
	wf__os_symbols_close();
}
