/* SPDX-License-Identifier: MIT */
/*
 * switch.h - the register switch: from one stack to another.
 * Layer 1.  Uses: base.
 *
 * The CPU's own is lib/arch/<cpu>/switch.S; lib/arch/ucontext.c stands in
 * elsewhere.  A suspended stack is named by one pointer.
 */
#ifndef WF__SWITCH_H
#define WF__SWITCH_H

#include "base.h"

/* Suspend the running stack, leave its name in *save, resume load. */
void wf__switch(void **save, void *load);

/* Make a stack, of which the bytes [low, high) are free to use, such that the
 * first switch to the result calls fn, which must never return. */
void *wf__switch_prepare(void *low, void *high, void (*fn)(void));

/* New stacks start with the floating-point control words of the caller. */
void wf__switch_inherit(void);
/* Load these control words here and now, where they differ. */
void wf__switch_renew(void);

/* Call fn with words in its argument registers: those of the integer class,
 * and those of the floating-point class (NULL: none).  fn's int result. */
int wf__switch_call(void (*fn)(void), const uint64_t ints[8],
    const uint64_t floats[8]);

#if WF__ARCH_X86_64
/* Run fn on top of a suspended stack; see arch/x86_64/switch.S. */
void wf__switch_visit(void **save, void *load, void (*fn)(void));
#endif

#endif
