/* SPDX-License-Identifier: MIT */
/*
 * powser.c - case 29: power series as streams of rational numbers, each
 * operation a coroutine, each stream a pair of channels: one for demands, one
 * for what was demanded.
 *
 * After Doug McIlroy, "Squinting at Power Series".  To multiply is to split
 * both factors and to multiply their tails, so that coroutines beget
 * coroutines by the thousand; selects switch their cases off with NULL; at the
 * end all of them are still waiting, and one context ends them.
 */
#include "tap.h"

enum { TERMS = 10 };

struct rat {
	int64_t num, den;	/* den 0: the series has ended */
};

struct stream {
	wf_chan(int) req;
	wf_chan(struct rat) dat;
	struct stream *next;	/* of all that were made */
};

struct split {
	struct stream *out[2];
	struct split *next;
};

struct signal {
	wf_chan(int) c;
	struct signal *next;
};

static struct {
	wf_ctx *ctx;		/* done at the end of the test */
	wf_waitgroup all;
	struct stream *streams;	/* atomic, and all else that was made: */
	struct split *splits;
	struct signal *signals;
	long spawned;		/* atomic */
} world;

static const struct rat zero = { 0, 1 }, one = { 1, 1 }, finis = { 1, 0 };

static int64_t
gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t r = a % b;

		a = b;
		b = r;
	}
	return a < 0 ? -a : a;
}

static struct rat
ratio(int64_t num, int64_t den)
{
	int64_t g = gcd(num, den);

	if (den < 0)
		g = -g;
	return (struct rat){ num / g, den / g };
}

static struct rat
add(struct rat a, struct rat b)
{
	int64_t g = gcd(a.den, b.den);

	return ratio(a.num * (b.den / g) + b.num * (a.den / g),
	    a.den * (b.den / g));
}

static struct rat
mul(struct rat a, struct rat b)
{
	int64_t g1 = gcd(a.num, b.den), g2 = gcd(b.num, a.den);

	return ratio((a.num / g1) * (b.num / g2),
	    (a.den / g2) * (b.den / g1));
}

static bool
ended(struct rat a)
{
	return a.den == 0;
}

/* Put p before the list at head, whose field is next. */
#define remember(head, p) do { \
	(p)->next = __atomic_load_n(head, __ATOMIC_RELAXED); \
	while (!__atomic_compare_exchange_n(head, &(p)->next, p, true, \
	    __ATOMIC_RELEASE, __ATOMIC_RELAXED)) \
		; } while (0)

#define begin(...) do { \
	__atomic_add_fetch(&world.spawned, 1, __ATOMIC_RELAXED); \
	check_eq(wf_waitgroup_spawn(&world.all, __VA_ARGS__), 0); \
	} while (0)

static struct stream *
make_stream(void)
{
	struct stream *s = calloc(1, sizeof *s);

	s->req = wf_chan_make(int, 0);
	s->dat = wf_chan_make(struct rat, 0);
	check(s->req && s->dat);
	remember(&world.streams, s);
	return s;
}

static wf_chan(int)
make_signal(void)
{
	struct signal *s = calloc(1, sizeof *s);

	s->c = wf_chan_make(int, 0);
	check(s->c != NULL);
	remember(&world.signals, s);
	return s->c;
}

/* The verbs; when the context is done, the coroutine ends in the middle. */

static void
take_signal(wf_chan(int) c)
{
	if (wf_recv_ctx(world.ctx, c, NULL) <= 0)
		wf_exit();
}

static void
give_signal(wf_chan(int) c)
{
	if (wf_send_ctx(world.ctx, c, 1) <= 0)
		wf_exit();
}

static void
await(struct stream *out)
{
	take_signal(out->req);
}

static void
give(struct stream *out, struct rat r)
{
	if (wf_send_ctx(world.ctx, out->dat, r) <= 0)
		wf_exit();
}

static void
put(struct stream *out, struct rat r)
{
	await(out);
	give(out, r);
}

static struct rat
take(struct stream *in)
{
	struct rat r = finis;

	if (wf_recv_ctx(world.ctx, in->dat, &r) <= 0)
		wf_exit();
	return r;
}

static struct rat
get(struct stream *in)
{
	give_signal(in->req);
	return take(in);
}

