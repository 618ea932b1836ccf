/* SPDX-License-Identifier: MIT */
/*
 * group.c - groups: the first error, the limit, joins that are given up, the
 * end of the scope; many workers and threads at once.
 */
#include "tap.h"

#include <pthread.h>

#define HOUR (3600 * WF_SEC)

static int
give(int result)
{
	return result;
}

static int
give_slowly(int result)
{
	wf_yield();
	wf_sleep(20 * WF_US);
	return result;
}

static int
nothing(void)
{
	return 0;
}

/* Until the context is done; its error. */
static int
until_done(wf_ctx *ctx)
{
	check_eq(wf_select(wf_on_done(ctx)), 0);
	return wf_ctx_err(ctx);
}

/* 230: the first error so far, after each wait. */

static int
first_error(void)
{
	static const int sequence[][4] = {
		{ 1 }, { 0, 1 }, { -EIO, 1 }, { -EIO, 0, 1 },
		{ -EIO, 0, -EPIPE, 1 }, { 7, -EPIPE, 1 },
	};

	for (int i = 0; i < 6; i++) {
		wf_group *g = wf_group_make(wf_ctx_background());
		int first = 0;

		check_eq(wf_group_wait(g), 0);
		for (int k = 0; sequence[i][k] != 1; k++) {
			check_eq(wf_group_spawn(g, give, sequence[i][k]), 0);
			if (!first && sequence[i][k] < 0)
				first = sequence[i][k];
			check_eq(wf_group_wait(g), first);
		}
		wf_group_free(g);
	}
	return 0;
}

/* The first error cancels, with the child's name for a cause; nobody else's
 * counts. */
static int
error_cancels(void)
{
	wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
	wf_group *g = wf_group_make(top);
	struct wf_cause cause;

	for (int i = 0; i < 5; i++)
		check_eq(wf_group_spawn(g, until_done, wf_group_ctx(g)), 0);
	check_eq(wf_group_active(g), 5);
	check_eq(wf_group_spawn(g, give_slowly, -EBADF), 0);
	check_eq(wf_group_wait(g), -EBADF);
	check_eq(wf_group_active(g), 0);
	check_eq(wf_ctx_err(wf_group_ctx(g)), -ECANCELED);
	check_eq(wf_ctx_cause(wf_group_ctx(g), &cause), -EBADF);
	check(!strcmp(cause.text, "give_slowly"));
	check_eq(wf_ctx_err(top), 0);
	wf_group_free(g);
	wf_ctx_free(top);
	return 0;
}

/* A wait without an error cancels too; cancel and the parent do, from above. */
static int
other_ends(void)
{
	wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
	wf_group *g = wf_group_make(top);
	struct wf_cause why = { -EPIPE, "the client hung up" }, cause;

	check_eq(wf_group_spawn(g, nothing), 0);
	check_eq(wf_group_wait(g), 0);
	check_eq(wf_ctx_cause(wf_group_ctx(g), NULL), -ECANCELED);
	wf_group_free(g);
	g = wf_group_make(top);
	check_eq(wf_group_spawn(g, until_done, wf_group_ctx(g)), 0);
	wf_group_cancel(g);
	check_eq(wf_group_wait(g), -ECANCELED);
	wf_group_free(g);
	g = wf_group_make(top);
	check_eq(wf_group_spawn(g, until_done, wf_group_ctx(g)), 0);
	wf_ctx_cancel_cause(top, &why);
	check_eq(wf_group_wait(g), -ECANCELED);
	check_eq(wf_ctx_cause(wf_group_ctx(g), &cause), -EPIPE);
	check(!strcmp(cause.text, why.text));
	wf_group_free(g);
	wf_ctx_free(top);
	return 0;
}

/* The scope: leaving it cancels and joins, whichever way. */

static int ended;

static int
end_late(wf_ctx *ctx)
{
	until_done(ctx);
	wf_sleep(50 * WF_US);
	__atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
	return 0;
}

