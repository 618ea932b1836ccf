/* SPDX-License-Identifier: MIT */
/*
 * stack.c - stacks: the high water mark, sizes by attribute and by option,
 * tens of thousands at once, and stacks that are used again.
 */
#include "tap.h"

#include <pthread.h>

/* Go down until depth bytes are in use; call at the bottom. */
static __attribute__((noinline)) size_t
dig(const char *top, size_t depth, int (*at_bottom)(void))
{
	volatile char room[256];
	size_t below = 0;

	room[0] = 1;
	__asm__ volatile("" :: "r"(room) : "memory");	/* all of it */
	if ((size_t)(top - (char *)__builtin_frame_address(0)) < depth)
		below = dig(top, depth, at_bottom);
	else if (at_bottom)
		at_bottom();
	return below + (size_t)room[0];
}

static void
use(size_t depth, int (*at_bottom)(void))
{
	check(dig(__builtin_frame_address(0), depth, at_bottom) > 0);
}

/* The mark: at least what was used, never less than before, and no more than
 * there is. */

static void
mark_grows(void)
{
	size_t size = wf_stack_size(), mark = wf_stack_high_water(), now;

	check(mark > 0);
	for (size_t depth = 8192; depth < size / 4 * 3; depth += 8192) {
		use(depth, NULL);
		now = wf_stack_high_water();
		check(now >= mark);
		check(now >= depth);
		check(now <= size);
		mark = now;
	}
	/* Another stack's use is not mine. */
	check(mark >= size / 2);
	use(4096, wf_yield);
	check(wf_stack_high_water() >= mark);
}

static int
high_water(void)
{
	wf_waitgroup wg = {0};

	for (int i = 0; i < 5; i++)
		check_eq(wf_waitgroup_spawn(&wg, mark_grows), 0);
	wf_waitgroup_wait(&wg);
	return 0;
}

/* A fresh stack of a class that nobody has used: a small mark, then a large
 * one. */
static void
mark_of_modest(size_t *small, size_t *large)
{
	*small = wf_stack_high_water();
	use(1 << 20, NULL);
	*large = wf_stack_high_water();
}

static int
modest(void)
{
	wf_waitgroup wg = {0};
	struct wf_attr attr = { .stack_size = 4 << 20, .waitgroup = &wg };
	size_t small = 0, large = 0;

	check_eq(wf_spawn_with(&attr, mark_of_modest, &small, &large), 0);
	wf_waitgroup_wait(&wg);
	check(small > 0 && small < 1 << 18);
	check(large >= 1 << 20 && large < 2 << 20);
	return 0;
}

/* Sizes. */

static int
main_is_large(void)
{
	check(wf_stack_size() > 4 << 20);
	check(wf_stack_size() <= 8 << 20);
	use(4 << 20, wf_yield);
	check(wf_stack_high_water() >= 4 << 20);
	return 0;
}

static void
size_of_mine(size_t *size)
{
	*size = wf_stack_size();
	use(*size / 2, wf_yield);
}

static int
default_size(void)
{
	wf_waitgroup wg = {0};
	size_t size = 0;

	wf_waitgroup_spawn(&wg, size_of_mine, &size);
	wf_waitgroup_wait(&wg);
	check(size > 128 << 10 && size <= 256 << 10);
	return 0;
}

static void
size_by_option(void)
{
	struct wf_options options = { .stack_size = 1 << 20 };
	wf_waitgroup wg = {0};
	size_t size = 0;

	if (!check_eq(wf_start(&options), 0))
		return;
	check_eq(wf_waitgroup_spawn(&wg, size_of_mine, &size), 0);
	wf_waitgroup_wait(&wg);
	check(size > 512 << 10 && size <= 1 << 20);
	check_eq(wf_stop(WF_FOREVER), 0);
	/* The next start has the default again. */
	check_eq(wf_waitgroup_spawn(&wg, size_of_mine, &size), 0);
	wf_waitgroup_wait(&wg);
	check(size > 128 << 10 && size <= 256 << 10);
	check_eq(wf_stop(WF_FOREVER), 0);
}

/* Different sizes live side by side, each with its own contents. */

static void
keep_pattern(int id, size_t bytes)
{
	volatile unsigned char room[4096];
	size_t step = 4096;

	for (size_t i = 0; i < sizeof room; i++)
		room[i] = (unsigned char)(i + (size_t)id);
	for (size_t used = step; used < bytes; used += step) {
		use(used, NULL);
		wf_yield();
	}
	for (size_t i = 0; i < sizeof room; i++)
		if (!check_eq(room[i], (unsigned char)(i + (size_t)id)))
			return;
}

static int
side_by_side(void)
{
	wf_waitgroup wg = {0};

	for (int i = 0; i < 64; i++) {
		struct wf_attr attr = {
			.stack_size = (size_t)65536 << i % 4,
			.waitgroup = &wg,
		};

		check_eq(wf_spawn_with(&attr, keep_pattern, i,
		    (size_t)(i % 8) * 4096), 0);
	}
	wf_waitgroup_wait(&wg);
	return 0;
}

