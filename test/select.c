/* SPDX-License-Identifier: MIT */
/*
 * select.c - tests of select: what is ready, equal chances, order, timeouts,
 * sets made at run time, memory, misuse.
 *
 * The numbers are those of the cases that every select of weft is to pass.
 * select_race.c has those that are about races, select_ctx.c those about
 * contexts.  Left out: 53 as it stands (in C all destinations are evaluated
 * before the call); that the losing ones stay untouched is tested instead.
 */
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

typedef wf_chan(int) int_chan;

/* n channels, or a failed check. */
static bool
make_ints(int_chan *c, size_t n, size_t cap)
{
	for (size_t i = 0; i < n; i++)
		if (!check((c[i] = wf_chan_make(int, cap)) != NULL))
			return false;
	return true;
}

static void
free_ints(int_chan *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wf_chan_free(c[i]);
}

/* Case 17. */

static void
count_bits(wf_chan(int) c, int *seen)
{
	int v;

	while (wf_recv(c, &v))
		seen[v]++;
}

static int
random_choice(void)
{
	for (size_t cap = 0; cap <= 100; cap += 100) {
		wf_chan(int) c = wf_chan_make(int, cap);
		wf_waitgroup wg = {0};
		int seen[2] = { 0, 0 };

		if (!check(c != NULL))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, count_bits, c, &seen[0]), 0);
		for (int i = 0; i < 200; i++)
			wf_select(wf_on_send(c, 1), wf_on_send(c, 0));
		wf_close(c);
		wf_waitgroup_wait(&wg);
		check_eq(seen[0] + seen[1], 200);
		check(seen[0] > 20 && seen[1] > 20);
		wf_chan_free(c);
	}
	return 0;
}

/* Case 31: selects leave nothing behind, and take nothing. */

static void
send_n(wf_chan(int) c, long n)
{
	while (n-- > 0)
		check_eq(wf_send(c, 1), 1);
}

static void
select_n(int_chan *c, long n)
{
	while (n-- > 0)
		check(wf_select(wf_on_recv(c[0], NULL),
		    wf_on_recv(c[1], NULL)) == 0);
}

static int
no_creep(void)
{
	long n = tap_scale(100000, 10000), before, asked;
	int_chan c[2];
	wf_waitgroup wg = {0};

	if (!make_ints(c, 2, 0))
		return 1;
	for (int round = 0; round < 3; round++) {
		before = tap_bytes();
		asked = tap_allocations();
		check_eq(wf_waitgroup_spawn(&wg, send_n, c[0], n), 0);
		select_n(c, n);
		wf_waitgroup_wait(&wg);
	}
	if (!tap_simulated())		/* which writes down what it does */
		check(tap_bytes() - before < 110 * 1024);
	check(tap_allocations() - asked < 100);
	check(before > 0);
	free_ints(c, 2);
	return 0;
}

/* Cases 32 and 41 to 52: what is ready and what never is. */

static int
never_ready(void)
{
	wf_chan(int) none = NULL, fresh = wf_chan_make(int, 0);
	int v = 3;

	if (!check(fresh != NULL))
		return 1;
	check_eq(wf_select(wf_on_send(none, 1), wf_on_timeout(WF_MS)), 1);
	check_eq(wf_select(wf_on_recv(none, &v), wf_on_timeout(WF_MS)), 1);
	check_eq(wf_select(wf_on_recv(none, &v), wf_on_send(none, 2),
	    wf_on_timeout(WF_MS)), 2);
	check_eq(wf_select(wf_on_recv(fresh, &v), wf_on_timeout(WF_MS)), 1);
	check_eq(wf_select(wf_on_send(fresh, 1), wf_on_timeout(WF_MS)), 1);
	check_eq(wf_select(wf_on_send(fresh, 1), wf_on_recv(fresh, &v),
	    wf_on_timeout(WF_MS)), 2);
	check_eq(wf_select(wf_on_recv(fresh, &v), wf_on_send(fresh, 1),
	    wf_on_timeout(WF_MS)), 2);
	check_eq(wf_select(wf_on_done(NULL), wf_on_timeout(WF_MS)), 1);
	check_eq(wf_select(wf_on_done(wf_ctx_background()),
	    wf_on_timeout(WF_MS)), 1);
	check_eq(v, 3);
	wf_chan_free(fresh);
	return 0;
}

