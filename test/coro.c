/* SPDX-License-Identifier: MIT */
/*
 * coro.c - coroutines one by one: how arguments travel, names and stacks,
 * yield, exit, pins, and what belongs to a coroutine and not to its thread.
 */
#include "tap.h"

#include <fenv.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <weft/errno.h>

struct point { int x, y; };
enum colour { RED = -1, GREEN = 7, BLUE = INT32_MAX };
typedef int (*handler)(int);

/*
 * Eight arguments of one type T, then the same type in turn with another one
 * (O, of the other class of registers), T first and O first: so every type is
 * seen in every position, in a register and on the stack.
 */
#define KIND(kind, T, O, ...)						\
static T kind##_in[8] = { __VA_ARGS__ };				\
static T kind##_out[8];							\
static O kind##_other[4];						\
static void								\
kind##_eight(T a, T b, T c, T d, T e, T f, T g, T h)			\
{									\
	T got[8] = { a, b, c, d, e, f, g, h };				\
	memcpy(kind##_out, got, sizeof got);				\
}									\
static void								\
kind##_first(T a, O b, T c, O d, T e, O f, T g, O h)			\
{									\
	T got[4] = { a, c, e, g };					\
	O other[4] = { b, d, f, h };					\
	memcpy(kind##_out, got, sizeof got);				\
	memcpy(kind##_other, other, sizeof other);			\
}									\
static void								\
kind##_second(O a, T b, O c, T d, O e, T f, O g, T h)			\
{									\
	T got[4] = { b, d, f, h };					\
	O other[4] = { a, c, e, g };					\
	memcpy(kind##_out, got, sizeof got);				\
	memcpy(kind##_other, other, sizeof other);			\
}									\
static int								\
kind##_travels(void)							\
{									\
	static const O o[4] = { -1, 2, -3, 4 };				\
	T const *in = kind##_in;					\
	wf_waitgroup wg = {0};						\
									\
	memset(kind##_out, 0x55, sizeof kind##_out);			\
	check_eq(wf_waitgroup_spawn(&wg, kind##_eight, in[0], in[1],	\
	    in[2], in[3], in[4], in[5], in[6], in[7]), 0);		\
	wf_waitgroup_wait(&wg);						\
	check(!memcmp(kind##_out, in, sizeof kind##_out));		\
									\
	memset(kind##_out, 0x55, sizeof kind##_out);			\
	check_eq(wf_waitgroup_spawn(&wg, kind##_first, in[0], o[0],	\
	    in[1], o[1], in[2], o[2], in[3], o[3]), 0);			\
	wf_waitgroup_wait(&wg);						\
	check(!memcmp(kind##_out, in, 4 * sizeof in[0]));		\
	check(!memcmp(kind##_other, o, sizeof o));			\
									\
	memset(kind##_out, 0x55, sizeof kind##_out);			\
	memset(kind##_other, 0x55, sizeof kind##_other);		\
	check_eq(wf_waitgroup_spawn(&wg, kind##_second, o[0], in[4],	\
	    o[1], in[5], o[2], in[6], o[3], in[7]), 0);			\
	wf_waitgroup_wait(&wg);						\
	check(!memcmp(kind##_out, in + 4, 4 * sizeof in[0]));		\
	check(!memcmp(kind##_other, o, sizeof o));			\
	return 0;							\
}

static int h0(int x) { return x; }
static int h1(int x) { return x + 1; }
static int h2(int x) { return x + 2; }
static int h3(int x) { return x + 3; }
static int h4(int x) { return x + 4; }
static int h5(int x) { return x + 5; }
static int h6(int x) { return x + 6; }
static int h7(int x) { return x + 7; }

static struct point points[8];
static char bytes[8];

KIND(char, char, double, 'a', -1, 0, -128, 127, 1, -2, 'z')
KIND(schar, signed char, double, -128, -1, 0, 127, -128, 3, -4, -5)
KIND(uchar, unsigned char, double, 255, 0, 128, 1, 255, 127, 200, 129)
KIND(bool, bool, double, true, false, true, true, false, true, false, true)
KIND(short, short, double, -32768, -1, 0, 32767, -2, 2, -300, -32768)
KIND(ushort, unsigned short, double, 65535, 0, 32768, 1, 65535, 2, 40000, 65534)
KIND(int, int, double, INT32_MIN, -1, 0, INT32_MAX, -2, 7, INT32_MIN, -9)
KIND(unsigned, unsigned, double, UINT32_MAX, 0, 1u << 31, 1, UINT32_MAX, 5, 6,
    UINT32_MAX - 1)
KIND(enum, enum colour, double, RED, GREEN, BLUE, RED, GREEN, RED, BLUE, RED)
KIND(long, long, double, INT64_MIN, -1, 0, INT64_MAX, -2, 3, INT64_MIN, -4)
KIND(ulong, unsigned long, double, UINT64_MAX, 0, UINT64_MAX >> 1, 1, 2,
    UINT64_MAX, 3, UINT64_MAX - 1)
KIND(llong, long long, double, INT64_MIN, -1, 0, INT64_MAX, 1, -2, 2, INT64_MIN)
KIND(uint64, uint64_t, double, UINT64_MAX, 0, 1, UINT64_C(1) << 63, 2, 3,
    UINT64_MAX, UINT64_C(0x0123456789abcdef))
KIND(size, size_t, double, SIZE_MAX, 0, 1, 2, SIZE_MAX, 3, 4, SIZE_MAX - 1)
KIND(float, float, long, 0.0f, -0.0f, 1.5f, -3.25e38f, 1e-45f,
    __builtin_inff(), -__builtin_nanf("0x123"), 16777217.0f)
KIND(double, double, long, 0.0, -0.0, 1.5, -1.7e308, 5e-324, __builtin_inf(),
    -__builtin_nan("0x123456789"), 9007199254740993.0)
KIND(pointer, struct point *, double, points, points + 1, NULL, points + 3,
    points + 4, NULL, points + 6, points + 7)
KIND(void, void *, double, bytes, bytes + 1, NULL, bytes + 3, bytes + 4,
    bytes + 5, NULL, bytes + 7)
KIND(text, const char *, double, "a", "b", "", NULL, "c", "d", "e", "f")
KIND(function, handler, double, h0, h1, h2, h3, h4, h5, h6, h7)
KIND(chan, wf_chan(int), double, (wf_chan(int))0x1000, (wf_chan(int))0x2000,
    NULL, (wf_chan(int))0x3000, (wf_chan(int))0x4000, (wf_chan(int))-1,
    (wf_chan(int))0x5000, (wf_chan(int))0x6000)
KIND(in, wf_chan_in(struct point), double, (wf_chan_in(struct point))0x1000,
    NULL, (wf_chan_in(struct point))0x2000, NULL,
    (wf_chan_in(struct point))0x3000, (wf_chan_in(struct point))0x4000, NULL,
    (wf_chan_in(struct point))-1)

/* How many arguments: 0 to 8, integers and doubles. */

static unsigned counted;	/* a bit for each function that saw its own */

static void
longs0(void)
{
	__atomic_or_fetch(&counted, 1u, __ATOMIC_RELAXED);
}

#define COUNTED(n, params, good, ...)					\
static void								\
longs##n(__VA_ARGS__)							\
{									\
	if (good)							\
		__atomic_or_fetch(&counted, 1u << n, __ATOMIC_RELAXED);	\
}									\
static void								\
doubles##n(params)							\
{									\
	if (good)							\
		__atomic_or_fetch(&counted, 256u << n, __ATOMIC_RELAXED); \
}

#define LIST(...) __VA_ARGS__
COUNTED(1, LIST(double a), a == 1, long a)
COUNTED(2, LIST(double a, double b), a == 1 && b == 2, long a, long b)
COUNTED(3, LIST(double a, double b, double c), a == 1 && b == 2 && c == 3,
    long a, long b, long c)
COUNTED(4, LIST(double a, double b, double c, double d),
    a == 1 && b == 2 && c == 3 && d == 4, long a, long b, long c, long d)
COUNTED(5, LIST(double a, double b, double c, double d, double e),
    a == 1 && b == 2 && c == 3 && d == 4 && e == 5,
    long a, long b, long c, long d, long e)
COUNTED(6, LIST(double a, double b, double c, double d, double e, double f),
    a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6,
    long a, long b, long c, long d, long e, long f)
COUNTED(7, LIST(double a, double b, double c, double d, double e, double f,
    double g), a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6 &&
    g == 7, long a, long b, long c, long d, long e, long f, long g)
COUNTED(8, LIST(double a, double b, double c, double d, double e, double f,
    double g, double h), a == 1 && b == 2 && c == 3 && d == 4 && e == 5 &&
    f == 6 && g == 7 && h == 8, long a, long b, long c, long d, long e, long f,
    long g, long h)

static int
counts(void)
{
	wf_waitgroup wg = {0};

	wf_waitgroup_spawn(&wg, longs0);
	wf_waitgroup_spawn(&wg, longs1, 1L);
	wf_waitgroup_spawn(&wg, longs2, 1L, 2L);
	wf_waitgroup_spawn(&wg, longs3, 1L, 2L, 3L);
	wf_waitgroup_spawn(&wg, longs4, 1L, 2L, 3L, 4L);
	wf_waitgroup_spawn(&wg, longs5, 1L, 2L, 3L, 4L, 5L);
	wf_waitgroup_spawn(&wg, longs6, 1L, 2L, 3L, 4L, 5L, 6L);
	wf_waitgroup_spawn(&wg, longs7, 1L, 2L, 3L, 4L, 5L, 6L, 7L);
	wf_waitgroup_spawn(&wg, longs8, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L);
	wf_waitgroup_spawn(&wg, doubles1, 1.0);
	wf_waitgroup_spawn(&wg, doubles2, 1.0, 2.0);
	wf_waitgroup_spawn(&wg, doubles3, 1.0, 2.0, 3.0);
	wf_waitgroup_spawn(&wg, doubles4, 1.0, 2.0, 3.0, 4.0);
	wf_waitgroup_spawn(&wg, doubles5, 1.0, 2.0, 3.0, 4.0, 5.0);
	wf_waitgroup_spawn(&wg, doubles6, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0);
	wf_waitgroup_spawn(&wg, doubles7, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0);
	wf_waitgroup_spawn(&wg, doubles8, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0,
	    8.0);
	wf_waitgroup_wait(&wg);
	check_eq(counted, 0x1ffff);
	return 0;
}

/* Mixed types, real channels, and the pointer readings of the check. */

static int arrived;

static void
mixed(char a, float b, const char *c, double d, short e, bool f,
    wf_chan_out(long) out, uint64_t h)
{
	check_eq(a, -3);
	check(b == 0.1f);
	check(!strcmp(c, "mixed"));
	check(d == 0.1);
	check_eq(e, -12345);
	check_eq(f, true);
	check_eq(wf_send(out, (long)h), 1);
	arrived++;
}

static void
late_float(int a, int b, int c, int d, int e, int f, int g, float h)
{
	check_eq(a * 1000000 + b * 100000 + c * 10000 + d * 1000 + e * 100 +
	    f * 10 + g, 1234567);
	check(h == 8.5f);
	arrived++;
}

static void
late_ints(double a, float b, signed char c, short d, int e, long f, handler g,
    unsigned char h)
{
	check(a == -1.0 && b == 2.0f);
	check_eq(c, -3);
	check_eq(d, -4);
	check_eq(e, -5);
	check_eq(f, -6);
	check_eq(g(1), 8);
	check_eq(h, 255);
	arrived++;
}

static void
reads(const struct point *p, const int *v, const char *text)
{
	check_eq(p->x + v[2], 10);
	check(!strcmp(text, "text"));
	arrived++;
}

static void
copies(const void *from, const void *end, size_t size)
{
	check_eq((const char *)end - (const char *)from, size);
	arrived++;
}

static int
mixes(void)
{
	wf_chan(long) c = wf_chan_make(long, 1);
	const short minus = -12345;
	struct point p = { 3, 4 };
	int v[3] = { 5, 6, 7 };
	wf_waitgroup wg = {0};
	long h = 0;

	arrived = 0;
	if (!check(c))
		return 1;
	wf_waitgroup_spawn(&wg, mixed, (char)-3, 0.1f, "mixed", 0.1, minus,
	    (bool)true, wf_out(c), (uint64_t)1 << 40);
	wf_waitgroup_wait(&wg);
	check_eq(wf_recv(c, &h), 1);
	check_eq(h, INT64_C(1) << 40);
	wf_waitgroup_spawn(&wg, late_float, 1, 2, 3, 4, 5, 6, 7, 8.5f);
	wf_waitgroup_wait(&wg);
	wf_waitgroup_spawn(&wg, late_ints, -1.0, 2.0f, (signed char)-3,
	    (short)-4, -5, -6L, h7, (unsigned char)255);
	wf_waitgroup_wait(&wg);
	wf_waitgroup_spawn(&wg, reads, &p, v, "text");
	wf_waitgroup_wait(&wg);
	wf_waitgroup_spawn(&wg, copies, v, v + 3, sizeof v);
	wf_waitgroup_wait(&wg);
	check_eq(arrived, 5);
	wf_chan_free(c);
	return 0;
}

/* Arguments are evaluated once, in the spawner, before spawn returns. */

static int evaluated;

static int
next(void)
{
	return ++evaluated;
}

static void
keep(int a, uint64_t spawner, int *where)
{
	check(spawner != wf_self());
	*where = a;
}

static int
evaluates_once(void)
{
	wf_waitgroup wg = {0};
	int a[3] = {0}, n = 0, x = 41;
	struct wf_attr attr = { .name = "once", .waitgroup = &wg };

	evaluated = 0;
	check_eq(wf_waitgroup_spawn(&wg, keep, next(), wf_self(), &a[n++]), 0);
	check_eq(evaluated, 1);
	check_eq(n, 1);
	check_eq(wf_spawn_with(&attr, keep, next() * 10, wf_self(), &a[n++]),
	    0);
	check_eq(evaluated, 2);
	check_eq(wf_waitgroup_spawn(&wg, keep, x, wf_self(), &a[n++]), 0);
	x++;
	wf_waitgroup_wait(&wg);
	check_eq(a[0], 1);
	check_eq(a[1], 20);
	check_eq(a[2], 41);
	check_eq(n, 3);
	return 0;
}

/* The calling convention wants the stack aligned, also below arguments. */

static int aligned;

static void
aligned0(void)
{
	aligned += ((uintptr_t)__builtin_frame_address(0) & 15) == 0;
}

static void
aligned7(int a, int b, int c, int d, int e, int f, int g)
{
	aligned += ((uintptr_t)__builtin_frame_address(0) & 15) == 0 &&
	    a + b + c + d + e + f + g == 28;
}

static void
aligned8(int a, int b, int c, int d, int e, int f, int g, int h)
{
	aligned += ((uintptr_t)__builtin_frame_address(0) & 15) == 0 &&
	    a + b + c + d + e + f + g + h == 36;
}

static int
alignment(void)
{
	wf_waitgroup wg = {0};

	aligned = 0;
	wf_waitgroup_spawn(&wg, aligned0);
	wf_waitgroup_wait(&wg);
	wf_waitgroup_spawn(&wg, aligned7, 1, 2, 3, 4, 5, 6, 7);
	wf_waitgroup_wait(&wg);
	wf_waitgroup_spawn(&wg, aligned8, 1, 2, 3, 4, 5, 6, 7, 8);
	wf_waitgroup_wait(&wg);
	check_eq(aligned, 3);
	return 0;
}

/* Attributes. */

/* The text of a dump, in a static buffer. */
static const char *
dump_text(void)
{
	static char text[1 << 16];
	int fd = (int)syscall(SYS_memfd_create, "dump", 0);
	ssize_t n = 0;

	if (check(fd >= 0)) {
		check_eq(wf_dump(fd), 0);
		n = pread(fd, text, sizeof text - 1, 0);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
hold(wf_chan(int) gate)
{
	wf_recv(gate, NULL);
}

static int
names(void)
{
	wf_chan(int) gate = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	struct wf_attr attr = { .name = "penelope", .waitgroup = &wg };
	const char *text;

	if (!check(gate))
		return 1;
	check_eq(wf_spawn_with(&attr, hold, gate), 0);
	check_eq(wf_spawn_with(NULL, hold, gate), 0);
	text = dump_text();
	check(strstr(text, "penelope"));
	check(strstr(text, "hold"));
	check(strstr(text, "coro.c:"));
	wf_close(gate);
	wf_waitgroup_wait(&wg);
	while (strstr(text = dump_text(), "penelope") || strstr(text, "hold"))
		wf_yield();
	wf_chan_free(gate);
	return 0;
}

/* Go down until this much of the stack is used; wait there. */
static __attribute__((noinline)) size_t
dig(const char *top, size_t depth)
{
	volatile char room[512];
	size_t below = 0;

	room[0] = 1;
	__asm__ volatile("" :: "r"(room) : "memory");	/* all of it */
	if ((size_t)(top - (char *)__builtin_frame_address(0)) < depth)
		below = dig(top, depth);
	else
		wf_yield();
	return below + (size_t)room[0];
}

static size_t sizes[32];

static void
use_half(int class)
{
	size_t size = wf_stack_size();

	sizes[class] = size;
	check(dig(__builtin_frame_address(0), size / 2) > 0);
}

/* Room that the instrumented program needs beyond its own frames. */
#define LEAST_CLASS (TAP_ASAN || TAP_TSAN ? 16 : 14)

static int
stack_classes(void)
{
	wf_waitgroup wg = {0};

	for (int class = LEAST_CLASS; class <= 24; class++) {
		struct wf_attr attr = {
			.stack_size = (size_t)1 << class,
			.waitgroup = &wg,
		};

		check_eq(wf_spawn_with(&attr, use_half, class), 0);
	}
	wf_waitgroup_wait(&wg);
	for (int class = LEAST_CLASS; class <= 24; class++) {
		check(sizes[class] >= (size_t)1 << (class - 1));
		check(sizes[class] <= (size_t)1 << class);
	}
	return 0;
}

/* A size that is no power of two is rounded up; an absurd one is refused and
 * leaves the group alone. */
static int
stack_sizes(void)
{
	wf_waitgroup wg = {0};
	struct wf_attr attr = { .stack_size = 100000, .waitgroup = &wg };

	check_eq(wf_spawn_with(&attr, use_half, 0), 0);
	wf_waitgroup_wait(&wg);
	check(sizes[0] > 65536 && sizes[0] <= 131072);
	attr.stack_size = SIZE_MAX;
	check_eq(wf_spawn_with(&attr, use_half, 1), -EINVAL);
	attr.stack_size = SIZE_MAX / 2 + 2;
	check_eq(wf_spawn_with(&attr, use_half, 1), -EINVAL);
	wf_waitgroup_wait(&wg);
	check_eq(sizes[1], 0);
	return 0;
}

static int
deep_main(void)
{
	check(dig(__builtin_frame_address(0), 4 << 20) > 0);
	return 0;
}

static void
deep(void)
{
	for (int i = 0; i < 10; i++)
		check(dig(__builtin_frame_address(0), wf_stack_size() / 2) > 0);
}

static int
deep_recursion(void)
{
	wf_waitgroup wg = {0};

	for (int i = 0; i < 20; i++)
		check_eq(wf_waitgroup_spawn(&wg, deep), 0);
	wf_waitgroup_wait(&wg);
	return 0;
}

/* Yield. */

enum { TURNS = 100 };
static char turns[2 * TURNS + 1];
static int turn;

static void
take_turns(char me)
{
	for (int i = 0; i < TURNS; i++) {
		turns[__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED)] = me;
		check_eq(wf_yield(), 0);
	}
}

/* Not one of them first and then the other. */
static bool
turns_taken(void)
{
	wf_waitgroup wg = {0};

	turn = 0;
	wf_waitgroup_spawn(&wg, take_turns, (char)'a');
	wf_waitgroup_spawn(&wg, take_turns, (char)'b');
	wf_waitgroup_wait(&wg);
	check_eq(turn, 2 * TURNS);
	return memchr(turns, 'a', TURNS) && memchr(turns, 'b', TURNS);
}

/* One worker.  A machine that stands still may bring in a second one, which
 * takes one of the two: so most of several attempts have to be right. */
static int
yields(void)
{
	int good = 0;

	for (int i = 0; i < 7; i++)
		good += turns_taken();
	check(good > 3);
	return 0;
}

static void
yield_many(int times, long *sum)
{
	for (int i = 0; i < times; i++) {
		__atomic_add_fetch(sum, 1, __ATOMIC_RELAXED);
		wf_yield();
	}
}

static int
crowd_yields(void)
{
	wf_waitgroup wg = {0};
	long sum = 0;

	for (int i = 0; i < 100; i++)
		check_eq(wf_waitgroup_spawn(&wg, yield_many, 200, &sum), 0);
	wf_waitgroup_wait(&wg);
	check_eq(sum, 20000);
	return 0;
}

/* Exit. */

static __attribute__((noinline)) int
leave(int depth)
{
	return depth ? leave(depth - 1) + 1 : wf_exit();
}

static void
leaves(int depth, int *before, int *after)
{
	__atomic_add_fetch(before, 1, __ATOMIC_RELAXED);
	leave(depth);
	__atomic_add_fetch(after, 1, __ATOMIC_RELAXED);
}

static int
exits(void)
{
	wf_waitgroup wg = {0};
	int before = 0, after = 0;

	for (int i = 0; i < 100; i++)
		wf_waitgroup_spawn(&wg, leaves, i % 10, &before, &after);
	wf_waitgroup_wait(&wg);
	check_eq(before, 100);
	check_eq(after, 0);
	return 0;
}

static int ended;

static void
ends_later(int n)
{
	for (int i = 0; i < n; i++)
		wf_yield();
	wf_sleep(WF_MS);
	__atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
}

/* Whatever its caller would have returned, the result is 0. */
static int
main_exits(int unused)
{
	for (int i = 0; i < 20; i++)
		wf_spawn(ends_later, i);
	leave(3);
	return 1 + unused;
}

static void
exit_in_main(void)
{
	ended = 0;
	check_eq(wf_run(main_exits, 6), 0);
	check_eq(ended, 20);
}

static void
outside(void)
{
	check_eq(wf_self(), 0);
	check_eq(wf_yield(), -EPERM);
	check_eq(wf_exit(), -EPERM);
	check_eq(wf_pin(), -EPERM);
	check_eq(wf_unpin(), -EPERM);
	check_eq(wf_stack_size(), 0);
	check_eq(wf_stack_high_water(), 0);
}

/* What is deferred is called when its scope is left, the last first. */

static char trail[64];

static void
note(const char *text)
{
	strcat(trail, text);
}

/* A wait in between changes nothing. */
static void
note_slowly(const char *text)
{
	wf_yield();
	note(text);
	wf_sleep(10 * WF_US);
}

static void
expect_trail(const char *text)
{
	if (!check(!strcmp(trail, text)))
		tap_note("%s, wanted %s", trail, text);
	trail[0] = '\0';
}

static int
defers_and_returns(const char *last)
{
	wf_defer(note, "a");
	wf_defer(note_slowly, last);
	note("0");
	return (int)strlen(trail);	/* before they run */
}

static void
defers_in_loops(void)
{
	for (int i = 0; i < 4; i++) {
		wf_defer(note, "c");
		if (i == 1)
			continue;
		wf_defer(note, "d");
		if (i == 2)
			break;
		note("-");
	}
	{
		wf_defer(note, "e");
		goto out;
	}
out:
	note(".");
}

/* By goto, forwards out of two blocks and backwards over the declaration; by
 * break out of a switch; in a block without braces of its own. */
static void
defers_and_jumps(void)
{
	int times = 0;

again:
	{
		wf_defer(note, "f");
		if (++times < 3)
			goto again;
		{
			wf_defer(note, "g");
			if (times == 3)
				goto out;
			note("never");
		}
	}
out:
	switch (times) {
	case 3: {
		wf_defer(note, "h");
		if (times)
			break;
		note("never");
	}
	}
	for (int i = 0; i < 2; i++) {
		wf_defer(note, i ? "j" : "i");
	}
	while (times-- > 1) {
		wf_defer(note, "k");
	}
	do {
		wf_defer(note, "l");
		continue;
	} while (0);
}

/* What a deferred call defers itself is its own; the result is evaluated
 * before the calls. */
static void
note_twice(const char *text)
{
	wf_defer(note, text);
	note(text);
}

static size_t
defers_with_result(void)
{
	wf_defer(note_twice, "m");
	return strlen(trail);
}

/* With __attribute__((noreturn)) code in the way, and a scope that is never
 * entered. */
static void
defers_nothing(bool never)
{
	if (never) {
		wf_defer(note, "n");
		abort();
	}
	note("o");
}

static int
defers(void)
{
	const char *last = "b";

	trail[0] = '\0';
	check_eq(defers_and_returns(last), 1);
	expect_trail("0ba");
	defers_in_loops();
	expect_trail("-dccdce.");
	defers_and_jumps();
	expect_trail("ffgfhijkkl");
	check_eq(defers_with_result(), 0);
	expect_trail("mm");
	defers_nothing(false);
	expect_trail("o");
	return 0;
}

static void
defers_plain(void)
{
	defers();
}

static void
exit_below(int depth)
{
	static const char *const names[] = { "0", "1", "2", "3" };

	wf_defer(note_slowly, names[depth]);
	if (depth > 0)
		exit_below(depth - 1);
	else
		wf_exit();
	note("never");
}

static int
defers_on_exit(void)
{
	struct wf_attr attr = { 0 };
	wf_waitgroup wg = {0};

	trail[0] = '\0';
	attr.waitgroup = &wg;
	for (int i = 0; i < 3; i++) {
		wf_spawn_with(&attr, exit_below, 3);
		wf_waitgroup_wait(&wg);
		expect_trail("0123");
	}
	return 0;
}

/* Numbers. */

enum { NUMBERED = 1000 };
static uint64_t numbers[NUMBERED];

static void
number(int i)
{
	numbers[i] = wf_self();
	wf_yield();
	check_eq(wf_self(), numbers[i]);
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void *
number_outside(void *arg)
{
	*(uint64_t *)arg = wf_self();
	return NULL;
}

static int
selves(void)
{
	wf_waitgroup wg = {0};
	uint64_t foreign = 99;
	pthread_t thread;

	check_eq(wf_self(), 1);
	for (int i = 0; i < NUMBERED; i++)
		wf_waitgroup_spawn(&wg, number, i);
	wf_waitgroup_wait(&wg);
	qsort(numbers, NUMBERED, sizeof *numbers, by_number);
	check(numbers[0] > 1);
	for (int i = 1; i < NUMBERED; i++)
		check(numbers[i - 1] != numbers[i]);
	if (check(!pthread_create(&thread, NULL, number_outside, &foreign)))
		pthread_join(thread, NULL);
	check_eq(foreign, 0);
	return 0;
}

/* Pins. */

static long
thread_id(void)
{
	return syscall(SYS_gettid);
}

static void
pinned_report(wf_chan(int) out)
{
	check_eq(wf_pin(), 0);
	for (int i = 0; i < 10; i++) {
		wf_yield();
		wf_sleep(WF_MS);
	}
	wf_send(out, 80);
}

static int
pinned_yields(void)
{
	wf_chan(int) out = wf_chan_make(int, 0);
	int v = 0;

	wf_spawn(pinned_report, out);
	check_eq(wf_recv(out, &v), 1);
	check_eq(v, 80);
	wf_chan_free(out);
	return 0;
}

static void
pinned_sends(wf_chan(int) out)
{
	long id;

	wf_pin();
	id = thread_id();
	for (int i = 0; i < 10; i++) {
		check_eq(wf_send(out, i), 1);
		check_eq(thread_id(), id);
	}
	wf_close(out);
}

static int
pinned_blocks(void)
{
	wf_chan(int) out = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	int v, n = 0;

	wf_waitgroup_spawn(&wg, pinned_sends, out);
	while (wf_recv(out, &v)) {
		check_eq(v, n++);
		wf_yield();
	}
	check_eq(n, 10);
	wf_waitgroup_wait(&wg);
	wf_chan_free(out);
	return 0;
}

static void
pinned_waits(wf_chan(int) in, wf_chan(int) out)
{
	long id;
	int v;

	check_eq(wf_pin(), 0);
	id = thread_id();
	for (int i = 0; i < 50; i++) {
		wf_yield();
		check_eq(thread_id(), id);
		wf_sleep(i * WF_US);
		check_eq(thread_id(), id);
		check_eq(wf_recv(in, &v), 1);
		check_eq(thread_id(), id);
		switch (wf_select(wf_on_send(out, v), wf_on_send(out, v))) {
		case 0: case 1: check_eq(thread_id(), id); break;
		default: check(!"a case of the select"); break;
		}
	}
	check_eq(wf_unpin(), 0);
}

static void
feed(wf_chan(int) in, wf_chan(int) out)
{
	int v;

	for (int i = 0; i < 50; i++) {
		check_eq(wf_send(in, i), 1);
		check_eq(wf_recv(out, &v), 1);
	}
}

static int
pinned_crowd(void)
{
	wf_chan(int) in = wf_chan_make(int, 0), out = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	long sum = 0;

	for (int i = 0; i < 8; i++) {
		wf_waitgroup_spawn(&wg, pinned_waits, in, out);
		wf_waitgroup_spawn(&wg, feed, in, out);
		wf_waitgroup_spawn(&wg, yield_many, 100, &sum);
	}
	wf_waitgroup_wait(&wg);
	check_eq(sum, 800);
	wf_chan_free(in);
	wf_chan_free(out);
	return 0;
}

static void
counts_pins(void)
{
	long id;

	check_eq(wf_unpin(), -EPERM);
	check_eq(wf_pin(), 0);
	id = thread_id();
	check_eq(wf_pin(), 0);
	check_eq(wf_pin(), 0);
	check_eq(wf_unpin(), 0);
	check_eq(wf_unpin(), 0);
	for (int i = 0; i < 100; i++) {
		wf_yield();
		check_eq(thread_id(), id);
	}
	check_eq(wf_unpin(), 0);
	check_eq(wf_unpin(), -EPERM);
	wf_yield();
}

static int
nested_pins(void)
{
	wf_waitgroup wg = {0};

	for (int i = 0; i < 10; i++)
		wf_waitgroup_spawn(&wg, counts_pins);
	wf_waitgroup_wait(&wg);
	return 0;
}

/* A worker that has a pinned coroutine cannot go when the number shrinks. */
static void
pinned_through(int *stop)
{
	long id;

	wf_pin();
	id = thread_id();
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		wf_sleep(100 * WF_US);
		check_eq(thread_id(), id);
		wf_yield();
		check_eq(thread_id(), id);
	}
}

static int
pinned_resize(void)
{
	int before = wf_workers(0), stop = 0;
	wf_waitgroup wg = {0};

	for (int i = 0; i < 8; i++)
		wf_waitgroup_spawn(&wg, pinned_through, &stop);
	for (int i = 0; i < 20; i++) {
		check(wf_workers(1 + i % 4) > 0);
		wf_sleep(WF_MS);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	wf_waitgroup_wait(&wg);
	wf_workers(before);
	return 0;
}

/* What belongs to the coroutine. */

static void
keeps_errno(int mine, wf_chan(int) c)
{
	int v;

	for (int i = 0; i < 100; i++) {
		errno = mine;
		wf_yield();
		check_eq(errno, mine);
		wf_sleep(10 * WF_US);
		check_eq(errno, mine);
		if (mine % 2)
			wf_send(c, mine);
		else
			wf_recv(c, &v);
		check_eq(errno, mine);
	}
}

static int
errno_kept(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};

	for (int i = 0; i < 16; i++)
		wf_waitgroup_spawn(&wg, keeps_errno, 1000 + i, c);
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	return 0;
}

static void
failing_calls(int n)
{
	for (int i = 0; i < n; i++) {
		check_eq(close(-1), -1);
		check_eq(errno, EBADF);
		wf_yield();
		check_eq(errno, EBADF);
	}
}

static int
errno_mixed(void)
{
	wf_waitgroup wg = {0};

	for (int i = 0; i < 8; i++) {
		wf_waitgroup_spawn(&wg, failing_calls, 100);
		errno = ENOTTY;
		wf_yield();
		check_eq(errno, ENOTTY);
	}
	wf_waitgroup_wait(&wg);
	check_eq(errno, ENOTTY);
	return 0;
}

static void
rounds(int mode, int *stop)
{
	check_eq(fegetround(), FE_TONEAREST);
	fesetround(mode);
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		wf_yield();
		check_eq(fegetround(), mode);
		wf_sleep(50 * WF_US);
		check_eq(fegetround(), mode);
	}
}

static void
third(int mode, wf_chan(double) out)
{
	volatile double one = 1, three = 3;

	fesetround(mode);
	wf_yield();
	wf_send(out, one / three);
}

static int
rounding(void)
{
	static const int modes[] = { FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO,
	    FE_TONEAREST };
	wf_chan(double) c = wf_chan_make(double, 0);
	wf_waitgroup wg = {0};
	double up = 0, down = 0;
	int stop = 0;

	for (int i = 0; i < 8; i++)
		wf_waitgroup_spawn(&wg, rounds, modes[i % 4], &stop);
	for (int i = 0; i < 20; i++) {
		wf_spawn(third, FE_UPWARD, c);
		wf_recv(c, &up);
		wf_spawn(third, FE_DOWNWARD, c);
		wf_recv(c, &down);
		check(up > down);
		check_eq(fegetround(), FE_TONEAREST);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	wf_waitgroup_wait(&wg);
	check_eq(fegetround(), FE_TONEAREST);
	wf_chan_free(c);
	return 0;
}

static void
rounds_like(int mode, int *seen)
{
	*seen = fegetround();
	fesetround(mode);
	wf_yield();
}

static int
inherits_rounding(void)
{
	wf_waitgroup wg = {0};
	int seen = -1;

	check_eq(fegetround(), FE_UPWARD);
	fesetround(FE_TOWARDZERO);
	wf_waitgroup_spawn(&wg, rounds_like, FE_DOWNWARD, &seen);
	wf_waitgroup_wait(&wg);
	check_eq(seen, FE_UPWARD);
	check_eq(fegetround(), FE_TOWARDZERO);
	return 0;
}

static void
starter_rounding(void)
{
	fesetround(FE_UPWARD);
	check_eq(wf_run(inherits_rounding), 0);
	check_eq(fegetround(), FE_UPWARD);
	fesetround(FE_TONEAREST);
}

static void
arguments(void)
{
	tap_test("arguments: char", char_travels);
	tap_test("arguments: signed char", schar_travels);
	tap_test("arguments: unsigned char", uchar_travels);
	tap_test("arguments: bool", bool_travels);
	tap_test("arguments: short", short_travels);
	tap_test("arguments: unsigned short", ushort_travels);
	tap_test("arguments: int", int_travels);
	tap_test("arguments: unsigned", unsigned_travels);
	tap_test("arguments: enum", enum_travels);
	tap_test("arguments: long", long_travels);
	tap_test("arguments: unsigned long", ulong_travels);
	tap_test("arguments: long long", llong_travels);
	tap_test("arguments: uint64_t", uint64_travels);
	tap_test("arguments: size_t", size_travels);
	tap_test("arguments: float", float_travels);
	tap_test("arguments: double", double_travels);
	tap_test("arguments: struct pointer", pointer_travels);
	tap_test("arguments: void pointer", void_travels);
	tap_test("arguments: const char pointer", text_travels);
	tap_test("arguments: function pointer", function_travels);
	tap_test("arguments: channel", chan_travels);
	tap_test("arguments: view of a channel", in_travels);
	tap_test("arguments: 0 to 8 of them", counts);
	tap_test("arguments: mixes and readings", mixes);
	tap_test("arguments: evaluated once, in the spawner", evaluates_once);
	tap_test("arguments: the stack is aligned", alignment);
}

int
main(void)
{
	arguments();
	tap_test("attributes: name", names);
	tap_test("attributes: stack sizes 16 KiB to 16 MiB", stack_classes);
	tap_test("attributes: odd and absurd stack sizes", stack_sizes);
	tap_test("deep recursion: main", deep_main);
	tap_test("deep recursion: coroutines", deep_recursion);
	tap_plain("outside of a coroutine", outside);
	tap_test_workers("selves: numbers are unique", selves);
	tap_test_workers("yield: a crowd", crowd_yields);
	tap_test_workers("exit: from nested calls", exits);
	tap_plain("exit: in main, the others go on", exit_in_main);
	tap_test_workers("defer: scopes", defers);
	tap_plain("defer: scopes, plain", defers_plain);
	tap_test_workers("defer: exit", defers_on_exit);
	tap_test_workers("errno: kept across waits", errno_kept);
	tap_test_workers("errno: of failing calls", errno_mixed);
	tap_test_workers("rounding: kept per coroutine", rounding);
	tap_plain("rounding: begins as the starter's", starter_rounding);
	tap_test_workers("80: a pinned coroutine yields", pinned_yields);
	tap_test_workers("83: a pinned coroutine blocks", pinned_blocks);
	tap_test_workers("pin: same thread after every wait", pinned_crowd);
	tap_test_workers("pin: nested", nested_pins);
	tap_test_workers("pin: while workers come and go", pinned_resize);
	tap_workers(1);
	tap_test("yield: takes turns", yields);
	return tap_end();
}
