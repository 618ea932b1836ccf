/* SPDX-License-Identifier: MIT */
/*
 * timer.c - timers and tickers with a channel, and calls that are made later.
 * Layer 4.  Uses: chan, timerq, sched, coro, park, spare, report, seam.
 *
 *	idle -> armed -> (off its queue, on its way to fire_timer()) -> idle
 *
 * One lock for all that is a timer's: its channel's, so that a stop can take
 * an unreceived value back; a call has one of its own.  While it is held:
 *
 *   I1  armed: exactly one firing is in a queue or on its way.  It comes no
 *       later than due; if it comes before, as after a reset to a later time,
 *       it is put off.
 *   I2  stale is the number of other firings on their way: they were called
 *       off too late to be taken off their queue.  Each finds that out under
 *       the lock, and does nothing.  (They are not told apart from the one of
 *       I1: whichever comes first counts as stale.)
 *   I3  a call has a start record in reserve while armed, and only then.
 *   I4  freed: not armed; the memory goes when stale is 0.
 *
 * Lock order: a timer's lock, then that of a timer queue.  What makes others
 * run waits until the lock is dropped (struct follow_up); the timer is not
 * touched afterwards.
 */
#include <weft/timer.h>

#include <errno.h>

#include <weft/time.h>
#include "chan.h"
#include "park.h"
#include "report.h"
#include "seam.h"
#include "spare.h"
#include "start.h"

/* A call that is made later, again and again. */
struct later {
	struct wf__lock lock;
	struct wf__start *start;	/* I3 */
	struct wf__entry entry;
	unsigned shape;
	uint64_t words[8];
};

struct wf_timer {
	struct wf__timer timer;
	struct wf__lock *lock;		/* fixed, like the next two */
	struct wf_channel *chan;	/* behind this, or NULL */
	struct later *call;		/* behind this, or NULL */
	int64_t due;			/* while armed */
	int64_t period;			/* of a ticker, or 0 */
	unsigned stale;
	bool armed, freed;
} WF__ALIGNED(16);

struct wf_ticker {
	struct wf_timer timer;
};

enum { VALUE = sizeof(int64_t) };

_Static_assert(sizeof(struct wf_timer) % _Alignof(struct wf_channel) == 0,
    "the channel lies behind the timer");

/* To be done once the lock is dropped. */
struct follow_up {
	struct wf__task *wake;
	struct wf__start *start;
	struct wf__worker *sleeper;
};

static void
follow_up(const struct follow_up *f)
{
	if (f->wake)
		wf__sched_ready_due(f->wake);
	if (f->start)
		wf__coro_launch(f->start);
	if (f->sleeper)
		wf__sched_timer_wake(f->sleeper);
}

/* ---- under the lock ---- */

static bool
is_pending(const struct wf_timer *t)
{
	/* Relaxed: count is written under the lock only. */
	return t->armed || (t->chan && wf__load_relaxed(&t->chan->count));
}

/* What was to come does not, what was not received is gone. */
static void
disarm_timer(struct wf_timer *t)
{
	if (t->armed && !wf__timer_stop(&t->timer))
		t->stale++;				/* I2 */
	t->armed = false;
	if (t->chan)
		wf__chan_discard(t->chan);
}

/* Most resets are to a later time: those leave the queue alone. */
static void
arm_timer(struct wf_timer *t, int64_t due, struct follow_up *f)
{
	t->due = due;
	if (t->armed && t->timer.node.key <= due)
		return;
	disarm_timer(t);
	t->armed = true;
	f->sleeper = wf__sched_timer_place(&t->timer, due);
}

static struct wf__start *
take_reserve(struct wf_timer *t)
{
	struct wf__start *s = t->call ? t->call->start : NULL;

	if (s)
		t->call->start = NULL;
	return s;
}

/* The next time in step that is not past. */
static int64_t
tick_after(const struct wf_timer *t, int64_t now)
{
	int64_t due = t->due + (now - t->due) / t->period * t->period;

	return due < WF_FOREVER - t->period ? due + t->period : WF_FOREVER;
}

