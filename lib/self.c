/* SPDX-License-Identifier: MIT */
/*
 * self.c - the one thread-local variable, and errno's safe address.
 * Layer 1.  Uses: self.
 */
#include "self.h"

#include <errno.h>

static __thread struct wf__worker *self
    __attribute__((tls_model("initial-exec")));

WF__NOINLINE struct wf__worker *
wf__self(void)
{
	struct wf__worker *w = self;

	__asm__ volatile("" : "+r"(w) :: "memory");
	return w;
}

WF__NOINLINE void
wf__self_set(struct wf__worker *w)
{
	self = w;
	__asm__ volatile("" ::: "memory");
}

WF_API WF__NOINLINE int *
wf__errno_address(void)
{
	int *e = &errno;

	__asm__ volatile("" : "+r"(e) :: "memory");
	return e;
}
