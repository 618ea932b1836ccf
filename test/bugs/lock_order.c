/* SPDX-License-Identifier: MIT */
/*
 * lock_order.c - two locks, taken in one order by one and in the other order
 * by another.  Right: one order for all.
 */
static void
lock_order_move(wf_mutex *from, wf_mutex *to)
{
	wf_mutex_lock(from);
	wf_mutex_lock(to);
	wf_mutex_unlock(to);
	wf_mutex_unlock(from);
}

static int
lock_order(int fixed)
{
	wf_mutex a = { 0 }, b = { 0 };
	wf_waitgroup wg = { 0 };

	wf_waitgroup_spawn(&wg, lock_order_move, &a, &b);
	if (fixed)
		wf_waitgroup_spawn(&wg, lock_order_move, &a, &b);
	else
		wf_waitgroup_spawn(&wg, lock_order_move, &b, &a);
	wf_waitgroup_wait(&wg);
	return 0;
}
