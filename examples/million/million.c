/* SPDX-License-Identifier: MIT */
/*
 * million - a million coroutines, all parked, then all woken.
 *
 * It shows wf_spawn_with() with a small stack, what a parked coroutine costs,
 * and close as the call that wakes everybody.
 *
 *	$ million
 *	1000000 coroutines parked in 5.05 s: 198 thousand per second
 *	each takes 4240 bytes of memory and 129 of page tables
 *	1000000 coroutines woken and ended in 1.22 s: 820 thousand per second
 *
 * Without -n there are fewer where the free memory asks for it.  Should the
 * system not have room for all, it says how far it got and why, goes on with
 * these, and ends with status 1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft.h>

#define MILLION 1000000L
#define BATCH 1000
#define KIB_EACH 6		/* of memory: the page of a stack, and some */

static const char usage[] = "usage: million [-h] [-n number] [-s KiB]\n";

struct crowd {
	wf_chan(char) gate;		/* all wait for its close */
	wf_waitgroup arriving, leaving;
	size_t stack_size;
	long made, parked;
	int64_t begin, full;		/* when the first and the last came */
};

/* One of the million: say that it runs, then wait for the gate to open. */
static void
wait_at(wf_chan(char) gate, wf_waitgroup *arriving)
{
	wf_waitgroup_done(arriving);
	wf_recv(gate, NULL);
}

/* Start n of them, or as many as is possible.  0 or -errno. */
static int
start(struct crowd *c, long n)
{
	struct wf_attr attr = {
		.name = "one of many", .stack_size = c->stack_size,
		.waitgroup = &c->leaving
	};
	int error = 0;

	while (!error && n--) {
		wf_waitgroup_add(&c->arriving, 1);
		error = wf_spawn_with(&attr, wait_at, c->gate, &c->arriving);
		if (error)
			wf_waitgroup_done(&c->arriving);
		else
			c->made++;
	}
	return error;
}

/* Wait until all that were started run.  A coroutine gets its stack when it
 * first runs: without memory for it, that may be never. */
static int
gather(struct crowd *c)
{
	wf_ctx *patience = wf_ctx_with_timeout(wf_ctx_background(), 5 * WF_SEC);
	int error = wf_waitgroup_wait_ctx(patience, &c->arriving);

	wf_ctx_free(patience);
	if (!error) {
		c->parked = c->made;
		c->full = wf_now();
	}
	return error;
}

/* Start and park n coroutines.  0 or -errno. */
static int
fill(struct crowd *c, long n)
{
	int started = 0, gathered = 0;

	while (!started && !gathered && c->made < n) {
		started = start(c, n - c->made < BATCH ? n - c->made : BATCH);
		gathered = gather(c);
	}
	return started ? started : gathered;
}

/* The number after label at the start of a line, in a file of the system; -1
 * if there is none. */
static long
find_number(const char *path, const char *label)
{
	FILE *file = fopen(path, "re");
	char line[128];
	long n = -1;

	while (file && n < 0 && fgets(line, sizeof line, file))
		if (strncmp(line, label, strlen(label)) == 0)
			sscanf(line + strlen(label), "%ld", &n);
	if (file)
		fclose(file);
	return n;
}

/* A million, or as many as the free memory is enough for. */
static long
find_room(void)
{
	long kib = find_number("/proc/meminfo", "MemAvailable:");
	long limit = find_number("/sys/fs/cgroup/memory.max", "");

	if (limit >= 0 && (kib < 0 || limit / 1024 < kib))
		kib = limit / 1024;
	if (kib < 0 || kib / KIB_EACH >= MILLION)
		return MILLION;
	printf("there is memory for fewer than a million\n");
	return kib / KIB_EACH + 1;
}

/* What the system gave this process, in KiB; -1 where it cannot be known. */
struct memory {
	long resident, page_tables;
};

static struct memory
memory_now(void)
{
	return (struct memory){
		find_number("/proc/self/status", "VmRSS:"),
		find_number("/proc/self/status", "VmPTE:"),
	};
}

static void
print_memory(struct memory before, struct memory after, long n)
{
	if (after.resident < 0)
		printf("what each takes cannot be known on this system\n");
	else
		printf("each takes %.0f bytes of memory and %.0f of page "
		    "tables\n",
		    (after.resident - before.resident) * 1024.0 / n,
		    (after.page_tables - before.page_tables) * 1024.0 / n);
}

static void
print_speed(long n, const char *what, int64_t time)
{
	double seconds = (double)time / WF_SEC;

	printf("%ld coroutines %s in %.2f s: %.0f thousand per second\n", n,
	    what, seconds, n / seconds / 1000);
}

static int
app(long n, size_t stack_size)
{
	struct crowd c = { .stack_size = stack_size, .begin = wf_now() };
	struct memory before = memory_now();
	int64_t open;
	int error = -ENOMEM;

	if ((c.gate = wf_chan_make(char, 0)))
		error = fill(&c, n);
	if (c.parked) {
		print_speed(c.parked, "parked", c.full - c.begin);
		print_memory(before, memory_now(), c.parked);
	}
	if (error)
		fprintf(stderr, "million: no more than %ld of %ld coroutines: "
		    "%s\n", c.parked, n, error == -ETIMEDOUT ?
		    "no room for their stacks" : strerror(-error));
	if (c.made) {
		open = wf_now();
		wf_close(c.gate);
		wf_waitgroup_wait(&c.leaving);
		print_speed(c.made, "woken and ended", wf_now() - open);
	}
	wf_chan_free(c.gate);
	return error ? 1 : 0;
}

static int
help(void)
{
	printf("%sPark many coroutines, say what each takes, and wake them.\n"
	    "  -n number  of coroutines (a million, memory permitting)\n"
	    "  -s KiB     of address space for each stack (64)\n", usage);
	return 0;
}

/* The number in text, or 0 if it is not one from 1 to most. */
static long
number(const char *text, long most)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > most ? 0 : n;
}

int
main(int argc, char **argv)
{
	long n = -1, kib = 64;
	int option, status;

	while ((option = getopt(argc, argv, "hn:s:")) != -1) {
		if (option == 'h')
			return help();
		if (option == 'n')
			n = number(optarg, 100000000);
		else if (option == 's')
			kib = number(optarg, 1 << 20);
		if (option == '?' || !n || !kib)
			break;
	}
	if (option != -1 || optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (n < 0)
		n = find_room();
	status = wf_run(app, n, (size_t)kib * 1024);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("million: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