static int
leave_scope(int how)
{
	wf_group *g = wf_group_make(wf_ctx_background());

	wf_defer(wf_group_free, g);
	for (int i = 0; i < 10; i++)
		check_eq(wf_group_spawn(g, end_late, wf_group_ctx(g)), 0);
	if (how == 0)
		return -1;
	if (how == 1)
		wf_exit();
	return 0;
}

static int
scopes(void)
{
	for (int how = 0; how < 3; how++) {
		wf_group *g = wf_group_make(wf_ctx_background());

		ended = 0;
		check_eq(wf_group_spawn(g, leave_scope, how), 0);
		check_eq(wf_group_wait(g), how == 0 ? -1 : 0);
		check_eq(ended, 10);
		wf_group_free(g);
	}
	return 0;
}

/* Results by pointer; a child spawns into its own group. */

static int
sum_up(wf_group *g, int from, int to, long *sum)
{
	if (to - from < 8) {
		for (int i = from; i < to; i++)
			__atomic_add_fetch(sum, i, __ATOMIC_RELAXED);
		return 0;
	}
	check_eq(wf_group_spawn(g, sum_up, g, from, (from + to) / 2, sum), 0);
	return wf_group_spawn(g, sum_up, g, (from + to) / 2, to, sum);
}

static int
nested_spawns(void)
{
	for (int i = 0; i < 30; i++) {
		wf_group *g = wf_group_make(wf_ctx_background());
		long sum = 0;

		check_eq(wf_group_spawn(g, sum_up, g, 0, 1000, &sum), 0);
		check_eq(wf_group_wait(g), 0);
		check_eq(sum, 499500);
		wf_group_free(g);
	}
	return 0;
}

/* Arguments of all kinds, a name, a waitgroup beside. */

static int
take_all(const char *text, double d, float f, int i, size_t n, int *seen)
{
	*seen += !strcmp(text, "text") && d == 0.5 && f == 2.0f && i == -3 &&
	    n == 9;
	return 0;
}

static int
arguments(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());
	struct wf_attr attr = { .name = "named" };
	wf_waitgroup wg = {0};
	int seen = 0, n = 5;

	attr.waitgroup = &wg;
	check_eq(wf_group_spawn(g, take_all, "text", 0.5, 2.0f, -3, (size_t)9,
	    &seen), 0);
	check_eq(wf_group_wait(g), 0);
	check_eq(wf_group_spawn_with(g, &attr, take_all, "text", 0.5, 2.0f, -3,
	    (size_t)9, &seen), 0);
	wf_waitgroup_wait(&wg);
	check_eq(wf_group_wait(g), 0);
	check_eq(wf_group_try_spawn(g, give, -n++), 0);
	check_eq(n, 6);
	check_eq(wf_group_wait(g), -5);
	check_eq(seen, 2);
	attr.stack_size = SIZE_MAX;
	check_eq(wf_group_spawn_with(g, &attr, nothing), -EINVAL);
	check_eq(wf_group_active(g), 0);
	wf_group_free(g);
	return 0;
}

/* 232: the limit, by try. */

static int
wait_for_token(wf_chan(int) c)
{
	return wf_recv(c, NULL) ? 0 : -EPIPE;
}

static void
try_limit(wf_group *g, int limit)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	wf_group_limit(g, limit);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < limit; i++)
			check_eq(wf_group_try_spawn(g, wait_for_token, c), 0);
		for (int i = 0; i < 3; i++)
			check_eq(wf_group_try_spawn(g, wait_for_token, c),
			    -EAGAIN);
		check_eq(wf_group_active(g), limit);
		for (int i = 0; i < limit; i++)
			check_eq(wf_send(c, i), 1);
		check_eq(wf_group_wait(g), 0);
	}
	wf_chan_free(c);
}

static int
limits(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());

	try_limit(g, 42);
	try_limit(g, 1);
	wf_group_limit(g, 0);
	for (int i = 0; i < 1024; i++)
		check_eq(wf_group_try_spawn(g, nothing), -EAGAIN);
	check_eq(wf_group_wait(g), 0);
	check_eq(wf_group_spawn(g, nothing), -ECANCELED);	/* done */
	wf_group_limit(g, -1);
	for (int i = 0; i < 1024; i++)
		check_eq(wf_group_try_spawn(g, nothing), 0);
	check_eq(wf_group_wait(g), 0);
	wf_group_free(g);
	return 0;
}

