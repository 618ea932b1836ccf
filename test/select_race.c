/* SPDX-License-Identifier: MIT */
/*
 * select_race.c - tests of select with all others at the same channels: one
 * instant, one winner, losers untouched, withdrawals.
 *
 * Which test sees which defect: two winners of one select lose or double
 * a value in cases 14 and 23 and in the crowd; a withdrawal that damages
 * a queue hangs the stress and the duplicates, or makes wf_chan_free() in
 * case 73 find a waiter; judging the cases one after the other shows in cases
 * 11 to 13, and, where one is run, in "one instant, in order".
 */
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

typedef wf_chan(int) int_chan;
typedef wf_chan(long) long_chan;

static long
value_of(const long *n)
{
	return __atomic_load_n(n, __ATOMIC_ACQUIRE);
}

static void
bump(long *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_ACQ_REL);
}

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

/* Cases 11 to 13: at every instant some case is ready, so never default. */

static void
one_is_ready(wf_chan(int) c, wf_chan(int) d, bool backwards)
{
	int got = backwards ?
	    wf_select(wf_on_recv(d, NULL), wf_on_recv(c, NULL),
		wf_on_default()) :
	    wf_select(wf_on_recv(c, NULL), wf_on_recv(d, NULL),
		wf_on_default());

	check(got == 0 || got == 1);
}

/* how: 11 closes the channel itself, 12 sends on the other, 13 closes it. */
static int
one_instant_of(int how)
{
	for (long n = tap_scale(100000, 400); n > 0; n--) {
		int_chan c[2];
		wf_waitgroup wg = {0};

		c[0] = wf_chan_make(int, 1);
		c[1] = wf_chan_make(int, how == 12);
		if (!check(c[0] && c[1] && wf_send(c[0], 1) == 1))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, one_is_ready, c[0], c[1],
		    (bool)(n & 2)), 0);
		if (n % 2)
			wf_yield();
		if (how == 12)
			check_eq(wf_send(c[1], 1), 1);
		else
			check_eq(wf_close(c[how == 13]), 0);
		wf_select(wf_on_recv(c[0], NULL), wf_on_default());
		wf_waitgroup_wait(&wg);
		free_ints(c, 2);
	}
	return 0;
}

static int
one_instant_self(void)
{
	return one_instant_of(11);
}

static int
one_instant_send(void)
{
	return one_instant_of(12);
}

static int
one_instant_close(void)
{
	return one_instant_of(13);
}

/*
 * The same, without end: two tokens in a ring of channels.  The mover never
 * holds more than one, so that at every instant there is one in some channel.
 * A select that looks at its channels one after the other meets them on their
 * way and sees all of them empty.
 */

enum { RING = 32 };

struct tokens {
	int_chan c[RING];
	long stop;		/* atomic */
};

static void
move_tokens(struct tokens *t)
{
	for (long i = 0; !value_of(&t->stop); i++) {
		check_eq(wf_send(t->c[(i + 1) % RING], 1), 1);
		check_eq(wf_recv(t->c[i % RING], NULL), 1);
		if (i % 64 == 0)
			wf_yield();
	}
}

/* All cases and a default, from case turn on; every other turn backwards. */
static void
order_cases(struct tokens *t, struct wf_case *set, long turn)
{
	for (int i = 0; i < RING; i++)
		set[turn % 2 ? RING - 1 - i : i] =
		    wf_case_recv(t->c[(turn + i) % RING], NULL);
	set[RING] = wf_case_default();
}

static void
look_for_tokens(struct tokens *t, long looks)
{
	struct wf_case set[RING + 1];

	for (long n = 0; n < looks; n++) {
		int got;

		if (n % 100 == 0)
			order_cases(t, set, n / 100);
		got = wf_selectv(set, RING + 1);
		if (!check(got >= 0 && got < RING))
			return;
		check_eq(wf_chan_send_raw(set[got].wf__object, &(int){ 1 }),
		    1);
		if (n % 64 == 0)
			wf_yield();
	}
}

