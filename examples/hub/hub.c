/* SPDX-License-Identifier: MIT */
/*
 * hub.c - the set of clients and the one coroutine that owns it.  No lock
 * guards the set: who wants something of it sends a message.
 */
#include "hub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct hub {
	wf_ctx *ctx;
	wf_chan(struct hub_client *) join, leave;
	wf_chan(struct hub_message) broadcast;
	struct hub_client *clients;	/* only hub_run() looks at it */
};

struct hub_client *
hub_client_make(const char *name, size_t room)
{
	struct hub_client *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	snprintf(c->name, sizeof c->name, "%s", name);
	c->inbox = wf_chan_make(struct hub_message, room);
	if (!c->inbox) {
		free(c);
		return NULL;
	}
	return c;
}

void
hub_client_free(struct hub_client *c)
{
	if (!c)
		return;
	wf_chan_free(c->inbox);
	free(c);
}

struct hub *
hub_make(wf_ctx *ctx)
{
	struct hub *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->ctx = ctx;
	h->join = wf_chan_make(struct hub_client *, 0);
	h->leave = wf_chan_make(struct hub_client *, 0);
	h->broadcast = wf_chan_make(struct hub_message, 0);
	if (!h->join || !h->leave || !h->broadcast) {
		hub_free(h);
		return NULL;
	}
	return h;
}

void
hub_free(struct hub *h)
{
	if (!h)
		return;
	wf_chan_free(h->join);
	wf_chan_free(h->leave);
	wf_chan_free(h->broadcast);
	free(h);
}

static void
add(struct hub *h, struct hub_client *c)
{
	c->next = h->clients;
	c->link = &h->clients;
	if (c->next)
		c->next->link = &c->next;
	h->clients = c;
}

static void
take_out(struct hub_client *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	wf_close(c->inbox);	/* the last touch: now c is its owner's */
}

/* Tell one client.  A slow one must not stop the others. */
static void
tell(struct hub_client *c, const struct hub_message *m)
{
	if (wf_try_send(c->inbox, *m) == -EAGAIN && c->dropped++ == 0)
		printf("* %s does not keep up: messages are dropped\n",
		    c->name);
}

static void
tell_all(struct hub *h, const struct hub_message *m)
{
	for (struct hub_client *c = h->clients; c; c = c->next)
		tell(c, m);
}

static void
take_out_all(struct hub *h)
{
	while (h->clients)
		take_out(h->clients);
}

void
hub_run(struct hub *h)
{
	struct hub_client *c;
	struct hub_message m;

	for (;;)
		switch (wf_select(wf_on_recv(h->join, &c),
				  wf_on_recv(h->leave, &c),
				  wf_on_recv(h->broadcast, &m),
				  wf_on_done(h->ctx))) {
		case 0: add(h, c); break;
		case 1: take_out(c); break;
		case 2: tell_all(h, &m); break;
		case 3: take_out_all(h); return;
		}
}

int
hub_join(struct hub *h, struct hub_client *c)
{
	return wf_send_ctx(h->ctx, h->join, c);
}

int
hub_leave(struct hub *h, struct hub_client *c)
{
	return wf_send_ctx(h->ctx, h->leave, c);
}

int
hub_say(struct hub *h, struct hub_client *c, const char *text)
{
	struct hub_message m;

	snprintf(m.from, sizeof m.from, "%s", c->name);
	snprintf(m.text, sizeof m.text, "%s", text);
	return wf_send_ctx(h->ctx, h->broadcast, m);
}
