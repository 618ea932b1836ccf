/* SPDX-License-Identifier: MIT */
/*
 * cores.c - tests of how many cores there are for us: the quotas of control
 * groups, in a tree of files that stands in for the system's, and changed
 * while the runtime runs.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <sys/stat.h>

#include "tap.h"

#include "os.h"
#include "workers.h"

static char root[] = "/tmp/weft-cores-XXXXXX";

/* Write a file below the root, and make its folders. */
static void
put(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof full, "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0700);
		*p = '/';
	}
	if (check((f = fopen(full, "w")) != NULL)) {
		fputs(text, f);
		fclose(f);
	}
}

static void
clear(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s/*", root);
	check_eq(system(command), 0);
}

static void
none(void)
{
	cpu_set_t set;

	clear();
	check_eq(sched_getaffinity(0, sizeof set, &set), 0);
	check_eq(wf__os_cores(), CPU_COUNT(&set));
}

/* The least of the chain counts, rounded up. */
static void
version_2(void)
{
	clear();
	put("/proc/self/cgroup", "0::/a/b\n");
	put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	check(wf__os_cores() >= 2);
	put("/sys/fs/cgroup/a/cpu.max", "100000 100000\n");
	check_eq(wf__os_cores(), 1);
	put("/sys/fs/cgroup/a/cpu.max", "100001 100000\n");
	check_eq(wf__os_cores(), 2);
	put("/sys/fs/cgroup/cpu.max", "1000 100000\n");
	check_eq(wf__os_cores(), 1);
	put("/sys/fs/cgroup/cpu.max", "nonsense\n");
	put("/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
	check_eq(wf__os_cores(), 1);
	put("/sys/fs/cgroup/a/b/cpu.max", "5000000 100000\n");
	check_eq(wf__os_cores(), 2);
}

/* The folder of another namespace may not be there; those above it are. */
static void
not_there(void)
{
	clear();
	put("/proc/self/cgroup", "0::/docker/0123456789abcdef\n");
	put("/sys/fs/cgroup/cpu.max", "100000 100000\n");
	check_eq(wf__os_cores(), 1);
	put("/proc/self/cgroup", "0::/\n");
	check_eq(wf__os_cores(), 1);
}

static void
version_1(void)
{
	clear();
	put("/proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a/b\n0::/\n");
	put("/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
	put("/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
	check(wf__os_cores() >= 2);
	put("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "50000\n");
	put("/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "50000\n");
	check_eq(wf__os_cores(), 1);
	put("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "60000\n");
	check_eq(wf__os_cores(), 2);
	put("/proc/self/cgroup", "4:cpu:/a\n");
	put("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "10000\n");
	check_eq(wf__os_cores(), 1);
}

/* ---- while the runtime runs ---- */

static void
grant(int cores)
{
	put("/sys/fs/cgroup/a/cpu.max", cores == 1 ? "100000 100000\n" :
	    "200000 100000\n");
}

static int
follow(void)
{
	for (int i = 0; i < 2; i++) {
		check_eq(wf_workers(0), 1);
		grant(2);
		while (wf_workers(0) != 2)
			wf_sleep(5 * WF_MS);
		grant(1);
		while (wf_workers(0) != 1)
			wf_sleep(5 * WF_MS);
	}
	return 0;
}

/* What the program says stays, whatever the monitor has read.  (It may put back
 * what we say in its name.) */
static int
leave_alone(void)
{
	do
		wf__workers_follow(2);
	while (wf_workers(0) != 2);
	check(wf_workers(3) < 3);
	wf__workers_follow(2);
	check_eq(wf_workers(0), 3);
	return 0;
}

static void
changes(void)
{
	clear();
	put("/proc/self/cgroup", "0::/a\n");
	grant(1);
	check_eq(wf_run(follow), 0);
	check_eq(wf_run(leave_alone), 0);
}

int
main(void)
{
	cpu_set_t set;

	unsetenv("WEFT_WORKERS");
	if (sched_getaffinity(0, sizeof set, &set) < 0 ||
	    CPU_COUNT(&set) < 2) {
		tap_skip("quotas", "there is one core only");
		return tap_end();
	}
	/* Two, on any machine. */
	for (int i = 0, n = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set) && ++n > 2)
			CPU_CLR(i, &set);
	check_eq(sched_setaffinity(0, sizeof set, &set), 0);
	if (!mkdtemp(root))
		return 1;
	wf__os_root = root;
	tap_plain("without quotas", none);
	tap_plain("cgroup version 2", version_2);
	tap_plain("a chain that is not all there", not_there);
	tap_plain("cgroup version 1", version_1);
	tap_plain("a quota that changes", changes);
	clear();
	rmdir(root);
	return tap_end();
}
