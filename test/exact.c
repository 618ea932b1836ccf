/* SPDX-License-Identifier: MIT */
/*
 * exact.c - random programs of sleeps, timers, deadlines and groups, simulated:
 * where time is exact, so are the results.
 */
#include "tap.h"

enum { USERS = 5, ROUNDS = 8, CHILDREN = 6 };

static int64_t
some_time(void)
{
	return (int64_t)(wf_rand() % 5 + 1) * WF_MS;
}

/* ---- what ends when ---- */

static void
sleeps(int64_t begin, int64_t a, int64_t b)
{
	wf_sleep(a);
	wf_sim_check(wf_now() == begin + a);
	wf_sleep(-b);
	wf_sim_check(wf_now() == begin + a);
}

static void
sleeps_under_deadline(int64_t begin, int64_t a, int64_t b)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), a);
	wf_ctx *child = wf_ctx_with_timeout(ctx, b + WF_SEC);
	int err = wf_sleep_ctx(child, b);

	wf_sim_check(wf_ctx_deadline(child) == begin + a);
	wf_sim_check(wf_now() == begin + (a < b ? a : b));
	wf_sim_check(a == b || err == (a < b ? -ETIMEDOUT : 0));
	wf_ctx_free(child);
	wf_ctx_free(ctx);
}

static void
sets_timer_again(int64_t begin, int64_t a, int64_t b)
{
	wf_timer *t = wf_timer_make(a);
	int64_t when = 0;

	wf_sleep(b);
	/* What was not received is still to come. */
	wf_sim_check(wf_timer_reset(t, a + b) == 1);
	wf_sim_check(wf_recv(wf_timer_chan(t), &when) == 1);
	wf_sim_check(when == begin + a + 2 * b && wf_now() == when);
	wf_sim_check(!wf_timer_stop(t));
	wf_sim_check(wf_try_recv(wf_timer_chan(t), &when) == -EAGAIN);
	wf_timer_free(t);
}

static void
ticks(int64_t begin, int64_t a, int64_t b)
{
	wf_ticker *t = wf_ticker_make(a);
	int64_t when;

	for (int i = 1; i <= 3; i++) {
		wf_sim_check(wf_recv(wf_ticker_chan(t), &when) == 1);
		wf_sim_check(when == begin + i * a && wf_now() == when);
	}
	wf_sim_check(wf_ticker_reset(t, b) == 1);
	wf_sim_check(wf_recv(wf_ticker_chan(t), &when) == 1);
	wf_sim_check(when == begin + 3 * a + b);
	wf_ticker_free(t);
}

static void
note_time(int64_t *at)
{
	*at = wf_now();
}

static void
calls_later(int64_t begin, int64_t a, int64_t b)
{
	int64_t at = 0;
	wf_timer *t = wf_after_func(a, note_time, &at);

	wf_sleep(b);
	wf_sim_settle();
	wf_sim_check(a > b ? at == 0 : at == begin + a);
	wf_sim_check(wf_timer_stop(t) == (a > b));
	wf_timer_free(t);
	wf_sleep(a);
	wf_sim_check(a > b ? at == 0 : at == begin + a);
}

static void
selects(int64_t begin, int64_t a, int64_t b)
{
	wf_chan_in(int64_t) after = wf_after(a);
	int64_t when = 0;
	int i = wf_select(wf_on_recv(after, &when), wf_on_timeout(b));

	wf_sim_check(wf_now() == begin + (a < b ? a : b));
	wf_sim_check(a == b || i == (a > b));
	wf_sim_check(i || when == begin + a);
	wf_chan_free(after);
}

static void
use_time(void)
{
	static void (*const all[])(int64_t, int64_t, int64_t) = { sleeps,
	    sleeps_under_deadline, sets_timer_again, ticks, calls_later,
	    selects };

	for (int i = 0; i < ROUNDS; i++)
		all[wf_rand() % 6](wf_now(), some_time(), some_time());
}

static int
times(void)
{
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < USERS; i++)
		wf_waitgroup_spawn(&wg, use_time);
	wf_waitgroup_wait(&wg);
	return 0;
}

/* ---- groups ---- */

static int
child(wf_ctx *ctx, int64_t until, int err)
{
	int ended = wf_sleep_ctx(ctx, until - wf_now());

	return ended ? ended : err;
}

/* The first error by time is the result, and the end of all others. */
static int
group(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());
	int64_t begin = wf_now(), first = WF_FOREVER, last = 0, end;
	int wanted = 0;

	for (int i = 0; i < CHILDREN; i++) {
		/* No two at the same time. */
		int64_t end_of_child = begin + 10 * some_time() + i + 1;
		int err = wf_rand() % 4 ? 0 : -(100 + i);

		if (err && end_of_child < first) {
			first = end_of_child;
			wanted = err;
		}
		last = end_of_child > last ? end_of_child : last;
		wf_sim_check(wf_group_spawn(g, child, wf_group_ctx(g),
		    end_of_child, err) == 0);
	}
	end = first < last ? first : last;
	wf_sim_check(wf_group_wait(g) == wanted);
	wf_sim_check(wf_now() == end);
	wf_sim_check(wf_group_active(g) == 0);
	wf_sim_check(wf_ctx_err(wf_group_ctx(g)) == -ECANCELED);
	wf_group_free(g);
	return 0;
}

/* ---- all together ---- */

static void
simulate(int (*fn)(void))
{
	struct wf_sim_result r;
	struct wf_sim_options o = { .result = &r,
	    .schedules = (unsigned)tap_scale(20000, 1000) };

	for (; o.how < WF_SIM_EXHAUSTIVE; o.how++) {
		check_eq(wf_sim(&o, fn), 0);
		check_eq(r.schedules, o.schedules);
	}
}

static void
exact_times(void)
{
	simulate(times);
}

static void
exact_groups(void)
{
	simulate(group);
}

int
main(void)
{
	tap_plain("sleeps, timers, deadlines", exact_times);
	tap_plain("groups", exact_groups);
	return tap_end();
}
