/* SPDX-License-Identifier: MIT */
/*
 * fault.c - every allocation, mapping, guard, fence and thread fails in turn.
 *
 * In a FAULT build the n-th of these calls fails, n from WEFT_FAULT_AT.  One
 * workload runs in a child for n = 1, 2, 3 ... until n is past its last call.
 * Whatever fails, the workload ends with status 0: each of its calls gave a
 * result or an error code, what was started has ended, and every value that
 * was sent was received once.  Only a run that cannot start is 125.
 * Then the same without workers, pumped; and a network in a simulation, of
 * which afterwards no memory is left.
 */
#include "tap.h"

#ifdef WEFT_FAULT

#include "os.h"

enum { WORKERS = 4, BATCH = 70, VALUES = 20, CANNOT_START = 125 };

/* What a failed check in a child is to be told by. */
enum { WRONG = 3 };

struct tally {
	int started, ended;	/* atomic */
	int sent, received;	/* atomic: sums */
};

static void
produce(wf_chan(int) c, struct tally *t)
{
	for (int i = 1; i <= VALUES; i++)
		if (wf_send(c, i))
			__atomic_add_fetch(&t->sent, i, __ATOMIC_RELAXED);
	__atomic_add_fetch(&t->ended, 1, __ATOMIC_RELAXED);
}

static void
consume(wf_chan(int) c, wf_chan(int) stop, struct tally *t)
{
	for (int v, go = 1; go; )
		switch (wf_select(wf_on_recv(c, &v), wf_on_recv(stop, NULL),
		    wf_on_timeout(60 * WF_SEC))) {
		case 0:
			__atomic_add_fetch(&t->received, v, __ATOMIC_RELAXED);
			break;
		default:
			go = 0;
		}
	__atomic_add_fetch(&t->ended, 1, __ATOMIC_RELAXED);
}

static void
use_stack(struct tally *t, int depth)
{
	volatile char room[1024];

	room[0] = (char)depth;
	if (depth > 1)
		use_stack(t, depth - 1);
	else
		wf_yield();
	if (depth == 8)
		__atomic_add_fetch(&t->ended, 1, __ATOMIC_RELAXED);
	(void)room[0];
}

/* A context without memory is one that is done, with -ENOMEM. */
static int
contexts(wf_chan(int) c)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_MS);
	wf_ctx *child = wf_ctx_with_cancel(ctx);
	int v, err = wf_recv_ctx(child, c, &v);

	wf_ctx_free(child);
	wf_ctx_free(ctx);
	return err == -ETIMEDOUT || err == -ENOMEM ? 0 : WRONG;
}

/* A call that was made is called, also after a reset that was taken. */
static int
calls_made_later(void)
{
	wf_waitgroup wg = {0};
	wf_timer *t;

	wf_waitgroup_add(&wg, 1);
	if (!(t = wf_after_func(WF_MS, wf_waitgroup_done, &wg)))
		return 0;
	wf_waitgroup_wait(&wg);
	wf_waitgroup_add(&wg, 1);
	if (wf_timer_reset(t, WF_MS) < 0)
		wf_waitgroup_done(&wg);
	wf_waitgroup_wait(&wg);
	wf_timer_free(t);
	return 0;
}

/* A timer that was made fires. */
static int
timers(void)
{
	wf_chan_in(int64_t) c = wf_after(WF_MS);
	wf_ticker *t = wf_ticker_make(WF_MS);

	if (c && wf_recv(c, NULL) != 1)
		return WRONG;
	for (int i = 0; t && i < 3; i++)
		if (wf_recv(wf_ticker_chan(t), NULL) != 1)
			return WRONG;
	wf_chan_free(c);
	wf_ticker_free(t);
	return calls_made_later();
}

static void
count_one(struct tally *t)
{
	__atomic_add_fetch(&t->ended, 1, __ATOMIC_RELEASE);
}

