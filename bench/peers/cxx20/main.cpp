// SPDX-License-Identifier: MIT
//
// Some workloads of ../../weft with the coroutines of C++20: no stacks, one
// thread, no atomic operation, and as little of a scheduler and of a channel as
// these rows need.  It is no library, but what the compiler's coroutines can
// come to: a coroutine cannot wait inside of a call, and nothing here could be
// used from a second thread, so there is no row with two workers.
#include <bench.hpp>

#include <coroutine>
#include <deque>
#include <memory>
#include <vector>

// What is ready, first come, first served; a ring that grows.
class queue {
public:
	void
	push(std::coroutine_handle<> h)
	{
		if (tail - head == ring.size())
			grow();
		ring[tail++ & (ring.size() - 1)] = h;
	}

	void
	run()
	{
		while (head != tail)
			ring[head++ & (ring.size() - 1)].resume();
	}

private:
	void
	grow()
	{
		std::vector<std::coroutine_handle<>> larger(2 * ring.size());

		for (size_t i = head; i != tail; i++)
			larger[i - head] = ring[i & (ring.size() - 1)];
		tail -= head;
		head = 0;
		ring.swap(larger);
	}

	std::vector<std::coroutine_handle<>> ring{1024};
	size_t head = 0, tail = 0;
};

static queue ready;

// One that starts when its turn comes, and frees itself.
struct task {
	struct promise_type {
		task get_return_object() { return {}; }
		auto initial_suspend()
		{
			struct wait : std::suspend_always {
				void await_suspend(std::coroutine_handle<> h)
				{
					ready.push(h);
				}
			};
			return wait{};
		}
		std::suspend_never final_suspend() noexcept { return {}; }
		void return_void() { }
		void unhandled_exception() { std::abort(); }
	};
};

struct yield : std::suspend_always {
	void await_suspend(std::coroutine_handle<> h) { ready.push(h); }
};

struct join {
	long left;
	std::coroutine_handle<> waiter = nullptr;

	void
	done()
	{
		if (!--left && waiter)
			ready.push(waiter);
	}

	bool await_ready() { return !left; }
	void await_suspend(std::coroutine_handle<> h) { waiter = h; }
	void await_resume() { }
};

// Those who wait do so in a list of nodes that live in their frames.
class channel {
	struct waiter {
		channel &c;
		long value;
		bool ok = true;
		std::coroutine_handle<> h = nullptr;
		waiter *next = nullptr;

		waiter(channel &c, long value) : c(c), value(value) { }
	};

	struct list {
		waiter *first = nullptr, **last = &first;

		void
		push(waiter *w)
		{
			w->next = nullptr;
			*last = w;
			last = &w->next;
		}

		waiter *
		pop()
		{
			waiter *w = first;

			if (w && !(first = w->next))
				last = &first;
			return w;
		}
	};

	struct sender : waiter {
		using waiter::waiter;

		bool
		await_ready()
		{
			if (c.closed)
				return ok = false, true;
			if (waiter *r = c.receivers.pop()) {
				r->value = value;
				ready.push(r->h);
				return true;
			}
			if (c.tail - c.head < c.cap) {
				c.ring[c.tail++ & (c.cap - 1)] = value;
				return true;
			}
			return false;
		}

		void
		await_suspend(std::coroutine_handle<> me)
		{
			h = me;
			c.senders.push(this);
		}

		bool await_resume() { return ok; }
	};

	struct receiver : waiter {
		using waiter::waiter;

		bool
		await_ready()
		{
			waiter *s;

			if (c.head != c.tail) {
				value = c.ring[c.head++ & (c.cap - 1)];
				if ((s = c.senders.pop())) {
					c.ring[c.tail++ & (c.cap - 1)] =
					    s->value;
					ready.push(s->h);
				}
				return true;
			}
			if ((s = c.senders.pop())) {
				value = s->value;
				ready.push(s->h);
				return true;
			}
			ok = !c.closed;
			return c.closed;
		}

		void
		await_suspend(std::coroutine_handle<> me)
		{
			h = me;
			c.receivers.push(this);
		}

		// A value, or -1 of a channel that is closed.
		long await_resume() { return ok ? value : -1; }
	};

public:
	explicit channel(size_t cap) : cap(cap), ring(cap) { }
	sender send(long v) { return { *this, v }; }
	receiver recv() { return { *this, 0 }; }

	void
	close()
	{
		closed = true;
		for (list *l : { &senders, &receivers })
			while (waiter *w = l->pop()) {
				w->ok = false;
				ready.push(w->h);
			}
	}

private:
	size_t cap, head = 0, tail = 0;
	std::vector<long> ring;	// cap is a power of two, or zero
	list senders, receivers;
	bool closed = false;
};

static task
yield_often(long times)
{
	while (times--)
		co_await yield{};
}

