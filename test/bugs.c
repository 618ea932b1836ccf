/* SPDX-License-Identifier: MIT */
/*
 * bugs.c - classic bugs of concurrent programs, each in a program of its own,
 * wrong and right: the wrong one fails within a stated number of schedules,
 * the right one passes as many.
 *
 * The numbers stand in doc/sim.md as well, and the two are compared.
 *
 *	WEFT_TEST_STRESS=n	also run each wrong program, as often as that is
 *				possible in n seconds, on four workers, and tell
 *				how often it took to fail, or to hang
 */
#include <sys/mman.h>

#include "tap.h"

#include "bugs/aba.c"
#include "bugs/barrier_again.c"
#include "bugs/both_write.c"
#include "bugs/check_then_act.c"
#include "bugs/cond_if.c"
#include "bugs/context_leak.c"
#include "bugs/crossed_answers.c"
#include "bugs/double_checked.c"
#include "bugs/double_close.c"
#include "bugs/glued_messages.c"
#include "bugs/late_answer.c"
#include "bugs/lock_left.c"
#include "bugs/lock_order.c"
#include "bugs/loop_variable.c"
#include "bugs/lost_update.c"
#include "bugs/lost_wakeup.c"
#include "bugs/missed_close.c"
#include "bugs/paid_twice.c"
#include "bugs/philosophers.c"
#include "bugs/read_twice.c"
#include "bugs/select_shutdown.c"
#include "bugs/send_after_close.c"
#include "bugs/signal_one.c"
#include "bugs/stale_answer.c"
#include "bugs/timer_stop.c"
#include "bugs/torn_sum.c"
#include "bugs/waitgroup_in_child.c"
#include "bugs/whole_message.c"

enum { SEEDS = 10, HOWS = 3 };

static struct wf_sim_result result;

