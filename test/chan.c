/* SPDX-License-Identifier: MIT */
/*
 * chan.c - tests of channels: order, states, capacity, views, misuse.
 *
 * The numbers are those of the cases that every channel of weft is to pass.
 * chan_race.c has those that are about races, chan_size.c those about elements
 * of all sizes, compile.sh case 28, powser.c case 29, select.c and its
 * neighbours what takes a select.
 *
 * A close that forgets a waiter hangs cases 6 and 64, one that tells it the
 * wrong thing fails them; a queue that is not first in, first out fails 66
 * and 67.
 */
#include "tap.h"

static void
bump(int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_ACQ_REL);
}

static int
value_of(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_ACQUIRE);
}

/*
 * From the plain thread: wait until n coroutines have set their mark and all
 * workers sleep.  Then each of the n is parked, for certain.
 */
static void
wait_parked(const int *began, int n)
{
	struct wf_stats stats;

	do {
		wf_sleep(WF_MS / 10);
		wf_stats(&stats);
	} while (value_of(began) < n || stats.idle < stats.workers);
}

/* The largest capacity where a case runs for all. */
static size_t
most(void)
{
	return (size_t)tap_scale(199, 19);
}

/* Cases 1 to 10: one channel, few coroutines, every capacity. */

struct stage {
	wf_chan(int) c;
	wf_waitgroup wg;
	int began, ended;	/* atomic */
};

static bool
stage_open(struct stage *s, size_t cap)
{
	memset(s, 0, sizeof *s);
	s->c = wf_chan_make(int, cap);
	return check(s->c != NULL);
}

static void
stage_close(struct stage *s)
{
	wf_waitgroup_wait(&s->wg);
	wf_chan_free(s->c);
}

static void
take_zero(struct stage *s)
{
	int v = -1;

	check_eq(wf_recv(s->c, &v), 1);
	check_eq(v, 0);
	bump(&s->ended);
}

static void
take_any(struct stage *s)
{
	check_eq(wf_recv(s->c, NULL), 1);
	bump(&s->ended);
}

static int
empty_receive(void)
{
	for (size_t cap = 0; cap <= most(); cap++) {
		struct stage s;
		int v = 77;

		if (!stage_open(&s, cap))
			return 1;
		check_eq(wf_try_recv(s.c, &v), -EAGAIN);
		check_eq(wf_waitgroup_spawn(&s.wg, take_zero, &s), 0);
		check_eq(wf_waitgroup_spawn(&s.wg, take_any, &s), 0);
		tap_settle();
		check_eq(wf_try_recv(s.c, &v), -EAGAIN);
		check_eq(wf_try_recv(s.c, NULL), -EAGAIN);
		check_eq(v, 77);
		check_eq(value_of(&s.ended), 0);
		check_eq(wf_send(s.c, 0), 1);
		check_eq(wf_send(s.c, 0), 1);
		stage_close(&s);
		check_eq(value_of(&s.ended), 2);
	}
	return 0;
}

static void
put(struct stage *s, int v)
{
	bump(&s->began);
	check_eq(wf_send(s->c, v), 1);
	bump(&s->ended);
}

static int
full_send(void)
{
	for (size_t cap = 0; cap <= most(); cap++) {
		struct stage s;
		int v;

		if (!stage_open(&s, cap))
			return 1;
		for (int i = 0; i < (int)cap; i++)
			check_eq(wf_try_send(s.c, i), 1);
		check_eq(wf_try_send(s.c, 5), -EAGAIN);
		check_eq(wf_waitgroup_spawn(&s.wg, put, &s, (int)cap), 0);
		tap_settle();
		check_eq(value_of(&s.ended), 0);
		if (cap)
			check_eq(wf_try_send(s.c, 5), -EAGAIN);
		for (int i = 0; i <= (int)cap; i++) {
			check_eq(wf_recv(s.c, &v), 1);
			check_eq(v, i);
		}
		stage_close(&s);
		check_eq(value_of(&s.ended), 1);
	}
	return 0;
}