static int
one_instant_tokens(void)
{
	struct tokens t = { .stop = 0 };
	wf_waitgroup wg = {0};

	if (!make_ints(t.c, RING, 2))
		return 1;
	check_eq(wf_send(t.c[0], 1), 1);	/* the other one moves */
	check_eq(wf_waitgroup_spawn(&wg, move_tokens, &t), 0);
	look_for_tokens(&t, tap_scale(2000000, TAP_ASAN || TAP_TSAN ? 40000 :
	    400000));
	bump(&t.stop);
	wf_waitgroup_wait(&wg);
	free_ints(t.c, RING);
	return 0;
}

/*
 * One instant and an order: what comes on the first channel is there before
 * what comes on the last one, and so is taken before it.  A select that finds
 * the first one empty, then looks at all the others, and then takes what has
 * come on the last one, has not judged them at one instant.
 */

static void
send_when_free(int_chan c, long *tries)
{
	while (wf_try_send(c, 1) == -EAGAIN)
		if (++*tries % 64 == 0)
			wf_yield();
}

static void
send_first_and_last(struct tokens *t, long n)
{
	long tries = 0;

	while (n--) {
		send_when_free(t->c[0], &tries);
		send_when_free(t->c[RING - 1], &tries);
	}
}

static int
one_instant_ordered(void)
{
	long n = tap_scale(200000, TAP_ASAN || TAP_TSAN ? 1000 : 5000);
	struct tokens t = { .stop = 0 };
	struct wf_case set[RING + 1];
	wf_waitgroup wg = {0};
	long first = 0, last = 0, looks = 0;

	if (!make_ints(t.c, RING, 1))
		return 1;
	set[0] = wf_case_default();
	for (int i = 0; i < RING; i++)
		set[i + 1] = wf_case_recv(t.c[i], NULL);
	check_eq(wf_waitgroup_spawn(&wg, send_first_and_last, &t, n), 0);
	while (last < n) {
		int got = wf_selectv_ordered(set, RING + 1);

		first += got == 1;
		last += got == RING;
		check(first >= last && (got <= 1 || got == RING));
		if (!got && ++looks % 64 == 0)
			wf_yield();
	}
	check_eq(first, n);
	wf_waitgroup_wait(&wg);
	free_ints(t.c, RING);
	return 0;
}

/* Case 14: two select both directions of one channel. */

static void
self_select(wf_chan(int) c, int id, bool rendezvous)
{
	for (int i = 0; i < 1000; i++) {
		int v = -1, got;

		if (id == 0 || i % 2 == 0) {
			got = wf_select(wf_on_recv(c, &v), wf_on_send(c, id));
		} else {
			got = wf_select(wf_on_send(c, id), wf_on_recv(c, &v));
			got = !got;
		}
		if (got == 1)
			check_eq(v, -1);
		else
			check(v == !id || (!rendezvous && v == id));
	}
}

static int
self(void)
{
	for (size_t cap = 0; cap <= 10; cap += 10) {
		wf_chan(int) c = wf_chan_make(int, cap);
		wf_waitgroup wg = {0};

		if (!check(c != NULL))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, self_select, c, 0,
		    (bool)(cap == 0)), 0);
		check_eq(wf_waitgroup_spawn(&wg, self_select, c, 1,
		    (bool)(cap == 0)), 0);
		wf_waitgroup_wait(&wg);
		wf_chan_free(c);
	}
	return 0;
}

/* Cases 22 and 53: a pointer that only a losing case would have written. */

struct losers {
	wf_chan(int *) c, c2, d, d2;
};

