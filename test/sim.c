/* SPDX-License-Identifier: MIT */
/*
 * sim.c - tests of simulations: the clock, the ends, what is found, and how it
 * is seen again.  What is determined to the byte, see story.c.
 */
#include <pthread.h>

#include "tap.h"
#include <weft/errno.h>

enum { SCHEDULES = 300 };

static struct wf_sim_result result;

static struct wf_sim_options
quiet(unsigned schedules)
{
	return (struct wf_sim_options){ .schedules = schedules, .quiet = true,
	    .result = &result };
}

/* ---- results ---- */

static int
give_back(int a, double b, const char *text)
{
	return a == 3 && b == 0.5 && !strcmp(text, "x") ? 0 : 7;
}

static int
fail_by_result(void)
{
	return 5;
}

static void
results(void)
{
	struct wf_sim_options o = quiet(10);

	check_eq(wf_sim(&o, give_back, 3, 0.5, "x"), WF_SIM_PASSED);
	check_eq(result.schedules, 10);
	check_eq(result.seed, 10);
	check_eq(wf_sim(&o, fail_by_result), WF_SIM_FAILED);
	check_eq(result.schedules, 1);
	check(!strcmp(result.what, "fail_by_result() returned 5"));
	check_eq(wf_sim(NULL, give_back, 3, 0.5, "x"), 0);
	o.depth = 17;
	check_eq(wf_sim(&o, give_back, 3, 0.5, "x"), -EINVAL);
	o = quiet(1);
	o.how = (enum wf_sim_how)9;
	check_eq(wf_sim(&o, give_back, 3, 0.5, "x"), -EINVAL);
}

static int
nest(void)
{
	struct wf_sim_options o = quiet(1);

	wf_sim_check(wf_sim(&o, fail_by_result) == -EBUSY);
	wf_sim_check(wf_start(NULL) == -EBUSY);
	wf_sim_check(wf_stop(0) == -EPERM);
	wf_sim_check(wf_workers(16) == 1);
	return 0;
}

static int
run_beside(void)
{
	struct wf_sim_options o = quiet(1);

	check_eq(wf_sim(&o, fail_by_result), -EBUSY);
	return 0;
}

static void
one_at_a_time(void)
{
	struct wf_sim_options o = quiet(1);

	check_eq(wf_run(run_beside), 0);
	check_eq(wf_sim(&o, nest), 0);
	check_eq(wf_start(NULL), 0);
	check_eq(wf_sim(&o, nest), -EBUSY);
	check_eq(wf_stop(WF_SEC), 0);
	check_eq(wf_sim(&o, nest), 0);
	check_eq(wf_run(run_beside), 0);
}

/* ---- the clock: cases 250 to 260 ---- */

static void
look_at_clock(int64_t wanted, wf_waitgroup *wg)
{
	wf_sim_check(wf_now() == wanted);
	wf_sleep(3 * WF_SEC + 1);
	wf_sim_check(wf_now() == wanted + 3 * WF_SEC + 1);
	wf_waitgroup_done(wg);
}

static int
exact_clock(void)
{
	wf_waitgroup wg = { 0 };
	int64_t begin = wf_now();

	wf_sim_check(begin == 1000 * WF_SEC);
	wf_waitgroup_add(&wg, 1);
	wf_spawn(look_at_clock, begin, &wg);
	wf_sleep(WF_NS);
	wf_sim_check(wf_now() == begin + 1);
	for (int i = 0; i < 100; i++)
		wf_yield();
	wf_sim_check(wf_now() == begin + 1);
	wf_waitgroup_wait(&wg);
	wf_sim_check(wf_now() == begin + 3 * WF_SEC + 1);
	wf_sleep(1000000 * WF_SEC);
	wf_sim_check(wf_now() == begin + 1000003 * WF_SEC + 1);
	return 0;
}

static void
chain(int left, int *count)
{
	++*count;
	if (left)
		wf_spawn(chain, left - 1, count);
}

static int
settle(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	int64_t begin = wf_now();
	int count = 0;

	wf_sim_check(wf_sim_settle() == 0);
	wf_spawn(chain, 0, &count);
	wf_sim_check(wf_sim_settle() == 0 && count == 1);
	wf_spawn(chain, 99, &count);
	wf_sim_check(wf_sim_settle() == 0 && count == 101);
	wf_sim_check(wf_now() == begin);
	wf_chan_free(c);
	return 0;
}

static void
mark(int *n)
{
	++*n;
}

static int called;

