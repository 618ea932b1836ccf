/* SPDX-License-Identifier: MIT */
/*
 * sim.c - the simulated world: one worker, its clock, and who goes on.
 * Layer 7.  Uses: sim, simnet, turn, point, choice, story, dump, park, share.
 *
 * The worker's countdown stays at zero, so that no coroutine ever switches
 * straight to another one: each comes back to play_on(), on the scheduler's
 * stack, and there the next one is chosen, among all that can go on (turn.c).
 *
 * A point is a choice in the middle of a coroutine.  If another one is chosen,
 * the first steps aside, and play_on() finds the answer in sim.next.
 *
 *   I1  a task is in ready, in a queue of the worker, or parked.
 *   I2  between two turns the worker's queues are empty.
 *   I3  the clock moves only when nobody can go on, or by choice (stalls).
 */
#include "sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <weft/net.h>
#include <weft/time.h>
#include "alloc.h"
#include "dump.h"
#include "park.h"
#include "point.h"
#include "readers.h"
#include "report.h"
#include "selection.h"
#include "share.h"
#include "simnet.h"
#include "start.h"
#include "turn.h"
#include "wait.h"

enum { SIM_STACK = 8 << 20 };
#define BEGINNING (1000 * WF_SEC)

struct wf__sim wf__sim;
#define sim wf__sim

/* ---- the ends of a schedule ---- */

void
wf__sim_end(enum wf_sim_outcome outcome, const char *format, ...)
{
	va_list args;

	if (sim.outcome)
		return;
	sim.outcome = outcome;
	va_start(args, format);
	vsnprintf(sim.what, sizeof sim.what, format, args);
	va_end(args);
	wf__story_tell(&sim.story, sim.running, "%s", sim.what);
}

void
wf__sim_tell(uint32_t who, const char *before, const char *what,
    uint64_t object)
{
	char addresses[WF_ADDRESS_TEXT * 2];

	if (!sim.story.on)
		return;
	if (!wf__seam_is_number(object)) {
		wf__story_tell(&sim.story, who, "%s%s", before, what);
		return;
	}
	wf__simnet_text(object, addresses, sizeof addresses);
	wf__story_tell(&sim.story, who, "%s%s %llu%s", before, what,
	    (unsigned long long)wf__wait_shown(object), addresses);
}

/* The running coroutine never goes on. */
WF__NORETURN void
wf__sim_stop_here(void)
{
	struct wf__worker *w = sim.worker;

	wf__store_release(&w->running->state, WF__FREE);	/* [state] */
	sim.has_ended = true;
	wf__park_end(w, NULL);
}

bool
wf__sim_in_coroutine(void)
{
	struct wf__worker *w = wf__self();

	return wf__seam_alone() && w == sim.worker && w->running;
}

bool
wf__sim_has_steps(void)
{
	unsigned most = sim.options->steps;

	if (sim.choice.no_memory || sim.order.no_memory)
		sim.no_memory = true;
	if (++sim.steps > most)
		wf__sim_end(WF_SIM_LIVELOCK, "not over after %u steps", most);
	return !sim.outcome && !sim.no_memory && !sim.choice.cut;
}

/* ---- the clock ---- */

static bool
move_clock(void)
{
	int64_t first = wf__timerq_first(&sim.worker->timers);

	if (first == WF_FOREVER || sim.main_ended)
		return false;
	if (first > sim.now) {
		sim.now = first;
		wf__story_tell(&sim.story, 0, "it is %lld.%09lld s",
		    (long long)(first / WF_SEC), (long long)(first % WF_SEC));
	}
	sim.running = 0;
	wf__store_relaxed(&wf__sched.clock, (wf__word)sim.now);
	wf__timerq_run(&sim.worker->timers, sim.now, wf__ready_behind);
	return true;
}

/* ---- playing ---- */

/* Relaxed, of a coroutine's fields: nobody else is there. */

static bool
is_parked(const struct wf__coro *c)
{
	return wf__load_relaxed(&c->state) == WF__PARKED;
}

static void
tell_wait(uint32_t id, const struct wf__coro *c, const char *waits)
{
	char why[256], addresses[WF_ADDRESS_TEXT * 2] = "";

	if (!sim.story.on)
		return;
	wf__dump_wait(why, sizeof why, c);
	if ((const char *)wf__load_relaxed(&c->why) != wf__selection_why)
		wf__simnet_text(wf__load_relaxed(&c->object), addresses,
		    sizeof addresses);
	wf__story_tell(&sim.story, id, "%s%s%s", waits, why, addresses);
}

