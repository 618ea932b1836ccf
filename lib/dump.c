/* SPDX-License-Identifier: MIT */
/*
 * dump.c - every coroutine: who, where from, doing what, since when.
 * Layer 7.  Uses: dump, coro, sched, stack, switch, report.
 *
 * Records are found by walking the slabs of stacks and the blocks of start
 * records, which never go away while the runtime runs; each is read while its
 * coroutine may run, so a line is true at some moment of the call.
 *
 * Callers are printed only when nothing runs: the unwinder works on top of
 * the parked stack itself, below its last frame.
 */
#include "dump.h"

#include <stdarg.h>
#include <stdio.h>

#include <weft/group.h>
#include <weft/look.h>
#include <weft/time.h>
#include "os.h"
#include "report.h"
#include "sched.h"
#include "selection.h"
#include "start.h"
#include "switch.h"
#include "wait.h"

enum { TEXT = 1024, WAIT = 512, FRAMES = 24, NEED_FOR_CALLERS = 16384 };

struct walk {
	int fd, err;
	const wf_group *group;		/* only its children; NULL: all */
	size_t n, limit, left_out;
	bool callers;
	int64_t now;
};

static bool
write_line(struct walk *d, const char *text, int n)
{
	if (n > TEXT - 1)
		n = TEXT - 1;
	d->err = wf__os_write(d->fd, text, (size_t)n);
	return !d->err;
}

static int
describe(char *text, size_t size, const struct wf__entry *e)
{
	return snprintf(text, size, "coroutine %llu %.23s (%s:%d)",
	    (unsigned long long)e->id, wf__entry_name(e), e->site->file,
	    e->site->line);
}

/* Behind what is in the text already; at most size. */
static int __attribute__((format(printf, 4, 5)))
add_text(char *text, size_t size, int n, const char *format, ...)
{
	va_list args;
	int more;

	va_start(args, format);
	more = vsnprintf(text + n, size - (size_t)n, format, args);
	va_end(args);
	return more < (int)size - n ? n + more : (int)size - 1;
}

/* ": to receive on channel 7, until a context is done, and 3 more" */
static int
append_cases(char *text, size_t size, int n, const struct wf__coro *c,
    uint64_t active)
{
	static const char *const what[] = {
	    [WF__CASE_RECV] = "to receive on channel",
	    [WF__CASE_SEND] = "to send on channel" };

	for (unsigned i = 0; i < WF__CASES_SHOWN && i < active; i++) {
		/* Relaxed: a report. */
		wf__word word = wf__load_relaxed(&c->cases[i]);
		unsigned kind = word % 4;

		n = add_text(text, size, n, i ? ", " : ": ");
		if (kind == WF__CASE_RECV || kind == WF__CASE_SEND)
			n = add_text(text, size, n, "%s %llu", what[kind],
			    (unsigned long long)wf__wait_shown(word / 4));
		else
			n = add_text(text, size, n, "until a context is done");
	}
	if (active > WF__CASES_SHOWN)
		n = add_text(text, size, n, ", and %llu more",
		    (unsigned long long)(active - WF__CASES_SHOWN));
	return n;
}

int
wf__dump_wait(char *text, size_t size, const struct wf__coro *c)
{
	/* Relaxed: a report. */
	const char *why = (const char *)wf__load_relaxed(&c->why);
	uint64_t object = wf__load_relaxed(&c->object);
	int n = add_text(text, size, 0, "%s", why ? why : "");

	if (why == wf__selection_why)
		return append_cases(text, size, n, c, object);
	if (object)
		n = add_text(text, size, n, " %llu",
		    (unsigned long long)wf__wait_shown(object));
	return n;
}

/* "parked 1.234 s to receive on channel 7" */
static int
describe_wait(char *text, size_t size, const struct wf__coro *c, int64_t now)
{
	/* Relaxed: a report. */
	int64_t ms = (now - (int64_t)wf__load_relaxed(&c->since)) / WF_MS;
	int n = add_text(text, size, 0, "parked %lld.%03lld s ",
	    (long long)(ms > 0 ? ms / 1000 : 0),
	    (long long)(ms > 0 ? ms % 1000 : 0));

	return n + wf__dump_wait(text + n, size - (size_t)n, c);
}

/* ---- callers ---- */

#if WF__ARCH_X86_64

static struct {
	void *frames[FRAMES];
	int n;
	void *back, *here;
} visit;

static void
collect_frames(void)
{
	visit.n = wf__os_backtrace(visit.frames, FRAMES);
	wf__switch(&visit.here, visit.back);
}

/* Sanitizers would take the visit for an overflow or a race. */
static void
write_callers(struct walk *d, struct wf__coro *c)
{
#if !defined WF__ASAN && !defined WF__TSAN
	char *low = c->stack.low + c->stack.guard;

	if ((char *)c->sp - low < NEED_FOR_CALLERS)
		return;
	wf__switch_visit(&visit.back, c->sp, collect_frames);
	/* The first two are the visit itself. */
	for (int i = 2; i < visit.n && write_line(d, "\t", 1); i++)
		wf__os_backtrace_write(d->fd, &visit.frames[i], 1);
#else
	(void)d;
	(void)c;
	(void)collect_frames;
#endif
}

#else

static void
write_callers(struct walk *d, struct wf__coro *c)
{
	(void)d;
	(void)c;
}

#endif

/* ---- the walk ---- */

static bool
within_limit(struct walk *d)
{
	if (d->n < d->limit) {
		d->n++;
		return true;
	}
	d->left_out++;
	return false;
}

