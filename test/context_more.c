/* SPDX-License-Identifier: MIT */
/*
 * context_more.c - what contexts carry and who learns of their end: causes,
 * values, roots that are cut off, merged contexts, calls that start when one
 * is done; synchronous propagation, depth, what each allocates.
 */
#include "tap.h"

#include <pthread.h>

#include "context.h"

#define HOUR (3600 * WF_SEC)

static bool
is_cause(wf_ctx *ctx, int err, const char *text)
{
	struct wf_cause c;
	int got = wf_ctx_cause(ctx, &c);

	if (got == err && c.err == err && !strcmp(c.text, text))
		return true;
	tap_note("cause %d, %d, \"%s\"; wanted %d, \"%s\"", got, c.err,
	    c.text, err, text);
	return false;
}

/* How many are linked to ctx. */
static int
children_of(wf_ctx *ctx)
{
	struct wf__cancel_list *l;
	int n = 0;

	for (size_t k = 0; (l = wf__cancel_nth_list(&ctx->cancel, k)); k++) {
		wf__lock(&l->lock);
		for (struct wf__cancel_child *c = l->children; c; c = c->next)
			n++;
		wf__unlock(&l->lock);
	}
	return n;
}

/*
 * 194: the table.  Each row makes at most three contexts, A on the root, B on
 * A and C on B, and ends them in the order that is given; the last one is
 * asked.
 */

enum how {
	NONE, PLAIN, TIMEOUT_0, TIMEOUT_FAR, CAUSED_0, CAUSED_FAR, WITHOUT, ROOT
};
enum { D = -ETIMEDOUT, C = -ECANCELED, P_ERR = -EPIPE, C_ERR = -EIO,
	SLOW = -EBUSY };
#define P "parent's"
#define K "child's"
#define S "slow"

static const struct wf_cause parents = { P_ERR, P }, childs = { C_ERR, K },
    slow = { SLOW, S }, empty = { 0, "" };

static const struct row {
	const char *name;
	enum how how[2];		/* A, B */
	struct {
		char which;		/* 'A', 'B'; 0: no more */
		const struct wf_cause *cause;
	} end[2];
	int err, cause;
	const char *text;
} table[] = {
	{ "background", { NONE }, { { 0, NULL } }, 0, 0, "" },
	{ "todo", { ROOT }, { { 0, NULL } }, 0, 0, "" },
	{ "cancel", { PLAIN }, { { 'A', NULL } }, C, C, "" },
	{ "cause", { PLAIN }, { { 'A', &parents } }, C, P_ERR, P },
	{ "no cause", { PLAIN }, { { 'A', &empty } }, C, C, "" },
	{ "parent's, child's", { PLAIN, PLAIN },
	  { { 'A', &parents }, { 'B', &childs } }, C, P_ERR, P },
	{ "child's, parent's", { PLAIN, PLAIN },
	  { { 'B', &childs }, { 'A', &parents } }, C, C_ERR, K },
	{ "parent's, plain child", { PLAIN, PLAIN },
	  { { 'A', &parents }, { 'B', NULL } }, C, P_ERR, P },
	{ "plain child, parent's", { PLAIN, PLAIN },
	  { { 'B', NULL }, { 'A', &parents } }, C, C, "" },
	{ "plain parent, child's", { PLAIN, PLAIN },
	  { { 'A', NULL }, { 'B', &childs } }, C, C, "" },
	{ "child's, plain parent", { PLAIN, PLAIN },
	  { { 'B', &childs }, { 'A', NULL } }, C, C_ERR, K },
	{ "timeout 0, cancel", { TIMEOUT_0 }, { { 'A', NULL } }, D, D, "" },
	{ "timeout far, cancel", { TIMEOUT_FAR }, { { 'A', NULL } }, C, C, "" },
	{ "timeout 0 for a cause", { CAUSED_0 }, { { 0, NULL } }, D, SLOW, S },
	{ "timeout far for one, cancel", { CAUSED_FAR }, { { 'A', NULL } },
	  C, C, "" },
	{ "timeout 0 for one, parent's", { PLAIN, CAUSED_0 },
	  { { 'A', &parents } }, D, SLOW, S },
	{ "timeout far for one, parent's", { PLAIN, CAUSED_FAR },
	  { { 'A', &parents } }, C, P_ERR, P },
	{ "without cancel", { NONE, WITHOUT }, { { 0, NULL } }, 0, 0, "" },
	{ "without, cancelled parent", { PLAIN, WITHOUT },
	  { { 'A', &parents } }, 0, 0, "" },
	{ "without, expired parent", { TIMEOUT_0, WITHOUT }, { { 0, NULL } },
	  0, 0, "" },
};

