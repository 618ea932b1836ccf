/* SPDX-License-Identifier: MIT */
/*
 * timerq.c - the timer queue from inside: order, stop, and firing once.
 */
#include <pthread.h>
#include <sched.h>

#include "tap.h"

#include "coro.h"
#include "timerq.h"

enum { MANY = 2000 };

static struct wf__timer timers[MANY];
static struct wf__task waits[MANY];
static int order[MANY], fired;

static void
note_ready(struct wf__task *t)
{
	order[fired++] = (int)(t - waits);
}

static void
start(struct wf__timerq *q, int i, int64_t when)
{
	memset(&timers[i], 0, sizeof timers[i]);
	memset(&waits[i], 0, sizeof waits[i]);
	timers[i].task = &waits[i];
	timers[i].claim = 7;
	wf__timer_start(q, &timers[i], when);
}

/* Fired in the order of their times, none early, whatever the order of
 * starting; stopped ones never. */
static void
in_order_with(unsigned room)
{
	uint64_t random = tap_seed();
	struct wf__timerq q;
	int stopped = 0, before;
	int64_t now;

	wf__timerq_init(&q);
	if (room && room < q.room)
		q.room = room;
	check_eq(wf__timerq_first(&q), WF_FOREVER);
	for (int i = 0; i < MANY; i++)
		start(&q, i, (int64_t)(tap_random(&random) % 1000));
	for (int i = 0; i < MANY; i += 3) {
		check(wf__timer_stop(&timers[i]));
		check(!wf__timer_stop(&timers[i]));
		stopped++;
	}
	fired = 0;
	for (now = 0; now < 1000; now += 7) {
		before = fired;
		wf__timerq_run(&q, now, note_ready);
		for (int i = before; i < fired; i++) {
			check(timers[order[i]].node.key <= now);
			check(timers[order[i]].node.key > now - 7);
			check(i == 0 || timers[order[i - 1]].node.key <=
			    timers[order[i]].node.key);
			check(order[i] % 3 != 0);
		}
		check(wf__timerq_first(&q) > now);
	}
	wf__timerq_run(&q, 1000, note_ready);
	check_eq(fired, MANY - stopped);
	check_eq(wf__timerq_first(&q), WF_FOREVER);
	wf__timerq_drop(&q);
}

static void
in_order(void)
{
	in_order_with(0);
}

/* The same with no places at all, one, and too few. */
static void
in_overflow(void)
{
	in_order_with(3);
	in_order_with(4);
	in_order_with(MANY / 3);
}

/* Starts and stops in random order, against a list that is searched: at any
 * time the first is right. */
static void
against_a_list(void)
{
	static int64_t when[MANY];
	uint64_t random = tap_seed();
	struct wf__timerq q;
	int64_t least;
	int i;

	wf__timerq_init(&q);
	if (q.room > 300)
		q.room = 300;
	for (i = 0; i < MANY; i++)
		when[i] = WF_FOREVER;
	for (long n = tap_scale(100000, 5000); n > 0; n--) {
		i = (int)(tap_random(&random) % 600);
		if (when[i] == WF_FOREVER) {
			when[i] = (int64_t)(tap_random(&random) % 10000);
			start(&q, i, when[i]);
		} else {
			when[i] = WF_FOREVER;
			check(wf__timer_stop(&timers[i]));
		}
		least = WF_FOREVER;
		for (i = 0; i < 600; i++)
			least = when[i] < least ? when[i] : least;
		if (!check_eq(wf__timerq_first(&q), least))
			break;
	}
	wf__timerq_drop(&q);
}

/* A deadline whose wait has been won by somebody else wakes nobody. */
static void
claimed_by_others(void)
{
	struct wf__timerq q;

	wf__timerq_init(&q);
	start(&q, 0, 10);
	start(&q, 1, 20);
	check(wf__cas_acq_rel(&waits[0].claim, 0, 3));
	fired = 0;
	wf__timerq_run(&q, 100, note_ready);
	check_eq(fired, 1);
	check_eq(order[0], 1);
	check_eq(waits[0].claim, 3);
	check_eq(waits[1].claim, 7);
	check(!wf__timer_stop(&timers[0]));
	wf__timerq_drop(&q);
}

static int calls, expired_calls;

static void
note_call(struct wf__timer *t, bool expired)
{
	(void)t;
	calls++;
	expired_calls += expired;
}

static void
callbacks(void)
{
	struct wf__timerq q;

	wf__timerq_init(&q);
	for (int i = 0; i < 10; i++) {
		memset(&timers[i], 0, sizeof timers[i]);
		timers[i].fire = note_call;
		wf__timer_start(&q, &timers[i], i);
	}
	calls = expired_calls = 0;
	check_eq(wf__timerq_run(&q, 4, note_ready), 5);
	check_eq(calls, 5);
	wf__timerq_drop(&q);		/* tells the others */
	check_eq(calls, 10);
	check_eq(expired_calls, 5);
	check_eq(wf__timerq_first(&q), WF_FOREVER);
}

/* ---- moved from queue to queue, and stopped meanwhile ---- */

struct mover {
	struct wf__timerq a, b;
	int over;
};

static void *
move_on(void *arg)
{
	struct mover *m = arg;

	while (!__atomic_load_n(&m->over, __ATOMIC_ACQUIRE)) {
		wf__timerq_move(&m->a, &m->b);
		wf__timerq_move(&m->b, &m->a);
		/* A lock is not fair: the other one is to find it free. */
		sched_yield();
	}
	return NULL;
}

static void
stopped_on_the_move(void)
{
	static struct mover m;
	pthread_t thread;
	int few = 40;

	memset(&m, 0, sizeof m);
	wf__timerq_init(&m.a);
	wf__timerq_init(&m.b);
	if (!check(!pthread_create(&thread, NULL, move_on, &m)))
		return;
	for (int round = 0; round < tap_scale(20000, 4000); round++) {
		for (int i = 0; i < few; i++)
			start(round % 2 ? &m.a : &m.b, i, 1000 - i);
		for (int i = 0; i < few; i++)
			check(wf__timer_stop(&timers[i]));
	}
	__atomic_store_n(&m.over, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	check_eq(wf__timerq_first(&m.a), WF_FOREVER);
	check_eq(wf__timerq_first(&m.b), WF_FOREVER);
	wf__timerq_drop(&m.a);
	wf__timerq_drop(&m.b);
}

static void
moved(void)
{
	struct wf__timerq a, b;

	wf__timerq_init(&a);
	wf__timerq_init(&b);
	check(!wf__timerq_move(&a, &b));
	for (int i = 0; i < MANY; i++)
		start(i % 2 ? &b : &a, i, 1000 - i % 1000);
	check(!wf__timerq_move(&a, &b));	/* 1, the first, was in b */
	check_eq(wf__timerq_first(&a), WF_FOREVER);
	check_eq(wf__timerq_first(&b), 1);
	fired = 0;
	wf__timerq_run(&b, 1000, note_ready);
	check_eq(fired, MANY);
	start(&a, 0, 5);
	check(wf__timerq_move(&a, &b));
	check_eq(wf__timerq_first(&b), 5);
	check(wf__timer_stop(&timers[0]));
	wf__timerq_drop(&a);
	wf__timerq_drop(&b);
}

int
main(void)
{
	tap_plain("in the order of their times", in_order);
	tap_plain("in order, with few places", in_overflow);
	tap_plain("against a list", against_a_list);
	tap_plain("won by others before", claimed_by_others);
	tap_plain("callbacks", callbacks);
	tap_plain("moved to another queue", moved);
	tap_plain("stopped on the move", stopped_on_the_move);
	return tap_end();
}