static void
keep_pointer(struct losers *l)
{
	int mine = 7, *p = &mine, *p2 = &mine, *q = &mine, *q2 = &mine;
	bool ok = true, ok2 = true, lost = true;
	int got = wf_select(wf_on_recv_ok(l->c, &p, &lost),
	    wf_on_recv(l->c2, &p2), wf_on_recv_ok(l->d, &q, &ok),
	    wf_on_recv_ok(l->d2, &q2, &ok2));

	check(got == 2 || (got == 3 && l->d2));
	check(p == &mine && p2 == &mine && lost);
	check(got == 2 ? q == NULL && !ok && ok2 && q2 == &mine :
	    q2 == NULL && !ok2 && ok && q == &mine);
	*p = 8;
	check_eq(mine, 8);
}

static int
untouched(void)
{
	for (int round = 0; round < 100; round++) {
		struct losers a = { wf_chan_make(int *, 0), NULL,
		    wf_chan_make(int *, 0), NULL }, b = a;
		wf_waitgroup wg = {0};

		if (!check(a.c && a.d))
			return 1;
		b.c2 = b.c;
		b.d2 = b.d;
		check_eq(wf_waitgroup_spawn(&wg, keep_pointer, &a), 0);
		check_eq(wf_waitgroup_spawn(&wg, keep_pointer, &b), 0);
		if (round % 2)
			tap_settle();
		check_eq(wf_close(a.d), 0);
		wf_waitgroup_wait(&wg);
		wf_chan_free(a.c);
		wf_chan_free(a.d);
	}
	return 0;
}

/* Case 23: no value is sent by two cases. */

static void
send_four_ways(int_chan *c, int n)
{
	for (int i = 0; i < n; i++) {
		int got = wf_select(wf_on_send(c[0], i), wf_on_send(c[1], i),
		    wf_on_send(c[2], i), wf_on_send(c[3], i));

		check(got >= 0 && got < 4);
	}
	for (int i = 0; i < 4; i++)
		wf_close(c[i]);
}

static void
forward(wf_chan(int) in, wf_chan(int) out)
{
	int v;

	while (wf_recv(in, &v))
		check_eq(wf_send(out, v), 1);
}

static void
close_after(wf_waitgroup *wg, wf_chan(int) c)
{
	wf_waitgroup_wait(wg);
	wf_close(c);
}

static int
double_fire(void)
{
	int n = (int)tap_scale(100000, 5000), v, total = 0;
	char *seen = calloc((size_t)n, 1);
	int_chan c[4], merged = wf_chan_make(int, 0);
	wf_waitgroup all = {0}, forwarders = {0};

	if (!check(seen && merged) || !make_ints(c, 4, 0))
		return 1;
	check_eq(wf_waitgroup_spawn(&all, send_four_ways, &c[0], n), 0);
	for (int i = 0; i < 4; i++)
		check_eq(wf_waitgroup_spawn(&forwarders, forward, c[i],
		    merged), 0);
	check_eq(wf_waitgroup_spawn(&all, close_after, &forwarders, merged),
	    0);
	while (wf_recv(merged, &v)) {
		total++;
		check(v >= 0 && v < n && !seen[v]++);
	}
	check_eq(total, n);
	wf_waitgroup_wait(&all);
	wf_chan_free(merged);
	free_ints(c, 4);
	free(seen);
	return 0;
}

/*
 * Case 61: the optimised sieve.  Composites are merged from one stream for each
 * prime, primes feed back through a proxy that never blocks: a select whose
 * output is NULL while its buffer is empty.  A context ends them all.
 */

struct merge {
	long head;
	long_chan c;
};

struct sieve {
	wf_ctx *ctx;
	wf_waitgroup wg;
	long_chan out, composites, primes, proxy, odds;
	struct merge heap[1000];
	int heaped;
};

static void
count_up(wf_ctx *ctx, wf_chan(long) c, long from, long step)
{
	for (; wf_send_ctx(ctx, c, from) > 0; from += step)
		;
}

static void
heap_push(struct sieve *s, struct merge m)
{
	int i = s->heaped++, up;

	for (; i > 0 && s->heap[up = (i - 1) / 2].head > m.head; i = up)
		s->heap[i] = s->heap[up];
	s->heap[i] = m;
}

