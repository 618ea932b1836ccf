/* SPDX-License-Identifier: MIT */
/*
 * hub.h - a hub: what one says, all hear.
 *
 *	static void
 *	listen(struct hub_client *c)
 *	{
 *		struct hub_message m;
 *
 *		while (wf_recv(c->inbox, &m))	(until c has left)
 *			printf("%s: %s\n", m.from, m.text);
 *	}
 *	...
 *	hub_join(hub, c);
 *	hub_say(hub, c, "hello");
 *	hub_leave(hub, c);
 *
 * The hub does not know where its clients come from.  It never waits for one:
 * when an inbox is full the message is dropped for that client, and counted.
 */
#ifndef HUB_H
#define HUB_H

#include <weft.h>

struct hub_message {
	char from[16];
	char text[112];
};

/* A client.  Between hub_join() and the close of its inbox, next, link and
 * dropped belong to the hub. */
struct hub_client {
	char name[16];
	wf_chan(struct hub_message) inbox;
	unsigned long dropped;		/* for want of room in the inbox */
	struct hub_client *next, **link;
};

/* A client with room for so many messages; NULL without memory.  Free it when
 * its inbox is closed, or if it never joined. */
struct hub_client *hub_client_make(const char *name, size_t room);
void hub_client_free(struct hub_client *c);

/* A hub that runs until ctx is done; NULL without memory. */
struct hub *hub_make(wf_ctx *ctx);
void hub_free(struct hub *h);

/* The coroutine that owns the set of clients.  At its end it closes the
 * inboxes of those who are still there. */
void hub_run(struct hub *h);

/*
 * Join: whatever is said after this, c hears.  Leave: its inbox is closed
 * soon, what is in it can still be received.  Say: to all, c too.
 *
 * Each waits for the hub only.  1, or a negative errno when the hub's context
 * is done.
 */
int hub_join(struct hub *h, struct hub_client *c);
int hub_leave(struct hub *h, struct hub_client *c);
int hub_say(struct hub *h, struct hub_client *c, const char *text);

#endif