static int
takes_default(void)
{
	wf_chan(int) none = NULL, fresh = wf_chan_make(int, 0);
	int v = 3;

	if (!check(fresh != NULL))
		return 1;
	check_eq(wf_select(wf_on_default()), 0);
	check_eq(wf_select(wf_on_recv(fresh, &v), wf_on_default()), 1);
	check_eq(wf_select(wf_on_recv(none, &v), wf_on_default()), 1);
	check_eq(wf_select(wf_on_send(none, 1), wf_on_default()), 1);
	check_eq(wf_select(wf_on_send(fresh, 1), wf_on_default()), 1);
	check_eq(wf_select(wf_on_default(), wf_on_send(fresh, 1),
	    wf_on_recv(fresh, &v)), 0);
	check_eq(wf_select(wf_on_timeout(WF_FOREVER), wf_on_default()), 1);
	check_eq(wf_select(wf_on_done(wf_ctx_background()),
	    wf_on_default()), 1);
	check_eq(v, 3);
	wf_chan_free(fresh);
	return 0;
}

static int
takes_ready(void)
{
	wf_chan(int) c = wf_chan_make(int, 1);
	int v = 0;
	bool ok = false;

	if (!check(c != NULL))
		return 1;
	for (int i = 0; i < 100; i++) {
		check_eq(wf_select(wf_on_default(), wf_on_send_ok(c, i, &ok)),
		    1);
		check(ok);
		check_eq(wf_select(wf_on_timeout(0), wf_on_recv(c, &v)), 1);
		check_eq(v, i);
		check_eq(wf_select(wf_on_send(c, i), wf_on_recv(c, &v)), 0);
		check_eq(wf_select(wf_on_send(c, i), wf_on_recv(c, &v)), 1);
	}
	wf_chan_free(c);
	return 0;
}

static int
closed_is_ready(void)
{
	wf_chan(int) c = wf_chan_make(int, 2), none = NULL;
	int v = 9;
	bool ok = false;

	if (!check(c && wf_send(c, 4) == 1 && wf_close(c) == 0))
		return 1;
	check_eq(wf_select(wf_on_recv_ok(c, &v, &ok), wf_on_default()), 0);
	check(ok && v == 4);
	for (int i = 0; i < 20; i++) {
		v = 9;
		ok = true;
		check_eq(wf_select(wf_on_recv(none, NULL),
		    wf_on_recv_ok(c, &v, &ok)), 1);
		check(!ok && v == 0);
		v = 9;
		check_eq(wf_select(wf_on_recv(c, &v)), 0);
		check_eq(v, 0);
		check_eq(wf_select(wf_on_recv(c, NULL), wf_on_default()), 0);
		ok = true;
		check_eq(wf_select(wf_on_send_ok(c, 5, &ok), wf_on_default()),
		    0);
		check(!ok);
		check_eq(wf_select(wf_on_send(c, 5)), 0);
	}
	wf_chan_free(c);
	return 0;
}

/* Case 55: each operand once, from left to right. */

static char order[32];
static size_t orders;

static int_chan
say_chan(int_chan c, char what)
{
	order[orders++] = what;
	return c;
}

static int
say_int(int v, char what)
{
	order[orders++] = what;
	return v;
}

static int *
say_dest(int *v, char what)
{
	order[orders++] = what;
	return v;
}

static int
evaluation_order(void)
{
	wf_chan(int) c = wf_chan_make(int, 1), none = NULL;
	int v = 0;

	if (!check(c != NULL))
		return 1;
	orders = 0;
	check_eq(wf_select(wf_on_send(say_chan(none, 'a'), say_int(1, 'b')),
	    wf_on_recv(say_chan(none, 'c'), say_dest(&v, 'd')),
	    wf_on_send(say_chan(c, 'e'), say_int(2, 'f')),
	    wf_on_timeout(say_int(0, 'g')), wf_on_default()), 2);
	check(!strcmp(order, "abcdefg"));
	check_eq(wf_recv(c, &v), 1);
	check_eq(v, 2);
	wf_chan_free(c);
	return 0;
}

/* Case 56: every mix of up to four cases that are never ready, and default:
 * a destination that cannot be written to is not written to. */
