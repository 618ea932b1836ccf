/* SPDX-License-Identifier: MIT */
/*
 * refused.c - a kernel that is old, strict or short of memory: without guard
 * marks, without any guard, without membarrier(), with little address space.
 *
 * A filter of the child refuses the calls.  The rest of the suite then holds
 * as well; here is what differs.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "tap.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "os.h"
#include "sched.h"

enum { GUARD_INSTALL = 102, CROWD = 300, WORKERS = 4 };

/* Answer err to a call whose argument at index (none if negative) is value.
 * The low words of arguments are enough here. */
static int
refuse(int call, int index, uint32_t value, int err)
{
	uint32_t at = offsetof(struct seccomp_data, args) +
	    8 * (uint32_t)(index > 0 ? index : 0);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
		    SECCOMP_RET_ERRNO | (uint32_t)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };

	if (index < 0)
		code[3].jf = 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
	return 0;
}

static bool
can_refuse(void)
{
	int status = 1;
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) == 0)
		_exit(refuse(SYS_membarrier, -1, 0, ENOSYS) < 0 ||
		    syscall(SYS_membarrier, 0, 0, 0) != -1 || errno != ENOSYS);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Marks in rows are of newer kernels than marks. */
static bool
refuse_rows(void)
{
#ifdef SYS_process_madvise
	return check_eq(refuse(SYS_process_madvise, -1, 0, EBADF), 0);
#else
	return true;
#endif
}

static bool
refuse_marks(void)
{
	return check_eq(refuse(SYS_madvise, 2, GUARD_INSTALL, EINVAL), 0) &&
	    refuse_rows();
}

static bool
refuse_guards(void)
{
	return refuse_marks() &&
	    check_eq(refuse(SYS_mprotect, 2, PROT_NONE, ENOMEM), 0);
}

/* ---- what any program does ---- */

static void
square(int n, wf_chan(int) out)
{
	wf_yield();
	wf_send(out, n * n);
}

static int
crowd(void)
{
	wf_chan(int) out = wf_chan_make(int, 0);
	long sum = 0, wanted = 0;
	int v;

	for (int i = 1; i <= CROWD; i++) {
		check_eq(wf_spawn(square, i, out), 0);
		wanted += i * i;
	}
	for (int i = 1; i <= CROWD && check_eq(wf_recv(out, &v), 1); i++)
		sum += v;
	check_eq(sum, wanted);
	wf_chan_free(out);
	return 0;
}

static int
run_crowd(void)
{
	wf_workers(WORKERS);
	check_eq(wf_run(crowd), 0);
	check_eq(wf_run(crowd), 0);
	tap_note("passed");
	return 0;
}

static int
crowd_without_rows(void)
{
	return refuse_rows() ? run_crowd() : 1;
}

static int
crowd_without_marks(void)
{
	return refuse_marks() ? run_crowd() : 1;
}

static int
crowd_without_guards(void)
{
	return refuse_guards() ? run_crowd() : 1;
}

/* A full fence takes the place of the asymmetric one. */
static int
crowd_without_membarrier(void)
{
	if (!check_eq(refuse(SYS_membarrier, -1, 0, EPERM), 0))
		return 1;
	run_crowd();
	check(!wf__os_asymmetric);
	return 0;
}

/* ---- overflows ---- */

static __attribute__((noinline)) int
fall(int depth)
{
	volatile char room[1024];

	room[0] = (char)depth;
	return depth ? fall(depth - 1) + room[0] : 0;
}

static void
fall_deep(void)
{
	check(fall(1 << 20) != 0);
}

static int
overflow(void)
{
	check_eq(wf_spawn(fall_deep), 0);
	wf_sleep(60 * WF_SEC);
	return 0;
}

/* The guard is a protected page now. */
static int
overflow_without_marks(void)
{
	return refuse_marks() ? wf_run(overflow) : 1;
}

/* What an overflow does first, without the harm to its neighbour. */
static void
touch_end(void)
{
	uint64_t *canary = wf__self()->running->stack.canary;

	if (check(canary != NULL))
		*canary = 0;
	wf_yield();
	wf_sleep(WF_MS);
}

static int
overflow_unseen(void)
{
	check_eq(wf_spawn(touch_end), 0);
	wf_sleep(60 * WF_SEC);
	return 0;
}

static int
overflow_without_guards(void)
{
	return refuse_guards() ? wf_run(overflow_unseen) : 1;
}

/* ---- little address space ---- */

static size_t
address_space(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Stacks of 1 MiB for all would need four times what is left.  Those that get
 * none begin when others have ended, whose workers may be asleep. */
static int
many_stacks(void)
{
	enum { MANY = 256 };
	wf_chan(int) out = wf_chan_make(int, 0);
	struct wf_attr large = { .stack_size = 1 << 20 };
	struct wf_stats stats;
	struct rlimit limit;
	int v, received = 0;
	long sum = 0;

	limit.rlim_cur = limit.rlim_max = address_space() + (64 << 20);
	check_eq(setrlimit(RLIMIT_AS, &limit), 0);
	for (int i = 0; i < MANY; i++) {
		/* Nor may there be memory for a start record. */
		while (wf_spawn_with(&large, square, i, out) < 0 &&
		    check(received < i) && check_eq(wf_recv(out, &v), 1)) {
			sum += v;
			received++;
		}
	}
	tap_settle();
	while (received < MANY && check_eq(wf_recv(out, &v), 1)) {
		sum += v;
		received++;
	}
	check_eq(sum, (long)(MANY - 1) * MANY * (2 * MANY - 1) / 6);
	wf_stats(&stats);
	check(stats.stacks < MANY / 2);
	wf_chan_free(out);
	tap_note("passed");
	return 0;
}

static int
little_memory(void)
{
	wf_workers(WORKERS);
	return wf_run(many_stacks);
}

static void
refusals(void)
{
	static const char spoken[] = "this system grants no guard pages";

	tap_child("without rows of guard marks", crowd_without_rows, 0,
	    "passed");
	tap_child("without guard marks", crowd_without_marks, 0, "passed");
	tap_child("without guard marks: overflow", overflow_without_marks,
	    TAP_ABORTED, "more than the", "fall_deep", "refused.c:");
	tap_child("without guards", crowd_without_guards, 0, "passed", spoken);
	tap_child("without guards: overflow", overflow_without_guards,
	    TAP_ABORTED, "has run over", "touch_end", spoken);
	tap_child("without membarrier", crowd_without_membarrier, 0, "passed");
}

int
main(void)
{
	if (can_refuse())
		refusals();
	else
		tap_skip("calls are refused", "no filter can be set here");
	if (TAP_ASAN || TAP_TSAN)
		tap_skip("little address space", "the sanitizer takes it all");
	else
		tap_child("little address space", little_memory, 0, "passed");
	return tap_end();
}
