/* SPDX-License-Identifier: MIT */
/*
 * pump.c - tests of a runtime that its host pumps.
 *
 * The hosts here sleep in poll(2) without a timeout, and pump only when the
 * descriptor is readable: a wake-up that is lost hangs.  What must not wake
 * them is looked for by polls that do not wait.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

#include "tap.h"

static const struct wf_options pumped = { .workers = WF_PUMPED };

static bool
start_pumped(void)
{
	return check_eq(wf_start(&pumped), 0);
}

static void
stop_pumped(void)
{
	check_eq(wf_stop(30 * WF_SEC), 0);
}

static bool
is_readable(int timeout)
{
	struct pollfd p = { .fd = wf_pump_fd(), .events = POLLIN };
	int n;

	check(p.fd >= 0);
	while ((n = poll(&p, 1, timeout)) < 0 && errno == EINTR)
		;
	check(n == 0 || p.revents == POLLIN);
	return n > 0;
}

static long
get(const long *n)
{
	return __atomic_load_n(n, __ATOMIC_ACQUIRE);
}

static void
add(long *n, long by)
{
	__atomic_add_fetch(n, by, __ATOMIC_ACQ_REL);
}

/* The host's loop, until *n is at least wanted. */
static void
host_until(const long *n, long wanted)
{
	while (get(n) < wanted) {
		check(is_readable(-1));
		check(wf_pump(WF_MS) >= 0);
	}
}

/* Do all that is ready; then the descriptor is silent. */
static void
pump_dry(void)
{
	while (wf_pump(WF_FOREVER) == 0)
		;
	check(!is_readable(0));
}

/* ---- turns and budgets ---- */

enum { YIELDERS = 50 };

struct yielders {
	long turns[YIELDERS];
	bool over;
};

static void
yield_on(struct yielders *y, int i)
{
	while (!y->over) {
		y->turns[i]++;
		wf_yield();
	}
}

static long
sum_of(const struct yielders *y)
{
	long sum = 0;

	for (int i = 0; i < YIELDERS; i++)
		sum += y->turns[i];
	return sum;
}

static void
start_yielders(struct yielders *y)
{
	for (int i = 0; i < YIELDERS; i++)
		check_eq(wf_spawn(yield_on, y, i), 0);
}

static void
end_yielders(struct yielders *y)
{
	y->over = true;
	check_eq(wf_pump(WF_FOREVER), WF_FOREVER);
	stop_pumped();
}

/* In a CHAOS build a turn may end in the middle of a yield. */
#ifdef WEFT_CHAOS
#define check_turns(a, b) check((a) <= (b))
#else
#define check_turns(a, b) check_eq(a, b)
#endif

static void
a_turn_each(void)
{
	struct yielders y = {{0}, false};

	if (!start_pumped())
		return;
	start_yielders(&y);
	for (int n = 1; n <= 20; n++) {
		check_eq(wf_pump(0), 0);
		for (int i = 0; i < YIELDERS; i++)
			check_turns(y.turns[i], n);
	}
	check(is_readable(0));		/* there is more */
	end_yielders(&y);
}

/* The least of budgets is over after the first turn. */
static void
a_turn_at_a_time(void)
{
	struct yielders y = {{0}, false};
	long before = 0;

	if (!start_pumped())
		return;
	start_yielders(&y);
	for (int n = 1; n <= 4 * YIELDERS; n++) {
		check_eq(wf_pump(1), 0);
		check_turns(sum_of(&y), before + 1);
		before = sum_of(&y);
	}
	end_yielders(&y);
}

/* Coroutines that never rest: each pump ends all the same, and nobody is left
 * out for long, whether on the queue or pinned. */
static void
pin_and_yield(struct yielders *y, int i)
{
	wf_pin();
	yield_on(y, i);
	wf_unpin();
}

static void
ends_in_time(void)
{
	struct yielders y = {{0}, false};
	int busy;

	if (!start_pumped())
		return;
	for (int i = 0; i < YIELDERS; i++)
		check_eq(i % 2 ? wf_spawn(yield_on, &y, i) :
		    wf_spawn(pin_and_yield, &y, i), 0);
	do {
		check_eq(wf_pump(WF_MS / 10), 0);
		busy = 0;
		for (int i = 0; i < YIELDERS; i++)
			busy += y.turns[i] >= 10;
	} while (busy < YIELDERS);
	end_yielders(&y);
}