/* One of each of two streams, in whatever order they can. */
static void
get_two(struct stream *u, struct stream *v, struct rat got[2])
{
	wf_chan(int) req[2] = { u->req, v->req };
	wf_chan(struct rat) dat[2] = { NULL, NULL };

	for (int n = 4; n > 0; n--)
		switch (wf_select(wf_on_send(req[0], n), wf_on_send(req[1], n),
		    wf_on_recv(dat[0], &got[0]), wf_on_recv(dat[1], &got[1]),
		    wf_on_done(world.ctx))) {
		case 0:
			req[0] = NULL;
			dat[0] = u->dat;
			break;
		case 1:
			req[1] = NULL;
			dat[1] = v->dat;
			break;
		case 2:
			dat[0] = NULL;
			break;
		case 3:
			dat[1] = NULL;
			break;
		default:
			wf_exit();
		}
}

static void
copy(struct stream *in, struct stream *out)
{
	for (;;) {
		await(out);
		give(out, get(in));
	}
}

/*
 * Two readers of one stream, at their own speed.  A coroutine is made for each
 * value and ends when both have it.  The newest serves out[0], the oldest
 * out[1]; those between hold what out[0] already has, and wait until the one
 * before them has served out[1].
 */
static void
do_split(struct stream *in, struct split *s, wf_chan(int) turn)
{
	bool both = false;
	wf_chan(int) release;
	struct stream *first;
	struct rat r;
	int got = wf_select(wf_on_recv(s->out[0]->req, NULL),
	    wf_on_recv(turn, NULL), wf_on_done(world.ctx));

	if (got == 1) {
		both = true;
		got = wf_select(wf_on_recv(s->out[0]->req, NULL),
		    wf_on_recv(s->out[1]->req, NULL), wf_on_done(world.ctx));
		if (got == 1) {
			first = s->out[1];
			s->out[1] = s->out[0];
			s->out[0] = first;
		}
	}
	if (got == 2)
		return;
	give_signal(in->req);
	release = make_signal();
	begin(do_split, in, s, release);
	r = take(in);
	give(s->out[0], r);
	if (!both)
		take_signal(turn);
	await(s->out[1]);
	give(s->out[1], r);
	give_signal(release);
}

static struct split *
make_split(void)
{
	struct split *s = calloc(1, sizeof *s);

	s->out[0] = make_stream();
	s->out[1] = make_stream();
	remember(&world.splits, s);
	return s;
}

/* The parameter is a copy: s->out changes places while it works. */
static void
split_into(struct stream *in, struct split *s)
{
	wf_chan(int) release = make_signal();

	begin(do_split, in, s, release);
	give_signal(release);
}

static void
split(struct stream *in, struct stream *out[2])
{
	struct split *s = make_split();

	out[0] = s->out[0];
	out[1] = s->out[1];
	split_into(in, s);
}

/* The operations: a function that makes the stream, one that fills it. */

static void
do_repeat(struct stream *z, int64_t c)
{
	for (;;)
		put(z, ratio(c, 1));
}

static struct stream *
repeat(int64_t c)
{
	struct stream *z = make_stream();

	begin(do_repeat, z, c);
	return z;
}

static void
do_add(struct stream *z, struct stream *u, struct stream *v)
{
	struct rat r[2];

	for (;;) {
		await(z);
		get_two(u, v, r);
		if (!ended(r[0]) && !ended(r[1])) {
			give(z, add(r[0], r[1]));
		} else if (!ended(r[0])) {
			give(z, r[0]);
			copy(u, z);
		} else {
			give(z, r[1]);
			copy(v, z);
		}
	}
}

static struct stream *
sum(struct stream *u, struct stream *v)
{
	struct stream *z = make_stream();

	begin(do_add, z, u, v);
	return z;
}

static void
do_scale(struct stream *z, struct stream *u, int64_t num, int64_t den)
{
	struct rat r;

	for (;;) {
		await(z);
		r = get(u);
		if (ended(r))
			break;
		give(z, mul(r, ratio(num, den)));
	}
	give(z, finis);
}

static struct stream *
scale(struct rat c, struct stream *u)
{
	struct stream *z = make_stream();

	begin(do_scale, z, u, c.num, c.den);
	return z;
}

static struct stream *
difference(struct stream *u, struct stream *v)
{
	return sum(u, scale(ratio(-1, 1), v));
}

