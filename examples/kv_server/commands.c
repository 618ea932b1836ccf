/* SPDX-License-Identifier: MIT */
/*
 * commands.c - the table of commands, and how one is run.
 */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "command.h"

/* ---- the table ---- */

static void list_commands(struct session *s);

static const struct command commands[] = {
	{ "get", string_get, 2, 0, 1, 1, 1 },
	{ "set", string_set, -3, WRITES, 1, 1, 1 },
	{ "incr", string_incr, 2, WRITES, 1, 1, 1 },
	{ "del", key_del, -2, WRITES, 1, -1, 1 },
	{ "mget", string_mget, -2, 0, 1, -1, 1 },
	{ "mset", string_mset, -3, WRITES, 1, -1, 2 },
	{ "ping", admin_ping, -1, LISTENS, 0, 0, 0 },
	{ "publish", admin_publish, 3, 0, 0, 0, 0 },
	{ "append", string_append, 3, WRITES, 1, 1, 1 },
	{ "bgrewriteaof", admin_rewrite, 1, 0, 0, 0, 0 },
	{ "command", list_commands, -1, 0, 0, 0, 0 },
	{ "config", admin_config, -2, 0, 0, 0, 0 },
	{ "dbsize", key_count, 1, WHOLE, 0, 0, 0 },
	{ "decr", string_decr, 2, WRITES, 1, 1, 1 },
	{ "decrby", string_incr_by, 3, WRITES, 1, 1, 1 },
	{ "echo", admin_echo, 2, 0, 0, 0, 0 },
	{ "exists", key_exists, -2, 0, 1, -1, 1 },
	{ "expire", key_expire, -3, WRITES, 1, 1, 1 },
	{ "expireat", key_expire, -3, WRITES, 1, 1, 1 },
	{ "flushall", key_flush, -1, WRITES | WHOLE, 0, 0, 0 },
	{ "incrby", string_incr_by, 3, WRITES, 1, 1, 1 },
	{ "info", admin_info, -1, 0, 0, 0, 0 },
	{ "keys", key_list, 2, WHOLE, 0, 0, 0 },
	{ "persist", key_persist, 2, WRITES, 1, 1, 1 },
	{ "pexpire", key_expire, -3, WRITES, 1, 1, 1 },
	{ "pexpireat", key_expire, -3, WRITES, 1, 1, 1 },
	{ "psubscribe", admin_subscribe, -2, LISTENS, 0, 0, 0 },
	{ "pttl", key_ttl, 2, 0, 1, 1, 1 },
	{ "punsubscribe", admin_unsubscribe, -1, LISTENS, 0, 0, 0 },
	{ "quit", admin_quit, -1, LISTENS, 0, 0, 0 },
	{ "select", admin_select, 2, 0, 0, 0, 0 },
	{ "strlen", string_length, 2, 0, 1, 1, 1 },
	{ "subscribe", admin_subscribe, -2, LISTENS, 0, 0, 0 },
	{ "ttl", key_ttl, 2, 0, 1, 1, 1 },
	{ "unsubscribe", admin_unsubscribe, -1, LISTENS, 0, 0, 0 },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct command *
find(const struct arg *name)
{
	for (int i = 0; i < COMMANDS; i++)
		if (arg_is(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static void
describe(struct buffer *b, const struct command *c)
{
	if (!c) {
		resp_array(b, 0);
		return;
	}
	resp_array(b, 6);
	resp_text(b, c->name);
	resp_number(b, c->arity);
	resp_array(b, 1);
	resp_status(b, c->flags & WRITES ? "write" : "readonly");
	resp_number(b, c->first);
	resp_number(b, c->last);
	resp_number(b, c->step);
}

static void
list_commands(struct session *s)
{
	if (s->argc == 1) {
		resp_array(&s->out, COMMANDS);
		for (int i = 0; i < COMMANDS; i++)
			describe(&s->out, &commands[i]);
	} else if (arg_is(&s->args[1], "COUNT")) {
		resp_number(&s->out, COMMANDS);
	} else if (arg_is(&s->args[1], "DOCS")) {
		resp_array(&s->out, 0);
	} else if (arg_is(&s->args[1], "INFO")) {
		resp_array(&s->out, (size_t)s->argc - 2);
		for (int i = 2; i < s->argc; i++)
			describe(&s->out, find(&s->args[i]));
	} else
		reply_unknown_subcommand(s, "COMMAND");
}

/* ---- one request ---- */

static void
unknown(struct session *s)
{
	char args[160] = "";
	size_t used = 0;

	for (int i = 1; i < s->argc && used < 128; i++) {
		size_t room = 128 - used, size = s->args[i].size;

		used += (size_t)snprintf(args + used, sizeof args - used,
		    "'%.*s' ", (int)(size < room ? size : room),
		    s->args[i].data);
	}
	resp_error(&s->out, "ERR unknown command '%.*s', with args beginning "
	    "with: %s", s->args[0].size < 128 ? (int)s->args[0].size : 128,
	    s->args[0].data, args);
}

/* May the command run?  If not, the reply is made. */
static bool
check(struct session *s, const struct command *c)
{
	struct log *log = s->server->log;

	if (c->arity > 0 ? s->argc != c->arity : s->argc < -c->arity)
		resp_error(&s->out, "ERR wrong number of arguments for '%s' "
		    "command", c->name);
	else if (c->flags & WRITES && log && log_error(log) < 0)
		resp_error(&s->out, "MISCONF Errors writing to the AOF file: "
		    "%s", strerror(-log_error(log)));
	else if (s->subscriber && s->subscriber->count > 0 &&
	    !(c->flags & LISTENS))
		resp_error(&s->out, "ERR Can't execute '%s': only "
		    "(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
		    "are allowed in this context", c->name);
	else
		return true;
	return false;
}

/* The shards of all keys; the keys' hashes are left in them. */
static uint64_t
shards_of(struct session *s, const struct command *c)
{
	int last = c->last < 0 ? s->argc - 1 : c->last;
	uint64_t shards = c->flags & WHOLE ? ALL_SHARDS : 0;

	for (int i = c->first; c->step && i <= last; i += c->step) {
		s->args[i].hash = store_hash(s->server->store,
		    s->args[i].data, s->args[i].size);
		shards |= store_shard(s->args[i].hash);
	}
	return shards;
}

void
command_run(struct session *s, struct arg *args, int argc)
{
	const struct command *c = find(&args[0]);
	uint64_t shards;

	s->args = args;
	s->argc = argc;
	s->command = c;
	if (!c) {
		unknown(s);
	} else if (check(s, c)) {
		shards = shards_of(s, c);
		store_lock(s->server->store, shards, c->flags & WRITES);
		c->run(s);
		store_unlock(s->server->store, shards, c->flags & WRITES);
	}
}

bool
command_replay(void *server, struct arg *args, int argc)
{
	struct session s = { .server = server };
	const struct command *c = find(&args[0]);
	bool good = true;

	if (c && c->flags & WRITES) {
		command_run(&s, args, argc);
		good = s.out.used > 0 && s.out.data[0] != '-';
	} else
		good = arg_is(&args[0], "MULTI") || arg_is(&args[0], "EXEC") ||
		    arg_is(&args[0], "SELECT");
	buffer_free(&s.out);
	return good;
}