/* A pair that hands over to and fro does not keep others from their turn. */

static void
bounce(wf_chan(int) to, wf_chan(int) from)
{
	int v = 0;

	while (wf_recv(from, &v))
		if (!wf_send(to, v + 1))
			break;
	wf_close(to);
}

static void
pair_leaves_room(void)
{
	wf_chan(int) a = wf_chan_make(int, 0), b = wf_chan_make(int, 0);
	struct yielders y = {{0}, false};

	if (!start_pumped())
		return;
	wf_spawn(bounce, a, b);
	wf_spawn(bounce, b, a);
	wf_pump(0);
	wf_send(a, 1);			/* pumps until it is taken */
	wf_spawn(yield_on, &y, 0);
	while (y.turns[0] < 3)
		check_eq(wf_pump(WF_MS), 0);
	y.over = true;
	wf_close(a);
	stop_pumped();
	wf_chan_free(a);
	wf_chan_free(b);
}

static void
sleep_for(int64_t ns, long *woken)
{
	wf_sleep(ns);
	add(woken, 1);
}

static void
sleep_under(wf_ctx *ctx, long *ended)
{
	check_eq(wf_sleep_ctx(ctx, 3600 * WF_SEC), -ECANCELED);
	add(ended, 1);
}

static void
tells_what_is_left(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	long woken = 0;
	int64_t left;

	if (!start_pumped())
		return;
	check_eq(wf_pump(0), WF_FOREVER);
	check_eq(wf_pump(WF_SEC), WF_FOREVER);
	wf_spawn(sleep_under, ctx, &woken);
	left = wf_pump(WF_FOREVER);
	check(left > 0 && left <= 3600 * WF_SEC);
	wf_spawn(sleep_for, WF_MS, &woken);
	for (left = 0; !get(&woken); left = wf_pump(0))
		check(left >= 0 && left <= 3600 * WF_SEC);
	check_eq(wf_stop(0), -ETIMEDOUT);
	wf_spawn(sleep_for, INT64_C(0), &woken);
	while (get(&woken) < 2)
		check(wf_pump(0) >= 0);
	wf_ctx_cancel(ctx);
	check_eq(wf_pump(0), WF_FOREVER);
	check_eq(woken, 3);
	stop_pumped();
	wf_ctx_free(ctx);
}

/* ---- the descriptor ---- */

static void
take_ints(wf_chan(int) c, long *taken)
{
	int v;

	while (wf_recv(c, &v))
		add(taken, 1);
}

static void *
send_from_thread(void *arg)
{
	wf_chan(int) *c = arg;

	check_eq(wf_send(*c, 1), 1);
	return NULL;
}

static void *
call_on_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	void *result = NULL;

	if (check_eq(pthread_create(&thread, NULL, fn, arg), 0))
		pthread_join(thread, &result);
	return result;
}

/* Whatever gives it something to do makes it readable; doing it, silent. */
static void
readable_by_wakes(void)
{
	wf_chan(int) c = wf_chan_make(int, 8);
	long taken = 0;

	if (!start_pumped())
		return;
	pump_dry();
	check_eq(wf_spawn(take_ints, c, &taken), 0);
	check(is_readable(-1));
	pump_dry();
	for (int n = 1; n <= 10; n++) {
		if (n % 2)
			check_eq(wf_send(c, 1), 1);
		else
			call_on_thread(send_from_thread, &c);
		check(is_readable(-1));
		check(is_readable(-1));	/* by level */
		pump_dry();
		check_eq(taken, n);
	}
	check_eq(wf_close(c), 0);
	check(is_readable(-1));
	stop_pumped();
	wf_chan_free(c);
}

/* Timers: of coroutines; of the host's, which it sets between two pumps; and
 * none that was taken back. */
static void
readable_by_timers(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_timer *t;
	long woken = 0;
	int64_t when;

	if (!start_pumped())
		return;
	wf_spawn(sleep_under, ctx, &woken);
	pump_dry();
	wf_spawn(sleep_for, 2 * WF_MS, &woken);
	check(is_readable(-1));		/* by the spawn */
	check(wf_pump(WF_FOREVER) >= 0);
	host_until(&woken, 1);
	pump_dry();
	t = wf_timer_make(2 * WF_MS);
	while (wf_try_recv(wf_timer_chan(t), &when) != 1) {
		check(is_readable(-1));
		wf_pump(0);
	}
	wf_timer_reset(t, 3600 * WF_SEC);
	wf_pump(0);
	check(!is_readable(0));
	check(wf_timer_stop(t));
	wf_timer_free(t);
	pump_dry();
	wf_ctx_cancel(ctx);
	host_until(&woken, 2);
	stop_pumped();
	wf_ctx_free(ctx);
}

