/* SPDX-License-Identifier: MIT */
/*
 * double_close.c - whoever believes to be the last one closes, and two do.
 * Right: count down in one step.
 */
struct double_close {
	wf_chan(int) out;
	wf_mutex lock;
	int left, fixed;
};

static void
double_close_produce(struct double_close *p)
{
	int left;

	wf_mutex_lock(&p->lock);
	left = --p->left;
	wf_mutex_unlock(&p->lock);
	if (!p->fixed) {
		wf_mutex_lock(&p->lock);
		left = p->left;
		wf_mutex_unlock(&p->lock);
	}
	if (left == 0)
		wf_sim_check(wf_close(p->out) == 0);
}

static int
double_close(int fixed)
{
	struct double_close p = { .out = wf_chan_make(int, 0), .left = 2,
	    .fixed = fixed };
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < 2; i++)
		wf_waitgroup_spawn(&wg, double_close_produce, &p);
	wf_waitgroup_wait(&wg);
	wf_chan_free(p.out);
	return 0;
}
