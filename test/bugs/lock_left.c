/* SPDX-License-Identifier: MIT */
/*
 * lock_left.c - where there is nothing to take, the function returns with the
 * lock held.  Right: unlock on every way out.
 */
struct lock_left {
	wf_mutex lock;
	int n;
};

static void
lock_left_take(struct lock_left *s, int fixed)
{
	wf_mutex_lock(&s->lock);
	if (s->n == 0) {
		if (fixed)
			wf_mutex_unlock(&s->lock);
		return;
	}
	s->n--;
	wf_mutex_unlock(&s->lock);
}

static void
lock_left_put(struct lock_left *s)
{
	wf_mutex_lock(&s->lock);
	s->n++;
	wf_mutex_unlock(&s->lock);
}

static int
lock_left(int fixed)
{
	struct lock_left s = { .n = 1 };
	wf_waitgroup wg = { 0 };

	wf_waitgroup_spawn(&wg, lock_left_take, &s, fixed);
	wf_waitgroup_spawn(&wg, lock_left_put, &s);
	wf_waitgroup_spawn(&wg, lock_left_take, &s, fixed);
	wf_waitgroup_wait(&wg);
	return 0;
}
