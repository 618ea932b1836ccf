/* SPDX-License-Identifier: MIT */
/*
 * coro.c - a coroutine's life: spawned, begun, run, ended.
 * Layer 2.  Uses: coro, start, sched, park, stack, switch.
 *
 * A spawn fills in a start record, 200 bytes from the worker's own list, and
 * queues it.  The worker that picks it gives it a stack; a worker whose
 * coroutine ends runs the next start on the same stack, without a switch.
 */
#include "coro.h"

#include <errno.h>

#include "blocking.h"
#include "budget.h"
#include "park.h"
#include "report.h"
#include "seam.h"
#include "share.h"
#include "slot.h"
#include "start.h"
#include "switch.h"

enum { IDS_BLOCK = 1024 };

/* ---- spawn ---- */

/* Numbers in blocks, so that spawning on many cores shares no counter.
 * Relaxed: they only have to differ. */
static uint64_t
next_id(struct wf__worker *w)
{
	if (!w)
		return wf__add_relaxed(&wf__sched.ids, 1) + 1;
	if (w->id_next == w->id_end) {
		w->id_next = wf__add_relaxed(&wf__sched.ids, IDS_BLOCK) + 1;
		w->id_end = w->id_next + IDS_BLOCK;
	}
	return w->id_next++;
}

void
wf__coro_prepare(struct wf__start *s, const struct wf__entry *entry,
    int class, unsigned shape, const uint64_t *words)
{
	wf__entry_copy(&s->entry, entry);
	s->task.kind = WF__START;
	s->task.class = (uint8_t)class;
	s->task.is_main = false;
	s->shape = shape;
	for (unsigned i = 0; i < (shape & 0xff); i++)
		s->words[i] = words[i];
}

/* Next, as its spawner will soon park or end; but behind others what a timer
 * starts, on the scheduler's own stack. */
void
wf__coro_launch(struct wf__start *s)
{
	struct wf__worker *w = wf__self();
	struct wf__tasks one = { 0 };

	/* Relaxed: like the rest of the entry. */
	wf__store_relaxed(&s->entry.id, next_id(w));
	/* For the dump, which reads the entry after it.  [start-live] */
	wf__store_release(&s->live, WF__QUEUED);
	if (wf__unlikely(wf__seam && wf__seam->launched))
		wf__seam->launched(s);
	if (!w) {
		wf__sched_visit(1);
		wf__add_acq_rel(&wf__sched.spawned, 1);
		wf__tasks_add(&one, &s->task);
		wf__share_push(&one);
		wf__sched_visit(-1);
		return;
	}
	wf__add_owned(&w->spawned, 1);
	if (wf__likely(w->running != NULL))
		wf__share_push_next(w, &s->task);
	else
		wf__share_push_last(w, &s->task);
}

int
wf__coro_spawn(const struct wf__entry *entry, int class, bool is_main,
    unsigned shape, const uint64_t *words)
{
	struct wf__start *s = wf__start_get(wf__self());

	if (wf__unlikely(!s))
		return -ENOMEM;
	wf__coro_prepare(s, entry, class, shape, words);
	s->task.is_main = is_main;
	wf__coro_launch(s);
	return 0;
}

/* ---- run ---- */

/* Words by their class bits into two register files. */
static void
sort_words(const struct wf__start *s, uint64_t ints[8], uint64_t floats[8])
{
	unsigned n = s->shape & 0xff, classes = s->shape >> 8, i = 0, f = 0;

	for (unsigned at = 0; at < n; at++)
		if (classes >> at & 1)
			floats[f++] = s->words[at];
		else
			ints[i++] = s->words[at];
}

/* Load the arguments, give the start record back, call. */
static int
call(struct wf__coro *me)
{
	struct wf__start *s = me->start;
	uint64_t ints[8], floats[8];
	bool has_floats = s->shape >> 8;

	if (has_floats)
		sort_words(s, ints, floats);
	else
		memcpy(ints, s->words, sizeof ints);
	me->start = NULL;
	/* [start-live] */
	wf__store_release(&s->live, 0);
	if (wf__unlikely(s->begun != NULL))
		s->begun(s);
	else
		wf__start_put(wf__self(), s);
	return wf__switch_call(me->entry.fn, ints, has_floats ? floats : NULL);
}