/* Take the least head off, refill its stream. */
static bool
heap_next(struct sieve *s, long *least)
{
	struct merge top = s->heap[0], last = s->heap[--s->heaped];
	int i = 0, down;

	for (; (down = 2 * i + 1) < s->heaped; i = down) {
		if (down + 1 < s->heaped &&
		    s->heap[down + 1].head < s->heap[down].head)
			down++;
		if (s->heap[down].head >= last.head)
			break;
		s->heap[i] = s->heap[down];
	}
	s->heap[i] = last;
	*least = top.head;
	if (wf_recv_ctx(s->ctx, top.c, &top.head) <= 0) {
		s->heap[s->heaped++] = top;	/* to be freed at the end */
		return false;
	}
	heap_push(s, top);
	return true;
}

/* Send what is below head, drop what equals it, then send head. */
static bool
merge_below(struct sieve *s, long *least, long head)
{
	while (*least < head)
		if (wf_send_ctx(s->ctx, s->composites, *least) <= 0 ||
		    !heap_next(s, least))
			return false;
	while (*least == head)
		if (!heap_next(s, least))
			return false;
	return wf_send_ctx(s->ctx, s->composites, head) > 0;
}

static void
merge(struct sieve *s)
{
	long least = 15, prime;
	wf_waitgroup streams = {0};
	struct merge m;

	while (wf_recv_ctx(s->ctx, s->primes, &prime) > 0) {
		m.c = wf_chan_make(long, 10);
		if (!check(m.c != NULL))
			break;
		check_eq(wf_waitgroup_spawn(&streams, count_up, s->ctx, m.c,
		    prime * prime, 2 * prime), 0);
		if (wf_recv_ctx(s->ctx, m.c, &m.head) <= 0 ||
		    !merge_below(s, &least, m.head) ||
		    wf_recv_ctx(s->ctx, m.c, &m.head) <= 0) {
			wf_waitgroup_wait(&streams);
			wf_chan_free(m.c);
			break;
		}
		heap_push(s, m);
	}
	wf_waitgroup_wait(&streams);
	while (s->heaped > 0)
		wf_chan_free(s->heap[--s->heaped].c);
}

static void
proxy(struct sieve *s)
{
	long ring[1024], v = 0;
	unsigned head = 0, tail = 0;

	for (;;)
		switch (wf_select(
		    wf_on_recv(s->proxy, &v),
		    wf_on_send(head == tail ? NULL : s->primes,
			ring[head % COUNT(ring)]),
		    wf_on_done(s->ctx))) {
		case 0:
			ring[tail++ % COUNT(ring)] = v;
			if (!check(tail - head < COUNT(ring)))
				return;
			break;
		case 1:
			head++;
			break;
		default:
			return;
		}
}

static void
eliminate(struct sieve *s)
{
	long p = 0, c = 0;
	wf_ctx *ctx = s->ctx;

	if (wf_recv_ctx(ctx, s->odds, &p) <= 0)
		return;
	while (wf_recv_ctx(ctx, s->composites, &c) > 0) {
		while (p < c)
			if (wf_send_ctx(ctx, s->proxy, p) <= 0 ||
			    wf_send_ctx(ctx, s->out, p) <= 0 ||
			    wf_recv_ctx(ctx, s->odds, &p) <= 0)
				return;
		if (p == c && wf_recv_ctx(ctx, s->odds, &p) <= 0)
			return;
	}
}

