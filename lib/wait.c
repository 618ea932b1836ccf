/* SPDX-License-Identifier: MIT */
/*
 * wait.c - numbers for the objects that are waited on.
 * Layer 3.  Uses: wait.
 */
#include "wait.h"

uint64_t
wf__wait_number(void)
{
	static wf__word last;

	/* Relaxed: numbers only have to differ. */
	return wf__add_relaxed(&last, 1) + 1;
}
