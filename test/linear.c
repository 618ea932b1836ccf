/* SPDX-License-Identifier: MIT */
/*
 * linear.c - random programs of channels, selects and locks, each simulated by
 * many schedules, and what they saw compared with sequential models.
 *
 * Each operation takes effect at one instant between its call and its return
 * (a send and a receive without a buffer at the same one): there must be an
 * order of these instants in which a model, in which nothing is concurrent,
 * gives the same results.  And at the end, when all that is left is parked,
 * the model must not allow any of these operations either: else a wake-up was
 * lost.
 *
 * The search for the order is after J. Wing, C. Gong, "Testing and verifying
 * concurrent objects", Journal of Parallel and Distributed Computing 17, 1993,
 * with a memory of what was tried, after G. Lowe, "Testing for
 * linearizability", 2017.
 *
 *	WEFT_TEST=full		a hundred times as many programs, fresh ones
 */
#include "tap.h"

enum {
	OBJECTS = 6, MOST_OPS = 30, COROUTINES = 4, ARMS = 3, MOST_CAP = 2,
	TRIED = 1 << 12
};

enum kind {
	SEND, RECV, TRY_SEND, TRY_RECV, CLOSE, SELECT, CANCEL,
	LOCK, TRY_LOCK, UNLOCK, READ, READ_END, WRITE, WRITE_END,
	ACQUIRE, TRY_ACQUIRE, RELEASE, DONE, DEFAULT
};

struct arm {
	enum kind kind;		/* SEND, RECV or DONE */
	int object, value;
};

struct op {
	enum kind kind;
	int who, n;		/* n: units */
	struct arm arm[ARMS];	/* the first one is what others are about */
	int arms;
	bool ordered, has_default;
	int after;		/* only if this op succeeded, or -1 */
	/* What happened: times by the program's clock, 0: not yet. */
	int call, ret, result, chosen;
	int got[ARMS];
	bool ok[ARMS];
};

/* The objects by their numbers: channels, of which the third is a context;
 * mutexes; a semaphore in place 5, a read-write lock in place 2 of programs
 * with locks. */
static struct program {
	bool locks;
	int coroutines, n, clock;
	int cap[OBJECTS];
	struct op op[MOST_OPS];
	wf_chan(int) chan[2];
	wf_ctx *ctx;
	wf_mutex mutex[2];
	wf_rwmutex rw;
	wf_sem sem;
} p;

enum { CTX = 2, MUTEX = 3, RW = 2, SEM = 5, UNITS = 2 };

/* ---- making programs ---- */

static uint64_t seed;

static int
below(int n)
{
	return (int)(tap_random(&seed) % (uint64_t)n);
}

static struct op *
add_op(int who, enum kind kind, int object)
{
	static struct op spare;
	struct op *o = p.n < MOST_OPS ? &p.op[p.n++] : &spare;

	memset(o, 0, sizeof *o);
	o->kind = kind;
	o->who = who;
	o->after = -1;
	o->arms = 1;
	o->arm[0] = (struct arm){ kind, object, p.n };
	return o;
}

static void
add_select(int who)
{
	struct op *o = add_op(who, SELECT, 0);

	o->arms = 1 + below(ARMS);
	for (int i = 0; i < o->arms; i++) {
		int object = below(3);

		o->arm[i] = (struct arm){ object == CTX ? DONE :
		    below(2) ? SEND : RECV, object, p.n + 32 * i };
	}
	o->ordered = below(3) == 0;
	o->has_default = below(4) == 0;
}

static void
add_chan_op(int who)
{
	static const enum kind kinds[] = { SEND, SEND, SEND, RECV, RECV, RECV,
	    TRY_SEND, TRY_RECV, SELECT, SELECT, SELECT, SELECT };
	enum kind kind = kinds[below(12)];

	if (below(10) == 0)
		kind = below(2) ? CLOSE : CANCEL;
	if (kind == SELECT)
		add_select(who);
	else
		add_op(who, kind, kind == CANCEL ? CTX : below(2));
}