/* A timer that is pending at the end never fires; one of zero needs no time. */
static int
timers(void)
{
	wf_timer *zero = wf_timer_make(0), *call;
	int64_t begin = wf_now(), when = 0;
	wf_chan_in(int64_t) after;

	called = 0;
	wf_sim_check(wf_try_recv(wf_timer_chan(zero), &when) == 1);
	wf_sim_check(when == begin);
	call = wf_after_func(0, mark, &called);
	wf_sim_check(wf_sim_settle() == 0 && called == 1 && wf_now() == begin);
	wf_sim_check(wf_timer_reset(call, WF_SEC) == 0);
	after = wf_after(2 * WF_SEC);
	wf_sim_check(wf_recv(after, &when) == 1 && when == begin + 2 * WF_SEC);
	wf_sim_check(called == 2);
	wf_timer_free(zero);
	wf_timer_free(call);
	wf_chan_free(after);
	wf_after_func(WF_SEC, mark, &called);	/* left */
	return 0;
}

static int
contexts(void)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_SEC);
	wf_chan(int) c = wf_chan_make(int, 0);
	int64_t begin = wf_now();
	int v;

	wf_sim_check(wf_recv_ctx(ctx, c, &v) == -ETIMEDOUT);
	wf_sim_check(wf_now() == begin + WF_SEC);
	wf_sim_check(wf_select(wf_on_recv(c, &v), wf_on_timeout(WF_MS)) == 1);
	wf_sim_check(wf_now() == begin + WF_SEC + WF_MS);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	return 0;
}

static void
virtual_time(void)
{
	struct wf_sim_options o = quiet(100);
	static int (*const all[])(void) = { exact_clock, settle, timers,
	    contexts };

	for (unsigned i = 0; i < 4; i++)
		check_eq(wf_sim(&o, all[i]), 0);
	check_eq(called, 2);
	check_eq(wf_sim_settle(), -EPERM);
}

/* With stalls, time goes on while somebody can run; never backwards. */
static int
stalled(void)
{
	wf_ticker *t = wf_ticker_make(WF_MS);
	int64_t begin = wf_now(), last = begin;

	for (int i = 0; i < 50; i++) {
		wf_yield();
		wf_sim_check(wf_now() >= last);
		last = wf_now();
	}
	wf_ticker_free(t);
	return last > begin;
}

static void
stalls(void)
{
	struct wf_sim_options o = quiet(10);

	check_eq(wf_sim(&o, stalled), 0);
	o.stalls = true;
	check_eq(wf_sim(&o, stalled), WF_SIM_FAILED);
	for (o.how = WF_SIM_PCT; o.how <= WF_SIM_EXHAUSTIVE; o.how++)
		check_eq(wf_sim(&o, stalled), WF_SIM_FAILED);
}

/* ---- bad ends ---- */

static void
hang(wf_chan(int) c)
{
	wf_recv(c, NULL);
}

static int
root_blocks(void)
{
	wf_recv(wf_chan_make(int, 0), NULL);
	return 0;
}

static int
child_blocks(void)
{
	wf_spawn(hang, wf_chan_make(int, 3));
	return 0;
}

static void
tick(void)
{
	wf_ticker *t = wf_ticker_make(WF_SEC);

	while (wf_recv(wf_ticker_chan(t), NULL))
		;
}

static int
ticker_left(void)
{
	wf_spawn(tick);
	wf_sleep(10 * WF_SEC);
	return 0;
}

static void
poll_for_ever(int *flag)
{
	while (!*flag)
		wf_yield();
}

static int
polls(void)
{
	static int never;

	wf_spawn(poll_for_ever, &never);
	return 0;
}

static int
negative(void)
{
	wf_waitgroup wg = { 0 };

	wf_waitgroup_done(&wg);
	return 0;
}

static int
busy_chan_freed(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	wf_spawn(hang, c);
	wf_sim_settle();
	wf_chan_free(c);
	return 0;
}

static int
exits(void)
{
	wf_waitgroup wg = { 0 };

	wf_waitgroup_spawn(&wg, look_at_clock, wf_now(), &wg);
	wf_exit();
	return 1;
}

static int
exits_well(void)
{
	static int count;

	wf_spawn(chain, 3, &count);
	wf_exit();
	return 1;
}

