/* SPDX-License-Identifier: MIT */
/*
 * weft/sim.h - simulations: a concurrent program whose every turn is chosen.
 *
 *	static int
 *	app(void)
 *	{
 *		...			(makes all that it uses)
 *		wf_sim_check(sum == 100);
 *		return 0;
 *	}
 *
 *	int
 *	main(void)
 *	{
 *		struct wf_sim_options o = { .schedules = 1000 };
 *
 *		return wf_sim(&o, app);	(0: a thousand schedules passed)
 *	}
 *
 * A simulation runs the program, unchanged, on the calling thread alone, again
 * and again, each time by another schedule: who goes on is chosen by a seed
 * wherever it is open, before each operation of weft too.  Time is the
 * simulation's own: it starts at 1000 s, stands still while anybody can run
 * and then jumps to the next timer.  What fails once fails again by the same
 * seed, on every machine.
 *
 * A failed schedule is shrunk to one with few switches, told step by step on
 * stderr, and followed by a line to run it again:
 *
 *	weft: to see this again: WEFT_SIM_SEED='1:2.3=4' ./test
 *
 * From the environment: WEFT_SIM_SEED=text runs one schedule, and tells it;
 * WEFT_SIM_SCHEDULES=n runs so many.
 *
 * A simulation is a mode of the process: no other thread may call weft
 * meanwhile.  The function makes all that it uses, for each schedule starts
 * with it; weft's objects that it leaves behind are freed when a schedule
 * ends, the coroutines that it leaves never go on.  To be determined, it must
 * not depend on addresses, real time, or what other threads and the system do:
 * wf_rand() and wf_now() are right.
 */
#ifndef WEFT_SIM_H
#define WEFT_SIM_H

#include <weft/base.h>
#include <weft/call.h>

WF__BEGIN

/* How schedules are chosen. */
enum wf_sim_how {
	WF_SIM_RANDOM,		/* each choice by lot */
	WF_SIM_PCT,		/* by random priorities that change depth - 1
				 * times (probabilistic concurrency testing):
				 * finds each bug that takes few switches */
	WF_SIM_EXHAUSTIVE	/* all there are with few preemptions; for
				 * small programs */
};

/* How a schedule ended. */
enum wf_sim_outcome {
	WF_SIM_PASSED,
	WF_SIM_FAILED,		/* a wf_sim_check(), or fn returned not 0 */
	WF_SIM_DEADLOCK,	/* all are parked and no timer runs */
	WF_SIM_LEFT,		/* fn has returned, and coroutines are left
				 * that nothing wakes */
	WF_SIM_LIVELOCK,	/* too many steps */
	WF_SIM_MISUSE,		/* of weft, where it would abort */
	WF_SIM_UNSTEADY		/* fn did not behave the same way again */
};

struct wf_sim_result {
	enum wf_sim_outcome outcome;
	unsigned schedules;	/* run until then, shrinking aside */
	bool complete;		/* WF_SIM_EXHAUSTIVE: there are no more */
	unsigned steps;		/* of the last schedule, or of the shrunk */
	unsigned switches;	/* likewise: times another one went on */
	uint64_t seed;		/* likewise: as found */
	char what[160];		/* what failed, or "" */
	char replay[400];	/* for WEFT_SIM_SEED; "" if it is too long */
	uintptr_t wf__reserved[8];
};

/*
 * The network that a simulation brings, see below.  It does what a real one may
 * do: bytes take their time, and come in other portions than they were sent.
 * Zero is the default everywhere.
 */
struct wf_sim_net {
	int64_t delay_min, delay_max;	/* how long bytes and datagrams are on
					 * their way, on tcp and udp, in ns,
					 * by lot; default 0 to 1 ms */
	unsigned short_reads;	/* so many of 1000 reads give less than is
				 * there; default 100 */
	unsigned short_writes;	/* and of writes send a part, and the rest
				 * later; default 100 */
	unsigned resets;	/* of 1000 reads and writes on tcp, those that
				 * find the connection reset; default 0 */
	unsigned losses;	/* of 1000 attempts to connect, those that are
				 * lost, and made again after 1 s, 2 s, ...;
				 * and of datagrams; default 0 */
	unsigned buffer;	/* bytes on the way until a write has to wait;
				 * default 65,536 */
	unsigned backlog;	/* clients that wait to be accepted; more are
				 * not let in; default 4096 */
	bool ideal;		/* the first four are 0 unless they are set */
	uintptr_t wf__reserved[4];
};

#define WF_SIM_ANY UINT32_MAX

/* Zero is the default everywhere. */
struct wf_sim_options {
	const char *name;	/* of the simulation, for reports, and for
				 * WEFT_SIM_SEED if a program has several */
	enum wf_sim_how how;
	uint64_t seed;		/* of the first schedule; the next has the
				 * next seed; default 1 */
	unsigned schedules;	/* at most; default 1, or 100,000 for
				 * WF_SIM_EXHAUSTIVE */
	unsigned depth;		/* WF_SIM_PCT: default 3, at most 16 */
	unsigned preemptions;	/* WF_SIM_EXHAUSTIVE: times that one gives way
				 * that could go on; default 2; WF_SIM_ANY: no
				 * bound */
	unsigned steps;		/* of one schedule, then it counts as
				 * a livelock; default 100,000 */
	bool parks_only;	/* give way only where a coroutine parks or
				 * yields, not before each operation */
	bool stalls;		/* time may also go on while somebody can run,
				 * as if the machine were busy */
	bool may_leave;		/* coroutines left at the end are no failure */
	bool reduce;		/* WF_SIM_EXHAUSTIVE: of schedules that differ
				 * only in the order of steps which have
				 * nothing to do with each other, not all; for
				 * programs in which a variable is shared by
				 * weft's means, or has a wf_sim_point() before
				 * each use */
	bool no_shrink;		/* tell the schedule as it was found */
	bool quiet;		/* nothing on stderr */
	int trace;		/* a file descriptor for the story of the last
				 * schedule; 0: none */
	struct wf_sim_result *result;	/* filled in; may be NULL */
	struct wf_sim_net net;
	uintptr_t wf__reserved[8];
};

