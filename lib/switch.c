/* SPDX-License-Identifier: MIT */
/*
 * switch.c - how a new stack is laid out for the CPU's register switch.
 * Layer 1.  Uses: switch.
 */
#include "switch.h"

#if WF__ARCH_X86_64

void wf__switch_entry(void);

/* The frame that wf__switch() resumes, as drawn in arch/x86_64/switch.S. */
struct wf__switch_frame {
	uint32_t mxcsr, x87;
	void *r15, *r14, *r13, *r12, *rbx, *rbp;
	void *ip;
};

_Static_assert(offsetof(struct wf__switch_frame, rbx) == 40, "switch.S");
_Static_assert(offsetof(struct wf__switch_frame, ip) == 56, "switch.S");

/* The control words a new coroutine starts with: those of the thread that
 * started the runtime. */
static uint32_t start_mxcsr = 0x1f80, start_x87 = 0x37f;

void
wf__switch_inherit(void)
{
	uint32_t mxcsr;
	uint16_t x87;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(x87));
	start_mxcsr = mxcsr & 0xffc0;
	start_x87 = x87;
}

void
wf__switch_renew(void)
{
	uint32_t mxcsr;
	uint16_t x87;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(x87));
	if (wf__unlikely((mxcsr & 0xffc0) != start_mxcsr || x87 != start_x87)) {
		mxcsr = start_mxcsr;
		x87 = (uint16_t)start_x87;
		__asm__ volatile("ldmxcsr %0" :: "m"(mxcsr));
		__asm__ volatile("fldcw %0" :: "m"(x87));
	}
}

void *
wf__switch_prepare(void *low, void *high, void (*fn)(void))
{
	uintptr_t top = (uintptr_t)high & ~(uintptr_t)15;
	struct wf__switch_frame *f;

	(void)low;
	/* wf__switch_entry starts with rsp = top, and calls from there. */
	f = (struct wf__switch_frame *)top - 1;
	memset(f, 0, sizeof *f);
	f->mxcsr = start_mxcsr;
	f->x87 = start_x87;
	f->rbx = (void *)(uintptr_t)fn;
	/* After the nop. */
	f->ip = (void *)((uintptr_t)wf__switch_entry + 1);
	return f;
}

#else

#include "arch/ucontext.c"

#endif
