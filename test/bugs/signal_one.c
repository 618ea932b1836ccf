/* SPDX-License-Identifier: MIT */
/*
 * signal_one.c - producers and consumers wait on one condition; the signal
 * wakes one of the wrong kind, which goes back to sleep.  Right: broadcast.
 */
struct signal_one {
	wf_mutex lock;
	wf_cond changed;
	int full, fixed;
};

static void
signal_one_tell(struct signal_one *s)
{
	if (s->fixed)
		wf_cond_broadcast(&s->changed);
	else
		wf_cond_signal(&s->changed);
}

/* full becomes what it was not. */
static void
signal_one_set(struct signal_one *s, int full)
{
	for (int i = 0; i < 2; i++) {
		wf_mutex_lock(&s->lock);
		while (s->full == full)
			wf_cond_wait(&s->changed, &s->lock);
		s->full = full;
		signal_one_tell(s);
		wf_mutex_unlock(&s->lock);
	}
}

static int
signal_one(int fixed)
{
	struct signal_one s = { .fixed = fixed };
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < 4; i++)
		wf_waitgroup_spawn(&wg, signal_one_set, &s, i % 2);
	wf_waitgroup_wait(&wg);
	return 0;
}
