/* SPDX-License-Identifier: MIT */
/*
 * source.c - partial-order reduction leaves nothing out: random programs of
 * all that weft has, each taken through all of its schedules, and again through
 * one of each kind only, end in the same ways.  With a bound on preemptions,
 * and without.
 *
 *	WEFT_TEST=full		more programs, and larger ones
 *	WEFT_TEST_PROGRAM=n	from this one on
 */
#include "tap.h"

enum { WHO = 4, OPS = 4, CHANS = 2, MOST_ENDS = 1 << 14 };

enum kind {
	SEND, RECV, TRY_SEND, TRY_RECV, CLOSE, LENGTH, SELECT, ORDERED,
	LOCKED, IN_TWO, POINTED, READ, WRITE, ACQUIRE, TRY_ACQUIRE, RELEASE,
	DONE, WAIT, AWAIT, SIGNAL, BROADCAST, ONCE, SLEEP, TICK, STOP, RESET,
	CANCEL, RECV_CTX, LOCK_CTX, ASK, AFTER, YIELD, SPAWN, GROUP, JOIN,
	KINDS,
	/* Over a connection of the simulation's, in programs of their own. */
	PUT = KINDS, GET, SHUT, HANG_UP, NET_KINDS
};

struct op {
	enum kind kind;
	int c, d, v;		/* channels, and something */
	bool flag;
};

/* What a program is made of, and what a schedule has made of it. */
static struct {
	int who, cap[CHANS];
	struct op op[WHO][OPS];
	int ops[WHO];
	bool waits;		/* for all others, at the end */
	bool apart;		/* each spawn is a step */
	bool net;		/* most is done over the network */
} p;

static struct {
	wf_chan(int) chan[CHANS];
	wf_mutex lock;
	wf_rwmutex rw;
	wf_cond cond;
	wf_sem sem;
	wf_waitgroup wg;
	wf_once once;
	wf_timer *timer;
	wf_ctx *ctx;
	wf_group *group;
	wf_conn *end[2];
	int locked, pointed, written, first, flag, polled;
	bool done[WHO];
	uint64_t log[WHO + 1];
	bool over;
} w;

/* ---- making programs ---- */

static uint64_t seed;

static int
below(int n)
{
	return (int)(tap_random(&seed) % (uint64_t)n);
}

static enum kind
some_kind(void)
{
	if (p.net && below(4))
		return (enum kind)(PUT + below(NET_KINDS - PUT));
	return (enum kind)below(below(2) ? LOCKED : KINDS);
}

/* Few kinds in each, so that they meet. */
static void
make_program(uint64_t number, bool net)
{
	enum kind kinds[5];
	int n = 2 + below(4);

	seed = number * 7919;
	memset(&p, 0, sizeof p);
	p.net = net;
	for (int i = 0; i < n; i++)
		kinds[i] = some_kind();
	p.who = 2 + below(WHO - 1);
	p.waits = below(4) != 0;
	p.apart = below(4) == 0;
	for (int i = 0; i < CHANS; i++)
		p.cap[i] = below(2);
	for (int i = 0; i < p.who; i++) {
		p.ops[i] = 1 + below(p.who > 3 ? 1 : p.who > 2 ? 2 : OPS - 1);
		for (int j = 0; j < p.ops[i]; j++)
			p.op[i][j] = (struct op){ kinds[below(n)],
			    below(CHANS), below(CHANS), 1 + below(3),
			    below(2) };
	}
}

/* ---- running them ---- */

static void
note(int who, int64_t what)
{
	w.log[who] = w.log[who] * UINT64_C(1000003) + (uint64_t)what + 1;
}

static int
do_select(const struct op *o, int *got)
{
	bool ok = false;
	struct wf_case cases[3] = { wf_case_recv(w.chan[o->c], got),
	    wf_case_send_ok(w.chan[o->d], &o->v, &ok) };
	size_t n = 2;
	int i;

	if (o->v == 1)
		cases[n++] = wf_case_done(w.ctx);
	else if (o->v == 2)
		cases[n++] = o->flag ? wf_case_default() :
		    wf_case_timeout(WF_MS);
	i = o->kind == ORDERED ? wf_selectv_ordered(cases, n) :
	    wf_selectv(cases, n);
	return 10 * i + ok;
}

static int
do_await(const struct op *o)
{
	int err = 0;

	wf_mutex_lock(&w.lock);
	while (!w.flag && !err)
		if (o->flag)
			err = wf_cond_wait_ctx(w.ctx, &w.cond, &w.lock);
		else
			wf_cond_wait(&w.cond, &w.lock);
	w.flag = 0;
	wf_mutex_unlock(&w.lock);
	return err;
}

