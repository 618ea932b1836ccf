/* SPDX-License-Identifier: MIT */
/*
 * chan_race.c - tests of channels that many use at once: each value exactly
 * once, close in full flight, what happens before what, who may free.
 *
 * Cases 19 and 20 are not in their first form: stacks do not move here; the
 * sender with live frames stands for them.
 *
 * Which test sees which defect: a wake-up lost between park and ready hangs
 * cases 25 and 26, the ping-pong and the exchange; a waiter won twice, or
 * never, shows as a value seen twice or never in the exchange; a verb that
 * touches its channel after it woke its peer reads freed memory in the two
 * tests about freeing (with an address sanitizer; surely with WEFT_CHAOS).
 */
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void
bump(int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_ACQ_REL);
}

static int
value_of(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_ACQUIRE);
}

/* Case 11: 1 or 0, but never "not now": there is a value until it is closed. */

static void
must_not_miss(wf_chan(int) c)
{
	int v = -1, got = wf_try_recv(c, &v);

	check(got == 1 || got == 0);
	check_eq(v, got == 1 ? 1 : 0);
}

static int
try_never_misses(void)
{
	for (long n = tap_scale(10000, 400); n > 0; n--) {
		wf_chan(int) c = wf_chan_make(int, 1);
		wf_waitgroup wg = {0};

		if (!check(c != NULL))
			return 1;
		check_eq(wf_send(c, 1), 1);
		check_eq(wf_waitgroup_spawn(&wg, must_not_miss, c), 0);
		if (n % 2)
			wf_yield();
		check_eq(wf_close(c), 0);
		wf_recv(c, NULL);
		wf_waitgroup_wait(&wg);
		wf_chan_free(c);
	}
	return 0;
}

/* A full channel whose place is taken and given back: try send never says
 * "not now" while it could be told closed. */
static void
must_not_miss_send(wf_chan(int) c)
{
	int sent = wf_try_send(c, 2);

	check(sent == 1 || sent == 0);
}

static int
try_send_never_misses(void)
{
	for (long n = tap_scale(10000, 400); n > 0; n--) {
		wf_chan(int) c = wf_chan_make(int, 1);
		wf_waitgroup wg = {0};

		if (!check(c != NULL))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, must_not_miss_send, c), 0);
		if (n % 2)
			wf_yield();
		check_eq(wf_close(c), 0);
		wf_waitgroup_wait(&wg);
		wf_chan_free(c);
	}
	return 0;
}

/* Cases 19 and 20: a parked sender's frames and the value on its stack stay
 * as they are while it waits. */

static __attribute__((noinline)) unsigned
deep(int depth, unsigned seed)
{
	volatile unsigned char frame[1024];
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof frame; i++)
		frame[i] = (unsigned char)(seed + i);
	if (depth > 0)
		sum = deep(depth - 1, seed + 1);
	for (size_t i = 0; i < sizeof frame; i++)
		check(frame[i] == (unsigned char)(seed + i));
	return sum + 1;
}

static __attribute__((noinline)) void
send_below(wf_chan(int) c, int v, int depth)
{
	volatile unsigned char frame[512];

	memset((void *)(uintptr_t)frame, v, sizeof frame);
	if (depth > 0)
		send_below(c, v, depth - 1);
	else
		check_eq(wf_send(c, v), 1);
	for (size_t i = 0; i < sizeof frame; i++)
		check(frame[i] == (unsigned char)v);
}

static void
deep_sender(wf_chan(int) c)
{
	for (int i = 0; i < 10; i++) {
		send_below(c, i, 10);
		check_eq(deep(20, (unsigned)i), 21);
	}
}

static int
live_frames(void)
{
	for (int round = 0; round < 20; round++) {
		wf_chan(int) c = wf_chan_make(int, 0);
		wf_waitgroup wg = {0};
		int v;

		if (!check(c != NULL))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, deep_sender, c), 0);
		for (int i = 0; i < 10; i++) {
			wf_sleep(10 * WF_US);
			check_eq(wf_recv(c, &v), 1);
			check_eq(v, i);
		}
		wf_waitgroup_wait(&wg);
		wf_chan_free(c);
	}
	return 0;
}

/* Case 25: ten tasks take from one channel, a token says whose turn it is. */

