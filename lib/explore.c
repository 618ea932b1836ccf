/* SPDX-License-Identifier: MIT */
/*
 * explore.c - wf_sim(): schedule after schedule, until one fails.
 * Layer 8.  Uses: sim, shrink, runtime, os, report.
 *
 *	found by lot, by priorities or in turn
 *	  -> written down as deviations from the plain schedule
 *	  -> played again like that: does it fail again?
 *	  -> shrunk -> told
 *
 * A recipe as text:  seed  or  seed/length (PCT)  or  seed:who.nth=to,...
 * with name@ in front if the simulation has a name.
 */
#include <weft/sim.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "os.h"
#include "report.h"
#include "runtime.h"
#include "shrink.h"
#include "sim.h"

enum {
	STEPS = 100000,
	ALL_SCHEDULES = 100000,
	DEPTH = 3,
	PREEMPTIONS = 2,
	LINES = 200			/* of a story on stderr */
};

static struct {
	struct wf_sim_options o;	/* with all defaults filled in */
	const char *name;
	struct wf__play play;
	struct wf__recipe recipe;
	struct wf_sim_result result;
	unsigned found_steps;
} hunt;

/* ---- options ---- */

static unsigned
or_else(unsigned given, unsigned otherwise)
{
	return given ? given : otherwise;
}

static int
fill_in(const struct wf_sim_options *options)
{
	struct wf_sim_options *o = &hunt.o;
	const char *n = getenv("WEFT_SIM_SCHEDULES");

	if (options)
		*o = *options;
	if ((unsigned)o->how > WF_SIM_EXHAUSTIVE || o->trace < 0 ||
	    o->depth > WF__CHOICE_DEPTH)
		return -EINVAL;
	if (n && atoi(n) > 0)
		o->schedules = (unsigned)atoi(n);
	o->schedules = or_else(o->schedules,
	    o->how == WF_SIM_EXHAUSTIVE ? ALL_SCHEDULES : 1);
	o->steps = or_else(o->steps, STEPS);
	o->depth = or_else(o->depth, DEPTH);
	o->preemptions = or_else(o->preemptions, PREEMPTIONS);
	o->seed = o->seed ? o->seed : 1;
	return 0;
}

static void
write_recipe(void)
{
	static const enum wf__choice_how hows[] = { WF__CHOICE_RANDOM,
	    WF__CHOICE_PCT, WF__CHOICE_ALL };
	struct wf__recipe *r = &hunt.recipe;

	r->how = hows[hunt.o.how];
	if (r->how == WF__CHOICE_ALL && hunt.o.preemptions == WF_SIM_ANY &&
	    hunt.o.reduce && !hunt.o.stalls)
		r->how = WF__CHOICE_KINDS;
	r->seed = hunt.o.seed;
	r->depth = hunt.o.depth;
	r->length = 1;
	r->preemptions = hunt.o.preemptions;
}

/* ---- recipes as text ---- */

/* A recipe, for one in turn with the deviations that were made so far. */
static void
print_recipe(char *text, size_t size, const struct wf__recipe *r,
    const struct wf__vec *made)
{
	const struct wf__deviation *d = made->items;
	bool plain = r->how != WF__CHOICE_RANDOM && r->how != WF__CHOICE_PCT;
	size_t n;

	n = (size_t)snprintf(text, size, "%s%s%llu", hunt.o.name ?
	    hunt.name : "", hunt.o.name ? "@" : "",
	    (unsigned long long)r->seed);
	if (r->how == WF__CHOICE_PCT && n < size)
		n += (size_t)snprintf(text + n, size - n, "/%u",
		    (unsigned)r->length);
	if (plain && n < size)
		n += (size_t)snprintf(text + n, size - n, ":");
	for (size_t i = 0; plain && i < made->n && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%u.%u=%u",
		    i ? "," : "", (unsigned)d[i].who, (unsigned)d[i].nth,
		    (unsigned)d[i].to);
	if (n >= size)
		text[0] = '\0';
}

static void
note_recipe(void)
{
	print_recipe(hunt.result.replay, sizeof hunt.result.replay,
	    &hunt.recipe, &hunt.recipe.deviations);
}

/* "1.2=3,..." up to the end: false if it is something else, or without
 * memory. */