/* A call that was registered is made, whatever fails by then. */
static int
calls(struct tally *t)
{
	static wf_ctx_key(struct tally) key;
	wf_ctx *top = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *v = wf_ctx_with_value(top, key, t);
	wf_ctx *cut = wf_ctx_without_cancel(v), *ctx = wf_ctx_merge(v, cut);
	wf_ctx_call *call[20];
	int n = t->ended, status = 0;

	if (!wf_ctx_err(ctx) && wf_ctx_value(ctx, key) != t)
		status = WRONG;
	for (int i = 0; i < 20; i++) {
		call[i] = wf_ctx_after(ctx, count_one, t);
		n += call[i] != NULL;
	}
	wf_ctx_free(ctx);
	for (int i = 0; i < 20; i++)
		wf_ctx_after_free(call[i]);
	while (__atomic_load_n(&t->ended, __ATOMIC_ACQUIRE) < n)
		wf_sleep(WF_MS);
	wf_ctx_free(cut);
	wf_ctx_free(v);
	wf_ctx_free(top);
	return status;
}

static int
count_and_fail(struct tally *t, wf_ctx *ctx)
{
	wf_select(wf_on_done(ctx), wf_on_timeout(WF_MS));
	count_one(t);
	return -EIO;
}

/* What was spawned has ended after the wait, and what was not is told. */
static int
groups(void)
{
	wf_group *g = wf_group_make(wf_ctx_background());
	struct tally t = {0};
	int error;

	wf_group_limit(g, 5);
	for (int i = 0; i < 40; i++)
		t.started += wf_group_spawn(g, count_and_fail, &t,
		    wf_group_ctx(g)) == 0;
	error = wf_group_wait(g);
	wf_group_free(g);
	return t.ended == t.started && error == (!g ? -ENOMEM :
	    t.started ? -EIO : 0) ? 0 : WRONG;
}

static int
work(wf_chan(int) c, wf_chan(int) stop, wf_chan(int) empty)
{
	const size_t sizes[] = { 0, 16 << 10, 1 << 20 };
	wf_waitgroup makers = {0}, others = {0};
	struct tally t = {0};
	struct wf_attr attr = { .waitgroup = &others };
	int consumers = 0;

	for (int i = 0; i < BATCH; i++) {
		if (wf_waitgroup_spawn(&makers, produce, c, &t) == 0)
			t.started++;
		attr.stack_size = sizes[i % 3];
		if (wf_spawn_with(&attr, use_stack, &t, 8) == 0)
			t.started++;
		if (wf_spawn_with(&attr, consume, c, stop, &t) == 0) {
			t.started++;
			consumers++;
		}
	}
	if (!consumers)
		wf_close(c);
	wf_waitgroup_wait(&makers);
	wf_close(stop);
	wf_waitgroup_wait(&others);
	if (t.ended != t.started || t.sent != t.received)
		return WRONG;
	return contexts(empty) || timers() || calls(&t) || groups() ?
	    WRONG : 0;
}

static int
workload(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_chan(int) stop = wf_chan_make(int, 0);
	wf_chan(int) empty = wf_chan_make(int, 3);
	int status = c && stop && empty ? work(c, stop, empty) : 0;

	wf_chan_free(c);
	wf_chan_free(stop);
	wf_chan_free(empty);
	return status;
}

/* The host has pumped a bit, with its descriptor if it can have one. */
static int
pumped_workload(void)
{
	struct wf_options o = { .workers = WF_PUMPED };
	struct tally t = { 0, 0, 0, 0 };

	if (wf_start(&o) < 0)
		return CANNOT_START;
	wf_pump_fd();
	t.started = wf_spawn(use_stack, &t, 8) == 0;
	wf_sleep(WF_MS);
	while (__atomic_load_n(&t.ended, __ATOMIC_RELAXED) < t.started)
		wf_pump(WF_MS);
	return wf_run(workload);
}

/* ---- a network in a simulation ---- */

static wf_ctx *
bg(void)
{
	return wf_ctx_background();
}

