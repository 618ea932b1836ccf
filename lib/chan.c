/* SPDX-License-Identifier: MIT */
/*
 * chan.c - typed FIFO between tasks.
 * Layer 3.  Uses: chan, wait, park, lock.
 *
 *   senders ->[w][w]   buffer: [ head ... head+count )   [w][w]<- receivers
 *
 * While c->lock is held:
 *   I1  count <= cap; the slots head .. head+count, modulo cap, hold values.
 *   I2  senders wait => count == cap.
 *   I3  receivers wait => count == 0.
 *   I4  a waiter on a list belongs to the channel until taken off; the taker
 *       wins it by its claim word [claim] or leaves it alone.
 *   I5  closed is never reset; afterwards both lists are empty.
 *   I6  ready has the bit for each direction that may not block.
 *   I7  ready has PLAIN only if both lists are empty and it is open: then the
 *       other two bits are exact, and a look at ready is all that it takes to
 *       put a value into the buffer or to take one out.
 *
 * (A select that lost its claim elsewhere may leave a waiter on a list for
 * a moment: I2 and I3 are about waiters that can be won.  I6 errs to the safe
 * side for the same reason.)
 *
 * The try forms look at ready without the lock.  A clear bit was true at the
 * moment of the load, which is the one instant that the answer is about.
 *
 * After the lock is dropped, or a peer made ready, the channel is not touched:
 * so who received the last value may free it.
 */
#include "chan.h"

#include <errno.h>

#include <weft/time.h>
#include "seam.h"

/* ---- values ---- */

/* The common sizes without a call; false for others. */
static inline bool
copy_small(void *to, const void *from, size_t size)
{
	if (wf__likely(size == 8))
		memcpy(to, from, 8);
	else if (size == 4)
		memcpy(to, from, 4);
	else if (size == 16)
		memcpy(to, from, 16);
	else
		return !size;
	return true;
}

static inline void
copy(void *to, const void *from, size_t size)
{
	if (!copy_small(to, from, size))
		memcpy(to, from, size);
}

static inline void
deliver(struct wf_channel *c, void *to, const void *from)
{
	if (to)
		copy(to, from, c->size);
}

static inline char *
cell(struct wf_channel *c, size_t at)
{
	return c->buffer + (at < c->cap ? at : at - c->cap) * c->size;
}

/* Relaxed, in this file: count and ready are written under the lock only, and
 * read elsewhere for a snapshot. */

static inline void
put_last(struct wf_channel *c, const void *v)
{
	size_t count = wf__load_relaxed(&c->count);

	copy(cell(c, c->head + count), v, c->size);
	wf__store_relaxed(&c->count, count + 1);
}

static inline void
drop_first(struct wf_channel *c, size_t head, size_t count)
{
	c->head = head + 1 == c->cap ? 0 : head + 1;
	wf__store_relaxed(&c->count, count - 1);
}

static inline void
take_first(struct wf_channel *c, void *v)
{
	deliver(c, v, cell(c, c->head));
	drop_first(c, c->head, wf__load_relaxed(&c->count));
}

/* ---- one try, under the lock ---- */

/* Does a waiter that can still be won stand among the first of the list?
 * Only in CHECK builds: elsewhere nobody asks. */
static inline bool
has_open(const struct wf__waitq *q)
{
	struct wf__waiter *w = q->first;

	for (int n = 0; w && n < 16; n++, w = w->next)
		if (!w->contested ||
		    !wf__load_acquire(&w->task->claim))		/* [claim] */
			return true;
	return false;
}

/* I1 to I7.  (A waiter that was open a moment ago may be lost now, but not
 * the other way round; so I2 and I3 are checked where none is contested.) */
void
wf__chan_check(struct wf_channel *c)
{
	size_t count = wf__load_relaxed(&c->count);
	wf__word ready = wf__load_relaxed(&c->ready);

	wf__waitq_check(&c->receivers);
	wf__waitq_check(&c->senders);
	wf__assert(count <= c->cap && (c->cap ? c->head < c->cap : !c->head));
	wf__assert(!c->senders.first || c->senders.first->contested ||
	    count == c->cap);
	wf__assert(!c->receivers.first || c->receivers.first->contested ||
	    count == 0);
	wf__assert(!c->closed || (!has_open(&c->senders) &&
	    !has_open(&c->receivers)));
	wf__assert(ready & WF__CAN_RECV || (!count && !c->closed &&
	    !c->senders.first));
	wf__assert(ready & WF__CAN_SEND || (count == c->cap && !c->closed &&
	    !c->receivers.first));
	wf__assert(!(ready & WF__PLAIN) || (!c->closed &&
	    !c->receivers.first && !c->senders.first));
}