/* 233: never more than ten. */

static int now_active, most_active;

static int
be_active(int result)
{
	int n = __atomic_add_fetch(&now_active, 1, __ATOMIC_SEQ_CST);
	int most = __atomic_load_n(&most_active, __ATOMIC_RELAXED);

	while (n > most && !__atomic_compare_exchange_n(&most_active, &most, n,
	    false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (result % 3 == 0)
		wf_yield();
	if (result % 50 == 0)
		wf_sleep(WF_US);
	__atomic_sub_fetch(&now_active, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void
spawn_many(wf_group *g, int n)
{
	for (int i = 0; i < n; i++)
		check_eq(wf_group_spawn(g, be_active, i), 0);
}

static void *
spawn_many_thread(void *arg)
{
	spawn_many(arg, 200);
	return NULL;
}

static int
never_more(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());
	wf_waitgroup wg = {0};
	pthread_t thread[2];

	now_active = most_active = 0;
	wf_group_limit(g, 10);
	spawn_many(g, 1025);
	for (int i = 0; i < 4; i++)
		wf_waitgroup_spawn(&wg, spawn_many, g, 200);
	for (int i = 0; i < 2; i++)
		check_eq(pthread_create(&thread[i], NULL, spawn_many_thread,
		    g), 0);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	check_eq(wf_group_wait(g), 0);
	check_eq(now_active, 0);
	check(most_active <= 10 && most_active > 0);
	wf_group_free(g);
	return 0;
}

/* Who waits for a place is let in in the order of arrival; the end of the
 * context ends that wait. */

static int order[10], n_order;

static int
note_order(int i)
{
	order[n_order++] = i;		/* one at a time, by the limit */
	return 0;
}

static void
spawn_in_order(wf_group *g, int i)
{
	check_eq(wf_group_spawn(g, note_order, i), 0);
}

static int
in_order(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};

	n_order = 0;
	wf_group_limit(g, 1);
	check_eq(wf_group_spawn(g, wait_for_token, c), 0);
	for (int i = 0; i < 10; i++) {
		wf_waitgroup_spawn(&wg, spawn_in_order, g, i);
		wf_yield();
	}
	check_eq(n_order, 0);
	wf_send(c, 1);
	wf_waitgroup_wait(&wg);
	check_eq(wf_group_wait(g), 0);
	check_eq(n_order, 10);
	for (int i = 0; i < n_order; i++)
		check_eq(order[i], i);
	wf_group_free(g);
	wf_chan_free(c);
	return 0;
}

static void
spawn_refused(wf_group *g, int err, int *refused)
{
	int got = wf_group_spawn(g, nothing);

	if (got < 0)
		check_eq(got, err);
	__atomic_add_fetch(refused, got < 0, __ATOMIC_RELAXED);
}

static int
refused_by_end(void)
{
	for (int round = 0; round < 60; round++) {
		wf_ctx *top = round % 3 == 2 ? wf_ctx_with_timeout(
		    wf_ctx_background(), 200 * WF_US) :
		    wf_ctx_with_cancel(wf_ctx_background());
		wf_group *g = wf_group_make(top);
		wf_waitgroup wg = {0};
		int refused = 0;

		wf_group_limit(g, round % 2);
		if (round % 2)
			check_eq(wf_group_spawn(g, until_done,
			    wf_group_ctx(g)), 0);
		for (int i = 0; i < 8; i++)
			wf_waitgroup_spawn(&wg, spawn_refused, g, round % 3 ==
			    2 ? -ETIMEDOUT : -ECANCELED, &refused);
		if (round % 4 < 2)
			wf_yield();
		if (round % 3 == 0)
			wf_group_cancel(g);
		else if (round % 3 == 1)
			wf_ctx_cancel(top);
		wf_waitgroup_wait(&wg);
		if (round % 2 == 0)
			check_eq(refused, 8);
		wf_group_free(g);
		wf_ctx_free(top);
	}
	return 0;
}

/* A join that is given up, and who still runs. */

static void
collect_dump(wf_group *g, char *text, size_t size)
{
	int ends[2];
	ssize_t n;

	text[0] = '\0';
	if (!check(pipe(ends) == 0))
		return;
	check_eq(wf_group_dump(g, ends[1]), 0);
	close(ends[1]);
	n = read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
}

static int
given_up(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());
	wf_group *other = wf_group_make(wf_ctx_background());
	wf_ctx *soon = wf_ctx_with_timeout(wf_ctx_background(), WF_MS);
	struct wf_attr attr = { .name = "stubborn" };
	wf_chan(int) c = wf_chan_make(int, 0);
	char text[2048];

	check_eq(wf_group_spawn(g, wait_for_token, c), 0);
	check_eq(wf_group_spawn_with(g, &attr, wait_for_token, c), 0);
	attr.name = "foreign";
	check_eq(wf_group_spawn_with(other, &attr, wait_for_token, c), 0);
	check_eq(wf_group_spawn(g, nothing), 0);
	check_eq(wf_group_wait_ctx(soon, g), -ETIMEDOUT);
	while (wf_group_active(g) > 2)	/* nothing() may have had no turn */
		wf_yield();
	check_eq(wf_group_active(g), 2);
	check_eq(wf_ctx_err(wf_group_ctx(g)), 0);
	collect_dump(g, text, sizeof text);
	check(strstr(text, " wait_for_token ("));
	check(strstr(text, " stubborn ("));
	check(!strstr(text, "foreign") && !strstr(text, "nothing"));
	check_eq(wf_group_wait_ctx(soon, g), -ETIMEDOUT);
	check_eq(wf_group_wait_ctx(NULL, g), -EINVAL);
	wf_close(c);
	check_eq(wf_group_wait_ctx(wf_ctx_background(), g), -EPIPE);
	check_eq(wf_group_wait(g), -EPIPE);
	check_eq(wf_group_wait_ctx(soon, g), -EPIPE);	/* nobody left */
	collect_dump(g, text, sizeof text);
	check_eq(text[0], '\0');
	wf_group_free(g);
	wf_group_free(other);
	wf_ctx_free(soon);
	wf_chan_free(c);
	return 0;
}

/* Several who wait, in all ways, for children that end and fail. */

static void
wait_some_way(wf_group *g, int how, int error)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(),
	    how % 3 ? HOUR : 20 * WF_US);
	int got = how % 2 ? wf_group_wait(g) : wf_group_wait_ctx(ctx, g);

	if (got != -ETIMEDOUT || how % 6)
		check_eq(got, error);
	wf_ctx_free(ctx);
}

