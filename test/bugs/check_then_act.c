/* SPDX-License-Identifier: MIT */
/*
 * check_then_act.c - who finds no entry makes one; two find none.  Right: look
 * and make under one lock.
 */
struct check_then_act {
	wf_mutex lock;
	int there, made;
};

static void
check_then_act_get(struct check_then_act *c, int fixed)
{
	int there;

	wf_mutex_lock(&c->lock);
	there = c->there;
	if (!fixed)
		wf_mutex_unlock(&c->lock);
	if (!there) {
		if (!fixed)
			wf_mutex_lock(&c->lock);
		c->there = 1;
		c->made++;
		if (!fixed)
			wf_mutex_unlock(&c->lock);
	}
	if (fixed)
		wf_mutex_unlock(&c->lock);
}

static int
check_then_act(int fixed)
{
	struct check_then_act c = { .made = 0 };
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < 3; i++)
		wf_waitgroup_spawn(&wg, check_then_act_get, &c, fixed);
	wf_waitgroup_wait(&wg);
	wf_sim_check(c.made == 1);
	return 0;
}