static int
sieve(void)
{
	static const int primes[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31,
	    37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97 };
	static struct sieve s;
	long v = 0;

	memset(&s, 0, sizeof s);
	s.ctx = wf_ctx_with_cancel(wf_ctx_background());
	s.out = wf_chan_make(long, 10);
	s.composites = wf_chan_make(long, 50);
	s.primes = wf_chan_make(long, 10);
	s.proxy = wf_chan_make(long, 10);
	s.odds = wf_chan_make(long, 50);
	if (!check(s.out && s.composites && s.primes && s.proxy && s.odds))
		return 1;
	check(wf_send(s.out, 2) == 1 && wf_send(s.out, 3) == 1);
	check(wf_send(s.primes, 3) == 1);
	check_eq(wf_waitgroup_spawn(&s.wg, count_up, s.ctx, s.odds, 5L, 2L),
	    0);
	check_eq(wf_waitgroup_spawn(&s.wg, merge, &s), 0);
	check_eq(wf_waitgroup_spawn(&s.wg, proxy, &s), 0);
	check_eq(wf_waitgroup_spawn(&s.wg, eliminate, &s), 0);
	for (size_t i = 0; i < COUNT(primes); i++) {
		check_eq(wf_recv(s.out, &v), 1);
		check_eq(v, primes[i]);
	}
	wf_ctx_cancel(s.ctx);
	wf_waitgroup_wait(&s.wg);
	wf_chan_free(s.out);
	wf_chan_free(s.composites);
	wf_chan_free(s.primes);
	wf_chan_free(s.proxy);
	wf_chan_free(s.odds);
	wf_ctx_free(s.ctx);
	return 0;
}

/* Case 73: eight close the channels of one parked select. */

static void
close_one(wf_chan(int) c)
{
	check_eq(wf_close(c), 0);
}

static void
select_eight(int_chan *c, long *woken)
{
	bool ok[8];
	struct wf_case set[8];
	int got, v = 5;

	for (int i = 0; i < 8; i++) {
		ok[i] = true;
		set[i] = i % 2 ? wf_case_recv_ok(c[i], &v, &ok[i]) :
		    wf_case_send_ok(c[i], &v, &ok[i]);
	}
	got = wf_selectv(set, 8);
	if (check(got >= 0 && got < 8))
		for (int i = 0; i < 8; i++)
			check_eq(ok[i], i != got);
	check_eq(v, got % 2 ? 0 : 5);
	bump(woken);
}

static int
multi_close(void)
{
	long before = 0;

	for (long n = tap_scale(10000, 300); n > 0; n--) {
		int_chan c[8];
		wf_waitgroup wg = {0};
		long woken = 0;

		if (!make_ints(c, 8, 0))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, select_eight, &c[0], &woken),
		    0);
		if (n % 8)
			wf_yield();
		for (int i = 0; i < 8; i++)
			check_eq(wf_waitgroup_spawn(&wg, close_one, c[i]), 0);
		wf_waitgroup_wait(&wg);
		check_eq(woken, 1);
		free_ints(c, 8);	/* aborts where a waiter is left */
		if (n == 100)
			before = tap_bytes();
	}
	check(tap_bytes() - before < 110 * 1024);
	return 0;
}

/* Close wakes a select that is parked, whatever it waits for. */
static int
close_wakes(void)
{
	for (int round = 0; round < 50; round++) {
		int_chan c[2];
		wf_waitgroup wg = {0};
		bool sent = true, got = true;
		int v = 7;

		if (!make_ints(c, 2, 0))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, close_one, c[round % 2]), 0);
		check_eq(wf_select(wf_on_send_ok(c[0], 1, &sent),
		    wf_on_recv_ok(c[1], &v, &got)), round % 2);
		check_eq(sent, round % 2);
		check_eq(got, !(round % 2));
		check_eq(v, round % 2 ? 0 : 7);
		wf_waitgroup_wait(&wg);
		free_ints(c, 2);
	}
	return 0;
}

/*
 * Four channels, on each one who only sends and one who only receives, and
 * two who do all by select, each channel off (NULL) when its share is done.
 */

struct stress {
	int_chan c[4];
	int n;
};

static void
stress_send(struct stress *s, int k)
{
	for (int i = 0; i < s->n; i++)
		check_eq(wf_send(s->c[k], 1), 1);
}

static void
stress_recv(struct stress *s, int k)
{
	for (int i = 0; i < s->n; i++)
		check_eq(wf_recv(s->c[k], NULL), 1);
}

