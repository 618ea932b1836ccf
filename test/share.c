/* SPDX-License-Identifier: MIT */
/*
 * share.c - tests of the shared queue, with a worker that does not run: what
 * waits there is taken sooner or later, whatever else keeps coming.
 */
#include "tap.h"

#include "sched.h"
#include "share.h"

static struct wf__worker worker;

static void
push(struct wf__task *t)
{
	struct wf__tasks one = { 0 };

	wf__tasks_add(&one, t);
	wf__share_push(&one);
}

enum { NEWS = 100 };

static struct wf__coro coros[NEWS + 1];
static struct wf__start starts[NEWS + 1];

static struct wf__task *
task(enum wf__kind kind, int i)
{
	return kind == WF__CORO ? &coros[i].task : &starts[i].task;
}

/* Take shares until a task of the one kind comes; before each, something new
 * of the other arrives.  The shares are of one task each: there are many
 * workers. */
static int
shares_until(enum wf__kind wanted, enum wf__kind news)
{
	struct wf__task *t;
	int n = 0;

	memset(&wf__sched, 0, sizeof wf__sched);
	memset(&worker, 0, sizeof worker);
	memset(coros, 0, sizeof coros);
	memset(starts, 0, sizeof starts);
	wf__store_relaxed(&wf__sched.n_workers, 16);
	wf__runq_init(&worker.queue);
	for (int i = 0; i <= NEWS; i++) {
		coros[i].task.kind = WF__CORO;
		coros[i].sp = &coros[i];
		starts[i].task.kind = WF__START;
	}
	push(task(wanted, NEWS));
	while (n < NEWS) {
		push(task(news, n++));
		check(wf__share_take(&worker));
		while ((t = wf__runq_pop(&worker.queue)))
			if (t == task(wanted, NEWS))
				return n;
	}
	return n + 1;
}

static void
ready_beside_starts(void)
{
	check(shares_until(WF__CORO, WF__START) <= 2);
}

static void
start_beside_ready(void)
{
	check(shares_until(WF__START, WF__CORO) <= 2);
}

static void
oldest_start(void)
{
	check(shares_until(WF__START, WF__START) <= 8);
	memset(&wf__sched, 0, sizeof wf__sched);
}

/* Many more than the ring holds that never wait: when the first has had all of
 * its turns, each has had some.  On one thread: what a second one has in its
 * ring waits for as long as the system keeps that thread off its core. */

enum { MANY = 4000, TURNS = 40 };

struct turns {
	int had[MANY];
	bool over;
};

static void
take_turns(struct turns *t, int i)
{
	while (!t->over && t->had[i] < TURNS) {
		t->had[i]++;
		wf_yield();
	}
	t->over = true;
}

static void
spawn_many(struct turns *t)
{
	for (int i = 0; i < MANY; i++)
		check_eq(wf_spawn(take_turns, t, i), 0);
}

static void
many_yield(void)
{
	const struct wf_options pumped = { .workers = WF_PUMPED };
	static struct turns t;
	int without = 0, few = 0;

	if (!check_eq(wf_start(&pumped), 0))
		return;
	memset(&t, 0, sizeof t);
	check_eq(wf_spawn(spawn_many, &t), 0);
	check_eq(wf_pump(WF_FOREVER), WF_FOREVER);
	for (int i = 0; i < MANY; i++) {
		without += t.had[i] == 0;
		few += t.had[i] < TURNS / 4;
	}
	check_eq(without, 0);
	check(few < MANY / 4);
	check_eq(wf_stop(WF_SEC), 0);
}

int
main(void)
{
	tap_plain("what is ready is not kept by what is spawned",
	    ready_beside_starts);
	tap_plain("what is spawned is not kept by what is ready",
	    start_beside_ready);
	tap_plain("the oldest spawned is not kept by newer ones",
	    oldest_start);
	if (WF__RUNQ_SIZE < WF__ROUND)	/* CHAOS: by hundreds of turns each */
		tap_skip("who is many takes turns", "rings are short");
	else
		tap_plain("who is many takes turns", many_yield);
	return tap_end();
}
