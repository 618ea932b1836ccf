/* SPDX-License-Identifier: MIT */
/*
 * programs.c - random programs, and all that they can do in weft.
 *
 *	programs FIRST COUNT RUNS	(seeds from FIRST on)
 *
 * Each program is simulated by every schedule there is.  Then it runs for
 * real, RUNS times on several threads: what comes out must be among what the
 * simulation has shown.  Programs and outcomes go to stdout, for go.go:
 *
 *	program 17
 *	caps 0 2			of the channels
 *	co s0:1 ?r0,s1:3,d c0		a coroutine
 *	co l0 r1 u0 w
 *	out s/... 			one outcome
 *	end
 *
 *	s0:1	send 1 on channel 0	?...	select; d is the default
 *	r0	receive			c0	close
 *	l0 u0	lock, unlock mutex 0
 *	D w	done, wait of the wait group, which counts all D
 *
 * An outcome is a word of each coroutine, of its operations' results:
 *
 *	s	sent; x: the channel is closed (in Go, a panic)
 *	7	received; z: closed
 *	c	closed; y: it was already (in Go, a panic)
 *	1:...	case 1 was chosen; d: the default
 *	l2	locked, the third to do so
 *	w	waited
 *	!	it waits for ever
 */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft.h>
#include "idle.h"

enum {
	CHANNELS = 2, MUTEXES = 2, MOST = 4, MOST_OPS = 8, ARMS = 3,
	MOST_OUTCOMES = 5000, LENGTH = 128, SCHEDULES = 30000
};

struct arm { char kind; int object, value; };
struct op {
	char kind;
	int arms;
	bool has_default;
	struct arm arm[ARMS];		/* the first: what others are about */
};

static struct program {
	unsigned long seed;
	int cap[CHANNELS];
	int n;				/* coroutines */
	int ops[MOST], total;
	struct op op[MOST][MOST_OPS];
	int done;			/* how often the group is told */
} p;

/* What a run uses, and what came of it. */
static struct {
	wf_chan(int) chan[CHANNELS];
	wf_mutex mutex[MUTEXES];
	int locked[MUTEXES];		/* times, under the mutex */
	wf_waitgroup group;
	int told;			/* atomic: it was */
	int stop;			/* atomic: no more operations */
	int ended;			/* atomic: coroutines */
	bool over[MOST];
	char word[MOST][LENGTH];
} run;

static char outcomes[MOST_OUTCOMES][LENGTH];
static int n_outcomes;
static unsigned long schedules;

/* ---- making programs ---- */

static uint64_t state;

static int
below(int n)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (int)((z ^ z >> 31) % (uint64_t)n);
}

/* Few are alone at theirs. */
static int
a_channel(void)
{
	return below(3) == 0;
}

static struct op *
add(int who, char kind, int object)
{
	static struct op spare;
	struct op *o = &spare;

	if (p.ops[who] < MOST_OPS) {
		o = &p.op[who][p.ops[who]++];
		p.total++;
	}
	memset(o, 0, sizeof *o);
	o->kind = kind;
	o->arm[0] = (struct arm){ kind, object, p.total };
	return o;
}

static struct op *
add_select(int who)
{
	struct op *o = add(who, '?', 0);

	o->arms = 1 + below(ARMS);
	for (int i = 0; i < o->arms; i++)
		o->arm[i] = (struct arm){ below(2) ? 's' : 'r',
		    a_channel(), p.total + 20 * i };
	o->has_default = below(4) == 0;
	return o;
}

/* A send here and a receive there, either of which may be in a select. */
static void
add_pair(void)
{
	int from = below(p.n), to = (from + 1 + below(p.n - 1)) % p.n;
	int channel = a_channel();

	if (below(3))
		add(from, 's', channel);
	else
		add_select(from)->arm[0] =
		    (struct arm){ 's', channel, p.total };
	if (below(3))
		add(to, 'r', channel);
	else
		add_select(to)->arm[0] = (struct arm){ 'r', channel, 0 };
}

static void
add_bracket(int who)
{
	int mutex = below(MUTEXES);

	if (p.ops[who] + 3 >= MOST_OPS)
		return;
	add(who, 'l', mutex);
	if (below(2))
		add(who, below(2) ? 's' : 'r', a_channel());
	add(who, 'u', mutex);
}

static void
add_any(int who)
{
	int kind = below(12);

	if (kind < 6)
		add_pair();
	else if (kind < 8)
		add(who, 'c', a_channel());
	else if (kind == 8)
		add_select(who);
	else if (kind == 9 && p.done < 3) {
		add(who, 'D', 0);
		p.done++;
	} else if (kind == 10)
		add(who, 'w', 0);
	else
		add_bracket(who);
}

