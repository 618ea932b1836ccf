/* SPDX-License-Identifier: MIT */
/*
 * models.c - timers, contexts, groups, conditions, once and wait groups in
 * random programs, by many schedules, each verb compared with a sequential
 * model.  (Channels, selects and locks: linear.c.)
 *
 * In a simulation a verb gives way before it takes effect, and then no more
 * unless it parks.  So the order in which verbs return is the order in which
 * they took effect, and each model goes along: what is compared is exact.
 * Where a verb has parked, what it waited for must have come; and at the end,
 * nobody is parked whom the model would let go on.
 *
 *	WEFT_TEST=full		a hundred times as many programs
 */
#include "tap.h"

enum { WHO = 3, OPS = 6, MOST = 8 };

static struct {
	int who;
	int op[WHO][OPS][3];
	int ops[WHO];
} p;

static uint64_t seed;

static void
make_program(uint64_t number)
{
	seed = number;
	p.who = 2 + (int)(tap_random(&seed) % (WHO - 1));
	for (int who = 0; who < p.who; who++) {
		p.ops[who] = 2 + (int)(tap_random(&seed) % (OPS - 1));
		for (int i = 0; i < p.ops[who]; i++)
			for (int k = 0; k < 3; k++)
				p.op[who][i][k] =
				    (int)(tap_random(&seed) % 1000);
	}
}

/* ---- timers ---- */

static struct {
	wf_timer *timer;
	int64_t due, sent;	/* 0: not armed; no value */
} tm;

/* Time has gone on. */
static void
timer_goes(void)
{
	if (tm.due && tm.due <= wf_now()) {
		tm.sent = tm.due;
		tm.due = 0;
	}
}

static void
use_timer(int who, const int *op)
{
	int64_t when = 0, ns = (op[1] % 4 - 1) * WF_MS;
	bool pending;
	int r;

	(void)who;
	if (op[0] % 4 == 0) {
		wf_sleep((op[1] % 3 + 1) * WF_MS);
		return;
	}
	r = op[0] % 4 == 1 ? wf_timer_reset(tm.timer, ns) :
	    op[0] % 4 == 2 ? wf_timer_stop(tm.timer) :
	    wf_try_recv(wf_timer_chan(tm.timer), &when);
	timer_goes();
	pending = tm.due || tm.sent;
	if (op[0] % 4 == 3) {
		wf_sim_check(r == (tm.sent ? 1 : -EAGAIN) && when == tm.sent);
		tm.sent = 0;
		return;
	}
	wf_sim_check(r == pending);
	tm.due = op[0] % 4 == 1 && ns > 0 ? wf_now() + ns : 0;
	tm.sent = op[0] % 4 == 1 && ns <= 0 ? wf_now() : 0;
}

static void
make_timer(void)
{
	memset(&tm, 0, sizeof tm);
	tm.timer = wf_timer_make(2 * WF_MS);
	tm.due = wf_now() + 2 * WF_MS;
}

static void
check_timer(void)
{
	wf_sleep(WF_SEC);
	timer_goes();
	wf_sim_check(wf_try_recv(wf_timer_chan(tm.timer), NULL) ==
	    (tm.sent ? 1 : -EAGAIN));
}

/* ---- contexts ---- */

static struct {
	wf_ctx *ctx[MOST];
	int parent[MOST], err[MOST], n;
	bool cut[MOST];			/* from its parent's end */
	int64_t deadline[MOST];
	int calls, wanted, asked[MOST];	/* after its end */
} cx;

static void
end_ctx(int i, int err)
{
	if (cx.err[i])
		return;
	cx.err[i] = err;
	cx.wanted += cx.asked[i];
	for (int j = i + 1; j < cx.n; j++)
		if (cx.parent[j] == i && !cx.cut[j])
			end_ctx(j, err);
}

static void
contexts_go(void)
{
	for (int i = 0; i < cx.n; i++)
		if (cx.deadline[i] <= wf_now())
			end_ctx(i, -ETIMEDOUT);
}

static void
count_call(void)
{
	cx.calls++;
}