static void
bad_ends(void)
{
	struct wf_sim_options o = quiet(3);

	check_eq(wf_sim(&o, root_blocks), WF_SIM_DEADLOCK);
	check(strstr(result.what, "all 1 coroutines are parked"));
	check_eq(wf_sim(&o, child_blocks), WF_SIM_LEFT);
	check(strstr(result.what, "1 coroutines are left"));
	check_eq(wf_sim(&o, ticker_left), WF_SIM_LEFT);
	check_eq(wf_sim(&o, negative), WF_SIM_MISUSE);
	check(strstr(result.what, "goes from 0 to -1"));
	check_eq(wf_sim(&o, busy_chan_freed), WF_SIM_MISUSE);
	check_eq(wf_sim(&o, exits), WF_SIM_MISUSE);
	check_eq(wf_sim(&o, exits_well), WF_SIM_PASSED);
	o.steps = 500;
	check_eq(wf_sim(&o, polls), WF_SIM_LIVELOCK);
	check(strstr(result.what, "500 steps"));
	o.may_leave = true;
	check_eq(wf_sim(&o, polls), 0);
	check_eq(wf_sim(&o, child_blocks), 0);
	check_eq(wf_sim(&o, ticker_left), 0);
	check_eq(result.schedules, 3);
}

/* ---- randomness ---- */

static uint64_t drawn[4];

static void
draw(int at)
{
	drawn[at] = wf_rand();
}

static int
draws(void)
{
	for (int i = 0; i < 4; i++)
		wf_spawn(draw, i);
	return 0;
}

static void
randomness(void)
{
	struct wf_sim_options o = quiet(1);
	uint64_t before[4];

	check_eq(wf_sim(&o, draws), 0);
	memcpy(before, drawn, sizeof before);
	check(before[0] != before[1] && before[2] != before[3]);
	o.how = WF_SIM_PCT;		/* in another order, the same */
	check_eq(wf_sim(&o, draws), 0);
	check(!memcmp(before, drawn, sizeof before));
	o.seed = 2;
	check_eq(wf_sim(&o, draws), 0);
	check(memcmp(before, drawn, sizeof before));
	check(wf_rand() != wf_rand());
}

/* ---- finding, and seeing again ---- */

static int shared;

static void
bump(void)
{
	int v = shared;

	wf_sim_point();
	shared = v + 1;
}

static int
lost_update(int n)
{
	wf_waitgroup wg = { 0 };

	shared = 0;
	for (int i = 0; i < n; i++)
		wf_waitgroup_spawn(&wg, bump);
	wf_waitgroup_wait(&wg);
	wf_sim_check(shared == n);
	return 0;
}

static void
again(const char *seed, int wanted)
{
	struct wf_sim_options o = quiet(1000);
	char what[sizeof result.what];

	memcpy(what, result.what, sizeof what);
	setenv("WEFT_SIM_SEED", seed, 1);
	check_eq(wf_sim(&o, lost_update, 8), wanted);
	unsetenv("WEFT_SIM_SEED");
	check_eq(result.schedules, 1);
	if (wanted)
		check(!strcmp(what, result.what));
}

static void
found_and_seen_again(void)
{
	static const char *const good[] = { "1:", "3:1.1=77,55.2=1" };
	struct wf_sim_options o = quiet(SCHEDULES);
	char seed[sizeof result.replay];

	for (o.how = WF_SIM_RANDOM; o.how <= WF_SIM_EXHAUSTIVE; o.how++) {
		check_eq(wf_sim(&o, lost_update, 8), WF_SIM_FAILED);
		check(strstr(result.what, "sim.c:"));
		check(strstr(result.what, "shared == n"));
		/* One is held up, and goes on when another one has written. */
		check(result.switches <= 12);
		memcpy(seed, result.replay, sizeof seed);
		check(seed[0] != '\0');
		again(seed, WF_SIM_FAILED);
		if (o.how != WF_SIM_RANDOM)
			continue;
		check_eq(wf_sim(&o, lost_update, 8), WF_SIM_FAILED);
		snprintf(seed, sizeof seed, "%llu",
		    (unsigned long long)result.seed);
		again(seed, WF_SIM_FAILED);
	}
	for (int i = 0; i < 2; i++)
		again(good[i], 0);
	o.parks_only = true;		/* then nobody is held up */
	o.how = WF_SIM_RANDOM;
	check_eq(wf_sim(&o, lost_update, 8), 0);
}

