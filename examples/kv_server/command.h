/* SPDX-License-Identifier: MIT */
/*
 * command.h - what the commands are made of, for the files that have them.
 *
 *	strings.c	GET SET INCR ...
 *	keys.c		DEL EXPIRE KEYS ..., whatever the key has
 *	admin.c		PING SUBSCRIBE CONFIG INFO ...
 *	keyspace.c	what these do to keys, and what the log is told of it
 *	commands.c	the table of all, and how one is run
 *
 * command_run() locks the shards of all keys that the table says a command
 * has, for writing if it writes.  So each function here sees one instant of
 * them, and reads like a program with a single thread.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "session.h"

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

/* Errors that several of them give. */
#define BAD_SYNTAX "ERR syntax error"
#define NO_INTEGER "ERR value is not an integer or out of range"
#define NO_MEMORY "ERR out of memory"

/* ---- keyspace.c ---- */

/* The entry of a key.  One that has expired is none, and a command that writes
 * takes it away. */
struct entry *key_look(struct session *s, const struct arg *key);

/* Set a key, which has the entry e or none.  NULL without memory. */
struct entry *key_set(struct session *s, const struct arg *key,
    struct entry *e, const void *value, size_t size);
void key_drop(struct session *s, const struct arg *key, struct entry *e);
struct shard *shard_of(struct session *s, const struct arg *key);
int64_t count_keys(const struct server *server);

/* To the log: the words; the request itself, which changes only this key; what
 * it comes to. */
#define WORD(text) { (char *)(uintptr_t)(text), sizeof (text) - 1, 0 }
void record(struct session *s, uint64_t copied, const struct arg *args,
    int argc);
void record_request(struct session *s, const struct arg *key);
void record_set(struct session *s, const struct arg *key,
    const struct arg *value, int64_t expires);
void record_expire(struct session *s, const struct arg *key,
    int64_t expires);

struct arg number_arg(char text[24], int64_t n);

/* The time in an argument as ms since 1970.  False: the reply is made. */
bool arg_moment(struct session *s, const struct arg *time, int64_t unit,
    bool absolute, int64_t least, int64_t *when);

void reply_entry(struct session *s, const struct entry *e);
void reply_unknown_subcommand(struct session *s, const char *name);

/* ---- the commands ---- */

/* strings.c */
void string_get(struct session *s);
void string_set(struct session *s);
void string_mget(struct session *s);
void string_mset(struct session *s);
void string_append(struct session *s);
void string_length(struct session *s);
void string_incr(struct session *s);
void string_decr(struct session *s);
void string_incr_by(struct session *s);

/* keys.c */
void key_del(struct session *s);
void key_exists(struct session *s);
void key_expire(struct session *s);
void key_ttl(struct session *s);
void key_persist(struct session *s);
void key_list(struct session *s);
void key_count(struct session *s);
void key_flush(struct session *s);

/* admin.c */
void admin_ping(struct session *s);
void admin_echo(struct session *s);
void admin_quit(struct session *s);
void admin_select(struct session *s);
void admin_publish(struct session *s);
void admin_subscribe(struct session *s);
void admin_unsubscribe(struct session *s);
void admin_config(struct session *s);
void admin_info(struct session *s);
void admin_rewrite(struct session *s);

#endif
