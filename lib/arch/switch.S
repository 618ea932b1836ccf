/* SPDX-License-Identifier: MIT */
/*
 * arch/switch.S - the register switch of this CPU; with lib/weft.c the other
 * of the two files to compile.  Empty where there is no assembly for the CPU:
 * then lib/arch/ucontext.c serves.
 */
#if defined __x86_64__ && !defined WEFT_UCONTEXT
#include "x86_64/switch.S"
#endif

#if defined __linux__ && defined __ELF__
	.section .note.GNU-stack, "", %progbits
#endif