static bool
read_deviations(struct wf__recipe *r, const char *text)
{
	unsigned who, nth, to;
	int n;

	while (*text) {
		struct wf__deviation *d;

		if (sscanf(text, "%u.%u=%u%n", &who, &nth, &to, &n) != 3 ||
		    who > 1 << 20 ||
		    !(d = wf__vec_add(&r->deviations, sizeof *d)))
			return false;
		*d = (struct wf__deviation){ who, nth, to, 0 };
		text += n;
		if (*text == ',')
			text++;
	}
	return true;
}

static bool
read_recipe(struct wf__recipe *r, const char *text)
{
	char *end;

	errno = 0;
	r->seed = strtoull(text, &end, 10);
	if (errno || end == text)
		return false;
	if (*end == '/')
		r->length = (uint32_t)strtoul(end + 1, &end, 10);
	if (*end == ':') {
		r->how = WF__CHOICE_PLAIN;
		return read_deviations(r, end + 1);
	}
	return !*end;
}

/* What the environment wants this simulation to play, or NULL. */
static const char *
wanted_recipe(void)
{
	const char *text = getenv("WEFT_SIM_SEED"), *at;

	if (!text || !*text)
		return NULL;
	if (!(at = strchr(text, '@')))
		return hunt.o.name ? NULL : text;
	if (!hunt.o.name || strlen(hunt.o.name) != (size_t)(at - text) ||
	    memcmp(hunt.o.name, text, (size_t)(at - text)) != 0)
		return NULL;
	return at + 1;
}

/* ---- playing ---- */

static void
note_result(int outcome)
{
	hunt.result.outcome = (enum wf_sim_outcome)outcome;
	hunt.result.steps = wf__sim.choice.steps;
	hunt.result.switches = wf__sim.choice.switches;
	hunt.result.seed = hunt.recipe.seed;
	memcpy(hunt.result.what, wf__sim.what, sizeof hunt.result.what);
}

static int
play(bool story)
{
	int outcome = wf__sim_play(&hunt.play, &hunt.recipe, story);

	if (outcome >= 0)
		note_result(outcome);
	return outcome;
}

/* The next schedule; false: this was the last. */
static bool
advance(void)
{
	struct wf__recipe *r = &hunt.recipe;

	if (r->how == WF__CHOICE_ALL || r->how == WF__CHOICE_KINDS) {
		bool more = wf__choice_advance(&wf__sim.choice);

		hunt.result.complete = !more && !wf__sim.choice.no_memory;
		return more;
	}
	r->seed++;
	if (wf__sim.choice.steps > r->length)
		r->length = wf__sim.choice.steps;
	return true;
}

static int
unsteady(const char *what)
{
	hunt.result.outcome = WF_SIM_UNSTEADY;
	snprintf(hunt.result.what, sizeof hunt.result.what, "%s: it depends on "
	    "more than the schedule", what);
	return WF_SIM_UNSTEADY;
}

static int
look_for_failure(void)
{
	int outcome;

	for (;;) {
		outcome = play(false);
		if (wf__sim.choice.crowded && outcome >= 0) {
			hunt.recipe.how = WF__CHOICE_ALL;
			continue;
		}
		hunt.result.schedules++;
		if (wf__sim.choice.lost && outcome >= 0)
			return unsteady("fn took another path than before");
		if (outcome || hunt.result.schedules >= hunt.o.schedules ||
		    !advance())
			return outcome;
	}
}

/* ---- a failure ---- */

static bool
is_same_failure(int outcome)
{
	if (outcome != (int)hunt.result.outcome)
		return false;
	return (outcome != WF_SIM_FAILED && outcome != WF_SIM_MISUSE) ||
	    !strcmp(hunt.result.what, wf__sim.what);
}

/* For wf__shrink(). */
static bool
fails(struct wf__recipe *r)
{
	return is_same_failure(wf__sim_play(&hunt.play, r, false)) &&
	    wf__vec_copy(&r->deviations, &wf__sim.choice.made,
	    sizeof(struct wf__deviation));
}

/* The failure that was found becomes a plain recipe, which fails as well. */
static int
write_down(void)
{
	struct wf__recipe *r = &hunt.recipe;

	if (!wf__vec_copy(&r->deviations, &wf__sim.choice.made,
	    sizeof(struct wf__deviation)))
		return -ENOMEM;
	r->how = WF__CHOICE_PLAIN;
	if (!fails(r))
		return unsteady("the same schedule ended otherwise");
	return (int)hunt.result.outcome;
}