static void
read_bytes(int fd, long *got)
{
	char byte;

	while (wf_read(wf_ctx_background(), fd, &byte, 1) == 1)
		add(got, 1);
	wf_fd_close(fd);
}

static void
readable_by_descriptors(void)
{
	long got = 0;
	int ends[2];

	if (!start_pumped() || !check_eq(pipe(ends), 0))
		return;
	wf_spawn(read_bytes, ends[0], &got);
	pump_dry();
	for (long n = 1; n <= 10; n++) {
		check_eq(write(ends[1], "x", 1), 1);
		host_until(&got, n);
		pump_dry();
	}
	close(ends[1]);
	stop_pumped();
}

static void
nap(void *arg)
{
	(void)arg;
	usleep(1000);
}

static void
offload_naps(long *done)
{
	for (int i = 0; i < 5; i++) {
		check_eq(wf_offload(wf_ctx_background(), nap, NULL, NULL), 0);
		add(done, 1);
	}
}

static void
readable_by_the_rest(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_chan(int) c = wf_chan_make(int, 1);
	long done = 0;

	if (!start_pumped())
		return;
	wf_spawn(offload_naps, &done);
	host_until(&done, 5);
	wf_spawn(sleep_under, ctx, &done);
	pump_dry();
	wf_ctx_cancel(ctx);
	check(is_readable(-1));
	host_until(&done, 6);
	check_eq(wf_signal_notify(c, SIGUSR1), 0);
	wf_spawn(take_ints, c, &done);
	pump_dry();
	kill(getpid(), SIGUSR1);
	host_until(&done, 7);
	wf_signal_stop(c);
	wf_close(c);
	stop_pumped();
	wf_chan_free(c);
	wf_ctx_free(ctx);
}

/* ---- under fire ---- */

enum { THREADS = 4 };

struct mill {
	wf_chan(long) ask, answer;
	long rounds, taken, threads_left;
};

/* Each round the pump goes to sleep, or is about to. */
static void *
ask_from_thread(void *arg)
{
	struct mill *m = arg;
	long v;

	for (long i = 0; i < m->rounds; i++) {
		check_eq(wf_send(m->ask, i), 1);
		check_eq(wf_recv(m->answer, &v), 1);
	}
	add(&m->threads_left, -1);
	return NULL;
}

/* A pinned one is woken by another way than those that are not. */
static void
answer_all(struct mill *m, int pins)
{
	long v;

	if (pins)
		wf_pin();
	while (wf_recv(m->ask, &v)) {
		add(&m->taken, 1);
		check_eq(wf_send(m->answer, v), 1);
	}
}

/* A timer of theirs may be the first that the pump is to know of. */
static void *
set_timers(void *arg)
{
	struct mill *m = arg;
	int64_t when;

	for (long i = 0; i < m->rounds; i++) {
		wf_timer *t = wf_timer_make(i % 2 * WF_US);

		if (check(t))
			check_eq(wf_recv(wf_timer_chan(t), &when), 1);
		wf_timer_free(t);
		add(&m->taken, 1);
	}
	add(&m->threads_left, -1);
	return NULL;
}

static void
hammer(int threads, bool by_budget, void *(*fn)(void *))
{
	struct mill m = { wf_chan_make(long, 0), wf_chan_make(long, 0),
	    tap_scale(100000, TAP_TSAN || TAP_ASAN ? 1000 : 4000), 0, threads };
	pthread_t all[THREADS];

	if (!start_pumped())
		return;
	for (int i = 0; i < 2; i++)
		check_eq(wf_spawn(answer_all, &m, i), 0);
	for (int i = 0; i < threads; i++)
		check_eq(pthread_create(&all[i], NULL, fn, &m), 0);
	while (get(&m.taken) < threads * m.rounds) {
		if (is_readable(fn == ask_from_thread ? -1 : 1))
			check(wf_pump(by_budget ? WF_US : 0) >= 0);
	}
	while (get(&m.threads_left)) {
		wf_pump(0);		/* the last answers */
		sched_yield();
	}
	for (int i = 0; i < threads; i++)
		pthread_join(all[i], NULL);
	wf_close(m.ask);
	stop_pumped();
	wf_chan_free(m.ask);
	wf_chan_free(m.answer);
}