/* c + x * U */
static void
do_shift(struct stream *z, struct stream *u, int64_t c)
{
	put(z, ratio(c, 1));
	copy(u, z);
}

static struct stream *
shift(int64_t c, struct stream *u)
{
	struct stream *z = make_stream();

	begin(do_shift, z, u, c);
	return z;
}

static struct stream *product(struct stream *u, struct stream *v);

/* (u + x U')(v + x V') = uv + x (uV' + vU') + x^2 U'V' */
static void
do_product(struct stream *z, struct stream *u, struct stream *v)
{
	struct stream *us[2], *vs[2], *w;
	struct rat r[2];

	await(z);
	get_two(u, v, r);
	if (ended(r[0]) || ended(r[1])) {
		give(z, finis);
		return;
	}
	give(z, mul(r[0], r[1]));
	split(u, us);
	split(v, vs);
	w = sum(scale(r[0], vs[0]), scale(r[1], us[0]));
	await(z);
	give(z, get(w));
	copy(sum(w, product(us[1], vs[1])), z);
}

static struct stream *
product(struct stream *u, struct stream *v)
{
	struct stream *z = make_stream();

	begin(do_product, z, u, v);
	return z;
}

static void
do_derivative(struct stream *z, struct stream *u)
{
	struct rat r;

	await(z);
	r = get(u);
	for (int i = 1; !ended(r); i++) {
		r = get(u);
		if (ended(r))
			break;
		give(z, mul(r, ratio(i, 1)));
		await(z);
	}
	give(z, finis);
}

static struct stream *
derivative(struct stream *u)
{
	struct stream *z = make_stream();

	begin(do_derivative, z, u);
	return z;
}

static void
do_integral(struct stream *z, struct stream *u, int64_t c)
{
	struct rat r;

	put(z, ratio(c, 1));
	for (int i = 1; ; i++) {
		await(z);
		r = get(u);
		if (ended(r))
			break;
		give(z, mul(r, ratio(1, i)));
	}
	give(z, finis);
}

static struct stream *
integral(int64_t c, struct stream *u)
{
	struct stream *z = make_stream();

	begin(do_integral, z, u, c);
	return z;
}

/* Z = exp U satisfies Z' = Z U': the stream feeds itself. */
static struct stream *
exponential(struct stream *u)
{
	struct split *z = make_split();
	struct stream *again = z->out[0], *result = z->out[1];

	split_into(integral(1, product(again, derivative(u))), z);
	return result;
}

/* U(V) = u + V' S(U', V) x, where V begins with 0. */
static struct stream *substitute(struct stream *u, struct stream *v);

static void
do_substitute(struct stream *z, struct stream *u, struct stream *v)
{
	struct stream *vs[2];
	struct rat r;

	split(v, vs);
	await(z);
	r = get(u);
	give(z, r);
	if (ended(r))
		return;
	if (ended(get(vs[0])))
		put(z, finis);
	else
		copy(product(vs[0], substitute(u, vs[1])), z);
}

static struct stream *
substitute(struct stream *u, struct stream *v)
{
	struct stream *z = make_stream();

	begin(do_substitute, z, u, v);
	return z;
}

/* U(c x^n) */
static void
do_monomial(struct stream *z, struct stream *u, int64_t c, int n)
{
	struct rat power = one, r;

	for (;;) {
		await(z);
		r = get(u);
		if (ended(r))
			break;
		give(z, mul(r, power));
		power = mul(power, ratio(c, 1));
		for (int i = 1; i < n; i++)
			put(z, zero);
	}
	give(z, finis);
}

static struct stream *
monomial(struct stream *u, int64_t c, int n)
{
	struct stream *z = make_stream();

	begin(do_monomial, z, u, c, n);
	return z;
}

/* A series that ends: 1 + x + x^2. */
static void
do_short(struct stream *z)
{
	for (int i = 0; i < 3; i++)
		put(z, one);
	for (;;)
		put(z, finis);
}

static struct stream *
short_series(void)
{
	struct stream *z = make_stream();

	begin(do_short, z);
	return z;
}

/* What the first terms are to be. */

static void
expect(const char *what, struct stream *u, const struct rat *terms)
{
	for (int i = 0; i < TERMS; i++) {
		struct rat r = get(u);

		if (!check(r.num == terms[i].num && r.den == terms[i].den))
			tap_note("%s, term %d: %lld/%lld", what, i,
			    (long long)r.num, (long long)r.den);
	}
}