static wf_ctx *
make_for(wf_ctx *parent, enum how how)
{
	switch (how) {
	case PLAIN: return wf_ctx_with_cancel(parent);
	case TIMEOUT_0: return wf_ctx_with_timeout(parent, 0);
	case TIMEOUT_FAR: return wf_ctx_with_timeout(parent, HOUR);
	case CAUSED_0: return wf_ctx_with_timeout_cause(parent, 0, &slow);
	case CAUSED_FAR: return wf_ctx_with_deadline_cause(parent,
	    wf_now() + HOUR, &slow);
	case WITHOUT: return wf_ctx_without_cancel(parent);
	case ROOT: return wf_ctx_todo();
	default: return parent;
	}
}

static void
check_row(const struct row *row)
{
	wf_ctx *a = make_for(wf_ctx_background(), row->how[0]);
	wf_ctx *b = make_for(a, row->how[1]), *below;
	bool good;

	for (int i = 0; i < 2 && row->end[i].which; i++)
		wf_ctx_cancel_cause(row->end[i].which == 'A' ? a : b,
		    row->end[i].cause);
	below = wf_ctx_with_cancel(b);		/* born with the same */
	good = check_eq(wf_ctx_err(b), row->err);
	good &= check(is_cause(b, row->cause, row->text));
	good &= check_eq(wf_ctx_err(below), row->err);
	good &= check(is_cause(below, row->cause, row->text));
	if (!good)
		tap_note("in the row \"%s\"", row->name);
	wf_ctx_free(below);
	if (b != a)
		wf_ctx_free(b);
	wf_ctx_free(a);
}

static int
cause_table(void)
{
	_Static_assert(sizeof table / sizeof *table == 20, "rows of case 194");
	for (size_t i = 0; i < 20; i++)
		check_row(&table[i]);
	return 0;
}

/* Causes are copied, cut to fit, and stay when those above are freed. */
static int
cause_copies(void)
{
	wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *child = wf_ctx_with_cancel(top), *below;
	struct wf_cause cause = { -EIO, "" };

	check(is_cause(top, 0, ""));
	check_eq(wf_ctx_cause(NULL, NULL), -EINVAL);
	check_eq(wf_ctx_cause(top, NULL), 0);
	memset(cause.text, 'x', sizeof cause.text);	/* and no end */
	wf_ctx_cancel_cause(top, &cause);
	memset(&cause, 0, sizeof cause);
	below = wf_ctx_with_cancel(child);
	wf_ctx_free(top);
	wf_ctx_free(child);
	check_eq(wf_ctx_cause(below, &cause), -EIO);
	check_eq(strlen(cause.text), sizeof cause.text - 1);
	wf_ctx_free(below);
	below = wf_ctx_with_timeout_cause(wf_ctx_background(), WF_MS,
	    &(struct wf_cause){ 0, "too slow" });
	check_eq(wf_select(wf_on_done(below)), 0);
	check(is_cause(below, -ETIMEDOUT, "too slow"));
	wf_ctx_free(below);
	return 0;
}

/* 190, 191: born of a cancelled parent, also while that is cancelled. */

static void
cancel_with_cause(wf_ctx *ctx)
{
	wf_ctx_cancel_cause(ctx, &parents);
	check_eq(wf_ctx_err(ctx), C);
}

static void
born(wf_ctx *parent, int how)
{
	wf_ctx *ctx = make_for(parent, how % 2 ? PLAIN : CAUSED_FAR);

	check_eq(wf_select(wf_on_done(ctx)), 0);
	check_eq(wf_ctx_err(ctx), C);
	check(is_cause(ctx, P_ERR, P));
	wf_ctx_free(ctx);
	wf_ctx_unref(parent);
}