static void
bench_switch(long ops)
{
	time_point start = clock_type::now();

	yield_often(ops / 2);
	yield_often(ops / 2);
	ready.run();
	per_op("Switch", start, ops);
}

static task
one_of(join &all)
{
	all.done();
	co_return;
}

static task
spawn_batches(long ops)
{
	for (long n = 0; n < ops; n += 1000) {
		join all{1000};

		for (int i = 0; i < 1000; i++)
			one_of(all);
		co_await all;
	}
}

static void
bench_spawn(long ops)
{
	time_point start = clock_type::now();

	spawn_batches(ops);
	ready.run();
	per_op("Spawn", start, ops);
}

static task
pass_on(channel &in, channel &out, long more)
{
	for (long v; (v = co_await in.recv()) >= 0; )
		co_await out.send(v + more);
	out.close();
}

static task
ask(channel &ping, channel &pong, long ops, std::int64_t &sum)
{
	for (long n = 0; n < ops; n++) {
		co_await ping.send(n);
		sum += co_await pong.recv();
	}
	ping.close();
}

static void
bench_pingpong(long ops)
{
	channel ping(0), pong(0);
	std::int64_t sum = 0;
	time_point start = clock_type::now();

	pass_on(ping, pong, 0);
	ask(ping, pong, ops, sum);
	ready.run();
	per_op("PingPong", start, ops);
	check("PingPong", sum, static_cast<std::int64_t>(ops) * (ops - 1) / 2);
}

static task
count_up(channel &out, long from, long to, join &all)
{
	for (long v = from; v < to; v++)
		co_await out.send(v);
	all.done();
}

static task
sum_up(channel &in, std::int64_t &sum)
{
	for (long v; (v = co_await in.recv()) >= 0; )
		sum += v;
}

static task
close_after(join &all, channel &c)
{
	co_await all;
	c.close();
}

static void
through_one(const char *name, long ops, int each_side)
{
	channel c(128);
	join all{each_side};
	std::int64_t sum = 0;
	long share = ops / each_side;
	time_point start = clock_type::now();

	for (int i = 0; i < each_side; i++) {
		sum_up(c, sum);
		count_up(c, i * share, (i + 1) * share, all);
	}
	close_after(all, c);
	ready.run();
	per_op(name, start, ops);
	check(name, sum, static_cast<std::int64_t>(ops) * (ops - 1) / 2);
}

static void bench_spsc(long ops) { through_one("SPSC", ops, 1); }
static void bench_mpmc(long ops) { through_one("MPMC", ops, 8); }

static task
go_round(channel &first, channel &last, long ops, long &hops)
{
	while (hops < ops) {
		co_await first.send(hops + 1);
		hops = co_await last.recv();
	}
	first.close();
}

static void
bench_ring(long ops)
{
	std::deque<channel> c;
	time_point start = clock_type::now();
	long hops = 0;

	for (int i = 0; i < 1000; i++)
		c.emplace_back(0);
	for (size_t i = 1; i < c.size(); i++)
		pass_on(c[i - 1], c[i], 1);
	go_round(c.front(), c.back(), ops, hops);
	ready.run();
	per_op("Ring", start, ops);
	check("Ring", hops, ops);
}

static task
generate(channel &out)
{
	for (long i = 2; co_await out.send(i); )
		i++;
}

static task
filter(channel &in, channel &out, long prime)
{
	for (long i; (i = co_await in.recv()) >= 0; )
		if (i % prime && !co_await out.send(i))
			break;
	in.close();
}

static task
sieve(std::deque<channel> &c, long ops, long &prime)
{
	c.emplace_back(0);
	generate(c[0]);
	prime = co_await c[0].recv();
	for (long n = 1; n < ops; n++) {
		c.emplace_back(0);
		filter(c[static_cast<size_t>(n - 1)], c.back(), prime);
		prime = co_await c.back().recv();
	}
	c.back().close();
}

static void
bench_sieve(long ops)
{
	std::deque<channel> c;
	time_point start = clock_type::now();
	long prime = 0;

	sieve(c, ops, prime);
	ready.run();
	millis("Sieve", start);
	check("Sieve", prime, 17389);
}

static const row rows[] = {
	{ "Switch", 10000000, bench_switch },
	{ "Spawn", 4000000, bench_spawn },
	{ "PingPong", 3000000, bench_pingpong },
	{ "SPSC", 20000000, bench_spsc },
	{ "MPMC", 8000000, bench_mpmc },
	{ "Ring", 4000000, bench_ring },
	{ "Sieve", 2000, bench_sieve },
};

int
main(int argc, char **argv)
{
	const row *asked = row_asked(argc, argv, rows, "C++20");

	if (asked)
		asked->run(asked->ops);
	return 0;
}
