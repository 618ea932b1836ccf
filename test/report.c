/* SPDX-License-Identifier: MIT */
/*
 * report.c - what weft says when a program goes wrong: deadlocks, misuse,
 * stack overflows, coroutines left at the end; and the dump, which all of
 * these end with.  Most of it happens in child processes, for it is the end.
 */
#include "tap.h"

#include <pthread.h>
#include <sys/syscall.h>

/* Deadlocks. */

static void
hold(wf_chan(int) c)
{
	wf_recv(c, NULL);
}

static void
offer(wf_chan(int) c)
{
	wf_send(c, 1);
}

static void
join(wf_waitgroup *wg)
{
	wf_waitgroup_wait(wg);
}

static void
nothing(void)
{
}

static int
stuck_recv(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	wf_recv(c, NULL);
	return 0;
}

static int
stuck_send(void)
{
	wf_chan(int) c = wf_chan_make(int, 1);

	wf_send(c, 1);
	wf_send(c, 2);
	return 0;
}

static int
stuck_empty_select(void)
{
	return wf_selectv(NULL, 0);
}

static int
stuck_null_select(void)
{
	wf_chan(int) never = NULL;

	return wf_select(wf_on_recv(never, NULL), wf_on_send(never, 1),
	    wf_on_done(NULL), wf_on_done(wf_ctx_background()));
}

static int
stuck_self_select(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	return wf_select(wf_on_recv(c, NULL), wf_on_send(c, 1));
}

static int
stuck_waitgroup(void)
{
	wf_waitgroup wg = {0};

	wf_waitgroup_add(&wg, 1);
	wf_waitgroup_wait(&wg);
	return 0;
}

static int
stuck_forever(void)
{
	wf_sleep(WF_FOREVER);
	return 0;
}

static int
stuck_cancel(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_chan(int) c = wf_chan_make(int, 0);

	return wf_recv_ctx(ctx, c, NULL);
}

static int
stuck_many(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_chan(int) c = wf_chan_make(int, 0), d = wf_chan_make(int, 0);

	return wf_select(wf_on_recv(d, NULL), wf_on_recv((wf_chan(int))NULL,
	    NULL), wf_on_done(ctx), wf_on_send(c, 1), wf_on_recv(c, NULL),
	    wf_on_send(d, 1));
}

static int
stuck_crowd(void)
{
	wf_chan(int) c = wf_chan_make(int, 0), d = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	struct wf_attr attr = { .name = "penelope", .waitgroup = &wg };

	for (int i = 0; i < 20; i++)
		wf_spawn(nothing);
	wf_spawn(hold, c);
	wf_spawn(offer, d);
	wf_spawn_with(&attr, hold, c);
	wf_spawn(join, &wg);
	wf_sleep(WF_MS);
	wf_waitgroup_wait(&wg);
	return 0;
}

static int
main_exits_first(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	wf_spawn(nothing);
	wf_spawn(hold, c);
	wf_spawn(hold, c);
	wf_exit();
	return 0;
}

#define RUNS(fn) static int run_##fn(void) { return wf_run(fn); }
RUNS(stuck_recv)
RUNS(stuck_send)
RUNS(stuck_empty_select)
RUNS(stuck_null_select)
RUNS(stuck_self_select)
RUNS(stuck_waitgroup)
RUNS(stuck_forever)
RUNS(stuck_cancel)
RUNS(stuck_many)
RUNS(stuck_crowd)
RUNS(main_exits_first)

static void
hold_pinned(wf_chan(int) c)
{
	wf_pin();
	wf_recv(c, NULL);
}

static int
pinned_child(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	wf_pin();
	wf_spawn(hold_pinned, c);
	wf_recv(c, NULL);
	return 0;
}
RUNS(pinned_child)

static int
all_is_well(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	wf_spawn(offer, c);
	wf_recv(c, NULL);
	wf_chan_free(c);
	return 0;
}

static int
second_run_sticks(void)
{
	return wf_run(all_is_well) == 0 ? wf_run(stuck_recv) : 9;
}

/* No deadlocks: somebody sleeps, or another thread of the process may come
 * and help. */

static void
offer_later(wf_chan(int) c, int64_t ns)
{
	wf_sleep(ns);
	wf_send(c, 1);
}