static int
drain_after_close(void)
{
	for (size_t cap = 0; cap <= most(); cap++) {
		struct stage s;
		int v;

		if (!stage_open(&s, cap))
			return 1;
		for (int i = 0; i < (int)cap; i++)
			check_eq(wf_send(s.c, i), 1);
		check_eq(wf_close(s.c), 0);
		for (int i = 0; i < (int)cap; i++) {
			check_eq(i % 2 ? wf_recv(s.c, &v) :
			    wf_try_recv(s.c, &v), 1);
			check_eq(v, i);
		}
		for (int i = 0; i < 5; i++) {
			v = -1;
			check_eq(wf_recv(s.c, &v), 0);
			check_eq(v, 0);
			v = -1;
			check_eq(wf_try_recv(s.c, &v), 0);
			check_eq(v, 0);
			check_eq(wf_recv(s.c, NULL), 0);
		}
		stage_close(&s);
	}
	return 0;
}

static void
find_closed(struct stage *s)
{
	int v = -1;

	bump(&s->began);
	check_eq(wf_recv(s->c, &v), 0);
	check_eq(v, 0);
	bump(&s->ended);
}

static int
close_wakes_receivers(void)
{
	for (size_t cap = 0; cap <= most(); cap++) {
		struct stage s;

		if (!stage_open(&s, cap))
			return 1;
		for (int i = 0; i < 7; i++)
			check_eq(wf_waitgroup_spawn(&s.wg, find_closed, &s), 0);
		tap_settle();
		check_eq(value_of(&s.ended), 0);
		check_eq(wf_close(s.c), 0);
		stage_close(&s);
		check_eq(value_of(&s.ended), 7);
	}
	return 0;
}

static void
put_hundred(struct stage *s)
{
	for (int i = 0; i < 100; i++)
		check_eq(wf_send(s->c, i), 1);
}

/* More than a ring holds, of every kind: they go another way. */

enum { CROWD = 700 };

static void
find_closed_pinned(struct stage *s)
{
	wf_pin();
	find_closed(s);
	wf_unpin();
}

static void
find_closed_select(struct stage *s, wf_chan(int) idle)
{
	int v = -1, other = -1;
	bool ok = true;

	bump(&s->began);
	check_eq(wf_select(wf_on_recv(idle, &other),
	    wf_on_recv_ok(s->c, &v, &ok)), 1);
	check(!ok);
	check_eq(v, 0);
	check_eq(other, -1);
	bump(&s->ended);
}

static int
close_wakes_crowd(void)
{
	wf_chan(int) idle = wf_chan_make(int, 0);
	struct stage s;

	if (!check(idle != NULL) || !stage_open(&s, 0))
		return 1;
	for (int i = 0; i < CROWD; i++)
		if (i % 50 == 7)
			check_eq(wf_waitgroup_spawn(&s.wg, find_closed_pinned,
			    &s), 0);
		else if (i % 50 == 19)
			check_eq(wf_waitgroup_spawn(&s.wg, find_closed_select,
			    &s, idle), 0);
		else
			check_eq(wf_waitgroup_spawn(&s.wg, find_closed, &s), 0);
	while (value_of(&s.began) < CROWD)
		wf_sleep(WF_MS / 10);
	tap_settle();
	check_eq(value_of(&s.ended), 0);
	check_eq(wf_close(s.c), 0);
	stage_close(&s);
	check_eq(value_of(&s.ended), CROWD);
	wf_chan_free(idle);
	return 0;
}

/* From a thread that is no worker. */
static void
crowd_from_outside(void)
{
	close_wakes_crowd();
}

static int
fifo_pair(void)
{
	for (size_t cap = 0; cap <= most(); cap++) {
		struct stage s;
		int v;

		if (!stage_open(&s, cap))
			return 1;
		check_eq(wf_waitgroup_spawn(&s.wg, put_hundred, &s), 0);
		for (int i = 0; i < 100; i++) {
			check_eq(wf_recv(s.c, &v), 1);
			check_eq(v, i);
		}
		stage_close(&s);
	}
	return 0;
}

static int
fifo_pair_ok(void)
{
	for (size_t cap = 0; cap <= most(); cap++) {
		struct stage s;
		bool ok;
		int v;

		if (!stage_open(&s, cap))
			return 1;
		check_eq(wf_waitgroup_spawn(&s.wg, put_hundred, &s), 0);
		for (int i = 0; i < 100; i++) {
			ok = false;
			check_eq(wf_select(wf_on_recv_ok(s.c, &v, &ok)), 0);
			check(ok);
			check_eq(v, i);
		}
		stage_close(&s);
	}
	return 0;
}

