/* SPDX-License-Identifier: MIT */
/*
 * routes.c - what the server has to offer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"
#include "routes.h"

static void
hello(struct client *c)
{
	reply(c, 200, "text/plain", "hello, world\n", 13);
}

/* Alive: who asks this restarts us if there is no answer. */
static void
health(struct client *c)
{
	reply(c, 200, "text/plain", "ok\n", 3);
}

static void
echo(struct client *c)
{
	reply(c, 200, "application/octet-stream", c->body.at, c->body.size);
}

/* A number from 1 to most in a parameter of the query, or 0. */
static int
parameter(struct client *c, const char *name, int most)
{
	char text[16], *end;
	long n;

	if (http_query(&c->request, name, text, sizeof text) <= 0)
		return 0;
	n = strtol(text, &end, 10);
	return *end || n < 1 || n > most ? 0 : (int)n;
}

/* Take a while, unless nobody waits for it any more. */
static void
slow(struct client *c)
{
	int ms = parameter(c, "ms", 3600000);

	if (!ms)
		reply_text(c, 400, "ms: a number of milliseconds\n");
	else if (wf_sleep_ctx(client_ctx(c), ms * WF_MS) < 0)
		reply_error(c, 503);
	else
		reply_text(c, 200, "that took %d ms\n", ms);
}

static const char *
reason(int err)
{
	return err == -ETIMEDOUT ? "deadline exceeded" :
	    err == -ECANCELED ? "canceled" :
	    err == -EPROTO ? "the answer makes no sense" : strerror(-err);
}

/* Ask the directory, which may take two seconds at most, and less if the
 * client goes away. */
static void
user(struct client *c)
{
	int id = parameter(c, "id", 9999), err;
	char name[64];
	wf_ctx *ctx;

	if (!id) {
		reply_text(c, 400, "id: a number from 1 to 9999\n");
		return;
	}
	ctx = wf_ctx_with_timeout(client_ctx(c), 2 * WF_SEC);
	wf_defer(wf_ctx_free, ctx);
	err = directory_find(ctx, c->service->directory, id, name, sizeof name);
	if (!err)
		reply_text(c, 200, "user %d is %s\n", id, name);
	else if (err == -ENOENT)
		reply_text(c, 404, "user %d: nobody has that number\n", id);
	else
		reply_text(c, err == -ETIMEDOUT ? 504 : 500,
		    "user %d: directory: %s\n", id, reason(err));
}

const struct route routes[] = {
	{ "/", "GET, HEAD", hello },
	{ "/health", "GET, HEAD", health },
	{ "/echo", "POST, PUT", echo },
	{ "/slow", "GET, HEAD", slow },
	{ "/user", "GET, HEAD", user },
	{ "/directory", "GET, HEAD", directory_serve },
	{ NULL, NULL, NULL }
};