/* It is time. */
static void
expire_timer(struct wf_timer *t, int64_t now, struct follow_up *f)
{
	t->armed = false;
	if (t->chan)	/* if the one before still waits, this one is lost */
		wf__chan_try_send(t->chan, &now, &f->wake);
	else if ((f->start = take_reserve(t)))
		wf__coro_prepare(f->start, &t->call->entry, wf__stack_class(0),
		    t->call->shape, t->call->words);
	if (t->period) {
		t->due = tick_after(t, now);
		t->armed = true;
		f->sleeper = wf__sched_timer_place(&t->timer, t->due);
	}
}

/* What is due already needs no queue. */
static void
set_timer(struct wf_timer *t, int64_t ns, struct follow_up *f)
{
	int64_t now = wf__seam_now();

	if (ns > 0) {
		arm_timer(t, ns < WF_FOREVER - now ? now + ns : WF_FOREVER, f);
	} else {
		disarm_timer(t);
		expire_timer(t, now, f);
	}
}

/* ---- firing ---- */

static size_t
timer_size(const struct wf_timer *t)
{
	return sizeof *t + (t->chan ? sizeof *t->chan + VALUE :
	    sizeof *t->call);
}

/* From a worker, with no lock held; or, not expired, when the runtime ends
 * and start records with it. */
static void
fire_timer(struct wf__timer *timer, bool expired)
{
	struct wf_timer *t = wf__container_of(timer, struct wf_timer, timer);
	struct follow_up f = { 0 };
	bool last = false;
	int64_t now;

	wf__lock(t->lock);
	now = wf__seam_now();	/* not from before the setting was made */
	if (t->stale) {
		last = --t->stale == 0 && t->freed;
	} else if (!expired) {
		t->armed = false;
		take_reserve(t);
	} else if (now < t->due) {
		f.sleeper = wf__sched_timer_place(timer, t->due);
	} else {
		expire_timer(t, now, &f);
	}
	wf__unlock(t->lock);
	follow_up(&f);
	if (last)
		wf__spare_put(t, timer_size(t));
}

/* ---- making and freeing ---- */

static struct wf_timer *
new_timer(size_t extra)
{
	struct wf_timer *t;

	if (wf__sched_need() < 0 || !(t = wf__spare_get(sizeof *t + extra)))
		return NULL;
	t->timer.fire = fire_timer;
	return t;
}

static void
begin_timer(struct wf_timer *t, int64_t ns)
{
	struct follow_up f = { 0 };

	wf__lock(t->lock);
	set_timer(t, ns, &f);
	wf__unlock(t->lock);
	follow_up(&f);
}

static struct wf_timer *
make_with_chan(int64_t ns, int64_t period, void (*f)(struct wf_channel *))
{
	struct wf_channel *c;
	struct wf_timer *t = new_timer(sizeof *c + VALUE);

	if (!t)
		return NULL;
	t->chan = c = (struct wf_channel *)(void *)(t + 1);
	t->lock = &c->lock;
	t->period = period;
	wf__chan_init(c, VALUE, 1);
	c->free = f;
	begin_timer(t, ns);
	return t;
}

static void
free_timer(struct wf_timer *t, const char *call)
{
	struct wf__start *s;
	bool last;

	wf__seam_touch(wf__chan_number(t->chan));
	wf__lock(t->lock);
	if (t->chan)
		wf__chan_check_idle(t->chan, call);
	disarm_timer(t);
	s = take_reserve(t);
	t->freed = true;
	last = !t->stale;
	wf__unlock(t->lock);
	if (s)
		wf__start_put(wf__self(), s);
	if (last)
		wf__spare_put(t, timer_size(t));
}

static void
refuse_free(struct wf_channel *c)
{
	wf__misuse("wf_chan_free", "channel %llu is a timer's: free that",
	    (unsigned long long)wf__wait_shown(c->number));
}

static void
destroy_by_chan(struct wf_channel *c)
{
	free_timer((struct wf_timer *)(void *)c - 1, "wf_chan_free");
}

static bool
halt(struct wf_timer *t)
{
	struct wf__start *s;
	bool active;

	wf__seam_point_at("stops timer of channel", wf__chan_number(t->chan));
	wf__lock(t->lock);
	active = is_pending(t);
	disarm_timer(t);
	s = take_reserve(t);
	wf__unlock(t->lock);
	if (s)
		wf__start_put(wf__self(), s);
	return active;
}

