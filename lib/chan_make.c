/* SPDX-License-Identifier: MIT */
/*
 * chan_make.c - a channel's beginning and end.
 * Layer 3.  Uses: chan, wait, lock, spare.
 *
 * See chan.c.  Close takes all waiters off at one instant, under the lock, and
 * wakes them after that.
 */
#include "chan.h"

#include <errno.h>

#include "seam.h"
#include "spare.h"

enum { MAX_SIZE = 65536 };

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
	c = wf__spare_get(sizeof *c + cap * size);
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
	/* The one who has just paired with the caller is to let go.  Nobody
	 * else may come now, so a look is enough if he has done so. */
	if (wf__unlikely(wf__lock_is_held(&c->lock))) {
		wf__lock(&c->lock);
		wf__unlock(&c->lock);
	}
	wf__chan_check_idle(c, "wf_chan_free");
	wf__spare_put(c, sizeof *c + c->cap * c->size);
}

/* Take off the receivers that are late (wait.h), or the others, and give them
 * nothing (ok is false already).  The value of one that waits for nothing else
 * lies on a stack that is cold, as a rule: he clears it himself. */
static void
dismiss_receivers(struct wf_channel *c, bool late, struct wf__woken *woken)
{
	struct wf__waiter *w, *next;

	for (w = c->receivers.first; w; w = next) {
		next = w->next;
		if ((w->contested && w->late) != late)
			continue;
		wf__waitq_remove(&c->receivers, w);
		if (wf__waiter_win(w)) {
			if (w->contested)
				wf__chan_deliver_zero(c, w->value);
			wf__woken_add(woken, w->task);
		}
	}
}

WF_API int
wf_chan_close_raw(struct wf_channel *c)
{
	struct wf__woken receivers = { 0 };
	struct wf__waiter *senders;

	wf__chan_check_null(c, "wf_close");
	wf__seam_point_at("closes channel", c->number);
	wf__lock(&c->lock);
	if (c->closed) {
		wf__unlock(&c->lock);
		return -EALREADY;
	}
	c->closed = true;
	dismiss_receivers(c, false, &receivers);
	senders = wf__waitq_claim_all(&c->senders);
	dismiss_receivers(c, true, &receivers);
	wf__chan_publish(c);
	if (WF__CHECKING)
		wf__chan_check(c);
	wf__unlock(&c->lock);
	wf__ready_woken(&receivers);
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