static void
stress_select(struct stress *s, bool sends)
{
	int_chan c[4];
	int left[4], open = 4, got;

	for (int i = 0; i < 4; i++) {
		c[i] = s->c[i];
		left[i] = s->n;
	}
	while (open > 0) {
		if (sends)
			got = wf_select(wf_on_send(c[3], 0),
			    wf_on_send(c[2], 0), wf_on_send(c[0], 0),
			    wf_on_send(c[1], 0));
		else
			got = wf_select(wf_on_recv(c[3], NULL),
			    wf_on_recv(c[2], NULL), wf_on_recv(c[0], NULL),
			    wf_on_recv(c[1], NULL));
		got = got < 2 ? 3 - got : got - 2;
		if (!check(got >= 0 && c[got]))
			return;
		if (--left[got] == 0) {
			c[got] = NULL;
			open--;
		}
	}
}

static int
stress(void)
{
	struct stress s = { .n = (int)tap_scale(10000, 1000) };
	wf_waitgroup wg = {0};

	if (!make_ints(s.c, 2, 0) || !make_ints(s.c + 2, 1, 2) ||
	    !make_ints(s.c + 3, 1, 3))
		return 1;
	for (int k = 0; k < 4; k++) {
		check_eq(wf_waitgroup_spawn(&wg, stress_send, &s, k), 0);
		check_eq(wf_waitgroup_spawn(&wg, stress_recv, &s, k), 0);
	}
	check_eq(wf_waitgroup_spawn(&wg, stress_select, &s, (bool)true), 0);
	check_eq(wf_waitgroup_spawn(&wg, stress_select, &s, (bool)false), 0);
	wf_waitgroup_wait(&wg);
	for (int k = 0; k < 4; k++)
		check_eq(wf_len(s.c[k]), 0);
	free_ints(s.c, 4);
	return 0;
}

/*
 * The crowd: everyone selects over sending to and receiving from all
 * channels at once, select against select.  What was sent is what was
 * received.
 */

enum { CROWD = 12, PLACES = 3 };

struct crowd {
	int_chan c[PLACES];
	wf_ctx *ctx;
	long done, wanted;	/* done: atomic */
	long sent[CROWD], received[CROWD];
	long paired_with_self;	/* atomic */
};

static void
crowd_member(struct crowd *w, int id, uint64_t random)
{
	int v[PLACES], out = id;
	struct wf_case set[2 * PLACES + 1];

	for (;;) {
		unsigned turn = (unsigned)(tap_random(&random) % PLACES);
		int got;

		for (unsigned i = 0; i < PLACES; i++) {
			unsigned at = (turn + i) % PLACES;

			v[i] = -1;
			set[2 * i] = wf_case_send(w->c[at], &out);
			set[2 * i + 1] = wf_case_recv(w->c[at], &v[i]);
		}
		set[2 * PLACES] = wf_case_done(w->ctx);
		got = wf_selectv(set, 2 * PLACES + 1);
		if (got == 2 * PLACES)
			break;
		for (int i = 0; i < PLACES; i++)
			check((v[i] >= 0) == (got == 2 * i + 1));
		if (got % 2 == 0) {
			w->sent[id] += out;
		} else {
			w->received[id] += v[got / 2];
			if (v[got / 2] == id)
				bump(&w->paired_with_self);
			if (__atomic_add_fetch(&w->done, 1,
			    __ATOMIC_RELAXED) == w->wanted)
				wf_ctx_cancel(w->ctx);
		}
	}
}

static int
crowd(void)
{
	uint64_t seed = tap_seed();
	struct crowd w = { .wanted = tap_scale(200000, 10000) };
	wf_waitgroup wg = {0};
	long sent = 0, received = 0;

	w.ctx = wf_ctx_with_cancel(wf_ctx_background());
	if (!make_ints(w.c, PLACES, 0))
		return 1;
	for (int i = 0; i < CROWD; i++)
		check_eq(wf_waitgroup_spawn(&wg, crowd_member, &w, i,
		    tap_random(&seed)), 0);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i < CROWD; i++) {
		sent += w.sent[i];
		received += w.received[i];
	}
	check_eq(sent, received);
	check(w.done >= w.wanted);
	check_eq(w.paired_with_self, 0);
	free_ints(w.c, PLACES);
	wf_ctx_free(w.ctx);
	return 0;
}