static int
born_with_cause(void)
{
	for (int round = 0; round < 100; round++) {
		wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
		wf_waitgroup wg = {0};

		for (int i = 0; i < 5; i++)
			if (i == round % 5)
				wf_waitgroup_spawn(&wg, cancel_with_cause,
				    top);
			else
				wf_waitgroup_spawn(&wg, born, wf_ctx_ref(top),
				    i);
		wf_waitgroup_wait(&wg);
		wf_ctx_free(top);
	}
	return 0;
}

/* 178, 179: who is registered with whom. */
static int
registered(void)
{
	wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *a = wf_ctx_with_cancel(top);
	static wf_ctx_key(int) key;
	wf_ctx *b = wf_ctx_with_value(top, key, &(int){ 5 });
	wf_ctx *c = wf_ctx_with_timeout(b, HOUR);
	wf_ctx *late, *cut = wf_ctx_without_cancel(top);

	check_eq(children_of(top), 2);
	check_eq(children_of(b), 1);
	wf_ctx_free(a);
	check_eq(children_of(top), 1);
	wf_ctx_cancel(top);
	check_eq(children_of(top), 0);
	check_eq(children_of(b), 0);
	check_eq(wf_ctx_err(b), C);
	check_eq(wf_ctx_err(c), C);
	check_eq(wf_ctx_err(cut), 0);
	late = wf_ctx_with_value(top, key, &(int){ 6 });
	check_eq(wf_ctx_err(late), C);
	check_eq(*wf_ctx_value(late, key), 6);
	check_eq(*wf_ctx_value(c, key), 5);
	check_eq(children_of(top), 0);
	wf_ctx_free(late);
	wf_ctx_free(cut);
	wf_ctx_free(c);
	wf_ctx_free(b);
	wf_ctx_free(top);
	return 0;
}

/* Values. */

struct user { const char *name; };
static wf_ctx_key(struct user) user_key, other_key;
static wf_ctx_key(const char) text_key;
static wf_ctx_key(wf_chan(int)) chan_key;

static int
values(void)
{
	struct user ann = { "Ann" }, bob = { "Bob" };
	wf_chan(int) c = NULL;
	wf_ctx *top = wf_ctx_with_value(wf_ctx_background(), user_key, &ann);
	wf_ctx *a = wf_ctx_with_value(top, text_key, "a text");
	wf_ctx *b = wf_ctx_with_timeout(a, HOUR);
	wf_ctx *d = wf_ctx_with_value(b, user_key, &bob);
	wf_ctx *e = wf_ctx_with_value(d, text_key, NULL);
	wf_ctx *f = wf_ctx_with_value(e, chan_key, &c);

	check(wf_ctx_value(top, user_key) == &ann);
	check(!wf_ctx_value(top, other_key) && !wf_ctx_value(top, text_key));
	check(!strcmp(wf_ctx_value(b, text_key), "a text"));
	check(!strcmp(wf_ctx_value(d, user_key)->name, "Bob"));
	check(wf_ctx_value(b, user_key) == &ann);
	check(!wf_ctx_value(e, text_key));	/* NULL shadows */
	check(wf_ctx_value(f, chan_key) == &c);
	check(wf_ctx_value(f, user_key) == &bob);
	wf_ctx_free(top);
	check_eq(wf_ctx_err(f), C);
	wf_ctx_free(a);
	wf_ctx_free(b);
	check(wf_ctx_value(f, user_key) == &bob);
	wf_ctx_free(d);
	wf_ctx_free(e);
	check(wf_ctx_value(f, user_key) == &bob);
	check(!wf_ctx_value(f, text_key));
	wf_ctx_free(f);
	check(!wf_ctx_value(NULL, user_key));
	check(!wf_ctx_value(wf_ctx_background(), user_key));
	check_eq(wf_ctx_err(wf_ctx_with_value(NULL, user_key, &ann)), -EINVAL);
	return 0;
}

