/* SPDX-License-Identifier: MIT */
/*
 * signals.c - signals as values in channels.
 * Layer 6.  Uses: poller, chan, await, os, alloc.
 *
 * While desk.lock is held:
 *   I1  a signal is caught iff somebody subscribes to it.
 *   I2  while one delivers, no subscription is taken off the list or freed:
 *       who stops one sets its signals to none, waits until delivery has
 *       ended, and then takes it off.
 *
 * One at a time delivers; who comes meanwhile leaves it to him.  The list is
 * walked without the lock, since sending takes that of the channel: new ones
 * come in at the head, and the rest stays by I2.
 */
#include "signals.h"

#include <errno.h>

#include <weft/signal.h>
#include <weft/time.h>
#include "alloc.h"
#include "await.h"
#include "fork.h"
#include "os.h"
#include "poller.h"
#include "sched.h"
#include "seam.h"

enum { SIGNALS = 64 };

struct subscription {
	struct subscription *next;
	struct wf_channel *channel;
	wf__word signals;		/* bits; written under the lock */
};

static struct {
	struct wf__lock lock;
	struct subscription *list;
	struct wf__pollee *bell;	/* NULL: nobody ever asked */
	int fd;				/* of the bell */
	uint64_t caught;
	bool delivering, again;
	struct wf__waitq quiet;		/* wait for the end of delivery */
} desk;

