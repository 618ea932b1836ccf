/* SPDX-License-Identifier: MIT */
/*
 * endpoint.c - a socket of weft's own: turns, deadlines, close.
 * Layer 6.  Uses: endpoint, poller, socket, await, seam.
 *
 * While the pollee's lock is held:
 *   I1  busy[side] => users > 0.
 *   I2  somebody waits for a turn => busy[side].
 *   I3  closed is never reset; fd is closed after that, with users == 0.
 *   I4  only who has the turn waits at the pollee's side.
 *
 * Who leaves gives the turn, and the use of the descriptor with it, to who has
 * waited longest for it: who comes back at once queues up behind the others.
 *
 * A deadline is no timer but a number: who waits is woken to look again when it
 * may have come (pollee.c), and when it is changed.
 *
 * A read that a TCP socket answers with less than was asked for has emptied
 * it.  What comes later makes an edge.  So the next read need not try before
 * it waits, if there was no edge since before that read began; but for an end
 * or urgent data that the edge before may have told of already (ended).
 */
#include "endpoint.h"

#include <errno.h>

#include <weft/time.h>
#include "cancel.h"
#include "seam.h"
#include "socket.h"

const struct wf__endpoint_words wf__endpoint_conn = {
	{ "reads from connection", "writes to connection" },
	{ "to read from connection", "to write to connection" },
	{ "for its turn to read from connection",
	  "for its turn to write to connection" },
	"sets a deadline of connection", "closes connection",
	"to close connection"
};
const struct wf__endpoint_words wf__endpoint_listener = {
	{ "accepts from listener", NULL },
	{ "to accept from listener", NULL },
	{ "for its turn to accept from listener", NULL },
	"sets a deadline of listener", "closes listener", "to close listener"
};
/* Nobody else knows the connection yet. */
const struct wf__endpoint_words wf__endpoint_dialing = {
	{ NULL, "dials connection" }, { NULL, "to dial connection" },
	{ NULL, NULL }, "", "gives up connection", ""
};

/* ---- under the lock ---- */

/* What forbids an operation now: 0, or -errno. */
static int
objection(const struct wf__endpoint *e, enum wf__side side, wf_ctx *ctx)
{
	int err = wf_ctx_err(ctx);

	if (err)
		return err;
	if (e->closed)
		return -ESHUTDOWN;
	if (e->deadline[side] != WF_FOREVER &&
	    e->deadline[side] <= wf__seam_now())
		return -ETIMEDOUT;
	return 0;
}

/* True: he was given the turn; else why the wait ended is to be asked anew, of
 * the state. */
static bool
wait_for_turn(struct wf__endpoint *e, enum wf__side side, wf_ctx *ctx)
{
	bool given = false;
	struct wf__wait wait = { .lock = &e->pollee->lock,
	    .queue = &e->turns[side], .cancel = wf__cancel_of(ctx),
	    .value = &given, .number = e->pollee->number,
	    .why = e->words->wants_turn[side] };

	wf__await(&wait, e->deadline[side]);
	return given;
}

/* Who is to be readied once the lock is dropped. */
static struct wf__waiter *
drop_user(struct wf__endpoint *e)
{
	return --e->users == 0 && e->closed ?
	    wf__waitq_claim_all(&e->closer) : NULL;
}

/* Likewise. */
static struct wf__waiter *
pass_turn(struct wf__endpoint *e, enum wf__side side)
{
	struct wf__waiter *w = wf__waitq_claim(&e->turns[side]);

	if (wf__likely(!w)) {
		e->busy[side] = false;
		return drop_user(e);
	}
	*(bool *)w->value = true;
	w->next = NULL;
	return w;
}

/* With the lock, which is dropped, the turn, and no objection. */
static int
await_edge(struct wf__endpoint *e, enum wf__side side, wf_ctx *ctx)
{
	struct wf__pollee *p = e->pollee;
	int err = 0;

	while (!err && !p->edge[side]) {
		if (wf__pollee_wait(p, side, wf__cancel_of(ctx),
		    e->deadline[side], e->words->waits[side]))
			return 0;
		err = objection(e, side, ctx);
	}
	/* Cleared before the try: see poller.c. */
	p->edge[side] = false;
	wf__unlock(&p->lock);
	return err;
}

/* With the lock held: would a try surely block? */
static bool
is_empty(const struct wf__endpoint *e, enum wf__side side)
{
	const struct wf__pollee *p = e->pollee;

	return e->drained[side] && !p->edge[side] && !p->ended &&
	    wf__pollee_is_registered(p);
}

static void
take_turn(struct wf__endpoint *e, enum wf__side side)
{
	e->busy[side] = true;
	e->users++;
}

/* Somebody has the turn: 0 once it is ours, or the lock is dropped. */
static WF__NOINLINE int
queue_for_turn(struct wf__endpoint *e, enum wf__side side, wf_ctx *ctx)
{
	struct wf__waiter *list = NULL;
	bool given = false;
	int err;

	while (!(err = objection(e, side, ctx)) && e->busy[side] && !given)
		given = wait_for_turn(e, side, ctx);
	if (!err) {
		if (!given)
			take_turn(e, side);
		return 0;
	}
	if (given)
		list = pass_turn(e, side);
	wf__unlock(&e->pollee->lock);
	wf__waitq_ready_all(list);
	return err;
}

/* ---- operations ---- */