/* Many keys: each finds its own, the nearest, at any depth. */
static int
many_values(void)
{
	enum { KEYS = 30, DEPTH = 200 };
	static wf_ctx_key(int) key[KEYS];
	uint64_t random = tap_seed();
	static int number[DEPTH];
	wf_ctx *chain[DEPTH];
	int newest[KEYS];

	for (int i = 0; i < KEYS; i++)
		newest[i] = -1;
	for (int i = 0; i < DEPTH; i++) {
		int k = (int)(tap_random(&random) % (i < 100 ? 5 : KEYS));
		wf_ctx *parent = i ? chain[i - 1] : wf_ctx_background();

		number[i] = i;
		chain[i] = wf_ctx_with_value(parent, key[k], &number[i]);
		newest[k] = i;
		for (int j = 0; j < KEYS; j++) {
			int *v = wf_ctx_value(chain[i], key[j]);

			check_eq(v ? *v : -1, newest[j]);
		}
	}
	for (int i = 0; i < DEPTH; i++)
		wf_ctx_free(chain[i]);
	return 0;
}

/* 187, 188: layers of all kinds, with values that stay whatever ends. */
static int
layers_with_values(void)
{
	enum { LAYERS = 40, VALUES = 10 };
	static wf_ctx_key(int) key[VALUES];
	static int number[VALUES];
	uint64_t random = tap_seed();
	wf_ctx *layer[LAYERS + VALUES], *leaf, *which;

	for (int round = 0; round < 40; round++) {
		int64_t ns = round % 2 ? WF_MS : 1000 * HOUR;
		int n = 0, k = 0;

		leaf = wf_ctx_background();
		for (int i = 0; i < LAYERS; i++) {
			enum how how = (enum how)(tap_random(&random) % 3);

			if (i % 4 == 0 && k < VALUES) {
				number[k] = k * 7;
				leaf = wf_ctx_with_value(leaf, key[k],
				    &number[k]);
				k++;
			} else
				leaf = how == NONE ?
				    wf_ctx_with_timeout(leaf, ns) :
				    wf_ctx_with_cancel(leaf);
			layer[n++] = leaf;
		}
		layer[n] = leaf = wf_ctx_with_timeout(leaf, ns);
		n++;
		for (int i = 0; i < k; i++)
			check_eq(*wf_ctx_value(leaf, key[i]), 7 * i);
		which = layer[tap_random(&random) % (uint64_t)n];
		if (ns == WF_MS)
			check_eq(wf_select(wf_on_done(leaf)), 0);
		else
			wf_ctx_cancel(which);
		check_eq(wf_ctx_err(leaf), ns == WF_MS ? D : C);
		for (int i = 0; i < k; i++)
			check_eq(*wf_ctx_value(leaf, key[i]), 7 * i);
		while (n > 0)
			wf_ctx_free(layer[--n]);
	}
	return 0;
}

/* 196: without cancel. */
static int
without_cancel(void)
{
	struct user ann = { "Ann" };
	wf_ctx *top = wf_ctx_with_timeout(wf_ctx_background(), HOUR);
	wf_ctx *a = wf_ctx_with_value(top, user_key, &ann);
	wf_ctx *cut = wf_ctx_without_cancel(a);
	wf_ctx *child = wf_ctx_with_cancel(cut);
	wf_ctx *grand = wf_ctx_without_cancel(child);

	wf_ctx_cancel(top);
	check_eq(wf_ctx_err(a), C);
	check_eq(wf_ctx_err(cut), 0);
	check_eq(wf_ctx_err(child), 0);
	check_eq(wf_ctx_deadline(cut), WF_FOREVER);
	check_eq(wf_ctx_deadline(child), WF_FOREVER);
	check(wf_ctx_value(child, user_key) == &ann);
	check_eq(wf_select(wf_on_done(cut), wf_on_default()), 1);
	wf_ctx_cancel(cut);
	check_eq(wf_ctx_err(cut), 0);
	wf_ctx_free(top);
	wf_ctx_free(a);
	wf_ctx_free(cut);
	check_eq(wf_ctx_err(child), 0);
	wf_ctx_free(child);
	check_eq(wf_ctx_err(grand), 0);
	check(wf_ctx_value(grand, user_key) == &ann);
	wf_ctx_free(grand);
	check_eq(wf_ctx_err(wf_ctx_without_cancel(NULL)), -EINVAL);
	return 0;
}

/* Merged: done with either. */

