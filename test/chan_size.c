/* SPDX-License-Identifier: MIT */
/*
 * chan_size.c - tests of channels with elements of all sizes, from none to
 * 64 KiB, of all kinds, and with large capacities.
 */
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Case 62 and all the other sizes: the content arrives whole, and neither
 * side's buffer is looked at after its call has returned. */

struct sized {
	struct wf_channel *c;
	size_t size;
	int values;
	uint64_t seed;
};

static void
fill(unsigned char *p, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++) {
		if (i % 8 == 0)
			tap_random(&seed);
		p[i] = (unsigned char)(seed >> i % 8 * 8);
	}
}

static bool
is_filled(const unsigned char *p, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++) {
		if (i % 8 == 0)
			tap_random(&seed);
		if (p[i] != (unsigned char)(seed >> i % 8 * 8))
			return false;
	}
	return true;
}

static bool
is_zero(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

static void
send_sized(struct sized *s)
{
	unsigned char *v = malloc(s->size + 1);
	uint64_t random = s->seed;

	for (int i = 0; i < s->values; i++) {
		fill(v, s->size, s->seed + (uint64_t)i);
		check_eq(wf_chan_send_raw(s->c, v), 1);
		memset(v, 0xee, s->size);
		if (tap_random(&random) % 4 == 0)
			wf_yield();
	}
	check_eq(wf_chan_close_raw(s->c), 0);
	free(v);
}

static void
recv_sized(struct sized *s)
{
	unsigned char *v = malloc(s->size + 1);
	uint64_t random = s->seed + 1;

	for (int i = 0; i < s->values; i++) {
		memset(v, 0xdd, s->size + 1);
		check_eq(wf_chan_recv_raw(s->c, v), 1);
		check(is_filled(v, s->size, s->seed + (uint64_t)i));
		check_eq(v[s->size], 0xdd);
		if (tap_random(&random) % 4 == 0)
			wf_yield();
	}
	check_eq(wf_chan_recv_raw(s->c, v), 0);
	check(is_zero(v, s->size));
	check_eq(v[s->size], 0xdd);
	free(v);
}

static const size_t sizes[] = { 0, 1, 2, 4, 8, 12, 16, 40, 4096, 65536 };

static int
element_sizes(void)
{
	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t cap = 0; cap < 4; cap++) {
			struct sized s = { .size = sizes[i],
			    .values = sizes[i] > 1000 ? 12 : 60,
			    .seed = tap_seed() + i };
			wf_waitgroup wg = {0};

			s.c = wf_chan_make_raw(s.size, cap);
			if (!check(s.c != NULL))
				return 1;
			check_eq(wf_waitgroup_spawn(&wg, send_sized, &s), 0);
			check_eq(wf_waitgroup_spawn(&wg, recv_sized, &s), 0);
			wf_waitgroup_wait(&wg);
			check_eq(wf_chan_cap_raw(s.c), cap);
			check_eq(wf_chan_len_raw(s.c), 0);
			wf_chan_free_raw(s.c);
		}
	return 0;
}

struct page { unsigned char bytes[4096]; };
struct largest { unsigned char bytes[65536]; };
struct three { int a, b, c; };

static void
send_structs(wf_chan(struct three) c, wf_chan(struct page) pages)
{
	struct page *p = malloc(sizeof *p);

	for (int i = 0; i < 20; i++) {
		check_eq(wf_send(c, ((struct three){ i, 2 * i, 3 * i })), 1);
		fill(p->bytes, sizeof p->bytes, (uint64_t)i);
		check_eq(wf_send(pages, *p), 1);
	}
	free(p);
}

static int
typed_structs(void)
{
	wf_chan(struct three) c = wf_chan_make(struct three, 0);
	wf_chan(struct page) pages = wf_chan_make(struct page, 2);
	wf_waitgroup wg = {0};
	struct three t;
	static struct page page;

	if (!check(c && pages))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, send_structs, c, pages), 0);
	for (int i = 0; i < 20; i++) {
		check_eq(wf_recv(c, &t), 1);
		check(t.a == i && t.b == 2 * i && t.c == 3 * i);
		check_eq(wf_recv(pages, &page), 1);
		check(is_filled(page.bytes, sizeof page.bytes, (uint64_t)i));
	}
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	wf_chan_free(pages);
	return 0;
}

/* The largest element; wf_run's own function has stack enough for it. */
static int
typed_largest(void)
{
	wf_chan(struct largest) c = wf_chan_make(struct largest, 1);
	static struct largest in, out;

	if (!check(c != NULL))
		return 1;
	fill(in.bytes, sizeof in.bytes, 5);
	check_eq(wf_send(c, in), 1);
	check_eq(wf_recv(c, &out), 1);
	check(!memcmp(&in, &out, sizeof in));
	wf_close(c);
	check_eq(wf_recv(c, &out), 0);
	check(is_zero(out.bytes, sizeof out.bytes));
	wf_chan_free(c);
	return 0;
}

/* Scalars of every kind keep their value and their type. */
static int
typed_scalars(void)
{
	wf_chan(char) c = wf_chan_make(char, 1);
	wf_chan(double) d = wf_chan_make(double, 1);
	wf_chan(long double) l = wf_chan_make(long double, 1);
	wf_chan(const char *) s = wf_chan_make(const char *, 1);
	wf_chan(bool) b = wf_chan_make(bool, 1);
	char cv = 0;
	double dv = 0;
	long double lv = 0;
	const char *sv = NULL;
	bool bv = false;

	check(wf_send(c, 'x') == 1 && wf_recv(c, &cv) == 1 && cv == 'x');
	check(wf_send(d, 3) == 1 && wf_recv(d, &dv) == 1 && dv == 3.0);
	check(wf_send(l, 0.5L) == 1 && wf_recv(l, &lv) == 1 && lv == 0.5L);
	check(wf_send(s, "text") == 1 && wf_recv(s, &sv) == 1 &&
	    !strcmp(sv, "text"));
	check(wf_send(b, 7) == 1 && wf_recv(b, &bv) == 1 && bv);
	wf_chan_free(c);
	wf_chan_free(d);
	wf_chan_free(l);
	wf_chan_free(s);
	wf_chan_free(b);
	return 0;
}

/* Memory that is not there is no channel. */
static int
without_memory(void)
{
	wf_chan(int) c = wf_chan_make(int, SIZE_MAX / 64);

	check(c == NULL);
	return 0;
}

static int
large_capacity(void)
{
	size_t cap = 300000;
	wf_chan(uint64_t) c = wf_chan_make(uint64_t, cap);
	uint64_t v;

	if (!check(c != NULL))
		return 1;
	for (size_t i = 0; i < cap; i++)
		if (wf_try_send(c, i * i) != 1)
			return check(!"a place in the buffer");
	check_eq(wf_try_send(c, 1), -EAGAIN);
	for (size_t i = 0; i < cap; i++)
		if (wf_recv(c, &v) != 1 || v != i * i)
			return check(!"the value in its order");
	wf_chan_free(c);
	return 0;
}

int
main(void)
{
	tap_test_workers("case 62: elements of all sizes", element_sizes);
	tap_test_workers("structs arrive whole", typed_structs);
	tap_test("elements of 64 KiB", typed_largest);
	tap_test("scalars", typed_scalars);
	tap_test("a capacity of 300,000", large_capacity);
	if (TAP_ASAN || TAP_TSAN)
		tap_skip("without memory", "a sanitizer's malloc aborts");
	else
		tap_test("without memory", without_memory);
	return tap_end();
}
