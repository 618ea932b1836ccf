/* SPDX-License-Identifier: MIT */
/*
 * philosophers.c - three take the fork at their left, and wait for the one at
 * their right.  Right: the last one begins at the right.
 */
static void
philosophers_eat(wf_mutex *first, wf_mutex *second)
{
	wf_mutex_lock(first);
	wf_mutex_lock(second);
	wf_mutex_unlock(second);
	wf_mutex_unlock(first);
}

static int
philosophers(int fixed)
{
	wf_mutex forks[3] = { 0 };
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < 3; i++)
		if (fixed && i == 2)
			wf_waitgroup_spawn(&wg, philosophers_eat, &forks[0],
			    &forks[2]);
		else
			wf_waitgroup_spawn(&wg, philosophers_eat, &forks[i],
			    &forks[(i + 1) % 3]);
	wf_waitgroup_wait(&wg);
	return 0;
}