static void
hammered(void)
{
	hammer(1, false, ask_from_thread);
	hammer(1, true, ask_from_thread);
	hammer(THREADS, false, ask_from_thread);
	hammer(THREADS, true, ask_from_thread);
}

static void
timers_from_threads(void)
{
	hammer(1, false, set_timers);
	hammer(THREADS, true, set_timers);
}

/* The host waits itself, by a channel; some of the answers come from threads,
 * which must wake it out of the poller. */
static void
host_waits(void)
{
	struct mill m = { wf_chan_make(long, 0), wf_chan_make(long, 0),
	    tap_scale(50000, TAP_TSAN || TAP_ASAN ? 1000 : 4000), 0, 1 };
	pthread_t thread;
	long v;

	if (!start_pumped())
		return;
	check_eq(pthread_create(&thread, NULL, ask_from_thread, &m), 0);
	for (long i = 0; i < m.rounds; i++) {
		check_eq(wf_recv(m.ask, &v), 1);
		check_eq(wf_send(m.answer, v), 1);
	}
	pthread_join(thread, NULL);
	check_eq(wf_spawn(answer_all, &m, 0), 0);
	for (long i = 0; i < m.rounds; i++) {
		check_eq(wf_send(m.ask, i), 1);
		check_eq(wf_recv(m.answer, &v), 1);
		check_eq(v, i);
	}
	wf_close(m.ask);
	stop_pumped();
	wf_chan_free(m.ask);
	wf_chan_free(m.answer);
}

/* Its other waits: they pump as long, and no longer. */
static void
host_waits_otherwise(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	long n = 0;

	if (!start_pumped())
		return;
	for (int i = 0; i < 10; i++)
		wf_waitgroup_spawn(&wg, sleep_for, i * WF_MS / 4, &n);
	wf_waitgroup_wait(&wg);
	check_eq(n, 10);
	wf_spawn(sleep_for, WF_MS, &n);
	while (get(&n) < 11)
		wf_sleep(WF_MS);
	check_eq(wf_select(wf_on_recv(c, NULL), wf_on_timeout(WF_MS)), 1);
	stop_pumped();
	wf_chan_free(c);
}

/* Many timers that nothing but the descriptor tells of. */
static void
nap_often(uint64_t seed, long *n)
{
	for (int i = 0; i < 20; i++) {
		wf_sleep((int64_t)(tap_random(&seed) % (2 * WF_MS)));
		add(n, 1);
	}
}

static void
many_timers(void)
{
	uint64_t seed = tap_seed();
	long n = 0;

	if (!start_pumped())
		return;
	for (int i = 0; i < 50; i++)
		check_eq(wf_spawn(nap_often, tap_random(&seed), &n), 0);
	host_until(&n, 1000);
	stop_pumped();
}

/* ---- sockets ---- */

static void
echo(wf_conn *c)
{
	char buf[512];
	ssize_t n;

	while ((n = wf_conn_read(wf_ctx_background(), c, buf, sizeof buf)) > 0)
		wf_conn_write(wf_ctx_background(), c, buf, (size_t)n);
	wf_conn_free(c);
}

static void
serve(wf_listener *l)
{
	wf_conn *c;

	while (wf_listener_accept(wf_ctx_background(), l, &c) == 0)
		if (!check_eq(wf_spawn(echo, c), 0))
			wf_conn_free(c);
}

static void
talk(const char *address, long *talks)
{
	wf_conn *c;
	char buf[64];
	ssize_t n = 0, got;

	if (!check_eq(wf_dial(wf_ctx_background(), "tcp", address, &c), 0))
		return;
	for (int i = 0; i < 20; i++) {
		check_eq(wf_conn_write(wf_ctx_background(), c, "hello", 5), 5);
		for (n = 0; n < 5; n += got)
			if ((got = wf_conn_read(wf_ctx_background(), c,
			    buf + n, sizeof buf - (size_t)n)) <= 0)
				break;
		check_eq(n, 5);
	}
	wf_conn_free(c);
	add(talks, 1);
}

