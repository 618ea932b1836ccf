/* SPDX-License-Identifier: MIT */
/*
 * point.c - what a simulated program meets: the seam's functions, and verbs
 * of its own.
 * Layer 7.  Uses: point, sim, simnet, turn, park, report.
 */
#include "point.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <weft/time.h>
#include "park.h"
#include "report.h"
#include "sim.h"
#include "simnet.h"
#include "turn.h"
#include "wait.h"

#define sim wf__sim

/* ---- the seam ---- */

static int64_t
sim_now(void)
{
	return sim.now;
}

static uint64_t
sim_random(struct wf__worker *w)
{
	(void)w;
	return wf__choice_rand(&sim.choice, sim.running);
}

static uint32_t
sim_lot(uint32_t n)
{
	uint32_t lot = wf__choice_lot(&sim.choice, sim.running, n);

	wf__order_lot(&sim.order, lot);
	wf__story_tell(&sim.story, sim.running, "draws %u of %u ready cases",
	    (unsigned)lot + 1, (unsigned)n);
	return lot;
}

/* After the switch. */
static void
stand_aside(void *arg)
{
	struct wf__coro *c = arg;

	wf__turn_add(&c->task);
}

/* By a coroutine, or after its switch. */
static void
sim_touch(uint64_t object)
{
	if (wf__self() == sim.worker)
		wf__order_touch(&sim.order, wf__seam_is_number(object) ?
		    wf__wait_shown(object) : object);
}

/* Who goes on before this?  Returns when it is the running one's turn. */
static void
turn_before(const char *what, uint64_t object)
{
	uint32_t me = sim.running, to;

	to = wf__turn_choose(me, false);
	if (sim.choice.cut)
		wf__sim_stop_here();
	if (to == me) {
		wf__order_step(&sim.order, me);
		return;
	}
	wf__sim_tell(me, what ? "is held up before it " : "is held up",
	    what ? what : "", object);
	sim.next = to;
	sim.preempted = true;
	wf__park_aside(sim.worker, stand_aside);
}

static void
sim_point(const char *what, uint64_t object)
{
	uint32_t me = sim.running;

	if (!wf__sim_in_coroutine())
		return;
	/* A blocking region is one step: its worker cannot change. */
	if (!wf__load_relaxed(&sim.worker->blocking)) {
		if (!wf__sim_has_steps())
			wf__sim_stop_here();
		wf__turn_gather();
		if (!sim.options->parks_only)
			turn_before(what, object);
	}
	sim_touch(object);
	if (what)
		wf__sim_tell(me, "", what, object);
}

static void
sim_tell(const char *what, uint64_t number)
{
	if (wf__sim_in_coroutine())
		wf__story_tell(&sim.story, sim.running, "%s %llu", what,
		    (unsigned long long)number);
}

static void
sim_launched(const struct wf__start *s)
{
	char name[128];

	struct wf__person *p = wf__story_add(&sim.story, &s->entry), *by;

	if (!p)
		sim.no_memory = true;
	else if ((by = wf__story_person(&sim.story, sim.running)))
		p->host = by->host;
	if (!sim.story.on || s->entry.id == 1)
		return;
	wf__story_name(&sim.story, (uint32_t)s->entry.id, name, sizeof name);
	wf__story_tell(&sim.story, sim.running, "spawns %s", name);
}

static bool
sim_made(void *p, size_t size)
{
	struct wf__sim_object *o = wf__vec_add(&sim.objects, sizeof *o);

	if (o)
		*o = (struct wf__sim_object){ p, size };
	else
		sim.no_memory = true;
	return o != NULL;
}

static void
sim_gone(void *p)
{
	struct wf__sim_object *o = sim.objects.items;

	for (size_t i = sim.objects.n; i--; )
		if (o[i].p == p) {
			o[i] = o[--sim.objects.n];
			return;
		}
}

void
wf__point_ended(struct wf__coro *c, int result)
{
	struct wf__person *p = wf__story_person(&sim.story, sim.running);

	sim.has_ended = true;
	if (p)
		p->ended = true;
	wf__story_tell(&sim.story, sim.running, "ends");
	if (c->task.is_main) {
		/* Who is left may never go on; nor may the clock. */
		if (sim.options->may_leave || sim.options->stalls)
			sim_touch(WF__ANYTHING);
		c->task.is_main = false;
		sim.main_exited = c->exiting;
		sim.main_ended = !c->exiting;
		if (result && sim.main_ended)
			wf__sim_end(WF_SIM_FAILED, "%s() returned %d",
			    c->entry.site->what, result);
	}
	sim.ended(c, result);
}

const struct wf__seam wf__point_seam = {
	.now = sim_now, .random = sim_random, .lot = sim_lot,
	.point = sim_point, .touch = sim_touch, .tell = sim_tell,
	.launched = sim_launched, .made = sim_made, .gone = sim_gone,
	.sockets = &wf__simnet_sockets, .alone = true
};

void
wf__point_misuse(const char *text)
{
	if (!wf__sim_in_coroutine())
		return;
	wf__sim_end(WF_SIM_MISUSE, "%s", text);
	wf__sim_stop_here();
}

/* ---- public ---- */

WF_API void
wf_sim_fail(const char *file, int line, const char *what)
{
	const char *slash = strrchr(file, '/');

	file = slash ? slash + 1 : file;
	if (!wf__sim_in_coroutine())
		wf__misuse("wf_sim_check", "%s:%d: %s", file, line, what);
	wf__sim_end(WF_SIM_FAILED, "%s:%d: %s", file, line, what);
	wf__sim_stop_here();
}

WF_API void
wf_sim_point(void)
{
	if (wf__sim_in_coroutine())
		sim_point(NULL, 0);
}

WF_API int
wf_sim_settle(void)
{
	struct wf__parking p = { NULL, NULL, WF_FOREVER, 0,
	    "until all others are parked", 0 };
	struct wf__task spare, *me, **at;

	if (!wf__sim_in_coroutine())
		return -EPERM;
	if (!(at = wf__vec_add(&sim.settlers, sizeof *at)))
		return -ENOMEM;
	me = wf__park_self(&spare);
	*at = me;
	wf__park(me, &p);
	return 0;
}

WF_API void
wf_sim_note(const char *format, ...)
{
	char text[256];
	va_list args;

	if (!wf__sim_in_coroutine() || !sim.story.on)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	wf__story_tell(&sim.story, sim.running, "%s", text);
}

WF_API uint64_t
wf_rand(void)
{
	return wf__sched_random(wf__self());
}

#undef sim
