/* SPDX-License-Identifier: MIT */
/*
 * arch/ucontext.c - the register switch on CPUs that have no assembly here.
 *
 * Built on the C library's swapcontext(), which makes a system call for the
 * signal mask: ten times slower, and right.  Included by switch.c.
 *
 * wf__switch_call() relies on calling conventions that pass integers and
 * floating-point values in two separate register files, in order (AArch64,
 * RISC-V with hard floats, LoongArch, x86-64): then one call with eight of
 * each is every call.
 */
#include <ucontext.h>

void
wf__switch_inherit(void)
{
}

void
wf__switch_renew(void)
{
}

void
wf__switch(void **save, void *load)
{
	ucontext_t here;

	*save = &here;
	swapcontext(&here, load);
}

void *
wf__switch_prepare(void *low, void *high, void (*fn)(void))
{
	uintptr_t at = ((uintptr_t)high - sizeof(ucontext_t)) & ~(uintptr_t)63;
	ucontext_t *u = (ucontext_t *)at;

	getcontext(u);
	u->uc_stack.ss_sp = low;
	u->uc_stack.ss_size = at - (uintptr_t)low;
	u->uc_link = NULL;
	makecontext(u, fn, 0);
	return u;
}

int
wf__switch_call(void (*fn)(void), const uint64_t i[8], const uint64_t f[8])
{
	typedef int eight(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
	    uint64_t, uint64_t, uint64_t);
	typedef int sixteen(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
	    uint64_t, uint64_t, uint64_t, double, double, double, double,
	    double, double, double, double);
	double d[8];

	if (!f)
		return ((eight *)fn)(i[0], i[1], i[2], i[3], i[4], i[5], i[6],
		    i[7]);
	memcpy(d, f, sizeof d);
	return ((sixteen *)fn)(i[0], i[1], i[2], i[3], i[4], i[5], i[6], i[7],
	    d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}