static void
take_turn(wf_chan(int) c, int id, wf_chan(int) before, wf_chan(int) after)
{
	int v = -1;

	check_eq(wf_recv(before, NULL), 1);
	check_eq(wf_recv(c, &v), 1);
	check_eq(v, id);
	check_eq(wf_send(after, 1), 1);
}

static int
daisy_chain(void)
{
	wf_chan(int) c = wf_chan_make(int, 0), token[11];
	wf_waitgroup wg = {0};

	for (int i = 0; i <= 10; i++)
		if (!check((token[i] = wf_chan_make(int, 0)) != NULL))
			return 1;
	for (int i = 0; i < 10; i++)
		check_eq(wf_waitgroup_spawn(&wg, take_turn, c, i, token[i],
		    token[i + 1]), 0);
	check_eq(wf_send(token[0], 1), 1);
	for (int i = 0; i < 10; i++)
		check_eq(wf_send(c, i), 1);
	check_eq(wf_recv(token[10], NULL), 1);
	wf_waitgroup_wait(&wg);
	for (int i = 0; i <= 10; i++)
		wf_chan_free(token[i]);
	wf_chan_free(c);
	return 0;
}

/* Case 26: one value through ten thousand coroutines. */

typedef wf_chan(int) int_chan;

static void
pass_left(wf_chan(int) left, wf_chan(int) right)
{
	int v = 0;

	check_eq(wf_recv(right, &v), 1);
	check_eq(wf_send(left, v + 1), 1);
}

static int
long_chain(void)
{
	long n = TAP_TSAN ? 1000 : 10000;
	int_chan *c = calloc((size_t)n + 1, sizeof *c);
	wf_waitgroup wg = {0};
	int v = 0;

	if (!check(c != NULL))
		return 1;
	for (long i = 0; i <= n; i++)
		if (!check((c[i] = wf_chan_make(int, 0)) != NULL))
			return 1;
	for (long i = 0; i < n; i++)
		check_eq(wf_waitgroup_spawn(&wg, pass_left, c[i], c[i + 1]), 0);
	check_eq(wf_send(c[n], 1), 1);
	check_eq(wf_recv(c[0], &v), 1);
	check_eq(v, n + 1);
	wf_waitgroup_wait(&wg);
	for (long i = 0; i <= n; i++)
		wf_chan_free(c[i]);
	free(c);
	return 0;
}

/* Case 58: three ways to receive and drop, three ways to send. */

static void
drop_one(wf_chan(int) c, int how)
{
	wf_chan(int) none = NULL;

	if (how == 0)
		check_eq(wf_recv(c, NULL), 1);
	else if (how == 1)
		check_eq(wf_select(wf_on_recv(c, NULL)), 0);
	else
		check_eq(wf_select(wf_on_recv(none, NULL),
		    wf_on_recv(c, NULL)), 1);
}

static void
send_one(wf_chan(int) c, int how)
{
	wf_chan(int) none = NULL;

	if (how == 0)
		check_eq(wf_send(c, 1), 1);
	else if (how == 1)
		check_eq(wf_select(wf_on_send(c, 1)), 0);
	else
		check_eq(wf_select(wf_on_send(c, 1), wf_on_send(none, 1)), 0);
}

static int
discarded(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	if (!check(c != NULL))
		return 1;
	for (int way = 0; way < 18; way++) {
		wf_waitgroup wg = {0};

		check_eq(wf_waitgroup_spawn(&wg, drop_one, c, way % 3), 0);
		if (way >= 9)
			tap_settle();
		send_one(c, way / 3 % 3);
		wf_waitgroup_wait(&wg);
	}
	wf_chan_free(c);
	return 0;
}

/* Case 70: two close the same channel, one wins. */

struct closing {
	int_chan c[1000];
	int won[2];
};

static void
close_all(struct closing *s, int who)
{
	for (size_t i = 0; i < COUNT(s->c); i++) {
		int result = wf_close(s->c[i]);

		check(result == 0 || result == -EALREADY);
		s->won[who] += result == 0;
	}
}

