/* SPDX-License-Identifier: MIT */
/*
 * commands.c - the table of commands, and each of them.
 *
 * command_run() locks the shards of all keys that the table says a command
 * has, for writing if it writes.  So each function here sees one instant of
 * them, and reads like a program with a single thread.
 *
 * What is logged depends on no clock: times are absolute, and what had expired
 * when it was touched is deleted by a DEL of its own.  A replay lets nothing
 * expire.
 */
#include "commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <utlist.h>

enum {
	WRITES = 1,
	WHOLE = 2,		/* all shards */
	LISTENS = 4		/* allowed to who has subscribed */
};

struct command {
	const char *name;
	void (*run)(struct session *s);
	int arity;		/* with the name; -n: at least n */
	unsigned flags;
	int first, last, step;	/* which are keys; last -1: the last one */
};

static const char syntax[] = "ERR syntax error";
static const char no_integer[] =
    "ERR value is not an integer or out of range";
static const char no_memory[] = "ERR out of memory";
static const char too_long[] =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";

/* ---- the log ---- */

#define WORD(text) { (char *)(uintptr_t)(text), sizeof (text) - 1, 0 }

static void
record(struct session *s, uint64_t copied, const struct arg *args, int argc)
{
	if (s->server->log)
		s->logged = log_append(s->server->log, copied, args, argc);
}

static struct shard *
shard_of(struct session *s, const struct arg *key)
{
	return store_shard_of(s->server->store, key->hash);
}

/* The request itself, which changes only this key. */
static void
record_request(struct session *s, const struct arg *key)
{
	record(s, shard_of(s, key)->copied, s->args, s->argc);
}

static void
record_del(struct session *s, const struct arg *key)
{
	struct arg args[] = { WORD("DEL"), *key };

	record(s, shard_of(s, key)->copied, args, 2);
}

static struct arg
number_arg(char text[24], int64_t n)
{
	return (struct arg){ text,
	    (size_t)snprintf(text, 24, "%" PRId64, n), 0 };
}

static void
record_set(struct session *s, const struct arg *key, const struct arg *value,
    int64_t expires)
{
	char text[24];
	struct arg args[] = { WORD("SET"), *key, *value, WORD("PXAT"),
	    { 0 } };

	if (expires)
		args[4] = number_arg(text, expires);
	record(s, shard_of(s, key)->copied, args, expires ? 5 : 3);
}

static void
record_expire(struct session *s, const struct arg *key, int64_t expires)
{
	char text[24];
	struct arg args[] = { WORD("PEXPIREAT"), *key,
	    number_arg(text, expires) };

	record(s, shard_of(s, key)->copied, args, 3);
}

/* ---- keys ---- */

static void
drop(struct session *s, const struct arg *key, struct entry *e)
{
	record_del(s, key);
	store_remove(shard_of(s, key), e);
}

/* The entry of a key.  One that has expired is none, and a command that writes
 * takes it away. */
static struct entry *
look(struct session *s, const struct arg *key)
{
	struct entry *e = store_find(s->server->store, key->data, key->size,
	    key->hash);

	if (!e || !entry_is_dead(e, s->now))
		return e;
	if (s->command->flags & WRITES)
		drop(s, key, e);
	return NULL;
}

/* Set a key, which has the entry e or none.  NULL without memory. */
static struct entry *
set(struct session *s, const struct arg *key, struct entry *e,
    const void *value, size_t size)
{
	struct entry *old = e;

	if (!e)
		e = store_add(s->server->store, key->data, key->size,
		    key->hash);
	if (e && entry_set(e, value, size))
		return e;
	if (e && !old)
		store_remove(shard_of(s, key), e);
	resp_error(&s->out, no_memory);
	return NULL;
}

static void
reply_entry(struct session *s, const struct entry *e)
{
	if (e)
		resp_string(&s->out, e->value, e->size);
	else
		resp_nil(&s->out);
}

/* ---- strings ---- */

static void
get(struct session *s)
{
	reply_entry(s, look(s, &s->args[1]));
}

struct set_options {
	bool nx, xx, keep, get;
	const char *kind;		/* of time: EX PX EXAT PXAT */
	const struct arg *time;
};