static int
merged(void)
{
	struct user ann = { "Ann" };

	for (int which = 0; which < 6; which++) {
		wf_ctx *a = wf_ctx_with_timeout(wf_ctx_background(), 2 * HOUR);
		wf_ctx *b = wf_ctx_with_timeout(wf_ctx_background(), HOUR);
		wf_ctx *v = wf_ctx_with_value(a, user_key, &ann);
		wf_ctx *m = wf_ctx_merge(v, b), *below = wf_ctx_with_cancel(m);
		wf_ctx *late;

		check_eq(wf_ctx_deadline(m), wf_ctx_deadline(b));
		check(wf_ctx_value(below, user_key) == &ann);
		check_eq(children_of(b), 1);
		if (which % 3 == 0)
			wf_ctx_cancel_cause(a, &parents);
		else if (which % 3 == 1)
			wf_ctx_cancel_cause(b, &childs);
		else
			wf_ctx_cancel(m);
		check_eq(wf_ctx_err(below), C);
		check(is_cause(below, which % 3 == 0 ? P_ERR : which % 3 == 1 ?
		    C_ERR : C, which % 3 == 0 ? P : which % 3 == 1 ? K : ""));
		check_eq(wf_ctx_err(a), which % 3 == 0 ? C : 0);
		check_eq(wf_ctx_err(b), which % 3 == 1 ? C : 0);
		check_eq(children_of(b), 0);
		check_eq(children_of(v), 0);
		late = wf_ctx_merge(a, b);
		check_eq(wf_ctx_err(late), which % 3 == 2 ? 0 : C);
		wf_ctx_free(late);
		if (which / 3) {
			wf_ctx_free(below);
			wf_ctx_free(m);
		}
		wf_ctx_free(a);
		wf_ctx_free(b);
		wf_ctx_free(v);
		if (!(which / 3)) {
			wf_ctx_cause(below, NULL);
			wf_ctx_free(m);
			wf_ctx_free(below);
		}
	}
	for (int i = 0; i < 2; i++) {		/* with itself, and its child */
		wf_ctx *a = wf_ctx_with_cancel(wf_ctx_background());
		wf_ctx *b = i ? wf_ctx_with_cancel(a) : wf_ctx_ref(a);
		wf_ctx *m = wf_ctx_merge(a, b), *n = wf_ctx_merge(b, a);
		wf_ctx *below = wf_ctx_merge(m, n);

		wf_ctx_cancel_cause(a, &parents);
		check(is_cause(below, P_ERR, P));
		wf_ctx_free(m);
		wf_ctx_free(a);
		wf_ctx_free(n);
		wf_ctx_free(b);
		wf_ctx_free(below);
	}
	check_eq(wf_ctx_err(wf_ctx_merge(NULL, wf_ctx_todo())), -EINVAL);
	check_eq(wf_ctx_err(wf_ctx_merge(wf_ctx_todo(), NULL)), -EINVAL);
	return 0;
}

static void
merge_again(wf_ctx *a, wf_ctx *b, wf_ctx *c)
{
	wf_ctx *m, *n, *o;

	do {
		m = wf_ctx_merge(a, b);
		n = wf_ctx_merge(m, c);
		o = wf_ctx_merge(n, m);
		wf_yield();
		wf_ctx_free(m);
		check_eq(wf_ctx_err(o), C);
		wf_ctx_free(o);
		check_eq(wf_ctx_err(n), C);
		wf_ctx_free(n);
	} while (!wf_ctx_err(a) && !wf_ctx_err(b) && !wf_ctx_err(c));
}

static int
merged_while_cancelled(void)
{
	for (int round = 0; round < 50; round++) {
		wf_ctx *x[3];
		wf_waitgroup wg = {0};

		for (int i = 0; i < 3; i++)
			x[i] = wf_ctx_with_cancel(wf_ctx_background());
		for (int i = 0; i < 6; i++)
			wf_waitgroup_spawn(&wg, merge_again, x[i % 3],
			    x[(i + 1) % 3], x[(i + 2) % 3]);
		wf_sleep(50 * WF_US);
		wf_ctx_cancel(x[round % 3]);
		wf_waitgroup_wait(&wg);
		for (int i = 0; i < 3; i++)
			wf_ctx_free(x[i]);
	}
	return 0;
}

/* Depth and width: no recursion, whatever the stack. */

