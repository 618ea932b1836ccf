/* SPDX-License-Identifier: MIT */
/*
 * slot.c - values of their own for coroutines.
 */
#include <pthread.h>

#include "tap.h"

enum { CROWD = 200 };

static int number, plain;		/* slots */
static int destroyed, again_left;	/* atomic */
static int again;

static void
note_destroy(void *value)
{
	(void)value;
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
	wf_yield();			/* it is still a coroutine */
}

/* Sets itself again as long as it is asked to. */
static void
set_again(void *value)
{
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
	if (__atomic_sub_fetch(&again_left, 1, __ATOMIC_RELAXED) > 0)
		check_eq(wf_slot_set(again, value), 0);
}

/* Each has its own, wherever it runs. */
static void
keep(int id, int how)
{
	int mine = id;

	check(wf_slot_get(number) == NULL);
	check_eq(wf_slot_set(number, &mine), 0);
	for (int i = 0; i < 20; i++) {
		if (how % 2)
			wf_yield();
		else
			wf_sleep(10 * WF_US);
		check(wf_slot_get(number) == &mine);
		check(wf_slot_get(plain) == NULL);
	}
	if (how == 2)
		wf_exit();
	if (how == 3)
		check_eq(wf_slot_set(number, NULL), 0);
}

static int
crowd(void)
{
	wf_waitgroup wg = {0};
	int expected = 0;

	destroyed = 0;
	for (int i = 0; i < CROWD; i++) {
		check_eq(wf_waitgroup_spawn(&wg, keep, i, i % 4), 0);
		expected += i % 4 != 3;
	}
	wf_waitgroup_wait(&wg);		/* told after the destructors */
	check_eq(destroyed, expected);
	return 0;
}

static void
keep_setting(void)
{
	check_eq(wf_slot_set(again, &again), 0);
}

static int
sets_again(void)
{
	wf_waitgroup wg = {0};

	destroyed = 0;
	again_left = 3;
	check_eq(wf_waitgroup_spawn(&wg, keep_setting), 0);
	wf_waitgroup_wait(&wg);
	check_eq(destroyed, 3);
	again_left = 1000;		/* but not for ever */
	check_eq(wf_waitgroup_spawn(&wg, keep_setting), 0);
	wf_waitgroup_wait(&wg);
	check_eq(destroyed, 3 + 4);
	return 0;
}

static int
wrong_numbers(void)
{
	int v = 0;

	check_eq(wf_slot_set(-1, &v), -EINVAL);
	check_eq(wf_slot_set(WF_SLOTS, &v), -EINVAL);
	check(wf_slot_get(-1) == NULL);
	check(wf_slot_get(WF_SLOTS) == NULL);
	return 0;
}

static void
outside(void)
{
	int v = 0;

	check_eq(wf_slot_set(number, &v), -EPERM);
	check(wf_slot_get(number) == NULL);
}

static void
all_taken(void)
{
	int n, made = 0;

	while ((n = wf_slot_make(NULL)) >= 0) {
		check_eq(n, 3 + made);
		made++;
	}
	check_eq(n, -EAGAIN);
	check_eq(made, WF_SLOTS - 3);
}

int
main(void)
{
	number = wf_slot_make(note_destroy);
	plain = wf_slot_make(NULL);
	again = wf_slot_make(set_again);
	tap_test_workers("each has its own", crowd);
	tap_test_workers("a destructor sets it again", sets_again);
	tap_test("wrong numbers", wrong_numbers);
	tap_plain("outside of a coroutine", outside);
	tap_plain("all are taken", all_taken);
	return tap_end();
}
