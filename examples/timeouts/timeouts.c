/* SPDX-License-Identifier: MIT */
/*
 * timeouts - requests that have so much time and not more.
 *
 *	handle --ctx, 2 s--> directory_find --ctx--> query
 *
 * It shows how a deadline goes down a chain of calls: the handler derives
 * a context with a timeout from its caller's and passes it first to what it
 * calls; whatever waits there gives up in time, for a connection as well as
 * for an answer, and says why; and nobody is left behind.
 *
 *	$ timeouts 3 1 30 x 9999
 *	400  'x' is not a user number
 *	200  user 1 is Ada Lovelace				(0.1 s)
 *	200  user 3 is Barbara Liskov				(0.3 s)
 *	404  user 9999: there is nobody of that number	(0.3 s)
 *	504  user 30: directory: deadline exceeded		(2.0 s)
 *	5 requests, 1 too late; coroutines left: 0
 *
 * The directory is slow: it takes n tenths of a second to find user n, and has
 * few connections.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft.h>

struct options {
	int timeout;		/* of a request, in ms */
	int connections;
};

struct directory {
	wf_chan(int) idle;	/* the connections that are free */
};


static const char usage[] =
    "usage: timeouts [-h] [-t ms] [-c connections] user...\n";

static const char *const people[] = {
	NULL, "Ada Lovelace", "Grace Hopper", "Barbara Liskov",
	"Frances Allen", "Adele Goldberg", "Radia Perlman", "Jean Sammet",
	"Karen Sparck Jones", "Edith Clarke", "Mary Kenneth Keller"
};
enum { PEOPLE = sizeof people / sizeof *people };

/* ---- the slow one downstream ---- */

static int
directory_open(struct directory *d, int connections)
{
	d->idle = wf_chan_make(int, (size_t)connections);
	if (!d->idle)
		return -ENOMEM;
	for (int i = 0; i < connections; i++)
		wf_send(d->idle, i);
	return 0;
}

static void
directory_close(struct directory *d)
{
	wf_chan_free(d->idle);
}

/* Numbers beyond the people take as long as the last one, or longer than
 * anybody waits. */
static int
query(wf_ctx *ctx, int id, const char **name)
{
	int tenths = id < 1000 ? id : 3;
	int err = wf_sleep_ctx(ctx, tenths * 100 * WF_MS);

	if (!err)
		*name = id < PEOPLE ? people[id] : NULL;
	return err ? err : *name ? 0 : -ENOENT;
}

/* Find a name.  0, -ENOENT, or the context's error. */
static int
directory_find(wf_ctx *ctx, struct directory *d, int id, const char **name)
{
	int connection, err = wf_recv_ctx(ctx, d->idle, &connection);

	if (err < 0)
		return err;
	err = query(ctx, id, name);
	wf_send(d->idle, connection);	/* never waits: it has room for all */
	return err;
}

/* ---- the handler ---- */

static const char *
reason(int err)
{
	return err == -ETIMEDOUT ? "deadline exceeded" :
	    err == -ECANCELED ? "canceled" : strerror(-err);
}

/* A number from 1 to 9999, or 0. */
static int
user_number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || end == text || n < 1 || n > 9999 ? 0 : (int)n;
}

/* The answer to one request, in words; its status. */
static int
answer(wf_ctx *parent, int timeout, struct directory *d, const char *user,
    char *text, size_t size)
{
	wf_ctx *ctx = wf_ctx_with_timeout(parent, timeout * WF_MS);
	const char *name = NULL;
	int id = user_number(user), err;

	wf_defer(wf_ctx_free, ctx);
	if (!id) {
		snprintf(text, size, "'%s' is not a user number", user);
		return 400;
	}
	err = directory_find(ctx, d, id, &name);
	if (err == -ENOENT) {
		snprintf(text, size, "user %d: there is nobody of that number",
		    id);
		return 404;
	}
	if (err) {
		snprintf(text, size, "user %d: directory: %s", id,
		    reason(err));
		return err == -ETIMEDOUT ? 504 : 500;
	}
	snprintf(text, size, "user %d is %s", id, name);
	return 200;
}

static void
handle(wf_ctx *parent, int timeout, struct directory *d, const char *user,
    wf_chan_out(int) statuses)
{
	int64_t from = wf_now();
	char text[128];
	int status = answer(parent, timeout, d, user, text, sizeof text);

	printf("%d  %-44s (%.1f s)\n", status, text,
	    (double)(wf_now() - from) / WF_SEC);
	wf_send(statuses, status);
}

/* ---- all requests at once ---- */

static int
serve(wf_ctx *ctx, const struct options *o, struct directory *d, char **users,
    int n)
{
	wf_chan(int) statuses = wf_chan_make(int, (size_t)n);
	wf_waitgroup handling = {0};
	int status, late = 0, started = 0;

	while (statuses && started < n && wf_waitgroup_spawn(&handling, handle,
	    ctx, o->timeout, d, users[started], wf_out(statuses)) == 0)
		started++;
	wf_waitgroup_wait(&handling);
	while (statuses && wf_try_recv(statuses, &status) == 1)
		late += status == 504;
	wf_chan_free(statuses);
	if (started < n) {
		fprintf(stderr, "timeouts: %s\n", strerror(ENOMEM));
		return 1;
	}
	printf("%d requests, %d too late; ", n, late);
	return 0;
}

static int
app(const struct options *o, char **users, int n)
{
	struct directory directory;
	struct wf_stats stats;
	int status;

	if (directory_open(&directory, o->connections) < 0) {
		fprintf(stderr, "timeouts: %s\n", strerror(ENOMEM));
		return 1;
	}
	status = serve(wf_ctx_background(), o, &directory, users, n);
	directory_close(&directory);
	wf_stats(&stats);
	printf("coroutines left: %d\n", (int)stats.live - 1);
	return status;
}

static int
help(void)
{
	printf("%sAsk a slow directory for users by number, all at once.\n"
	    "  -t ms           how long a request may take (2000)\n"
	    "  -c connections  how many there are to the directory (4)\n",
	    usage);
	return 0;
}

/* The number in text, or 0 if it is not one from 1 to a million. */
static int
number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > 1000000 ? 0 : (int)n;
}

int
main(int argc, char **argv)
{
	struct options o = { .timeout = 2000, .connections = 4 };
	int option, status;

	while ((option = getopt(argc, argv, "hc:t:")) != -1) {
		if (option == 'h')
			return help();
		if ((option != 't' || !(o.timeout = number(optarg))) &&
		    (option != 'c' || !(o.connections = number(optarg)))) {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wf_run(app, (const struct options *)&o, argv + optind,
	    argc - optind);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("timeouts: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
