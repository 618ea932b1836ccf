/* SPDX-License-Identifier: MIT */
/*
 * search.c - when a worker that has nothing left looks around, with workers
 * that do not run.
 */
#include "tap.h"

#include "search.h"
#include "still.h"

/* So many of the two sleep. */
static void
set_up(wf__word idle)
{
	still_set_up();
	wf__store_relaxed(&wf__sched.n_idle, idle);
}

/* Nothing left; then asleep, without the token.  Did it look around?  Each look
 * begins at a random place. */
static bool
looks_around(bool timed)
{
	uint64_t before = self.random;

	wf__search_for_work(&self, timed);
	self.searching = false;
	wf__store_release(&wf__sched.searching, 0);
	return self.random != before;
}

static int
looks_of(int times)
{
	int looks = 0;

	for (int i = 0; i < times; i++)
		looks += looks_around(false);
	return looks;
}

/* Others are awake, who may bring something any moment. */
static void
beside_others(void)
{
	set_up(0);
	check_eq(looks_of(50), 50);
	for (int i = 0; i < 50; i++)
		check(!looks_around(true));
}

/* Each look that was in vain leaves out more of them, but not all. */
static void
the_last(void)
{
	set_up(1);
	check_eq(looks_of(1), 1);
	check_eq(looks_of(1), 0);
	check_eq(looks_of(1), 1);
	check_eq(looks_of(3), 0);
	check_eq(looks_of(1), 1);
	looks_of(300);
	check_eq(looks_of(128 * 5), 5);
}

/* One that was not sets that to none. */
static void
hope(void)
{
	set_up(1);
	looks_of(400);
	check_eq(looks_of(2 * 128), 2);
	wf__timer_start(&other.timers, &timer, 1);
	for (int i = 0; i < 200 && !fired; i++)
		looks_around(false);
	check_eq(fired, 1);
	check_eq(looks_of(1), 1);
	check_eq(looks_of(1), 0);
	check_eq(looks_of(1), 1);
}

/* What is seen to be there is looked for, by the last one as by others. */
static void
for_work(void)
{
	set_up(1);
	looks_of(400);
	for (int i = 0; i < 5; i++) {
		/* As it seems: the look itself finds the ring empty. */
		wf__store_release(&other.queue.length, 1);
		check(looks_around(true));
	}
}

int
main(void)
{
	tap_plain("beside others", beside_others);
	tap_plain("the last one awake", the_last);
	tap_plain("a look that was not in vain", hope);
	tap_plain("what is there", for_work);
	still_take_down();
	return tap_end();
}