static int
do_locked(const struct op *o, int who)
{
	int v;

	wf_mutex_lock(&w.lock);
	v = w.locked;
	if (o->kind == IN_TWO) {
		wf_mutex_unlock(&w.lock);
		wf_mutex_lock(&w.lock);
	}
	w.locked = 3 * v + who;
	if (o->kind == SIGNAL || o->kind == BROADCAST)
		w.flag = 1;
	if (o->kind == SIGNAL)
		wf_cond_signal(&w.cond);
	if (o->kind == BROADCAST)
		wf_cond_broadcast(&w.cond);
	wf_mutex_unlock(&w.lock);
	return v;
}

static int
do_pointed(int who)
{
	int v;

	wf_sim_point();
	v = w.pointed;
	wf_sim_point();
	w.pointed = 3 * v + who;
	return v;
}

static int
do_rw(const struct op *o, int who)
{
	int v;

	if (o->kind == READ) {
		wf_rwmutex_read_lock(&w.rw);
		v = w.written;
		wf_rwmutex_read_unlock(&w.rw);
		return v;
	}
	wf_rwmutex_lock(&w.rw);
	v = w.written;
	w.written = 3 * v + who;
	wf_rwmutex_unlock(&w.rw);
	return v;
}

/* Units are given back at once: more than there are is misuse. */
static int
do_sem(const struct op *o)
{
	int err = 0;

	if (o->kind == TRY_ACQUIRE)
		err = wf_sem_try_acquire(&w.sem, (size_t)o->v);
	else
		wf_sem_acquire(&w.sem, (size_t)o->v);
	if (!err && o->flag)
		wf_send(w.chan[o->c], o->v);
	if (!err)
		wf_sem_release(&w.sem, (size_t)o->v);
	return err;
}

/* There may be several: the sum of their notes does not depend on their
 * order. */
static void
born(int who)
{
	uint64_t me = wf_self() * 8 + (uint64_t)who;
	int v = 0, got;

	w.log[WHO] += me * UINT64_C(0x9e3779b97f4a7c15);
	got = wf_try_recv(w.chan[0], &v);
	w.log[WHO] += (me * 64 + (uint64_t)(got + 16) * 4 + (uint64_t)v) *
	    UINT64_C(0xbf58476d1ce4e5b9);
}

static int
child(int v)
{
	wf_try_send(w.chan[0], v);
	return v == 3 ? -EIO : 0;
}

static void
set_once(int who)
{
	w.first = who;
}

static int64_t
do_timer(const struct op *o)
{
	int64_t when = 0;

	switch (o->kind) {
	case SLEEP:
		wf_sleep(o->v * WF_MS);
		return wf_now();
	case TICK:
		return wf_select(wf_on_recv(wf_timer_chan(w.timer), &when),
		    wf_on_timeout(o->v * WF_MS)) + when;
	case STOP:
		return wf_timer_stop(w.timer);
	default:
		return wf_timer_reset(w.timer, (o->v - 1) * WF_MS);
	}
}

static int
do_ctx(const struct op *o, int *got)
{
	int err;

	switch (o->kind) {
	case CANCEL:
		wf_ctx_cancel(w.ctx);
		return 0;
	case RECV_CTX:
		return wf_recv_ctx(w.ctx, w.chan[o->c], got);
	case LOCK_CTX:
		if ((err = wf_mutex_lock_ctx(w.ctx, &w.lock)) == 0)
			wf_mutex_unlock(&w.lock);
		return err;
	case ASK:
		return wf_ctx_err(w.ctx);
	default:
		return wf_ctx_after(w.ctx, born, o->v) == NULL;
	}
}

static int64_t
do_net(const struct op *o, int *got)
{
	wf_ctx *bg = wf_ctx_background();
	wf_conn *c = w.end[o->c];
	char bytes[4] = "abc";
	int64_t n;

	switch (o->kind) {
	case PUT: return wf_conn_write(bg, c, bytes, (size_t)o->v);
	case SHUT: return wf_conn_close_write(c);
	case HANG_UP: return wf_conn_close(c);
	default:
		if (o->flag)
			wf_conn_set_read_deadline(c, wf_now() + o->v * WF_MS);
		n = wf_conn_read(bg, c, bytes, (size_t)o->v);
		*got = bytes[0];
		return n;
	}
}