/* Very many at once, each with a value on its stack. */

static void
stand(int id, wf_waitgroup *here, wf_chan(int) gate, long *sum)
{
	volatile int mine = id;

	wf_waitgroup_done(here);
	check_eq(wf_recv(gate, NULL), 0);
	__atomic_add_fetch(sum, mine, __ATOMIC_RELAXED);
}

static void
crowd_of(int many)
{
	wf_chan(int) gate = wf_chan_make(int, 0);
	wf_waitgroup wg = {0}, here = {0};
	struct wf_stats stats;
	long sum = 0, wanted = 0;

	wf_waitgroup_add(&here, many);
	for (int i = 0; i < many; i++) {
		if (!check_eq(wf_waitgroup_spawn(&wg, stand, i, &here, gate,
		    &sum), 0))
			wf_waitgroup_done(&here);
		else
			wanted += i;
	}
	wf_waitgroup_wait(&here);
	wf_stats(&stats);
	check(stats.live >= (uint64_t)many);
	check_eq(sum, 0);
	wf_close(gate);
	wf_waitgroup_wait(&wg);
	check_eq(sum, wanted);
	wf_chan_free(gate);
}

static int
crowd(void)
{
	crowd_of(TAP_TSAN ? 2000 : TAP_ASAN ? 5000 : 20000);
	return 0;
}

/* More of them than one slab holds, of a large class. */
static void
wait_at(wf_chan(int) gate)
{
	wf_recv(gate, NULL);
	use(1 << 20, NULL);
}

static int
large_crowd(void)
{
	wf_chan(int) gate = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	struct wf_attr attr = { .stack_size = 2 << 20, .waitgroup = &wg };
	int n = 0;

	for (int i = 0; i < 200; i++)
		n += wf_spawn_with(&attr, wait_at, gate) == 0;
	check_eq(n, 200);
	wf_close(gate);
	wf_waitgroup_wait(&wg);
	wf_chan_free(gate);
	return 0;
}

/* Stacks are used again: crowd after crowd, and one after the other, the
 * number carved from the system does not grow. */

static uint64_t
stacks(void)
{
	struct wf_stats stats;

	wf_stats(&stats);
	return stats.stacks;
}

static void
nothing(void)
{
}

static int
used_again(void)
{
	uint64_t before;

	for (int i = 0; i < 3; i++)
		crowd_of(1000);
	before = stacks();
	check(before > 0);
	for (int i = 0; i < 20; i++)
		crowd_of(1000);
	check(stacks() < before + 5 * 1000);
	before = stacks();
	for (int i = 0; i < 20000; i++) {
		wf_waitgroup wg = {0};

		wf_waitgroup_spawn(&wg, nothing);
		wf_waitgroup_wait(&wg);
	}
	check(stacks() < before + 1000);
	return 0;
}

/* What an earlier coroutine left on its stack is no argument of a later one. */

static void
dirty(void)
{
	use(16384, NULL);
}

static void
clean(int a, long b, const char *c, double d, int e, int f, int g, int h)
{
	check_eq(a + b + e + f + g + h, 1 + 2 + 5 + 6 + 7 + 8);
	check(!strcmp(c, "c") && d == 4.0);
	dirty();
}

static int
arguments_on_used_stacks(void)
{
	for (int i = 0; i < 200; i++) {
		wf_waitgroup wg = {0};

		for (int k = 0; k < 10; k++) {
			wf_waitgroup_spawn(&wg, dirty);
			wf_waitgroup_spawn(&wg, clean, 1, 2L, "c", 4.0, 5, 6,
			    7, 8);
		}
		wf_waitgroup_wait(&wg);
	}
	return 0;
}

/* Threads that spawn: stacks come from workers and go to others. */

static void *
spawn_from_thread(void *arg)
{
	for (int i = 0; i < 200; i++) {
		wf_waitgroup wg = {0};

		for (int k = 0; k < 5; k++)
			check_eq(wf_waitgroup_spawn(&wg, dirty), 0);
		wf_waitgroup_wait(&wg);
	}
	return arg;
}

static int
spawning_threads(void)
{
	pthread_t thread[4];
	int n = 0;

	for (int i = 0; i < 4; i++)
		if (check(!pthread_create(&thread[n], NULL, spawn_from_thread,
		    NULL)))
			n++;
	spawn_from_thread(NULL);
	while (n > 0)
		pthread_join(thread[--n], NULL);
	return 0;
}

/* ---- a budget ---- */

enum { IN_BUDGET = 4 };

struct crew {
	long now, most, ran;		/* atomic */
};

