// SPDX-License-Identifier: MIT
//
// The workloads of ../../weft for Boost.Fiber, called in the same way.
//
// WEFT_WORKERS says on how many threads: with one, the scheduler is
// round_robin, the default; with more, work_stealing, whose idle threads sleep:
// those that do not, and shared_work, were slower here by far, or hung.  A row
// runs in a fiber, since the first fiber of a thread cannot go to another one.
// Park1M is left out: it takes most of a minute.
#include "rows.hpp"

#include <boost/fiber/algo/work_stealing.hpp>
#include <boost/version.hpp>

#include <thread>
#include <vector>

static const row rows[] = {
	{ "Switch", 10000000, bench_switch },
	{ "Spawn", 4000000, bench_spawn },
	{ "PingPong", 3000000, bench_pingpong },
	{ "SPSC", 20000000, bench_spsc },
	{ "MPMC", 8000000, bench_mpmc },
	{ "Ring", 4000000, bench_ring },
	{ "Sieve", 2000, bench_sieve },
	{ "Skynet", 1000000, bench_skynet },
	{ "Mutex", 20000000, bench_mutex },
	{ "MutexContended", 8000000, bench_mutexcontended },
	{ "Cond", 300000, bench_cond },
	{ "MakeChan", 2000000, bench_makechan },
	{ "Timers100k", 100000, bench_timers100k },
};

static boost::fibers::mutex done_lock;
static boost::fibers::condition_variable_any done_told;
static bool done;

static void
serve(unsigned workers)
{
	boost::fibers::use_scheduling_algorithm<
	    boost::fibers::algo::work_stealing>(workers, true);
	std::unique_lock<boost::fibers::mutex> hold(done_lock);
	done_told.wait(hold, [] { return done; });
}

int
main(int argc, char **argv)
{
	const char *text = std::getenv("WEFT_WORKERS");
	unsigned workers = text ? static_cast<unsigned>(std::atoi(text)) : 1;
	const row *asked = row_asked(argc, argv, rows,
	    "Boost " BOOST_LIB_VERSION);
	std::vector<std::thread> others;

	if (!asked)
		return 0;
	for (unsigned i = 1; i < workers; i++)
		others.emplace_back(serve, workers);
	if (workers > 1)
		boost::fibers::use_scheduling_algorithm<
		    boost::fibers::algo::work_stealing>(workers, true);
	boost::fibers::fiber([asked] { asked->run(asked->ops); }).join();
	std::fflush(stdout);
	done_lock.lock();
	done = true;
	done_lock.unlock();
	done_told.notify_all();
	for (std::thread &t : others)
		t.join();
	return 0;
}
