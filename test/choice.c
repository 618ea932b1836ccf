/* SPDX-License-Identifier: MIT */
/*
 * choice.c - tests of the ways to choose, without any coroutine: questions are
 * put as a simulation would put them.
 */
#include "tap.h"

#include "choice.h"
#include "shrink.h"

enum { MOST = 8 };

/* A toy: each of n has so many steps to do; what is chosen is written down. */
static struct toy {
	struct wf__choice choice;
	int n, left[MOST + 1];
	char order[64];
} toy;

static void
play(const struct wf__recipe *r, int n, int steps)
{
	uint32_t ids[MOST], last = 0;
	char *at = toy.order;

	wf__choice_begin(&toy.choice, r);
	for (int i = 1; i <= n; i++)
		toy.left[i] = steps;
	for (int todo = n * steps; todo--; ) {
		struct wf__question q = { .ids = ids, .who = last,
		    .can_go_on = last && toy.left[last] };

		for (int i = 1; i <= n; i++)
			if (toy.left[i])
				ids[q.n++] = (uint32_t)i;
		last = wf__choice_next(&toy.choice, &q);
		toy.left[last]--;
		*at++ = (char)('0' + last);
	}
	*at = '\0';
}

static void
plainly(void)
{
	struct wf__recipe r = { .how = WF__CHOICE_PLAIN };
	struct wf__deviation *d;

	play(&r, 3, 2);
	check(!strcmp(toy.order, "112233"));
	check_eq(toy.choice.made.n, 0);
	check_eq(toy.choice.switches, 3);
	check_eq(toy.choice.preemptions, 0);
	d = wf__vec_add(&r.deviations, sizeof *d);
	*d = (struct wf__deviation){ .who = 1, .nth = 1, .to = 3 };
	d = wf__vec_add(&r.deviations, sizeof *d);
	*d = (struct wf__deviation){ .who = 3, .nth = 9, .to = 2 };
	play(&r, 3, 2);
	check(!strcmp(toy.order, "133122"));
	check_eq(toy.choice.preemptions, 1);
	check_eq(toy.choice.made.n, 1);	/* the other was of no use */
	wf__vec_free(&r.deviations, sizeof *d);
}

static bool
differ(char seen[][64], int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			if (!strcmp(seen[i], seen[j]))
				return false;
	return true;
}

/* All orders of two with three steps each: 6 over 3. */
static void
in_turn(void)
{
	struct wf__recipe r = { .how = WF__CHOICE_ALL, .preemptions = 9 };
	char seen[128][64];
	int n = 0, few = 0;

	do {
		play(&r, 2, 3);
		check(!toy.choice.lost);
		memcpy(seen[n++], toy.order, sizeof toy.order);
	} while (n < 128 && wf__choice_advance(&toy.choice));
	check_eq(n, 20);
	check(differ(seen, n));
	/* One preemption at most: aaabbb, aabbba, abbbaa and their twins. */
	r.preemptions = 1;
	do {
		play(&r, 2, 3);
		check(toy.choice.preemptions <= 1);
		few++;
	} while (few < 128 && wf__choice_advance(&toy.choice));
	check_eq(few, 6);
}

/* Each order of three comes about, and what was made gives the same again. */
static void
by_lot(void)
{
	struct wf__recipe r = { .how = WF__CHOICE_RANDOM }, again = { 0 };
	int seen[333] = { 0 }, n = 0;
	char order[64];

	for (r.seed = 1; r.seed <= 200; r.seed++) {
		play(&r, 3, 1);
		n += !seen[atoi(toy.order)]++;
		play(&r, 4, 8);
		memcpy(order, toy.order, sizeof order);
		check(wf__vec_copy(&again.deviations, &toy.choice.made,
		    sizeof(struct wf__deviation)));
		play(&again, 4, 8);
		check(!strcmp(order, toy.order));
	}
	check_eq(n, 6);
	wf__vec_free(&again.deviations, sizeof(struct wf__deviation));
}

/*
 * The promise of PCT: a bug that needs d ordering constraints, of n tasks with
 * k steps in all, is found with a chance of at least 1 / (n * k^(d-1)).  Here
 * d = 2: that 1 is stopped after its 7th step of 10, and 2 runs through.
 */
static void
by_priority(void)
{
	struct wf__recipe r = { .how = WF__CHOICE_PCT, .depth = 2,
	    .length = 20 };
	int found = 0;

	for (r.seed = 1; r.seed <= 4000; r.seed++) {
		play(&r, 2, 10);
		check(toy.choice.switches <= 4);
		found += !strncmp(toy.order, "11111112222222222", 17);
	}
	check(found >= 4000 / (2 * 20));
}

static void
draws_lots(void)
{
	struct wf__recipe r = { .how = WF__CHOICE_RANDOM, .seed = 5 };
	int count[3] = { 0 };
	uint64_t first;

	wf__choice_begin(&toy.choice, &r);
	for (int i = 0; i < 3000; i++)
		count[wf__choice_lot(&toy.choice, 1, 3)]++;
	for (int i = 0; i < 3; i++)
		check(count[i] > 900 && count[i] < 1100);
	first = wf__choice_rand(&toy.choice, 7);
	check(first != wf__choice_rand(&toy.choice, 7));
	wf__choice_begin(&toy.choice, &r);
	wf__choice_rand(&toy.choice, 8);	/* another one's row */
	check(wf__choice_rand(&toy.choice, 7) == first);
}

/* "Fails" when 3 comes before 2 and 1 is interrupted, whatever else. */
static bool
fails(struct wf__recipe *r)
{
	play(r, 4, 8);
	return strchr(toy.order, '3') < strchr(toy.order, '2') &&
	    strncmp(toy.order, "11111111", 8) != 0 &&
	    wf__vec_copy(&r->deviations, &toy.choice.made,
	    sizeof(struct wf__deviation));
}

static void
shrinks(void)
{
	struct wf__recipe r = { .how = WF__CHOICE_RANDOM }, small = { 0 };
	int n = 0, ones = 0;

	for (r.seed = 1; r.seed <= 50; r.seed++) {
		play(&r, 4, 8);
		wf__vec_copy(&small.deviations, &toy.choice.made,
		    sizeof(struct wf__deviation));
		if (!fails(&small))
			continue;
		n++;
		check(small.deviations.n > 10);
		check(wf__shrink(&small, fails));
		check(small.deviations.n <= 2);
		ones += small.deviations.n == 1;
		check(fails(&small));
		small.deviations.n--;
		check(!fails(&small));		/* none is too many */
	}
	check(n > 10 && ones > n / 2);
	wf__vec_free(&small.deviations, sizeof(struct wf__deviation));
}

static void
done(void)
{
	wf__choice_free(&toy.choice);
}

int
main(void)
{
	tap_count_memory();
	tap_plain("plainly, but for deviations", plainly);
	tap_plain("each in turn", in_turn);
	tap_plain("by lot, and the same again", by_lot);
	tap_plain("by priority: the promise of PCT", by_priority);
	tap_plain("lots and rows of numbers", draws_lots);
	tap_plain("shrinks", shrinks);
	tap_plain("done", done);
	tap_plain("nothing is left", tap_all_freed);
	return tap_end();
}
