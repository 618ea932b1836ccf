/* SPDX-License-Identifier: MIT */
/*
 * double_checked.c - an object is published before it is complete, and found
 * without the lock.  Right: publish last.
 */
struct double_checked {
	wf_mutex lock;
	int *object, memory;
};

static void
double_checked_get(struct double_checked *d, int fixed)
{
	if (!d->object) {
		wf_mutex_lock(&d->lock);
		if (!d->object) {
			if (!fixed)
				d->object = &d->memory;
			wf_sim_point();
			d->memory = 42;
			d->object = &d->memory;
		}
		wf_mutex_unlock(&d->lock);
	}
	wf_sim_check(*d->object == 42);
}

static int
double_checked(int fixed)
{
	struct double_checked d = { .memory = 0 };
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < 2; i++)
		wf_waitgroup_spawn(&wg, double_checked_get, &d, fixed);
	wf_waitgroup_wait(&wg);
	return 0;
}