static void
make_program(unsigned long seed)
{
	int most = 5 + (int)(seed % 3);

	memset(&p, 0, sizeof p);
	p.seed = seed;
	state = seed * 2654435761u;
	for (int c = 0; c < CHANNELS; c++)
		p.cap[c] = below(2) ? 0 : below(4);
	p.n = 2 + below(MOST - 1);
	while (p.total < most)
		add_any(below(p.n));
}

/* ---- running them ---- */

__attribute__((format(printf, 2, 3))) static void
say(int who, const char *format, ...)
{
	size_t at = strlen(run.word[who]);
	va_list args;

	va_start(args, format);
	vsnprintf(run.word[who] + at, LENGTH - at, format, args);
	va_end(args);
}

static void
say_done(int who, char kind, int done, int value)
{
	if (kind == 's')
		say(who, done ? "s" : "x");
	else if (done)
		say(who, "%d", value);
	else
		say(who, "z");
}

/* Cases made at run time: a send on a closed channel says "x" alone, since
 * Go's panic does not tell the case. */
static void
run_select(int who, const struct op *o)
{
	struct wf_case cases[ARMS + 1];
	int value[ARMS], i;
	bool ok[ARMS] = { false };

	for (i = 0; i < o->arms; i++) {
		wf_chan(int) c = run.chan[o->arm[i].object];

		value[i] = o->arm[i].value;
		cases[i] = o->arm[i].kind == 's' ?
		    wf_case_send_ok(c, &value[i], &ok[i]) :
		    wf_case_recv_ok(c, &value[i], &ok[i]);
	}
	if (o->has_default)
		cases[i] = wf_case_default();
	i = wf_selectv(cases, (size_t)(o->arms + o->has_default));
	if (i == o->arms)
		say(who, "d");
	else if (o->arm[i].kind == 's' && !ok[i])
		say(who, "x");
	else {
		say(who, "%d:", i);
		say_done(who, o->arm[i].kind, ok[i], value[i]);
	}
}

static void
run_op(int who, const struct op *o)
{
	int i = o->arm[0].object, value = o->arm[0].value, done;

	switch (o->kind) {
	case 's':
		say_done(who, 's', wf_send(run.chan[i], value), 0);
		break;
	case 'r':
		done = wf_recv(run.chan[i], &value);
		say_done(who, 'r', done, value);
		break;
	case 'c':
		say(who, wf_close(run.chan[i]) ? "y" : "c");
		break;
	case 'l':
		wf_mutex_lock(&run.mutex[i]);
		say(who, "l%d", run.locked[i]++);
		break;
	case 'u':
		wf_mutex_unlock(&run.mutex[i]);
		break;
	case 'D':
		__atomic_add_fetch(&run.told, 1, __ATOMIC_SEQ_CST);
		wf_waitgroup_done(&run.group);
		break;
	case 'w':
		wf_waitgroup_wait(&run.group);
		say(who, "w");
		break;
	default:
		run_select(who, o);
	}
}

static bool
stopped(void)
{
	return __atomic_load_n(&run.stop, __ATOMIC_SEQ_CST);
}

static void
coroutine(int who)
{
	for (int i = 0; i < p.ops[who] && !stopped(); i++) {
		run_op(who, &p.op[who][i]);
		if (i + 1 < p.ops[who] && !stopped())
			say(who, ",");
	}
	run.over[who] = !stopped();
	__atomic_add_fetch(&run.ended, 1, __ATOMIC_SEQ_CST);
}

static void
begin(void)
{
	memset(&run, 0, sizeof run);
	for (int c = 0; c < CHANNELS; c++)
		run.chan[c] = wf_chan_make(int, (size_t)p.cap[c]);
	wf_waitgroup_add(&run.group, p.done);
}

static void
spawn_all(void)
{
	for (int i = 0; i < p.n; i++)
		if (wf_spawn(coroutine, i) < 0)
			abort();
}

/* All are at their end, or wait for ever. */
static void
outcome(char *text)
{
	size_t at = 0;

	for (int i = 0; i < p.n; i++)
		at += (size_t)snprintf(text + at, LENGTH - at, "%s%s%s",
		    i ? "/" : "", run.word[i], run.over[i] ? "" : "!");
}

static bool
is_known(const char *text)
{
	for (int i = 0; i < n_outcomes; i++)
		if (!strcmp(outcomes[i], text))
			return true;
	return false;
}

/* ---- all schedules ---- */

static struct wf_sim_options options;