static int
many_waiters(void)
{
	for (int round = 0; round < 60; round++) {
		wf_group *g = wf_group_make(wf_ctx_background());
		int error = round % 2 ? -EIO : 0;
		wf_waitgroup wg = {0};

		for (int i = 0; i < 20; i++)
			wf_group_spawn(g, give_slowly, error);
		for (int i = 0; i < 8; i++)
			wf_waitgroup_spawn(&wg, wait_some_way, g, i, error);
		if (round % 3)
			check_eq(wf_group_wait(g), error);
		wf_waitgroup_wait(&wg);
		wf_group_free(g);
	}
	return 0;
}

/* Freed at once by who was woken, while the last child is on its way out. */
static int
freed_at_once(void)
{
	for (long i = tap_scale(50000, 3000); i > 0; i--) {
		wf_group *g = wf_group_make(wf_ctx_background());
		int error = i % 3 ? 0 : -EIO;

		check_eq(wf_group_spawn(g, give, error), 0);
		check_eq(wf_group_spawn(g, give, 0), 0);
		if (i % 5 == 0)
			wf_yield();
		if (i % 4)
			check_eq(wf_group_wait(g), error);
		wf_group_free(g);
	}
	return 0;
}

/* By plain threads, before there is a coroutine. */

static void *
spawn_and_wait(void *arg)
{
	for (int i = 0; i < 50; i++) {
		wf_group *g = wf_group_make(wf_ctx_background());

		for (int k = 0; k < 5; k++)
			check_eq(wf_group_spawn(g, give_slowly,
			    k == 3 ? -EIO : 0), 0);
		check_eq(wf_group_wait(g), -EIO);
		wf_group_free(g);
	}
	return arg;
}