static int
len_and_cap(void)
{
	for (size_t cap = 0; cap <= most(); cap++) {
		struct stage s;

		if (!stage_open(&s, cap))
			return 1;
		check_eq(wf_len(s.c), 0);
		check_eq(wf_cap(s.c), cap);
		for (size_t i = 0; i < cap; i++) {
			check_eq(wf_send(s.c, 1), 1);
			check_eq(wf_len(s.c), i + 1);
		}
		check_eq(wf_cap(s.c), cap);
		check_eq(wf_cap(wf_in(s.c)), cap);
		check_eq(wf_len(wf_out(s.c)), cap);
		wf_close(s.c);
		check_eq(wf_len(s.c), cap);
		for (size_t i = cap; i > 0; i--) {
			check_eq(wf_recv(s.c, NULL), 1);
			check_eq(wf_len(s.c), i - 1);
		}
		stage_close(&s);
	}
	return 0;
}

/* The ring turns over many times, at every fill. */
static int
ring_wraps(void)
{
	for (size_t cap = 1; cap <= 9; cap++) {
		wf_chan(int) c = wf_chan_make(int, cap);
		int in = 0, out = 0, v;

		if (!check(c != NULL))
			return 1;
		for (int round = 0; round < 50; round++) {
			for (size_t n = round % cap + 1; n > 0; n--)
				check_eq(wf_try_send(c, in++), 1);
			while (wf_try_recv(c, &v) > 0)
				check_eq(v, out++);
			check_eq(in, out);
		}
		wf_chan_free(c);
	}
	return 0;
}

/* Case 16. */
static int
pointers_through_full(void)
{
	wf_chan(void *) c = wf_chan_make(void *, 1);
	int target;
	void *p = NULL, *q = &c;

	if (!check(c != NULL))
		return 1;
	check_eq(wf_send(c, (void *)&target), 1);
	check_eq(wf_try_send(c, q), -EAGAIN);
	check_eq(wf_select(wf_on_send(c, q), wf_on_default()), 1);
	check_eq(wf_select(wf_on_send(c, q), wf_on_send(c, p),
	    wf_on_default()), 2);
	check_eq(wf_recv(c, &p), 1);
	check(p == &target);
	check_eq(wf_len(c), 0);
	wf_chan_free(c);
	return 0;
}

/* Cases 34 and 35, and what else takes NULL. */
static int
null_channel(void)
{
	wf_chan(int) none = NULL;
	int v = 5;

	check_eq(wf_try_send(none, 1), -EAGAIN);
	check_eq(wf_try_recv(none, &v), -EAGAIN);
	check_eq(v, 5);
	check_eq(wf_len(none), 0);
	check_eq(wf_cap(none), 0);
	wf_chan_free(none);
	return 0;
}

/* Cases 37 and 38: closed is a state, in every form of every verb. */
static int
closed_channel(void)
{
	for (size_t cap = 0; cap < 3; cap++) {
		wf_chan(int) c = wf_chan_make(int, cap);
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		int v;

		if (!check(c != NULL))
			return 1;
		check_eq(wf_close(c), 0);
		check_eq(wf_close(c), -EALREADY);
		check_eq(wf_close(wf_out(c)), -EALREADY);
		for (int i = 0; i < 10; i++) {
			v = 9;
			check_eq(wf_recv(c, &v), 0);
			check_eq(v, 0);
			v = 9;
			check_eq(wf_recv_ctx(ctx, c, &v), 0);
			check_eq(v, 0);
			check_eq(wf_recv(c, NULL), 0);
			check_eq(wf_send(c, 1), 0);
			check_eq(wf_try_send(c, 1), 0);
			check_eq(wf_send_ctx(ctx, c, 1), 0);
		}
		check_eq(wf_len(c), 0);
		wf_ctx_free(ctx);
		wf_chan_free(c);
	}
	return 0;
}

/* Cases 64 to 68: from the plain thread, where it can be known that the
 * others are parked. */

static void
find_closed_send(struct stage *s, int v)
{
	bump(&s->began);
	check_eq(wf_send(s->c, v), 0);
	bump(&s->ended);
}

