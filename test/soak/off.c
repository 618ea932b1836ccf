/* SPDX-License-Identifier: MIT */
/*
 * off.c - run a program whose threads are kept off their cores now and then.
 *
 *	off [-s seed] [-n threads] [-m ms] program [argument...]
 *
 * What a busy machine does to a program at bad moments, on purpose: by lot,
 * threads of it, up to the given number at a time (3), stand still wherever
 * they are, each for at most so many milliseconds (300); most for less.  It
 * ends as the program does, or with 99 if it cannot run it.
 *
 * By ptrace(2): so a program that is about signals, traces, or waits for
 * children that stop sees more than it would otherwise.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 8192, CANNOT = 99 };
#define US INT64_C(1000)
#define MS (1000 * US)
#define BETWEEN (300 * US)	/* two that are stopped, on average */

static struct tracee {
	pid_t id;
	enum { RUNS, ASKED, HELD } state;
	int64_t until;		/* when it goes on, if held */
} tracees[MOST];
static int n, not_running, most = 3;
static int64_t longest = 300 * MS;
static uint64_t seed;

static void
die(const char *what)
{
	perror(what);
	exit(CANNOT);
}

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

/* Less than below.  After S. Vigna's splitmix64. */
static int64_t
lot(int64_t below)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (int64_t)((z ^ z >> 31) % (uint64_t)below);
}

static int64_t
stretch(void)
{
	int64_t kind = lot(100);
	int64_t limit = kind < 40 ? MS : kind < 75 ? 20 * MS : longest;

	return 1 + lot(limit < longest ? limit : longest);
}

/* ---- who there is ---- */

static struct tracee *
find(pid_t id)
{
	for (int i = 0; i < n; i++)
		if (tracees[i].id == id)
			return &tracees[i];
	return NULL;
}

static struct tracee *
find_or_add(pid_t id)
{
	struct tracee *t = find(id);

	if (t)
		return t;
	if (n == MOST) {
		fprintf(stderr, "off: more than %d threads\n", MOST);
		exit(CANNOT);
	}
	tracees[n] = (struct tracee){ .id = id, .state = RUNS };
	return &tracees[n++];
}

static void
drop(pid_t id)
{
	struct tracee *t = find(id);

	if (!t)
		return;
	not_running -= t->state != RUNS;
	*t = tracees[--n];
}

static void
let_run(struct tracee *t)
{
	not_running -= t->state != RUNS;
	t->state = RUNS;
}

/* ---- what they tell ---- */

/* It stands still because it was asked to, is new, or is in a group stop. */
static void
standing(struct tracee *t, int signo)
{
	if (signo != SIGTRAP) {
		let_run(t);
		ptrace(PTRACE_LISTEN, t->id, 0, 0);
	} else if (t->state == ASKED) {
		t->state = HELD;
		t->until = now() + stretch();
	} else
		ptrace(PTRACE_CONT, t->id, 0, 0);
}

static void
on_stop(pid_t id, int status)
{
	struct tracee *t = find_or_add(id);
	int event = status >> 16;
	unsigned long child;

	if (event == PTRACE_EVENT_STOP) {
		standing(t, WSTOPSIG(status));
		return;
	}
	if (event && event != PTRACE_EVENT_EXEC &&
	    ptrace(PTRACE_GETEVENTMSG, id, 0, &child) == 0)
		find_or_add((pid_t)child);
	ptrace(PTRACE_CONT, id, 0, event ? 0 : WSTOPSIG(status));
}

/* All that there is to hear; true, and how, if the program has ended. */
static bool
listen_to_all(pid_t program, int *how)
{
	int status;
	pid_t id;

	while ((id = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		if (WIFSTOPPED(status)) {
			on_stop(id, status);
			continue;
		}
		drop(id);
		if (id == program) {
			*how = status;
			return true;
		}
	}
	return false;
}

/* ---- what is done to them ---- */

static void
release_those_due(void)
{
	int64_t at = now();

	for (int i = 0; i < n; i++)
		if (tracees[i].state == HELD && tracees[i].until <= at) {
			let_run(&tracees[i]);
			ptrace(PTRACE_CONT, tracees[i].id, 0, 0);
		}
}

static void
stop_one(void)
{
	struct tracee *t;

	if (!n || not_running >= most)
		return;
	t = &tracees[lot(n)];
	if (t->state == RUNS &&
	    ptrace(PTRACE_INTERRUPT, t->id, 0, 0) == 0) {
		t->state = ASKED;
		not_running++;
	}
}

static int
lead(pid_t program)
{
	const struct timespec moment = { 0, 100 * US };
	int64_t next = now() + BETWEEN;
	int how = 0;

	while (!listen_to_all(program, &how)) {
		release_those_due();
		if (now() >= next) {
			stop_one();
			next = now() + lot(2 * BETWEEN);
		}
		nanosleep(&moment, NULL);
	}
	return WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
}

/* ---- start ---- */

/* It begins when it is seized. */
static pid_t
start(char **command)
{
	int ends[2];
	char go = 1;
	pid_t id;

	if (pipe(ends) < 0 || (id = fork()) < 0)
		die("off");
	if (!id) {
		close(ends[1]);
		if (read(ends[0], &go, 1) == 1) {
			close(ends[0]);
			execvp(command[0], command);
			perror(command[0]);
		}
		_exit(CANNOT);
	}
	if (ptrace(PTRACE_SEIZE, id, 0, PTRACE_O_EXITKILL |
	    PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
	    PTRACE_O_TRACEEXEC) < 0)
		die("off: ptrace");
	find_or_add(id);
	if (write(ends[1], &go, 1) != 1)
		die("off");
	close(ends[0]);
	close(ends[1]);
	return id;
}

int
main(int argc, char **argv)
{
	int c;

	seed = (uint64_t)now();
	while ((c = getopt(argc, argv, "+s:n:m:")) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (c == 'n' && atoi(optarg) > 0)
			most = atoi(optarg);
		else if (c == 'm' && atoi(optarg) > 0)
			longest = atoi(optarg) * MS;
		else
			optind = argc;
	}
	if (optind >= argc) {
		fprintf(stderr, "usage: off [-s seed] [-n threads] [-m ms] "
		    "program [argument...]\n");
		return CANNOT;
	}
	return lead(start(argv + optind));
}
