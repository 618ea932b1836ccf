/* SPDX-License-Identifier: MIT */
/*
 * cxx.cpp - tests of the headers from C++17: calls convert as C++ converts,
 * channels carry classes, select and views are the same.
 */
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tap.h"

namespace {

struct point {
	int x = 0, y = 0;

	point() = default;
	point(int x_, int y_) : x(x_), y(y_) {}
	bool operator==(const point &p) const { return x == p.x && y == p.y; }
};

using int_chan = wf_chan(int);

/* Arguments of all kinds arrive as they were sent. */

struct seen {
	signed char c;
	short s;
	int i;
	long l;
	uint64_t u;
	float f;
	double d;
	bool b;
	const char *t;
	point *p;
};

void
integers(seen *s, signed char c, short h, int i, long l, uint64_t u, bool b)
{
	s->c = c;
	s->s = h;
	s->i = i;
	s->l = l;
	s->u = u;
	s->b = b;
}

void
mixed(seen *s, float f, double d, int i, float, double, const char *t,
    point *p)
{
	s->f = f;
	s->d = d;
	s->i = i;
	s->t = t;
	s->p = p;
}

int
arguments()
{
	wf_waitgroup wg{};
	seen s{};
	point p{ 1, 2 };
	auto least = std::numeric_limits<long>::min();

	check_eq(wf_waitgroup_spawn(&wg, integers, &s, -3, -300, -5, least,
	    ~0ull, true), 0);
	wf_waitgroup_wait(&wg);
	check(s.c == -3 && s.s == -300 && s.i == -5 && s.l == least && s.b);
	check(s.u == ~UINT64_C(0));
	check_eq(wf_waitgroup_spawn(&wg, mixed, &s, 0.5f, -1e300, 7, 1, 2,
	    "text", &p), 0);
	wf_waitgroup_wait(&wg);
	check(s.f == 0.5f && s.d == -1e300 && s.i == 7 && s.p == &p);
	check(!strcmp(s.t, "text"));
	return 0;
}

/* An argument is evaluated once and converted to its parameter: 1 to size_t,
 * 3 to double, nullptr to a pointer; a lambda without captures
 * is a function. */

struct converted {
	size_t n;
	double d;
	const void *p;
};

void
convert(converted *c, size_t n, double d, const void *p)
{
	*c = { n, d, p };
}

int
conversions()
{
	wf_waitgroup wg{};
	converted c{ 0, 0, &c };
	int n = 1;

	check_eq(wf_waitgroup_spawn(&wg, convert, &c, n++, 3, nullptr), 0);
	wf_waitgroup_wait(&wg);
	check(c.n == 1 && c.d == 3.0 && !c.p && n == 2);
	check_eq(wf_waitgroup_spawn(&wg, +[](int *p, int v) { *p = v; }, &n,
	    40), 0);
	wf_waitgroup_wait(&wg);
	check_eq(n, 40);
	return 0;
}

/* Channels of classes, and of const pointers. */

void
send_points(wf_chan_out(point) out, int n)
{
	for (int i = 0; i < n; i++)
		check_eq(wf_send(out, (point{ i, -i })), 1);
	check_eq(wf_close(out), 0);
}

int
classes()
{
	for (size_t cap = 0; cap < 3; cap++) {
		auto c = wf_chan_make(point, cap);
		wf_waitgroup wg{};
		point p;
		int n = 0;

		if (!check(c != nullptr))
			return 1;
		check_eq(wf_waitgroup_spawn(&wg, send_points, wf_out(c), 50),
		    0);
		for (; wf_recv(c, &p); n++)
			check(p == point(n, -n));
		check_eq(n, 50);
		check(p == point());
		wf_waitgroup_wait(&wg);
		wf_chan_free(c);
	}
	return 0;
}

template <class T> void
relay(wf_chan(T) in, wf_chan(T) out)
{
	T v{};

	while (wf_recv(in, &v))
		check_eq(wf_send(out, v), 1);
	wf_close(out);
}

template <class T> int
relay_three(T a, T b, T c)
{
	wf_chan(T) in = wf_chan_make(T, 3);
	wf_chan(T) out = wf_chan_make(T, 0);
	wf_waitgroup wg{};
	std::vector<T> got;
	T v{};

	if (!check(in && out))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, relay<T>, in, out), 0);
	check(wf_send(in, a) == 1 && wf_send(in, b) == 1 &&
	    wf_send(in, c) == 1);
	wf_close(in);
	while (wf_recv(out, &v))
		got.push_back(v);
	check((got == std::vector<T>{ a, b, c }));
	wf_waitgroup_wait(&wg);
	wf_chan_free(in);
	wf_chan_free(out);
	return 0;
}

int
templates()
{
	const char *a = "a", *b = "b";

	return relay_three<int>(1, 2, 3) | relay_three<double>(0.5, -1, 2) |
	    relay_three<const char *>(a, b, nullptr) |
	    relay_three<char>('x', 'y', 'z') |
	    relay_three<point>({ 1, 2 }, { 3, 4 }, { 5, 6 });
}

