/* SPDX-License-Identifier: MIT */
/*
 * torn_sum.c - money moves from one account to the other while an auditor adds
 * them up, each under its own lock.  Right: one lock for the sum.
 */
struct torn_sum {
	wf_mutex lock[2];
	int balance[2];
};

static void
torn_sum_add(struct torn_sum *s, int to, int n)
{
	wf_mutex_lock(&s->lock[to]);
	s->balance[to] += n;
	wf_mutex_unlock(&s->lock[to]);
}

static void
torn_sum_move(struct torn_sum *s, wf_mutex *both)
{
	if (both)
		wf_mutex_lock(both);
	torn_sum_add(s, 0, -10);
	torn_sum_add(s, 1, 10);
	if (both)
		wf_mutex_unlock(both);
}

static int
torn_sum(int fixed)
{
	struct torn_sum s = { .balance = { 100, 100 } };
	wf_mutex both = { 0 };
	wf_waitgroup wg = { 0 };
	int sum = 0;

	wf_waitgroup_spawn(&wg, torn_sum_move, &s, fixed ? &both : NULL);
	if (fixed)
		wf_mutex_lock(&both);
	for (int i = 0; i < 2; i++) {
		wf_mutex_lock(&s.lock[i]);
		sum += s.balance[i];
		wf_mutex_unlock(&s.lock[i]);
	}
	if (fixed)
		wf_mutex_unlock(&both);
	wf_sim_check(sum == 200);
	wf_waitgroup_wait(&wg);
	return 0;
}