static void
close_with_senders(void)
{
	for (int cap = 0; cap < 6; cap++) {
		struct stage s;
		int v;

		if (!stage_open(&s, (size_t)cap))
			return;
		for (int i = 0; i < cap; i++)
			check_eq(wf_send(s.c, i), 1);
		for (int i = 0; i < 3; i++)
			check_eq(wf_waitgroup_spawn(&s.wg, find_closed_send,
			    &s, 100), 0);
		wait_parked(&s.began, 3);
		check_eq(value_of(&s.ended), 0);
		check_eq(wf_close(s.c), 0);
		for (int i = 0; i < cap; i++) {
			check_eq(wf_recv(s.c, &v), 1);
			check_eq(v, i);
		}
		v = 1;
		check_eq(wf_recv(s.c, &v), 0);
		check_eq(v, 0);
		stage_close(&s);
		check_eq(value_of(&s.ended), 3);
	}
}

static void
take_value(struct stage *s, int expected)
{
	int v = -1;

	bump(&s->began);
	check_eq(wf_recv(s->c, &v), 1);
	check_eq(v, expected);
	bump(&s->ended);
}

static void
handoff_bypasses(void)
{
	struct stage s;

	if (!stage_open(&s, 4))
		return;
	check_eq(wf_waitgroup_spawn(&s.wg, take_value, &s, 42), 0);
	wait_parked(&s.began, 1);
	check_eq(wf_send(s.c, 42), 1);
	check_eq(wf_len(s.c), 0);
	stage_close(&s);
	check_eq(value_of(&s.ended), 1);
}

/* Full, with parked senders: a receive takes the head, the first sender's
 * value goes to the tail, and the length stays. */
static void
senders_refill(void)
{
	struct stage s;
	int v;

	if (!stage_open(&s, 2))
		return;
	for (int i = 0; i < 2; i++)
		check_eq(wf_send(s.c, i), 1);
	for (int i = 2; i < 6; i++) {
		check_eq(wf_waitgroup_spawn(&s.wg, put, &s, i), 0);
		wait_parked(&s.began, i - 1);
	}
	for (int i = 0; i < 6; i++) {
		check_eq(wf_len(s.c), i < 4 ? 2 : 6 - i);
		check_eq(wf_recv(s.c, &v), 1);
		check_eq(v, i);
	}
	stage_close(&s);
	check_eq(value_of(&s.ended), 4);
}

static void
parked_receivers_fifo(void)
{
	struct stage s;

	for (size_t cap = 0; cap < 3; cap++) {
		if (!stage_open(&s, cap))
			return;
		for (int i = 0; i < 8; i++) {
			check_eq(wf_waitgroup_spawn(&s.wg, take_value, &s, i),
			    0);
			wait_parked(&s.began, i + 1);
		}
		for (int i = 0; i < 8; i++)
			check_eq(wf_send(s.c, i), 1);
		stage_close(&s);
		check_eq(value_of(&s.ended), 8);
	}
}

static void
parked_senders_fifo(void)
{
	struct stage s;
	int v;

	if (!stage_open(&s, 0))
		return;
	for (int i = 0; i < 8; i++) {
		check_eq(wf_waitgroup_spawn(&s.wg, put, &s, i), 0);
		wait_parked(&s.began, i + 1);
	}
	check_eq(wf_len(s.c), 0);
	for (int i = 0; i < 8; i++) {
		check_eq(wf_recv(s.c, &v), 1);
		check_eq(v, i);
	}
	stage_close(&s);
}

static void
len_ignores_senders(void)
{
	struct stage s;

	if (!stage_open(&s, 2))
		return;
	check(wf_send(s.c, 1) == 1 && wf_send(s.c, 2) == 1);
	check_eq(wf_waitgroup_spawn(&s.wg, put, &s, 3), 0);
	check_eq(wf_waitgroup_spawn(&s.wg, put, &s, 4), 0);
	wait_parked(&s.began, 2);
	check_eq(wf_len(s.c), 2);
	for (int i = 0; i < 4; i++)
		check_eq(wf_recv(s.c, NULL), 1);
	stage_close(&s);
}

static void
stop_runtime(void)
{
	check_eq(wf_stop(10 * WF_SEC), 0);
	check_eq(wf_stop(0), 0);
}