static int
nothing_ready(void)
{
	wf_chan(int) none = NULL, fresh = wf_chan_make(int, 0);
	int v = 3, *nowhere = (int *)16;
	struct wf_case set[5];

	if (!check(fresh != NULL))
		return 1;
	for (int mix = 0; mix < 4 * 4 * 4 * 4; mix++) {
		for (int i = 0, m = mix; i < 4; i++, m /= 4) {
			set[i] = m % 4 == 0 ? wf_case_recv(none, nowhere) :
			    m % 4 == 1 ? wf_case_recv(fresh, nowhere) :
			    m % 4 == 2 ? wf_case_send(none, nowhere) :
			    wf_case_send(fresh, &v);
		}
		set[4] = set[mix % 4];
		set[mix % 5] = wf_case_default();
		check_eq(wf_selectv(set, 5), mix % 5);
	}
	check_eq(v, 3);
	wf_chan_free(fresh);
	return 0;
}

/* Case 59. */
static int
channel_from_channel(void)
{
	wf_chan(int) c = wf_chan_make(int, 1), got = NULL;
	wf_chan(int_chan) cc = wf_chan_make(int_chan, 1);
	int v = 0;

	if (!check(c && cc && wf_send(cc, c) == 1))
		return 1;
	check_eq(wf_recv(cc, &got), 1);
	check_eq(wf_select(wf_on_send(got, 2), wf_on_default()), 0);
	check(wf_recv(c, &v) == 1 && v == 2);
	check_eq(wf_select(wf_on_send(cc, c), wf_on_default()), 0);
	check_eq(wf_select(wf_on_recv(cc, &got), wf_on_default()), 0);
	check(got == c);
	wf_chan_free(cc);
	wf_chan_free(c);
	return 0;
}

/* Case 71: four cases that are always ready, each is taken as often as the
 * others: 5 percent is 5.8 standard deviations away. */

static void
check_even(const long *taken, int n, long total)
{
	long sum = 0;

	for (int i = 0; i < n; i++) {
		long off = taken[i] - total / n;

		sum += taken[i];
		if (!check(off * 20 < total / n && off * -20 < total / n))
			tap_note("case %d: %ld of %ld", i, taken[i], total);
	}
	check_eq(sum, total);
}

static int
uniform_recv(void)
{
	int_chan c[4];

	if (!make_ints(c, 4, 2))
		return 1;
	for (int i = 0; i < 4; i++)
		check_eq(wf_send(c[i], 1), 1);
	wf_close(c[2]);
	wf_recv(c[2], NULL);
	for (int turn = 0; turn < 4; turn++) {
		int_chan *a = &c[turn], *b = &c[(turn + 1) % 4],
		    *d = &c[(turn + 2) % 4], *e = &c[(turn + 3) % 4];
		long taken[4] = { 0, 0, 0, 0 };

		for (int i = 0; i < 40000; i++) {
			int got = wf_select(wf_on_recv(*a, NULL),
			    wf_on_recv(*b, NULL), wf_on_recv(*d, NULL),
			    wf_on_recv(*e, NULL));

			if (!check(got >= 0 && got < 4))
				return 1;
			taken[got]++;
			wf_try_send(c[(turn + got) % 4], 1);
		}
		check_even(taken, 4, 40000);
	}
	free_ints(c, 4);
	return 0;
}

/* Two of eight ready: sends, at changing places. */
static int
uniform_send(void)
{
	for (int gap = 1; gap < 8; gap++) {
		int_chan c[8] = { NULL };
		struct wf_case set[8];
		long taken[2] = { 0, 0 };
		int v = 1;

		if (!make_ints(c, 1, 1))
			return 1;
		c[gap] = c[0];
		for (int i = 0; i < 8; i++)
			set[i] = wf_case_send(c[i], &v);
		for (int i = 0; i < 40000; i++) {
			int got = wf_selectv(set, 8);

			if (!check(got == 0 || got == gap))
				return 1;
			taken[got == gap]++;
			wf_recv(c[0], NULL);
		}
		check_even(taken, 2, 40000);
		wf_chan_free(c[0]);
	}
	return 0;
}

/* Whoever comes when the select waits already takes either of two cases on his
 * channel as often. */
static void
send_slowly(int_chan c, int n)
{
	while (n--) {
		for (int i = 0; i < 3; i++)
			wf_yield();
		check_eq(wf_send(c, n), 1);
	}
}