/* Make c the coroutine that s asked for. */
static void
become(struct wf__coro *c, struct wf__start *s)
{
	c->start = s;
	wf__entry_copy(&c->entry, &s->entry);
	c->task.kind = WF__CORO;
	c->task.is_main = s->task.is_main;
	wf__store_relaxed(&c->pinned, 0);	/* nobody else knows it yet */
	c->pins = 0;
	c->defers = NULL;
	c->slots = NULL;
	c->exiting = false;
	c->timer.fire = NULL;
	wf__store_relaxed(&c->timer.home, 0);
	/* For the dump: from now on the coroutine counts, not the start. */
	wf__store_release(&c->state, WF__RUNNABLE);		/* [state] */
}

static void
finish(struct wf__coro *me, int result)
{
	struct wf__worker *w;

	if (wf__unlikely(me->slots != NULL))
		wf__slot_end(me);	/* it may wait, and change threads */
	if (wf__unlikely(!(w = wf__self())))
		wf__misuse("fork", "the child of a fork has come to the end of "
		    "the coroutine that forked; it may only exit or exec");
	if (wf__unlikely(me->pins))
		w->pins--;
	wf__store_release(&me->state, WF__FREE);		/* [state] */
	/* Relaxed: the worker reads its own word. */
	wf__store_release(&w->ended,
	    wf__load_relaxed(&w->ended) + 1);			/* [live] */
	wf__sched.hooks.ended(me, result);
}

/* Can t begin on the stack of me, which has ended?  Sanitizers want a stack of
 * its own for each life, and ucontext a switch to load the control words. */
static bool
fits(const struct wf__coro *me, const struct wf__task *t)
{
#if defined WF__TSAN || defined WEFT_VALGRIND || WF__ARCH_UCONTEXT
	(void)me;
	(void)t;
	return false;
#else
	return t->kind == WF__START &&
	    t->class == wf__stack_class_of(&me->stack);
#endif
}

static void
coro_main(void)
{
	struct wf__coro *me = wf__self()->running;
	struct wf__worker *w;
	struct wf__task *t;

	wf__park_arrive(me);
	for (;;) {
		finish(me, call(me));
		w = wf__self();
		t = wf__sched_pick(w);
		if (!t || !fits(me, t))
			wf__park_end(w, t);
		become(me, wf__start_of(t));
		wf__switch_renew();
		/* Relaxed: for reports only. */
		wf__store_relaxed(&me->state, WF__RUNNING);
		wf__add_owned(&w->switches, 1);
	}
}

struct wf__coro *
wf__coro_begin(struct wf__worker *w, struct wf__start *s)
{
	struct wf__stack *stack = wf__budget_get(&w->stacks, s->task.class,
	    !s->task.is_main);
	struct wf__coro *c = (struct wf__coro *)stack;
	char *low;

	if (!c)
		return NULL;
	become(c, s);
	low = stack->low + stack->guard;
	wf__fiber_birth(&c->fiber, low, (size_t)((char *)c - low));
	c->sp = wf__switch_prepare(low, c, coro_main);
	return c;
}

WF__NORETURN void
wf__coro_exit(void)
{
	struct wf__coro *me = wf__self()->running;

	wf__blocking_leave_all(wf__self());
	while (me->defers)
		wf__defer_run(me->defers);
	me->exiting = true;
	finish(me, 0);
	wf__park_end(wf__self(), wf__sched_pick(wf__self()));
}

/* ---- public ---- */

static struct wf__coro *
running(void)
{
	struct wf__worker *w = wf__self();

	return w ? w->running : NULL;
}

WF_API int
wf_yield(void)
{
	struct wf__worker *w = wf__self();

	if (!w || !w->running) {
		wf__os_yield();
		return -EPERM;
	}
	wf__park_yield(w);
	wf__seam_touch(WF__ANYTHING);	/* it polls something, perhaps */
	return 0;
}

WF_API int
wf_exit(void)
{
	if (!running())
		return -EPERM;
	wf__coro_exit();
}

WF_API uint64_t
wf_self(void)
{
	struct wf__coro *me = running();

	return me ? me->entry.id : 0;
}

WF_API int
wf_pin(void)
{
	struct wf__worker *w = wf__self();
	struct wf__coro *me = w ? w->running : NULL;

	if (!me)
		return -EPERM;
	if (me->pins++ == 0)
		w->pins++;
	/* Relaxed: whoever readies me is told by what makes me park. */
	wf__store_relaxed(&me->pinned, (wf__word)w);
	return 0;
}

WF_API int
wf_unpin(void)
{
	struct wf__worker *w = wf__self();
	struct wf__coro *me = w ? w->running : NULL;

	if (!me || !me->pins)
		return -EPERM;
	if (--me->pins == 0) {
		w->pins--;
		wf__store_relaxed(&me->pinned, 0);	/* likewise */
	}
	return 0;
}