static int
waits_for_a_sleeper(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), 20 * WF_MS);

	wf_spawn(offer_later, c, 20 * WF_MS);
	check_eq(wf_recv(c, NULL), 1);
	check_eq(wf_recv_ctx(ctx, c, NULL), -ETIMEDOUT);
	check_eq(wf_select(wf_on_recv(c, NULL), wf_on_timeout(20 * WF_MS)), 1);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	return 0;
}

static void *
offer_in_thread(void *arg)
{
	struct timespec pause = { 0, 30000000 };

	nanosleep(&pause, NULL);
	check_eq(wf_send((wf_chan(int))(uintptr_t)arg, 1), 1);
	return NULL;
}

static int
waits_for_a_thread(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	pthread_t thread;

	if (!check(!pthread_create(&thread, NULL, offer_in_thread,
	    (void *)(uintptr_t)c)))
		return 1;
	check_eq(wf_recv(c, NULL), 1);
	pthread_join(thread, NULL);
	wf_chan_free(c);
	return 0;
}

/* wf_start() was called by a host that goes on: its thread may still act. */
static void
not_in_a_run(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};

	for (int i = 0; i < 5; i++)
		wf_waitgroup_spawn(&wg, hold, c);
	wf_sleep(30 * WF_MS);
	wf_close(c);
	wf_waitgroup_wait(&wg);
	check_eq(wf_stop(WF_FOREVER), 0);
	wf_chan_free(c);
}

static void
deadlocks(void)
{
	if (TAP_TSAN) {
		/* It starts threads of its own in the child of a fork, and
		 * where a thread is that is not weft's, nothing is certain. */
		tap_skip("103: deadlocks", "ThreadSanitizer's own threads");
		return;
	}
	tap_child("103: deadlock on receive", run_stuck_recv, 2,
	    "deadlock", "stuck_recv", "report.c:", "to receive on");
	tap_child("103: deadlock on send", run_stuck_send, 2,
	    "deadlock", "stuck_send", "to send on");
	tap_child("103: deadlock on an empty select", run_stuck_empty_select,
	    2, "deadlock", "in a select");
	tap_child("103: deadlock on NULL channels", run_stuck_null_select, 2,
	    "deadlock", "in a select");
	tap_child("103: deadlock with itself", run_stuck_self_select, 2,
	    "deadlock", "in a select");
	tap_child("103: deadlock on a wait group", run_stuck_waitgroup, 2,
	    "deadlock", "stuck_waitgroup", "for waitgroup");
	tap_child("103: deadlock on a cancel that nobody calls",
	    run_stuck_cancel, 2, "deadlock", "in a select");
	tap_child("103: a deadlock in a select names its cases",
	    run_stuck_many, 2, "in a select: to receive on channel ",
	    ", until a context is done, to send on channel ",
	    ", to receive on channel ", ", and 1 more\n");
	tap_child("103: deadlock in an endless sleep", run_stuck_forever, 2,
	    "deadlock", "asleep");
	tap_child("103: deadlock while pinned", run_pinned_child, 2,
	    "deadlock", "hold_pinned");
	tap_child("103: deadlock in the second run", second_run_sticks, 2,
	    "deadlock", "stuck_recv");
	tap_child("103: the dump of a deadlock", run_stuck_crowd, 2,
	    "deadlock", "stuck_crowd", "hold", "offer", "join", "penelope",
	    "report.c:");
	tap_child("107: main has ended, others are stuck",
	    run_main_exits_first, 2, "main", "hold");
}

/* Misuse: by a coroutine (run_...) and by a plain thread. */

static int
send_null(void)
{
	wf_chan(int) c = NULL;

	return wf_send(c, 1);
}

static int
recv_null(void)
{
	wf_chan(int) c = NULL;

	return wf_recv(c, NULL);
}

static int
close_null(void)
{
	wf_chan(int) c = NULL;

	return wf_close(c);
}

static int
free_in_use(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	wf_spawn(hold, c);
	tap_await_parked("to receive on", 1);
	wf_chan_free(c);
	return 0;
}

static int
free_while_sending(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	wf_spawn(offer, c);
	tap_await_parked("to send on", 1);
	wf_chan_free(c);
	return 0;
}

static int
group_below_zero(void)
{
	wf_waitgroup wg = {0};

	wf_waitgroup_add(&wg, -1);
	return 0;
}

