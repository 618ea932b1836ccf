/* SPDX-License-Identifier: MIT */
/*
 * chan.c - typed FIFO between tasks.
 * Layer 3.  Uses: chan, wait, park, lock, alloc, report.
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

#include <weft/select.h>
#include <weft/time.h>
#include "alloc.h"
#include "report.h"
#include "seam.h"

enum { MAX_SIZE = 65536 };

/* ---- values ---- */

/* The common sizes without a call. */
static inline void
copy(void *to, const void *from, size_t size)
{
	if (size == 8)
		memcpy(to, from, 8);
	else if (size == 4)
		memcpy(to, from, 4);
	else if (size == 16)
		memcpy(to, from, 16);
	else
		memcpy(to, from, size);
}

static inline void
deliver(struct wf_channel *c, void *to, const void *from)
{
	if (to && c->size)
		copy(to, from, c->size);
}

static inline void
deliver_zero(struct wf_channel *c, void *to)
{
	if (to && c->size)
		memset(to, 0, c->size);
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

	if (c->size)
		copy(cell(c, c->head + count), v, c->size);
	wf__store_relaxed(&c->count, count + 1);
}

static inline void
take_first(struct wf_channel *c, void *v)
{
	deliver(c, v, cell(c, c->head));
	if (++c->head == c->cap)
		c->head = 0;
	wf__store_relaxed(&c->count, wf__load_relaxed(&c->count) - 1);
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

/* I1 to I6.  (A waiter that was open a moment ago may be lost now, but not
 * the other way round; so I2 and I3 are checked where none is contested.) */
static void
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
}

int
wf__chan_try_send(struct wf_channel *c, const void *v, struct wf__task **wake)
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

int
wf__chan_try_recv(struct wf_channel *c, void *v, struct wf__task **wake)
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
		deliver_zero(c, v);
		return 0;
	} else if (!(wf__load_relaxed(&c->ready) & WF__CAN_RECV))
		return -1;		/* likewise */
	wf__chan_publish(c);
	if (WF__CHECKING)
		wf__chan_check(c);
	return count || w ? 1 : -1;
}

/* ---- waiting ---- */

static void
unlock_chan(void *lock)
{
	wf__unlock(lock);
}

/* With the lock held, and nothing to do at once: queue up and park.  1 or 0 as
 * the winner says. */
static int
await_peer(struct wf_channel *c, struct wf__waitq *q, void *v, const char *why)
{
	struct wf__task spare, *me = wf__park_self(&spare);
	struct wf__waiter spare_waiter, *w = wf__waiter_of(me, &spare_waiter);
	struct wf__parking p = { unlock_chan, &c->lock, WF_FOREVER, 0, why,
	    c->number };

	w->value = v;
	wf__waitq_add(q, w);
	wf__chan_publish(c);
	wf__park(me, &p);
	return w->ok;
}

void
wf__chan_init(struct wf_channel *c, size_t size, size_t cap)
{
	c->cap = cap;
	c->size = size;
	c->number = wf__wait_number();
	wf__chan_publish(c);
}

void
wf__chan_check_idle(struct wf_channel *c, const char *call)
{
	if (c->senders.first || c->receivers.first)
		wf__misuse(call, "channel %llu has waiters",
		    (unsigned long long)wf__wait_shown(c->number));
}

/* ---- public ---- */

WF_API struct wf_channel *
wf_chan_make_raw(size_t size, size_t cap)
{
	struct wf_channel *c;

	if (size > MAX_SIZE || (size && cap > SIZE_MAX / 4 / size))
		wf__misuse("wf_chan_make", "%zu elements of %zu bytes are out "
		    "of range", cap, size);
	c = wf__alloc_object(sizeof *c + cap * size);
	if (c)
		wf__chan_init(c, size, cap);
	return c;
}

WF_API void
wf_chan_free_raw(struct wf_channel *c)
{
	if (!c)
		return;
	if (c->free) {
		c->free(c);
		return;
	}
	wf__seam_touch(c->number);
	/* Wait for the one who has just paired with the caller to let go. */
	wf__lock(&c->lock);
	wf__chan_check_idle(c, "wf_chan_free");
	wf__unlock(&c->lock);
	wf__free(c, sizeof *c + c->cap * c->size);
}

static void
check_null(const struct wf_channel *c, const char *call)
{
	if (wf__unlikely(!c))
		wf__misuse(call, "the channel is NULL");
}