/* Only one kind of time may be given. */
static bool
set_time(struct set_options *o, const struct arg *word)
{
	const char *kind = arg_is(word, "EX") ? "EX" :
	    arg_is(word, "PX") ? "PX" : arg_is(word, "EXAT") ? "EXAT" :
	    arg_is(word, "PXAT") ? "PXAT" : NULL;

	if (!kind || (o->kind && o->kind != kind))
		return false;
	o->kind = kind;
	return true;
}

static bool
set_options(struct session *s, struct set_options *o)
{
	for (int i = 3; i < s->argc; i++) {
		const struct arg *word = &s->args[i];

		if (arg_is(word, "NX") && !o->xx)
			o->nx = true;
		else if (arg_is(word, "XX") && !o->nx)
			o->xx = true;
		else if (arg_is(word, "GET"))
			o->get = true;
		else if (arg_is(word, "KEEPTTL") && !o->time)
			o->keep = true;
		else if (!o->keep && i + 1 < s->argc && set_time(o, word))
			o->time = &s->args[++i];
		else
			return false;
	}
	return true;
}

/* The time in an argument as ms since 1970.  False: the reply is made. */
static bool
moment(struct session *s, const struct arg *time, int64_t unit, bool absolute,
    int64_t least, int64_t *when)
{
	if (!arg_number(time, when)) {
		resp_error(&s->out, no_integer);
		return false;
	}
	if (*when >= least && !__builtin_mul_overflow(*when, unit, when) &&
	    !__builtin_add_overflow(*when, absolute ? 0 : s->now, when))
		return true;
	resp_error(&s->out, "ERR invalid expire time in '%s' command",
	    s->command->name);
	return false;
}

static void
set_key(struct session *s)
{
	struct set_options o = {0};
	struct arg *key = &s->args[1], *value = &s->args[2];
	int64_t expires = 0;
	struct entry *e;

	if (!set_options(s, &o)) {
		resp_error(&s->out, syntax);
		return;
	}
	if (o.time && !moment(s, o.time, o.kind[0] == 'E' ? 1000 : 1,
	    o.kind[2] == 'A', 1, &expires))
		return;
	e = look(s, key);
	if (o.get)
		reply_entry(s, e);
	if (e ? o.nx : o.xx) {
		if (!o.get)
			resp_nil(&s->out);
		return;
	}
	if (o.keep && e)
		expires = e->expires;
	if (!(e = set(s, key, e, value->data, value->size)))
		return;
	entry_expire(shard_of(s, key), e, expires);
	record_set(s, key, value, expires);
	if (!o.get)
		resp_status(&s->out, "OK");
}

static void
mget(struct session *s)
{
	resp_array(&s->out, (size_t)s->argc - 1);
	for (int i = 1; i < s->argc; i++)
		reply_entry(s, look(s, &s->args[i]));
}

/* In the log it is one transaction, which is whole or not there at all. */
static void
mset(struct session *s)
{
	static const struct arg multi = WORD("MULTI"), exec = WORD("EXEC");
	bool good = s->argc % 2 == 1;

	if (!good) {
		resp_error(&s->out, "ERR wrong number of arguments for "
		    "'mset' command");
		return;
	}
	record(s, LOG_EVERY, &multi, 1);
	for (int i = 1; good && i < s->argc; i += 2) {
		struct arg *key = &s->args[i], *value = key + 1;
		struct entry *e = set(s, key, look(s, key), value->data,
		    value->size);

		if ((good = e != NULL)) {
			entry_expire(shard_of(s, key), e, 0);
			record_set(s, key, value, 0);
		}
	}
	record(s, LOG_EVERY, &exec, 1);
	if (good)
		resp_status(&s->out, "OK");
}

static void
append(struct session *s)
{
	struct arg *key = &s->args[1], *more = &s->args[2];
	struct entry *e = look(s, key);
	size_t size = more->size + (e ? e->size : 0);

	if (size > RESP_STRING) {
		resp_error(&s->out, too_long);
		return;
	}
	if (!e && !(e = set(s, key, NULL, "", 0)))
		return;
	if (size > e->room && !entry_reserve(e, size + size / 2)) {
		resp_error(&s->out, no_memory);
		return;
	}
	memcpy(e->value + e->size, more->data, more->size);
	e->size = size;
	record_request(s, key);
	resp_number(&s->out, (int64_t)size);
}

