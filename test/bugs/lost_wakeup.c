/* SPDX-License-Identifier: MIT */
/*
 * lost_wakeup.c - the flag is looked at before the lock is taken; the signal
 * comes in between, when nobody waits.  Right: look under the lock.
 */
struct lost_wakeup {
	wf_mutex lock;
	wf_cond filled;
	int full;
};

static void
lost_wakeup_fill(struct lost_wakeup *b)
{
	wf_mutex_lock(&b->lock);
	b->full = 1;
	wf_mutex_unlock(&b->lock);
	wf_cond_signal(&b->filled);
}

static int
lost_wakeup(int fixed)
{
	struct lost_wakeup b = { .full = 0 };

	wf_spawn(lost_wakeup_fill, &b);
	if (fixed) {
		wf_mutex_lock(&b.lock);
		while (!b.full)
			wf_cond_wait(&b.filled, &b.lock);
		wf_mutex_unlock(&b.lock);
	} else if (!b.full) {
		wf_mutex_lock(&b.lock);
		wf_cond_wait(&b.filled, &b.lock);
		wf_mutex_unlock(&b.lock);
	}
	wf_sim_check(b.full);
	wf_sim_settle();
	return 0;
}
