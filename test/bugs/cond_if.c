/* SPDX-License-Identifier: MIT */
/*
 * cond_if.c - a waiter takes what it was woken for without looking again;
 * somebody else was faster.  Right: while, not if.
 */
struct cond_if {
	wf_mutex lock;
	wf_cond filled;
	int n;
};

static void
cond_if_take(struct cond_if *q, int fixed)
{
	wf_mutex_lock(&q->lock);
	if (fixed)
		while (q->n == 0)
			wf_cond_wait(&q->filled, &q->lock);
	else if (q->n == 0)
		wf_cond_wait(&q->filled, &q->lock);
	wf_sim_check(q->n > 0);
	q->n--;
	wf_mutex_unlock(&q->lock);
}

static void
cond_if_put(struct cond_if *q)
{
	wf_mutex_lock(&q->lock);
	q->n++;
	wf_mutex_unlock(&q->lock);
	wf_cond_signal(&q->filled);
}

static int
cond_if(int fixed)
{
	struct cond_if q = { .n = 0 };
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < 2; i++)
		wf_waitgroup_spawn(&wg, cond_if_take, &q, fixed);
	for (int i = 0; i < 2; i++)
		wf_waitgroup_spawn(&wg, cond_if_put, &q);
	wf_waitgroup_wait(&wg);
	return 0;
}