static inline bool
is_plain(const struct wf_channel *c, wf__word bit)
{
	return (wf__load_relaxed(&c->ready) & (WF__PLAIN | bit)) ==
	    (WF__PLAIN | bit);
}

/* What a buffer is there for, in short.  False: the long way is to follow. */
static inline bool
put_plain(struct wf_channel *c, const void *v)
{
	size_t count = wf__load_relaxed(&c->count), cap = c->cap;

	if (!is_plain(c, WF__CAN_SEND) ||
	    !copy_small(cell(c, c->head + count), v, c->size))
		return false;
	wf__store_relaxed(&c->count, ++count);
	wf__store_release(&c->ready, WF__PLAIN | WF__CAN_RECV |
	    (count < cap ? WF__CAN_SEND : 0));			/* [ready] */
	if (WF__CHECKING)
		wf__chan_check(c);
	return true;
}

static inline bool
take_plain(struct wf_channel *c, void *v)
{
	size_t count = wf__load_relaxed(&c->count), head = c->head;

	if (!is_plain(c, WF__CAN_RECV) || !v ||
	    !copy_small(v, c->buffer + head * c->size, c->size))
		return false;
	drop_first(c, head, count);
	wf__store_release(&c->ready, WF__PLAIN | WF__CAN_SEND |
	    (count > 1 ? WF__CAN_RECV : 0));			/* [ready] */
	if (WF__CHECKING)
		wf__chan_check(c);
	return true;
}

/* The same for all others. */
static WF__INLINE int
try_send(struct wf_channel *c, const void *v, struct wf__task **wake)
{
	struct wf__waiter *w;
	int done = -1;

	if (wf__unlikely(c->closed))
		return 0;
	if (c->receivers.first && (w = wf__waitq_claim(&c->receivers))) {
		deliver(c, w->value, v);	/* past the empty buffer */
		w->ok = true;
		*wake = w->task;
		done = 1;
	} else if (wf__load_relaxed(&c->count) < c->cap) {
		put_last(c, v);
		done = 1;
	} else if (!(wf__load_relaxed(&c->ready) & WF__CAN_SEND))
		return -1;		/* I6, and the bit is right already */
	wf__chan_publish(c);
	if (WF__CHECKING)
		wf__chan_check(c);
	return done;
}

static WF__INLINE int
try_recv(struct wf_channel *c, void *v, struct wf__task **wake)
{
	struct wf__waiter *w = NULL;
	size_t count = wf__load_relaxed(&c->count);

	if (c->senders.first)
		w = wf__waitq_claim(&c->senders);
	if (count)
		take_first(c, v);
	if (w) {
		if (count)
			put_last(c, w->value);	/* FIFO: behind the others */
		else
			deliver(c, v, w->value);
		w->ok = true;
		*wake = w->task;
	} else if (!count && c->closed) {
		wf__chan_deliver_zero(c, v);
		return 0;
	} else if (!(wf__load_relaxed(&c->ready) & WF__CAN_RECV))
		return -1;		/* likewise */
	wf__chan_publish(c);
	if (WF__CHECKING)
		wf__chan_check(c);
	return count || w ? 1 : -1;
}

int
wf__chan_try_send(struct wf_channel *c, const void *v, struct wf__task **wake)
{
	return put_plain(c, v) ? 1 : try_send(c, v, wake);
}

int
wf__chan_try_recv(struct wf_channel *c, void *v, struct wf__task **wake)
{
	return take_plain(c, v) ? 1 : try_recv(c, v, wake);
}

/* ---- waiting ---- */

static void
unlock_chan(void *lock)
{
	wf__unlock(lock);
}

static void
add_waiter(struct wf_channel *c, struct wf__waitq *q, struct wf__waiter *w,
    void *v)
{
	w->value = v;
	wf__waitq_add(q, w);
	wf__chan_publish_waiter(c, q == &c->senders ? WF__CAN_RECV :
	    WF__CAN_SEND);
}

static WF__NOINLINE int
await_peer_as_thread(struct wf_channel *c, struct wf__waitq *q, void *v,
    const char *why)
{
	struct wf__task spare, *me = wf__park_self(&spare);
	struct wf__waiter spare_waiter, *w = wf__waiter_of(me, &spare_waiter);
	struct wf__parking p = { unlock_chan, &c->lock, WF_FOREVER, 0, why,
	    c->number };

	add_waiter(c, q, w, v);
	wf__park(me, &p);
	return w->ok;
}

/* With the lock held, and nothing to do at once: queue up and park.  1 or 0 as
 * the winner says. */
static WF__INLINE int
await_peer(struct wf_channel *c, struct wf__waitq *q, void *v, const char *why)
{
	struct wf__worker *worker = wf__self();
	struct wf__waiter *w;

	if (wf__unlikely(!worker || !worker->running))
		return await_peer_as_thread(c, q, v, why);
	w = wf__waiter_in(worker->running);
	add_waiter(c, q, w, v);
	wf__park_locked(worker, &c->lock, why, c->number);
	return w->ok;
}

