// SPDX-License-Identifier: MIT
//
// bench.hpp - what the peers in C++ share: the form of a result, the list of
// rows, a loud way to fail.  Rows have the names and the numbers of operations
// of ../../weft/bench.c; a peer has only those it has a notion of.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

struct row {
	const char *name;
	long ops;
	void (*run)(long ops);
};

using clock_type = std::chrono::steady_clock;
using time_point = clock_type::time_point;

inline double
ns_since(time_point start)
{
	return std::chrono::duration<double, std::nano>(clock_type::now() -
	    start).count();
}

inline void
figure(const std::string &name, double value, const char *unit)
{
	std::printf("%s %.2f %s\n", name.c_str(), value, unit);
}

inline void
per_op(const char *name, time_point start, long ops)
{
	figure(name, ns_since(start) / static_cast<double>(ops), "ns");
}

inline void
millis(const char *name, time_point start)
{
	figure(name, ns_since(start) / 1e6, "ms");
}

// A wrong run prints no figure: what is still buffered is dropped.
inline void
check(const char *name, std::int64_t got, std::int64_t want)
{
	if (got == want)
		return;
	std::fprintf(stderr, "%s: wrong result: %lld instead of %lld\n", name,
	    static_cast<long long>(got), static_cast<long long>(want));
	std::_Exit(1);
}

// Bytes of memory that the process has now, page tables included.
inline double
memory()
{
	std::ifstream status("/proc/self/status");
	std::string line;
	double kib = 0;

	while (std::getline(status, line))
		if (!line.compare(0, 6, "VmRSS:") ||
		    !line.compare(0, 6, "VmPTE:"))
			kib += std::atof(line.c_str() + 6);
	return kib * 1024;
}

// The row that the arguments ask for; NULL when all is said.
template <size_t n> const row *
row_asked(int argc, char **argv, const row (&rows)[n], const char *version)
{
	if (argc == 2 && !std::strcmp(argv[1], "list")) {
		for (const row &r : rows)
			std::printf("%s\t%ld\n", r.name, r.ops);
		return nullptr;
	}
	if (argc == 2 && !std::strcmp(argv[1], "version")) {
		std::printf("%s, %s %s\n", version,
#ifdef __clang__
		    "clang",
#else
		    "g++",
#endif
		    __VERSION__);
		return nullptr;
	}
	for (const row &r : rows)
		if (argc == 2 && !std::strcmp(argv[1], r.name))
			return &r;
	std::fprintf(stderr, "usage: %s ROW | list | version\n", argv[0]);
	std::exit(2);
}
