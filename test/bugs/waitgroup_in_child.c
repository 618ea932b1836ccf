/* SPDX-License-Identifier: MIT */
/*
 * waitgroup_in_child.c - each child adds itself to the wait group, and the
 * wait is over before a child has begun.  Right: add before the spawn.
 */
struct waitgroup_in_child {
	wf_waitgroup wg;
	int done, fixed;
};

static void
waitgroup_in_child_work(struct waitgroup_in_child *s)
{
	if (!s->fixed)
		wf_waitgroup_add(&s->wg, 1);
	s->done++;
	wf_waitgroup_done(&s->wg);
}

static int
waitgroup_in_child(int fixed)
{
	struct waitgroup_in_child s = { .fixed = fixed };

	for (int i = 0; i < 2; i++) {
		if (fixed)
			wf_waitgroup_add(&s.wg, 1);
		wf_spawn(waitgroup_in_child_work, &s);
	}
	wf_waitgroup_wait(&s.wg);
	wf_sim_check(s.done == 2);
	return 0;
}
