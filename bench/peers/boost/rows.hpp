// SPDX-License-Identifier: MIT
#pragma once

#include <bench.hpp>

#include <boost/fiber/all.hpp>

void bench_switch(long ops);
void bench_spawn(long ops);
void bench_pingpong(long ops);
void bench_spsc(long ops);
void bench_mpmc(long ops);
void bench_ring(long ops);
void bench_sieve(long ops);
void bench_skynet(long ops);
void bench_mutex(long ops);
void bench_mutexcontended(long ops);
void bench_cond(long ops);
void bench_makechan(long ops);
void bench_timers100k(long ops);
