/* SPDX-License-Identifier: MIT */
/*
 * keys.c - the commands that do not ask what a key has.
 */
#include "command.h"

#include <string.h>

void
key_del(struct session *s)
{
	int64_t n = 0;

	for (int i = 1; i < s->argc; i++) {
		struct entry *e = key_look(s, &s->args[i]);

		if (e) {
			key_drop(s, &s->args[i], e);
			n++;
		}
	}
	resp_number(&s->out, n);
}

void
key_exists(struct session *s)
{
	int64_t n = 0;

	for (int i = 1; i < s->argc; i++)
		n += key_look(s, &s->args[i]) != NULL;
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
void
key_expire(struct session *s)
{
	const char *name = s->command->name;
	struct arg *key = &s->args[1];
	int options = expire_options(s);
	struct entry *e;
	int64_t when;

	if (options < 0 || !arg_moment(s, &s->args[2], *name == 'e' ? 1000 : 1,
	    name[strlen(name) - 1] == 't', INT64_MIN, &when))
		return;
	e = key_look(s, key);
	if (!e || !may_expire(e, options, when)) {
		resp_number(&s->out, 0);
		return;
	}
	if (when <= s->now) {
		key_drop(s, key, e);
	} else {
		entry_expire(shard_of(s, key), e, when);
		record_expire(s, key, when);
	}
	resp_number(&s->out, 1);
}

void
key_ttl(struct session *s)
{
	struct entry *e = key_look(s, &s->args[1]);
	int64_t left = e && e->expires ? e->expires - s->now : 0;

	if (!e || !e->expires)
		resp_number(&s->out, e ? -1 : -2);
	else
		resp_number(&s->out, s->command->name[0] == 'p' ? left :
		    (left + 500) / 1000);
}

void
key_persist(struct session *s)
{
	struct arg *key = &s->args[1];
	struct entry *e = key_look(s, key);
	bool was = e && e->expires;

	if (was) {
		entry_expire(shard_of(s, key), e, 0);
		record_request(s, key);
	}
	resp_number(&s->out, was);
}

void
key_list(struct session *s)
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

void
key_count(struct session *s)
{
	resp_number(&s->out, count_keys(s->server));
}

void
key_flush(struct session *s)
{
	static const struct arg name = WORD("FLUSHALL");

	if (s->argc > 2 || (s->argc == 2 && !arg_is(&s->args[1], "ASYNC") &&
	    !arg_is(&s->args[1], "SYNC"))) {
		resp_error(&s->out, BAD_SYNTAX);
		return;
	}
	for (int i = 0; i < SHARDS; i++)
		store_clear(&s->server->store->shards[i]);
	record(s, LOG_EVERY, &name, 1);
	resp_status(&s->out, "OK");
}
