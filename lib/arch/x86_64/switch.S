/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/switch.S - register switch and coroutine entry, System V ABI.
 *
 * A suspended stack, from its saved stack pointer upwards:
 *
 *	 0  MXCSR, x87 control word	(4 + 4 bytes)
 *	 8  r15
 *	16  r14
 *	24  r13
 *	32  r12
 *	40  rbx
 *	48  rbp
 *	56  return address		<- CFA is just above
 *
 * Saved is what a called function must preserve.  That includes the control
 * bits of MXCSR and the x87 control word: a coroutine that changes the
 * rounding mode must not change it for others.  Reading both costs 2 to 3 ns;
 * loading them costs 50, so it is done only where they differ.  The exception
 * flags in MXCSR (the low six bits) are nobody's and not compared.
 *
 * The switch leaves by ret.  Alone in a loop an indirect jmp is as good, but
 * two or three calls deep, as in life, the jmp leaves the return-stack
 * predictor one entry off, and every return above mispredicts: 16 ns against
 * 10 at depth two, 22 against 11 at depth three.
 *
 * Not marked for shadow stacks (SHSTK): ret to another stack's address is
 * what they forbid.  Entry points carry endbr64.
 */
	.text

/* Save all of it on the running stack. */
	.macro suspend
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	pushq %r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	pushq %r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	pushq %r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr (%rsp)
	fnstcw 4(%rsp)
	.endm

/*
 * void wf__switch(void **save, void *load);
 *
 * Suspend the running stack, leave its stack pointer in *save, resume the
 * stack that was suspended with the stack pointer load.
 */
	.globl wf__switch
	.hidden wf__switch
	.type wf__switch, @function
	.balign 16
wf__switch:
	.cfi_startproc
	endbr64
	suspend
	movl (%rsp), %eax
	movzwl 4(%rsp), %ecx
	movq %rsp, (%rdi)
	/* From here on the rules above describe the other stack. */
	movq %rsi, %rsp
	xorl (%rsp), %eax
	xorw 4(%rsp), %cx
	andl $0xffc0, %eax		/* control bits only */
	movzwl %cx, %ecx
	orl %ecx, %eax
	jnz 2f
1:	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	popq %r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore r15
	popq %r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore r14
	popq %r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	popq %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	ret
	.cfi_adjust_cfa_offset 56
	.cfi_rel_offset rbp, 48
	.cfi_rel_offset rbx, 40
	.cfi_rel_offset r12, 32
	.cfi_rel_offset r13, 24
	.cfi_rel_offset r14, 16
	.cfi_rel_offset r15, 8
2:	ldmxcsr (%rsp)
	fldcw 4(%rsp)
	jmp 1b
	.cfi_endproc
	.size wf__switch, . - wf__switch

/*
 * wf__switch_entry: where a new stack begins.  wf__switch_prepare() laid it
 * out so that wf__switch() "returns" here with the function to run in rbx.
 * The unwinder is told that nothing is above.  It looks for the rules of the
 * byte before a return address, as if that were the end of a call: so there is
 * a nop, and the address on a new stack is the one after it.
 */
	.globl wf__switch_entry
	.hidden wf__switch_entry
	.type wf__switch_entry, @function
	.balign 16
wf__switch_entry:
	.cfi_startproc
	.cfi_undefined rip
	.cfi_undefined rbp
	nop
	endbr64
	xorl %ebp, %ebp
	call *%rbx
	ud2				/* it never returns */
	.cfi_endproc
	.size wf__switch_entry, . - wf__switch_entry

/*
 * int wf__switch_call(void (*fn)(void), const uint64_t ints[8],
 *     const uint64_t floats[8]);
 *
 * Call fn with the words as its prototype wants them: six of the integer
 * class in registers and two on the stack, eight of the floating-point class
 * in registers (floats may be NULL: there are none).  What fn leaves in eax
 * is the result.
 */
	.globl wf__switch_call
	.hidden wf__switch_call
	.type wf__switch_call, @function
	.balign 16
wf__switch_call:
	.cfi_startproc
	endbr64
	subq $24, %rsp			/* two words, and alignment */
	.cfi_adjust_cfa_offset 24
	movq %rdi, %r11
	movq %rsi, %r10
	testq %rdx, %rdx
	jz 1f
	movq (%rdx), %xmm0
	movq 8(%rdx), %xmm1
	movq 16(%rdx), %xmm2
	movq 24(%rdx), %xmm3
	movq 32(%rdx), %xmm4
	movq 40(%rdx), %xmm5
	movq 48(%rdx), %xmm6
	movq 56(%rdx), %xmm7
1:	movq 48(%r10), %rax
	movq %rax, (%rsp)
	movq 56(%r10), %rax
	movq %rax, 8(%rsp)
	movq (%r10), %rdi
	movq 8(%r10), %rsi
	movq 16(%r10), %rdx
	movq 24(%r10), %rcx
	movq 32(%r10), %r8
	movq 40(%r10), %r9
	call *%r11
	addq $24, %rsp
	.cfi_adjust_cfa_offset -24
	ret
	.cfi_endproc
	.size wf__switch_call, . - wf__switch_call

/*
 * void wf__switch_visit(void **save, void *load, void (*fn)(void));
 *
 * Run fn on top of the suspended stack load, so that an unwinder in fn sees
 * that stack's callers.  fn must not return: it goes back by wf__switch() to
 * what is left in *save, and the suspended stack stays as it was.
 */
	.globl wf__switch_visit
	.hidden wf__switch_visit
	.type wf__switch_visit, @function
	.balign 16
wf__switch_visit:
	.cfi_startproc
	endbr64
	suspend
	movq %rsp, (%rdi)
	/* The suspended frame has the same shape: the rules hold for it. */
	movq %rsi, %rsp
	call *%rdx
	ud2
	.cfi_endproc
	.size wf__switch_visit, . - wf__switch_visit