static const struct bug {
	const char *name;
	int (*fn)(int fixed);
	unsigned within[HOWS];		/* schedules: by lot, PCT, in turn */
	int outcome;
} bugs[] = {
#define BUG(name, lot, pct, turn, outcome) \
	{ #name, name, { lot, pct, turn }, outcome }
	BUG(aba, 300, 100, 10, WF_SIM_FAILED),
	BUG(barrier_again, 30, 30, 10, WF_SIM_DEADLOCK),
	BUG(both_write, 10, 10, 10, WF_SIM_DEADLOCK),
	BUG(check_then_act, 30, 100, 100, WF_SIM_FAILED),
	BUG(cond_if, 100, 10000, 300, WF_SIM_FAILED),
	BUG(context_leak, 10, 10, 30, WF_SIM_LEFT),
	BUG(crossed_answers, 30, 30, 100, WF_SIM_FAILED),
	BUG(double_checked, 30, 30, 10, WF_SIM_FAILED),
	BUG(double_close, 30, 30, 10, WF_SIM_FAILED),
	BUG(glued_messages, 10, 30, 10, WF_SIM_DEADLOCK),
	BUG(late_answer, 10, 10, 10, WF_SIM_LEFT),
	BUG(lock_left, 10, 30, 10, WF_SIM_DEADLOCK),
	BUG(lock_order, 30, 100, 10, WF_SIM_DEADLOCK),
	BUG(loop_variable, 10, 10, 10, WF_SIM_FAILED),
	BUG(lost_update, 30, 100, 10, WF_SIM_FAILED),
	BUG(lost_wakeup, 100, 100, 10, WF_SIM_DEADLOCK),
	BUG(missed_close, 10, 10, 10, WF_SIM_FAILED),
	BUG(paid_twice, 100, 100, 30, WF_SIM_FAILED),
	BUG(philosophers, 100, 300, 300, WF_SIM_DEADLOCK),
	BUG(read_twice, 100, 300, 30, WF_SIM_DEADLOCK),
	BUG(select_shutdown, 30, 30, 10, WF_SIM_FAILED),
	BUG(send_after_close, 30, 100, 100, WF_SIM_FAILED),
	BUG(signal_one, 30, 100, 1000, WF_SIM_DEADLOCK),
	BUG(stale_answer, 10, 10, 10, WF_SIM_FAILED),
	BUG(timer_stop, 10, 10, 10, WF_SIM_DEADLOCK),
	BUG(torn_sum, 100, 30, 30, WF_SIM_FAILED),
	BUG(waitgroup_in_child, 10, 10, 10, WF_SIM_FAILED),
	BUG(whole_message, 100, 100, 10, WF_SIM_FAILED),
};
#define COUNT (sizeof bugs / sizeof *bugs)

static struct wf_sim_options
options(const struct bug *b, int how, uint64_t seed)
{
	return (struct wf_sim_options){ .how = (enum wf_sim_how)how,
	    .seed = seed, .schedules = b->within[how], .quiet = true,
	    .result = &result,
	    .net = { .resets = b->fn == paid_twice ? 50 : 0 } };
}

/* How many schedules it took at most, from several seeds. */
static unsigned
find(const struct bug *b, int how)
{
	unsigned most = 0;

	for (int i = 0; i < (how == WF_SIM_EXHAUSTIVE ? 1 : SEEDS); i++) {
		struct wf_sim_options o = options(b, how,
		    (uint64_t)i * 1000000 + 1);
		int outcome = wf_sim(&o, b->fn, 0);

		if (!check_eq(outcome, b->outcome))
			tap_note("%s by %d: %s", b->name, how, result.what);
		check(result.replay[0] != '\0');
		most = result.schedules > most ? result.schedules : most;
	}
	return most;
}

static void
wrong_ones(void)
{
	for (unsigned i = 0; i < COUNT; i++) {
		unsigned most[HOWS];

		for (int how = 0; how < HOWS; how++)
			most[how] = find(&bugs[i], how);
		tap_note("%-20s %6u %6u %6u", bugs[i].name, most[0], most[1],
		    most[2]);
	}
}

static void
right_ones(void)
{
	for (unsigned i = 0; i < COUNT; i++)
		for (int how = 0; how < HOWS; how++) {
			struct wf_sim_options o = options(&bugs[i], how, 1);

			if (!check_eq(wf_sim(&o, bugs[i].fn, 1), 0))
				tap_note("%s by %d: %s", bugs[i].name, how,
				    result.what);
		}
}

/* Also among those schedules that are left by reduction. */
static void
reduced_ones(void)
{
	for (unsigned i = 0; i < 2 * COUNT; i++) {
		const struct bug *b = &bugs[i / 2];
		struct wf_sim_options o = options(b, WF_SIM_EXHAUSTIVE, 1);

		o.reduce = true;
		o.preemptions = i & 1 ? WF_SIM_ANY : 2;
		o.schedules = 5000;
		if (!check_eq(wf_sim(&o, b->fn, 0), b->outcome))
			tap_note("%s: %s", b->name, result.what);
		o.schedules = 500;
		check_eq(wf_sim(&o, b->fn, 1), 0);
	}
}

/* How many schedules the right ones have: with two preemptions at most, all
 * and reduced; with any number, all and reduced. */
static const struct reduction {
	const char *name;
	int (*fn)(int fixed);
	unsigned schedules[4];
} reductions[] = {
#define REDUCTION(name, all_2, some_2, all, some) \
	{ #name, name, { all_2, some_2, all, some } }
	REDUCTION(check_then_act, 843, 662, 165611, 238),
	REDUCTION(context_leak, 72, 54, 328, 18),
	REDUCTION(double_close, 77, 71, 863, 14),
	REDUCTION(lock_order, 137, 117, 4652, 26),
	REDUCTION(philosophers, 1968, 1340, 0, 2537),
	REDUCTION(stale_answer, 322, 179, 7488, 288),
	REDUCTION(torn_sum, 37, 33, 265, 12),
};
#define REDUCTIONS (sizeof reductions / sizeof *reductions)

static unsigned
count_schedules(const struct reduction *r, int k)
{
	struct wf_sim_options o = { .how = WF_SIM_EXHAUSTIVE, .reduce = k & 1,
	    .preemptions = k < 2 ? 2 : WF_SIM_ANY, .schedules = 1000000,
	    .quiet = true, .result = &result };

	check_eq(wf_sim(&o, r->fn, 1), 0);
	check(result.complete);
	return result.schedules;
}

static void
reduction(void)
{
	unsigned most = (unsigned)tap_scale(1000000, 10000);

	for (unsigned i = 0; i < REDUCTIONS; i++)
		for (int k = 0; k < 4; k++) {
			unsigned told = reductions[i].schedules[k], n;

			if (!told || told > most)
				continue;
			n = count_schedules(&reductions[i], k);
			if (!check(n <= told + told / 10 &&
			    n >= told - told / 10))
				tap_note("%s %d: %u, not %u",
				    reductions[i].name, k, n, told);
		}
}

/* The shrunk schedule fails by its recipe, and fails no more when it is
 * right. */
static void
seen_again(void)
{
	for (unsigned i = 0; i < COUNT; i++) {
		struct wf_sim_options o = options(&bugs[i], 0, 7);
		char recipe[sizeof result.replay];
		unsigned switches;

		check_eq(wf_sim(&o, bugs[i].fn, 0), bugs[i].outcome);
		memcpy(recipe, result.replay, sizeof recipe);
		switches = result.switches;
		check(switches < 30);
		setenv("WEFT_SIM_SEED", recipe, 1);
		check_eq(wf_sim(&o, bugs[i].fn, 0), bugs[i].outcome);
		check_eq(result.switches, switches);
		check_eq(wf_sim(&o, bugs[i].fn, 1), 0);
		unsetenv("WEFT_SIM_SEED");
	}
}

/* ---- without a simulation ---- */

static void
stress_child(const struct bug *b, int seconds, volatile unsigned *runs)
{
	struct rlimit none = { 0, 0 };
	struct wf_stats stats = { 0 };
	int64_t end;

	setrlimit(RLIMIT_CORE, &none);
	if (!freopen("/dev/null", "w", stderr))
		_exit(9);
	signal(SIGALRM, SIG_DFL);
	alarm((unsigned)seconds + 2);	/* a deadlock over the network */
	wf_workers(4);
	for (end = wf_now() + seconds * WF_SEC; wf_now() < end && !stats.left;
	    wf_stats(&stats)) {
		++*runs;
		if (wf_run(b->fn, 0))
			_exit(1);
	}
	_exit(stats.left != 0);
}

static void
stress_one(const struct bug *b, int seconds)
{
	volatile unsigned *runs = mmap(NULL, sizeof *runs,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	if (!check(runs != MAP_FAILED) || !check((pid = fork()) >= 0))
		return;
	if (!pid)
		stress_child(b, seconds, runs);
	waitpid(pid, &status, 0);
	tap_note("%-20s %s %u runs", b->name, status ? "after" : "not in",
	    *runs);
	munmap((void *)runs, sizeof *runs);
}

static void
stress(void)
{
	for (unsigned i = 0; i < COUNT; i++)
		stress_one(&bugs[i], atoi(getenv("WEFT_TEST_STRESS")));
}

/* ---- the manual ---- */

/* "| name | 30 | 100 | 10 |" */
/* Up to a million; 0: more. */
static const char *
with_commas(unsigned n, char *text, size_t size)
{
	if (n >= 1000)
		snprintf(text, size, "%u,%03u", n / 1000, n % 1000);
	else
		snprintf(text, size, n ? "%u" : "over a million", n);
	return text;
}

static void
reduction_row(const struct reduction *r, char *row, size_t size)
{
	char n[4][24];

	for (int k = 0; k < 4; k++)
		with_commas(r->schedules[k], n[k], sizeof n[k]);
	snprintf(row, size, "| %s | %s | %s | %s | %s |\n", r->name, n[0],
	    n[1], n[2], n[3]);
}

static void
as_told(void)
{
	static char text[1 << 16];
	char row[128];
	FILE *f = tap_open("../doc/sim.md", "r");

	if (!check(f != NULL))
		return;
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(row, sizeof row, "| %s | %u | %u | %u |",
		    bugs[i].name, bugs[i].within[0], bugs[i].within[1],
		    bugs[i].within[2]);
		if (!check(strstr(text, row)))
			tap_note("no %s", row);
	}
	for (unsigned i = 0; i < REDUCTIONS; i++) {
		reduction_row(&reductions[i], row, sizeof row);
		if (!check(strstr(text, row)))
			tap_note("no %s", row);
	}
}

int
main(void)
{
	tap_plain("each bug is found", wrong_ones);
	tap_plain("and none where it is not", right_ones);
	tap_plain("each is found among the reduced ones", reduced_ones);
	tap_plain("so many are left", reduction);
	tap_plain("what was found is seen again", seen_again);
	tap_plain("as the manual tells", as_told);
	if (getenv("WEFT_TEST_STRESS"))
		tap_plain("plain runs", stress);
	return tap_end();
}