static int
simulated(void)
{
	char text[LENGTH] = "";

	/* Who starts first is chosen once all are there: the option is looked
	 * at as it is, and each of these calls would be a choice. */
	options.parks_only = true;
	begin();
	spawn_all();
	options.parks_only = false;
	wf_sim_settle();
	outcome(text);
	if (!is_known(text) && n_outcomes < MOST_OUTCOMES)
		strcpy(outcomes[n_outcomes++], text);
	return 0;
}

/* False: there are too many. */
static bool
explore(void)
{
	struct wf_sim_result r;

	n_outcomes = 0;
	options = (struct wf_sim_options){ .how = WF_SIM_EXHAUSTIVE,
	    .schedules = SCHEDULES, .preemptions = 1000, .may_leave = true,
	    .result = &r };
	if (wf_sim(&options, simulated)) {
		fprintf(stderr, "program %lu: %s\n", p.seed, r.what);
		exit(1);
	}
	schedules += r.schedules;
	return r.complete && n_outcomes < MOST_OUTCOMES;
}

/* ---- for real ---- */

/* Those that wait for ever go on, and end at once. */
static void
release(void)
{
	__atomic_store_n(&run.stop, 1, __ATOMIC_SEQ_CST);
	for (int c = 0; c < CHANNELS; c++)
		wf_close(run.chan[c]);
	for (int n = __atomic_load_n(&run.told, __ATOMIC_SEQ_CST); n < p.done;
	    n++)
		wf_waitgroup_done(&run.group);
	while (__atomic_load_n(&run.ended, __ATOMIC_SEQ_CST) < p.n) {
		for (int m = 0; m < MUTEXES; m++) {
			wf_mutex_try_lock(&run.mutex[m]);
			wf_mutex_unlock(&run.mutex[m]);
		}
		sched_yield();
	}
	while (!wf__idle_all_quiet())
		sched_yield();
	for (int c = 0; c < CHANNELS; c++)
		wf_chan_free(run.chan[c]);
}

static void
real_run(void)
{
	char text[LENGTH] = "";

	begin();
	wf_spawn(spawn_all);
	while (!wf__idle_all_quiet())
		sched_yield();
	outcome(text);
	if (!is_known(text)) {
		fprintf(stderr, "program %lu: a run of weft gave \"%s\", "
		    "which no schedule gives\n", p.seed, text);
		exit(1);
	}
	release();
}

/* ---- telling it ---- */

static void
print_op(const struct op *o)
{
	static const char *const forms[128] = { ['s'] = " s%d:%d",
	    ['r'] = " r%d", ['c'] = " c%d", ['l'] = " l%d", ['u'] = " u%d",
	    ['D'] = " D", ['w'] = " w" };
	const char *form = forms[(unsigned char)o->kind];

	if (form) {
		printf(form, o->arm[0].object, o->arm[0].value);
		return;
	}
	for (int i = 0; i < o->arms; i++) {
		const struct arm *a = &o->arm[i];

		printf("%s%c%d", i ? "," : " ?", a->kind, a->object);
		if (a->kind == 's')
			printf(":%d", a->value);
	}
	printf("%s", o->has_default ? ",d" : "");
}

static void
print_program(void)
{
	printf("program %lu\ncaps", p.seed);
	for (int c = 0; c < CHANNELS; c++)
		printf(" %d", p.cap[c]);
	putchar('\n');
	for (int i = 0; i < p.n; i++) {
		printf("co");
		for (int k = 0; k < p.ops[i]; k++)
			print_op(&p.op[i][k]);
		putchar('\n');
	}
	for (int i = 0; i < n_outcomes; i++)
		printf("out %s\n", outcomes[i]);
	printf("end\n");
}

int
main(int argc, char **argv)
{
	unsigned long first, count, runs, skipped = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: %s FIRST COUNT RUNS\n", argv[0]);
		return 64;
	}
	first = strtoul(argv[1], NULL, 10);
	count = strtoul(argv[2], NULL, 10);
	runs = strtoul(argv[3], NULL, 10);
	for (unsigned long i = first; i < first + count; i++) {
		make_program(i);
		if (!explore()) {
			skipped++;
			continue;
		}
		wf_start(&(struct wf_options){ .workers = 1 + (int)(i % 4) });
		for (unsigned long k = 0; k < runs; k++)
			real_run();
		if (wf_stop(WF_SEC))
			abort();
		print_program();
	}
	fprintf(stderr, "%lu programs of weft, %lu left out: too many "
	    "schedules; %lu schedules\n", count - skipped, skipped,
	    schedules);
	return 0;
}