int
wf__endpoint_enter(struct wf__endpoint *e, enum wf__side side, wf_ctx *ctx)
{
	struct wf__pollee *p = e->pollee;
	int err;

	wf__seam_point_at(e->words->does[side], p->number);
	wf__seam_touch(WF__ANYTHING);	/* the other end too */
	wf__lock(&p->lock);
	if (wf__unlikely(e->busy[side])) {
		if ((err = queue_for_turn(e, side, ctx)))
			return err;
	} else if ((err = objection(e, side, ctx))) {
		wf__unlock(&p->lock);
		return err;
	} else
		take_turn(e, side);
	if (!is_empty(e, side)) {
		p->edge[side] = false;
		wf__unlock(&p->lock);
	} else if ((err = await_edge(e, side, ctx)))
		wf__endpoint_leave(e, side, false);
	return err;
}

int
wf__endpoint_wait(struct wf__endpoint *e, enum wf__side side, wf_ctx *ctx)
{
	struct wf__pollee *p = e->pollee;
	int err = wf__pollee_need(p);

	if (err)
		return err;
	wf__lock(&p->lock);
	if (!(err = wf__pollee_register(p)) &&
	    !(err = objection(e, side, ctx)))
		return await_edge(e, side, ctx);
	wf__unlock(&p->lock);
	return err;
}

void
wf__endpoint_leave(struct wf__endpoint *e, enum wf__side side, bool drained)
{
	struct wf__pollee *p = e->pollee;
	struct wf__waiter *list;

	wf__lock(&p->lock);
	e->drained[side] = drained && e->tells_end;
	list = pass_turn(e, side);
	wf__unlock(&p->lock);
	wf__waitq_ready_all(list);
}

int
wf__endpoint_hold(struct wf__endpoint *e)
{
	int fd = -ESHUTDOWN;

	wf__lock(&e->pollee->lock);
	if (!e->closed) {
		e->users++;
		fd = e->fd;
	}
	wf__unlock(&e->pollee->lock);
	return fd;
}

void
wf__endpoint_release(struct wf__endpoint *e)
{
	struct wf__waiter *closer;

	wf__lock(&e->pollee->lock);
	closer = drop_user(e);
	wf__unlock(&e->pollee->lock);
	wf__waitq_ready_all(closer);
}

/* ---- deadlines and the end ---- */

/* Under the lock: all who wait on this side are to look again. */
static struct wf__waiter *
rouse_side(struct wf__endpoint *e, enum wf__side side)
{
	struct wf__waiter *list = wf__waitq_claim_all(&e->turns[side]), *w;

	/* By I4 there is one at most. */
	if ((w = wf__waitq_claim(&e->pollee->waiters[side]))) {
		w->next = list;
		list = w;
	}
	return list;
}

int
wf__endpoint_set_deadline(struct wf__endpoint *e, unsigned sides,
    int64_t deadline)
{
	struct wf__waiter *lists[2] = { NULL, NULL };
	int err = 0;

	wf__seam_point_at(e->words->changes, e->pollee->number);
	wf__seam_touch(WF__ANYTHING);	/* the other end too */
	wf__lock(&e->pollee->lock);
	if (e->closed)
		err = -ESHUTDOWN;
	for (int side = 0; !err && side < 2; side++)
		if (sides & 1u << side) {
			e->deadline[side] = deadline;
			lists[side] = rouse_side(e, side);
		}
	wf__unlock(&e->pollee->lock);
	wf__waitq_ready_all(lists[WF__READ]);
	wf__waitq_ready_all(lists[WF__WRITE]);
	return err;
}

static void
wait_for_users(struct wf__endpoint *e)
{
	struct wf__wait wait = { .lock = &e->pollee->lock,
	    .queue = &e->closer, .number = e->pollee->number,
	    .why = e->words->wants_close };

	while (e->users)
		wf__await(&wait, WF_FOREVER);
}

int
wf__endpoint_close(struct wf__endpoint *e)
{
	struct wf__pollee *p = e->pollee;
	struct wf__waiter *lists[2];
	int fd, saved = errno;

	wf__seam_point_at(e->words->closes, p->number);
	wf__seam_touch(WF__ANYTHING);	/* the other end too */
	wf__lock(&p->lock);
	if (e->closed) {
		wf__unlock(&p->lock);
		return -ESHUTDOWN;
	}
	e->closed = true;
	lists[WF__READ] = rouse_side(e, WF__READ);
	lists[WF__WRITE] = rouse_side(e, WF__WRITE);
	wf__unlock(&p->lock);
	wf__waitq_ready_all(lists[WF__READ]);
	wf__waitq_ready_all(lists[WF__WRITE]);
	wf__lock(&p->lock);
	wait_for_users(e);
	fd = e->fd;
	e->fd = -1;
	wf__pollee_unregister(p);
	wf__unlock(&p->lock);
	wf__socket_close(fd);
	*wf__errno_address() = saved;
	return 0;
}

int
wf__endpoint_init(struct wf__endpoint *e, int fd, bool tells_end,
    const struct wf__endpoint_words *words)
{
	memset(e, 0, sizeof *e);
	if (!(e->pollee = wf__pollee_new(fd)))
		return -ENOMEM;
	e->fd = fd;
	e->deadline[WF__READ] = e->deadline[WF__WRITE] = WF_FOREVER;
	e->tells_end = tells_end;
	e->words = words;
	return 0;
}

void
wf__endpoint_end(struct wf__endpoint *e)
{
	if (!e->closed)			/* nobody else is there to close it */
		wf__endpoint_close(e);
	wf__pollee_free(e->pollee);
}