static int
concurrent_close(void)
{
	struct closing *s = calloc(1, sizeof *s);
	wf_waitgroup wg = {0};

	for (size_t i = 0; i < COUNT(s->c); i++)
		if (!check((s->c[i] = wf_chan_make(int, i % 2)) != NULL))
			return 1;
	check_eq(wf_waitgroup_spawn(&wg, close_all, s, 0), 0);
	check_eq(wf_waitgroup_spawn(&wg, close_all, s, 1), 0);
	wf_waitgroup_wait(&wg);
	check_eq(s->won[0] + s->won[1], COUNT(s->c));
	for (size_t i = 0; i < COUNT(s->c); i++) {
		check_eq(wf_recv(s->c[i], NULL), 0);
		wf_chan_free(s->c[i]);
	}
	free(s);
	return 0;
}

/* Close against senders and receivers in full flight: what was reported as
 * sent is received, what was reported as closed is not. */

struct flight {
	wf_chan(int) c;
	int sent, received;	/* atomic */
};

/* Not without end: so that the one who closes is not kept waiting. */
static void
send_until_closed(struct flight *f)
{
	for (int i = 0; i < 500 && wf_send(f->c, 1); i++)
		bump(&f->sent);
}

static void
recv_until_closed(struct flight *f)
{
	while (wf_recv(f->c, NULL))
		bump(&f->received);
}

static int
close_in_flight(void)
{
	for (long n = tap_scale(2000, 100); n > 0; n--) {
		struct flight f = { wf_chan_make(int, (size_t)n % 4), 0, 0 };
		wf_waitgroup wg = {0};

		if (!check(f.c != NULL))
			return 1;
		for (int i = 0; i < 4; i++) {
			check_eq(wf_waitgroup_spawn(&wg, send_until_closed,
			    &f), 0);
			check_eq(wf_waitgroup_spawn(&wg, recv_until_closed,
			    &f), 0);
		}
		for (long i = n % 7; i >= 0; i--)
			wf_yield();
		check_eq(wf_close(f.c), 0);
		wf_waitgroup_wait(&wg);
		check_eq(value_of(&f.sent), value_of(&f.received));
		wf_chan_free(f.c);
	}
	return 0;
}

/*
 * Case 76: what was written before is seen after.  The data is plain, so that
 * a race detector has something to say.
 */

struct message {
	wf_chan(int) c, back;
	int data[8];
	int rounds;
};

static void
write_and_send(struct message *m)
{
	for (int i = 1; i <= m->rounds; i++) {
		m->data[0] = i;
		check_eq(wf_send(m->c, i), 1);
		check_eq(wf_recv(m->back, NULL), 1);
	}
	m->data[1] = 77;
	wf_close(m->c);
}

static int
send_before_receive(void)
{
	for (size_t cap = 0; cap < 3; cap++) {
		struct message m = { wf_chan_make(int, cap),
		    wf_chan_make(int, cap), {0}, 300 };
		wf_waitgroup wg = {0};
		int v, n = 0;

		if (!check(m.c && m.back))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, write_and_send, &m), 0);
		while (wf_recv(m.c, &v)) {
			n++;
			check_eq(m.data[0], v);
			check_eq(wf_send(m.back, 1), 1);
		}
		check_eq(n, m.rounds);
		check_eq(m.data[1], 77);	/* through close */
		wf_waitgroup_wait(&wg);
		wf_chan_free(m.c);
		wf_chan_free(m.back);
	}
	return 0;
}

/* The channel as a semaphore of cap places; with one it is a mutex. */
static void
count_inside(wf_chan(int) places, int *inside, int *most_inside, int *plain)
{
	for (int i = 0; i < 200; i++) {
		int n;

		check_eq(wf_send(places, 1), 1);
		n = __atomic_add_fetch(inside, 1, __ATOMIC_RELAXED);
		check(n <= (int)wf_cap(places));
		if (n > __atomic_load_n(most_inside, __ATOMIC_RELAXED))
			__atomic_store_n(most_inside, n, __ATOMIC_RELAXED);
		if (plain)
			++*plain;
		if (i % 16 == 0)
			wf_yield();
		__atomic_sub_fetch(inside, 1, __ATOMIC_RELAXED);
		check_eq(wf_recv(places, NULL), 1);
	}
}

static int
channel_as_semaphore(void)
{
	for (size_t cap = 1; cap < 4; cap++) {
		wf_chan(int) c = wf_chan_make(int, cap);
		wf_waitgroup wg = {0};
		int inside = 0, most_inside = 0, plain = 0;

		if (!check(c != NULL))
			return 1;
		for (int i = 0; i < 8; i++)
			check_eq(wf_waitgroup_spawn(&wg, count_inside, c,
			    &inside, &most_inside,
			    cap == 1 ? &plain : (int *)NULL), 0);
		wf_waitgroup_wait(&wg);
		check(most_inside >= 1);
		check_eq(plain, cap == 1 ? 8 * 200 : 0);
		wf_chan_free(c);
	}
	return 0;
}