static int64_t
do_op(const struct op *o, int who, int *got)
{
	wf_chan(int) c = w.chan[o->c];

	switch (o->kind) {
	case SEND: return wf_send(c, o->v);
	case RECV: return wf_recv(c, got);
	case TRY_SEND: return wf_try_send(c, o->v);
	case TRY_RECV: return wf_try_recv(c, got);
	case CLOSE: return wf_close(c);
	case LENGTH: return (int64_t)wf_len(c);
	case SELECT: case ORDERED: return do_select(o, got);
	case LOCKED: case IN_TWO: case SIGNAL: case BROADCAST:
		return do_locked(o, who);
	case POINTED: return do_pointed(who);
	case READ: case WRITE: return do_rw(o, who);
	case ACQUIRE: case TRY_ACQUIRE: case RELEASE: return do_sem(o);
	case DONE:
		if (!w.done[who])
			wf_waitgroup_done(&w.wg);
		w.done[who] = true;
		return 0;
	case WAIT: wf_waitgroup_wait(&w.wg); return 0;
	case AWAIT: return do_await(o);
	case ONCE: wf_once_do(&w.once, set_once, who); return w.first;
	case SLEEP: case TICK: case STOP: case RESET: return do_timer(o);
	case YIELD: return wf_yield();
	case SPAWN: return wf_spawn(born, who);
	case GROUP: return wf_group_try_spawn(w.group, child, o->v);
	case JOIN: return wf_group_wait(w.group);
	case PUT: case GET: case SHUT: case HANG_UP: return do_net(o, got);
	default: return do_ctx(o, got);
	}
}

static void
run_all_of(int who)
{
	for (int i = 0; i < p.ops[who]; i++) {
		int got = 0;

		note(who, do_op(&p.op[who][i], who, &got));
		note(who, got);
	}
}

/* ---- how they end ---- */

static struct ends {
	uint64_t end[MOST_ENDS];
	int n;
} some, all;
static struct ends *ends;

static bool
has_end(const struct ends *e, uint64_t end)
{
	for (int i = 0; i < e->n; i++)
		if (e->end[i] == end)
			return true;
	return false;
}

/* After a schedule that was not cut off. */
static void
note_end(void)
{
	uint64_t end = (uint64_t)w.locked * 31 + (uint64_t)w.pointed;

	for (int i = 0; i <= WHO; i++)
		end = (end ^ w.log[i]) * UINT64_C(0x9e3779b97f4a7c15);
	if (w.over && !has_end(ends, end) && ends->n < MOST_ENDS)
		ends->end[ends->n++] = end;
	w.over = false;
}

static void
set_up(void)
{
	for (int i = 0; i < CHANS; i++)
		w.chan[i] = wf_chan_make(int, (size_t)p.cap[i]);
	wf_sem_init(&w.sem, 3);
	wf_waitgroup_add(&w.wg, p.who);
	w.timer = wf_timer_make(2 * WF_MS);
	w.ctx = wf_ctx_with_timeout(wf_ctx_background(), 2 * WF_MS);
	w.group = wf_group_make(wf_ctx_background());
	if (p.net)
		wf_conn_pipe(w.end);
	for (int i = 0; i < p.who; i++)
		wf_spawn(run_all_of, i);
}

static void (*begin)(void) = set_up;

static int
program(void)
{
	note_end();			/* of the last schedule */
	memset(&w, 0, sizeof w);
	if (p.apart)
		begin();
	else
		wf_blocking		/* as one step */
			begin();
	for (int i = 0; !p.waits && i < 2; i++)
		w.log[WHO] += (uint64_t)wf_try_send(w.chan[i], 1);
	if (p.waits)
		wf_sleep(WF_SEC);
	w.over = true;
	return 0;
}

static struct wf_sim_result result;

static bool
explore(struct ends *e, unsigned bound, bool full, unsigned schedules)
{
	struct wf_sim_options o = { .how = WF_SIM_EXHAUSTIVE,
	    .preemptions = bound, .reduce = !full, .may_leave = true,
	    .schedules = schedules, .result = &result,
	    .net = { .ideal = true, .buffer = 3 } };

	ends = e;
	e->n = 0;
	w.over = false;
	check_eq(wf_sim(&o, program), 0);
	note_end();
	return result.complete;
}

static bool
same_ends(void)
{
	int n = 0;

	for (int i = 0; i < all.n; i++)
		n += has_end(&some, all.end[i]);
	return n == all.n && n == some.n;
}

/* ---- one by one ---- */