static void
string_length(struct session *s)
{
	struct entry *e = look(s, &s->args[1]);

	resp_number(&s->out, e ? (int64_t)e->size : 0);
}

static void
add(struct session *s, int64_t by)
{
	struct arg *key = &s->args[1];
	struct entry *e = look(s, key);
	int64_t n = 0;
	char text[24];
	struct arg sum;

	if (e && !arg_number(&(struct arg){ e->value, e->size, 0 }, &n)) {
		resp_error(&s->out, no_integer);
	} else if (__builtin_add_overflow(n, by, &n)) {
		resp_error(&s->out,
		    "ERR increment or decrement would overflow");
	} else {
		sum = number_arg(text, n);
		if (!set(s, key, e, sum.data, sum.size))
			return;
		record_request(s, key);
		resp_number(&s->out, n);
	}
}

static void
incr(struct session *s)
{
	add(s, 1);
}

static void
decr(struct session *s)
{
	add(s, -1);
}

static void
incr_by(struct session *s)
{
	bool minus = s->command->name[0] == 'd';
	int64_t by;

	if (!arg_number(&s->args[2], &by))
		resp_error(&s->out, no_integer);
	else if (minus && by == INT64_MIN)
		resp_error(&s->out, "ERR decrement would overflow");
	else
		add(s, minus ? -by : by);
}

/* ---- any key ---- */

static void
del(struct session *s)
{
	int64_t n = 0;

	for (int i = 1; i < s->argc; i++) {
		struct entry *e = look(s, &s->args[i]);

		if (e) {
			drop(s, &s->args[i], e);
			n++;
		}
	}
	resp_number(&s->out, n);
}

static void
exists(struct session *s)
{
	int64_t n = 0;

	for (int i = 1; i < s->argc; i++)
		n += look(s, &s->args[i]) != NULL;
	resp_number(&s->out, n);
}

enum { NX = 1, XX = 2, GT = 4, LT = 8 };

/* The options of EXPIRE and its kin, or -1: the reply is made. */
static int
expire_options(struct session *s)
{
	int o = 0;

	for (int i = 3; i < s->argc; i++) {
		const struct arg *word = &s->args[i];
		int bit = arg_is(word, "NX") ? NX : arg_is(word, "XX") ? XX :
		    arg_is(word, "GT") ? GT : arg_is(word, "LT") ? LT : 0;

		if (!bit) {
			resp_error(&s->out, "ERR Unsupported option %.*s",
			    (int)word->size, word->data);
			return -1;
		}
		o |= bit;
	}
	if (o & NX && o & (XX | GT | LT))
		resp_error(&s->out, "ERR NX and XX, GT or LT options at the "
		    "same time are not compatible");
	else if (o & GT && o & LT)
		resp_error(&s->out, "ERR GT and LT options at the same time "
		    "are not compatible");
	else
		return o;
	return -1;
}

static bool
may_expire(const struct entry *e, int options, int64_t when)
{
	return !(options & NX && e->expires) &&
	    !(options & XX && !e->expires) &&
	    !(options & GT && (!e->expires || when <= e->expires)) &&
	    !(options & LT && e->expires && when >= e->expires);
}

/* EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT. */
static void
expire(struct session *s)
{
	const char *name = s->command->name;
	struct arg *key = &s->args[1];
	int options = expire_options(s);
	struct entry *e;
	int64_t when;

	if (options < 0 || !moment(s, &s->args[2], *name == 'e' ? 1000 : 1,
	    name[strlen(name) - 1] == 't', INT64_MIN, &when))
		return;
	e = look(s, key);
	if (!e || !may_expire(e, options, when)) {
		resp_number(&s->out, 0);
		return;
	}
	if (when <= s->now) {
		drop(s, key, e);
	} else {
		entry_expire(shard_of(s, key), e, when);
		record_expire(s, key, when);
	}
	resp_number(&s->out, 1);
}

