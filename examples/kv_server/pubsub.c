/* SPDX-License-Identifier: MIT */
/*
 * pubsub.c - topics, subscriptions, outboxes.
 *
 *	session --request--> pubsub_run() --bytes--> outbox --> deliver()
 *
 * A topic is a channel or a pattern that somebody has subscribed to.
 * A subscription is in the list of its topic and in the table of its
 * subscriber.  Only pubsub_run() and what it calls look at them.
 */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(e) ((e)->hh.tbl = NULL)

#include "pubsub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

struct topic {
	UT_hash_handle hh;
	struct subscription *list;
	bool pattern;
	char name[];			/* hh.keylen bytes */
};

struct subscription {
	UT_hash_handle hh;		/* in the subscriber's, by topic */
	struct subscription *prev, *next;
	struct topic *topic;
	struct subscriber *who;
};

enum verb { SUBSCRIBE, UNSUBSCRIBE, LEAVE, PUBLISH };

/* Waits on the stack of who asks until it has been dealt with. */
struct request {
	enum verb verb;
	bool pattern;
	struct subscriber *who;
	const struct arg *name, *message;
	int64_t sent;
	wf_waitgroup done;
};

struct pubsub {
	wf_chan(struct request *) requests;
	struct topic *topics[2];	/* channels, patterns */
};

/* ---- subscribers ---- */

static void
deliver(struct subscriber *who)
{
	struct buffer out = {0};

	while (wf_recv(who->wake, NULL)) {
		wf_mutex_lock(&who->lock);
		buffer_swap(&out, &who->out);
		wf_mutex_unlock(&who->lock);
		if (wf_conn_write(who->ctx, who->conn, out.data, out.used) !=
		    (ssize_t)out.used)
			wf_ctx_cancel(who->ctx);
		buffer_clear(&out);
	}
	buffer_free(&out);
}

struct subscriber *
subscriber_make(wf_ctx *ctx, wf_conn *conn)
{
	struct subscriber *who = calloc(1, sizeof *who);

	if (!who)
		return NULL;
	who->conn = conn;
	who->ctx = wf_ctx_with_cancel(ctx);
	who->wake = wf_chan_make(char, 1);
	if (!who->wake || wf_waitgroup_spawn(&who->writing, deliver, who) < 0) {
		wf_chan_free(who->wake);
		wf_ctx_free(who->ctx);
		free(who);
		return NULL;
	}
	return who;
}

void
subscriber_put(struct subscriber *who, const void *data, size_t size)
{
	bool over;

	wf_mutex_lock(&who->lock);
	over = who->over |= who->out.used + size > OUTBOX;
	if (!over)
		buffer_put(&who->out, data, size);
	over |= who->out.failed;
	wf_mutex_unlock(&who->lock);
	if (over)
		wf_ctx_cancel(who->ctx);
	wf_try_send(who->wake, (char)0);
}

void
subscriber_free(struct subscriber *who)
{
	wf_close(who->wake);
	wf_waitgroup_wait(&who->writing);
	wf_chan_free(who->wake);
	wf_ctx_free(who->ctx);
	buffer_free(&who->out);
	free(who);
}

/* ---- what the owner of the subscriptions does ---- */

/* The topic of a name; one is made if make is set.  NULL: none, no memory. */
static struct topic *
find_topic(struct pubsub *p, bool pattern, const struct arg *name, bool make)
{
	struct topic *t;

	HASH_FIND(hh, p->topics[pattern], name->data, name->size, t);
	if (t || !make || !(t = calloc(1, sizeof *t + name->size)))
		return t;
	t->pattern = pattern;
	memcpy(t->name, name->data, name->size);
	HASH_ADD_KEYPTR(hh, p->topics[pattern], t->name, name->size, t);
	if (t->hh.tbl)
		return t;
	free(t);
	return NULL;
}

