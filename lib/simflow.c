/* SPDX-License-Identifier: MIT */
/*
 * simflow.c - in a simulation: bytes on their way from one socket to another.
 * Layer 7.  Uses: simnet, sim, os.
 *
 *	bytes    [ taken | arrived | on their way          )
 *	pieces                     [ 12 at t1 ][ 3 at t2 ][ end at t2 )
 *
 * What is on its way to a socket is cut into pieces, each with the time of its
 * arrival.
 *
 *   I1  bytes.n == taken + arrived + the sizes of all pieces.
 *   I2  the pieces stand in the order of their times: so bytes arrive in the
 *       order in which they were sent, each once; an end or a reset is behind
 *       all that was sent before it.
 *   I3  what is on its way when a connection is reset never arrives.
 *   I4  a piece that is due has arrived, unless the hosts are cut: each call
 *       that makes one due lets it arrive, and the timer stands at the first.
 *
 * A short read is one that came before the rest did: so the rest, like bytes
 * that arrive, makes an edge.  A short write leaves no room for a moment.
 *
 * Only the running coroutine or the clock is here, and no lock is held: a piece
 * that arrives may ready who waits for it.
 */
#include "simnet.h"

#include <weft/net.h>
#include <weft/time.h>
#include "os.h"
#include "sim.h"

#define sim wf__sim

/* ---- pieces ---- */

static struct wf__simpiece *
first_piece(struct wf__simsock *s)
{
	return s->pieces.n ? (struct wf__simpiece *)s->pieces.items : NULL;
}

/* To s; its bytes are there already. */
static void
add_piece(struct wf__simsock *s, enum wf__simpiece_kind kind, size_t size,
    int64_t at)
{
	struct wf__simpiece *p = wf__vec_add(&s->pieces, sizeof *p);

	if (!p) {
		wf__simnet_no_memory();
		return;
	}
	*p = (struct wf__simpiece){ at, size, kind };
	if (s->pieces.n > 1 && p[-1].at > at)
		p->at = p[-1].at;			/* I2 */
}

/* From now on, behind all else. */
static void
send_piece(struct wf__simsock *to, enum wf__simpiece_kind kind, size_t size)
{
	add_piece(to, kind, size, sim.now + wf__simnet_delay(to));
	wf__simsock_run(to);
}

/* I3 */
void
wf__simflow_lose(struct wf__simsock *s)
{
	s->pieces.n = 0;
	s->bytes.n = s->taken + s->arrived;
}

static unsigned
take_reset(struct wf__simsock *s)
{
	if (s->dead)
		return 0;
	s->dead = true;
	s->err = s->tcp && s->ended ? EPIPE : ECONNRESET;
	return WF__OS_IN | WF__OS_OUT | WF__OS_END;
}

static unsigned
come_in(struct wf__simsock *s, const struct wf__simpiece *p)
{
	char text[WF_ADDRESS_TEXT * 2];

	if (!sim.running && sim.story.on) {
		wf__simsock_text(s, text, sizeof text);
		if (p->kind == WF__SIM_BYTES)
			wf__simnet_tell("%zu bytes arrive at %s", p->size,
			    text);
		else
			wf__simnet_tell("%s arrives at %s", p->kind ==
			    WF__SIM_END ? "the end" : "a reset", text);
	}
	switch (p->kind) {
	case WF__SIM_BYTES:
		s->arrived += p->size;
		return WF__OS_IN;
	case WF__SIM_END:
		s->ended = true;
		return WF__OS_IN | WF__OS_END;
	case WF__SIM_RESET:
		break;
	}
	return take_reset(s);
}

unsigned
wf__simflow_arrive(struct wf__simsock *s)
{
	struct wf__simpiece *p, one;
	unsigned what = 0;

	while (!wf__simsock_is_cut(s) && (p = first_piece(s)) &&
	    p->at <= sim.now) {
		one = *p;
		wf__vec_remove(&s->pieces, 0, sizeof *p);
		what |= come_in(s, &one);
	}
	return what;
}