static void
plain_threads(void)
{
	pthread_t thread[3];

	for (int i = 0; i < 3; i++)
		check_eq(pthread_create(&thread[i], NULL, spawn_and_wait,
		    NULL), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	check_eq(wf_stop(WF_FOREVER), 0);
}

/* NULL for a group, and for a parent. */
static int
no_group(void)
{
	wf_group *g = wf_group_make(NULL);

	check_eq(wf_ctx_err(wf_group_ctx(g)), -EINVAL);
	check_eq(wf_group_spawn(g, give, -EIO), 0);
	check_eq(wf_group_wait(g), -EIO);
	wf_group_free(g);
	check_eq(wf_group_spawn(NULL, nothing), -ENOMEM);
	check_eq(wf_group_try_spawn(NULL, nothing), -ENOMEM);
	check_eq(wf_group_wait(NULL), -ENOMEM);
	check_eq(wf_group_wait_ctx(wf_ctx_todo(), NULL), -ENOMEM);
	check_eq(wf_ctx_err(wf_group_ctx(NULL)), -ENOMEM);
	check_eq(wf_group_active(NULL), 0);
	check_eq(wf_group_dump(NULL, 2), 0);
	wf_group_cancel(NULL);
	wf_group_limit(NULL, 1);
	wf_group_free(NULL);
	return 0;
}

/* 234, and other misuse. */

static int
limit_while_active(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());

	wf_group_spawn(g, until_done, wf_group_ctx(g));
	wf_group_limit(g, 3);
	return 0;
}

static int
wait_by_child(wf_group *g)
{
	return wf_group_wait(g);
}

static int
free_by_child(wf_group *g)
{
	wf_group_free(g);
	return 0;
}

static int
child_waits(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());

	wf_group_spawn(g, wait_by_child, g);
	return wf_group_wait(g);
}

static int
child_frees(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());

	wf_group_spawn(g, free_by_child, g);
	return wf_group_wait(g);
}

static int
never_ends(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());

	wf_group_limit(g, 0);
	return wf_group_spawn(g, nothing);
}

static int
never_ends_run(void)
{
	return wf_run(never_ends);
}

int
main(void)
{
	tap_count_memory();
	tap_child("234: the limit while active", limit_while_active,
	    TAP_ABORTED, "wf_group_limit: group ", " has 1 children");
	tap_child("a child waits for its group", child_waits, TAP_ABORTED,
	    "wf_group_wait: a child of group ", "wait_by_child");
	tap_child("a child frees its group", child_frees, TAP_ABORTED,
	    "wf_group_free: a child of group ");
	if (TAP_TSAN)
		tap_skip("at the limit for ever",
		    "ThreadSanitizer has a thread of its own");
	else
		tap_child("at the limit for ever", never_ends_run, 2,
		    "deadlock", "for a place in group");
	tap_plain("plain threads", plain_threads);
	tap_test("NULL", no_group);
	tap_test("arguments", arguments);
	tap_test("a join that is given up", given_up);
	tap_test_workers("230: the first error", first_error);
	tap_test_workers("an error cancels", error_cancels);
	tap_test_workers("other ends", other_ends);
	tap_test_workers("scopes", scopes);
	tap_test_workers("nested spawns", nested_spawns);
	tap_test_workers("232: limits", limits);
	tap_test_workers("233: never more", never_more);
	tap_test_workers("refused by the end", refused_by_end);
	tap_test_workers("many waiters", many_waiters);
	tap_test_workers("freed at once", freed_at_once);
	tap_workers(1);
#ifdef WEFT_CHAOS
	tap_skip("in the order of arrival", "they arrive in any order");
	(void)in_order;
#else
	tap_test("in the order of arrival", in_order);
#endif
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
