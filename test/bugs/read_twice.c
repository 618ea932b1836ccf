/* SPDX-License-Identifier: MIT */
/*
 * read_twice.c - a reader locks for reading once more, in a function that it
 * calls, while a writer waits: the writer waits for the reader, and the reader
 * behind the writer.  Right: lock once.
 */
struct read_twice {
	wf_rwmutex lock;
	int n;
};

static int
read_twice_get(struct read_twice *s)
{
	int n;

	wf_rwmutex_read_lock(&s->lock);
	n = s->n;
	wf_rwmutex_read_unlock(&s->lock);
	return n;
}

static void
read_twice_read(struct read_twice *s, int fixed)
{
	int n;

	wf_rwmutex_read_lock(&s->lock);
	n = fixed ? s->n : read_twice_get(s);
	wf_sim_check(n == s->n);
	wf_rwmutex_read_unlock(&s->lock);
}

static int
read_twice(int fixed)
{
	struct read_twice s = { .n = 0 };
	wf_waitgroup wg = { 0 };

	wf_waitgroup_spawn(&wg, read_twice_read, &s, fixed);
	wf_rwmutex_lock(&s.lock);
	s.n++;
	wf_rwmutex_unlock(&s.lock);
	wf_waitgroup_wait(&wg);
	return 0;
}