/* Select, with values, views, references and const things. */

void
answer(wf_chan_in(int) in, wf_chan_out(int) out)
{
	int v;

	while (wf_recv(in, &v))
		wf_send(out, v * 2);
	wf_close(out);
}

int
selects()
{
	auto there = wf_chan_make(int, 0), back = wf_chan_make(int, 0);
	const auto &alias = back;
	wf_waitgroup wg{};
	int next = 0, got = 0;
	bool ok = true;

	if (!check(there && back))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, answer, wf_in(there), wf_out(back)),
	    0);
	while (ok) {
		int v = -1;

		switch (wf_select(
		    wf_on_send(next < 30 ? there : nullptr, next),
		    wf_on_recv_ok(alias, &v, &ok),
		    wf_on_timeout(100 * WF_SEC))) {
		case 0:
			if (++next == 30)
				wf_close(there);
			break;
		case 1:
			check_eq(v, ok ? 2 * got++ : 0);
			break;
		default:
			check(!"a hundred seconds without anything");
			return 1;
		}
	}
	check_eq(got, 30);
	check_eq(wf_select_ordered(wf_on_recv(back, nullptr),
	    wf_on_default()), 0);
	wf_waitgroup_wait(&wg);
	wf_chan_free(there);
	wf_chan_free(back);
	return 0;
}

int
sets()
{
	std::vector<int_chan> c;
	std::vector<int> v(20);
	std::vector<wf_case> set;

	for (size_t i = 0; i < v.size(); i++) {
		c.push_back(wf_chan_make(int, 1));
		if (!check(c[i] != nullptr))
			return 1;
		set.push_back(wf_case_recv(c[i], &v[i]));
	}
	for (int i = 0; i < 20; i++) {
		const int out = i + 100;
		wf_case one = wf_case_send(c[(size_t)i], &out);

		check_eq(wf_selectv(&one, 1), 0);
		check_eq(wf_selectv(set.data(), set.size()), i);
		check_eq(v[(size_t)i], out);
	}
	set.push_back(wf_case_default());
	check_eq(wf_selectv_ordered(set.data(), set.size()), 20);
	for (int_chan each : c)
		wf_chan_free(each);
	return 0;
}

/* Contexts, and objects whose destructors run while a coroutine waits. */

struct counted {
	int *n;

	explicit counted(int *n_) : n(n_) { ++*n; }
	~counted() { --*n; }
	counted(const counted &) = delete;
	counted &operator=(const counted &) = delete;
};

void
wait_with_object(wf_ctx *ctx, wf_chan(int) c, int *n, std::string *text)
{
	counted here(n);
	std::string local = *text + " stays";

	check_eq(wf_recv_ctx(ctx, c, nullptr), -ECANCELED);
	*text = local;
}

int
objects()
{
	auto c = wf_chan_make(int, 0);
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup wg{};
	std::string text = "what is on the stack of a coroutine that waits";
	int n = 0;

	check_eq(wf_waitgroup_spawn(&wg, wait_with_object, ctx, c, &n, &text),
	    0);
	wf_yield();
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&wg);
	check_eq(n, 0);
	check(text == "what is on the stack of a coroutine that waits stays");
	wf_ctx_free(ctx);
	wf_chan_free(c);
	return 0;
}

/* An exception that is caught in the coroutine that threw it. */
void
throw_and_catch(wf_chan(int) c, int *caught)
{
	for (int i = 0; i < 10; i++) {
		int v = -1;

		try {
			check_eq(wf_send(c, i), 1);
			throw i;
		} catch (int thrown) {
			v = thrown;
		}
		*caught += v == i;
		check_eq(wf_send(c, v), 1);
	}
}

int
exceptions()
{
	auto c = wf_chan_make(int, 0);
	wf_waitgroup wg{};
	int caught[4] = {}, v;

	for (int &each : caught)
		check_eq(wf_waitgroup_spawn(&wg, throw_and_catch, c, &each),
		    0);
	for (int i = 0; i < 80; i++)
		check_eq(wf_recv(c, &v), 1);
	wf_waitgroup_wait(&wg);
	for (int each : caught)
		check_eq(each, 10);
	wf_chan_free(c);
	return 0;
}

/* Timers, and calls made later. */

void
tell(int_chan c, double d, const char *t)
{
	check_eq(wf_send(c, d == 2.0 && *t == 'x' ? 1 : 0), 1);
}

int
timers()
{
	auto c = wf_chan_make(int, 1);
	auto t = wf_timer_make(WF_MS);
	auto f = wf_after_func(WF_MS, tell, c, 2, "x");
	auto after = wf_after(WF_MS);
	int64_t when = 0;
	int v = 0;

	check_eq(wf_recv(wf_timer_chan(t), &when), 1);
	check(when > 0 && when <= wf_now());
	check_eq(wf_select(wf_on_recv(after, &when)), 0);
	check_eq(wf_recv(c, &v), 1);
	check_eq(v, 1);
	wf_timer_free(t);
	wf_timer_free(f);
	wf_chan_free(after);
	wf_chan_free(c);
	return 0;
}