/* Programs in which two steps that have no object in common depend on each
 * other all the same: what makes them do so is at work in one place only. */

/* A look, after a turn for others, at what is no object of weft's. */

static void
poll_it(void)
{
	wf_yield();
	note(0, w.polled);
}

static void
set_it(void)
{
	wf_try_send(w.chan[1], 1);
	w.polled = 1;
}

static void
begin_polling(void)
{
	w.chan[1] = wf_chan_make(int, 1);
	wf_spawn(poll_it);
	wf_spawn(set_it);
}

/* Two calls for the same time: the one that is first in the queue begins the
 * first coroutine. */

static void
note_number(int who)
{
	note(who, (int64_t)wf_self());
}

static void
call_later(int who)
{
	wf_after_func(WF_MS, note_number, who);
}

static void
begin_timers(void)
{
	wf_spawn(call_later, 0);
	wf_spawn(call_later, 1);
}

/* Two children of a context: one of them is told first of its end, and so its
 * waiter is off the queue before the other one's. */

static void
acquire_under_child(int who, size_t units)
{
	wf_ctx *child = wf_ctx_with_cancel(w.ctx);

	note(who, wf_sem_acquire_ctx(child, &w.sem, units));
}

static void
begin_children(void)
{
	w.ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_sem_init(&w.sem, 3);
	wf_sem_acquire(&w.sem, 2);
	wf_spawn(acquire_under_child, 0, (size_t)3);
	wf_spawn(acquire_under_child, 1, (size_t)1);
	wf_spawn(wf_ctx_cancel, w.ctx);
}

/* A context that ends as a child of its group fails, and one who asks for its
 * error on the way. */

static int
fail(void)
{
	wf_try_send(w.chan[0], 1);
	return -EIO;
}

static void
ask_by_the_way(void)
{
	wf_try_recv(w.chan[1], NULL);
	note(0, wf_ctx_err(wf_group_ctx(w.group)));
}

static void
begin_group(void)
{
	for (int i = 0; i < CHANS; i++)
		w.chan[i] = wf_chan_make(int, 1);
	w.group = wf_group_make(wf_ctx_background());
	wf_group_spawn(w.group, fail);
	wf_spawn(ask_by_the_way);
}

/* ---- all together ---- */

static void
compare(unsigned bound, unsigned most, bool net)
{
	const char *from = getenv("WEFT_TEST_PROGRAM");
	long first = from ? atol(from) : 1;
	/* There is one thread only. */
	long n = tap_scale(2000, TAP_TSAN ? 40 : 200);
	long compared = 0, ways = 0;
	unsigned long reduced = 0, full = 0;

	most = (unsigned)tap_scale(10, 1) * most;
	for (long i = first; i < first + n; i++) {
		make_program((uint64_t)i, net);
		if (!explore(&all, bound, true, most))
			continue;
		full += result.schedules;
		compared++;
		check(explore(&some, bound, false, 1000000));
		reduced += result.schedules;
		ways += all.n;
		if (!check(same_ends()))
			tap_note("program %ld: %d ends of %d", i, some.n,
			    all.n);
	}
	tap_note("%ld programs with %ld ends: %lu schedules of %lu", compared,
	    ways, reduced, full);
	check(compared > n / 4 && ways > 2 * compared && reduced < full);
}

static void
each_alone(void)
{
	static const struct {
		const char *name;
		void (*begin)(void);
	} each[] = { { "polling", begin_polling }, { "timers", begin_timers },
	    { "children", begin_children }, { "group", begin_group } };

	memset(&p, 0, sizeof p);
	p.waits = true;
	for (int i = 0; i < 4; i++) {
		begin = each[i].begin;
		check(explore(&all, WF_SIM_ANY, true, 1000000));
		check(explore(&some, WF_SIM_ANY, false, 1000000));
		tap_note("%s: %d ends of %d", each[i].name, some.n, all.n);
		check(all.n > 1 && same_ends());
	}
	begin = set_up;
}

static void
without_bound(void)
{
	compare(WF_SIM_ANY, 3000, false);
}

static void
over_network(void)
{
	compare(WF_SIM_ANY, 3000, true);
}

static void
with_bounds(void)
{
	compare(1, 1000, false);
	compare(2, 1000, false);
}

int
main(void)
{
	tap_plain("what depends on more than objects", each_alone);
	tap_plain("one of each kind: all ends", without_bound);
	tap_plain("over the network: all ends", over_network);
	tap_plain("with a bound: all ends", with_bounds);
	return tap_end();
}
