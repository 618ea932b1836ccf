/* SPDX-License-Identifier: MIT */
/*
 * simpacket.c - in a simulation: datagrams.
 * Layer 7.  Uses: simnet, simhost, sim, os, alloc.
 *
 *	packets  [ arrived | on their way, by time )
 *
 * Each takes its own time, so that they overtake each other, or is lost by lot,
 * at a cut, or where nobody is bound to its address.  In memory (unixgram) none
 * of that happens.
 *
 *   I1  packets stand in the order of their times; so many have arrived.
 */
#include "simnet.h"

#include <errno.h>

#include <weft/net.h>
#include "alloc.h"
#include "os.h"
#include "sim.h"
#include "simhost.h"

#define sim wf__sim

enum { LARGEST = 65507 };

struct simpacket {
	int64_t at;
	struct wf__address from;
	int from_host;
	size_t size;
	char *data;
};

static struct simpacket *
packet_at(struct wf__simsock *s, size_t i)
{
	return (struct simpacket *)s->packets.items + i;
}

static void
drop_packet(struct wf__simsock *s, size_t i)
{
	struct simpacket *p = packet_at(s, i);

	wf__free(p->data, p->size ? p->size : 1);
	wf__vec_remove(&s->packets, i, sizeof *p);
}

void
wf__simpacket_forget(struct wf__simsock *s, bool memory)
{
	while (s->packets.n)
		drop_packet(s, s->packets.n - 1);
	if (memory)
		wf__vec_free(&s->packets, sizeof(struct simpacket));
}

/* ---- on the way ---- */

int64_t
wf__simpacket_next(struct wf__simsock *s)
{
	return s->packets.n > s->arrived ? packet_at(s, s->arrived)->at :
	    WF_FOREVER;
}

unsigned
wf__simpacket_arrive(struct wf__simsock *s)
{
	unsigned what = 0;

	while (wf__simpacket_next(s) <= sim.now) {
		if (s->inet && wf__simhost_are_cut(s->host,
		    packet_at(s, s->arrived)->from_host)) {
			drop_packet(s, s->arrived);
			continue;
		}
		s->arrived++;
		what = WF__OS_IN;
	}
	return what;
}

/* Behind those of the same time. */
static int
post(struct wf__simsock *to, const struct simpacket *packet)
{
	struct simpacket *p = wf__vec_add(&to->packets, sizeof *p);
	size_t i;

	if (!p) {
		wf__free(packet->data, packet->size ? packet->size : 1);
		return wf__simnet_no_memory();
	}
	for (i = to->packets.n - 1; i > to->arrived &&
	    packet_at(to, i - 1)->at > packet->at; i--)
		*packet_at(to, i) = *packet_at(to, i - 1);
	*packet_at(to, i) = *packet;
	wf__simsock_run(to);
	return 0;
}

/* ---- to send ---- */

/* Where the peer sees it come from. */
static struct wf__address
source_of(const struct wf__simsock *s, const struct wf__address *to)
{
	struct wf__address from = s->local;

	if (!s->inet || !wf__simhost_is_any(&from))
		return from;
	if (wf__simhost_is_loopback(to) || wf__simhost_is_any(to)) {
		from = *to;
		wf__simhost_set_port(&from, wf__simhost_port(&s->local));
		return from;
	}
	wf__simhost_address(s->host, to->any.ss_family, &from);
	wf__simhost_set_port(&from, wf__simhost_port(&s->local));
	return from;
}

static bool
is_dropped(const struct wf__simsock *s)
{
	unsigned chance = s->inet ? wf__simnet_options.losses : 0;

	return chance && wf__simnet_mishap(2, chance);
}

static ssize_t
send_packet(struct wf__simsock *s, const struct msghdr *m,
    const struct wf__address *to)
{
	int host = s->inet ? wf__simhost_at(s->host, to) : s->host;
	struct simpacket p = { .at = sim.now + wf__simnet_delay(s),
	    .from = source_of(s, to), .from_host = s->host,
	    .size = wf__simflow_size(m) };
	struct wf__simsock *other = host == WF__SIMHOST_NONE ? NULL :
	    wf__simdial_bound(host, to, &p.from);

	wf__simnet_tell("sends a datagram of %zu bytes%s", p.size,
	    other ? "" : " to nobody");
	if (is_dropped(s)) {
		wf__simnet_tell("but it is lost");
		return (ssize_t)p.size;
	}
	if (!other && s->state == WF__SIM_CONNECTED)
		s->err = ECONNREFUSED;
	if (!other)
		return s->inet ? (ssize_t)p.size : -ECONNREFUSED;
	if (!(p.data = wf__alloc(p.size ? p.size : 1)))
		return wf__simnet_no_memory();
	wf__simflow_copy(m, p.data, p.size, false);
	return post(other, &p) < 0 ? -ENOMEM : (ssize_t)p.size;
}

ssize_t
wf__simpacket_send(struct wf__simsock *s, const struct msghdr *m)
{
	struct wf__address to = s->remote;

	if (s->err)
		return wf__simflow_error(s);
	if (m->msg_name) {
		if (m->msg_namelen > sizeof to.any)
			return -EINVAL;
		memset(&to, 0, sizeof to);
		memcpy(&to.any, m->msg_name, m->msg_namelen);
		to.size = m->msg_namelen;
	}
	if (!to.size)
		return -EDESTADDRREQ;
	if (wf__simflow_size(m) > LARGEST)
		return -EMSGSIZE;
	return send_packet(s, m, &to);
}

/* ---- to receive ---- */

static void
give_name(struct msghdr *m, const struct wf__address *from)
{
	socklen_t room = m->msg_namelen;

	m->msg_namelen = m->msg_name ? from->size : 0;
	if (m->msg_name)
		memcpy(m->msg_name, &from->any, room < from->size ? room :
		    from->size);
}

ssize_t
wf__simpacket_receive(struct wf__simsock *s, struct msghdr *m)
{
	size_t room = wf__simflow_size(m), n;
	struct simpacket *p;

	m->msg_flags = 0;
	if (s->err)
		return wf__simflow_error(s);
	if (!s->arrived)
		return -EAGAIN;
	p = packet_at(s, 0);
	n = p->size < room ? p->size : room;
	wf__simnet_tell("gets a datagram of %zu bytes", p->size);
	wf__simflow_copy(m, p->data, n, true);
	give_name(m, &p->from);
	drop_packet(s, 0);
	s->arrived--;
	return (ssize_t)n;
}

#undef sim
