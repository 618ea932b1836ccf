/* SPDX-License-Identifier: MIT */
/*
 * late.c - who waits for a time, beside others that compute.  By a clock of
 * our own, which goes on only where somebody computes, and on one thread: what
 * is late is late by turns of others.
 */
#include "tap.h"

#include "seam.h"
#include "still.h"

static int64_t own_time, own_step;

static int64_t
own_now(void)
{
	return own_time += own_step;
}

static const struct wf__seam seam = { .now = own_now };

/* ---- whole programs ---- */

static void
pump_all(void (*app)(void))
{
	const struct wf_options pumped = { .workers = WF_PUMPED };
	const struct wf__seam *before = wf__seam;
	int64_t then;

	own_time = WF_SEC;
	wf__seam = &seam;
	if (check_eq(wf_start(&pumped), 0)) {
		check_eq(wf_spawn(app), 0);
		while ((then = wf_pump(WF_FOREVER)) != WF_FOREVER)
			own_time += then;
		check_eq(wf_stop(WF_SEC), 0);
	}
	wf__seam = before;
	own_step = 0;
}

enum { HOGS = 4, TICKS = 60, LEARN = 10 };

static struct {
	int64_t share;
	void (*wait)(int64_t ns);
	int64_t worst;
	bool over;
} load;

static void
hog(void)
{
	while (!load.over) {
		own_time += load.share;
		wf_yield();
	}
}

static void
tick_beside_hogs(void)
{
	int64_t due = own_time, late;

	for (int i = 0; i < HOGS; i++)
		check_eq(wf_spawn(hog), 0);
	for (int i = 0; i < TICKS; i++) {
		due = (due > own_time ? due : own_time) + 777 * WF_US;
		load.wait(due - own_time);
		late = own_time - due;
		check(late >= 0);
		if (i >= LEARN && late > load.worst)
			load.worst = late;
	}
	load.over = true;
}

static int64_t
worst_beside(int64_t share, void (*wait)(int64_t))
{
	memset(&load, 0, sizeof load);
	load.share = share;
	load.wait = wait;
	pump_all(tick_beside_hogs);
	return load.worst;
}

static void
sleep_for(int64_t ns)
{
	wf_sleep(ns);
}

static void
wait_for_timer(int64_t ns)
{
	wf_timer *t = wf_timer_make(ns);

	if (check(t))
		check_eq(wf_recv(wf_timer_chan(t), NULL), 1);
	wf_timer_free(t);
}

static void
select_with_timeout(int64_t ns)
{
	wf_chan(int) none = wf_chan_make(int, 0);
	int v;

	check_eq(wf_select(wf_on_recv(none, &v), wf_on_timeout(ns)), 1);
	wf_chan_free(none);
}

/* The turn that is on when the time comes, and nobody else's; of short turns,
 * some microseconds. */
static void
one_turn(void)
{
	static void (*const waits[])(int64_t) = { sleep_for, wait_for_timer,
	    select_with_timeout };

	for (int i = 0; i < 3; i++) {
		check(worst_beside(10 * WF_MS, waits[i]) <= 10 * WF_MS);
		check(worst_beside(100 * WF_US, waits[i]) <= 100 * WF_US);
		check(worst_beside(10 * WF_US, waits[i]) <= 10 * WF_US);
		check(worst_beside(WF_US, waits[i]) <= 8 * WF_US);
	}
}

/* Those whose times have always come, for they sleep for next to nothing, or
 * one by one, do not keep others from their turns, however many they are. */

static struct {
	int sleepers, left;
	int64_t sleep;
	int turns_of_hog, turns_of[50];
} rush;

static void
sleep_often(int i)
{
	while (rush.left-- > 0) {
		rush.turns_of[i]++;
		own_time += 10 * WF_US;
		wf_sleep(rush.sleep);
	}
}

static void
yield_often(void)
{
	while (rush.left-- > 0) {
		rush.turns_of_hog++;
		own_time += 10 * WF_US;
		wf_yield();
	}
}

static void
start_rush(void)
{
	check_eq(wf_spawn(yield_often), 0);
	for (int i = 0; i < rush.sleepers; i++)
		check_eq(wf_spawn(sleep_often, i), 0);
}

static void
check_turns(int sleepers, int64_t sleep)
{
	int fair = 4000 / (sleepers + 1);

	memset(&rush, 0, sizeof rush);
	rush.sleepers = sleepers;
	rush.sleep = sleep;
	rush.left = 4000;
	own_step = 100;
	pump_all(start_rush);
	check(rush.turns_of_hog >= fair / 4);
	for (int i = 0; i < sleepers; i++)
		check(rush.turns_of[i] >= fair / 4);
}

static void
others_have_turns(void)
{
	check_turns(1, 1);
	check_turns(2, 1);
	check_turns(50, 1);
	check_turns(10, 9 * 10 * WF_US);
}

/* ---- a worker that does not run ---- */

static void
set_up(int64_t when, struct wf__worker *of)
{
	still_set_up();
	own_time = WF_SEC;
	wf__seam = &seam;
	wf__timer_start(&of->timers, &timer, when);
}

static void
take_down(const struct wf__seam *before)
{
	still_take_down();
	wf__seam = before;
}

/* All turns until the next housekeeping take so long each. */
static void
run_round(int64_t each)
{
	own_time += (wf__sched_counted(&self) + 1) * each;
	self.countdown = self.rest = 0;
	wf__sched_catch_up(&self);
}

/* Who computes for long between two switches looks at the timers of others,
 * who may do so, too. */
static void
of_others(void)
{
	const struct wf__seam *before = wf__seam;

	set_up(WF_SEC + 100 * WF_MS, &other);
	run_round(0);
	run_round(WF_MS);
	check(wf__load_relaxed(&self.slow));
	check_eq(wf__sched_counted(&self), 0);
	own_time = WF_SEC + 100 * WF_MS + 50 * WF_US;
	run_round(0);
	check_eq(fired, 0);			/* it will come itself */
	run_round(WF_MS);
	check_eq(fired, 1);
	take_down(before);

	set_up(WF_SEC, &other);
	run_round(0);
	for (int i = 0; i < 1000; i++)
		run_round(WF_US);
	check(!wf__load_relaxed(&self.slow));
	check_eq(fired, 0);
	take_down(before);
}

/* Those who were fast begin to compute: that is noticed when the loop comes by,
 * not only when the round is over. */
static void
another_pace(void)
{
	const struct wf__seam *before = wf__seam;

	set_up(WF_SEC + WF_SEC, &self);
	run_round(0);
	run_round(WF_US);
	check_eq(wf__sched_counted(&self), WF__ROUND);
	self.countdown -= 2;
	own_time += 100 * WF_US;
	check(!wf__sched_catch_up(&self));
	check_eq(wf__sched_counted(&self), WF__ROUND - 2);
	own_time += 20 * WF_MS;
	check(!wf__sched_catch_up(&self));
	check(wf__load_relaxed(&self.slow));
	check(wf__sched_counted(&self) < 2);
	own_time = WF_SEC + WF_SEC;
	self.housekept = own_time;
	wf__sched_count(&self, 1);
	check(wf__sched_catch_up(&self));
	check_eq(fired, 1);
	take_down(before);
}

int
main(void)
{
	tap_plain("late by one turn", one_turn);
	tap_plain("others have their turns", others_have_turns);
	tap_plain("timers of others", of_others);
	tap_plain("another pace", another_pace);
	return tap_end();
}
