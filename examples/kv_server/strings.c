/* SPDX-License-Identifier: MIT */
/*
 * strings.c - the commands of strings.
 */
#include "command.h"

#include <string.h>

static const char too_long[] =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";

void
string_get(struct session *s)
{
	reply_entry(s, key_look(s, &s->args[1]));
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

void
string_set(struct session *s)
{
	struct set_options o = {0};
	struct arg *key = &s->args[1], *value = &s->args[2];
	int64_t expires = 0;
	struct entry *e;

	if (!set_options(s, &o)) {
		resp_error(&s->out, BAD_SYNTAX);
		return;
	}
	if (o.time && !arg_moment(s, o.time, o.kind[0] == 'E' ? 1000 : 1,
	    o.kind[2] == 'A', 1, &expires))
		return;
	e = key_look(s, key);
	if (o.get)
		reply_entry(s, e);
	if (e ? o.nx : o.xx) {
		if (!o.get)
			resp_nil(&s->out);
		return;
	}
	if (o.keep && e)
		expires = e->expires;
	if (!(e = key_set(s, key, e, value->data, value->size)))
		return;
	entry_expire(shard_of(s, key), e, expires);
	record_set(s, key, value, expires);
	if (!o.get)
		resp_status(&s->out, "OK");
}

void
string_mget(struct session *s)
{
	resp_array(&s->out, (size_t)s->argc - 1);
	for (int i = 1; i < s->argc; i++)
		reply_entry(s, key_look(s, &s->args[i]));
}

/* In the log it is one transaction, which is whole or not there at all. */
void
string_mset(struct session *s)
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
		struct entry *e = key_set(s, key, key_look(s, key), value->data,
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

void
string_append(struct session *s)
{
	struct arg *key = &s->args[1], *more = &s->args[2];
	struct entry *e = key_look(s, key);
	size_t size = more->size + (e ? e->size : 0);

	if (size > RESP_STRING) {
		resp_error(&s->out, too_long);
		return;
	}
	if (!e && !(e = key_set(s, key, NULL, "", 0)))
		return;
	if (size > e->room && !entry_reserve(e, size + size / 2)) {
		resp_error(&s->out, NO_MEMORY);
		return;
	}
	memcpy(e->value + e->size, more->data, more->size);
	e->size = size;
	record_request(s, key);
	resp_number(&s->out, (int64_t)size);
}

void
string_length(struct session *s)
{
	struct entry *e = key_look(s, &s->args[1]);

	resp_number(&s->out, e ? (int64_t)e->size : 0);
}

static void
add(struct session *s, int64_t by)
{
	struct arg *key = &s->args[1];
	struct entry *e = key_look(s, key);
	int64_t n = 0;
	char text[24];
	struct arg sum;

	if (e && !arg_number(&(struct arg){ e->value, e->size, 0 }, &n)) {
		resp_error(&s->out, NO_INTEGER);
	} else if (__builtin_add_overflow(n, by, &n)) {
		resp_error(&s->out,
		    "ERR increment or decrement would overflow");
	} else {
		sum = number_arg(text, n);
		if (!key_set(s, key, e, sum.data, sum.size))
			return;
		record_request(s, key);
		resp_number(&s->out, n);
	}
}

void
string_incr(struct session *s)
{
	add(s, 1);
}

void
string_decr(struct session *s)
{
	add(s, -1);
}

void
string_incr_by(struct session *s)
{
	bool minus = s->command->name[0] == 'd';
	int64_t by;

	if (!arg_number(&s->args[2], &by))
		resp_error(&s->out, NO_INTEGER);
	else if (minus && by == INT64_MIN)
		resp_error(&s->out, "ERR decrement would overflow");
	else
		add(s, minus ? -by : by);
}