static void
ttl(struct session *s)
{
	struct entry *e = look(s, &s->args[1]);
	int64_t left = e && e->expires ? e->expires - s->now : 0;

	if (!e || !e->expires)
		resp_number(&s->out, e ? -1 : -2);
	else
		resp_number(&s->out, s->command->name[0] == 'p' ? left :
		    (left + 500) / 1000);
}

static void
persist(struct session *s)
{
	struct arg *key = &s->args[1];
	struct entry *e = look(s, key);
	bool was = e && e->expires;

	if (was) {
		entry_expire(shard_of(s, key), e, 0);
		record_request(s, key);
	}
	resp_number(&s->out, was);
}

static void
keys(struct session *s)
{
	const struct arg *pattern = &s->args[1];
	size_t at = s->out.used, n = 0;

	for (int i = 0; i < SHARDS; i++)
		for (struct entry *e = s->server->store->shards[i].map; e;
		    e = e->hh.next)
			if (!entry_is_dead(e, s->now) && glob(pattern->data,
			    pattern->size, e->key, e->hh.keylen)) {
				resp_string(&s->out, e->key, e->hh.keylen);
				n++;
			}
	resp_array_at(&s->out, at, n);
}

static int64_t
count(const struct server *server)
{
	int64_t n = 0;

	for (int i = 0; i < SHARDS; i++)
		n += HASH_COUNT(server->store->shards[i].map);
	return n;
}

static void
dbsize(struct session *s)
{
	resp_number(&s->out, count(s->server));
}

static void
flush_all(struct session *s)
{
	static const struct arg name = WORD("FLUSHALL");

	if (s->argc > 2 || (s->argc == 2 && !arg_is(&s->args[1], "ASYNC") &&
	    !arg_is(&s->args[1], "SYNC"))) {
		resp_error(&s->out, syntax);
		return;
	}
	for (int i = 0; i < SHARDS; i++)
		store_clear(&s->server->store->shards[i]);
	record(s, LOG_EVERY, &name, 1);
	resp_status(&s->out, "OK");
}

/* ---- the connection ---- */

static void
ping(struct session *s)
{
	if (s->argc > 2) {
		resp_error(&s->out, "ERR wrong number of arguments for "
		    "'ping' command");
	} else if (s->subscriber && s->subscriber->count > 0) {
		resp_array(&s->out, 2);
		resp_text(&s->out, "pong");
		resp_string(&s->out, s->args[1 % s->argc].data,
		    s->argc == 2 ? s->args[1].size : 0);
	} else if (s->argc == 2) {
		resp_string(&s->out, s->args[1].data, s->args[1].size);
	} else
		resp_status(&s->out, "PONG");
}

static void
echo(struct session *s)
{
	resp_string(&s->out, s->args[1].data, s->args[1].size);
}

static void
quit(struct session *s)
{
	resp_status(&s->out, "OK");
	s->quit = true;
}

static void
select_db(struct session *s)
{
	int64_t n;

	if (!arg_number(&s->args[1], &n))
		resp_error(&s->out, no_integer);
	else if (n != 0)
		resp_error(&s->out, "ERR DB index is out of range");
	else
		resp_status(&s->out, "OK");
}

/* ---- publish, subscribe ---- */

static void
publish(struct session *s)
{
	resp_number(&s->out, pubsub_publish(s->server->pubsub, &s->args[1],
	    &s->args[2]));
}

static void
subscribe(struct session *s)
{
	bool pattern = s->command->name[0] == 'p';

	if (!session_subscribe(s)) {
		s->quit = true;
		return;
	}
	session_flush(s);		/* the replies before come first */
	for (int i = 1; i < s->argc; i++)
		pubsub_subscribe(s->server->pubsub, s->subscriber, pattern,
		    &s->args[i]);
}

static void
unsubscribe(struct session *s)
{
	bool pattern = s->command->name[0] == 'p';

	if (!session_subscribe(s)) {
		s->quit = true;
		return;
	}
	session_flush(s);
	if (s->argc == 1)
		pubsub_unsubscribe(s->server->pubsub, s->subscriber, pattern,
		    NULL);
	for (int i = 1; i < s->argc; i++)
		pubsub_unsubscribe(s->server->pubsub, s->subscriber, pattern,
		    &s->args[i]);
}