static void
deep(long depth, int *done)
{
	wf_ctx **chain = calloc((size_t)depth, sizeof *chain);

	if (!check(chain))
		return;
	for (int round = 0; round < 3; round++) {
		for (long i = 0; i < depth; i++) {
			wf_ctx *up = i ? chain[i - 1] : wf_ctx_background();

			chain[i] = round == 2 && i ? wf_ctx_merge(
			    i > 1 ? chain[i - 2] : up, up) :
			    wf_ctx_with_cancel(up);
		}
		wf_ctx_cancel_cause(chain[0], &parents);
		check(is_cause(chain[depth - 1], P_ERR, P));
		for (long i = 0; i < depth; i++)	/* the last frees all */
			wf_ctx_free(chain[round == 1 ? depth - 1 - i : i]);
	}
	free(chain);
	*done = 1;
}

static int
deep_trees(void)
{
	struct wf_attr attr = { .stack_size = 16 << 10 };
	wf_waitgroup wg = {0};
	int done = 0;

	attr.waitgroup = &wg;
	check_eq(wf_spawn_with(&attr, deep, tap_scale(1000000, 100000),
	    &done), 0);
	wf_waitgroup_wait(&wg);
	check(done);
	return 0;
}

/* 185 and K2: every cancel returns only when all below is done, whoever was
 * first. */

enum { FAN = 4, NODES = 100, BELOW = 30 };

struct tree {
	wf_ctx *node[NODES];
	int go;			/* atomic */
};

static void
cancel_and_look_below(struct tree *t, int which)
{
	wf_ctx_cancel(t->node[which]);
	/* All of the subtree, by its numbers. */
	for (int first = which, n = 1; first < NODES;
	    first = first * FAN + 1, n *= FAN)
		for (int i = first; i < first + n && i < NODES; i++)
			check_eq(wf_ctx_err(t->node[i]), C);
}

static int
synchronous(void)
{
	uint64_t random = tap_seed();
	static struct tree t;

	for (int round = 0; round < 40; round++) {
		wf_waitgroup wg = {0};

		for (int i = 0; i < NODES; i++)
			t.node[i] = wf_ctx_with_cancel(i ?
			    t.node[(i - 1) / FAN] : wf_ctx_background());
		for (int i = 0; i < NODES; i++)
			wf_waitgroup_spawn(&wg, cancel_and_look_below, &t,
			    (int)(tap_random(&random) %
			    (round % 2 ? NODES : 6)));
		wf_waitgroup_spawn(&wg, cancel_and_look_below, &t, 0);
		wf_waitgroup_wait(&wg);
		for (int i = 0; i < NODES; i++)
			wf_ctx_free(t.node[i]);
	}
	return 0;
}

/* The same by threads, on a tree that takes a while. */

static struct wide {
	wf_ctx *top, **child;
	long n;
	pthread_barrier_t barrier;
} wide;

static void *
cancel_wide(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&wide.barrier);
	wf_ctx_cancel(wide.top);
	for (long i = wide.n - 1; i >= 0; i--)
		check_eq(wf_ctx_err(wide.child[i]), C);
	return NULL;
}

static void
synchronous_threads(void)
{
	pthread_t thread[3];

	wide.n = 10000;
	wide.child = calloc((size_t)wide.n, sizeof *wide.child);
	if (!check(wide.child))
		return;
	pthread_barrier_init(&wide.barrier, NULL, 3);
	for (int round = 0; round < 5; round++) {
		wide.top = wf_ctx_with_cancel(wf_ctx_background());
		for (long i = 0; i < wide.n; i++)
			wide.child[i] = wf_ctx_with_cancel(wide.top);
		for (int i = 0; i < 3; i++)
			check_eq(pthread_create(&thread[i], NULL, cancel_wide,
			    NULL), 0);
		for (int i = 0; i < 3; i++)
			pthread_join(thread[i], NULL);
		for (long i = 0; i < wide.n; i++)
			wf_ctx_free(wide.child[i]);
		wf_ctx_free(wide.top);
	}
	pthread_barrier_destroy(&wide.barrier);
	free(wide.child);
}

/* A parent that all share: children come and go on all workers, and its memory
 * goes with the last of them, who may be anywhere. */