/* Take something, perhaps do more, give it back. */
static void
add_bracket(int who, int depth)
{
	static const struct { enum kind take, give; int object; } all[] = {
	    { LOCK, UNLOCK, MUTEX }, { LOCK, UNLOCK, MUTEX + 1 },
	    { TRY_LOCK, UNLOCK, MUTEX }, { READ, READ_END, RW },
	    { WRITE, WRITE_END, RW }, { ACQUIRE, RELEASE, SEM },
	    { TRY_ACQUIRE, RELEASE, SEM } };
	int what = below(7), units = 1 + below(UNITS), taken = p.n;
	struct op *o = add_op(who, all[what].take, all[what].object);

	o->n = units;
	if (below(2) && depth < 2)
		add_bracket(who, depth + 1);
	else if (below(3) == 0)
		add_op(who, below(2) ? SEND : RECV, below(2));
	o = add_op(who, all[what].give, all[what].object);
	o->n = units;
	o->after = taken;
}

static void
make_program(uint64_t number, bool locks)
{
	memset(&p, 0, sizeof p);
	seed = number;
	p.locks = locks;
	p.coroutines = 2 + below(COROUTINES - 1);
	for (int i = 0; i < 2; i++)
		p.cap[i] = below(MOST_CAP + 1);
	for (int who = 0; who < p.coroutines; who++)
		for (int i = 1 + below(locks ? 2 : 5); i--; )
			if (p.n > MOST_OPS - 8)
				break;
			else if (locks)
				add_bracket(who, 0);
			else
				add_chan_op(who);
}

/* ---- running them ---- */

static int
run_select(struct op *o)
{
	struct wf_case cases[ARMS + 1];
	int n = 0;

	for (int i = 0; i < o->arms; i++) {
		const struct arm *a = &o->arm[i];

		if (a->kind == DONE)
			cases[n++] = wf_case_done(p.ctx);
		else if (a->kind == SEND)
			cases[n++] = wf_case_send_ok(p.chan[a->object],
			    &a->value, &o->ok[i]);
		else
			cases[n++] = wf_case_recv_ok(p.chan[a->object],
			    &o->got[i], &o->ok[i]);
	}
	if (o->has_default)
		cases[n++] = wf_case_default();
	return o->ordered ? wf_selectv_ordered(cases, (size_t)n) :
	    wf_selectv(cases, (size_t)n);
}

static int
run_lock_op(struct op *o)
{
	wf_mutex *m = &p.mutex[o->arm[0].object == MUTEX ? 0 : 1];

	switch (o->kind) {
	case LOCK: wf_mutex_lock(m); return 0;
	case TRY_LOCK: return wf_mutex_try_lock(m);
	case UNLOCK: wf_mutex_unlock(m); return 0;
	case READ: wf_rwmutex_read_lock(&p.rw); return 0;
	case READ_END: wf_rwmutex_read_unlock(&p.rw); return 0;
	case WRITE: wf_rwmutex_lock(&p.rw); return 0;
	case WRITE_END: wf_rwmutex_unlock(&p.rw); return 0;
	case ACQUIRE: wf_sem_acquire(&p.sem, (size_t)o->n); return 0;
	case TRY_ACQUIRE: return wf_sem_try_acquire(&p.sem, (size_t)o->n);
	default: wf_sem_release(&p.sem, (size_t)o->n); return 0;
	}
}

static int
run_op(struct op *o)
{
	wf_chan(int) c = o->arm[0].object < 2 ? p.chan[o->arm[0].object] :
	    NULL;

	switch (o->kind) {
	case SEND: return wf_send(c, o->arm[0].value);
	case RECV: return wf_recv(c, &o->got[0]);
	case TRY_SEND: return wf_try_send(c, o->arm[0].value);
	case TRY_RECV: return wf_try_recv(c, &o->got[0]);
	case CLOSE: return wf_close(c);
	case CANCEL: wf_ctx_cancel(p.ctx); return 0;
	case SELECT: return o->chosen = run_select(o);
	default: return run_lock_op(o);
	}
}

static void
run_all_of(int who)
{
	for (int i = 0; i < p.n; i++) {
		struct op *o = &p.op[i];

		if (o->who != who ||
		    (o->after >= 0 && p.op[o->after].result < 0))
			continue;
		o->call = ++p.clock;
		o->result = run_op(o);
		o->ret = ++p.clock;
	}
}

/* ---- the model ---- */

struct state {
	uint8_t value[2][MOST_CAP];
	uint8_t len[2];
	bool closed[3];		/* the context too */
	bool locked[2], writing;
	uint8_t reading, units;	/* units that are taken */
};

static bool
push(struct state *s, int c, int value)
{
	if (s->closed[c] || s->len[c] == p.cap[c])
		return false;
	s->value[c][s->len[c]++] = (uint8_t)value;
	return true;
}