static int
uniform_wait(void)
{
	int_chan c[2];
	long taken[2] = { 0, 0 };

	if (!make_ints(c, 2, 0))
		return 1;
	check(wf_spawn(send_slowly, c[0], 40000) == 0);
	for (int i = 0; i < 40000; i++) {
		int got = wf_select(wf_on_recv(c[0], NULL),
		    wf_on_recv(c[1], NULL), wf_on_recv(c[0], NULL));

		if (!check(got == 0 || got == 2))
			return 1;
		taken[got == 2]++;
	}
	check_even(taken, 2, 40000);
	free_ints(c, 2);
	return 0;
}

/* Sets made at run time, of up to a thousand cases. */

struct set {
	size_t n;
	int_chan *c;
	int *v;
	bool *ok;
	struct wf_case *cases;
};

static bool
set_open(struct set *s, size_t n, size_t cap)
{
	s->n = n;
	s->c = calloc(n, sizeof *s->c);
	s->v = calloc(n, sizeof *s->v);
	s->ok = calloc(n, sizeof *s->ok);
	s->cases = calloc(n, sizeof *s->cases);
	if (!check(s->c && s->v && s->ok && s->cases) ||
	    !make_ints(s->c, n, cap))
		return false;
	for (size_t i = 0; i < n; i++)
		s->cases[i] = wf_case_recv_ok(s->c[i], &s->v[i], &s->ok[i]);
	return true;
}

static void
set_close(struct set *s)
{
	free_ints(s->c, s->n);
	free(s->c);
	free(s->v);
	free(s->ok);
	free(s->cases);
}

static void
send_at_random(struct set *s, int rounds, uint64_t random)
{
	for (int i = 1; i <= rounds; i++) {
		check_eq(wf_send(s->c[tap_random(&random) % s->n], i), 1);
		if (tap_random(&random) % 4 == 0)
			wf_yield();
	}
}

static int
run_time_set(size_t n, size_t cap)
{
	struct set s;
	wf_waitgroup wg = {0};
	long sum = 0;

	if (!set_open(&s, n, cap))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, send_at_random, &s, 200, tap_seed()),
	    0);
	for (int i = 1; i <= 200; i++) {
		int got = wf_selectv(s.cases, n);

		if (!check(got >= 0 && (size_t)got < n && s.ok[got]))
			return 1;
		check(s.v[got] > 0);
		sum += s.v[got];
		s.v[got] = 0;
		s.ok[got] = false;
		check_eq(s.v[i % (int)n], 0);
		check(!s.ok[i % (int)n]);
	}
	check_eq(sum, 200 * 201 / 2);
	wf_waitgroup_wait(&wg);
	set_close(&s);
	return 0;
}

static int
run_time_sets(void)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 64, 100, 1000 };

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t cap = 0; cap < 2; cap++)
			if (run_time_set(sizes[i], cap))
				return 1;
	return 0;
}

/* The most cases there may be; one of them is ready. */
static int
most_cases(void)
{
	size_t n = 65536;
	struct wf_case *set = calloc(n, sizeof *set);
	wf_chan(int) none = NULL, c = wf_chan_make(int, 1);
	int v = 0;

	if (!check(set && c && wf_send(c, 3) == 1))
		return 1;
	for (size_t i = 0; i < n; i++)
		set[i] = wf_case_recv(i == n - 5 ? c : none, &v);
	check_eq(wf_selectv(set, n), n - 5);
	check_eq(v, 3);
	set[7] = wf_case_timeout(WF_MS);
	check_eq(wf_selectv(set, n), 7);
	wf_chan_free(c);
	free(set);
	return 0;
}

/* In an ordered select the first that is ready runs. */
static int
ordered(void)
{
	uint64_t random = tap_seed();
	struct set s;

	if (!set_open(&s, 6, 1))
		return 1;
	for (int round = 0; round < 2000; round++) {
		unsigned ready = (unsigned)(tap_random(&random) % 64);
		int first = ready ? __builtin_ctz(ready) : 6;

		for (unsigned i = 0; i < 6; i++)
			if (ready >> i & 1)
				check_eq(wf_send(s.c[i], round + 1), 1);
		if (ready) {
			check_eq(wf_selectv_ordered(s.cases, 6), first);
			check_eq(s.v[first], round + 1);
		}
		for (unsigned i = 0; i < 6; i++)
			check_eq(wf_try_recv(s.c[i], NULL),
			    (ready >> i & 1) && (int)i != first ? 1 : -EAGAIN);
	}
	set_close(&s);
	return 0;
}

