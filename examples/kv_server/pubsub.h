/* SPDX-License-Identifier: MIT */
/*
 * pubsub.h - who has subscribed to what, and messages to them.
 *
 * One coroutine owns the subscriptions; who wants something of it sends
 * a request.  It never waits for a subscriber: messages go to his outbox,
 * which a coroutine of his own writes to the connection.  When there is more
 * in it than OUTBOX the subscriber is cut off, as in Redis.
 *
 * Once a connection has subscribed, all that goes to it goes through its
 * outbox, so that it comes in order.
 */
#ifndef PUBSUB_H
#define PUBSUB_H

#include <weft.h>

#include "resp.h"

enum { OUTBOX = 32 * 1024 * 1024 };

struct subscription;
struct pubsub;

struct subscriber {
	wf_ctx *ctx;			/* done: cut off */
	wf_conn *conn;
	wf_waitgroup writing;

	wf_mutex lock;			/* for out, never during a wait */
	struct buffer out;
	bool over;			/* it had to hold too much */
	wf_chan(char) wake;		/* there is something in it */

	struct subscription *subscriptions;	/* pubsub_run()'s own */
	long count;			/* of them; read after a request */
};

/* Make one whose reads and writes end with ctx; NULL without memory. */
struct subscriber *subscriber_make(wf_ctx *ctx, wf_conn *conn);

/* Put something in the outbox.  Never waits. */
void subscriber_put(struct subscriber *who, const void *data, size_t size);

/* Write what is in the outbox, then free it.  It has no subscription. */
void subscriber_free(struct subscriber *who);

struct pubsub *pubsub_make(void);
void pubsub_free(struct pubsub *p);

/* The owner of the subscriptions, until pubsub_close(). */
void pubsub_run(struct pubsub *p);
void pubsub_close(struct pubsub *p);

/* Subscribe to a channel or to a pattern, or end that; what is answered goes
 * to the outbox.  With name NULL: end all of the kind. */
void pubsub_subscribe(struct pubsub *p, struct subscriber *who, bool pattern,
    const struct arg *name);
void pubsub_unsubscribe(struct pubsub *p, struct subscriber *who,
    bool pattern, const struct arg *name);

/* End all that who has subscribed to, silently. */
void pubsub_leave(struct pubsub *p, struct subscriber *who);

/* How many have been sent the message. */
int64_t pubsub_publish(struct pubsub *p, const struct arg *channel,
    const struct arg *message);

/* Does the text match the pattern of *, ?, [a-z], [^a-z] and backslashes? */
bool glob(const char *pattern, size_t length, const char *text, size_t size);

#endif