static bool
pull(struct state *s, int c, int value)
{
	if (!s->len[c] || s->value[c][0] != (uint8_t)value)
		return false;
	memmove(&s->value[c][0], &s->value[c][1], MOST_CAP - 1);
	s->value[c][--s->len[c]] = 0;
	return true;
}

/* Without a partner for one without a buffer. */
static bool
can_run(const struct arm *a, const struct state *s)
{
	int c = a->object;

	if (a->kind == DONE || s->closed[c])
		return s->closed[c];
	return a->kind == SEND ? s->len[c] < p.cap[c] : s->len[c] > 0;
}

/* The i-th arm, which gave or took a value, or found the channel closed. */
static bool
apply_arm(const struct op *o, int i, bool ok, struct state *s)
{
	const struct arm *a = &o->arm[i];

	if (a->kind == DONE)
		return s->closed[a->object];
	if (a->kind == SEND || a->kind == TRY_SEND)
		return ok ? push(s, a->object, a->value) :
		    s->closed[a->object];
	if (ok)
		return pull(s, a->object, o->got[i]);
	return s->closed[a->object] && !s->len[a->object] && !o->got[i];
}

static bool
apply_select(const struct op *o, struct state *s)
{
	bool is_default = o->chosen == o->arms;

	for (int i = 0; i < o->arms; i++)
		if ((is_default || (o->ordered && i < o->chosen)) &&
		    can_run(&o->arm[i], s))
			return false;
	return is_default || apply_arm(o, o->chosen, o->ok[o->chosen], s);
}

static bool
set(bool *what, bool to)
{
	bool change = *what != to;

	*what = to;
	return change;
}

static bool
apply_lock(const struct op *o, struct state *s)
{
	bool *locked = &s->locked[o->arm[0].object == MUTEX ? 0 : 1];

	switch (o->kind) {
	case TRY_LOCK:
		if (o->result < 0)
			return *locked;
		/* fall through */
	case LOCK:
		return set(locked, true);
	case UNLOCK:
		return set(locked, false);
	case READ:
		s->reading++;
		return !s->writing;
	case READ_END:
		return s->reading-- > 0;
	case WRITE:
		return !s->reading && set(&s->writing, true);
	case WRITE_END:
		return set(&s->writing, false);
	case TRY_ACQUIRE:
		if (o->result < 0)
			return true;	/* others may wait in front */
		/* fall through */
	case ACQUIRE:
		return (s->units = (uint8_t)(s->units + o->n)) <= UNITS;
	default:
		s->units = (uint8_t)(s->units - o->n);
		return true;
	}
}

/* The whole operation, which has returned, at this instant. */
static bool
apply(const struct op *o, struct state *s)
{
	struct arm a = o->arm[0];

	switch (o->kind) {
	case TRY_SEND:
	case TRY_RECV:
		a.kind = o->kind == TRY_SEND ? SEND : RECV;
		if (o->result == -EAGAIN)
			return !can_run(&a, s);
		/* fall through */
	case SEND:
	case RECV:
		return apply_arm(o, 0, o->result == 1, s);
	case CLOSE:
		return set(&s->closed[a.object], true) == !o->result;
	case CANCEL:
		s->closed[CTX] = true;
		return true;
	case SELECT:
		return apply_select(o, s);
	default:
		return apply_lock(o, s);
	}
}

/* The value that o has passed over a channel without a buffer; false: none. */
static bool
passed(const struct op *o, bool *sent, int *c, int *value)
{
	int i = o->kind == SELECT ? o->chosen : 0;
	const struct arm *a = &o->arm[i < o->arms ? i : 0];

	if (o->kind > SELECT || o->kind == CLOSE || i >= o->arms ||
	    a->kind == DONE || p.cap[a->object] ||
	    !(o->kind == SELECT ? o->ok[i] : o->result == 1))
		return false;
	*sent = a->kind == SEND || a->kind == TRY_SEND;
	*c = a->object;
	*value = *sent ? a->value : o->got[i];
	return true;
}

static bool
first_arms_cannot(const struct op *o, const struct state *s)
{
	for (int i = 0; o->kind == SELECT && o->ordered && i < o->chosen; i++)
		if (can_run(&o->arm[i], s))
			return false;
	return true;
}

static bool
is_pair(const struct op *a, const struct op *b, const struct state *s)
{
	bool a_sent, b_sent;
	int a_c, b_c, a_value, b_value;

	return a->who != b->who && passed(a, &a_sent, &a_c, &a_value) &&
	    passed(b, &b_sent, &b_c, &b_value) && a_sent && !b_sent &&
	    a_c == b_c && (uint8_t)a_value == (uint8_t)b_value &&
	    !s->closed[a_c] && first_arms_cannot(a, s) &&
	    first_arms_cannot(b, s);
}

