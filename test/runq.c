/* SPDX-License-Identifier: MIT */
/*
 * runq.c - the run queue of one worker, and its biased lock, from inside.
 * Cases 92 and 94, and thieves against the owner.
 */
#include <pthread.h>

#include "tap.h"

#include "runq.h"

enum { TASKS = 300, THIEVES = 3 };

static struct wf__task tasks[TASKS];

static int
index_of(const struct wf__task *t)
{
	return (int)(t - tasks);
}

/* ---- alone ---- */

/* Case 92: n go in, the same n come out, in order but for the next slot. */
static void
in_and_out(void)
{
	struct wf__tasks spill = {0};
	struct wf__runq q;

	for (int n = 0; n <= (int)WF__RUNQ_SIZE; n++) {
		wf__runq_init(&q);
		for (int i = 0; i < n; i++)
			wf__runq_push(&q, &tasks[i], &spill);
		check_eq(spill.n, 0);
		check_eq(wf__runq_length(&q), n);
		for (int i = 0; i < n; i++)
			if (!check(wf__runq_pop(&q) == &tasks[i]))
				return;
		check(wf__runq_pop(&q) == NULL);
	}
}

static void
next_goes_first(void)
{
	struct wf__tasks spill = {0};
	struct wf__runq q;

	wf__runq_init(&q);
	wf__runq_push(&q, &tasks[0], &spill);
	wf__runq_push_next(&q, &tasks[1], &spill);
	check(wf__runq_has_next(&q));
	wf__runq_push_next(&q, &tasks[2], &spill);	/* 1 goes to the end */
	check(wf__runq_pop(&q) == &tasks[2]);
	check(!wf__runq_has_next(&q));
	check(wf__runq_pop(&q) == &tasks[0]);
	check(wf__runq_pop(&q) == &tasks[1]);
	wf__runq_push_next(&q, &tasks[3], &spill);
	wf__runq_push(&q, &tasks[4], &spill);
	wf__runq_demote_next(&q, &spill);
	check(wf__runq_pop(&q) == &tasks[4]);
	check(wf__runq_pop(&q) == &tasks[3]);
	check(wf__runq_pop(&q) == NULL);
	check_eq(spill.n, 0);
}

/* What does not fit spills from the old end, and is not lost. */
static void
spills_the_oldest(void)
{
	struct wf__tasks spill = {0};
	struct wf__runq q;
	int n = (int)WF__RUNQ_SIZE + 1;
	struct wf__task *t;

	wf__runq_init(&q);
	for (int i = 0; i < n; i++)
		wf__runq_push(&q, &tasks[i], &spill);
	check_eq(spill.n, WF__RUNQ_SIZE / 2);
	check_eq(wf__runq_length(&q) + spill.n, n);
	for (int i = 0; (t = wf__tasks_take(&spill)); i++)
		check_eq(index_of(t), i);
	wf__runq_drain(&q, &spill);
	check_eq(index_of(spill.first), WF__RUNQ_SIZE / 2);
	check_eq(index_of(spill.last), n - 1);
	check_eq(wf__runq_length(&q), 0);
}

static void
half_is_stolen(void)
{
	struct wf__tasks spill = {0}, loot = {0};
	struct wf__runq q;
	int n = WF__RUNQ_SIZE < 8 ? 2 : 7;

	wf__runq_init(&q);
	check(!wf__runq_steal(&q, true, &loot));
	for (int i = 0; i < n; i++)
		wf__runq_push(&q, &tasks[i], &spill);
	wf__runq_push_next(&q, &tasks[n], &spill);
	check(wf__runq_steal(&q, false, &loot));
	check_eq(loot.n, (n + 1) / 2);
	check_eq(index_of(loot.first), 0);	/* the oldest ones */
	check(wf__runq_has_next(&q));
	check(wf__runq_steal(&q, true, &loot));
	check(!wf__runq_has_next(&q));
	check_eq(index_of(loot.last), n);
}

/* ---- owner and thieves ---- */

static struct {
	struct wf__runq q;
	int taken[TASKS];	/* atomic */
	int left;		/* atomic: tasks that nobody has taken */
} shared;

static void
take(struct wf__task *t)
{
	int i = index_of(t);

	/* The link is the taker's: a race shows it had two. */
	t->link = NULL;
	check_eq(__atomic_add_fetch(&shared.taken[i], 1, __ATOMIC_RELAXED), 1);
	__atomic_sub_fetch(&shared.left, 1, __ATOMIC_RELAXED);
}