static int
spawn_nothing(void)
{
	void (*none)(void) = NULL;

	return wf_spawn(none);
}

static void
send_to_null(int depth)
{
	if (depth > 0)
		send_to_null(depth - 1);
	else
		send_null();
	wf_yield();
}

static int
named_misuse(void)
{
	struct wf_attr attr = { .name = "penelope" };

	wf_spawn_with(&attr, send_to_null, 3);
	wf_sleep(3600 * WF_SEC);
	return 0;
}

RUNS(send_null)
RUNS(recv_null)
RUNS(close_null)
RUNS(free_in_use)
RUNS(free_while_sending)
RUNS(group_below_zero)
RUNS(spawn_nothing)
RUNS(named_misuse)

static void
misuse(void)
{
	tap_child("misuse: send to NULL", run_send_null, TAP_ABORTED,
	    "wf_send", "NULL", "send_null", "report.c:");
	tap_child("misuse: send to NULL, plain", send_null, TAP_ABORTED,
	    "wf_send", "NULL");
	tap_child("misuse: receive from NULL", run_recv_null, TAP_ABORTED,
	    "wf_recv", "NULL", "recv_null", "report.c:");
	tap_child("misuse: receive from NULL, plain", recv_null, TAP_ABORTED,
	    "wf_recv", "NULL");
	tap_child("misuse: close NULL", run_close_null, TAP_ABORTED,
	    "wf_close", "NULL", "close_null", "report.c:");
	tap_child("misuse: close NULL, plain", close_null, TAP_ABORTED,
	    "wf_close", "NULL");
	tap_child("misuse: free with a receiver waiting", run_free_in_use,
	    TAP_ABORTED, "wf_chan_free", "free_in_use", "hold", "report.c:");
	tap_child("misuse: free with a sender waiting",
	    run_free_while_sending, TAP_ABORTED, "wf_chan_free",
	    "free_while_sending", "offer");
	tap_child("misuse: a wait group below zero", run_group_below_zero,
	    TAP_ABORTED, "wf_waitgroup", "group_below_zero", "report.c:");
	tap_child("misuse: a wait group below zero, plain", group_below_zero,
	    TAP_ABORTED, "wf_waitgroup", "0 to -1");
	tap_child("112: spawn of NULL", run_spawn_nothing, TAP_ABORTED,
	    "wf_spawn", "spawn_nothing");
	tap_child("112: spawn of NULL, plain", spawn_nothing, TAP_ABORTED,
	    "wf_spawn");
	tap_child("misuse: by a coroutine with a name", run_named_misuse,
	    TAP_ABORTED, "wf_send", "NULL", "penelope", "report.c:");
}

/* 110: stack overflow.  ThreadSanitizer remembers 65,536 calls within each
 * other, and does not look for more: then the frames must be larger. */

enum { SMALL = TAP_TSAN ? 256 : 64 };

static __attribute__((noinline)) long
sink_small(volatile char *above, long depth)
{
	volatile char room[SMALL];

	room[depth & (SMALL - 1)] = *above;
	if (depth < 0)
		return room[1];
	return sink_small(room, depth + 1) + room[0];
}

static __attribute__((noinline)) long
sink_large(volatile char *above, long depth)
{
	volatile char room[65536 - 512];

	room[depth & 63] = *above;
	room[sizeof room - 1] = 1;
	if (depth < 0)
		return room[1];
	return sink_large(room, depth + 1) + room[0];
}

static void
overflow(bool large)
{
	volatile char top = 0;

	if (large)
		sink_large(&top, 0);
	else
		sink_small(&top, 0);
}

static int
overflow_main(bool large)
{
	overflow(large);
	return 0;
}

static int
overflow_in_main(void)
{
	return wf_run(overflow_main, (bool)false);
}

static int
overflow_in_main_large(void)
{
	return wf_run(overflow_main, (bool)true);
}

static int
overflow_of(const char *name, size_t size, bool large)
{
	struct wf_attr attr = { .name = name, .stack_size = size };

	wf_spawn_with(&attr, overflow, large);
	wf_sleep(3600 * WF_SEC);
	return 0;
}

static int
overflow_small(void)
{
	return wf_run(overflow_of, (const char *)NULL, (size_t)0, (bool)false);
}