/* Without buffer the receive happens before the send returns. */
static void
write_and_receive(struct message *m)
{
	for (int i = 1; i <= m->rounds; i++) {
		m->data[2] = i;
		check_eq(wf_recv(m->c, NULL), 1);
		check_eq(wf_recv(m->back, NULL), 1);
	}
}

static int
receive_before_send(void)
{
	struct message m = { wf_chan_make(int, 0), wf_chan_make(int, 0), {0},
	    1000 };
	wf_waitgroup wg = {0};

	if (!check(m.c && m.back))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, write_and_receive, &m), 0);
	for (int i = 1; i <= m.rounds; i++) {
		check_eq(wf_send(m.c, 1), 1);
		check_eq(m.data[2], i);
		check_eq(wf_send(m.back, 1), 1);
	}
	wf_waitgroup_wait(&wg);
	wf_chan_free(m.c);
	wf_chan_free(m.back);
	return 0;
}

/*
 * Freeing by the one who was paired with: the reply channel goes as soon as
 * the reply is there.  An operation that touches its channel after it made
 * its peer runnable reads freed memory here.
 */

struct request {
	int value;
	wf_chan(int) reply;
};

static void
server(wf_chan(struct request) in)
{
	struct request r;

	while (wf_recv(in, &r))
		if (r.value < 0)
			check_eq(wf_close(r.reply), 0);
		else
			check_eq(wf_send(r.reply, 2 * r.value), 1);
}

static void
client(wf_chan(struct request) out, long rounds)
{
	for (long i = 0; i < rounds; i++) {
		struct request r = { (int)i, wf_chan_make(int, 0) };
		int v = -1;

		if (i % 3 == 2)
			r.value = -1;
		check_eq(wf_send(out, r), 1);
		check_eq(wf_recv(r.reply, &v), r.value >= 0);
		check_eq(v, r.value >= 0 ? 2 * i : 0);
		wf_chan_free(r.reply);
	}
}

static int
reply_freed_by_receiver(void)
{
	wf_chan(struct request) c = wf_chan_make(struct request, 2);
	wf_waitgroup clients = {0}, servers = {0};

	if (!check(c != NULL))
		return 1;
	for (int i = 0; i < 3; i++)
		check_eq(wf_waitgroup_spawn(&servers, server, c), 0);
	for (int i = 0; i < 8; i++)
		check_eq(wf_waitgroup_spawn(&clients, client, c,
		    tap_scale(3000, 200)), 0);
	wf_waitgroup_wait(&clients);
	check_eq(wf_close(c), 0);
	wf_waitgroup_wait(&servers);
	wf_chan_free(c);
	return 0;
}

/* The sender of a rendezvous knows that its receiver is done. */
static void
take_one(wf_chan(int) c)
{
	check_eq(wf_recv(c, NULL), 1);
}

static int
freed_by_sender(void)
{
	wf_waitgroup wg = {0};

	for (long n = tap_scale(5000, 500); n > 0; n--) {
		wf_chan(int) c = wf_chan_make(int, 0);

		if (!check(c != NULL))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, take_one, c), 0);
		if (n % 3)
			wf_yield();
		check_eq(wf_send(c, 1), 1);
		wf_chan_free(c);
	}
	wf_waitgroup_wait(&wg);
	return 0;
}

/*
 * The exchange: some senders, some receivers, every form of both verbs at
 * random.  Each value arrives exactly once, and at each receiver the values of
 * one sender arrive in order.
 */

enum { SENDERS = 8, RECEIVERS = 6 };

struct exchange {
	wf_chan(uint32_t) c;
	unsigned char *seen;	/* atomic */
	uint32_t each;
};

/* A context that may be done before, during or after the call. */
static wf_ctx *
short_context(uint64_t *random)
{
	return wf_ctx_with_timeout(wf_ctx_background(),
	    (int64_t)(tap_random(random) % 200) * WF_US - 10 * WF_US);
}