/*
 * int wf_sim(const struct wf_sim_options *options, fn, args...);
 *
 * Simulate fn(args...), a function that returns int, until a schedule fails
 * or the number is reached.  The arguments are evaluated once.  The outcome:
 * 0, a positive enum wf_sim_outcome, or -EBUSY if the runtime runs, -EINVAL
 * for an option out of range, -ENOMEM.  Blocks the calling thread, which is
 * none of weft's.  NULL for the options: one schedule, seed 1.
 */
#ifndef __cplusplus
#define wf_sim(options, ...) \
	WF__SIM(WF__ARGC(__VA_ARGS__), options, __VA_ARGS__)
#define WF__SIM(n, options, ...) \
	WF__CAT(WF__SIM_, n)(n, options, __VA_ARGS__)
#define WF__SIM_0(n, options, fn) __extension__({ \
	WF__CHECK0(int, fn); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	wf_sim_raw(&wf__site, options, (void (*)(void))(fn), 0, NULL); })
#define WF__SIM_n(n, options, fn, ...) __extension__({ \
	WF__CHECKn(int, fn, n, __VA_ARGS__); \
	static const struct wf_site wf__site = { __FILE__, #fn, __LINE__ }; \
	wf_sim_raw(&wf__site, options, (void (*)(void))(fn), \
	    WF__SHAPEn(n, __VA_ARGS__), WF__WORDSn(n, __VA_ARGS__)); })
#define WF__SIM_1 WF__SIM_n
#define WF__SIM_2 WF__SIM_n
#define WF__SIM_3 WF__SIM_n
#define WF__SIM_4 WF__SIM_n
#define WF__SIM_5 WF__SIM_n
#define WF__SIM_6 WF__SIM_n
#define WF__SIM_7 WF__SIM_n
#define WF__SIM_8 WF__SIM_n
#else
#define wf_sim(options, ...) __extension__({ \
	static const struct wf_site wf__site = \
	    { __FILE__, WF__SIM_NAME(__VA_ARGS__, 0), __LINE__ }; \
	wf__sim(&wf__site, options, __VA_ARGS__); })
#define WF__SIM_NAME(a, ...) #a
#endif
WF_API int wf_sim_raw(const struct wf_site *site,
    const struct wf_sim_options *options, void (*fn)(void), unsigned shape,
    const uint64_t *words);

/* wf_sim_check(expr): the schedule fails here, and the call does not return,
 * unless expr is true.  Outside of a simulation: reported, then abort. */
#define wf_sim_check(expr) \
	((expr) ? (void)0 : wf_sim_fail(__FILE__, __LINE__, #expr))
WF_API void wf_sim_fail(const char *file, int line, const char *what);

/* Somebody else may go on here: for programs that share plain variables, as
 * before each operation of weft.  Nothing outside of a simulation. */
WF_API void wf_sim_point(void);

/* Wait until no other coroutine can go on, at this time: all are parked.  0;
 * -EPERM outside of a simulated coroutine. */
WF_API int wf_sim_settle(void);

/* A line in the story of this schedule.  Nothing outside of a simulation. */
WF_API void wf_sim_note(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* ---- the network of a simulation ---- */

/*
 * Connections and listeners work in a simulation, unchanged, on a network in
 * memory (tcp, udp, unix, wf_conn_pipe()).  Ports are numbers; names are hosts,
 * and each that somebody names is there, but for those that end in ".invalid".
 * Descriptors belong to the world outside: on them, and on wf_conn_fd(), which
 * is none of the system's there, wf_read() and the like are -ENOSYS; on files
 * they work.  Memory of connections that are left is freed with the schedule.
 *
 * wf_sim_host(): the calling coroutine, and each that it spawns from now on, is
 * on this host; the first one is on "localhost".  It can listen on the
 * addresses of its host only, and localhost is its own.  0; -ENAMETOOLONG;
 * nothing outside of a simulation.
 */
WF_API int wf_sim_host(const char *name);

/*
 * From now on nothing passes between two hosts, or between one and all others
 * (b NULL); until the same two are given to wf_sim_heal().  The bytes of
 * connections wait until then, but not for ever: when a cut has lasted for
 * 150 s, they end with -ETIMEDOUT, as by keepalive.  Datagrams are lost.  0;
 * -EPERM outside of a simulated coroutine; -ENAMETOOLONG.
 */
WF_API int wf_sim_cut(const char *a, const char *b);
WF_API int wf_sim_heal(const char *a, const char *b);

/* A random number, by the schedule's seed in a simulation: each coroutine has
 * a row of its own.  Not for cryptography.  Any thread; never blocks. */
WF_API uint64_t wf_rand(void);

WF__END

#ifdef __cplusplus
template <class... P, class... A> inline int
wf__sim(const wf_site *site, const wf_sim_options *options, int (*fn)(P...),
    A &&...args)
{
	WF__STATIC_ASSERT(sizeof...(P) == sizeof...(A),
	    "weft: wrong number of arguments for this function");
	uint64_t words[sizeof...(P) + 1] = {
	    wf__word<P>(static_cast<P>(static_cast<A &&>(args)))..., 0 };

	return wf_sim_raw(site, options, (void (*)())fn,
	    WF__SHAPE(sizeof...(P), (wf__classes<P...>())), words);
}
#endif

#endif