static int
overflow_large(void)
{
	return wf_run(overflow_of, (const char *)NULL, (size_t)0, (bool)true);
}

static int
overflow_named(void)
{
	return wf_run(overflow_of, "penelope", (size_t)1 << 20, (bool)false);
}

static int
overflow_named_large(void)
{
	return wf_run(overflow_of, "penelope", (size_t)1 << 20, (bool)true);
}

static int
overflow_least(void)
{
	return wf_run(overflow_of, "least", (size_t)16384, (bool)false);
}

static int
overflow_pinned_main(void)
{
	wf_pin();
	overflow(false);
	return 0;
}
RUNS(overflow_pinned_main)

/* Asked for at wf_start(), in a program without wf_run(). */
static int
overflow_by_option(void)
{
	struct wf_options options = { .catch_overflow = true };
	struct wf_attr attr = { .name = "penelope" };

	check_eq(wf_start(&options), 0);
	wf_spawn_with(&attr, overflow, (bool)false);
	wf_sleep(3600 * WF_SEC);
	return 0;
}

/* A fault that is no overflow goes to the handler that was there before. */

static void
my_handler(int sig)
{
	static const char text[] = "my own handler\n";

	_exit(write(2, text, sizeof text - 1) > 0 && sig == SIGSEGV ? 7 : 8);
}

static void
fault(int volatile *p)
{
	*p = 1;
}

static int
faults(void)
{
	wf_spawn(fault, (int volatile *)16);
	wf_sleep(3600 * WF_SEC);
	return 0;
}

static int
chained(void)
{
	signal(SIGSEGV, my_handler);
	return wf_run(faults);
}

static void
overflows(void)
{
	tap_child("110: overflow of main", overflow_in_main, TAP_ABORTED,
	    "stack", "overflow_main", "report.c:", "8");
	tap_child("110: overflow of main, 64 KiB frames",
	    overflow_in_main_large, TAP_ABORTED, "stack", "overflow_main");
	tap_child("110: overflow", overflow_small, TAP_ABORTED,
	    "stack", "overflow", "report.c:", "256 KiB");
	tap_child("110: overflow, 64 KiB frames", overflow_large, TAP_ABORTED,
	    "stack", "overflow", "report.c:", "256 KiB");
	tap_child("110: overflow of 1 MiB", overflow_named, TAP_ABORTED,
	    "stack", "penelope", "report.c:");
	tap_child("110: overflow of 1 MiB, 64 KiB frames",
	    overflow_named_large, TAP_ABORTED, "stack", "penelope",
	    "report.c:");
	tap_child("110: overflow of 16 KiB", overflow_least, TAP_ABORTED,
	    "stack", "least", "report.c:", "16 KiB");
	tap_child("110: overflow while pinned", run_overflow_pinned_main,
	    TAP_ABORTED, "stack", "overflow_pinned_main");
	tap_child("110: overflow by option", overflow_by_option, TAP_ABORTED,
	    "stack", "penelope");
	tap_child("a fault that is no overflow", chained, 7,
	    "my own handler");
}

/* Coroutines left at the end of wf_run(). */

static int
leave_some(void)
{
	static wf_chan(int) c;
	struct wf_attr attr = { .name = "penelope" };

	c = wf_chan_make(int, 0);
	for (int i = 0; i < 6; i++)
		wf_spawn(hold, c);
	wf_spawn_with(&attr, hold, c);
	tap_await_parked("to receive on", 7);
	return 5;
}

static int
count_leaks(void)
{
	struct wf_stats stats;
	int result = wf_run(leave_some);

	wf_stats(&stats);
	check_eq(stats.left, 7);
	check_eq(wf_run(all_is_well), 0);
	check_eq(wf_run(leave_some), 5);
	wf_stats(&stats);
	check_eq(stats.left, 14);
	return result;
}

static int
list_leaks(void)
{
	setenv("WEFT_LEAKS", "1", 1);
	return wf_run(leave_some);
}

static int
leave_none(void)
{
	setenv("WEFT_LEAKS", "1", 1);
	return wf_run(all_is_well);
}

static void
leaks(void)
{
	tap_child("left at the end: counted", count_leaks, 5, "");
	tap_child("left at the end: listed", list_leaks, 5, "7", "hold",
	    "penelope", "report.c:");
	tap_child("left at the end: none", leave_none, 0, "");
}

