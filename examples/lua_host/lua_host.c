/* SPDX-License-Identifier: MIT */
/*
 * lua_host - a program with an event loop of its own, whose Lua scripts run as
 * coroutines of weft.
 *
 *	lua_host.c	the loop: poll(2) on weft and on standard input
 *	tasks.c		spawn, sleep, channels and commands for scripts
 *	checks.lua	a script: many commands at once, with time limits
 *
 * A script is a task, and starts others; the program ends when all have ended.
 * With -i what is typed runs as well, each line as a task of its own, while
 * those of before go on: the loop waits for both.
 *
 *	$ lua_host checks.lua 2 'sleep 1; echo slow' 'echo quick' 'sleep 9'
 *	ok      0.0 s  echo quick
 *	ok      1.0 s  sleep 1; echo slow
 *	FAILED  2.0 s  sleep 9: timed out
 *	2 of 3 passed
 *
 * If all tasks wait for each other, that is said, with the line of the script
 * that has started each.  The exit status is 1 then, or if a task has failed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>
#include <weft.h>

#include "tasks.h"

/* The longest that standard input waits for the scripts. */
#define BUDGET (5 * WF_MS)

struct host {
	lua_State *L;
	struct tasks tasks;
	bool typing;		/* there may be more on standard input */
	char line[4096];	/* what has come of one */
	size_t have;
};

static bool all_parked;

static const char usage[] =
    "usage: lua_host [-hi] [script [argument...]]\n";

static int
say(const char *text)
{
	fprintf(stderr, "lua_host: %s\n", text);
	return 1;
}

/* The loaded chunk on top of the stack, or why there is none: run it. */
static void
start_chunk(struct host *h, int loaded, int n)
{
	int err = 0;

	if (loaded == LUA_OK)
		err = tasks_spawn(h->L, n);
	else {
		say(lua_tostring(h->L, -1));
		lua_pop(h->L, 1);
	}
	if (err < 0)
		say(strerror(-err));
	h->tasks.failed += loaded != LUA_OK || err < 0;
}

static void
start_script(struct host *h, char **argv)
{
	int n = 0, loaded = luaL_loadfile(h->L, argv[0]);

	while (loaded == LUA_OK && argv[n + 1])
		lua_pushstring(h->L, argv[++n]);
	start_chunk(h, loaded, n);
}

/* ---- standard input ---- */

/* The first of them: it begins before the next line does. */
static void
take_line(struct host *h, size_t n)
{
	start_chunk(h, luaL_loadbuffer(h->L, h->line, n, "=stdin"), 0);
	wf_pump(0);
	h->have -= n;
	memmove(h->line, h->line + n, h->have);
}

static void
take_input(struct host *h)
{
	size_t room = sizeof h->line - h->have;
	ssize_t n = read(0, h->line + h->have, room);
	char *end;

	if (n < 0 && errno == EINTR)
		return;
	h->typing = n > 0;
	h->have += n > 0 ? (size_t)n : 0;
	while ((end = memchr(h->line, '\n', h->have)))
		take_line(h, (size_t)(end - h->line) + 1);
	if (h->have == sizeof h->line || (!h->typing && h->have))
		take_line(h, h->have);
}

/* ---- the loop ---- */

/* Called by weft, in wf_pump(): each task waits, and no timer runs. */
static void
note_parked(uint64_t live)
{
	all_parked = live > 0;
}

static int
loop(struct host *h)
{
	struct pollfd fds[2] = { { .fd = wf_pump_fd(), .events = POLLIN },
	    { .fd = 0, .events = POLLIN } };

	if (fds[0].fd < 0)
		return say(strerror(-fds[0].fd));
	while (h->tasks.live || h->typing) {
		/* Who could still wake somebody is who types. */
		if (all_parked && !h->typing) {
			say("all tasks wait for each other:");
			wf_dump(2);
			return 1;
		}
		if (poll(fds, h->typing ? 2 : 1, -1) < 0 && errno != EINTR)
			return say(strerror(errno));
		all_parked = false;
		if (h->typing && fds[1].revents)
			take_input(h);
		wf_pump(BUDGET);
	}
	return h->tasks.failed > 0;
}

/* ---- the program ---- */

static int
run(struct host *h, char **script)
{
	struct wf_options options = { .workers = WF_PUMPED };
	int status, err;

	if (!(h->L = luaL_newstate()))
		return say("no memory");
	if ((err = wf_start(&options)) < 0) {
		lua_close(h->L);
		return say(strerror(-err));
	}
	wf_set_parked_hook(note_parked);
	luaL_openlibs(h->L);
	tasks_open(h->L, &h->tasks);
	lua_setglobal(h->L, "weft");
	if (script[0])
		start_script(h, script);
	status = loop(h);
	fflush(stdout);
	if (h->tasks.live)		/* they are in the middle of Lua */
		_exit(status);
	wf_stop(WF_FOREVER);
	lua_close(h->L);
	return status;
}

static int
help(void)
{
	printf("%sRun a Lua script whose tasks are coroutines.\n"
	    "  -i  take lines from standard input, too, and run them\n",
	    usage);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct host host;
	bool good = true;
	int option, status;

	while ((option = getopt(argc, argv, "+hi")) != -1) {
		switch (option) {
		case 'h': return help();
		case 'i': host.typing = true; break;
		default: good = false;
		}
	}
	if (!good || (optind == argc && !host.typing)) {
		fputs(usage, stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	status = run(&host, argv + optind);
	if (fflush(stdout) == EOF || ferror(stdout))
		return say("the output cannot be written");
	return status;
}
