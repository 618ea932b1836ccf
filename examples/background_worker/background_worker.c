/* SPDX-License-Identifier: MIT */
/*
 * background_worker - a queue of jobs that loses none.
 *
 *	read_jobs --> store <-- work, work ... --events--> measure
 *	                ^ take, finish, retry
 *
 * Each line of standard input is a job, a command for the shell.  Once it is
 * accepted, it will be run, also after a crash: the jobs are in a file until
 * they are finished.  One that fails is tried again, later each time.
 *
 * It shows a ticker (a line of metrics each second), retries with back-off and
 * jitter, calls that block (SQLite, waiting for the command), and the way to
 * stop: SIGINT, SIGTERM or the end of the input end the waiting, what runs is
 * finished, and the rest stays in the file for the next time.
 *
 *	$ printf '%s\n' 'echo hello' 'exit 3' | background_worker -a 2
 *	job 1: accepted
 *	job 2: accepted
 *	hello
 *	job 1: done
 *	job 2: status 3, again in 187 ms
 *	job 2: status 3, given up after 2 attempts
 *	2 accepted, 1 done, 1 failed, 1 retried; 0 left
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weft.h>

#include "store.h"

enum { FIRST_DELAY = 200, LONGEST_DELAY = 30000 };	/* ms */

enum event { ACCEPTED, STARTED, DONE, FAILED, RETRIED, EVENTS };

struct options {
	const char *file;
	int workers, attempts;
};

struct app {
	const struct options *options;
	struct store *store;
	wf_ctx *ctx;			/* done: stop */
	wf_chan(int) news;		/* a job may be due */
	wf_chan(enum event) events;
	wf_waitgroup unfinished;	/* jobs */
};

static const char usage[] =
    "usage: background_worker [-h] [-f file] [-w workers] [-a attempts]\n";

/* Milliseconds since 1970: a job's time outlives the process. */
static int64_t
wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- metrics ---- */

static void
print_metrics(FILE *f, const long n[EVENTS], const char *end)
{
	fprintf(f, "%ld accepted, %ld done, %ld failed, %ld retried%s",
	    n[ACCEPTED], n[DONE], n[FAILED], n[RETRIED], end);
}

/* Count what happens, and say so each second.  Ends with the events. */
static void
measure(wf_chan_in(enum event) events, wf_ticker *second)
{
	long n[EVENTS] = {0};
	enum event e;
	bool more;

	for (;;)
		switch (wf_select(wf_on_recv_ok(events, &e, &more),
				  wf_on_recv(wf_ticker_chan(second), NULL))) {
		case 0:
			if (!more) {
				print_metrics(stdout, n, "; ");
				return;
			}
			n[e]++;
			break;
		case 1:
			print_metrics(stderr, n, "\n");
			break;
		}
}

/* ---- running jobs ---- */

/* Later from time to time, up to half of it by chance: those who failed
 * together do not come back together. */
static int64_t
back_off(int attempts)
{
	int64_t ms = FIRST_DELAY;

	for (int i = 1; i < attempts && ms < LONGEST_DELAY; i++)
		ms *= 2;
	if (ms > LONGEST_DELAY)
		ms = LONGEST_DELAY;
	return ms / 2 + random() % (ms / 2);
}