static void
sockets(void)
{
	enum { CLIENTS = 20 };
	char address[64];
	wf_listener *l;
	long talks = 0;

	if (!start_pumped() || !check_eq(wf_listen(wf_ctx_background(), "tcp",
	    "127.0.0.1:0", &l), 0))
		return;
	wf_listener_address(l, address, sizeof address);
	wf_spawn(serve, l);
	for (int i = 0; i < CLIENTS; i++)
		wf_spawn(talk, (const char *)address, &talks);
	host_until(&talks, CLIENTS);
	wf_listener_close(l);
	stop_pumped();
	wf_listener_free(l);
}

/* ---- start, stop, run ---- */

static void
add_one(long *n)
{
	add(n, 1);
}

/* There is none but this, and the sanitizer's.  One that was joined may be on
 * the list a moment longer. */
static void
await_no_thread(void)
{
	while (tap_entries("/proc/self/task") > 1 + TAP_TSAN)
		usleep(1000);
}

static void
again_and_again(void)
{
	long fds = tap_entries("/proc/self/fd"), n = 0;
	long times = tap_scale(1000, TAP_TSAN || TAP_ASAN ? 50 : 200);

	for (long i = 0; i < times; i++) {
		if (!start_pumped())
			return;
		if (i % 2)
			check(is_readable(0));
		wf_spawn(add_one, &n);
		wf_spawn(sleep_for, WF_US, &n);
		stop_pumped();
		check_eq(n, 2 * (i + 1));
	}
	await_no_thread();
	check_eq(tap_entries("/proc/self/fd"), fds);
}

/* With workers in between. */
static void
other_modes(void)
{
	long n = 0;

	check_eq(wf_pump(0), -EINVAL);
	check_eq(wf_pump_fd(), -EINVAL);
	check_eq(wf_start(NULL), 0);
	check_eq(wf_pump(0), -EINVAL);
	check_eq(wf_pump_fd(), -EINVAL);
	check_eq(wf_start(&pumped), -EBUSY);
	wf_spawn(add_one, &n);
	check_eq(wf_stop(30 * WF_SEC), 0);
	check_eq(n, 1);
	if (!start_pumped())
		return;
	check_eq(wf_start(&pumped), -EBUSY);
	check_eq(wf_workers(0), 1);
	check_eq(wf_workers(3), -EBUSY);
	wf_spawn(add_one, &n);
	check_eq(n, 1);
	stop_pumped();
	check_eq(n, 2);
	check_eq(wf_pump(0), -EINVAL);
	check(wf_workers(0) >= 1);
}

static void *
stop_from_thread(void *arg)
{
	check_eq(wf_stop(WF_FOREVER), -EPERM);
	check_eq(wf_workers(0), 1);
	return arg;
}

static void
stop_in_coroutine(void)
{
	check_eq(wf_stop(0), -EPERM);
}

static void
stop_is_its_own(void)
{
	if (!start_pumped())
		return;
	call_on_thread(stop_from_thread, NULL);
	wf_spawn(stop_in_coroutine);
	stop_pumped();
}

/* No thread at all, whatever the coroutines do. */
static int
alone(void)
{
	wf_waitgroup wg = {0};
	long n = 0;

	for (int i = 0; i < 20; i++)
		wf_waitgroup_spawn(&wg, sleep_for, i * WF_US, &n);
	wf_blocking
		usleep(30000);		/* nobody stands in */
	await_no_thread();
	wf_waitgroup_wait(&wg);
	check_eq(n, 20);
	return 42;
}

static void *
run_from_thread(void *arg)
{
	check_eq(wf_run(alone), 125);
	return arg;
}

static void
a_run(void)
{
	if (!start_pumped())
		return;
	call_on_thread(run_from_thread, NULL);
	check_eq(wf_run(alone), 42);
	check_eq(wf_pump(0), -EINVAL);	/* it has stopped the runtime */
}

static void
exit_early(long *n)
{
	wf_sleep(WF_MS);
	add(n, 1);
}

static long after_exit;

static int
main_exits(void)
{
	wf_spawn(exit_early, &after_exit);
	wf_exit();
	return 1;
}

