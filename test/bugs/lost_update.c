/* SPDX-License-Identifier: MIT */
/*
 * lost_update.c - two add to a number; each reads before the other has
 * written.  Right: under a lock.
 */
struct lost_update {
	wf_mutex lock;
	int n;
};

static void
lost_update_add(struct lost_update *a, int fixed)
{
	int n;

	if (fixed)
		wf_mutex_lock(&a->lock);
	n = a->n;
	wf_sim_point();
	a->n = n + 1;
	if (fixed)
		wf_mutex_unlock(&a->lock);
}

static int
lost_update(int fixed)
{
	struct lost_update a = { .n = 0 };
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < 2; i++)
		wf_waitgroup_spawn(&wg, lost_update_add, &a, fixed);
	wf_waitgroup_wait(&wg);
	wf_sim_check(a.n == 2);
	return 0;
}