/* A turn of id, until it parks, yields, ends, or another one is chosen. */
static void
give_turn(uint32_t id)
{
	struct wf__person *p = wf__story_person(&sim.story, id);
	struct wf__coro *c = wf__share_embody(sim.worker, wf__turn_take(id));

	if (!c || !p) {
		sim.no_memory = true;
		return;
	}
	p->coro = c;
	wf__order_step(&sim.order, id);
	sim.running = id;
	sim.next = 0;
	sim.preempted = sim.has_ended = false;
	wf__park_run(sim.worker, &c->task);
	if (!sim.has_ended && is_parked(c))
		tell_wait(id, c, "is parked ");
}

/* Those who wait for all others to be parked. */
static bool
wake_settler(void)
{
	struct wf__task *t;

	if (!sim.settlers.n)
		return false;
	t = *(struct wf__task **)sim.settlers.items;
	wf__vec_remove(&sim.settlers, 0, sizeof t);
	wf__ready_behind(t);
	return true;
}

/* Nobody can go on, and time does not help. */
static void
judge(void)
{
	unsigned live = (unsigned)wf__sched_live();

	if (sim.main_ended) {
		if (live && !sim.options->may_leave)
			wf__sim_end(WF_SIM_LEFT, "%u coroutines are left with "
			    "nothing to wake them", live);
	} else if (live)
		wf__sim_end(WF_SIM_DEADLOCK, "deadlock: all %u coroutines are "
		    "parked with nothing to wake them", live);
}

/* Did the one that has just run give way by itself? */
static bool
has_yielded(void)
{
	struct wf__person *p = wf__story_person(&sim.story, sim.running);

	return sim.running && !sim.has_ended && !sim.preempted && p &&
	    p->coro &&
	    wf__load_relaxed(&p->coro->state) == WF__RUNNABLE &&
	    wf__turn_is_ready(sim.running);
}

/* False: it is over. */
static bool
play_on(void)
{
	bool yielded, by_point = sim.preempted;
	uint32_t id = sim.next;

	if (sim.main_ended && sim.options->may_leave)
		return false;
	if (!wf__sim_has_steps())
		return false;
	wf__turn_gather();
	if (!by_point) {
		yielded = has_yielded();
		id = wf__turn_choose(0, yielded);
		if (sim.choice.cut)
			return false;
	}
	sim.preempted = false;
	if (!id)
		wf__order_step(&sim.order, 0);
	if (id)
		give_turn(id);
	else if (!(sim.ready.n == 0 && wake_settler()) && !move_clock()) {
		judge();
		return false;
	}
	return true;
}

/* ---- between schedules ---- */

/* A coroutine that never goes on: its stack is free again. */
static bool
drop_coro(struct wf__stack *stack, void *arg)
{
	struct wf__coro *c = (struct wf__coro *)stack;
	wf__word state = wf__load_acquire(&c->state);		/* [state] */

	(void)arg;
	if (state == WF__FREE || state == WF__LEFT)
		return true;
	wf__store_release(&c->state, WF__FREE);			/* [state] */
	wf__fiber_death(&c->fiber);
	wf__stack_put(&sim.worker->stacks, stack);
	return true;
}

static bool
drop_start(struct wf__start *s, void *arg)
{
	(void)arg;
	wf__store_release(&s->live, 0);			/* [start-live] */
	wf__start_put(wf__self(), s);
	return true;
}

static void
drop_all(void)
{
	struct wf__sim_object *o = sim.objects.items;
	size_t n;

	wf__timerq_forget(&sim.worker->timers);
	wf__simnet_renew();
	wf__readers_forget(sim.numbers);
	wf__stack_each(drop_coro, NULL);
	wf__start_each(drop_start, NULL);
	while ((n = sim.objects.n))
		wf__free(o[n - 1].p, o[n - 1].size);	/* takes it out */
}