static void
children_come_and_go(wf_ctx *parent, uint64_t random)
{
	wf_ctx *own[8] = { NULL };

	for (int i = 0; i < 300; i++) {
		int k = (int)(tap_random(&random) % 8);

		wf_ctx_free(own[k]);
		own[k] = make_for(parent, tap_random(&random) % 2 ? PLAIN :
		    tap_random(&random) % 2 ? WITHOUT : CAUSED_FAR);
		if (i % 16 == 0)
			wf_yield();
	}
	wf_ctx_unref(parent);
	for (int i = 0; i < 8; i++)
		wf_ctx_free(own[i]);
}

static int
shared_parent(void)
{
	uint64_t random = tap_seed();

	for (int round = 0; round < 20; round++) {
		wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
		wf_waitgroup wg = {0};

		for (int i = 0; i < 8; i++)
			wf_waitgroup_spawn(&wg, children_come_and_go,
			    wf_ctx_ref(top), tap_random(&random));
		if (round % 2)
			wf_sleep(100 * WF_US);
		wf_ctx_free(top);
		wf_waitgroup_wait(&wg);
	}
	return 0;
}

/* 199 to 203: calls. */

static void
count(int *n, int by)
{
	__atomic_add_fetch(n, by, __ATOMIC_RELEASE);
}

static void
wait_for(int *n, int value)
{
	while (__atomic_load_n(n, __ATOMIC_ACQUIRE) != value)
		wf_sleep(50 * WF_US);
}

static int
calls(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background()), *timed;
	int n = 0, m = 0;
	wf_ctx_call *call = wf_ctx_after(ctx, count, &n, 1), *other;

	tap_settle();
	check_eq(n, 0);
	check_eq(children_of(ctx), 1);
	wf_ctx_cancel(ctx);
	wait_for(&n, 1);
	check(!wf_ctx_after_stop(call));
	wf_ctx_after_free(call);
	call = wf_ctx_after(ctx, count, &n, 10);	/* 201: done already */
	wait_for(&n, 11);
	check(!wf_ctx_after_stop(call));
	wf_ctx_after_release(call);
	wf_ctx_free(ctx);
	timed = wf_ctx_with_timeout(wf_ctx_background(), WF_MS);
	wf_ctx_after_release(wf_ctx_after(timed, count, &n, 100));
	wait_for(&n, 111);
	check_eq(wf_ctx_err(timed), D);
	wf_ctx_free(timed);
	/* 202: stopped. */
	ctx = wf_ctx_with_cancel(wf_ctx_background());
	call = wf_ctx_after(ctx, count, &m, 1);
	other = wf_ctx_after(ctx, count, &n, 1000);
	check(wf_ctx_after_stop(call));
	check(!wf_ctx_after_stop(call));
	wf_ctx_free(ctx);
	wait_for(&n, 1111);
	check(!wf_ctx_after_stop(call));
	check_eq(m, 0);
	wf_ctx_after_free(call);
	wf_ctx_after_free(other);
	/* Never. */
	call = wf_ctx_after(wf_ctx_background(), count, &m, 1);
	check(wf_ctx_after_stop(call));
	check(!wf_ctx_after_stop(call));
	wf_ctx_after_free(call);
	wf_ctx_after_free(wf_ctx_after(wf_ctx_todo(), count, &m, 1));
	check(!wf_ctx_after(NULL, count, &m, 1));
	wf_ctx_after_free(NULL);
	wf_ctx_after_release(NULL);
	check(!wf_ctx_after_stop(NULL));
	check_eq(m, 0);
	return 0;
}

/* 203: the cancel does not wait for the function. */

static void
block_on(wf_chan(int) c, int *n)
{
	int v;

	wf_recv(c, &v);
	count(n, v);
}

static int
calls_that_block(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_ctx_call *call;
	int n = 0;

	call = wf_ctx_after(ctx, block_on, c, &n);
	wf_ctx_cancel(ctx);
	check_eq(__atomic_load_n(&n, __ATOMIC_ACQUIRE), 0);
	check(!wf_ctx_after_stop(call));
	wf_ctx_after_free(call);
	wf_ctx_free(ctx);
	check_eq(wf_send(c, 7), 1);
	wait_for(&n, 7);
	wf_chan_free(c);
	return 0;
}

