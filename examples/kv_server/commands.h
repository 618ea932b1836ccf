/* SPDX-License-Identifier: MIT */
/*
 * commands.h - what a client can ask for.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "session.h"

/* Run one request; its reply goes to s->out, what it changes to the log. */
void command_run(struct session *s, struct arg *args, int argc);

/* Run one command of the log: false if it is none.  server has no log yet. */
bool command_replay(void *server, struct arg *args, int argc);

/* Remove what has expired, a part at a time.  To be called some ten times a
 * second. */
void command_expire(struct server *server);

#endif