/* The worker and what it shares, as on the first day, but with its caches. */
static void
renew(void)
{
	struct wf__worker *w = sim.worker;

	memset(&wf__sched.shared, 0, sizeof wf__sched.shared);
	memset(&wf__sched.starved, 0, sizeof wf__sched.starved);
	/* Relaxed, all: nobody else is there. */
	wf__store_relaxed(&wf__sched.spawned, 0);
	wf__store_relaxed(&wf__sched.ids, 0);
	wf__store_relaxed(&wf__sched.blocked, 0);
	wf__store_relaxed(&wf__sched.clock, BEGINNING);
	memset(&w->inbox, 0, sizeof w->inbox);
	wf__store_relaxed(&w->inbox_length, 0);
	wf__store_relaxed(&w->spawned, 0);
	wf__store_relaxed(&w->ended, 0);
	wf__store_relaxed(&w->blocking, 0);
	w->id_next = w->id_end = 0;
	w->post.commit = NULL;
	w->handed = NULL;
	wf__sched_count(w, 0);
	wf__runq_init(&w->queue);
	wf__timerq_forget(&w->timers);
	sim.numbers = wf__wait_show_anew(true);
	sim.now = BEGINNING;
	sim.steps = sim.running = sim.next = 0;
	sim.ready.n = sim.settlers.n = sim.objects.n = 0;
	sim.preempted = sim.has_ended = false;
	sim.main_ended = sim.main_exited = sim.no_memory = false;
	sim.outcome = WF_SIM_PASSED;
	sim.what[0] = '\0';
}

/* What each of those who are left waits for. */
static void
tell_the_rest(void)
{
	struct wf__person *p;

	for (uint32_t id = 1; (p = wf__story_person(&sim.story, id)); id++)
		if (!p->coro)
			wf__story_tell(&sim.story, id, "has not begun");
		else if (!p->ended && is_parked(p->coro))
			tell_wait(id, p->coro, "is left parked ");
}

/* The last step; and those whose steps it has prevented. */
static void
end_kind(void)
{
	const struct wf__ready *r = sim.ready.items;
	uint64_t left = 0;

	wf__turn_gather();
	wf__order_close(&sim.order);
	wf__choice_note(&sim.choice, &sim.order);
	r = sim.ready.items;
	for (size_t i = 0; i < sim.ready.n; i++)
		left |= UINT64_C(1) << r[i].id % WF__ORDER_WHO;
	wf__source_end(&sim.choice.source, &sim.order, left);
}

int
wf__sim_play(const struct wf__play *play, const struct wf__recipe *recipe,
    bool story)
{
	struct wf__entry main = play->entry;

	renew();
	wf__simnet_renew();
	wf__choice_begin(&sim.choice, recipe);
	wf__order_begin(&sim.order, recipe->how == WF__CHOICE_KINDS ||
	    (recipe->how == WF__CHOICE_ALL && sim.options->reduce),
	    recipe->how == WF__CHOICE_KINDS);
	wf__story_begin(&sim.story, story);
	if (wf__coro_spawn(&main, wf__stack_class(SIM_STACK), true,
	    play->shape, play->words) < 0)
		return -ENOMEM;
	while (play_on())
		;
	if (sim.outcome)
		tell_the_rest();
	else if (recipe->how == WF__CHOICE_KINDS && !sim.choice.cut)
		end_kind();
	sim.choice.crowded |= sim.order.crowded;
	sim.no_memory |= sim.order.no_memory || sim.choice.no_memory;
	drop_all();
	return sim.no_memory ? -ENOMEM : (int)sim.outcome;
}

static const struct wf__seam *seam_before;

void
wf__sim_open(const struct wf_sim_options *options)
{
	memset(&sim, 0, sizeof sim);
	sim.options = options;
	wf__simnet_open(&options->net);
	sim.worker = wf__sched_worker(0);
	sim.ended = wf__sched.hooks.ended;
	wf__sched.hooks.ended = wf__point_ended;
	wf__report_hooks.misuse = wf__point_misuse;
	seam_before = wf__seam;
	wf__seam = &wf__point_seam;
	wf__self_set(sim.worker);
	sim.worker->err = wf__errno_address();
	wf__fiber_thread(&sim.worker->fiber);
	wf__os_altstack_on(&sim.altstack);
}

void
wf__sim_close(void)
{
	wf__os_altstack_off(&sim.altstack);
	wf__self_set(NULL);
	wf__seam = seam_before;
	wf__report_hooks.misuse = NULL;
	wf__sched.hooks.ended = sim.ended;
	wf__wait_show_anew(false);
	wf__simnet_close();
	wf__choice_free(&sim.choice);
	wf__order_free(&sim.order);
	wf__story_free(&sim.story);
	wf__vec_free(&sim.ready, sizeof(struct wf__ready));
	wf__vec_free(&sim.ids, sizeof(uint32_t));
	wf__vec_free(&sim.settlers, sizeof(struct wf__task *));
	wf__vec_free(&sim.objects, sizeof(struct wf__sim_object));
}

#undef sim
