/* SPDX-License-Identifier: MIT */
/*
 * vec.c - tests of an array that grows.
 */
#include "tap.h"

#include "vec.h"

static void
grows(void)
{
	struct wf__vec v = { 0 }, copy = { 0 };
	int *at;

	for (int i = 0; i < 1000; i++) {
		if (!check((at = wf__vec_add(&v, sizeof *at)) != NULL))
			return;
		check_eq(*at, 0);
		*at = i;
	}
	at = v.items;
	for (int i = 0; i < 1000; i++)
		check_eq(at[i], i);
	check(wf__vec_copy(&copy, &v, sizeof *at));
	wf__vec_remove(&v, 0, sizeof *at);
	wf__vec_remove(&v, 998, sizeof *at);
	check_eq(v.n, 998);
	check_eq(at[0], 1);
	check_eq(at[997], 998);
	v.n = 3;
	check(wf__vec_reach(&v, 5, sizeof *at));	/* zero again */
	check(v.n == 5 && at[2] == 3 && !at[3] && !at[4]);
	check(wf__vec_reach(&v, 2, sizeof *at) && v.n == 5);
	check(copy.n == 1000 && ((int *)copy.items)[999] == 999);
	wf__vec_free(&v, sizeof *at);
	wf__vec_free(&copy, sizeof *at);
	check(!v.items && !v.n);
}

int
main(void)
{
	tap_count_memory();
	tap_plain("grows, shrinks, is copied", grows);
	tap_plain("nothing is left", tap_all_freed);
	return tap_end();
}