static void
expect_same(const char *what, struct stream *u, int64_t value)
{
	struct rat terms[TERMS];

	for (int i = 0; i < TERMS; i++)
		terms[i] = ratio(value, 1);
	expect(what, u, terms);
}

static void
expect_counting(const char *what, struct stream *u)
{
	struct rat terms[TERMS];

	for (int i = 0; i < TERMS; i++)
		terms[i] = ratio(i + 1, 1);
	expect(what, u, terms);
}

static void
simple_series(struct stream *ones, struct stream *twos)
{
	static const struct rat harmonic[TERMS] = { { 0, 1 }, { 1, 1 },
	    { 1, 2 }, { 1, 3 }, { 1, 4 }, { 1, 5 }, { 1, 6 }, { 1, 7 },
	    { 1, 8 }, { 1, 9 } };
	static const struct rat ends[TERMS] = { { 2, 1 }, { 2, 1 }, { 2, 1 },
	    { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 },
	    { 1, 1 } };

	expect_same("ones", ones, 1);
	expect_same("twos", twos, 2);
	expect_same("ones + ones", sum(ones, ones), 2);
	expect_same("ones + twos", sum(ones, twos), 3);
	expect_same("-1 * twos", scale(ratio(-1, 1), twos), -2);
	expect_same("ones - twos", difference(ones, twos), -1);
	expect_counting("ones'", derivative(ones));
	expect("integral of ones", integral(0, ones), harmonic);
	expect("ones + 1 + x + x^2", sum(ones, short_series()), ends);
}

static void
deep_series(struct stream *ones)
{
	static const struct rat exps[TERMS] = { { 1, 1 }, { 1, 1 }, { 3, 2 },
	    { 13, 6 }, { 73, 24 }, { 167, 40 }, { 4051, 720 },
	    { 37633, 5040 }, { 43817, 4480 }, { 4596553, 362880 } };
	static const struct rat atan[TERMS] = { { 0, 1 }, { 1, 1 }, { 0, 1 },
	    { -1, 3 }, { 0, 1 }, { 1, 5 }, { 0, 1 }, { -1, 7 }, { 0, 1 },
	    { 1, 9 } };
	static const struct rat powers[TERMS] = { { 1, 1 }, { 1, 1 },
	    { 2, 1 }, { 4, 1 }, { 8, 1 }, { 16, 1 }, { 32, 1 }, { 64, 1 },
	    { 128, 1 }, { 256, 1 } };
	static const struct rat triangle[TERMS] = { { 1, 1 }, { 2, 1 },
	    { 3, 1 }, { 3, 1 }, { 3, 1 }, { 3, 1 }, { 3, 1 }, { 3, 1 },
	    { 3, 1 }, { 3, 1 } };

	expect_counting("ones * ones", product(ones, ones));
	expect("ones * (1 + x + x^2)", product(ones, sum(short_series(),
	    repeat(0))), triangle);
	expect("exp(ones)", exponential(ones), exps);
	expect("arctangent", integral(0, monomial(ones, -1, 2)), atan);
	expect("1 / (1 - x / (1 - x))", substitute(ones, shift(0, ones)),
	    powers);
}

static void
free_all(void)
{
	struct stream *stream;
	struct split *s;
	struct signal *signal;

	while ((stream = world.streams)) {
		world.streams = stream->next;
		wf_chan_free(stream->req);
		wf_chan_free(stream->dat);
		free(stream);
	}
	while ((s = world.splits)) {
		world.splits = s->next;
		free(s);
	}
	while ((signal = world.signals)) {
		world.signals = signal->next;
		wf_chan_free(signal->c);
		free(signal);
	}
}

static int
power_series(void)
{
	struct stream *ones, *twos;

	world.ctx = wf_ctx_with_cancel(wf_ctx_background());
	world.spawned = 0;
	ones = repeat(1);
	twos = sum(ones, repeat(1));
	simple_series(ones, twos);
	deep_series(ones);
	wf_ctx_cancel(world.ctx);
	wf_waitgroup_wait(&world.all);
	check(world.spawned > 500);
	free_all();
	wf_ctx_free(world.ctx);
	return 0;
}

int
main(void)
{
	tap_test_workers("case 29: power series", power_series);
	return tap_end();
}
