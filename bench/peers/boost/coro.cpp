// SPDX-License-Identifier: MIT
//
// Switch, Spawn, Timers100k and the locks.
#include "rows.hpp"

#include <algorithm>
#include <mutex>
#include <sys/resource.h>
#include <vector>

namespace bf = boost::fibers;

static constexpr int batch = 1000, parties = 8;
static bf::mutex mutex;
static std::int64_t counter; // under mutex

static void
join_all(std::vector<bf::fiber> &fibers)
{
	for (bf::fiber &f : fibers)
		f.join();
	fibers.clear();
}

void
bench_switch(long ops)
{
	std::vector<bf::fiber> pair;
	time_point start = clock_type::now();

	for (int i = 0; i < 2; i++)
		pair.emplace_back([ops] {
			for (long n = 0; n < ops / 2; n++)
				boost::this_fiber::yield();
		});
	join_all(pair);
	per_op("Switch", start, ops);
}

// Keeps the stacks that are given back.  The library's own pool is for one
// thread only, and without a pool it is the kernel that is measured.
class kept_stacks {
public:
	boost::context::stack_context
	allocate()
	{
		std::lock_guard<std::mutex> hold(lock);

		if (kept.empty())
			return fresh.allocate();
		auto stack = kept.back();
		kept.pop_back();
		return stack;
	}

	void
	deallocate(boost::context::stack_context &stack) noexcept
	{
		std::lock_guard<std::mutex> hold(lock);

		kept.push_back(stack);
	}

private:
	static inline std::mutex lock;
	static inline std::vector<boost::context::stack_context> kept;
	static inline bf::fixedsize_stack fresh;
};

void
bench_spawn(long ops)
{
	kept_stacks stacks;
	std::vector<bf::fiber> fibers;
	time_point start = clock_type::now();

	fibers.reserve(batch);
	for (long n = 0; n < ops; n += batch) {
		for (int i = 0; i < batch; i++)
			fibers.emplace_back(std::allocator_arg, stacks,
			    [] { });
		join_all(fibers);
	}
	per_op("Spawn", start, ops);
}

static void
count_under_mutex(long n)
{
	while (n--) {
		mutex.lock();
		counter++;
		mutex.unlock();
	}
}

void
bench_mutex(long ops)
{
	time_point start = clock_type::now();

	count_under_mutex(ops);
	per_op("Mutex", start, ops);
	check("Mutex", counter, ops);
}

void
bench_mutexcontended(long ops)
{
	std::vector<bf::fiber> all;
	time_point start = clock_type::now();

	for (int i = 0; i < parties; i++)
		all.emplace_back(count_under_mutex, ops / parties);
	join_all(all);
	per_op("MutexContended", start, ops);
	check("MutexContended", counter, ops);
}

static void
run_cond(const char *name, long ops, int waiters)
{
	bf::mutex lock;
	bf::condition_variable all_here;
	std::vector<bf::fiber> all;
	long rounds = ops / (waiters + 1), turns = 0;
	int here = 0;
	time_point start = clock_type::now();

	for (int i = 0; i <= waiters; i++)
		all.emplace_back([&] {
			for (long n = 0; n < rounds; n++) {
				std::unique_lock<bf::mutex> hold(lock);

				if (here++ == waiters) {
					here = 0;
					turns++;
					all_here.notify_all();
				} else
					all_here.wait(hold);
			}
		});
	join_all(all);
	per_op(name, start, rounds * (waiters + 1));
	check(name, turns, rounds);
}

void
bench_cond(long ops)
{
	run_cond("Cond/1", ops, 1);
	run_cond("Cond/8", ops, 8);
	run_cond("Cond/32", ops, 32);
}

static double
cpu_ms()
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return 1e3 * static_cast<double>(u.ru_utime.tv_sec +
	    u.ru_stime.tv_sec) + static_cast<double>(u.ru_utime.tv_usec +
	    u.ru_stime.tv_usec) / 1e3;
}

void
bench_timers100k(long ops)
{
	using std::chrono::milliseconds;
	std::vector<double> late(static_cast<size_t>(ops));
	std::vector<bf::fiber> all;
	bf::fixedsize_stack stacks(16 << 10);
	time_point first = clock_type::now() + milliseconds(2000);
	double cpu;

	for (long me = 0; me < ops; me++)
		all.emplace_back(std::allocator_arg, stacks,
		    [me, ops, first, &late] {
			time_point due = first + std::chrono::nanoseconds(
			    me * 7919 % ops * 1000000000 / ops);

			boost::this_fiber::sleep_until(due);
			late[static_cast<size_t>(me)] = ns_since(due);
		});
	boost::this_fiber::sleep_until(first - milliseconds(100));
	cpu = cpu_ms();
	check("Timers100k", clock_type::now() < first, 1);
	join_all(all);
	cpu = cpu_ms() - cpu;
	std::sort(late.begin(), late.end());
	figure("Timers100k/cpu", cpu, "ms");
	figure("Timers100k/p50", late[static_cast<size_t>(ops / 2)] / 1e3,
	    "us");
	figure("Timers100k/p99", late[static_cast<size_t>(ops / 100 * 99)] /
	    1e3, "us");
}
