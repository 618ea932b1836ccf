/* SPDX-License-Identifier: MIT */
/*
 * loop_variable.c - each child gets a pointer to the loop variable, which has
 * moved on when the child looks.  Right: pass the value.
 */
struct loop_variable {
	int seen[3];
};

static void
loop_variable_by_pointer(struct loop_variable *s, const int *i)
{
	if (*i < 3)
		s->seen[*i]++;
}

static void
loop_variable_by_value(struct loop_variable *s, int i)
{
	s->seen[i]++;
}

static int
loop_variable(int fixed)
{
	struct loop_variable s = { { 0 } };
	wf_waitgroup wg = { 0 };
	int i;

	for (i = 0; i < 3; i++)
		if (fixed)
			wf_waitgroup_spawn(&wg, loop_variable_by_value, &s, i);
		else
			wf_waitgroup_spawn(&wg, loop_variable_by_pointer, &s,
			    (const int *)&i);
	wf_waitgroup_wait(&wg);
	for (i = 0; i < 3; i++)
		wf_sim_check(s.seen[i] == 1);
	return 0;
}
