/* SPDX-License-Identifier: MIT */
/*
 * os/linux_cores.c - how many cores this process may keep busy.
 * Layer 1.  Uses: os.
 *
 * The affinity mask, and the CPU bandwidth of the process's control group and
 * all groups above it, in version 2 and version 1 hierarchies.  All of them may
 * change while the process runs.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../os.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

const char *wf__os_root = "";

static FILE *
open_below_root(const char *above, const char *folder, const char *name)
{
	char path[4608];
	int n = snprintf(path, sizeof path, "%s%s%s%s", wf__os_root, above,
	    folder, name);

	return n > 0 && (size_t)n < sizeof path ? fopen(path, "re") : NULL;
}

/* The quota of one cgroup v2 folder, in cores rounded up; 0: none. */
static int
quota_v2(const char *folder)
{
	FILE *f = open_below_root("/sys/fs/cgroup", folder, "/cpu.max");
	long long quota, period;
	int cores = 0;

	if (f) {
		if (fscanf(f, "%lld %lld", &quota, &period) == 2 &&
		    quota > 0 && period > 0)
			cores = (int)((quota + period - 1) / period);
		fclose(f);
	}
	return cores;
}

static long long
number_in(const char *folder, const char *name)
{
	FILE *f = open_below_root("/sys/fs/cgroup/cpu", folder, name);
	long long v = 0;

	if (f) {
		if (fscanf(f, "%lld", &v) != 1)
			v = 0;
		fclose(f);
	}
	return v;
}

static int
quota_v1(const char *folder)
{
	long long quota = number_in(folder, "/cpu.cfs_quota_us");
	long long period = number_in(folder, "/cpu.cfs_period_us");

	return quota > 0 && period > 0 ?
	    (int)((quota + period - 1) / period) : 0;
}

/* The smallest quota from folder up to the root; folder is cut on the way. */
static int
quota_of_chain(char *folder, int (*quota)(const char *))
{
	int least = 0, q;
	char *slash;

	for (;;) {
		q = quota(folder);
		if (q && (!least || q < least))
			least = q;
		if (!(slash = strrchr(folder, '/')))
			return least;
		*slash = '\0';
	}
}

static int
cgroup_cores(void)
{
	char line[4200], *folder;
	int least = 0, q;
	FILE *f;

	if (!(f = open_below_root("/proc/self/cgroup", "", "")))
		return 0;
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3) == 0) {
			q = quota_of_chain(line + 3, quota_v2);
		} else if ((folder = strstr(line, "cpu:/")) ||
		    (folder = strstr(line, "cpu,cpuacct:/"))) {
			q = quota_of_chain(strchr(folder, ':') + 1, quota_v1);
		} else
			continue;
		if (q && (!least || q < least))
			least = q;
	}
	fclose(f);
	return least;
}

int
wf__os_cores(void)
{
	int saved = errno, cores = 1, quota;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		cores = CPU_COUNT(&set);
	else if ((cores = (int)sysconf(_SC_NPROCESSORS_ONLN)) < 1)
		cores = 1;
	quota = cgroup_cores();
	if (quota && quota < cores)
		cores = quota;
	errno = saved;
	return cores;
}