/* ---- the server ---- */

static void
config_get(struct session *s)
{
	static const char *const policies[] = { "no", "everysec", "always" };
	const struct options *o = s->server->options;
	char port[16], clients[16];
	const char *const pairs[][2] = {
		{ "appendfsync", policies[o->policy] },
		{ "appendonly", o->log ? "yes" : "no" },
		{ "bind", o->address }, { "databases", "1" },
		{ "maxclients", clients }, { "maxmemory", "0" },
		{ "port", port }, { "proto-max-bulk-len", "536870912" },
		{ "save", "" } };
	size_t at = s->out.used, n = 0;

	snprintf(port, sizeof port, "%d", o->port);
	snprintf(clients, sizeof clients, "%d", o->clients);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		for (int word = 2; word < s->argc; word++)
			if (glob(s->args[word].data, s->args[word].size,
			    pairs[i][0], strlen(pairs[i][0]))) {
				resp_text(&s->out, pairs[i][0]);
				resp_text(&s->out, pairs[i][1]);
				n += 2;
				break;
			}
	resp_array_at(&s->out, at, n);
}

static void
unknown_subcommand(struct session *s, const char *name)
{
	resp_error(&s->out, "ERR unknown subcommand '%.*s'. Try %s HELP.",
	    s->args[1].size > 128 ? 128 : (int)s->args[1].size,
	    s->args[1].data, name);
}

static void
config(struct session *s)
{
	if (arg_is(&s->args[1], "GET") && s->argc > 2)
		config_get(s);
	else if (arg_is(&s->args[1], "RESETSTAT") && s->argc == 2)
		resp_status(&s->out, "OK");
	else if (arg_is(&s->args[1], "GET"))
		resp_error(&s->out, "ERR wrong number of arguments for "
		    "'config|get' command");
	else
		unknown_subcommand(s, "CONFIG");
}

static void
info(struct session *s)
{
	struct server *server = s->server;
	char text[1024];
	int64_t n;

	store_lock(server->store, ALL_SHARDS, false);
	n = count(server);
	store_unlock(server->store, ALL_SHARDS, false);
	snprintf(text, sizeof text,
	    "# Server\r\nserver_name:kv_server\r\nprocess_id:%d\r\n"
	    "tcp_port:%d\r\nuptime_in_seconds:%" PRId64 "\r\n"
	    "weft_version:%s\r\nworkers:%d\r\n\r\n"
	    "# Clients\r\nconnected_clients:%" PRId64 "\r\n\r\n"
	    "# Persistence\r\naof_enabled:%d\r\n"
	    "aof_rewrite_in_progress:%d\r\naof_last_write_status:%s\r\n\r\n"
	    "# Stats\r\ntotal_connections_received:%" PRId64 "\r\n"
	    "total_commands_processed:%" PRId64 "\r\n\r\n"
	    "# Keyspace\r\ndb0:keys=%" PRId64 "\r\n", (int)getpid(),
	    server->options->port, (wf_now() - server->started) / WF_SEC,
	    wf_version(), wf_workers(0), server->clients, server->log != NULL,
	    (int)server->rewriting,
	    server->log && log_error(server->log) < 0 ? "err" : "ok",
	    server->connections, server->commands, n);
	resp_text(&s->out, text);
}

static void
rewrite(struct server *server)
{
	log_rewrite(server->log, server->store);
	atomic_store(&server->rewriting, false);
}

static void
rewrite_log(struct session *s)
{
	struct server *server = s->server;

	if (!server->log)
		resp_error(&s->out, "ERR there is no append only file");
	else if (atomic_exchange(&server->rewriting, true))
		resp_error(&s->out, "ERR Background append only file "
		    "rewriting already in progress");
	else if (wf_waitgroup_spawn(&server->background, rewrite, server)) {
		atomic_store(&server->rewriting, false);
		resp_error(&s->out, no_memory);
	} else
		resp_status(&s->out,
		    "Background append only file rewriting started");
}

/* ---- the table ---- */

static void list_commands(struct session *s);