static void
begin_work(struct crew *c)
{
	long n = __atomic_add_fetch(&c->now, 1, __ATOMIC_RELAXED);
	long most = __atomic_load_n(&c->most, __ATOMIC_RELAXED);

	while (n > most && !__atomic_compare_exchange_n(&c->most, &most, n,
	    false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
}

static void
end_work(struct crew *c)
{
	__atomic_sub_fetch(&c->now, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&c->ran, 1, __ATOMIC_RELAXED);
}

static void
work_a_little(struct crew *c)
{
	begin_work(c);
	wf_yield();
	wf_sleep(20 * WF_US);
	end_work(c);
}

/* Spawn where others may wait for a stack: then later. */
static void
insist(wf_waitgroup *wg, struct crew *c)
{
	int err;

	while ((err = wf_waitgroup_spawn(wg, work_a_little, c)) == -ENOMEM)
		wf_sleep(50 * WF_US);
	check_eq(err, 0);
}

static void
start_with_budget(size_t bytes)
{
	struct wf_options o = { .stack_budget = bytes };

	check_eq(wf_start(&o), 0);
}

static void
keep_to_budget(void)
{
	struct crew c = { 0 };
	wf_waitgroup wg = {0};
	long n = tap_scale(20000, 1000);

	start_with_budget(IN_BUDGET * (256 << 10));
	for (long i = 0; i < n; i++)
		insist(&wg, &c);
	wf_waitgroup_wait(&wg);
	check_eq(wf_stop(WF_FOREVER), 0);
	check_eq(c.ran, n);
	check(c.most >= 1 && c.most <= IN_BUDGET);
}

static void
wait_at_gate(struct crew *c, wf_chan(int) gate)
{
	begin_work(c);
	wf_recv(gate, NULL);
	end_work(c);
}

/* With all of it in use spawns are refused, when the first has found none, and
 * nothing that was taken on is lost. */
static void
refuse_beyond_budget(void)
{
	wf_chan(int) gate = wf_chan_make(int, 0);
	struct crew c = { 0 };
	wf_waitgroup wg = {0};
	long taken = 0;
	int err;

	start_with_budget(IN_BUDGET * (256 << 10));
	while ((err = wf_waitgroup_spawn(&wg, wait_at_gate, &c, gate)) == 0) {
		taken++;
		usleep(200);
	}
	check_eq(err, -ENOMEM);
	check(taken > 0);
	while (__atomic_load_n(&c.now, __ATOMIC_RELAXED) < IN_BUDGET &&
	    __atomic_load_n(&c.now, __ATOMIC_RELAXED) < taken)
		usleep(200);		/* two that were refused at once */
	check_eq(__atomic_load_n(&c.ran, __ATOMIC_RELAXED), 0);
	wf_close(gate);
	wf_waitgroup_wait(&wg);
	check_eq(wf_stop(WF_FOREVER), 0);
	check_eq(c.ran, taken);
	check(c.most <= IN_BUDGET);
	wf_chan_free(gate);
}

/* However small, one may run; large stacks count as what they are. */
static void
spend_budget(void)
{
	struct wf_attr large = { .stack_size = 1 << 20 };
	struct crew c = { 0 };
	int err;

	start_with_budget(1);
	for (int i = 0; i < 100; i++) {
		while ((err = wf_spawn_with(&large, work_a_little, &c)) ==
		    -ENOMEM)
			wf_sleep(50 * WF_US);
		check_eq(err, 0);
	}
	check_eq(wf_stop(WF_FOREVER), 0);
	check_eq(c.ran, 100);
	check_eq(c.most, 1);
}

static int
beside_main(void)
{
	struct crew c = { 0 };
	wf_waitgroup wg = {0};

	for (int i = 0; i < 100; i++)
		insist(&wg, &c);
	wf_waitgroup_wait(&wg);
	check_eq(c.ran, 100);
	check(c.most >= 1 && c.most <= 2);
	return 0;
}

static void
budget_by_environment(void)
{
	setenv("WEFT_STACK_BUDGET", "524288", 1);
	check_eq(wf_run(beside_main), 0);
	unsetenv("WEFT_STACK_BUDGET");
}

static void
budgets(void)
{
	static const int workers[] = { 1, 2, 4, 16 };

	for (int i = 0; i < 4; i++) {
		tap_workers(workers[i]);
		tap_plain("a budget is kept", keep_to_budget);
		tap_plain("a budget refuses", refuse_beyond_budget);
		tap_plain("a budget of one", spend_budget);
		tap_plain("a budget, but for main", budget_by_environment);
	}
}

int
main(void)
{
	tap_test("sizes: main", main_is_large);
	tap_test("sizes: the default", default_size);
	tap_plain("sizes: by option", size_by_option);
	tap_test("high water: small, then large", modest);
	tap_test_workers("high water grows", high_water);
	tap_test_workers("side by side", side_by_side);
	tap_test_workers("20000 at once", crowd);
	tap_test_workers("a crowd of large ones", large_crowd);
	tap_test_workers("used again", used_again);
	tap_test_workers("arguments on used stacks",
	    arguments_on_used_stacks);
	tap_test_workers("spawning threads", spawning_threads);
	budgets();
	return tap_end();
}
