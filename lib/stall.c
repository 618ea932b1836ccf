/* SPDX-License-Identifier: MIT */
/*
 * stall.c - coroutines that keep their worker for too long, named by option.
 * Layer 2.  Uses: stall, sched, report, os.
 *
 * The monitor sees that a worker has not switched since its last look, and
 * since when.  After the limit it says which coroutine that is, and asks the
 * thread where it is; once for each stall, and once more when it is over.  A
 * blocking region is no stall: it was said in advance.
 *
 * In a pump nobody looks on, so it is named when its turn is over.
 *
 * Of more than a few in a second the others are named in the next, if they last
 * so long.
 *
 * What runs on a worker is read while it may run on: it is true if the worker
 * has not switched until after the reading.
 */
#include "stall.h"

#include <stdio.h>

#include <weft/time.h>
#include "report.h"

enum {
	REPORTS_A_SECOND = 5,
	WHO = 200,			/* bytes of "hog (main.c:12)" */
	REPORT = 4096
};

static int64_t limit;
static bool by_turn;			/* it is a pump's */

#define SHORTLY WF_MS			/* an answer comes, as a rule */
#define GIVE_UP WF_SEC			/* none will */

/* Whose thread has been asked where it is, or NULL, and when. */
static struct {
	struct wf__worker *w;
	int64_t since;
} question;

/* How many were named in this second; and how many were over before their turn
 * came. */
static struct {
	int64_t since;
	unsigned named, left_out;
} rate;

/* Relaxed, in this file: see the head. */

void
wf__stall_open(int64_t ns)
{
	limit = ns;
	memset(&rate, 0, sizeof rate);
	memset(&question, 0, sizeof question);
	if (limit)
		wf__os_look_open();	/* if not, then without the place */
}

void
wf__stall_close(void)
{
	if (limit && !by_turn)
		wf__os_look_close();
	by_turn = false;
	limit = 0;
}

void
wf__stall_open_turns(int64_t ns)
{
	limit = ns;
	by_turn = true;
	memset(&rate, 0, sizeof rate);
}

bool
wf__stall_times_turns(void)
{
	return by_turn && limit;
}

/* Only a moment's truth, and meant so. */
__attribute__((noinline, no_sanitize("thread"))) static struct wf__coro *
peek_running(const struct wf__worker *w)
{
	return *(struct wf__coro *const volatile *)&w->running;
}

static bool
has_switched(const struct wf__worker *w)
{
	return wf__load_relaxed(&w->switches) != w->stall.switches;
}

static int
say_who(char *text, size_t size, const struct wf__entry *e)
{
	return snprintf(text, size, "coroutine %llu %.23s (%s:%d)",
	    (unsigned long long)e->id, wf__entry_name(e), e->site->file,
	    e->site->line);
}

static bool
is_one_too_many(int64_t now)
{
	if (now - rate.since >= WF_SEC) {
		rate.since = now;
		rate.named = 0;
	}
	if (rate.named < REPORTS_A_SECOND) {
		rate.named++;
		return false;
	}
	return true;
}

/* A line for each place: the first is where it is, the others are where calls
 * return to, and one byte before that belongs to the call. */
static size_t
write_places(char *text, size_t size, const struct wf__os_look *l)
{
	size_t n = 0;
	int added;

	for (int i = 0; i < l->n; i++) {
		if (n + 4 >= size)
			break;
		text[n++] = '\n';
		text[n++] = '\t';
		added = wf__os_symbol(text + n, size - n,
		    (uintptr_t)l->frames[i] - (i > 0));
		if (added < 0 || (size_t)added >= size - n)
			return n - 2;	/* whole lines only */
		n += (size_t)added;
	}
	return n;
}

static void
name_aloud(struct wf__worker *w, int64_t now, const struct wf__os_look *l)
{
	char text[REPORT], who[WHO], doing[40] = "computing";
	size_t n;

	if (l->call >= 0)
		snprintf(doing, sizeof doing, "in system call %ld", l->call);
	else if (wf__os_thread_blocked(&w->thread))
		snprintf(doing, sizeof doing, "asleep in the system");
	say_who(who, sizeof who, &w->stall.who);
	n = (size_t)snprintf(text, sizeof text, "weft: stall: %s has kept its "
	    "thread for %lld ms, %s%s", who,
	    (long long)((now - w->stall.since) / WF_MS), doing,
	    l->n ? ", at" : "; the thread does not say where");
	n += write_places(text + n, sizeof text - n - 100, l);
	if (rate.left_out)
		n += (size_t)snprintf(text + n, 100, "\n\t(%u more, before "
		    "this, were not named)", rate.left_out);
	rate.left_out = 0;
	wf__report_text(text, n);
}

/* The answer to the question, or none: it has taken too long. */
static void
follow_up_on(struct wf__worker *w, int64_t now)
{
	struct wf__os_look l = { .call = -1 };

	if (!wf__os_look_answer(&l, wf__os_now() + SHORTLY)) {
		if (now - question.since < GIVE_UP)
			return;
		wf__os_look_withdraw();
	}
	question.w = NULL;
	if (has_switched(w))
		return;			/* the place may be another's */
	w->stall.named = true;
	name_aloud(w, now, &l);
}

static void
pursue(struct wf__worker *w, int64_t now)
{
	const struct wf__os_look nothing = { .call = -1 };
	struct wf__coro *c = peek_running(w);

	w->stall.seen = true;
	if (!c || question.w || is_one_too_many(now))
		return;			/* at the next look perhaps */
	wf__entry_copy(&w->stall.who, &c->entry);
	if (has_switched(w) || !w->stall.who.site)
		return;
	if (wf__os_look_ask(&w->thread)) {
		question.w = w;
		question.since = now;
		follow_up_on(w, now);
	} else {
		w->stall.named = true;
		name_aloud(w, now, &nothing);
	}
}

static void
see_off(struct wf__worker *w, int64_t now)
{
	char who[WHO];

	if (w->stall.named) {
		say_who(who, sizeof who, &w->stall.who);
		wf__report("weft: stall: %s goes on after %lld ms", who,
		    (long long)((now - w->stall.since) / WF_MS));
	} else if (w->stall.seen)
		rate.left_out++;
	w->stall.switches = wf__load_relaxed(&w->switches);
	w->stall.since = now;
	w->stall.seen = w->stall.named = false;
}

static void
drop_question(void)
{
	wf__os_look_withdraw();
	question.w = NULL;
}

static void
attend(struct wf__worker *w, int64_t now)
{
	bool is_free = wf__load_relaxed(&w->blocking) ||
	    !wf__load_relaxed(&w->busy);

	if (question.w == w && (has_switched(w) || is_free))
		drop_question();
	if (has_switched(w))
		see_off(w, now);
	else if (is_free)
		w->stall.since = now;
	else if (question.w == w)
		follow_up_on(w, now);
	else if (!w->stall.named && now - w->stall.since >= limit)
		pursue(w, now);
}

void
wf__stall_look(int64_t now)
{
	size_t n = wf__load_acquire(&wf__sched.n_workers);	/* [worker] */

	if (wf__likely(!limit))
		return;
	for (unsigned i = 0; i < n; i++)
		attend(wf__sched_worker(i), now);
}

void
wf__stall_turn(const struct wf__entry *who, int64_t took)
{
	char text[WHO];

	if (wf__likely(took < limit) || is_one_too_many(wf__seam_now()))
		return;
	say_who(text, sizeof text, who);
	wf__report("weft: stall: %s has kept the host for %lld ms", text,
	    (long long)(took / WF_MS));
}