/* From one to the other, as far as they are there. */
static void
exchange(wf_conn *a, wf_conn *b)
{
	char text[WF_ADDRESS_TEXT];

	if (a && b && wf_conn_write(bg(), a, "hello", 5) > 0)
		wf_conn_read(bg(), b, text, sizeof text);
	wf_conn_free(a);
	wf_conn_free(b);
}

static int
use_network(void)
{
	wf_listener *l;
	wf_conn *c[2] = { NULL, NULL };

	wf_sim_host("here");
	wf_sim_cut("there", NULL);
	if (wf_listen(bg(), "tcp", "here:80", &l) == 0 &&
	    wf_dial(bg(), "tcp", "here:80", &c[0]) == 0)
		wf_listener_accept(bg(), l, &c[1]);
	exchange(c[0], c[1]);
	wf_listener_free(l);
	wf_conn_pipe(c);
	exchange(c[0], c[1]);
	c[0] = NULL;
	if (wf_listen_packet(bg(), "udp", ":53", &c[1]) == 0)
		wf_dial(bg(), "udp", "here:53", &c[0]);
	exchange(c[0], c[1]);
	return 0;
}

/* It ends well, or once there is no memory. */
static int
simulated_workload(void)
{
	int errors = 0, err;

	tap_count_memory();
	for (int i = 0; i < 2; i++) {
		if ((err = wf_sim(NULL, use_network)) && err != -ENOMEM)
			return WRONG;
		errors += err != 0;
	}
	if (errors > 1)
		return WRONG;
	return wf_stop(10 * WF_SEC) < 0 || tap_bytes() ? WRONG : 0;
}

/* ---- children ---- */

enum kind { WITH_WORKERS, PUMPED, SIMULATED };

/* The child's report: was the n-th call reached at all? */
static void
child(unsigned long n, int report, enum kind kind)
{
	char text[24], reached;
	int status;

	snprintf(text, sizeof text, "%lu", n);
	setenv("WEFT_FAULT_AT", text, 1);
	alarm(TAP_SECONDS);
	wf_workers(WORKERS);
	status = kind == SIMULATED ? simulated_workload() :
	    kind == PUMPED ? pumped_workload() : wf_run(workload);
	reached = wf__load_relaxed(&wf__os_fault_calls) >= n;
	if (write(report, &reached, 1) != 1)
		status = WRONG;
	_exit(status);
}

/* True if the n-th call was reached, and its failure survived or not. */
static bool
fail_at(unsigned long n, enum kind kind)
{
	int report[2], status = 0;
	char reached = 0;
	pid_t pid;

	if (!check(pipe(report) == 0))
		return false;
	fflush(NULL);
	if ((pid = fork()) == 0)
		child(n, report[1], kind);
	close(report[1]);
	if (read(report[0], &reached, 1) != 1)
		reached = 1;		/* it died, and that is a failure */
	close(report[0]);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 &&
	    WEXITSTATUS(status) != CANNOT_START)) {
		tap_note("call %lu fails: status %d, signal %d", n,
		    WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		check(!"the workload survives");
	}
	return reached;
}

static void
fail_each_call(enum kind kind)
{
	unsigned long n = 1;

	while (fail_at(n, kind)) {
		n++;
		alarm(TAP_SECONDS);
	}
	tap_note("%lu calls were made to fail", n - 1);
	check(n > 20);
}

static void
each_call_fails(void)
{
	fail_each_call(WITH_WORKERS);
}

static void
each_call_fails_pumped(void)
{
	fail_each_call(PUMPED);
}

static void
each_call_fails_simulated(void)
{
	fail_each_call(SIMULATED);
}

int
main(void)
{
	tap_plain("each call that can fail does so once", each_call_fails);
	tap_plain("the same, pumped", each_call_fails_pumped);
	tap_plain("a network in a simulation", each_call_fails_simulated);
	return tap_end();
}

#else

int
main(void)
{
	tap_skip("each call that can fail does so once",
	    "the library is not built with FAULT=1");
	return tap_end();
}

#endif
