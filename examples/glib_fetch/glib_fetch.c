/* SPDX-License-Identifier: MIT */
/*
 * glib_fetch - coroutines inside of a GLib main loop: the checksums of many
 * documents, fetched at the same time.
 *
 *	glib_fetch.c	the GLib program: its loop, a timeout, a signal
 *	weft_source.c	weft in that loop: to copy as it is
 *	fetch.c		what a coroutine does, in code that reads as if it
 *			blocked
 *
 * All is on one thread: the timeout that shows the progress reads what the
 * coroutines write, and a coroutine ends the loop, without a lock.
 *
 *	$ glib_fetch http://deb.debian.org/debian/README http://deb.debian.org/x
 *	1 of 2 done, 1296 bytes
 *	f72e53a6b1b0fa8ef78a6ee1c1a0cde4d0b4ba1a8f1a6a0f5a3f...  http://...
 *	glib_fetch: http://deb.debian.org/x: answered 404
 *
 * The lines are those of sha256sum, in the order asked for.  The exit status is
 * 1 if one was not had.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#include "fetch.h"
#include "weft_source.h"

struct app {
	GMainLoop *loop;
	wf_ctx *ctx;		/* of all, ended by SIGINT */
	wf_sem slots;		/* how many may be under way */
	int64_t timeout;	/* for each */
	struct fetch *all;
	int n, left;
};

static const char usage[] = "usage: glib_fetch [-h] [-c connections] "
    "[-p ms] [-t ms] url...\n";

/* ---- in coroutines ---- */

static void
fetch_one(struct app *app, struct fetch *f)
{
	wf_ctx *ctx;

	f->error = wf_sem_acquire_ctx(app->ctx, &app->slots, 1);
	if (!f->error) {
		ctx = wf_ctx_with_timeout(app->ctx, app->timeout);
		fetch(ctx, f);
		wf_ctx_free(ctx);
		wf_sem_release(&app->slots, 1);
	}
	if (--app->left == 0)
		g_main_loop_quit(app->loop);
}

/* ---- in callbacks of the loop ---- */

static gboolean
show_progress(gpointer data)
{
	struct app *app = data;
	size_t bytes = 0;

	for (int i = 0; i < app->n; i++)
		bytes += app->all[i].bytes;
	fprintf(stderr, "%d of %d done, %zu bytes\n", app->n - app->left,
	    app->n, bytes);
	return G_SOURCE_CONTINUE;
}

static gboolean
interrupt(gpointer data)
{
	struct app *app = data;

	wf_ctx_cancel(app->ctx);
	return G_SOURCE_CONTINUE;
}

/* ---- the program ---- */

static int
spawn_all(struct app *app)
{
	int err = 0;

	for (int i = 0; i < app->n && !err; i++) {
		app->all[i].sum = g_checksum_new(G_CHECKSUM_SHA256);
		err = wf_spawn(fetch_one, app, &app->all[i]);
		if (err)
			app->left -= app->n - i;
	}
	return err;
}

/* False if it was not had. */
static bool
print(const struct fetch *f)
{
	bool good = !f->error && f->status == 200;

	if (good)
		printf("%s  %s\n", g_checksum_get_string(f->sum), f->url);
	else if (f->error)
		fprintf(stderr, "glib_fetch: %s: %s\n", f->url,
		    f->error == -ETIMEDOUT ? "too late" :
		    f->error == -ECANCELED ? "interrupted" :
		    strerror(-f->error));
	else
		fprintf(stderr, "glib_fetch: %s: answered %d\n", f->url,
		    f->status);
	return good;
}

static int
run(struct app *app, unsigned period)
{
	guint weft, progress = 0, sigint;
	int err, missing = 0;

	app->loop = g_main_loop_new(NULL, FALSE);
	if (!(weft = weft_source_attach(NULL, &err)))
		return err;
	app->ctx = wf_ctx_with_cancel(wf_ctx_background());
	if (period)
		progress = g_timeout_add(period, show_progress, app);
	sigint = g_unix_signal_add(SIGINT, interrupt, app);
	err = spawn_all(app);
	if (app->left)
		g_main_loop_run(app->loop);
	if (progress)
		g_source_remove(progress);
	g_source_remove(sigint);
	for (int i = 0; i < app->n && !err; i++)
		missing += !print(&app->all[i]);
	g_source_remove(weft);
	wf_stop(WF_FOREVER);
	wf_ctx_free(app->ctx);
	g_main_loop_unref(app->loop);
	for (int i = 0; i < app->n; i++)
		if (app->all[i].sum)
			g_checksum_free(app->all[i].sum);
	return err ? err : missing ? 1 : 0;
}

static int
help(void)
{
	printf("%sPrint the SHA-256 of each document, as sha256sum would.\n"
	    "  -c connections  at most so many at once (8)\n"
	    "  -p ms           show the progress each so many ms on stderr "
	    "(0: not)\n"
	    "  -t ms           the longest that one may take (30000)\n", usage);
	return 0;
}

/* True: text is a number from least on. */
static bool
number(const char *text, long least, long *n)
{
	char *end;

	errno = 0;
	*n = strtol(text, &end, 10);
	return *text && !*end && !errno && *n >= least && *n <= 1000000000;
}

int
main(int argc, char **argv)
{
	long connections = 8, period = 0, timeout = 30000;
	struct app app = {0};
	bool good = true;
	int option, status;

	while ((option = getopt(argc, argv, "hc:p:t:")) != -1) {
		switch (option) {
		case 'h': return help();
		case 'c': good &= number(optarg, 1, &connections); break;
		case 'p': good &= number(optarg, 0, &period); break;
		case 't': good &= number(optarg, 1, &timeout); break;
		default: good = false;
		}
	}
	app.n = app.left = argc - optind;
	if (!good || app.n < 1) {
		fputs(usage, stderr);
		return 2;
	}
	wf_sem_init(&app.slots, (size_t)connections);
	app.timeout = timeout * WF_MS;
	app.all = g_new0(struct fetch, (gsize)app.n);
	for (int i = 0; i < app.n; i++)
		app.all[i].url = argv[optind + i];
	status = run(&app, (unsigned)period);
	g_free(app.all);
	if (status < 0)
		fprintf(stderr, "glib_fetch: %s\n", strerror(-status));
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fprintf(stderr, "glib_fetch: the output cannot be written: "
		    "%s\n", strerror(errno));
		return 1;
	}
	return status ? 1 : 0;
}