/* A topic that nobody listens to is forgotten. */
static void
drop_topic(struct pubsub *p, struct topic *t)
{
	if (t->list)
		return;
	HASH_DEL(p->topics[t->pattern], t);
	free(t);
}

static bool
add(struct subscriber *who, struct topic *t)
{
	struct subscription *s;

	HASH_FIND_PTR(who->subscriptions, &t, s);
	if (s)
		return true;
	if (!(s = calloc(1, sizeof *s)))
		return false;
	s->topic = t;
	s->who = who;
	HASH_ADD_PTR(who->subscriptions, topic, s);
	if (!s->hh.tbl) {
		free(s);
		return false;
	}
	DL_APPEND(t->list, s);
	who->count++;
	return true;
}

static void
take_out(struct subscription *s)
{
	HASH_DEL(s->who->subscriptions, s);
	DL_DELETE(s->topic->list, s);
	s->who->count--;
	free(s);
}

/* Say that a subscription has begun or ended. */
static void
answer(const struct request *r, const void *name, size_t size)
{
	static const char *const words[2][2] = {
		{ "subscribe", "psubscribe" },
		{ "unsubscribe", "punsubscribe" } };
	struct buffer b = {0};

	resp_array(&b, 3);
	resp_text(&b, words[r->verb == UNSUBSCRIBE][r->pattern]);
	if (name)
		resp_string(&b, name, size);
	else
		resp_nil(&b);
	resp_number(&b, r->who->count);
	subscriber_put(r->who, b.data, b.used);
	buffer_free(&b);
}

static void
subscribe(struct pubsub *p, struct request *r)
{
	struct topic *t = find_topic(p, r->pattern, r->name, true);

	if (!t || !add(r->who, t)) {
		if (t)
			drop_topic(p, t);
		wf_ctx_cancel(r->who->ctx);	/* no memory */
	} else
		answer(r, r->name->data, r->name->size);
}

static void
unsubscribe(struct pubsub *p, struct request *r)
{
	struct topic *t = find_topic(p, r->pattern, r->name, false);
	struct subscription *s = NULL;

	if (t)
		HASH_FIND_PTR(r->who->subscriptions, &t, s);
	if (s)
		take_out(s);
	answer(r, r->name->data, r->name->size);
	if (t)
		drop_topic(p, t);	/* it may be the name's place */
}

static void
unsubscribe_all(struct pubsub *p, struct request *r)
{
	struct subscription *s, *next;
	bool any = false;

	for (s = r->who->subscriptions; s; s = next) {
		struct topic *t = s->topic;
		struct arg name = { t->name, t->hh.keylen, 0 };

		next = s->hh.next;
		if (t->pattern != r->pattern)
			continue;
		any = true;
		r->name = &name;
		unsubscribe(p, r);
	}
	if (!any)
		answer(r, NULL, 0);
}

static void
leave(struct pubsub *p, struct subscriber *who)
{
	struct subscription *s, *next;

	for (s = who->subscriptions; s; s = next) {
		struct topic *t = s->topic;

		next = s->hh.next;
		take_out(s);
		drop_topic(p, t);
	}
}

/* Tell all who listen to a topic.  A slow one must not stop the others. */
static void
tell(struct topic *t, struct request *r)
{
	struct buffer b = {0};

	resp_array(&b, t->pattern ? 4 : 3);
	resp_text(&b, t->pattern ? "pmessage" : "message");
	if (t->pattern)
		resp_string(&b, t->name, t->hh.keylen);
	resp_string(&b, r->name->data, r->name->size);
	resp_string(&b, r->message->data, r->message->size);
	for (struct subscription *s = t->list; s && !b.failed; s = s->next) {
		subscriber_put(s->who, b.data, b.used);
		r->sent++;
	}
	buffer_free(&b);
}

static void
publish(struct pubsub *p, struct request *r)
{
	struct topic *t = find_topic(p, false, r->name, false);

	if (t)
		tell(t, r);
	for (t = p->topics[true]; t; t = t->hh.next)
		if (glob(t->name, t->hh.keylen, r->name->data, r->name->size))
			tell(t, r);
}