/* The same channel many times in one select. */

static void
send_to(wf_chan(int) c, int n)
{
	for (int i = 1; i <= n; i++)
		check_eq(wf_send(c, i), 1);
}

static int
duplicates(void)
{
	wf_chan(int) c = wf_chan_make(int, 0), other = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	long taken[3] = { 0, 0, 0 };

	if (!check(c && other))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, send_to, c, 600), 0);
	for (int i = 1; i <= 600; i++) {
		int v[3] = { -1, -1, -1 };
		int got = wf_select(wf_on_recv(c, &v[0]),
		    wf_on_recv(other, NULL), wf_on_recv(c, &v[1]),
		    wf_on_recv(c, &v[2]));

		if (!check(got == 0 || got == 2 || got == 3))
			return 1;
		got = got ? got - 1 : 0;
		check_eq(v[got], i);
		check_eq(v[(got + 1) % 3], -1);
		check_eq(v[(got + 2) % 3], -1);
		taken[got]++;
	}
	wf_waitgroup_wait(&wg);
	check_eq(taken[0] + taken[1] + taken[2], 600);
	wf_chan_free(c);
	wf_chan_free(other);
	return 0;
}

/* The first, the middle and the last waiter of a queue withdraw. */

static void
take_either(int_chan *c, long *taken)
{
	int got = wf_select(wf_on_recv(c[0], NULL), wf_on_recv(c[1], NULL),
	    wf_on_recv(c[2], NULL));

	check(got >= 0 && got < 3);
	bump(taken);
}

static int
withdrawals(void)
{
	int_chan c[3];

	if (!make_ints(c, 3, 0))
		return 1;
	for (int round = 0; round < 300; round++) {
		wf_waitgroup wg = {0};
		long taken = 0;

		for (int i = 0; i < 4; i++)
			check_eq(wf_waitgroup_spawn(&wg, take_either, &c[0],
			    &taken), 0);
		if (round % 2)
			wf_yield();
		for (int i = 0; i < 4; i++)
			check_eq(wf_send(c[(round + i * i) % 3], 1), 1);
		wf_waitgroup_wait(&wg);
		check_eq(taken, 4);
		for (int i = 0; i < 3; i++)
			check_eq(wf_try_send(c[i], 1), -EAGAIN);
	}
	free_ints(c, 3);
	return 0;
}

static void
test_races(void)
{
	tap_test_workers("case 11: one instant, close itself",
	    one_instant_self);
	tap_test_workers("case 12: one instant, send on another",
	    one_instant_send);
	tap_test_workers("case 13: one instant, close another",
	    one_instant_close);
	tap_test_workers("cases 11 to 13: one instant, without end",
	    one_instant_tokens);
	tap_test_workers("one instant, in order", one_instant_ordered);
	tap_test_workers("case 14: both directions of one channel", self);
	tap_test_workers("cases 22, 53: losers stay untouched", untouched);
	tap_test_workers("case 23: no double fire", double_fire);
	tap_test_workers("case 61: the optimised sieve", sieve);
	tap_test_workers("case 73: eight close one select", multi_close);
	tap_test_workers("close wakes a select", close_wakes);
	tap_test_workers("select against plain verbs", stress);
	tap_test_workers("select against select", crowd);
	tap_test_workers("duplicates of a channel", duplicates);
	tap_test_workers("withdrawals", withdrawals);
}

int
main(void)
{
	if (!tap_count_memory())
		return 1;
	test_races();
	tap_plain("all memory was given back", tap_all_freed);
	return tap_end();
}
