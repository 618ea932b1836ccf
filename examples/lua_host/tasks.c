/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - coroutines for Lua scripts, by weft.
 *
 * Each task is a thread of Lua's (a lua_State of its own) on a coroutine of
 * weft's.  A call that waits, such as weft.sleep(), switches to another
 * coroutine in the middle of the C function, and so in the middle of the
 * script; Lua notices nothing, since that one runs on another lua_State.  This
 * is sound because all coroutines are on one thread (WF_PUMPED), and because
 * they switch only where they call weft.
 *
 *	weft.spawn(f, ...)	start f(...) as a task
 *	weft.sleep(seconds)
 *	weft.now()		seconds, of a clock that never jumps
 *	weft.run(command [, seconds])
 *				run it by the shell: its output, its status; or
 *				nil and why not
 *	weft.channel([room])	c:send(v) true, or false if c is closed;
 *				c:recv() v, true, or nil, false; c:close();
 *				for v in c:values() do ... end
 *
 * Tasks are spawned by the call beneath wf_spawn(), as any other language would
 * do it: that takes the place in the script as the spawn site, so a dump names
 * lines of Lua.
 */
#include "tasks.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <lauxlib.h>
#include <weft.h>

#define CHANNEL "weft channel"
enum { STACK = 1 << 20 };	/* for 200 C calls of Lua's, its limit */

/* A channel carries references to values in Lua's registry. */
struct channel {
	wf_chan(int) refs;
};

static struct tasks *
tasks_of(lua_State *L)
{
	struct tasks *t;

	lua_getfield(L, LUA_REGISTRYINDEX, "weft tasks");
	t = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return t;
}

static int
fail(lua_State *L, int err)
{
	lua_pushnil(L);
	/* Not only connections have a time limit. */
	lua_pushstring(L, err == -ETIMEDOUT ? "timed out" : strerror(-err));
	return 2;
}

static int64_t
check_time(lua_State *L, int at)
{
	lua_Number seconds = luaL_checknumber(L, at);

	luaL_argcheck(L, seconds >= 0, at, "a time from now");
	return seconds < 9e9 ? (int64_t)(seconds * WF_SEC) : WF_FOREVER;
}

/* ---- spawn ---- */

static int
traceback(lua_State *L)
{
	luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
	return 1;
}

/* A coroutine: call the function that lies on the stack of L with n arguments;
 * ref keeps L. */
static void
run_task(lua_State *L, int n, int ref)
{
	struct tasks *t = tasks_of(L);

	lua_pushcfunction(L, traceback);
	lua_insert(L, 1);
	if (lua_pcall(L, n, 0, 1) != LUA_OK) {
		fprintf(stderr, "lua_host: %s\n", lua_tostring(L, -1));
		t->failed++;
	}
	luaL_unref(L, LUA_REGISTRYINDEX, ref);
	t->live--;
}

/* A site that reports name, so it must stay: Lua keeps it, with its text. */
static struct wf_site *
make_site(lua_State *L)
{
	struct wf_site *site = lua_newuserdatauv(L, sizeof *site, 1);
	lua_Debug d;

	*site = (struct wf_site){ "lua_host", "script", 0 };
	if (lua_getstack(L, 1, &d) && lua_getinfo(L, "Sl", &d)) {
		site->file = lua_pushstring(L, d.short_src);
		site->what = "task";
		site->line = d.currentline;
		lua_setiuservalue(L, -2, 1);
	}
	return site;
}

/* Where the running script is; made once for each place. */
static const struct wf_site *
site_of(lua_State *L)
{
	struct wf_site *site;
	const char *where;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, "weft sites");
	luaL_where(L, 1);
	where = lua_tostring(L, -1);
	if (lua_getfield(L, -2, where) == LUA_TUSERDATA)
		site = lua_touserdata(L, -1);
	else {
		site = make_site(L);
		lua_setfield(L, -4, where);
	}
	lua_pop(L, 3);
	return site;
}

int
tasks_spawn(lua_State *L, int n)
{
	const struct wf_attr attr = { .stack_size = STACK };
	const struct wf_site *site = site_of(L);
	lua_State *task = lua_newthread(L);
	int ref = luaL_ref(L, LUA_REGISTRYINDEX), err;
	uint64_t words[3] = { (uintptr_t)task, (uint64_t)n, (uint64_t)ref };

	lua_xmove(L, task, n + 1);
	/* The shape of the call: three arguments, none of them a float. */
	err = wf_spawn_raw(site, &attr, (void (*)(void))run_task, 3, words);
	if (err < 0)
		luaL_unref(L, LUA_REGISTRYINDEX, ref);
	else
		tasks_of(L)->live++;
	return err;
}