/* The name before the @ says whose recipe it is. */
static void
named(void)
{
	struct wf_sim_options o = quiet(2);

	o.name = "mine";
	setenv("WEFT_SIM_SEED", "other@5:", 1);
	check_eq(wf_sim(&o, lost_update, 1), 0);
	check_eq(result.schedules, 2);
	setenv("WEFT_SIM_SEED", "mine@5:", 1);
	check_eq(wf_sim(&o, lost_update, 1), 0);
	check_eq(result.schedules, 1);
	check_eq(result.seed, 5);
	check(!strcmp(result.replay, "mine@5:"));
	setenv("WEFT_SIM_SEED", "mine@x", 1);
	check_eq(wf_sim(&o, lost_update, 1), -EINVAL);
	unsetenv("WEFT_SIM_SEED");
	setenv("WEFT_SIM_SCHEDULES", "17", 1);
	check_eq(wf_sim(&o, lost_update, 1), 0);
	check_eq(result.schedules, 17);
	unsetenv("WEFT_SIM_SCHEDULES");
}

/* ---- each in turn ---- */

static int orders;		/* bits: orders of three that were seen */
static int place, order;

static void
come(int who)
{
	order = order * 3 + who;
	place++;
}

static int
three_come(void)
{
	wf_waitgroup wg = { 0 };

	place = order = 0;
	for (int i = 0; i < 3; i++)
		wf_waitgroup_spawn(&wg, come, i);
	wf_waitgroup_wait(&wg);
	orders |= 1 << order;
	return 0;
}

static int lots;

static int
draw_three(void)
{
	wf_chan(int) c[3];

	for (int i = 0; i < 3; i++) {
		c[i] = wf_chan_make(int, 1);
		wf_send(c[i], i);
	}
	lots |= 1 << wf_select(wf_on_recv(c[0], NULL), wf_on_recv(c[1], NULL),
	    wf_on_recv(c[2], NULL));
	for (int i = 0; i < 3; i++)
		wf_chan_free(c[i]);
	return 0;
}

static void
each_in_turn(void)
{
	struct wf_sim_options o = quiet(0);

	o.how = WF_SIM_EXHAUSTIVE;
	orders = 0;
	check_eq(wf_sim(&o, three_come), 0);
	check(result.complete);
	check_eq(__builtin_popcount((unsigned)orders), 6);
	check(result.schedules >= 6 && result.schedules < 1000);
	lots = 0;
	check_eq(wf_sim(&o, draw_three), 0);
	check(result.complete);
	check_eq(result.schedules, 3);
	check_eq(lots, 7);
	o.schedules = 2;
	check_eq(wf_sim(&o, draw_three), 0);
	check(!result.complete);
}

/* What has nothing to do with each other: one order of it is enough. */
static void
use_own(void)
{
	wf_mutex own = { 0 };

	for (int i = 0; i < 3; i++) {
		wf_mutex_lock(&own);
		wf_mutex_unlock(&own);
	}
}

static int
each_its_own(int n)
{
	for (int i = 0; i < n; i++)
		wf_spawn(use_own);
	return 0;
}

static void
reduced(void)
{
	struct wf_sim_options o = quiet(2000);
	unsigned bounded;

	o.how = WF_SIM_EXHAUSTIVE;
	check_eq(wf_sim(&o, each_its_own, 3), 0);
	check(!result.complete);
	o.reduce = true;
	check_eq(wf_sim(&o, each_its_own, 3), 0);
	check(result.complete);
	bounded = result.schedules;
	o.preemptions = WF_SIM_ANY;
	check_eq(wf_sim(&o, each_its_own, 3), 0);
	check(result.complete && result.schedules < bounded / 10);
	check_eq(wf_sim(&o, lost_update, 3), WF_SIM_FAILED);
	orders = lots = 0;
	check_eq(wf_sim(&o, three_come), 0);
	check_eq(wf_sim(&o, draw_three), 0);
	check_eq(lots, 7);
	/* Too many for bits, and time that goes on: in another way. */
	o.schedules = 5;
	check_eq(wf_sim(&o, each_its_own, 70), 0);
	check_eq(result.schedules, 5);
	o.stalls = true;
	o.schedules = 0;
	check_eq(wf_sim(&o, stalled), WF_SIM_FAILED);
}

/* It changes behind the simulation's back. */
static int
unsteady(void)
{
	static int n;

	for (int i = 0; i < n % 7; i++)
		wf_spawn(bump);
	n++;
	return n % 5 == 4;
}

static void
not_determined(void)
{
	struct wf_sim_options o = quiet(50);

	check_eq(wf_sim(&o, unsteady), WF_SIM_UNSTEADY);
	o.how = WF_SIM_EXHAUSTIVE;
	check_eq(wf_sim(&o, unsteady), WF_SIM_UNSTEADY);
}

/* ---- the rest of weft inside ---- */