/* Run a command: its exit status, 128 and more for a signal. */
static int
run_command(char *command)
{
	extern char **environ;
	char *argv[] = { "sh", "-c", command, NULL };
	posix_spawnattr_t attr;
	int status = 0, err;
	sigset_t none;
	pid_t pid;

	/* A Ctrl-C is for us, and not for what we finish before we end. */
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	wf_blocking {
		err = posix_spawn(&pid, "/bin/sh", NULL, &attr, argv, environ);
		while (!err && waitpid(pid, &status, 0) < 0)
			err = errno == EINTR ? 0 : errno;
	}
	posix_spawnattr_destroy(&attr);
	if (err)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

static int
settle(struct app *a, const struct job *j, int status)
{
	bool last = j->attempts >= a->options->attempts;
	int64_t delay;

	if (status && !last) {
		delay = back_off(j->attempts);
		printf("job %lld: status %d, again in %lld ms\n",
		    (long long)j->id, status, (long long)delay);
		wf_send(a->events, RETRIED);
		return store_retry(a->store, j->id, wall_ms() + delay);
	}
	if (status)
		printf("job %lld: status %d, given up after %d attempts\n",
		    (long long)j->id, status, j->attempts);
	else
		printf("job %lld: done\n", (long long)j->id);
	wf_send(a->events, status ? FAILED : DONE);
	if (store_finish(a->store, j->id) < 0)
		return -1;
	wf_waitgroup_done(&a->unfinished);
	return 0;
}

static void
wait_until(struct app *a, int64_t due)
{
	int64_t ms = due == INT64_MAX ? -1 : due - wall_ms();

	wf_select(wf_on_recv(a->news, NULL), wf_on_done(a->ctx),
	    wf_on_timeout(due == INT64_MAX ? WF_FOREVER : ms * WF_MS));
}

/* One of the workers. */
static void
work(struct app *a)
{
	struct job j;
	int64_t due;
	int any = 0;

	while (any >= 0 && !wf_ctx_err(a->ctx)) {
		any = store_take(a->store, wall_ms(), &j, &due);
		if (any > 0) {
			wf_send(a->events, STARTED);
			any = settle(a, &j, run_command(j.command));
		} else if (!any)
			wait_until(a, due);
	}
	if (any < 0)
		wf_ctx_cancel(a->ctx);	/* without a store nobody goes on */
}

/* ---- accepting jobs ---- */

static int
accept_job(struct app *a, const char *command)
{
	int64_t id;

	/* Before: it may be finished before store_accept() returns. */
	wf_waitgroup_add(&a->unfinished, 1);
	if ((id = store_accept(a->store, command)) < 0) {
		wf_waitgroup_done(&a->unfinished);
		return -1;
	}
	printf("job %lld: accepted\n", (long long)id);
	wf_send(a->events, ACCEPTED);
	wf_try_send(a->news, 1);	/* all look anyway if it is full */
	return 0;
}

/* Accept the lines of text, and move what follows the last one to its
 * beginning.  The bytes left, or -1. */
static ssize_t
accept_lines(struct app *a, char *text, size_t n)
{
	char *line = text, *end;

	while ((end = memchr(line, '\n', n))) {
		*end = '\0';
		if (*line && accept_job(a, line) < 0)
			return -1;
		n -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(text, line, n);
	return (ssize_t)n;
}

/* Until the end of the input, or of the context. */
static int
read_jobs(struct app *a)
{
	char text[JOB_MAX];
	ssize_t have = 0, n = 0;

	while (have >= 0 && (n = wf_read(a->ctx, 0, text + have,
	    sizeof text - 1 - (size_t)have)) > 0) {
		have = accept_lines(a, text, (size_t)(have + n));
		if (have == sizeof text - 1) {
			fprintf(stderr, "background_worker: a job is longer "
			    "than %d bytes\n", JOB_MAX - 1);
			return 1;
		}
	}
	if (have > 0 && n == 0) {
		text[have] = '\0';	/* a last line without its end */
		have = accept_job(a, text);
	}
	if (n < 0 && n != -ECANCELED)
		fprintf(stderr, "background_worker: stdin: %s\n",
		    strerror((int)-n));
	return have < 0 || (n < 0 && n != -ECANCELED);
}

/* ---- all together ---- */

static void
stop_on_signal(wf_chan_in(int) signals, wf_ctx *ctx)
{
	int sig;

	if (wf_recv_ctx(ctx, signals, &sig) > 0)
		fprintf(stderr, "background_worker: %s: finishing what "
		    "runs\n", strsignal(sig));
	wf_ctx_cancel(ctx);
}

static int
run_workers(struct app *a, wf_waitgroup *working)
{
	int err = 0;

	for (int i = 0; i < a->options->workers && !err; i++)
		err = wf_waitgroup_spawn(working, work, a);
	if (err)
		fprintf(stderr, "background_worker: %s\n", strerror(-err));
	return err;
}

/* Everything is there: accept, run, and wait for the end. */
static int
serve(struct app *a, wf_chan(int) signals, wf_ticker *second)
{
	wf_waitgroup working = {0}, measuring = {0};
	int status;

	wf_waitgroup_add(&a->unfinished, (int)store_count(a->store));
	status = wf_waitgroup_spawn(&measuring, measure, wf_in(a->events),
	    second) || wf_waitgroup_spawn(&working, stop_on_signal,
	    wf_in(signals), a->ctx) || run_workers(a, &working);
	if (!status)
		status = read_jobs(a);
	if (!status)
		wf_waitgroup_wait_ctx(a->ctx, &a->unfinished);
	wf_ctx_cancel(a->ctx);
	wf_waitgroup_wait(&working);
	wf_close(a->events);
	wf_waitgroup_wait(&measuring);
	printf("%lld left\n", (long long)store_count(a->store));
	return status;
}

static int
app(const struct options *o)
{
	struct app a = { .options = o, .store = store_open(o->file) };
	wf_chan(int) signals = wf_chan_make(int, 2);
	wf_ticker *second = wf_ticker_make(WF_SEC);
	int status = 1;

	if (!a.store)
		return 1;
	a.ctx = wf_ctx_with_cancel(wf_ctx_background());
	a.news = wf_chan_make(int, (size_t)o->workers);
	a.events = wf_chan_make(enum event, 100);
	if (signals && second && a.news && a.events &&
	    wf_signal_notify(signals, SIGINT) == 0 &&
	    wf_signal_notify(signals, SIGTERM) == 0) {
		status = serve(&a, signals, second);
		wf_signal_stop(signals);
	} else
		fprintf(stderr, "background_worker: %s\n", strerror(ENOMEM));
	wf_chan_free(a.events);
	wf_chan_free(a.news);
	wf_ctx_free(a.ctx);
	wf_ticker_free(second);
	wf_chan_free(signals);
	store_close(a.store);
	return status;
}

static int
help(void)
{
	printf("%sRun the shell commands that are the lines of standard "
	    "input, each until it succeeds.\n"
	    "  -f file      where jobs are kept until then (jobs.db)\n"
	    "  -w workers   how many run at the same time (4)\n"
	    "  -a attempts  how often one is tried (5)\n", usage);
	return 0;
}

/* The number in text, or 0 if it is not one from 1 to 1000. */
static int
number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > 1000 ? 0 : (int)n;
}

/* False: say the usage. */
static bool
set_option(struct options *o, int option, const char *value)
{
	switch (option) {
	case 'f': o->file = value; return true;
	case 'w': return (o->workers = number(value));
	case 'a': return (o->attempts = number(value));
	}
	return false;
}

int
main(int argc, char **argv)
{
	struct options o = { .file = "jobs.db", .workers = 4, .attempts = 5 };
	int option, status;

	while ((option = getopt(argc, argv, "hf:w:a:")) != -1) {
		if (option == 'h')
			return help();
		if (!set_option(&o, option, optarg)) {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	srandom((unsigned)wall_ms());
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wf_run(app, (const struct options *)&o);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("background_worker: the output cannot be written\n",
		    stderr);
		return 1;
	}
	return status;
}