/* Case 74. */
static int
range(void)
{
	wf_chan(int) c = wf_chan_make(int, 10);
	int v, n = 0;

	if (!check(c != NULL))
		return 1;
	for (int i = 0; i < 10; i++)
		check_eq(wf_send(c, i), 1);
	while (wf_recv(c, &v))		/* leave early: that closes nothing */
		if (v == 4)
			break;
	check_eq(wf_try_send(c, 10), 1);
	check_eq(wf_close(c), 0);
	for (n = 5; wf_recv(c, &v); n++)
		check_eq(v, n);
	check_eq(n, 11);
	for (n = 0; wf_recv(c, &v); n++)
		check(!"the body of a loop over a closed, empty channel");
	check_eq(n, 0);
	wf_chan_free(c);
	return 0;
}

/* One-way views are the same channel. */

static void
use_out(wf_chan_out(int) out)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());

	check_eq(wf_send(out, 1), 1);
	check_eq(wf_try_send(out, 2), 1);
	check_eq(wf_send_ctx(ctx, out, 3), 1);
	check_eq(wf_select(wf_on_send(out, 4)), 0);
	check_eq(wf_close(out), 0);
	wf_ctx_free(ctx);
}

static int
views(void)
{
	wf_chan(int) c = wf_chan_make(int, 4);
	wf_chan_in(int) in;
	wf_waitgroup wg = {0};
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	int v;

	if (!check(c != NULL))
		return 1;
	in = wf_in(c);
	check_eq(wf_waitgroup_spawn(&wg, use_out, wf_out(c)), 0);
	wf_waitgroup_wait(&wg);
	check_eq(wf_len(in), 4);
	check(wf_recv(in, &v) == 1 && v == 1);
	check(wf_try_recv(in, &v) == 1 && v == 2);
	check(wf_recv_ctx(ctx, in, &v) == 1 && v == 3);
	check(wf_select(wf_on_recv(in, &v)) == 0 && v == 4);
	check_eq(wf_recv(in, &v), 0);
	wf_ctx_free(ctx);
	wf_chan_free(in);
	return 0;
}

/* Channel and value are evaluated once each. */
static int
evaluated_once(void)
{
	wf_chan(int) c = wf_chan_make(int, 4), *p = &c;
	int n = 0, v[4] = {0}, *at = v;

	if (!check(c != NULL))
		return 1;
	check_eq(wf_send(*p++, ++n), 1);
	check_eq(p - &c, 1);
	check_eq(n, 1);
	check_eq(wf_recv(*--p, at++), 1);
	check_eq(p - &c, 0);
	check_eq(at - v, 1);
	check_eq(v[0], 1);
	check_eq(wf_try_send(*p++, ++n), 1);
	check_eq(wf_try_recv(*--p, at++), 1);
	check_eq(v[1], 2);
	check(n == 2 && p == &c && at == v + 2);
	wf_chan_free(c);
	return 0;
}

/* Values that nobody took go with the channel. */
static int
freed_with_values(void)
{
	wf_chan(int) c = wf_chan_make(int, 10);

	if (!check(c != NULL))
		return 1;
	for (int i = 0; i < 7; i++)
		check_eq(wf_send(c, i), 1);
	wf_chan_free(c);
	return 0;
}

/* Misuse, and waits that nothing can end: each in a child. */

static int
app_send_null(void)
{
	wf_chan(int) none = NULL;

	return wf_send(none, 1);
}

static int
app_recv_null(void)
{
	wf_chan(int) none = NULL;

	return wf_recv(none, NULL);
}

static int
app_close_null(void)
{
	wf_chan(int) none = NULL;

	return wf_close(none);
}

static int
app_absurd(void)
{
	wf_chan(int) c = wf_chan_make(int, SIZE_MAX / sizeof(int) + 2);

	return wf_send(c, 1);
}

static int
app_recv_for_ever(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	return wf_recv(c, NULL);
}

static void
other_waiter(wf_chan(int) c)
{
	wf_recv(c, NULL);
}

static int
app_two_for_ever(void)
{
	wf_chan(int) c = wf_chan_make(int, 1), d = wf_chan_make(int, 1);

	if (wf_spawn(other_waiter, d) < 0 || wf_send(c, 1) != 1)
		return 1;
	return wf_send(c, 2);
}

static int
send_null(void)
{
	return wf_run(app_send_null);
}

static int
recv_null(void)
{
	return wf_run(app_recv_null);
}

static int
close_null(void)
{
	return wf_run(app_close_null);
}

static int
absurd(void)
{
	return wf_run(app_absurd);
}

static int
recv_null_plain(void)
{
	return app_recv_null();
}

static int
recv_for_ever(void)
{
	return wf_run(app_recv_for_ever);
}