/* Either it was stopped or it runs, never both, never neither. */

static void
stop_calls(wf_ctx_call **call, int n, int *stopped)
{
	for (int i = 0; i < n; i++)
		if (wf_ctx_after_stop(call[i]))
			count(stopped, 1);
}

static int
calls_against_stops(void)
{
	enum { CALLS = 60 };

	for (int round = 0; round < 30; round++) {
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		wf_ctx_call *call[CALLS];
		int ran = 0, stopped = 0;
		wf_waitgroup wg = {0};

		for (int i = 0; i < CALLS; i++)
			call[i] = wf_ctx_after(ctx, count, &ran, 1);
		wf_waitgroup_spawn(&wg, stop_calls, call, CALLS, &stopped);
		wf_waitgroup_spawn(&wg, stop_calls, &call[CALLS / 2],
		    CALLS / 2, &stopped);
		if (round % 2)
			wf_yield();
		wf_ctx_cancel(ctx);
		wf_waitgroup_wait(&wg);
		wait_for(&ran, CALLS - stopped);
		for (int i = 0; i < CALLS; i++)
			wf_ctx_after_free(call[i]);
		wf_ctx_free(ctx);
		check_eq(ran, CALLS - stopped);
	}
	return 0;
}

/* By threads, and on a runtime that was stopped in between. */
static void
calls_plain(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	int n = 0;
	wf_ctx_call *call = wf_ctx_after(ctx, count, &n, 1);

	check_eq(wf_stop(WF_FOREVER), 0);
	wf_ctx_cancel(ctx);
	wait_for(&n, 1);
	wf_ctx_after_free(call);
	wf_ctx_free(ctx);
	check_eq(wf_stop(WF_FOREVER), 0);
}

/* 184: what each asks of the allocator; and nothing at the end. */

static long asked;

static void
begin_counting(void)
{
	asked = tap_allocations();
}

static void
check_asked(int most)
{
	long n = tap_allocations() - asked;

	if (!check(n <= most))
		tap_note("%ld allocations, at most %d", n, most);
}

static int
allocations(void)
{
	struct user ann = { "Ann" };
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_MS);

	wf_select(wf_on_done(ctx));	/* all is warm */
	wf_ctx_free(ctx);
	begin_counting();
	check(wf_ctx_background() != wf_ctx_todo());
	check_asked(0);
	begin_counting();
	ctx = wf_ctx_with_value(wf_ctx_background(), user_key, &ann);
	check(wf_ctx_value(ctx, user_key) == &ann);
	check_asked(1);
	wf_ctx_free(ctx);
	begin_counting();
	ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_MS);
	wf_select(wf_on_done(ctx));
	check_eq(wf_ctx_err(ctx), D);
	check_asked(1);
	wf_ctx_free(ctx);
	begin_counting();
	ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx_cancel_cause(ctx, &parents);
	check_asked(1);
	wf_ctx_free(ctx);
	begin_counting();
	ctx = wf_ctx_with_timeout(wf_ctx_background(), HOUR);
	wf_ctx_free(ctx);
	check_asked(1);
	return 0;
}

int
main(void)
{
	tap_count_memory();
	tap_plain("calls, plain, over a stop", calls_plain);
	tap_test("194: the table of causes", cause_table);
	tap_test("causes are copied", cause_copies);
	tap_test("178, 179: who is registered", registered);
	tap_test("values", values);
	tap_test("values of many keys", many_values);
	tap_test("187, 188: layers with values", layers_with_values);
	tap_test("196: without cancel", without_cancel);
	tap_test("merged", merged);
	tap_test("deep trees", deep_trees);
	tap_test("199 to 202: calls", calls);
	tap_plain("K2: synchronous, threads", synchronous_threads);
	tap_test_workers("191: born with a cause", born_with_cause);
	tap_test_workers("merged while cancelled", merged_while_cancelled);
	tap_test_workers("K2: synchronous", synchronous);
	tap_test_workers("a shared parent", shared_parent);
	tap_test_workers("203: calls that block", calls_that_block);
	tap_test_workers("calls against stops", calls_against_stops);
	tap_workers(1);
	tap_test("184: allocations", allocations);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