static void
pinned(wf_waitgroup *wg)
{
	wf_sim_check(wf_pin() == 0);
	for (int i = 0; i < 3; i++) {
		errno = i;
		wf_yield();
		wf_sim_check(errno == i);
	}
	wf_sim_check(wf_unpin() == 0);
	wf_waitgroup_done(wg);
}

static int
all_of_weft(void)
{
	wf_waitgroup wg = { 0 };
	struct wf_stats s;

	wf_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		wf_spawn(pinned, &wg);
	wf_blocking {
		wf_spawn(mark, &shared);
		wf_sim_point();
	}
	wf_waitgroup_wait(&wg);
	wf_stats(&s);
	wf_sim_check(s.workers == 1 && wf_self() == 1);
	wf_sim_check(s.spawned == 5);
	return 0;
}

static void
the_rest(void)
{
	struct wf_sim_options o = quiet(100);

	check_eq(wf_sim(&o, all_of_weft), 0);
}

static void *
foreign(void *arg)
{
	(void)arg;
	wf_recv(wf_chan_make(int, 0), NULL);
	return NULL;
}

static int
starts_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, foreign, NULL);
	pthread_join(t, NULL);
	return 0;
}

static int
foreign_thread(void)
{
	return wf_sim(NULL, starts_thread);
}

static int
fails_outside(void)
{
	wf_sim_check(1 + 1 == 3);
	return 0;
}

static int
reported(void)
{
	struct wf_sim_options o = { .schedules = 500, .seed = 3 };

	return wf_sim(&o, lost_update, 3);
}

static void
die(void)
{
	abort();
}

static int
mortal(void)
{
	wf_spawn(die);
	return 0;
}

static int
death_reported(void)
{
	struct wf_sim_options o = { .seed = 77 };

	return wf_sim(&o, mortal);
}

static int
death_in_turn(void)
{
	struct wf_sim_options o = { .how = WF_SIM_EXHAUSTIVE, .name = "d" };

	return wf_sim(&o, mortal);
}

/* Outside, it is as before. */
static int
death_outside(void)
{
	struct wf_sim_options o = quiet(1);

	wf_sim(&o, draws);
	abort();
}

static int
selects_for_ever(void)
{
	wf_chan(int) c = wf_chan_make(int, 0), d = wf_chan_make(int, 0);

	return wf_select(wf_on_recv(d, NULL), wf_on_send(c, 1));
}

static int
select_reported(void)
{
	return wf_sim(NULL, selects_for_ever);
}

static int
deadlock_reported(void)
{
	return wf_sim(NULL, root_blocks);
}

int
main(void)
{
	tap_count_memory();
	tap_plain("results", results);
	tap_plain("one at a time, and no run beside it", one_at_a_time);
	tap_plain("time is exact", virtual_time);
	tap_plain("time goes on in stalls", stalls);
	tap_plain("bad ends", bad_ends);
	tap_plain("randomness by the seed", randomness);
	tap_plain("found, shrunk, and seen again", found_and_seen_again);
	tap_plain("a recipe for one of several", named);
	tap_plain("each schedule in turn", each_in_turn);
	tap_plain("each that matters", reduced);
	tap_plain("a program that is not determined", not_determined);
	tap_plain("pins, regions, statistics", the_rest);
	tap_child("a thread that is not simulated", foreign_thread,
	    TAP_ABORTED, "a thread that is not simulated waits");
	tap_child("a check outside of a simulation", fails_outside,
	    TAP_ABORTED, "wf_sim_check: sim.c:", "1 + 1 == 3");
	tap_child("a failure is told", reported, WF_SIM_FAILED,
	    "weft: simulation lost_update: sim.c:", "shared == n",
	    "shrunk to", "spawns 3 bump (sim.c:", "is held up",
	    "weft: to see this again: WEFT_SIM_SEED='");
	tap_child("a deadlock is told", deadlock_reported, WF_SIM_DEADLOCK,
	    "deadlock: all 1 coroutines", "1 root_blocks (sim.c:",
	    "is parked to receive on channel 1");
	tap_child("a select is told with its channels", select_reported,
	    WF_SIM_DEADLOCK, "is parked in a select: to receive on channel 2, "
	    "to send on channel 1\n");
	tap_child("a death is told", death_reported, TAP_ABORTED,
	    "weft: simulation mortal: the process dies in schedule 1",
	    "WEFT_SIM_SEED='77' ");
	tap_child("a death in one of all schedules", death_in_turn,
	    TAP_ABORTED, "WEFT_SIM_SEED='d@1:");
	tap_child("a death afterwards", death_outside, TAP_ABORTED, "");
	tap_plain("nothing is left", tap_all_freed);
	return tap_end();
}