/* A call needs its start record again, if the last one was used.  Memory is
 * not asked for under the lock. */
static int
rearm(struct wf_timer *t, int64_t ns, int64_t period)
{
	struct wf__start *spare = NULL;
	struct follow_up f = { 0 };
	bool active;
	int err;

	wf__seam_point_at("sets timer of channel", wf__chan_number(t->chan));
	if ((err = wf__sched_need()) < 0)
		return err;
	if (t->call && !(spare = wf__start_get(wf__self())))
		return -ENOMEM;
	wf__lock(t->lock);
	active = is_pending(t);
	if (t->chan)
		wf__chan_discard(t->chan);
	t->period = period;
	if (t->call && !t->call->start) {
		t->call->start = spare;
		spare = NULL;
	}
	set_timer(t, ns, &f);
	wf__unlock(t->lock);
	follow_up(&f);
	if (spare)
		wf__start_put(wf__self(), spare);
	return active;
}

/* ---- public: timers ---- */

static void
need_timer(const void *t, const char *call)
{
	if (wf__unlikely(!t))
		wf__misuse(call, "the timer is NULL");
}

WF_API wf_timer *
wf_timer_make(int64_t ns)
{
	return make_with_chan(ns, 0, refuse_free);
}

WF_API struct wf_channel *
wf_timer_chan_raw(wf_timer *t)
{
	need_timer(t, "wf_timer_chan");
	return t->chan;
}

WF_API bool
wf_timer_stop(wf_timer *t)
{
	need_timer(t, "wf_timer_stop");
	return halt(t);
}

WF_API int
wf_timer_reset(wf_timer *t, int64_t ns)
{
	need_timer(t, "wf_timer_reset");
	return rearm(t, ns, 0);
}

WF_API void
wf_timer_free(wf_timer *t)
{
	if (t)
		free_timer(t, "wf_timer_free");
}

WF_API struct wf_channel *
wf_after_raw(int64_t ns)
{
	struct wf_timer *t = make_with_chan(ns, 0, destroy_by_chan);

	return t ? t->chan : NULL;
}

WF_API wf_timer *
wf_after_func_raw(const struct wf_site *site, int64_t ns, void (*fn)(void),
    unsigned shape, const uint64_t *words)
{
	struct wf_timer *t;
	struct later *c;

	if (wf__unlikely(!fn))
		wf__misuse("wf_after_func", "the function is NULL, at %s:%d",
		    site->file, site->line);
	if (!(t = new_timer(sizeof *c)))
		return NULL;
	t->call = c = (struct later *)(void *)(t + 1);
	t->lock = &c->lock;
	c->entry.fn = fn;
	c->entry.site = site;
	c->shape = shape;
	for (unsigned i = 0; i < (shape & 0xff); i++)
		c->words[i] = words[i];
	if (!(c->start = wf__start_get(wf__self()))) {
		wf__spare_put(t, timer_size(t));
		return NULL;
	}
	begin_timer(t, ns);
	return t;
}

/* ---- public: tickers ---- */

static void
need_period(int64_t period, const char *call)
{
	if (wf__unlikely(period <= 0))
		wf__misuse(call, "a period of %lld ns", (long long)period);
}

WF_API wf_ticker *
wf_ticker_make(int64_t period)
{
	need_period(period, "wf_ticker_make");
	/* A ticker begins with its timer. */
	return (wf_ticker *)make_with_chan(period, period, refuse_free);
}

WF_API struct wf_channel *
wf_ticker_chan_raw(wf_ticker *t)
{
	need_timer(t, "wf_ticker_chan");
	return t->timer.chan;
}

WF_API void
wf_ticker_stop(wf_ticker *t)
{
	if (t)
		halt(&t->timer);
}

WF_API int
wf_ticker_reset(wf_ticker *t, int64_t period)
{
	need_timer(t, "wf_ticker_reset");
	need_period(period, "wf_ticker_reset");
	return rearm(&t->timer, period, period);
}

WF_API void
wf_ticker_free(wf_ticker *t)
{
	if (t)
		free_timer(&t->timer, "wf_ticker_free");
}