static int
ordered_macro(void)
{
	int_chan c[2];
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());

	if (!make_ints(c, 2, 1))
		return 1;
	wf_ctx_cancel(ctx);
	for (int i = 0; i < 100; i++) {
		check_eq(wf_select_ordered(wf_on_done(ctx),
		    wf_on_send(c[0], 1), wf_on_send(c[1], 1)), 0);
		check_eq(wf_select_ordered(wf_on_recv(c[0], NULL),
		    wf_on_send(c[1], 1), wf_on_done(ctx)), 1);
		check_eq(wf_select_ordered(wf_on_default(),
		    wf_on_recv(c[1], NULL), wf_on_done(ctx)), 1);
		check_eq(wf_select_ordered(wf_on_recv(c[0], NULL),
		    wf_on_timeout(WF_US)), 1);
	}
	check(wf_len(c[0]) == 0 && wf_len(c[1]) == 0);
	wf_ctx_free(ctx);
	free_ints(c, 2);
	return 0;
}

/* An ordered select parks like the other. */

static void
send_to(wf_chan(int) c, int n)
{
	for (int i = 1; i <= n; i++)
		check_eq(wf_send(c, i), 1);
}

static int
ordered_parks(void)
{
	int_chan c[2];
	wf_waitgroup wg = {0};
	int v = 0;

	if (!make_ints(c, 2, 0))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, send_to, c[1], 200), 0);
	for (int i = 1; i <= 200; i++) {
		check_eq(wf_select_ordered(wf_on_recv(c[0], NULL),
		    wf_on_recv(c[1], &v)), 1);
		check_eq(v, i);
	}
	wf_waitgroup_wait(&wg);
	free_ints(c, 2);
	return 0;
}

/* Also when what it waits for, a value or the close, makes several cases ready
 * at once: sends and receives of one channel, few and many. */
enum { MANY_CASES = 20 };

static void
wake_select(wf_chan(int) c, bool close)
{
	tap_await_parked("in a select", 1);
	if (close)
		check_eq(wf_close(c), 0);
	else
		check_eq(wf_try_send(c, 7), 1);
}

static int
first_case(const bool *sends, const bool *second, int n, bool of, bool close)
{
	for (int i = 0; i < n; i++)
		if (second[i] == of && (close || !sends[i]))
			return i;
	return -1;
}

static int
ordered_wakes(void)
{
	bool sends[MANY_CASES], second[MANY_CASES];
	struct wf_case cases[MANY_CASES];
	uint64_t random = tap_seed();
	int_chan c[2];

	for (int round = 0; round < 300; round++) {
		wf_waitgroup wg = { 0 };
		int v = 3, got = 0, n, wanted;
		bool of = round & 1, close = round & 2;

		if (!make_ints(c, 2, 0))
			return 1;
		n = 2 + (int)(tap_random(&random) % (MANY_CASES - 1));
		for (int i = 0; i < n; i++) {
			sends[i] = tap_random(&random) % 2;
			second[i] = tap_random(&random) % 2;
			cases[i] = sends[i] ? wf_case_send(c[second[i]], &v) :
			    wf_case_recv(c[second[i]], &got);
		}
		wanted = first_case(sends, second, n, of, close);
		if (wanted >= 0) {
			check_eq(wf_waitgroup_spawn(&wg, wake_select, c[of],
			    close), 0);
			check_eq(wf_selectv_ordered(cases, (size_t)n), wanted);
			wf_waitgroup_wait(&wg);
		}
		free_ints(c, 2);
	}
	return 0;
}

/* Timeouts: never early, the shortest one counts, readiness comes first. */
static int
timeouts(void)
{
	wf_chan(int) c = wf_chan_make(int, 1);
	int64_t start = wf_now();

	if (!check(c != NULL))
		return 1;
	check_eq(wf_select(wf_on_timeout(5 * WF_MS)), 0);
	check(wf_now() - start >= 5 * WF_MS);
	start = wf_now();
	check_eq(wf_select(wf_on_recv(c, NULL), wf_on_timeout(WF_FOREVER),
	    wf_on_timeout(2 * WF_MS), wf_on_timeout(100 * WF_SEC)), 2);
	check(wf_now() - start >= 2 * WF_MS);
	check_eq(wf_select(wf_on_timeout(0), wf_on_recv(c, NULL)), 0);
	check_eq(wf_select(wf_on_timeout(-5), wf_on_recv(c, NULL)), 0);
	check_eq(wf_select(wf_on_timeout(INT64_MIN), wf_on_recv(c, NULL)), 0);
	for (int i = 0; i < 100; i++) {
		check_eq(wf_select(wf_on_timeout(-1), wf_on_send(c, 1)), 1);
		check_eq(wf_select(wf_on_timeout(0), wf_on_recv(c, NULL)), 1);
	}
	wf_chan_free(c);
	return 0;
}