static bool
concerns(const struct walk *d, const struct wf__entry *e)
{
	return !d->group || e->group == d->group;
}

static bool
dump_start(struct wf__start *s, void *arg)
{
	wf__word live = wf__load_acquire(&s->live);	/* [start-live] */
	struct walk *d = arg;
	struct wf__entry e;
	char text[TEXT];
	int n;

	wf__entry_copy(&e, &s->entry);
	/* Is it still the same one? */
	if (wf__load_acquire(&s->live) != live || !live ||
	    !concerns(d, &e) || !within_limit(d))
		return true;
	n = describe(text, sizeof text - 40, &e);
	n = n < TEXT - 40 ? n : TEXT - 41;
	n += snprintf(text + n, sizeof text - (size_t)n, ": %s\n",
	    live == WF__STARVED ? "waits for memory for a stack" :
	    "not begun yet");
	return write_line(d, text, n);
}

static int
describe_state(char *text, size_t size, const struct wf__coro *c,
    wf__word state, int64_t now)
{
	if (state == WF__PARKED)
		return describe_wait(text, size, c, now);
	/* Relaxed: a report. */
	return snprintf(text, size, "%s%s", state == WF__RUNNING ? "running" :
	    "ready to run", wf__load_relaxed(&c->pinned) ? ", pinned" : "");
}

static bool
dump_coro(struct wf__stack *stack, void *arg)
{
	struct wf__coro *c = (struct wf__coro *)stack;
	wf__word state = wf__load_acquire(&c->state);		/* [state] */
	struct walk *d = arg;
	struct wf__entry e;
	char text[TEXT];
	int n;

	if (state == WF__FREE || state == WF__LEFT)
		return true;
	wf__entry_copy(&e, &c->entry);
	/* What is read is words that were an entry, or two: all that they
	 * point to is static. */
	if (!e.site || !concerns(d, &e) || !within_limit(d))
		return true;
	n = describe(text, TEXT - WAIT, &e);
	n = n < TEXT - WAIT ? n : TEXT - WAIT - 1;
	n = add_text(text, sizeof text, n, ": ");
	n += describe_state(text + n, sizeof text - (size_t)n - 1, c, state,
	    d->now);
	n = add_text(text, sizeof text, n, "\n");
	if (!write_line(d, text, n))
		return false;
	if (d->callers && state == WF__PARKED)
		write_callers(d, c);
	return true;
}

int
wf__dump_all(int fd, size_t limit, bool callers)
{
	struct walk d = { .fd = fd, .limit = limit, .callers = callers,
	    .now = wf__seam_now() };
	char text[TEXT];
	int n;

	/* Relaxed: a report. */
	n = snprintf(text, sizeof text, "weft: %llu coroutines, %llu workers\n",
	    (unsigned long long)wf__sched_live(),
	    (unsigned long long)wf__load_relaxed(&wf__sched.n_workers));
	if (!write_line(&d, text, n))
		return d.err;
	/* In this order, who begins meanwhile may be there twice, but is not
	 * missed. */
	wf__start_each(dump_start, &d);
	if (!d.err)
		wf__stack_each(dump_coro, &d);
	if (!d.err && d.left_out) {
		n = snprintf(text, sizeof text, "and %zu more\n", d.left_out);
		write_line(&d, text, n);
	}
	return d.err;
}

void
wf__dump_who(char *text, size_t size)
{
	struct wf__worker *w = wf__self();

	if (w && w->running)
		describe(text, size, &w->running->entry);
}

/* ---- what a run leaves behind ---- */

size_t wf__dump_left;

static bool
leave_coro(struct wf__stack *stack, void *arg)
{
	struct wf__coro *c = (struct wf__coro *)stack;
	size_t *n = arg;

	if (wf__load_acquire(&c->state) != WF__FREE &&		/* [state] */
	    wf__load_acquire(&c->state) != WF__LEFT) {
		wf__store_release(&c->state, WF__LEFT);
		++*n;
	}
	return true;
}

static bool
leave_start(struct wf__start *s, void *arg)
{
	size_t *n = arg;

	wf__store_release(&s->live, 0);			/* [start-live] */
	++*n;
	return true;
}

void
wf__dump_leave_behind(void)
{
	wf__stack_each(leave_coro, &wf__dump_left);
	wf__start_each(leave_start, &wf__dump_left);
}

bool
wf__dump_overflow(void *address)
{
	struct wf__worker *w = wf__self();
	struct wf__coro *c = w ? w->running : NULL;

	if (!c || !wf__stack_guards(&c->stack, address))
		return false;
	wf__report("weft: stack overflow in coroutine %llu %s (%s:%d): more "
	    "than the %zu bytes of its stack of %zu KiB are used",
	    (unsigned long long)c->entry.id, wf__entry_name(&c->entry),
	    c->entry.site->file, c->entry.site->line,
	    (size_t)(c->stack.high - c->stack.low) - c->stack.guard,
	    (size_t)(c->stack.high - c->stack.low) / 1024);
	return true;
}

WF_API int
wf_dump(int fd)
{
	return wf__dump_all(fd, SIZE_MAX, false);
}

WF_API int
wf_group_dump(const wf_group *g, int fd)
{
	struct walk d = { .fd = fd, .group = g, .limit = SIZE_MAX,
	    .now = wf__os_now() };

	if (!g)
		return 0;
	wf__start_each(dump_start, &d);
	if (!d.err)
		wf__stack_each(dump_coro, &d);
	return d.err;
}