static int
l_spawn(lua_State *L)
{
	int err;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	if ((err = tasks_spawn(L, lua_gettop(L) - 1)) < 0)
		return luaL_error(L, "spawn: %s", strerror(-err));
	return 0;
}

/* ---- time ---- */

static int
l_sleep(lua_State *L)
{
	wf_sleep(check_time(L, 1));
	return 0;
}

static int
l_now(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)wf_now() / WF_SEC);
	return 1;
}

/* ---- commands ---- */

static int
push_result(lua_State *L, const wf_process *p, int status)
{
	size_t size;
	const char *output = wf_process_output(p, 1, &size);

	lua_pushlstring(L, output, size);
	lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status));
	return 2;
}

static int
l_run(lua_State *L)
{
	char *argv[] = { "sh", "-c", (char *)luaL_checkstring(L, 1), NULL };
	struct wf_command command = { .argv = argv,
	    .fds = { WF_NULL, WF_CAPTURE, 2 },
	    .stop_signal = SIGTERM, .grace = WF_SEC / 4 };
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(),
	    lua_isnoneornil(L, 2) ? WF_FOREVER : check_time(L, 2));
	int status = 0, err, n;
	wf_process *p;

	if ((err = wf_process_start(ctx, &command, &p)) < 0) {
		wf_ctx_free(ctx);
		return fail(L, err);
	}
	err = wf_process_wait(p, &status);
	/* An error of Lua's, for lack of memory, would leak p: no more. */
	n = err < 0 ? fail(L, err) : push_result(L, p, status);
	wf_process_free(p);
	wf_ctx_free(ctx);
	return n;
}

/* ---- channels ---- */

static wf_chan(int)
check_channel(lua_State *L)
{
	struct channel *c = luaL_checkudata(L, 1, CHANNEL);

	return c->refs;
}

static int
l_channel(lua_State *L)
{
	lua_Integer room = luaL_optinteger(L, 1, 0);
	struct channel *c;

	luaL_argcheck(L, room >= 0 && room <= 1 << 20, 1, "a number of places");
	c = lua_newuserdatauv(L, sizeof *c, 0);
	if (!(c->refs = wf_chan_make(int, (size_t)room)))
		return luaL_error(L, "channel: no memory");
	luaL_setmetatable(L, CHANNEL);
	return 1;
}

static int
l_send(lua_State *L)
{
	wf_chan(int) refs = check_channel(L);
	int ref, sent;

	luaL_checkany(L, 2);
	lua_settop(L, 2);
	ref = luaL_ref(L, LUA_REGISTRYINDEX);
	if (!(sent = wf_send(refs, ref)))
		luaL_unref(L, LUA_REGISTRYINDEX, ref);
	lua_pushboolean(L, sent);
	return 1;
}

static int
push_received(lua_State *L, int got, int ref)
{
	if (got == 1) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
		luaL_unref(L, LUA_REGISTRYINDEX, ref);
	} else
		lua_pushnil(L);
	lua_pushboolean(L, got == 1);
	return 2;
}

static int
l_recv(lua_State *L)
{
	int ref = LUA_NOREF, got = wf_recv(check_channel(L), &ref);

	return push_received(L, got, ref);
}

static int
l_close(lua_State *L)
{
	wf_close(check_channel(L));
	return 0;
}

/* for v in c:values() do: ends at the first nil, or when c is closed. */
static int
l_values(lua_State *L)
{
	check_channel(L);
	lua_pushcfunction(L, l_recv);
	lua_insert(L, 1);
	return 2;
}

/* Nobody has it any more, so nobody waits for it. */
static int
l_collect(lua_State *L)
{
	wf_chan(int) refs = check_channel(L);
	int ref;

	while (wf_try_recv(refs, &ref) == 1)
		luaL_unref(L, LUA_REGISTRYINDEX, ref);
	wf_chan_free(refs);
	return 0;
}

/* ---- the library ---- */

static const luaL_Reg functions[] = {
	{ "spawn", l_spawn }, { "sleep", l_sleep }, { "now", l_now },
	{ "run", l_run }, { "channel", l_channel }, { NULL, NULL }
};

static const luaL_Reg methods[] = {
	{ "send", l_send }, { "recv", l_recv }, { "close", l_close },
	{ "values", l_values }, { "__gc", l_collect }, { NULL, NULL }
};

int
tasks_open(lua_State *L, struct tasks *t)
{
	lua_pushlightuserdata(L, t);
	lua_setfield(L, LUA_REGISTRYINDEX, "weft tasks");
	luaL_newmetatable(L, CHANNEL);
	luaL_setfuncs(L, methods, 0);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}