/* The hook sees the text first. */

static void
my_hook(const char *text)
{
	static const char mine[] = "<hook> ";

	if (write(2, mine, sizeof mine - 1) < 0 ||
	    write(2, text, strlen(text)) < 0 || write(2, " </hook>\n", 9) < 0)
		_exit(99);
}

static int
hooked_misuse(void)
{
	wf_set_report_hook(my_hook);
	return wf_run(send_null);
}

static int
hooked_deadlock(void)
{
	wf_set_report_hook(my_hook);
	return wf_run(stuck_recv);
}

static int
hooked_overflow(void)
{
	wf_set_report_hook(my_hook);
	return overflow_named();
}

static void
loud_hook(const char *text)
{
	(void)text;
	_exit(98);
}

static int
hook_taken_away(void)
{
	wf_set_report_hook(loud_hook);
	wf_set_report_hook(NULL);
	return wf_run(send_null);
}

/* ---- parked, and perhaps for good ---- */

static int parked_calls;		/* atomic */
static uint64_t parked_live;		/* atomic */

static void
parked_hook(uint64_t live)
{
	__atomic_store_n(&parked_live, live, __ATOMIC_RELAXED);
	__atomic_add_fetch(&parked_calls, 1, __ATOMIC_RELEASE);
}

/* Wait for a call after the first so many, that is about three. */
static void
await_parked(int calls)
{
	while (__atomic_load_n(&parked_calls, __ATOMIC_ACQUIRE) <= calls ||
	    __atomic_load_n(&parked_live, __ATOMIC_RELAXED) != 3)
		usleep(1000);
}

static void
wait_at_gate(wf_chan(int) gate)
{
	while (wf_recv(gate, NULL))
		continue;
}

/* This thread can wake them, so it is no deadlock; the hook is told of each
 * quiet moment. */
static void
parked_outside(void)
{
	wf_chan(int) gate = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	int calls;

	parked_calls = 0;
	wf_set_parked_hook(parked_hook);
	for (int i = 0; i < 3; i++)
		check_eq(wf_waitgroup_spawn(&wg, wait_at_gate, gate), 0);
	await_parked(0);
	calls = __atomic_load_n(&parked_calls, __ATOMIC_ACQUIRE);
	check_eq(wf_send(gate, 1), 1);
	await_parked(calls);		/* one was awake in between */
	wf_set_parked_hook(NULL);
	wf_close(gate);
	wf_waitgroup_wait(&wg);
	wf_chan_free(gate);
	check_eq(wf_stop(WF_FOREVER), 0);
}

static void
hooks(void)
{
	tap_plain("hook: all are parked", parked_outside);
	tap_child("hook: misuse", hooked_misuse, TAP_ABORTED, "<hook> ",
	    "wf_send", " </hook>");
	if (!TAP_TSAN)		/* see deadlocks() */
		tap_child("hook: deadlock", hooked_deadlock, 2, "<hook> ",
		    "deadlock");
	tap_child("hook: stack overflow", hooked_overflow, TAP_ABORTED,
	    "<hook> ", "penelope");
	tap_child("hook: taken away", hook_taken_away, TAP_ABORTED,
	    "wf_send");
}

/* The dump of a live program. */

/* What wf_dump() writes, to be freed. */
static char *
dump_text(void)
{
	int fd = (int)syscall(SYS_memfd_create, "dump", 0);
	char *text = NULL;
	off_t size;

	if (!check(fd >= 0))
		return NULL;
	check_eq(wf_dump(fd), 0);
	size = lseek(fd, 0, SEEK_END);
	if (check((text = calloc(1, (size_t)size + 1))))
		check_eq(pread(fd, text, (size_t)size, 0), size);
	close(fd);
	return text;
}