static const struct command commands[] = {
	{ "get", get, 2, 0, 1, 1, 1 },
	{ "set", set_key, -3, WRITES, 1, 1, 1 },
	{ "incr", incr, 2, WRITES, 1, 1, 1 },
	{ "del", del, -2, WRITES, 1, -1, 1 },
	{ "mget", mget, -2, 0, 1, -1, 1 },
	{ "mset", mset, -3, WRITES, 1, -1, 2 },
	{ "ping", ping, -1, LISTENS, 0, 0, 0 },
	{ "publish", publish, 3, 0, 0, 0, 0 },
	{ "append", append, 3, WRITES, 1, 1, 1 },
	{ "bgrewriteaof", rewrite_log, 1, 0, 0, 0, 0 },
	{ "command", list_commands, -1, 0, 0, 0, 0 },
	{ "config", config, -2, 0, 0, 0, 0 },
	{ "dbsize", dbsize, 1, WHOLE, 0, 0, 0 },
	{ "decr", decr, 2, WRITES, 1, 1, 1 },
	{ "decrby", incr_by, 3, WRITES, 1, 1, 1 },
	{ "echo", echo, 2, 0, 0, 0, 0 },
	{ "exists", exists, -2, 0, 1, -1, 1 },
	{ "expire", expire, -3, WRITES, 1, 1, 1 },
	{ "expireat", expire, -3, WRITES, 1, 1, 1 },
	{ "flushall", flush_all, -1, WRITES | WHOLE, 0, 0, 0 },
	{ "incrby", incr_by, 3, WRITES, 1, 1, 1 },
	{ "info", info, -1, 0, 0, 0, 0 },
	{ "keys", keys, 2, WHOLE, 0, 0, 0 },
	{ "persist", persist, 2, WRITES, 1, 1, 1 },
	{ "pexpire", expire, -3, WRITES, 1, 1, 1 },
	{ "pexpireat", expire, -3, WRITES, 1, 1, 1 },
	{ "psubscribe", subscribe, -2, LISTENS, 0, 0, 0 },
	{ "pttl", ttl, 2, 0, 1, 1, 1 },
	{ "punsubscribe", unsubscribe, -1, LISTENS, 0, 0, 0 },
	{ "quit", quit, -1, LISTENS, 0, 0, 0 },
	{ "select", select_db, 2, 0, 0, 0, 0 },
	{ "strlen", string_length, 2, 0, 1, 1, 1 },
	{ "subscribe", subscribe, -2, LISTENS, 0, 0, 0 },
	{ "ttl", ttl, 2, 0, 1, 1, 1 },
	{ "unsubscribe", unsubscribe, -1, LISTENS, 0, 0, 0 },
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
		unknown_subcommand(s, "COMMAND");
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

/* ---- expiry ---- */

/* Look at the mortal entries in turn, as many as 20: how many had expired. */
static int
expire_some(struct session *s, struct shard *shard)
{
	int dead = 0;

	for (int i = 0; i < 20 && shard->mortal; i++) {
		struct entry *e = shard->mortal;
		struct arg key = { e->key, e->hh.keylen, 0 };

		if (entry_is_dead(e, s->now)) {
			key.hash = store_hash(s->server->store, e->key,
			    e->hh.keylen);
			drop(s, &key, e);
			dead++;
		} else {		/* it comes again after the others */
			DL_DELETE(shard->mortal, e);
			DL_APPEND(shard->mortal, e);
		}
	}
	return dead;
}

void
command_expire(struct server *server)
{
	struct session s = { .server = server, .now = store_now() };

	for (int i = 0; i < SHARDS; i++) {
		struct shard *shard = &server->store->shards[i];
		bool any;
		int dead;

		wf_rwmutex_read_lock(&shard->lock);
		any = shard->mortal != NULL;
		wf_rwmutex_read_unlock(&shard->lock);
		do {
			if (!any)
				break;
			wf_rwmutex_lock(&shard->lock);
			dead = expire_some(&s, shard);
			wf_rwmutex_unlock(&shard->lock);
		} while (dead > 5);
	}
	if (s.logged)
		log_settle(server->log, s.logged);
}