static int
two_for_ever(void)
{
	return wf_run(app_two_for_ever);
}

static void
wait_to_be_freed(struct stage *s)
{
	bump(&s->began);
	wf_recv(s->c, NULL);
}

static void
wait_to_be_freed_send(struct stage *s)
{
	bump(&s->began);
	wf_send(s->c, 1);
}

static int
free_with_receiver(void)
{
	static struct stage s;

	if (!stage_open(&s, 1) || wf_spawn(wait_to_be_freed, &s) < 0)
		return 1;
	wait_parked(&s.began, 1);
	wf_chan_free(s.c);
	return 0;
}

static int
free_with_sender(void)
{
	static struct stage s;

	if (!stage_open(&s, 0) || wf_spawn(wait_to_be_freed_send, &s) < 0)
		return 1;
	wait_parked(&s.began, 1);
	wf_chan_free(s.c);
	return 0;
}

static void
test_misuse(void)
{
	tap_child("case 33: send to NULL is misuse", send_null, TAP_ABORTED,
	    "weft: wf_send", "app_send_null", "chan.c:");
	tap_child("case 36: receive from NULL is misuse", recv_null,
	    TAP_ABORTED, "weft: wf_recv", "app_recv_null", "chan.c:");
	tap_child("case 36: also on a plain thread", recv_null_plain,
	    TAP_ABORTED, "weft: wf_recv");
	tap_child("close of NULL is misuse", close_null, TAP_ABORTED,
	    "weft: wf_close", "app_close_null");
	tap_child("freeing under a receiver is misuse", free_with_receiver,
	    TAP_ABORTED, "weft: wf_chan_free", "wait_to_be_freed");
	tap_child("freeing under a sender is misuse", free_with_sender,
	    TAP_ABORTED, "weft: wf_chan_free", "wait_to_be_freed_send");
	tap_child("an absurd capacity is misuse", absurd, TAP_ABORTED,
	    "weft: wf_chan_make", "app_absurd");
	if (TAP_TSAN) {
		tap_skip("deadlocks are reported",
		    "the race detector has a thread of its own");
		return;
	}
	tap_child("a receive that nothing can end is a deadlock",
	    recv_for_ever, 2, "weft: deadlock", "app_recv_for_ever",
	    "chan.c:");
	tap_child("a deadlock names all coroutines", two_for_ever, 2,
	    "weft: deadlock", "app_two_for_ever", "other_waiter");
}

static void
test_parked(void)
{
	tap_plain("case 64: close with parked senders", close_with_senders);
	tap_plain("close from outside wakes a crowd", crowd_from_outside);
	tap_plain("case 65: hand-off bypasses the buffer", handoff_bypasses);
	tap_plain("case 66: parked senders refill the buffer", senders_refill);
	tap_plain("case 67: parked receivers are first come, first served",
	    parked_receivers_fifo);
	tap_plain("case 67: so are parked senders", parked_senders_fifo);
	tap_plain("case 68: len ignores parked senders", len_ignores_senders);
	tap_plain("the runtime stops after all that", stop_runtime);
}

static void
test_states(void)
{
	tap_test("case 16: pointers through a full channel",
	    pointers_through_full);
	tap_test("cases 34, 35: try on NULL", null_channel);
	tap_test("cases 37, 38: closed is a state", closed_channel);
	tap_test("case 74: range", range);
	tap_test("the ring wraps", ring_wraps);
	tap_test("one-way views", views);
	tap_test("arguments are evaluated once", evaluated_once);
	tap_test("freed with values inside", freed_with_values);
}

static void
test_basic(void)
{
	tap_test_workers("cases 1, 2: an empty channel", empty_receive);
	tap_test_workers("case 3: a full channel", full_send);
	tap_test_workers("cases 4, 5: drain after close", drain_after_close);
	tap_test_workers("case 6: close wakes all receivers",
	    close_wakes_receivers);
	tap_test_workers("close wakes a crowd", close_wakes_crowd);
	tap_test_workers("case 7: one pair is first in, first out", fifo_pair);
	tap_test_workers("case 8: the same, ok is never early", fifo_pair_ok);
	tap_test_workers("case 10: len and cap", len_and_cap);
}

int
main(void)
{
	test_misuse();
	test_parked();
	test_states();
	test_basic();
	return tap_end();
}
