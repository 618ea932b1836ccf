/* SPDX-License-Identifier: MIT */
/*
 * aba.c - a stack without locks: the top is the same again, but what lies
 * below it is not.  Right: count the changes and compare the count too.
 */
struct aba_node {
	struct aba_node *below;
	int taken;
};

struct aba {
	struct aba_node nodes[3], *top;
	unsigned changes;
};

static void
aba_push(struct aba *s, struct aba_node *n)
{
	n->taken = 0;
	n->below = s->top;
	s->top = n;
	s->changes++;
}

/* Compare and swap, with a moment before it. */
static struct aba_node *
aba_pop(struct aba *s, int fixed)
{
	for (;;) {
		struct aba_node *top = s->top, *below = top ? top->below : NULL;
		unsigned changes = s->changes;

		wf_sim_point();
		if (s->top != top || (fixed && s->changes != changes))
			continue;
		s->top = below;
		s->changes++;
		if (top) {
			wf_sim_check(!top->taken);
			top->taken = 1;
		}
		return top;
	}
}

static void
aba_one(struct aba *s, int fixed)
{
	aba_pop(s, fixed);
}

/* Takes two and puts the first one back. */
static void
aba_two(struct aba *s, int fixed)
{
	struct aba_node *first = aba_pop(s, fixed);

	aba_pop(s, fixed);
	if (first)
		aba_push(s, first);
}

static int
aba(int fixed)
{
	struct aba s = { .top = NULL };
	wf_waitgroup wg = { 0 };

	for (int i = 0; i < 3; i++)
		aba_push(&s, &s.nodes[i]);
	wf_waitgroup_spawn(&wg, aba_one, &s, fixed);
	wf_waitgroup_spawn(&wg, aba_two, &s, fixed);
	wf_waitgroup_wait(&wg);
	while (aba_pop(&s, 1))
		;
	return 0;
}