/* ---- at the end ---- */

static bool
is_left(const struct op *o)
{
	return o->call && !o->ret;
}

static bool
meet(const struct op *a, const struct op *b)
{
	if (a->who == b->who)
		return false;
	for (int i = 0; i < a->arms; i++)
		for (int j = 0; j < b->arms; j++)
			if (a->arm[i].kind == SEND && b->arm[j].kind == RECV &&
			    a->arm[i].object == b->arm[j].object)
				return true;
	return false;
}

static bool
is_any_left(enum kind kind)
{
	for (int i = 0; i < p.n; i++)
		if (p.op[i].kind == kind && is_left(&p.op[i]))
			return true;
	return false;
}

/* Others of the semaphore's queue may be in front: the least is the one that
 * counts when it is alone. */
static bool
is_alone_at_sem(const struct op *o)
{
	for (int i = 0; i < p.n; i++)
		if (&p.op[i] != o && p.op[i].kind == ACQUIRE &&
		    is_left(&p.op[i]))
			return false;
	return true;
}

static bool
could_go_on(const struct op *o, const struct state *s)
{
	bool locked = s->locked[o->arm[0].object == MUTEX ? 0 : 1];

	switch (o->kind) {
	case SEND:
	case RECV:
	case SELECT:
		for (int i = 0; i < o->arms; i++)
			if (can_run(&o->arm[i], s))
				return true;
		return false;
	case LOCK:
		return !locked;
	case READ:
		return !s->writing && !is_any_left(WRITE);
	case WRITE:
		return !s->writing && !s->reading;
	case ACQUIRE:
		return s->units + o->n <= UNITS && is_alone_at_sem(o);
	default:
		return true;		/* it never parks */
	}
}

static bool
is_quiet(const struct state *s)
{
	for (int i = 0; i < p.n; i++)
		for (int j = 0; is_left(&p.op[i]) && j < p.n; j++)
			if (could_go_on(&p.op[i], s) ||
			    (is_left(&p.op[j]) && meet(&p.op[i], &p.op[j])))
				return false;
	return true;
}

/* ---- the search for an order ---- */

static struct tried {
	uint32_t mask, round;
	struct state state;
} tried[TRIED];
static uint32_t round_number;

/* Has this been tried in this round?  Now it has. */
static bool
is_tried(uint32_t mask, const struct state *s)
{
	const unsigned char *byte = (const unsigned char *)s;
	uint32_t h = mask * UINT32_C(2654435761);
	struct tried *t;

	for (size_t i = 0; i < sizeof *s; i++)
		h = (h ^ byte[i]) * UINT32_C(16777619);
	t = &tried[h % TRIED];
	if (t->round == round_number && t->mask == mask &&
	    !memcmp(&t->state, s, sizeof *s))
		return true;
	t->round = round_number;
	t->mask = mask;
	memcpy(&t->state, s, sizeof *s);
	return false;
}

/* All that returned before the i-th was called are in the mask. */
static bool
is_minimal(uint32_t mask, int i)
{
	for (int j = 0; j < p.n; j++)
		if (!(mask >> j & 1) && p.op[j].ret &&
		    p.op[j].ret < p.op[i].call)
			return false;
	return true;
}

static bool
is_open(uint32_t mask, int i)
{
	return !(mask >> i & 1) && p.op[i].ret && is_minimal(mask, i);
}

static bool
has_order(uint32_t mask, const struct state *s)
{
	bool all = true, sent;
	struct state t;
	int c, value;

	if (is_tried(mask, s))
		return false;
	for (int i = 0; i < p.n; i++) {
		all &= !p.op[i].ret || mask >> i & 1;
		if (!is_open(mask, i))
			continue;
		if (!passed(&p.op[i], &sent, &c, &value)) {
			memcpy(&t, s, sizeof t);
			if (apply(&p.op[i], &t) &&
			    has_order(mask | 1u << i, &t))
				return true;
			continue;
		}
		for (int j = 0; j < p.n; j++)
			if (is_open(mask, j) &&
			    is_pair(&p.op[i], &p.op[j], s) &&
			    has_order(mask | 1u << i | 1u << j, s))
				return true;
	}
	return all && is_quiet(s);
}

/* ---- all together ---- */

static unsigned long done, left;