/* A value that comes while a long timeout runs; the timer leaves nothing. */
static int
timeout_unused(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	int v = 0;

	if (!check(c != NULL))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, send_to, c, 500), 0);
	for (int i = 1; i <= 500; i++) {
		check_eq(wf_select(wf_on_recv(c, &v),
		    wf_on_timeout(100 * WF_SEC)), 0);
		check_eq(v, i);
	}
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	return 0;
}

/* Waits that nothing can end, and misuse: each in a child. */

static int
app_no_case(void)
{
	return wf_selectv(NULL, 0);
}

static int
app_only_null(void)
{
	wf_chan(int) none = NULL;

	return wf_select(wf_on_recv(none, NULL), wf_on_send(none, 1));
}

static int
app_null_ctx(void)
{
	return wf_select(wf_on_done(NULL), wf_on_done(wf_ctx_background()),
	    wf_on_timeout(WF_FOREVER));
}

static int
app_self_match(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	return wf_select(wf_on_send(c, 1), wf_on_recv(c, NULL));
}

static int
app_too_many(void)
{
	struct wf_case *set = calloc(65537, sizeof *set);

	for (size_t i = 0; i < 65537; i++)
		set[i] = wf_case_timeout(0);
	return wf_selectv(set, 65537);
}

static int
app_two_defaults(void)
{
	return wf_select(wf_on_default(), wf_on_default());
}

#define IN_CHILD(fn) static int fn(void) { return wf_run(app_##fn); }
IN_CHILD(no_case)
IN_CHILD(only_null)
IN_CHILD(null_ctx)
IN_CHILD(self_match)
IN_CHILD(too_many)
IN_CHILD(two_defaults)

static void
test_children(void)
{
	tap_child("more than 65,536 cases are misuse", too_many, TAP_ABORTED,
	    "weft: wf_select", "app_too_many");
	tap_child("two defaults are misuse", two_defaults, TAP_ABORTED,
	    "weft: wf_select", "app_two_defaults");
	if (TAP_TSAN) {
		tap_skip("deadlocks are reported",
		    "the race detector has a thread of its own");
		return;
	}
	tap_child("case 40: no case blocks for ever", no_case, 2,
	    "weft: deadlock", "app_no_case");
	tap_child("case 43: so do only NULL channels", only_null, 2,
	    "weft: deadlock", "app_only_null");
	tap_child("so do contexts that are never done", null_ctx, 2,
	    "weft: deadlock", "app_null_ctx");
	tap_child("case 52: no select pairs with itself", self_match, 2,
	    "weft: deadlock", "app_self_match");
}

static void
test_states(void)
{
	tap_test("cases 32, 41 to 44, 52: never ready", never_ready);
	tap_test("cases 46, 47: default", takes_default);
	tap_test("case 49: ready comes before default", takes_ready);
	tap_test("case 50: closed is ready", closed_is_ready);
	tap_test("case 55: order of evaluation", evaluation_order);
	tap_test("case 56: nothing is ready", nothing_ready);
	tap_test("case 59: a channel from a channel", channel_from_channel);
	tap_test("case 71: equal chances to receive", uniform_recv);
	tap_test("case 71: equal chances to send", uniform_send);
	tap_test("equal chances of a channel named twice", uniform_wait);
	tap_test("65,536 cases", most_cases);
	tap_test("ordered", ordered);
	tap_test("ordered, with contexts and default", ordered_macro);
	tap_test("timeouts", timeouts);
}

static void
test_workers(void)
{
	tap_test_workers("case 17: random choice", random_choice);
	tap_test_workers("case 31: no memory creep", no_creep);
	tap_test_workers("sets made at run time", run_time_sets);
	tap_test_workers("an ordered select parks", ordered_parks);
	tap_test("and is woken in order", ordered_wakes);
	tap_test_workers("a long timeout, unused", timeout_unused);
}

int
main(void)
{
	if (!tap_count_memory())
		return 1;
	test_children();
	test_states();
	test_workers();
	tap_plain("all memory was given back", tap_all_freed);
	return tap_end();
}
