/* SPDX-License-Identifier: MIT */
/*
 * tasks.h - coroutines for Lua scripts, by weft.
 */
#ifndef TASKS_H
#define TASKS_H

#include <lua.h>

/* A task is a Lua function that runs on a coroutine of weft. */
struct tasks {
	int live;		/* that have not ended */
	int failed;		/* that ended by an error, which was shown */
};

/* The library "weft" for scripts, on top of the stack. */
int tasks_open(lua_State *L, struct tasks *t);

/* Start the function below n arguments, all of which it takes off the stack of
 * L, as a task: 0 or -errno. */
int tasks_spawn(lua_State *L, int n);

#endif