static WF__NOINLINE int
await_receiver(struct wf_channel *c, const void *v)
{
	return await_peer(c, &c->senders, (void *)(uintptr_t)v,
	    "to send on channel");
}

static WF__NOINLINE int
await_sender(struct wf_channel *c, void *v)
{
	size_t size = c->size;		/* when closed it may be gone */
	int done = await_peer(c, &c->receivers, v, "to receive on channel");

	if (wf__unlikely(!done && v))
		memset(v, 0, size);
	return done;
}

/* ---- public ---- */

/* Drop the lock, then wake whom the operation concerned. */
static int
complete(struct wf_channel *c, int done, struct wf__task *wake)
{
	wf__unlock(&c->lock);
	if (wake)
		wf__ready(wake);
	return done;
}

/* Locked, without a detour? */
static inline bool
enter_chan(struct wf_channel *c)
{
	return wf__likely(c && !wf__seam) && wf__try_lock(&c->lock);
}

static WF__NOINLINE int
send_or_wait(struct wf_channel *c, const void *v)
{
	struct wf__task *wake = NULL;
	int done = try_send(c, v, &wake);

	return done < 0 ? await_receiver(c, v) : complete(c, done, wake);
}

static WF__NOINLINE int
enter_and_send(struct wf_channel *c, const void *v)
{
	wf__chan_check_null(c, "wf_send");
	wf__seam_point_at("sends on channel", c->number);
	wf__lock(&c->lock);
	return put_plain(c, v) ? complete(c, 1, NULL) : send_or_wait(c, v);
}

WF_API int
wf_chan_send_raw(struct wf_channel *c, const void *v)
{
	if (wf__unlikely(!enter_chan(c)))
		return enter_and_send(c, v);
	if (!put_plain(c, v))
		return wf__chan_can(c, WF__CAN_SEND) ? send_or_wait(c, v) :
		    await_receiver(c, v);
	wf__unlock(&c->lock);
	return 1;
}

static WF__NOINLINE int
recv_or_wait(struct wf_channel *c, void *v)
{
	struct wf__task *wake = NULL;
	int done = try_recv(c, v, &wake);

	return done < 0 ? await_sender(c, v) : complete(c, done, wake);
}

static WF__NOINLINE int
enter_and_recv(struct wf_channel *c, void *v)
{
	wf__chan_check_null(c, "wf_recv");
	wf__seam_point_at("receives from channel", c->number);
	wf__lock(&c->lock);
	return take_plain(c, v) ? complete(c, 1, NULL) : recv_or_wait(c, v);
}

WF_API int
wf_chan_recv_raw(struct wf_channel *c, void *v)
{
	if (wf__unlikely(!enter_chan(c)))
		return enter_and_recv(c, v);
	if (!take_plain(c, v))
		return wf__chan_can(c, WF__CAN_RECV) ? recv_or_wait(c, v) :
		    await_sender(c, v);
	wf__unlock(&c->lock);
	return 1;
}

/* In vain, as a try mostly is: a look, and no frame. */
static inline bool
cannot(const struct wf_channel *c, wf__word bit)
{
	return !wf__seam && (!c || !wf__chan_can(c, bit));
}

static WF__NOINLINE int
look_and_send(struct wf_channel *c, const void *v)
{
	struct wf__task *wake = NULL;
	int done;

	wf__seam_point_at("tries to send on channel", wf__chan_number(c));
	if (!c || !wf__chan_can(c, WF__CAN_SEND))
		return -EAGAIN;
	wf__lock(&c->lock);
	done = wf__chan_try_send(c, v, &wake);
	return complete(c, done < 0 ? -EAGAIN : done, wake);
}

WF_API int
wf_chan_try_send_raw(struct wf_channel *c, const void *v)
{
	return cannot(c, WF__CAN_SEND) ? -EAGAIN : look_and_send(c, v);
}

static WF__NOINLINE int
look_and_recv(struct wf_channel *c, void *v)
{
	struct wf__task *wake = NULL;
	int done;

	wf__seam_point_at("tries to receive from channel",
	    wf__chan_number(c));
	if (!c || !wf__chan_can(c, WF__CAN_RECV))
		return -EAGAIN;
	wf__lock(&c->lock);
	done = wf__chan_try_recv(c, v, &wake);
	return complete(c, done < 0 ? -EAGAIN : done, wake);
}

WF_API int
wf_chan_try_recv_raw(struct wf_channel *c, void *v)
{
	return cannot(c, WF__CAN_RECV) ? -EAGAIN : look_and_recv(c, v);
}