void
pubsub_run(struct pubsub *p)
{
	struct request *r;

	while (wf_recv(p->requests, &r)) {
		if (r->verb == PUBLISH)
			publish(p, r);
		else if (r->verb == LEAVE)
			leave(p, r->who);
		else if (r->verb == SUBSCRIBE)
			subscribe(p, r);
		else if (r->name)
			unsubscribe(p, r);
		else
			unsubscribe_all(p, r);
		wf_waitgroup_done(&r->done);
	}
}

/* ---- requests ---- */

struct pubsub *
pubsub_make(void)
{
	struct pubsub *p = calloc(1, sizeof *p);

	if (p && !(p->requests = wf_chan_make(struct request *, 0))) {
		free(p);
		return NULL;
	}
	return p;
}

void
pubsub_free(struct pubsub *p)
{
	if (!p)
		return;
	wf_chan_free(p->requests);
	free(p);
}

void
pubsub_close(struct pubsub *p)
{
	wf_close(p->requests);
}

static int64_t
ask(struct pubsub *p, struct request *r)
{
	wf_waitgroup_add(&r->done, 1);
	wf_send(p->requests, r);
	wf_waitgroup_wait(&r->done);
	return r->sent;
}

void
pubsub_subscribe(struct pubsub *p, struct subscriber *who, bool pattern,
    const struct arg *name)
{
	ask(p, &(struct request){ .verb = SUBSCRIBE, .pattern = pattern,
	    .who = who, .name = name });
}

void
pubsub_unsubscribe(struct pubsub *p, struct subscriber *who, bool pattern,
    const struct arg *name)
{
	ask(p, &(struct request){ .verb = UNSUBSCRIBE, .pattern = pattern,
	    .who = who, .name = name });
}

void
pubsub_leave(struct pubsub *p, struct subscriber *who)
{
	ask(p, &(struct request){ .verb = LEAVE, .who = who });
}

int64_t
pubsub_publish(struct pubsub *p, const struct arg *channel,
    const struct arg *message)
{
	return ask(p, &(struct request){ .verb = PUBLISH, .name = channel,
	    .message = message });
}

/* ---- patterns ---- */

/* A set such as [a-z] at *p, just after the bracket; *p is moved on. */
static bool
in_set(const char **p, const char *end, unsigned char c)
{
	const char *s = *p;
	bool not = s < end && *s == '^', in = false;

	for (s += not; s < end && *s != ']'; s++) {
		unsigned char from, to;

		if (*s == '\\' && s + 1 < end)
			s++;
		else if (end - s > 2 && s[1] == '-') {
			from = (unsigned char)s[0];
			to = (unsigned char)s[2];
			in |= from <= to ? from <= c && c <= to :
			    to <= c && c <= from;
			s += 2;
			continue;
		}
		in |= (unsigned char)*s == c;
	}
	*p = s < end ? s + 1 : s;
	return in != not;
}

/* One character of the text against what is at *p, which is moved on. */
static bool
matches(const char **p, const char *end, unsigned char c)
{
	unsigned char want = (unsigned char)*(*p)++;

	if (want == '?')
		return true;
	if (want == '[')
		return in_set(p, end, c);
	if (want == '\\' && *p < end)
		want = (unsigned char)*(*p)++;
	return want == c;
}

/* After a mismatch only the last star can take one more: no pattern takes
 * longer than its length times that of the text. */
bool
glob(const char *pattern, size_t length, const char *text, size_t size)
{
	const char *p = pattern, *p_end = p + length, *star = NULL;
	const char *t = text, *t_end = t + size, *from = NULL;

	while (t < t_end) {
		if (p < p_end && *p == '*') {
			star = ++p;
			from = t;
		} else if (p < p_end && matches(&p, p_end, (unsigned char)*t)) {
			t++;
		} else if (star) {
			p = star;
			t = ++from;
		} else
			return false;
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}