/* ---- bytes ---- */

size_t
wf__simflow_size(const struct msghdr *m)
{
	size_t n = 0;

	for (size_t i = 0; i < (size_t)m->msg_iovlen; i++)
		n += m->msg_iov[i].iov_len;
	return n;
}

static size_t
lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* n bytes between a message and a row of them. */
void
wf__simflow_copy(const struct msghdr *m, char *row, size_t n, bool out)
{
	for (size_t i = 0; n; i++) {
		size_t part = lesser(m->msg_iov[i].iov_len, n);

		if (part && out)
			memcpy(m->msg_iov[i].iov_base, row, part);
		else if (part)
			memcpy(row, m->msg_iov[i].iov_base, part);
		row += part;
		n -= part;
	}
}

/* Of n bytes: all, or by lot a portion. */
static size_t
portion(size_t n, unsigned chance)
{
	unsigned ways = n < 4 ? (unsigned)n : 4;

	switch (n > 1 && chance ? wf__simnet_mishap(ways, chance) : 0) {
	case 1: return 1;
	case 2: return n - 1;
	case 3: return n / 2;
	default: return n;
	}
}

/* Both ends, in the middle of a call of s. */
static ssize_t
reset_both(struct wf__simsock *s)
{
	wf__simnet_tell("finds the connection reset");
	wf__simflow_lose(s);
	s->bytes.n = s->taken = s->arrived = 0;
	s->dead = true;
	if (s->peer) {
		wf__simflow_lose(s->peer);
		send_piece(s->peer, WF__SIM_RESET, 0);
	}
	return -ECONNRESET;
}

static bool
is_reset_now(const struct wf__simsock *s)
{
	unsigned chance = wf__simnet_options.resets;

	return s->tcp && chance && !wf__simsock_is_cut(s) &&
	    wf__simnet_mishap(2, chance);
}

static size_t
unread(const struct wf__simsock *s)
{
	return s->bytes.n - s->taken;
}

static size_t
room_of(const struct wf__simsock *s)
{
	size_t used = s->peer ? unread(s->peer) : 0;

	return used < wf__simnet_options.buffer ?
	    wf__simnet_options.buffer - used : 0;
}

int
wf__simflow_error(struct wf__simsock *s)
{
	int err = s->err;

	s->err = 0;
	return -err;
}

/* ---- read ---- */

static ssize_t
take_bytes(struct wf__simsock *s, const struct msghdr *m, size_t n)
{
	bool was_full = s->peer && !room_of(s->peer);

	wf__simflow_copy(m, (char *)s->bytes.items + s->taken, n, true);
	s->taken += n;
	s->arrived -= n;
	if (s->taken > s->bytes.n / 2) {
		memmove(s->bytes.items, (char *)s->bytes.items + s->taken,
		    unread(s));
		s->bytes.n -= s->taken;
		s->taken = 0;
	}
	if (was_full)
		wf__simsock_change(s->peer, WF__OS_OUT);
	return (ssize_t)n;
}

static ssize_t
read_some(struct wf__simsock *s, const struct msghdr *m)
{
	size_t had = s->arrived, n = lesser(had, wf__simflow_size(m));
	size_t part = portion(n, wf__simnet_options.short_reads);

	if (part < n)
		wf__simnet_tell("gets %zu of %zu bytes: a short read", part,
		    had);
	else if (n < had)
		wf__simnet_tell("gets %zu bytes, %zu are left", n, had - n);
	else
		wf__simnet_tell("gets %zu bytes", n);
	take_bytes(s, m, part);
	if (part < n)
		wf__simsock_change(s, WF__OS_IN);
	return (ssize_t)part;
}

ssize_t
wf__simflow_receive(struct wf__simsock *s, struct msghdr *m)
{
	m->msg_namelen = 0;
	m->msg_flags = 0;
	if (s->state != WF__SIM_CONNECTED)
		return -ENOTCONN;
	if (s->arrived && is_reset_now(s))
		return reset_both(s);
	if (s->arrived || !wf__simflow_size(m))
		return read_some(s, m);
	if (s->ended || s->shut_read) {
		wf__simnet_tell("finds the end");
		return 0;
	}
	if (s->err)
		return wf__simflow_error(s);
	return s->dead ? 0 : -EAGAIN;
}