static void
add_ctx(int parent, int kind, int64_t ns)
{
	int i = cx.n;
	wf_ctx *p = i ? cx.ctx[parent] : wf_ctx_background();

	if (i == MOST)
		return;
	cx.ctx[i] = kind == 0 ? wf_ctx_with_timeout(p, ns) :
	    kind == 1 ? wf_ctx_without_cancel(p) : wf_ctx_with_cancel(p);
	cx.n++;
	cx.parent[i] = i ? parent : -1;
	cx.cut[i] = kind == 1;
	cx.deadline[i] = kind == 0 ? wf_now() + ns : WF_FOREVER;
	cx.err[i] = cx.asked[i] = 0;
	if (i && kind != 1 && cx.err[parent])
		cx.err[i] = cx.err[parent];
}

static void
use_context(int who, const int *op)
{
	int i = op[1] % cx.n, r;

	(void)who;
	switch (op[0] % 6) {
	case 0:
		contexts_go();
		add_ctx(i, op[2] % 4, (op[2] % 3 + 1) * WF_MS);
		break;
	case 1:
		wf_ctx_cancel(cx.ctx[i]);
		contexts_go();
		if (!cx.cut[i])
			end_ctx(i, -ECANCELED);
		break;
	case 2:
		wf_ctx_after(cx.ctx[i], count_call);
		contexts_go();
		cx.asked[i]++;
		cx.wanted += cx.err[i] != 0;
		break;
	case 3:
		r = wf_sleep_ctx(cx.ctx[i], (op[2] % 3 + 1) * WF_MS);
		contexts_go();
		if (r)
			wf_sim_check(r == cx.err[i]);
		break;
	default:
		r = wf_ctx_err(cx.ctx[i]);
		contexts_go();
		wf_sim_check(r == cx.err[i]);
	}
}

static void
make_contexts(void)
{
	memset(&cx, 0, sizeof cx);
	add_ctx(0, 2, 0);
	add_ctx(0, 0, 3 * WF_MS);
}

static void
check_contexts(void)
{
	wf_sleep(WF_SEC);
	contexts_go();
	for (int i = 0; i < cx.n; i++)
		wf_sim_check(wf_ctx_err(cx.ctx[i]) == cx.err[i]);
	wf_sim_check(cx.calls == cx.wanted);
}

/* ---- groups ---- */

static struct {
	wf_group *group;
	int limit, active, error;
} gr;

static int
grow_up(int naps, int result)
{
	if (naps)
		wf_sleep(naps * WF_MS);
	/* From here to the end of the child there is no other. */
	gr.active--;
	if (!gr.error)
		gr.error = result;
	return result;
}

static void
use_group(int who, const int *op)
{
	int r, result = op[2] % 3 ? 0 : -1 - op[2] % 5, before = gr.error;

	(void)who;
	switch (op[0] % 6) {
	case 0:				/* cancels at the end, as a step */
		r = wf_group_wait(gr.group);
		wf_sim_check(r == gr.error || (!r && !before));
		break;
	case 1:
		r = wf_ctx_err(wf_group_ctx(gr.group));
		wf_sim_check(!gr.error || r == -ECANCELED);
		break;
	case 2:
		wf_sim_check(wf_group_active(gr.group) == gr.active);
		break;
	default:
		r = wf_group_try_spawn(gr.group, grow_up, op[1] % 3, result);
		wf_sim_check(r == (gr.active < gr.limit ? 0 : -EAGAIN));
		gr.active += !r;
	}
}

static void
make_group(void)
{
	memset(&gr, 0, sizeof gr);
	gr.group = wf_group_make(wf_ctx_background());
	wf_group_limit(gr.group, gr.limit = 2);
}

static void
check_group(void)
{
	wf_sim_check(wf_group_wait(gr.group) == gr.error);
	wf_sim_check(gr.active == 0 && wf_group_active(gr.group) == 0);
	wf_sim_check(wf_ctx_err(wf_group_ctx(gr.group)) == -ECANCELED);
}

/* ---- conditions ---- */

static struct {
	wf_mutex lock;
	wf_cond cond;
	int queue[WHO * OPS], n, head;	/* who waits, in order */
	bool back[WHO];			/* is to come back, and is not yet */
	bool waits[WHO];
} cd;

/* All under the lock: its order is the model's. */
static void
use_cond(int who, const int *op)
{
	wf_mutex_lock(&cd.lock);
	switch (op[0] % 3) {
	case 0:
		cd.queue[cd.n++] = who;
		cd.waits[who] = true;
		wf_cond_wait(&cd.cond, &cd.lock);
		wf_sim_check(cd.back[who]);
		cd.back[who] = cd.waits[who] = false;
		break;
	case 1:
		wf_cond_signal(&cd.cond);
		if (cd.head < cd.n)
			cd.back[cd.queue[cd.head++]] = true;
		break;
	default:
		wf_cond_broadcast(&cd.cond);
		while (cd.head < cd.n)
			cd.back[cd.queue[cd.head++]] = true;
	}
	wf_mutex_unlock(&cd.lock);
}

