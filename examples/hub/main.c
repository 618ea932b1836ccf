/* SPDX-License-Identifier: MIT */
/*
 * hub - a chat: one hub (hub.c), some who talk, and one who is asleep.
 *
 * It shows state that one coroutine owns and select in place of locks, a
 * context that ends everything, and a slow client that stops nobody: what has
 * no room in its inbox is dropped and counted.
 *
 * The clients are simulated here, unless there is an address to listen on:
 *
 *	$ hub -a 127.0.0.1:7777		(and, elsewhere, nc 127.0.0.1 7777)
 *
 * Then each connection joins (server.c).  The first line is its name, the
 * others are heard by all.  The hub (hub.c) does not notice the difference.
 *
 *	$ hub -c 2 -l 3 -q 4
 *	<bob> hello, all                          (what ann sees;
 *	<ann> hello, all                           the order may differ)
 *	<ann> did you hear the rain last night?
 *	<bob> did you hear the rain last night?
 *	* sleepy does not keep up: messages are dropped
 *	<bob> I slept through it
 *	<ann> I slept through it
 *
 *	name         said   heard  dropped
 *	ann             3       6        0
 *	bob             3       6        0
 *	sleepy          0       4        2
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub.h"
#include "server.h"

struct guest {
	struct hub_client *client;
	int id;
	long said, heard;
};

struct chat {
	struct hub *hub;
	wf_ctx *ctx;			/* done: the hub closes */
	struct guest *guests;		/* the talkers, then the sleeper */
	int talkers, lines, room;	/* the options; room 0: the default */
	int patience;			/* likewise, in seconds */
	const char *address;		/* NULL: simulate */
};

static const char usage[] =
    "usage: hub [-h] [-a address] [-c clients] [-l lines] [-p patience] "
    "[-q room]\n";

static const char *const names[] = { "ann", "bob", "cleo", "dan", "eve" };

static const char *const lines[] = {
	"hello, all",
	"did you hear the rain last night?",
	"I slept through it",
	"the tea is ready",
	"I must go, see you tomorrow",
};

#define COUNT(array) (int)(sizeof (array) / sizeof *(array))

/* Listen until n lines have been heard, or the inbox is closed. */
static bool
listen_for(struct guest *g, long n)
{
	struct hub_message m;

	while (g->heard < n) {
		if (!wf_recv(g->client->inbox, &m))
			return false;
		g->heard++;
		if (g->id == 0)
			printf("<%s> %s\n", m.from, m.text);
	}
	return true;
}

/*
 * Say a line, hear the line of every talker, say the next.  So nobody is more
 * than a round behind the others, an inbox with room for two rounds is never
 * full, and a talker misses nothing.
 */
static void
talk(struct chat *chat, struct guest *g)
{
	for (int round = 0; round < chat->lines; round++) {
		wf_sleep((g->id * 7 + round * 13) % 50 * WF_MS);
		if (hub_say(chat->hub, g->client, lines[round % COUNT(lines)])
		    < 0)
			break;
		g->said++;
		if (!listen_for(g, (round + 1L) * chat->talkers))
			break;
	}
	hub_leave(chat->hub, g->client);
}

/* The slow client: asleep until the last talker has left. */
static void
doze(struct chat *chat, struct guest *g, wf_waitgroup *talking)
{
	wf_waitgroup_wait(talking);
	hub_leave(chat->hub, g->client);
	while (wf_recv(g->client->inbox, NULL))
		g->heard++;
}

/* Make a client and let it join. */
static int
invite(struct chat *chat, int id)
{
	struct guest *g = &chat->guests[id];
	bool sleeper = id == chat->talkers;
	char name[32] = "sleepy";
	int joined;

	if (!sleeper && id < COUNT(names))
		snprintf(name, sizeof name, "%s", names[id]);
	else if (!sleeper)
		snprintf(name, sizeof name, "guest %d", id + 1);
	g->id = id;
	g->client = hub_client_make(name,
	    (size_t)(sleeper ? chat->room : 2 * chat->talkers));
	if (!g->client)
		return -ENOMEM;
	joined = hub_join(chat->hub, g->client);
	return joined < 0 ? joined : 0;
}