static void
a_run_that_exits(void)
{
	if (!start_pumped())
		return;
	check_eq(wf_run(main_exits), 0);
	check_eq(after_exit, 1);
}

static int
wait_for_nobody(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);

	wf_recv(c, NULL);
	return 0;
}

static int
deadlock(void)
{
	return wf_start(&pumped) < 0 ? 1 : wf_run(wait_for_nobody);
}

/* A descriptor that is waited for is none, though nobody else is there. */
static int
wait_for_byte(int fd)
{
	char byte;

	return wf_read(wf_ctx_background(), fd, &byte, 1) == 1 ? 0 : 1;
}

static void *
write_late(void *arg)
{
	usleep(100000);
	check_eq(write(*(int *)arg, "x", 1), 1);
	return NULL;
}

static void
no_deadlock(void)
{
	pthread_t thread;
	int ends[2];

	if (!start_pumped() || !check_eq(pipe(ends), 0))
		return;
	pthread_create(&thread, NULL, write_late, &ends[1]);
	check_eq(wf_run(wait_for_byte, ends[0]), 0);
	pthread_join(thread, NULL);
	close(ends[0]);
	close(ends[1]);
}

/* ---- misuse ---- */

static void *
pump_here(void *arg)
{
	wf_pump(0);
	return arg;
}

static int
pump_from_thread(void)
{
	wf_start(&pumped);
	call_on_thread(pump_here, NULL);
	return 0;
}

static void
pump_inside(void)
{
	wf_pump(0);
}

static int
pump_in_coroutine(void)
{
	wf_start(&pumped);
	wf_spawn(pump_inside);
	wf_pump(0);
	return 0;
}

static int
fd_in_coroutine(void)
{
	wf_start(&pumped);
	wf_spawn((void (*)(void))wf_pump_fd);
	wf_pump(0);
	return 0;
}

/* Who holds the host up is named, by option. */

static void
hog(void)
{
	for (int64_t end = wf_now() + 20 * WF_MS; wf_now() < end; )
		;
}

static int
stalls(void)
{
	struct wf_options o = { .workers = WF_PUMPED,
	    .stall_limit = 10 * WF_MS };

	check_eq(wf_start(&o), 0);
	wf_spawn(hog);
	check_eq(wf_pump(0), WF_FOREVER);
	stop_pumped();
	return 0;
}

int
main(void)
{
	bool counted = tap_count_memory();

	tap_plain("budget 0: a turn each", a_turn_each);
	tap_plain("the least budget: one turn", a_turn_at_a_time);
	tap_plain("a budget ends, and all get their turns", ends_in_time);
	tap_plain("a pair leaves room for others", pair_leaves_room);
	tap_plain("it tells what is left", tells_what_is_left);
	tap_plain("readable by wakes", readable_by_wakes);
	tap_plain("readable by timers", readable_by_timers);
	tap_plain("readable by descriptors", readable_by_descriptors);
	tap_plain("readable by calls, contexts, signals",
	    readable_by_the_rest);
	tap_plain("threads ask, the pump answers", hammered);
	tap_plain("threads set timers, the pump runs them",
	    timers_from_threads);
	tap_plain("the host waits for threads and coroutines", host_waits);
	tap_plain("the host waits otherwise", host_waits_otherwise);
	tap_plain("many timers", many_timers);
	tap_plain("sockets", sockets);
	tap_plain("start and stop, again and again", again_and_again);
	tap_plain("after and before other modes", other_modes);
	tap_plain("only the pump's thread stops it", stop_is_its_own);
	tap_plain("wf_run without any other thread", a_run);
	tap_plain("wf_run whose main exits", a_run_that_exits);
	tap_plain("a descriptor waited for is no deadlock", no_deadlock);
	tap_child("a deadlock is found", deadlock, 2, "deadlock: all 1 ");
	tap_child("pump from another thread", pump_from_thread, TAP_ABORTED,
	    "wf_pump", "another thread");
	tap_child("pump in a coroutine", pump_in_coroutine, TAP_ABORTED,
	    "wf_pump", "inside of wf_pump()");
	tap_child("descriptor in a coroutine", fd_in_coroutine, TAP_ABORTED,
	    "wf_pump_fd", "inside of wf_pump()");
	tap_child("a hog is named", stalls, 0, "stall: coroutine 1 hog",
	    "has kept the host for");
	check(counted);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