static void
make_cond(void)
{
	memset(&cd, 0, sizeof cd);
}

static void
check_cond(void)
{
	int waiting = 0;

	for (int who = 0; who < WHO; who++) {
		wf_sim_check(!cd.back[who]);
		waiting += cd.waits[who];
	}
	wf_sim_check(waiting == cd.n - cd.head);
}

/* ---- once, and wait groups ---- */

static struct {
	wf_once once[2];
	int state[2];			/* 0, 1: begun, 2: done */
	wf_waitgroup wg;
	int count, zeros;
	int parked;
} ow;

static void
use_once(int who, const int *op)
{
	int i = op[1] % 2, r;

	(void)who;
	if (op[0] % 3 == 0) {
		r = wf_once_try_begin(&ow.once[i]);
		wf_sim_check(r == (ow.state[i] == 0 ? 1 :
		    ow.state[i] == 1 ? -EAGAIN : 0));
	} else {
		ow.parked++;
		r = wf_once_begin(&ow.once[i]);
		ow.parked--;
		wf_sim_check(ow.state[i] == (r ? 0 : 2));
	}
	if (r != 1)
		return;
	ow.state[i] = 1;
	wf_yield();
	wf_once_end(&ow.once[i]);
	ow.state[i] = 2;
}

static void
use_waitgroup(int who, const int *op)
{
	int zeros = ow.zeros;
	bool zero = !ow.count;

	(void)who;
	if (op[0] % 2) {
		ow.parked++;
		wf_waitgroup_wait(&ow.wg);
		ow.parked--;
		wf_sim_check(zero || !ow.count || ow.zeros > zeros);
	} else if (ow.count > 0 && op[1] % 4) {
		ow.count--;
		ow.zeros += !ow.count;
		wf_waitgroup_done(&ow.wg);
	}
}

static void
make_both(void)
{
	memset(&ow, 0, sizeof ow);
	wf_waitgroup_add(&ow.wg, ow.count = 2);
}

static void
check_once(void)
{
	wf_sim_check(!ow.parked);
}

static void
check_waitgroup(void)
{
	wf_sim_check(ow.count || !ow.parked);
}

/* ---- all together ---- */

static const struct model {
	void (*make)(void);
	void (*use)(int who, const int *op);
	void (*judge)(void);
} models[] = {
	{ make_timer, use_timer, check_timer },
	{ make_contexts, use_context, check_contexts },
	{ make_group, use_group, check_group },
	{ make_cond, use_cond, check_cond },
	{ make_both, use_once, check_once },
	{ make_both, use_waitgroup, check_waitgroup },
};

static const struct model *model;
static unsigned long done;

static void
run_all_of(int who)
{
	for (int i = 0; i < p.ops[who]; i++) {
		model->use(who, p.op[who][i]);
		done++;
	}
}

static int
run_program(void)
{
	model->make();
	for (int who = 0; who < p.who; who++)
		wf_spawn(run_all_of, who);
	if (model->use == use_timer || model->use == use_context ||
	    model->use == use_group)
		wf_sleep(WF_SEC);
	else
		wf_sim_settle();
	model->judge();
	return 0;
}

static void
compare(void)
{
	long n = tap_scale(20000, 200);

	done = 0;
	for (long i = 0; i < n; i++) {
		struct wf_sim_options o = { .schedules = 20, .seed =
		    (uint64_t)i * 100 + 1, .may_leave = true,
		    .how = i % 2 ? WF_SIM_PCT : WF_SIM_RANDOM };

		make_program((uint64_t)i + 1);
		if (!check_eq(wf_sim(&o, run_program), 0))
			tap_note("program %ld", i + 1);
	}
	tap_note("%lu operations", done);
	check(done > (unsigned long)n * 40);
}

int
main(void)
{
	static const char *const names[] = { "timers", "contexts", "groups",
	    "conditions", "once", "wait groups" };

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		model = &models[i];
		tap_plain(names[i], compare);
	}
	return tap_end();
}