/* Everybody joins before the first one speaks.  0 or -errno. */
static int
hold(struct chat *chat)
{
	wf_waitgroup hub = {0}, talking = {0}, dozing = {0};
	int error = wf_waitgroup_spawn(&hub, hub_run, chat->hub);

	for (int id = 0; !error && id <= chat->talkers; id++)
		error = invite(chat, id);
	for (int id = 0; !error && id < chat->talkers; id++)
		error = wf_waitgroup_spawn(&talking, talk, chat,
		    &chat->guests[id]);
	if (!error)
		error = wf_waitgroup_spawn(&dozing, doze, chat,
		    &chat->guests[chat->talkers], &talking);
	if (error)
		wf_ctx_cancel(chat->ctx);
	wf_waitgroup_wait(&talking);
	wf_waitgroup_wait(&dozing);
	wf_ctx_cancel(chat->ctx);
	wf_waitgroup_wait(&hub);
	return error;
}

static void
summarise(const struct chat *chat)
{
	printf("\n%-10s %6s %7s %8s\n", "name", "said", "heard", "dropped");
	for (int id = 0; id <= chat->talkers; id++) {
		const struct guest *g = &chat->guests[id];

		printf("%-10s %6ld %7ld %8lu\n", g->client->name, g->said,
		    g->heard, g->client->dropped);
	}
}

static int
app(struct chat *chat)
{
	int error = -ENOMEM;

	if (chat->address)
		return server_run(chat->address, chat->room ? chat->room :
		    256, chat->patience) ? 1 : 0;
	if (!chat->room)
		chat->room = 8;
	chat->ctx = wf_ctx_with_cancel(wf_ctx_background());
	chat->hub = hub_make(chat->ctx);
	chat->guests = calloc((size_t)chat->talkers + 1, sizeof *chat->guests);
	if (chat->hub && chat->guests)
		error = hold(chat);
	if (error)
		fprintf(stderr, "hub: %s\n", strerror(-error));
	else
		summarise(chat);
	for (int id = 0; chat->guests && id <= chat->talkers; id++)
		hub_client_free(chat->guests[id].client);
	free(chat->guests);
	hub_free(chat->hub);
	wf_ctx_free(chat->ctx);
	return error ? 1 : 0;
}

static int
help(void)
{
	printf("%sSome clients chat through a hub while one of them sleeps.\n"
	    "  -c clients  who talk (3)\n"
	    "  -l lines    that each of them says (5)\n"
	    "  -q room     in the inbox of the sleeper (8)\n"
	    "Or listen on the network until a signal comes.\n"
	    "  -a address  such as 127.0.0.1:7777; port 0 is any\n"
	    "  -p patience in seconds, with a client that reads nothing (20)\n"
	    "  -q room     in the inbox of each client (256)\n", usage);
	return 0;
}

/* Read the number in text, 1 to most.  False if it is none. */
static bool
number(const char *text, long most, int *n)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || value < 1 || value > most)
		return false;
	*n = (int)value;
	return true;
}

static bool
parse(struct chat *chat, int option)
{
	switch (option) {
	case 'a': chat->address = optarg; return *optarg != '\0';
	case 'c': return number(optarg, 1000, &chat->talkers);
	case 'l': return number(optarg, 1000000, &chat->lines);
	case 'p': return number(optarg, 86400, &chat->patience);
	case 'q': return number(optarg, 1000000, &chat->room);
	}
	return false;
}

int
main(int argc, char **argv)
{
	struct chat chat = { .talkers = 3, .lines = 5, .patience = 20 };
	int option, status;

	while ((option = getopt(argc, argv, "ha:c:l:p:q:")) != -1) {
		if (option == 'h')
			return help();
		if (!parse(&chat, option)) {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wf_run(app, &chat);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("hub: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