static int
send_somehow(wf_chan(uint32_t) c, uint32_t v, uint64_t *random)
{
	wf_ctx *ctx;
	bool ok = false;
	int result;

	switch (tap_random(random) % 8) {
	case 0:
		return wf_try_send(c, v);
	case 1:
		ctx = short_context(random);
		result = wf_send_ctx(ctx, c, v);
		wf_ctx_free(ctx);
		return result;
	case 2:
		result = wf_select(wf_on_send_ok(c, v, &ok),
		    wf_on_timeout((int64_t)(tap_random(random) % 100) *
		    WF_US));
		return result ? -EAGAIN : ok;
	case 3:
		result = wf_select(wf_on_send_ok(c, v, &ok), wf_on_default());
		return result ? -EAGAIN : ok;
	default:
		return wf_send(c, v);
	}
}

static int
recv_somehow(wf_chan(uint32_t) c, uint32_t *v, uint64_t *random)
{
	wf_ctx *ctx;
	bool ok = false;
	int result;

	switch (tap_random(random) % 8) {
	case 0:
		return wf_try_recv(c, v);
	case 1:
		ctx = short_context(random);
		result = wf_recv_ctx(ctx, c, v);
		wf_ctx_free(ctx);
		return result;
	case 2:
		result = wf_select(wf_on_recv_ok(c, v, &ok),
		    wf_on_timeout((int64_t)(tap_random(random) % 100) *
		    WF_US));
		return result ? -EAGAIN : ok;
	case 3:
		result = wf_select(wf_on_recv_ok(c, v, &ok), wf_on_default());
		return result ? -EAGAIN : ok;
	default:
		return wf_recv(c, v);
	}
}

static void
exchange_send(struct exchange *x, uint32_t id, uint64_t random)
{
	for (uint32_t i = 0; i < x->each; i++)
		for (;;) {
			int sent = send_somehow(x->c, id * x->each + i,
			    &random);

			if (sent == 1)
				break;
			check(sent == -EAGAIN || sent == -ETIMEDOUT);
			wf_yield();
		}
}

static void
exchange_recv(struct exchange *x, uint64_t random)
{
	int64_t last[SENDERS];
	uint32_t v;
	int got;

	for (int i = 0; i < SENDERS; i++)
		last[i] = -1;
	while ((got = recv_somehow(x->c, &v, &random))) {
		if (got != 1) {
			check(got == -EAGAIN || got == -ETIMEDOUT);
			wf_yield();
			continue;
		}
		if (!check(v < SENDERS * x->each))
			continue;
		check_eq(__atomic_fetch_add(&x->seen[v], 1, __ATOMIC_RELAXED),
		    0);
		check(v > last[v / x->each]);
		last[v / x->each] = v;
	}
}

static int
exchange_once(size_t cap, uint64_t seed)
{
	uint32_t each = (uint32_t)tap_scale(4000, 300);
	struct exchange x = { wf_chan_make(uint32_t, cap),
	    calloc(SENDERS, each), each };
	wf_waitgroup senders = {0}, receivers = {0};

	if (!check(x.c && x.seen))
		return 1;
	for (int i = 0; i < RECEIVERS; i++)
		check_eq(wf_waitgroup_spawn(&receivers, exchange_recv, &x,
		    tap_random(&seed)), 0);
	for (uint32_t i = 0; i < SENDERS; i++)
		check_eq(wf_waitgroup_spawn(&senders, exchange_send, &x, i,
		    tap_random(&seed)), 0);
	wf_waitgroup_wait(&senders);
	check_eq(wf_close(x.c), 0);
	wf_waitgroup_wait(&receivers);
	for (uint32_t i = 0; i < SENDERS * each; i++)
		check_eq(x.seen[i], 1);
	free(x.seen);
	wf_chan_free(x.c);
	return 0;
}

static int
exchange(void)
{
	static const size_t caps[] = { 0, 1, 2, 3, 10, 128 };
	uint64_t seed = tap_seed();

	for (size_t i = 0; i < COUNT(caps); i++)
		if (exchange_once(caps[i], tap_random(&seed)))
			return 1;
	return 0;
}

/* Ping and pong: every hand-over parks one and wakes the other. */

static void
pong(wf_chan(long) in, wf_chan(long) out)
{
	long v;

	while (wf_recv(in, &v))
		check_eq(wf_send(out, v + 1), 1);
}