static uint64_t
bit_of(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

/* Which signals are meant by this one; 0: it is none to ask for. */
static uint64_t
set_of(int sig)
{
	uint64_t set = 0;

	if (sig < 0 || sig > SIGNALS)
		return 0;
	for (int i = 1; i <= SIGNALS; i++)
		if ((sig == i || !sig) && wf__os_signal_is_worth(i))
			set |= bit_of(i);
	return set;
}

/* ---- delivery ---- */

static void
send_signal(struct subscription *list, int sig)
{
	for (struct subscription *s = list; s; s = s->next)
		/* Relaxed: a stop that comes later waits for us. */
		if (wf__load_relaxed(&s->signals) & bit_of(sig))
			wf_chan_try_send_raw(s->channel, &sig);
}

/* On a worker, when the bell has rung. */
static void
deliver_signals(void)
{
	struct subscription *list;
	struct wf__waiter *waiters;
	uint64_t set;

	wf__lock(&desk.lock);
	desk.again = true;
	if (desk.delivering) {
		wf__unlock(&desk.lock);
		return;
	}
	desk.delivering = true;
	while (desk.again) {
		desk.again = false;
		list = desk.list;
		wf__unlock(&desk.lock);
		set = wf__os_signals_take();
		for (int i = 1; set && i <= SIGNALS; i++)
			if (set & bit_of(i))
				send_signal(list, i);
		wf__lock(&desk.lock);
	}
	desk.delivering = false;
	waiters = wf__waitq_claim_all(&desk.quiet);
	wf__unlock(&desk.lock);
	wf__waitq_ready_all(waiters);
}

/* ---- subscriptions; under the lock ---- */

static void
wait_for_quiet(void)
{
	struct wf__wait wait = { .lock = &desk.lock, .queue = &desk.quiet,
	    .why = "for signals to be sent" };

	while (desk.delivering)
		wf__await(&wait, WF_FOREVER);
}

/* Catch what is asked for, release what is not (I1). */
static int
adjust(void)
{
	uint64_t wanted = 0, had = desk.caught;
	int err = 0, got;

	for (struct subscription *s = desk.list; s; s = s->next)
		wanted |= wf__load_relaxed(&s->signals);
	for (int i = 1; i <= SIGNALS; i++)
		if (wanted & ~had & bit_of(i)) {
			if ((got = wf__os_signal_catch(i)) == 0)
				desk.caught |= bit_of(i);
			else
				err = got;
		} else if (had & ~wanted & bit_of(i)) {
			wf__os_signal_release(i);
			desk.caught &= ~bit_of(i);
		}
	if (!had != !desk.caught)
		wf__sched_outside(desk.caught ? 1 : -1);
	return err;
}

static struct subscription *
find(struct wf_channel *c)
{
	struct subscription *s = desk.list;

	while (s && s->channel != c)
		s = s->next;
	return s;
}

/* Those without signals, to be freed when the lock is dropped. */
static struct subscription *
take_empty(void)
{
	struct subscription **p = &desk.list, *s, *empty = NULL;

	wait_for_quiet();
	while ((s = *p))
		if (wf__load_relaxed(&s->signals)) {
			p = &s->next;
		} else {
			*p = s->next;
			s->next = empty;
			empty = s;
		}
	return empty;
}

static void
free_subscriptions(struct subscription *list)
{
	struct subscription *next;

	for (; list; list = next) {
		next = list->next;
		wf__free(list, sizeof *list);
	}
}

/* ---- the bell ---- */

static int
need_bell(void)
{
	int err = wf__poller_need(), fd;
	struct wf__pollee *p;

	if (err < 0)
		return err;
	wf__lock(&desk.lock);
	p = desk.bell;
	wf__unlock(&desk.lock);
	if (p)
		return 0;
	if (!(p = wf__pollee_new(-1)))
		return -ENOMEM;
	wf__lock(&desk.lock);
	if (desk.bell) {
		wf__unlock(&desk.lock);
		wf__pollee_free(p);
		return 0;
	}
	fd = err = wf__os_signals_open();
	if (fd >= 0) {
		wf__lock(&p->lock);
		p->fd = desk.fd = fd;
		p->fire = deliver_signals;
		if ((err = wf__pollee_register(p)) < 0)
			wf__os_signals_close(fd);
		wf__unlock(&p->lock);
	}
	if (err >= 0)
		desk.bell = p;
	wf__unlock(&desk.lock);
	if (err < 0)
		wf__pollee_free(p);
	return err < 0 ? err : 0;
}

void
wf__signals_stop(void)
{
	struct subscription *list = desk.list;

	if (!desk.bell)
		return;
	for (struct subscription *s = list; s; s = s->next)
		/* Relaxed: nobody else is here. */
		wf__store_relaxed(&s->signals, 0);
	adjust();
	desk.list = NULL;
	free_subscriptions(list);
	wf__os_signals_close(desk.fd);
	wf__pollee_free(desk.bell);
	wf__os_signals_take();
	desk.bell = NULL;
}

/* In the child of a fork: what was there before is put back. */
void
wf__forget_signals(void)
{
	for (int i = 1; i <= SIGNALS; i++)
		if (desk.caught & bit_of(i))
			wf__os_signal_release(i);
	memset(&desk, 0, sizeof desk);
}

/* ---- calls ---- */

WF_API int
wf_signal_notify(wf_chan(int) c, int sig)
{
	struct wf_channel *channel = WF__RAW(c);
	struct subscription *fresh, *s;
	uint64_t set = set_of(sig);
	int err;

	wf__seam_point_at("subscribes to signals", 0);
	if (!set || !channel)
		return -EINVAL;
	if ((err = need_bell()) < 0)
		return err;
	if (!(fresh = wf__alloc(sizeof *fresh)))
		return -ENOMEM;
	wf__lock(&desk.lock);
	if (!(s = find(channel))) {
		s = fresh;
		fresh = NULL;
		s->channel = channel;
		s->next = desk.list;
		desk.list = s;
	}
	/* Relaxed: written under the lock. */
	wf__store_relaxed(&s->signals, wf__load_relaxed(&s->signals) | set);
	err = adjust();
	wf__unlock(&desk.lock);
	wf__free(fresh, sizeof *fresh);
	return sig ? err : 0;
}

WF_API void
wf_signal_stop(wf_chan(int) c)
{
	struct subscription *s, *empty = NULL;

	wf__seam_point_at("gives up signals", 0);
	wf__lock(&desk.lock);
	if ((s = find(WF__RAW(c)))) {
		/* Relaxed: written under the lock. */
		wf__store_relaxed(&s->signals, 0);
		adjust();
		empty = take_empty();
	}
	wf__unlock(&desk.lock);
	free_subscriptions(empty);
}

static uint64_t
unsubscribe_all(uint64_t set)
{
	struct subscription *empty;

	wf__lock(&desk.lock);
	for (struct subscription *s = desk.list; s; s = s->next)
		/* Relaxed: written under the lock. */
		wf__store_relaxed(&s->signals,
		    wf__load_relaxed(&s->signals) & ~set);
	adjust();
	empty = take_empty();
	wf__unlock(&desk.lock);
	free_subscriptions(empty);
	return set;
}

WF_API int
wf_signal_reset(int sig)
{
	wf__seam_point_at("gives up signals", 0);
	return unsubscribe_all(set_of(sig)) ? 0 : -EINVAL;
}

WF_API int
wf_signal_ignore(int sig)
{
	uint64_t set = set_of(sig);

	wf__seam_point_at("ignores signals", 0);
	if (!unsubscribe_all(set))
		return -EINVAL;
	for (int i = 1; i <= SIGNALS; i++)
		if (set & bit_of(i))
			wf__os_signal_ignore(i);
	return 0;
}

WF_API bool
wf_signal_is_ignored(int sig)
{
	return set_of(sig) && sig && wf__os_signal_is_ignored(sig);
}