static void *
thief(void *arg)
{
	struct wf__tasks loot = {0};
	struct wf__task *t;

	(void)arg;
	while (__atomic_load_n(&shared.left, __ATOMIC_RELAXED) > 0) {
		wf__runq_steal(&shared.q, true, &loot);
		while ((t = wf__tasks_take(&loot)))
			take(t);
		sched_yield();
	}
	return NULL;
}

/* A list of coroutines that grows at its end, by one or by another list, and is
 * taken from in front.  What one tells of those behind it is right. */

enum { COROS = 80, FAR = 2 * COROS };

static struct wf__coro coros[COROS];
static struct wf__coro *expected[FAR];	/* by how many were added before */

static void
add_some(struct wf__crowd *c, int at, int n)
{
	for (int i = at; i < at + n; i++) {
		expected[i] = &coros[i % COROS];
		wf__crowd_add(c, &expected[i]->task);
	}
}

static int
take_some(struct wf__crowd *c, int from, int n)
{
	int told = 0;

	for (int i = from; i < from + n; i++) {
		struct wf__task *t = wf__crowd_take(c);

		if (!check(t == &expected[i]->task))
			return -1;
		if (wf__coro_of(t)->ahead) {
			told++;
			check(wf__coro_of(t)->ahead ==
			    expected[i + WF__AHEAD]);
		}
	}
	return told;
}

static void
crowd_in_turn(void)
{
	int n, out, more;

	for (n = 0; n <= 3 * WF__AHEAD; n++)
		for (out = 0; out <= n; out++)
			for (more = 0; more <= 3 * WF__AHEAD; more++) {
				struct wf__crowd c = {0}, other = {0};

				add_some(&c, 0, n);
				take_some(&c, 0, out);
				add_some(&other, n, more);
				wf__crowd_append(&c, &other);
				check(!other.tasks.n && !other.tasks.first);
				add_some(&c, n + more, 3);
				check_eq(c.tasks.n, n - out + more + 3);
				take_some(&c, out, n - out + more + 3);
				if (!check(!wf__crowd_take(&c)))
					return;
			}
}

/* All but the last ones tell. */
static void
crowd_tells(void)
{
	struct wf__crowd c = {0};

	add_some(&c, 0, COROS);
	check_eq(take_some(&c, 0, COROS), COROS - WF__AHEAD);
}

/* The owner moves a task between the next slot and the ring now and then
 * (case 94): it must not get lost on the way. */
static void
own(uint64_t *random)
{
	struct wf__tasks spill = {0};
	struct wf__task *t;

	for (int i = 0; i < TASKS; i++) {
		if (tap_random(random) % 2)
			wf__runq_push(&shared.q, &tasks[i], &spill);
		else
			wf__runq_push_next(&shared.q, &tasks[i], &spill);
		if (tap_random(random) % 4 == 0)
			wf__runq_demote_next(&shared.q, &spill);
		if (tap_random(random) % 4 == 0 &&
		    (t = wf__runq_pop(&shared.q)))
			take(t);
		while ((t = wf__tasks_take(&spill)))
			take(t);
	}
	while ((t = wf__runq_pop(&shared.q)))
		take(t);
}

static void
thieves(void)
{
	uint64_t random = tap_seed();
	pthread_t t[THIEVES];
	int n;

	for (int round = tap_scale(20000, 300); round--; ) {
		memset(&shared, 0, sizeof shared);
		wf__runq_init(&shared.q);
		shared.left = TASKS;
		for (n = 0; n < THIEVES; n++)
			if (!check(!pthread_create(&t[n], NULL, thief, NULL)))
				break;
		own(&random);
		while (n--)
			pthread_join(t[n], NULL);
		check_eq(shared.left, 0);
	}
}

int
main(void)
{
	wf__os_fence_setup();
	tap_plain("92: in and out", in_and_out);
	tap_plain("the next slot goes first", next_goes_first);
	tap_plain("what does not fit spills", spills_the_oldest);
	tap_plain("half is stolen", half_is_stolen);
	tap_plain("a crowd is served in turn", crowd_in_turn);
	tap_plain("who stands in one tells of those behind", crowd_tells);
	tap_plain("94: thieves against the owner", thieves);
	return tap_end();
}