static void
report_failure(void)
{
	char command[256];

	if (hunt.o.quiet)
		return;
	wf__os_command(command, sizeof command);
	wf__report("weft: simulation %s: %s", hunt.name, hunt.result.what);
	wf__report("weft: schedule %u, after %u steps; %s %u steps with %u "
	    "switches:", hunt.result.schedules, hunt.found_steps,
	    hunt.o.no_shrink ? "that is" : "shrunk to", hunt.result.steps,
	    hunt.result.switches);
	wf__story_write(&wf__sim.story, 2, "    ", LINES);
	wf__report("weft: to see this again: WEFT_SIM_SEED='%s' %s",
	    hunt.result.replay, command);
}

static int
on_failure(int outcome)
{
	if (outcome != WF_SIM_UNSTEADY) {
		hunt.found_steps = hunt.result.steps;
		outcome = write_down();
	}
	if (outcome < 0)
		return outcome;
	if (outcome == WF_SIM_UNSTEADY) {
		if (!hunt.o.quiet)
			wf__report("weft: simulation %s: %s", hunt.name,
			    hunt.result.what);
		return outcome;
	}
	if (!hunt.o.no_shrink)
		wf__shrink(&hunt.recipe, fails);
	outcome = play(true);
	note_recipe();
	report_failure();
	return outcome;
}

/* The process is about to die: by the program's own assert(), perhaps. */
static void
tell_of_death(void)
{
	char recipe[sizeof hunt.result.replay], command[256];

	print_recipe(recipe, sizeof recipe, wf__sim.choice.recipe,
	    &wf__sim.choice.made);
	wf__os_command(command, sizeof command);
	wf__report("weft: simulation %s: the process dies in schedule %u",
	    hunt.name, hunt.result.schedules + 1);
	wf__report("weft: to see this again: WEFT_SIM_SEED='%s' %s", recipe,
	    command);
}

/* ---- the whole ---- */

static int
replay(const char *text)
{
	int outcome;

	if (!read_recipe(&hunt.recipe, text)) {
		wf__report("weft: WEFT_SIM_SEED=%s cannot be read", text);
		return -EINVAL;
	}
	outcome = play(true);
	hunt.result.schedules = 1;
	note_recipe();
	if (outcome < 0 || hunt.o.quiet)
		return outcome;
	wf__report("weft: simulation %s, WEFT_SIM_SEED='%s':", hunt.name,
	    hunt.result.replay);
	wf__story_write(&wf__sim.story, 2, "    ", LINES);
	wf__report("weft: simulation %s: %s", hunt.name,
	    outcome ? hunt.result.what : "passed");
	return outcome;
}

static int
explore(void)
{
	const char *wanted = wanted_recipe();
	int outcome, again;

	if (wanted)
		return replay(wanted);
	outcome = look_for_failure();
	if (outcome > 0)
		return on_failure(outcome);
	if (!outcome && hunt.o.trace) {
		/* The last one again, to tell it. */
		if (!wf__vec_copy(&hunt.recipe.deviations,
		    &wf__sim.choice.made, sizeof(struct wf__deviation)))
			return -ENOMEM;
		hunt.recipe.how = WF__CHOICE_PLAIN;
		hunt.recipe.seed = hunt.result.seed;
		again = play(true);
		if (again)
			return again < 0 ? again :
			    unsteady("the same schedule ended otherwise");
	}
	return outcome;
}

WF_API int
wf_sim_raw(const struct wf_site *site, const struct wf_sim_options *options,
    void (*fn)(void), unsigned shape, const uint64_t *words)
{
	int outcome;

	if (!fn)
		wf__misuse("wf_sim", "the function is NULL, at %s:%d",
		    site->file, site->line);
	memset(&hunt, 0, sizeof hunt);
	if ((outcome = fill_in(options)) < 0)
		return outcome;
	hunt.name = hunt.o.name ? hunt.o.name : site->what;
	hunt.play.entry.fn = fn;
	hunt.play.entry.site = site;
	hunt.play.shape = shape;
	for (unsigned i = 0; i < (shape & 0xff); i++)
		hunt.play.words[i] = words[i];
	write_recipe();
	if ((outcome = wf__runtime_start_alone()) < 0)
		return outcome;
	wf__sim_open(&hunt.o);
	wf__os_catch_death(tell_of_death);
	outcome = explore();
	wf__os_uncatch_death();
	if (hunt.o.trace && outcome >= 0)
		wf__story_write(&wf__sim.story, hunt.o.trace, "", SIZE_MAX);
	if (hunt.o.result)
		*hunt.o.result = hunt.result;
	wf__vec_free(&hunt.recipe.deviations, sizeof(struct wf__deviation));
	wf__sim_close();
	wf__runtime_end_alone();
	return outcome;
}
