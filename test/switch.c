/* SPDX-License-Identifier: MIT */
/*
 * switch.c - the register switch alone: there and back, what it keeps, and
 * that a debugger finds the callers at each of its instructions.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "tap.h"

#include "switch.h"

/* Sanitizers want to be told of each switch; coro.c is tested under them. */
#if !TAP_ASAN && !TAP_TSAN

enum { SIZE = 256 << 10, TIMES = 1000 };

static char room[SIZE] __attribute__((aligned(64)));
static void *here, *there;
static long turns;
static uint64_t random_state;

static void
go_back(void)
{
	wf__switch(&there, here);
}

static void
count(void)
{
	/* As a called function finds it. */
	check_eq((uintptr_t)__builtin_frame_address(0) % 16, 0);
	for (;;) {
		turns++;
		go_back();
	}
}

static void
begin(void (*fn)(void))
{
	turns = 0;
	there = wf__switch_prepare(room, room + SIZE, fn);
}

static void
there_and_back(void)
{
	begin(count);
	for (int i = 1; i <= TIMES; i++) {
		wf__switch(&here, there);
		check_eq(turns, i);
	}
}

/* Enough live values for all registers that a call keeps.  Both sides draw
 * from the same row, so that each overwrites what the other has in them. */
__attribute__((noinline)) static uint64_t
churn(void **save, void *const *load, int times)
{
	uint64_t *s = &random_state, a = tap_random(s), b = tap_random(s),
	    c = tap_random(s), d = tap_random(s), e = tap_random(s),
	    f = tap_random(s), sum = a + b + c + d + e + f, now;

	for (int i = 0; i < times; i++) {
		wf__switch(save, *load);
		now = a + b + c + d + e + f;
		check(now == sum);
		a ^= i, b += a, c ^= b, d += c, e ^= d, f += e;
		sum = a + b + c + d + e + f;
	}
	return sum;
}

static void
churn_there(void)
{
	for (;;)
		turns += churn(&there, &here, TIMES) != 0;
}

static void
values(void)
{
	random_state = tap_seed();
	begin(churn_there);
	for (int i = 0; i < 10; i++)
		check(churn(&here, &there, TIMES) != 0);
	check(turns > 5);
}

#else

static void
there_and_back(void)
{
}

static void
values(void)
{
}

#endif

/*
 * The trap flag stops the thread after each instruction of a switch, and the
 * handler unwinds from there.  On the made stack the way must end where that
 * one begins, on the thread's at who called drive().
 */
#if WF__ARCH_X86_64 && !TAP_ASAN && !TAP_TSAN

#include <sys/ucontext.h>
#include <unwind.h>

enum { DEPTH = 64, ENTRY_BYTES = 32 };

void wf__switch_entry(void);		/* stands behind wf__switch() */

static struct {
	uintptr_t way[DEPTH];
	int n;
	bool ended;
} found;
static uintptr_t caller;
static int stops, stops_there, lost;

static _Unwind_Reason_Code
note_frame(struct _Unwind_Context *c, void *arg)
{
	uintptr_t ip = _Unwind_GetIP(c);

	(void)arg;
	if (!ip)
		found.ended = true;	/* by a rule, not for want of one */
	else if (found.n < DEPTH)
		found.way[found.n++] = ip;
	return _URC_NO_REASON;
}

static bool
is_in_entry(uintptr_t ip)
{
	uintptr_t entry = (uintptr_t)wf__switch_entry;

	return ip >= entry && ip < entry + ENTRY_BYTES;
}

static bool
was_passed(uintptr_t ip)
{
	for (int i = 0; i < found.n; i++)
		if (found.way[i] == ip)
			return true;
	return false;
}

static void
on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	uintptr_t ip = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
	char *sp = (char *)u->uc_mcontext.gregs[REG_RSP];
	bool made = sp >= room && sp <= room + SIZE, good;

	(void)sig;
	(void)info;
	if (ip < (uintptr_t)wf__switch ||
	    ip >= (uintptr_t)wf__switch_entry + ENTRY_BYTES)
		return;
	found.n = 0;
	found.ended = false;
	_Unwind_Backtrace(note_frame, NULL);
	good = made ? found.ended && is_in_entry(found.way[found.n - 1]) :
	    was_passed(caller);
	if (!good)
		tap_note("lost %#lx bytes into wf__switch(), on the %s stack",
		    (unsigned long)(ip - (uintptr_t)wf__switch),
		    made ? "made" : "thread's");
	stops++;
	stops_there += made;
	lost += !good;
}

static void
trap_flag(bool on)
{
	if (on)
		__asm__ volatile("subq $128, %%rsp; pushfq\n\t"
		    "orq $0x100, (%%rsp); popfq; subq $-128, %%rsp"
		    ::: "memory", "cc");
	else
		__asm__ volatile("subq $128, %%rsp; pushfq\n\t"
		    "andq $~0x100, (%%rsp); popfq; subq $-128, %%rsp"
		    ::: "memory", "cc");
}

__attribute__((noinline)) static void
drive(void)
{
	caller = (uintptr_t)__builtin_return_address(0);
	trap_flag(true);
	wf__switch(&here, there);	/* it begins */
	wf__switch(&here, there);	/* and goes on */
	trap_flag(false);
}

static void
unwound(void)
{
	struct sigaction a, old;

	memset(&a, 0, sizeof a);
	a.sa_sigaction = on_step;
	a.sa_flags = SA_SIGINFO;
	sigaction(SIGTRAP, &a, &old);
	begin(count);
	drive();
	sigaction(SIGTRAP, &old, NULL);
	check_eq(turns, 2);
	check(stops > 60 && stops_there > 20);
	check_eq(lost, 0);
}

#endif

int
main(void)
{
	if (TAP_ASAN || TAP_TSAN) {
		tap_skip("there and back", "not under a sanitizer");
		tap_skip("live values", "not under a sanitizer");
	} else {
		tap_plain("there and back", there_and_back);
		tap_plain("live values", values);
	}
#if WF__ARCH_X86_64 && !TAP_ASAN && !TAP_TSAN
	tap_plain("callers are found at each instruction", unwound);
#else
	tap_skip("callers are found at each instruction",
	    "only with weft's own switch, and not under a sanitizer");
#endif
	return tap_end();
}