static void
count_results(void)
{
	for (int i = 0; i < p.n; i++) {
		done += p.op[i].ret != 0;
		left += is_left(&p.op[i]);
	}
}

static int
run_program(void)
{
	struct state s;

	p.clock = 0;
	for (int i = 0; i < p.n; i++) {
		struct op *o = &p.op[i];

		o->call = o->ret = o->result = o->chosen = 0;
		memset(o->got, 0, sizeof o->got);
		memset(o->ok, 0, sizeof o->ok);
	}
	for (int i = 0; i < 2; i++)
		p.chan[i] = wf_chan_make(int, (size_t)p.cap[i]);
	p.ctx = wf_ctx_with_cancel(wf_ctx_background());
	memset(p.mutex, 0, sizeof p.mutex);
	memset(&p.rw, 0, sizeof p.rw);
	memset(&p.sem, 0, sizeof p.sem);
	wf_sem_init(&p.sem, UNITS);
	for (int who = 0; who < p.coroutines; who++)
		wf_spawn(run_all_of, who);
	wf_sim_settle();
	count_results();
	round_number++;
	memset(&s, 0, sizeof s);
	wf_sim_check(has_order(0, &s));
	return 0;
}

/* The programs are the same each time, but for the full count. */
static uint64_t
first_program(void)
{
	return tap_scale(true, false) ? tap_seed() % 1000000000 : 1;
}

static void
many(bool locks)
{
	long programs = tap_scale(30000, 300);
	uint64_t first = first_program();
	struct wf_sim_result r;

	done = left = 0;
	for (long i = 0; i < programs; i++) {
		struct wf_sim_options o = { .schedules = 20, .seed =
		    (first + (uint64_t)i) * 100, .may_leave = true,
		    .how = i % 2 ? WF_SIM_PCT : WF_SIM_RANDOM, .result = &r };

		make_program(first + (uint64_t)i, locks);
		if (!check_eq(wf_sim(&o, run_program), 0))
			tap_note("program %ld", i + 1);
	}
	tap_note("%ld schedules: %lu operations, %lu parked at the end",
	    programs * 20, done, left);
	check(done > (unsigned long)programs * 20 && left > 1000);
}

static void
channels(void)
{
	many(false);
}

static void
locks(void)
{
	many(true);
}

/* Small ones, with all their schedules of one preemption. */
static void
all_schedules(void)
{
	long programs = tap_scale(400, 40), complete = 0, schedules = 0;
	uint64_t first = first_program() + 5000;
	struct wf_sim_result r;

	for (long i = 0; i < programs; i++) {
		struct wf_sim_options o = { .schedules = 2000,
		    .how = WF_SIM_EXHAUSTIVE, .preemptions = 1,
		    .may_leave = true, .result = &r };

		make_program(first + (uint64_t)i, i % 3 == 0);
		if (!check_eq(wf_sim(&o, run_program), 0))
			tap_note("program %ld", i + 1);
		complete += r.complete;
		schedules += r.schedules;
	}
	tap_note("%ld schedules: %ld of %ld programs complete", schedules,
	    complete, programs);
	check(complete > programs / 4);
}

/* The models can say no: results that cannot be. */
static void
wrong_results(void)
{
	struct state s;

	make_program(1, false);
	p.coroutines = 2;
	p.n = 0;
	p.cap[0] = 1;
	add_op(0, SEND, 0)->result = 1;
	add_op(1, RECV, 0)->result = 1;
	for (int i = 0; i < 2; i++) {
		p.op[i].call = 2 * i + 1;
		p.op[i].ret = 2 * i + 2;
	}
	for (int got = 0; got < 4; got++) {
		round_number++;
		memset(&s, 0, sizeof s);
		p.op[1].got[0] = got;
		check_eq(has_order(0, &s), got == p.op[0].arm[0].value);
	}
	p.op[1].got[0] = p.op[0].arm[0].value;
	p.op[0].call = 5;		/* received before it was sent */
	p.op[0].ret = 6;
	round_number++;
	memset(&s, 0, sizeof s);
	check(!has_order(0, &s));
	p.op[1].ret = 0;		/* sent, and the receiver still waits */
	round_number++;
	memset(&s, 0, sizeof s);
	check(!has_order(0, &s));
}

int
main(void)
{
	tap_plain("the models can say no", wrong_results);
	tap_plain("channels, selects, contexts", channels);
	tap_plain("locks and semaphores", locks);
	tap_plain("all schedules of small programs", all_schedules);
	return tap_end();
}
