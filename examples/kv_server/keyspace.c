/* SPDX-License-Identifier: MIT */
/*
 * keyspace.c - what commands do to keys, what the log is told of it, and how
 * keys expire.
 *
 * What is logged depends on no clock: times are absolute, and what had expired
 * when it was touched is deleted by a DEL of its own.  A replay lets nothing
 * expire.
 */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <utlist.h>

#include "commands.h"

/* ---- the log ---- */

void
record(struct session *s, uint64_t copied, const struct arg *args, int argc)
{
	if (s->server->log)
		s->logged = log_append(s->server->log, copied, args, argc);
}

struct shard *
shard_of(struct session *s, const struct arg *key)
{
	return store_shard_of(s->server->store, key->hash);
}

void
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

struct arg
number_arg(char text[24], int64_t n)
{
	return (struct arg){ text,
	    (size_t)snprintf(text, 24, "%" PRId64, n), 0 };
}

void
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

void
record_expire(struct session *s, const struct arg *key, int64_t expires)
{
	char text[24];
	struct arg args[] = { WORD("PEXPIREAT"), *key,
	    number_arg(text, expires) };

	record(s, shard_of(s, key)->copied, args, 3);
}

/* ---- keys ---- */

void
key_drop(struct session *s, const struct arg *key, struct entry *e)
{
	record_del(s, key);
	store_remove(shard_of(s, key), e);
}

struct entry *
key_look(struct session *s, const struct arg *key)
{
	struct entry *e = store_find(s->server->store, key->data, key->size,
	    key->hash);

	if (!e || !entry_is_dead(e, s->now))
		return e;
	if (s->command->flags & WRITES)
		key_drop(s, key, e);
	return NULL;
}

struct entry *
key_set(struct session *s, const struct arg *key, struct entry *e,
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
	resp_error(&s->out, NO_MEMORY);
	return NULL;
}

void
reply_entry(struct session *s, const struct entry *e)
{
	if (e)
		resp_string(&s->out, e->value, e->size);
	else
		resp_nil(&s->out);
}

int64_t
count_keys(const struct server *server)
{
	int64_t n = 0;

	for (int i = 0; i < SHARDS; i++)
		n += HASH_COUNT(server->store->shards[i].map);
	return n;
}

bool
arg_moment(struct session *s, const struct arg *time, int64_t unit,
    bool absolute, int64_t least, int64_t *when)
{
	if (!arg_number(time, when)) {
		resp_error(&s->out, NO_INTEGER);
		return false;
	}
	if (*when >= least && !__builtin_mul_overflow(*when, unit, when) &&
	    !__builtin_add_overflow(*when, absolute ? 0 : s->now, when))
		return true;
	resp_error(&s->out, "ERR invalid expire time in '%s' command",
	    s->command->name);
	return false;
}

void
reply_unknown_subcommand(struct session *s, const char *name)
{
	resp_error(&s->out, "ERR unknown subcommand '%.*s'. Try %s HELP.",
	    s->args[1].size > 128 ? 128 : (int)s->args[1].size,
	    s->args[1].data, name);
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
			key_drop(s, &key, e);
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
