/* SPDX-License-Identifier: MIT */
/*
 * os/linux_guards.c - os.h on Linux: guards of stacks.
 * Layer 1.  Uses: os.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../os.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef PIDFD_SELF
#define PIDFD_SELF (-10000)
#endif

/* How many protected guards the process may have: each splits a mapping in
 * two more, and half of the limit is left to the program. */
static long
protect_budget(void)
{
	long limit = 65530;
	FILE *f = fopen("/proc/sys/vm/max_map_count", "re");

	if (f) {
		if (fscanf(f, "%ld", &limit) != 1)
			limit = 65530;
		fclose(f);
	}
	return limit / 4;
}

enum wf__os_guard
wf__os_guard(void *p, size_t size)
{
	static wf__word no_marks, protected;
	static long budget;
	enum wf__os_guard made = WF__GUARD_NONE;
	int saved = errno;

#ifdef WEFT_NO_GUARD_MARKS
	wf__store_relaxed(&no_marks, 1);
#endif
	/* Relaxed: only a hint that the kernel does not know the call. */
	if (!wf__load_relaxed(&no_marks) && !wf__os_fault()) {
		if (madvise(p, size, MADV_GUARD_INSTALL) == 0)
			made = WF__GUARD_MARK;
		else if (errno == EINVAL || errno == EPERM || errno == ENOSYS)
			wf__store_relaxed(&no_marks, 1);
	}
	if (made == WF__GUARD_NONE) {
		if (!budget)
			budget = protect_budget();
		/* Relaxed: a count. */
		if ((long)wf__add_relaxed(&protected, 1) < budget &&
		    !wf__os_fault() && mprotect(p, size, PROT_NONE) == 0)
			made = WF__GUARD_PROTECT;
	}
	errno = saved;
	return made;
}

/* The call takes as long as three of those above, most of which is entering
 * the kernel and finding the mapping.  Linux 6.14 and later. */
unsigned
wf__os_guard_row(void *p, size_t size, size_t stride, unsigned n)
{
#if defined SYS_process_madvise && !defined WEFT_NO_GUARD_MARKS
	static wf__word refused;
	struct iovec rows[WF__GUARD_ROW];
	int saved = errno;
	long done = -1;

	n = n < WF__GUARD_ROW ? n : WF__GUARD_ROW;
	for (unsigned i = 0; i < n; i++)
		rows[i] = (struct iovec){ (char *)p + i * stride, size };
	/* Relaxed: only a hint that the kernel does not know the call. */
	if (!wf__load_relaxed(&refused) && !wf__os_fault())
		done = syscall(SYS_process_madvise, PIDFD_SELF, rows,
		    (size_t)n, MADV_GUARD_INSTALL, 0);
	if (done < 0)
		wf__store_relaxed(&refused, 1);
	errno = saved;
	return done < 0 ? 0 : (unsigned)((size_t)done / size);
#else
	(void)p, (void)size, (void)stride, (void)n;
	return 0;
#endif
}