static int
ping_pong(void)
{
	long rounds = tap_scale(200000, 5000);

	for (size_t cap = 0; cap < 2; cap++) {
		wf_chan(long) there = wf_chan_make(long, cap);
		wf_chan(long) back = wf_chan_make(long, cap);
		wf_waitgroup wg = {0};
		long v = 0;

		if (!check(there && back))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, pong, there, back), 0);
		for (long i = 0; i < rounds; i++) {
			check_eq(wf_send(there, v), 1);
			check_eq(wf_recv(back, &v), 1);
		}
		check_eq(v, rounds);
		wf_close(there);
		wf_waitgroup_wait(&wg);
		wf_chan_free(there);
		wf_chan_free(back);
	}
	return 0;
}

/* The prime sieve: a chain that grows by a filter for each prime. */

static void
candidates(wf_chan(int) out, wf_chan(int) stop)
{
	for (int i = 2; wf_select(wf_on_send(out, i),
	    wf_on_recv(stop, NULL)) == 0; i++)
		;
	wf_close(out);
}

static void
sift(wf_chan(int) in, wf_chan(int) out, int prime)
{
	int v;

	while (wf_recv(in, &v))
		if (v % prime)
			wf_send(out, v);
	wf_close(out);
	wf_chan_free(in);
}

static int
sieve(void)
{
	static const int primes[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31,
	    37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97 };
	wf_chan(int) c = wf_chan_make(int, 0), next, stop;
	wf_waitgroup wg = {0};
	int prime = 0;

	stop = wf_chan_make(int, 0);
	if (!check(c && stop))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, candidates, c, stop), 0);
	for (size_t i = 0; i < COUNT(primes); i++) {
		check_eq(wf_recv(c, &prime), 1);
		check_eq(prime, primes[i]);
		if (!check((next = wf_chan_make(int, i % 3)) != NULL))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, sift, c, next, prime), 0);
		c = next;
	}
	wf_close(stop);
	while (wf_recv(c, NULL))
		;
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	wf_chan_free(stop);
	return 0;
}

/* A channel that travels through a channel. */
static void
answer(wf_chan(int_chan) calls)
{
	int_chan c;

	while (wf_recv(calls, &c))
		check_eq(wf_send(c, 6), 1);
}

static int
channel_of_channels(void)
{
	wf_chan(int_chan) calls = wf_chan_make(int_chan, 0);
	wf_waitgroup wg = {0};

	if (!check(calls != NULL))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, answer, calls), 0);
	for (int i = 0; i < 10; i++) {
		wf_chan(int) c = wf_chan_make(int, 0);
		int v = 0;

		check_eq(wf_send(calls, c), 1);
		check_eq(wf_recv(c, &v), 1);
		check_eq(v, 6);
		wf_chan_free(c);
	}
	wf_close(calls);
	wf_waitgroup_wait(&wg);
	wf_chan_free(calls);
	return 0;
}

static void
test_pairs(void)
{
	tap_test_workers("case 9: every value exactly once", exchange);
	tap_test_workers("case 11: try receive never misses",
	    try_never_misses);
	tap_test_workers("case 11: nor does try send", try_send_never_misses);
	tap_test_workers("cases 19, 20: frames of a parked sender",
	    live_frames);
	tap_test_workers("case 25: a daisy chain", daisy_chain);
	tap_test_workers("case 26: a long chain", long_chain);
	tap_test_workers("case 58: discarded values", discarded);
	tap_test_workers("case 70: racing closers", concurrent_close);
}

static void
test_crowds(void)
{
	tap_test_workers("close in full flight", close_in_flight);
	tap_test_workers("case 76: send happens before receive, and close",
	    send_before_receive);
	tap_test_workers("case 76: the channel as a semaphore",
	    channel_as_semaphore);
	tap_test_workers("case 76: receive happens before send returns",
	    receive_before_send);
	tap_test_workers("a reply channel, freed by the receiver",
	    reply_freed_by_receiver);
	tap_test_workers("a channel, freed by the sender", freed_by_sender);
	tap_test_workers("ping-pong", ping_pong);
	tap_test_workers("the prime sieve", sieve);
	tap_test_workers("a channel of channels", channel_of_channels);
}

int
main(void)
{
	test_pairs();
	test_crowds();
	return tap_end();
}
