/* SPDX-License-Identifier: MIT */
/*
 * barrier_again.c - a barrier that counts to n and back to nothing: the fast
 * one comes round again before the slow one has left.  Right: each round has a
 * number.
 */
struct barrier_again {
	wf_mutex lock;
	wf_cond all_here;
	int here, round, fixed;
};

static void
barrier_again_wait(struct barrier_again *b)
{
	int round;

	wf_mutex_lock(&b->lock);
	round = b->round;
	if (++b->here == 2) {
		b->here = 0;
		b->round++;
		wf_cond_broadcast(&b->all_here);
	}
	if (b->fixed)
		while (b->round == round)
			wf_cond_wait(&b->all_here, &b->lock);
	else
		while (b->here != 0)
			wf_cond_wait(&b->all_here, &b->lock);
	wf_mutex_unlock(&b->lock);
}

static void
barrier_again_walk(struct barrier_again *b)
{
	for (int i = 0; i < 2; i++)
		barrier_again_wait(b);
}

static int
barrier_again(int fixed)
{
	struct barrier_again b = { .fixed = fixed };
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < 2; i++)
		wf_waitgroup_spawn(&wg, barrier_again_walk, &b);
	wf_waitgroup_wait(&wg);
	return 0;
}