static int
count_text(const char *text, const char *word)
{
	int n = 0;

	while (text && (text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

static int
count_in_dump(const char *word)
{
	char *text = dump_text();
	int n = count_text(text, word);

	free(text);
	return n;
}

static void
crowd_member(wf_waitgroup *here, wf_chan(int) gate)
{
	wf_waitgroup_done(here);
	wf_recv(gate, NULL);
}

static int
ten_thousand(void)
{
	int many = TAP_TSAN ? 2000 : 10000;
	wf_chan(int) gate = wf_chan_make(int, 0);
	wf_waitgroup wg = {0}, here = {0};

	wf_waitgroup_add(&here, many);
	for (int i = 0; i < many; i++)
		check_eq(wf_waitgroup_spawn(&wg, crowd_member, &here, gate),
		    0);
	wf_waitgroup_wait(&here);
	check_eq(count_in_dump("crowd_member"), many);
	check_eq(count_in_dump("ten_thousand"), 1);
	wf_close(gate);
	wf_waitgroup_wait(&wg);
	wf_chan_free(gate);
	return 0;
}

static void
sleep_until_done(wf_ctx *ctx)
{
	wf_select(wf_on_done(ctx), wf_on_timeout(3600 * WF_SEC));
}

static void
sleeper(void)
{
	wf_sleep(3600 * WF_SEC);
}

/* Each state and reason has its word; numbers begin with 1, for main. */
static bool
has_all_words(void)
{
	static const char *const words[] = { "reasons", "penelope", "offer",
	    "join", "sleep_until_done", "sleeper", "report.c:",
	    "to receive on", "to send on", "in a select", "for waitgroup",
	    "asleep", "running" };
	char *text = dump_text();
	bool all = text != NULL;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		all = all && strstr(text, words[i]);
	free(text);
	return all;
}

static int
reasons(void)
{
	wf_chan(int) c = wf_chan_make(int, 0), full = wf_chan_make(int, 0);
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup wg = {0}, all = {0};
	struct wf_attr named = { .name = "penelope", .waitgroup = &all };

	wf_waitgroup_add(&wg, 1);
	wf_spawn_with(&named, hold, c);
	wf_waitgroup_spawn(&all, offer, full);
	wf_waitgroup_spawn(&all, join, &wg);
	wf_waitgroup_spawn(&all, sleep_until_done, ctx);
	wf_spawn(sleeper);			/* is left */
	while (!has_all_words())
		wf_yield();
	wf_ctx_cancel(ctx);
	wf_close(c);
	wf_close(full);
	wf_waitgroup_done(&wg);
	wf_waitgroup_wait(&all);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	wf_chan_free(full);
	return 0;
}

static void
churn(wf_chan(int) c, int *stop)
{
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		wf_select(wf_on_send(c, 1), wf_on_recv(c, NULL),
		    wf_on_timeout(100 * WF_US));
		wf_yield();
	}
}

static void
come_and_go(int *stop)
{
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		wf_waitgroup wg = {0};

		for (int i = 0; i < 10; i++)
			wf_waitgroup_spawn(&wg, nothing);
		wf_waitgroup_wait(&wg);
	}
}

/* While all of them move: it ends, and the ones that stay are in it. */
static int
dump_while_moving(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	int stop = 0;

	for (int i = 0; i < 20; i++)
		wf_waitgroup_spawn(&wg, churn, c, &stop);
	for (int i = 0; i < 5; i++)
		wf_waitgroup_spawn(&wg, come_and_go, &stop);
	wf_sleep(5 * WF_MS);
	for (int i = 0; i < 100; i++) {
		check_eq(count_in_dump("dump_while_moving"), 1);
		wf_yield();
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	return 0;
}

static void
bad_descriptor(void)
{
	check_eq(wf_dump(-1), -EBADF);
}

static int
bad_descriptor_inside(void)
{
	bad_descriptor();
	return 0;
}

static void
dump_outside(void)
{
	char *text = dump_text();

	check(text && !strstr(text, "report.c"));
	free(text);
}

int
main(void)
{
	deadlocks();
	misuse();
	overflows();
	leaks();
	hooks();
	tap_test("no deadlock: a sleeper will come",
	    waits_for_a_sleeper);
	tap_test("no deadlock: a thread will come", waits_for_a_thread);
	tap_plain("no deadlock: not in a run", not_in_a_run);
	tap_plain("dump: nothing runs", dump_outside);
	tap_test_workers("dump: states and reasons", reasons);
	tap_test_workers("dump: ten thousand", ten_thousand);
	tap_test_workers("dump: while all move", dump_while_moving);
	tap_test("dump: a bad descriptor", bad_descriptor_inside);
	return tap_end();
}
