// SPDX-License-Identifier: MIT
//
// PingPong, SPSC, MPMC, Ring, Sieve, Skynet, MakeChan: rows with channels.
#include "rows.hpp"

#include <memory>
#include <sys/resource.h>
#include <vector>

namespace bf = boost::fibers;
using direct = bf::unbuffered_channel<long>;
using buffered = bf::buffered_channel<long>;

static constexpr int capacity = 128, parties = 8, nodes = 1000, children = 10;

void
bench_pingpong(long ops)
{
	direct ping, pong;
	time_point start = clock_type::now();
	std::int64_t sum = 0;

	bf::fiber echo([&] {
		for (long v : ping)
			pong.push(v);
		pong.close();
	});
	for (long n = 0; n < ops; n++) {
		ping.push(n);
		sum += pong.value_pop();
	}
	per_op("PingPong", start, ops);
	check("PingPong", sum, static_cast<std::int64_t>(ops) * (ops - 1) / 2);
	ping.close();
	echo.join();
}

// One value from as many senders to as many receivers.
static void
through_one(const char *name, long ops, int each_side)
{
	buffered c(capacity);
	std::vector<bf::fiber> senders, receivers;
	std::vector<std::int64_t> sums(static_cast<size_t>(each_side));
	time_point start = clock_type::now();
	long share = ops / each_side;
	std::int64_t sum = 0;

	for (int i = 0; i < each_side; i++) {
		receivers.emplace_back([&c, &sums, i] {
			std::int64_t mine = 0;
			long v;

			while (c.pop(v) == bf::channel_op_status::success)
				mine += v;
			sums[static_cast<size_t>(i)] = mine;
		});
		senders.emplace_back([&c, share, i] {
			for (long v = i * share; v < (i + 1) * share; v++)
				c.push(v);
		});
	}
	for (bf::fiber &f : senders)
		f.join();
	c.close();
	for (bf::fiber &f : receivers)
		f.join();
	per_op(name, start, ops);
	for (std::int64_t s : sums)
		sum += s;
	check(name, sum, static_cast<std::int64_t>(ops) * (ops - 1) / 2);
}

void
bench_spsc(long ops)
{
	through_one("SPSC", ops, 1);
}

void
bench_mpmc(long ops)
{
	through_one("MPMC", ops, parties);
}

void
bench_ring(long ops)
{
	std::vector<std::unique_ptr<direct>> c;
	std::vector<bf::fiber> ring;
	time_point start = clock_type::now();
	long hops = 0;

	for (int i = 0; i < nodes; i++)
		c.push_back(std::make_unique<direct>());
	for (int i = 1; i < nodes; i++)
		ring.emplace_back([in = c[static_cast<size_t>(i - 1)].get(),
		    out = c[static_cast<size_t>(i)].get()] {
			for (long v : *in)
				out->push(v + 1);
			out->close();
		});
	while (hops < ops) {
		c[0]->push(hops + 1);
		hops = c[nodes - 1]->value_pop();
	}
	per_op("Ring", start, ops);
	check("Ring", hops, ops);
	c[0]->close();
	for (bf::fiber &f : ring)
		f.join();
}

static void
filter(direct *in, direct *out, long prime)
{
	for (long i : *in)
		if (i % prime &&
		    out->push(i) != bf::channel_op_status::success)
			break;
	in->close();
}

void
bench_sieve(long ops)
{
	std::vector<std::unique_ptr<direct>> c;
	std::vector<bf::fiber> stages;
	time_point start = clock_type::now();
	long prime;

	c.push_back(std::make_unique<direct>());
	stages.emplace_back([out = c[0].get()] {
		long i = 2;

		while (out->push(i) == bf::channel_op_status::success)
			i++;
	});
	prime = c[0]->value_pop();
	for (long n = 1; n < ops; n++) {
		c.push_back(std::make_unique<direct>());
		stages.emplace_back(filter, c[static_cast<size_t>(n - 1)].get(),
		    c.back().get(), prime);
		prime = c.back()->value_pop();
	}
	millis("Sieve", start);
	check("Sieve", prime, 17389);
	c.back()->close();
	for (bf::fiber &f : stages)
		f.join();
}

// As Boost's own benchmark does it: small stacks, children that run at once,
// a channel with room for all.
static void
skynet(bf::fixedsize_stack &stacks, buffered &out, long first, long count)
{
	if (count == 1) {
		out.push(first);
		return;
	}
	buffered sums(16);
	std::vector<bf::fiber> parts;
	long part = count / children, sum = 0;

	for (int i = 0; i < children; i++)
		parts.emplace_back(bf::launch::dispatch, std::allocator_arg,
		    stacks, skynet, std::ref(stacks), std::ref(sums),
		    first + i * part, part);
	for (bf::fiber &f : parts)
		f.join();
	for (int i = 0; i < children; i++)
		sum += sums.value_pop();
	out.push(sum);
}

void
bench_skynet(long ops)
{
	bf::fixedsize_stack stacks(2 *
	    bf::fixedsize_stack::traits_type::page_size());
	buffered out(2);
	time_point start = clock_type::now();
	struct rusage usage;
	long sum;

	bf::fiber root(bf::launch::dispatch, std::allocator_arg, stacks,
	    skynet, std::ref(stacks), std::ref(out), 0L, ops);
	sum = out.value_pop();
	root.join();
	millis("Skynet/time", start);
	check("Skynet", sum, static_cast<std::int64_t>(ops) * (ops - 1) / 2);
	getrusage(RUSAGE_SELF, &usage);
	figure("Skynet/peak", static_cast<double>(usage.ru_maxrss) / 1024,
	    "MB");
}

template <int size> struct bytes { char b[size]; };

template <typename T> static void
make_and_free(const char *name, long ops)
{
	time_point start = clock_type::now();

	for (long n = 0; n < ops; n++) {
		auto c = std::make_unique<bf::buffered_channel<T>>(8);

		if (c->is_closed())
			check(name, 1, 0);
	}
	per_op(name, start, ops);
}

void
bench_makechan(long ops)
{
	make_and_free<bytes<1>>("MakeChan/1", ops);
	make_and_free<bytes<8>>("MakeChan/8", ops);
	make_and_free<bytes<32>>("MakeChan/32", ops);
	make_and_free<bytes<40>>("MakeChan/40", ops);
}