/* Drop the lock, then wake whom the operation concerned. */
static int
complete(struct wf_channel *c, int done, struct wf__task *wake)
{
	wf__unlock(&c->lock);
	if (wake)
		wf__ready(wake);
	return done;
}

WF_API int
wf_chan_send_raw(struct wf_channel *c, const void *v)
{
	struct wf__task *wake = NULL;
	int done;

	check_null(c, "wf_send");
	wf__seam_point_at("sends on channel", c->number);
	wf__lock(&c->lock);
	done = wf__chan_try_send(c, v, &wake);
	if (wf__unlikely(done < 0))
		return await_peer(c, &c->senders, (void *)(uintptr_t)v,
		    "to send on channel");
	return complete(c, done, wake);
}

WF_API int
wf_chan_recv_raw(struct wf_channel *c, void *v)
{
	struct wf__task *wake = NULL;
	int done;

	check_null(c, "wf_recv");
	wf__seam_point_at("receives from channel", c->number);
	wf__lock(&c->lock);
	done = wf__chan_try_recv(c, v, &wake);
	if (wf__unlikely(done < 0))
		return await_peer(c, &c->receivers, v, "to receive on channel");
	return complete(c, done, wake);
}

WF_API int
wf_chan_try_send_raw(struct wf_channel *c, const void *v)
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
wf_chan_try_recv_raw(struct wf_channel *c, void *v)
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

/* The context goes first: a loop ends when it is done, however full the
 * channel. */
WF_API int
wf_chan_send_ctx_raw(wf_ctx *ctx, struct wf_channel *c, const void *v)
{
	bool ok = false;

	check_null(c, "wf_send_ctx");
	if (!ctx)
		return -EINVAL;
	if (wf_select_ordered(wf_on_done(ctx), WF__PUT(c,
	    (void *)(uintptr_t)v, &ok, 0, WF__CASE_SEND)) == 0)
		return wf_ctx_err(ctx);
	return ok;
}

WF_API int
wf_chan_recv_ctx_raw(wf_ctx *ctx, struct wf_channel *c, void *v)
{
	bool ok = false;

	check_null(c, "wf_recv_ctx");
	if (!ctx)
		return -EINVAL;
	if (wf_select_ordered(wf_on_done(ctx),
	    WF__PUT(c, v, &ok, 0, WF__CASE_RECV)) == 0)
		return wf_ctx_err(ctx);
	return ok;
}

/* Take off the receivers that are late (wait.h), or the others, and give them
 * nothing: in one pass, for the values of many lie on cold stacks, and are
 * written while the next waiter is fetched.  The list of those won. */
static struct wf__waiter *
dismiss_receivers(struct wf_channel *c, bool late)
{
	struct wf__waiter *list = NULL, **end = &list, *w, *next;

	for (w = c->receivers.first; w; w = next) {
		next = w->next;
		if ((w->contested && w->late) != late)
			continue;
		wf__waitq_remove(&c->receivers, w);
		if (wf__waiter_win(w)) {
			deliver_zero(c, w->value); /* ok is false already */
			*end = w;
			end = &w->next;
		}
	}
	*end = NULL;
	return list;
}

WF_API int
wf_chan_close_raw(struct wf_channel *c)
{
	struct wf__waiter *receivers, *senders, *late;

	check_null(c, "wf_close");
	wf__seam_point_at("closes channel", c->number);
	wf__lock(&c->lock);
	if (c->closed) {
		wf__unlock(&c->lock);
		return -EALREADY;
	}
	c->closed = true;
	receivers = dismiss_receivers(c, false);
	senders = wf__waitq_claim_all(&c->senders);
	late = dismiss_receivers(c, true);
	receivers = wf__waiters_join(receivers, late);
	wf__chan_publish(c);
	if (WF__CHECKING)
		wf__chan_check(c);
	wf__unlock(&c->lock);
	wf__waitq_ready_all(receivers);
	wf__waitq_ready_all(senders);
	return 0;
}

WF_API size_t
wf_chan_len_raw(const struct wf_channel *c)
{
	if (!c || c->free)
		return 0;
	wf__seam_touch(c->number);
	return wf__load_relaxed(&c->count);
}

WF_API size_t
wf_chan_cap_raw(const struct wf_channel *c)
{
	return c && !c->free ? c->cap : 0;
}
