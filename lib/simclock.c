/* SPDX-License-Identifier: MIT */
/*
 * simclock.c - in a simulation: what time, and a cut, do to a socket.
 * Layer 7.  Uses: simnet, simhost, sim, os.
 *
 * Each socket has a timer for the first thing that is to happen to it.  Who
 * changes what is to come calls wf__simsock_run(), which also does what is due
 * at once.  Nothing is touched after its waiter was readied but by the clock.
 */
#include "simnet.h"

#include <errno.h>

#include <weft/net.h>
#include "os.h"
#include "sim.h"
#include "simhost.h"

#define sim wf__sim

#define KEEPALIVE (150 * WF_SEC)	/* 15 s, and 9 probes of 15 s */

void
wf__simsock_change(struct wf__simsock *s, unsigned what)
{
	if (what && s->pollee)
		wf__pollee_change(s->pollee, what);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
fire(struct wf__timer *t, bool expired)
{
	(void)expired;
	wf__simsock_run(wf__container_of(t, struct wf__simsock, timer));
}

void
wf__simsock_set_timer(struct wf__simsock *s)
{
	int64_t at = s->dies_at;

	if (s->state == WF__SIM_CONNECTS)
		at = earlier(at, s->try_at);
	if (s->write_at)
		at = earlier(at, s->write_at);
	if (s->pieces.n && !wf__simsock_is_cut(s))
		at = earlier(at, ((struct wf__simpiece *)s->pieces.items)->at);
	if (s->type == SOCK_DGRAM)
		at = earlier(at, wf__simpacket_next(s));
	wf__timer_stop(&s->timer);
	s->timer.fire = fire;
	if (at != WF_FOREVER)
		wf__timer_start(&sim.worker->timers, &s->timer, at);
}

static unsigned
die_by_cut(struct wf__simsock *s)
{
	char text[WF_ADDRESS_TEXT * 2];

	s->dies_at = WF_FOREVER;
	wf__simflow_lose(s);
	s->dead = true;
	s->err = ETIMEDOUT;
	wf__simsock_text(s, text, sizeof text);
	wf__simnet_tell("keepalive gives up %s", text);
	return WF__OS_IN | WF__OS_OUT | WF__OS_END;
}

void
wf__simsock_run(struct wf__simsock *s)
{
	unsigned what = 0;

	if (s->state == WF__SIM_CLOSED)
		return;
	if (s->state == WF__SIM_CONNECTS && s->try_at <= sim.now)
		what |= wf__simdial_attempt(s);
	what |= s->type == SOCK_DGRAM ? wf__simpacket_arrive(s) :
	    wf__simflow_arrive(s);
	if (s->write_at && s->write_at <= sim.now) {
		s->write_at = 0;
		what |= WF__OS_OUT;
	}
	if (s->dies_at <= sim.now)
		what |= die_by_cut(s);
	wf__simsock_set_timer(s);
	wf__simsock_change(s, what);
}

/* A cut connection lives on for as long as keepalive has patience; what was on
 * its way when it is healed is sent again. */
static void
look_at_cut(struct wf__simsock *s)
{
	struct wf__simpiece *p = s->pieces.items;
	int other = wf__simhost_at(s->host, &s->remote);
	bool cut = !s->dead && other != WF__SIMHOST_NONE &&
	    wf__simhost_are_cut(s->host, other);
	int64_t at;

	if (cut == wf__simsock_is_cut(s))
		return;
	s->dies_at = cut ? sim.now + KEEPALIVE : WF_FOREVER;
	at = cut ? 0 : sim.now + wf__simnet_delay(s);
	for (size_t i = 0; i < s->pieces.n; i++)
		p[i].at = p[i].at < at ? at : p[i].at;
	wf__simsock_run(s);
}

void
wf__simnet_cuts_changed(void)
{
	struct wf__simsock *s;

	for (int i = 0; (s = wf__simsock_each(i)); i++)
		if (s->tcp && s->state == WF__SIM_CONNECTED)
			look_at_cut(s);
}

#undef sim