/* ---- write ---- */

/* In a closed connection bytes are answered by a reset. */
static void
send_into_nothing(struct wf__simsock *s)
{
	const struct wf__simpiece *p = s->pieces.items;

	if (!s->pieces.n || p[s->pieces.n - 1].kind != WF__SIM_RESET)
		send_piece(s, WF__SIM_RESET, 0);
}

static ssize_t
send_bytes(struct wf__simsock *s, const struct msghdr *m, size_t n)
{
	struct wf__simsock *to = s->peer;
	size_t had = to ? to->bytes.n : 0;

	if (to && to->dead)
		return (ssize_t)n;		/* on its way, a reset */
	if (!to) {
		send_into_nothing(s);
		return (ssize_t)n;
	}
	if (!wf__vec_reach(&to->bytes, had + n, 1))
		return wf__simnet_no_memory();
	wf__simflow_copy(m, (char *)to->bytes.items + had, n, false);
	send_piece(to, WF__SIM_BYTES, n);
	return (ssize_t)n;
}

/* A write that is short by lot waits for this long. */
static void
hold_up_writes(struct wf__simsock *s)
{
	int64_t delay = wf__simnet_delay(s);

	s->write_at = sim.now + (delay ? delay : 1);
	wf__simsock_set_timer(s);
}

ssize_t
wf__simflow_send(struct wf__simsock *s, const struct msghdr *m)
{
	size_t n = wf__simflow_size(m), room, part;

	if (s->state != WF__SIM_CONNECTED)
		return -ENOTCONN;
	if (s->err)
		return wf__simflow_error(s);
	if (s->dead || s->shut_write || s->refused || (!s->tcp && !s->peer))
		return -EPIPE;
	if (is_reset_now(s))
		return reset_both(s);
	room = room_of(s);
	if (n && (!room || s->write_at))
		return -EAGAIN;
	part = portion(lesser(n, room), wf__simnet_options.short_writes);
	if (part < n)
		wf__simnet_tell("sends %zu of %zu bytes%s", part, n,
		    part < room ? ": a short write" : "");
	else
		wf__simnet_tell("sends %zu bytes", n);
	if (part < n && part < room)
		hold_up_writes(s);
	return part ? send_bytes(s, m, part) : 0;
}

/* ---- the end ---- */

int
wf__simflow_shut(struct wf__simsock *s, int how)
{
	if (s->state != WF__SIM_CONNECTED || s->dead ||
	    (s->tcp && s->ended && s->shut_write))
		return -ENOTCONN;
	if (how != SHUT_RD && !s->shut_write) {
		s->shut_write = true;
		if (s->peer)
			send_piece(s->peer, WF__SIM_END, 0);
	}
	if (how != SHUT_WR && !s->shut_read) {
		s->shut_read = true;
		if (!s->tcp && s->peer)
			s->peer->refused = true;
		wf__simsock_change(s, WF__OS_IN | WF__OS_END);
	}
	return 0;
}

/* What has arrived and was not read, or is still to arrive, is answered by
 * a reset. */
void
wf__simflow_end(struct wf__simsock *s)
{
	struct wf__simsock *to = s->peer;
	bool reset = s->arrived || s->unwanted;
	bool late = s->tcp && unread(s) > s->arrived;

	wf__timer_stop(&s->timer);
	if (!to)
		return;
	s->peer = to->peer = NULL;
	if (s->dead)
		return;
	if (!reset && !s->shut_write)
		send_piece(to, WF__SIM_END, 0);
	if (reset || late)
		send_piece(to, WF__SIM_RESET, 0);
	/* What waits for room finds none, or an error. */
	wf__simsock_change(to, WF__OS_OUT);
}

#undef sim