/* What is deferred is called in every way out of a scope, a throw as well. */

std::string trail;

void
note(const char *text)
{
	trail += text;
}

int
leave_by(int how)
{
	wf_defer(note, "a");
	for (int i = 0; i < 2; i++) {
		wf_defer(note, "b");
		if (how == 0)
			continue;
		if (how == 1)
			break;
		if (how == 2)
			return 5;
		if (how == 3)
			throw how;
		goto out;
	}
out:
	wf_defer(note, "c");
	return 6;
}

int
defers()
{
	static const char *const wanted[] = { "bbca", "bca", "ba", "ba",
		"bca" };

	for (int how = 0; how < 5; how++) {
		int got = 0;

		trail.clear();
		try {
			got = leave_by(how);
		} catch (int thrown) {
			got = thrown;
		}
		check_eq(got, how == 2 ? 5 : how == 3 ? 3 : 6);
		if (!check(trail == wanted[how]))
			tap_note("%d: %s", how, trail.c_str());
	}
	return 0;
}

/* Groups, values, causes and calls after a context. */

wf_ctx_key(point) point_key;

int
child(wf_ctx *ctx, double d, point *at)
{
	const point *p = wf_ctx_value(ctx, point_key);

	check(d == 3.0);
	*at = point{ p->x + 1, p->y };
	return wf_select(wf_on_done(ctx)) ? 1 : wf_ctx_err(ctx);
}

int
groups()
{
	point p{ 1, 2 }, at[3];
	wf_cause cause;
	wf_ctx *ctx = wf_ctx_with_value(wf_ctx_background(), point_key, &p);
	wf_group *g = wf_group_make(ctx);
	int called = 0;

	wf_defer(wf_ctx_free, ctx);
	wf_defer(wf_group_free, g);
	for (point &each : at)
		check_eq(wf_group_spawn(g, child, wf_group_ctx(g), 3, &each),
		    0);
	wf_ctx_after_release(wf_ctx_after(wf_group_ctx(g),
	    +[](int *n) { __atomic_store_n(n, 1, __ATOMIC_RELEASE); },
	    &called));
	check_eq(wf_group_try_spawn(g, +[](int e) { return -e; }, EIO), 0);
	check_eq(wf_group_wait(g), -EIO);
	check_eq(wf_ctx_cause(wf_group_ctx(g), &cause), -EIO);
	for (const point &each : at)
		check(each == point(2, 2));
	check(!wf_ctx_value(wf_ctx_todo(), point_key));
	while (!__atomic_load_n(&called, __ATOMIC_ACQUIRE))
		wf_sleep(50 * WF_US);
	g = nullptr;			/* the deferred call has its own */
	return 0;
}

/* A simulation, and what it passes and returns. */

static int
simulated(int a, const char *text, double b)
{
	wf_chan(int) c = wf_chan_make(int, 1);
	int v = 0;

	wf_sim_point();
	wf_sim_note("%d", a);
	wf_send(c, a);
	wf_recv(c, &v);
	wf_sim_check(v == 1 && text[0] == 'x' && b == 2.0);
	wf_chan_free(c);
	return wf_sim_settle();
}

static void
simulation()
{
	wf_sim_result r = {};
	wf_sim_options o = {};

	o.schedules = 10;
	o.quiet = true;
	o.result = &r;
	check_eq(wf_sim(&o, simulated, 1, "x", 2), WF_SIM_PASSED);
	check_eq(r.schedules, 10);
	check_eq(wf_sim(&o, simulated, 2, "x", 2), WF_SIM_FAILED);
}

/* What wf_run() itself passes and returns. */

int
app(int a, double b, const char *text, size_t n)
{
	return check(a == 1 && b == 2.0 && n == 4) && !strcmp(text, "text") ?
	    77 : 1;
}

void
run_with_arguments()
{
	check_eq(wf_run(app, 1, 2, "text", 4), 77);
}

} // namespace

int
main()
{
	tap_plain("arguments and the result of run", run_with_arguments);
	tap_plain("simulations", simulation);
	tap_test_workers("arguments of all kinds", arguments);
	tap_test_workers("arguments convert", conversions);
	tap_test_workers("channels of classes", classes);
	tap_test_workers("templates over the element's type", templates);
	tap_test_workers("select", selects);
	tap_test_workers("sets made at run time", sets);
	tap_test_workers("objects on the stack of a coroutine", objects);
	tap_test_workers("defer", defers);
	tap_test_workers("groups, values, calls", groups);
	tap_test_workers("exceptions within a coroutine", exceptions);
	tap_test_workers("timers", timers);
	return tap_end();
}
