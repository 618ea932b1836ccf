/* SPDX-License-Identifier: MIT */
/*
 * missed_close.c - a worker ends as soon as it sees that all was sent, and
 * leaves what is still in the channel.  Right: until closed and drained.
 */
struct missed_close {
	wf_chan(int) tasks;
	int all_sent, done;
};

static void
missed_close_work(struct missed_close *p)
{
	int task;

	while (!p->all_sent)
		if (wf_select(wf_on_recv(p->tasks, &task),
		    wf_on_timeout(WF_MS)) == 0)
			p->done++;
}

static void
missed_close_work_well(struct missed_close *p)
{
	int task;

	while (wf_recv(p->tasks, &task))
		p->done++;
}

static int
missed_close(int fixed)
{
	struct missed_close p = { .tasks = wf_chan_make(int, 2) };
	wf_waitgroup wg = { 0 };

	wf_waitgroup_spawn(&wg, fixed ? missed_close_work_well :
	    missed_close_work, &p);
	for (int i = 0; i < 3; i++)
		wf_send(p.tasks, i);
	p.all_sent = 1;
	wf_close(p.tasks);
	wf_waitgroup_wait(&wg);
	wf_sim_check(p.done == 3);
	wf_chan_free(p.tasks);
	return 0;
}
