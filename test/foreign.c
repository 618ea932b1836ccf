/* SPDX-License-Identifier: MIT */
/*
 * foreign.c - tests of the verbs from threads that are not weft's: alone,
 * before the runtime ever started, mixed with coroutines, and from threads
 * that end right after.
 *
 * A plain thread waits by another way than a coroutine does, and both meet in
 * the same queues: whatever one of the two gets wrong, a lost wake-up or
 * a waiter woken twice, hangs or miscounts here.
 */
#include <pthread.h>

#include "tap.h"
#include <weft/errno.h>	/* it is read on both sides of a wait here */

#include "sched.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { THREADS = 16 };

static long
value_of(const long *n)
{
	return __atomic_load_n(n, __ATOMIC_ACQUIRE);
}

static void
add(long *n, long by)
{
	__atomic_add_fetch(n, by, __ATOMIC_ACQ_REL);
}

static bool
start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	return check_eq(pthread_create(thread, NULL, fn, arg), 0);
}

static void
join(pthread_t thread)
{
	check_eq(pthread_join(thread, NULL), 0);
}

/* Before the runtime ever started: two threads and no coroutine at all. */

struct pair {
	wf_chan(long) there, back;
	long rounds;
};

static void *
echo_thread(void *arg)
{
	struct pair *p = arg;
	long v;

	while (wf_recv(p->there, &v))
		check_eq(wf_send(p->back, v + 1), 1);
	check_eq(wf_close(p->back), 0);
	return NULL;
}

static void
exchange_of(size_t cap)
{
	struct pair p = { wf_chan_make(long, cap), wf_chan_make(long, cap),
	    tap_scale(20000, 1000) };
	pthread_t echo;
	long v = 0;

	if (!check(p.there && p.back) || !start(&echo, echo_thread, &p))
		return;
	for (long i = 0; i < p.rounds; i++) {
		check_eq(wf_send(p.there, v), 1);
		check_eq(wf_recv(p.back, &v), 1);
	}
	check_eq(v, p.rounds);
	check_eq(wf_close(p.there), 0);
	check_eq(wf_recv(p.back, &v), 0);
	check_eq(v, 0);
	join(echo);
	wf_chan_free(p.there);
	wf_chan_free(p.back);
}

static void
threads_alone(void)
{
	struct wf_stats stats;

	exchange_of(0);
	exchange_of(1);
	exchange_of(7);
	memset(&stats, 1, sizeof stats);
	wf_stats(&stats);		/* nothing of this took the runtime */
	check_eq(stats.workers, 0);
	check_eq(stats.spawned, 0);
}

static void *
select_thread(void *arg)
{
	struct pair *p = arg;
	wf_chan(long) in = p->there;
	long v, sum = 0;
	bool ok = true;

	while (in)
		switch (wf_select(wf_on_recv_ok(in, &v, &ok),
		    wf_on_send(sum ? p->back : NULL, sum))) {
		case 0:
			sum += v;
			if (!ok)
				in = NULL;
			break;
		case 1:
			sum = 0;
			break;
		default:
			check(!"a case that there is");
			return NULL;
		}
	if (sum)
		check_eq(wf_send(p->back, sum), 1);
	check_eq(wf_close(p->back), 0);
	return NULL;
}

static void
threads_select_alone(void)
{
	for (size_t cap = 0; cap < 3; cap++) {
		struct pair p = { wf_chan_make(long, cap),
		    wf_chan_make(long, cap), 0 };
		pthread_t thread;
		long out = 1, v, sum = 0;
		bool ok = true;

		if (!check(p.there && p.back) ||
		    !start(&thread, select_thread, &p))
			return;
		while (out <= 1000)
			if (wf_select(wf_on_send(p.there, out),
			    wf_on_recv(p.back, &v)) == 0)
				out++;
			else
				sum += v;
		check_eq(wf_close(p.there), 0);
		while (wf_select(wf_on_recv_ok(p.back, &v, &ok)) == 0 && ok)
			sum += v;
		check_eq(sum, 1000L * 1001 / 2);
		join(thread);
		wf_chan_free(p.there);
		wf_chan_free(p.back);
	}
}

/* Waits that a timeout or a context ends, on a plain thread. */

static void *
cancel_thread(void *arg)
{
	wf_ctx_cancel(arg);
	return NULL;
}

static void
thread_waits_end(void)
{
	wf_chan(long) c = wf_chan_make(long, 0);
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *soon = wf_ctx_with_timeout(ctx, 2 * WF_MS);
	wf_waitgroup wg = {0};
	pthread_t thread;
	int64_t from = wf_now();
	long v = 6;

	if (!check(c != NULL))
		return;
	check_eq(wf_select(wf_on_recv(c, &v), wf_on_timeout(2 * WF_MS)), 1);
	check(wf_now() - from >= 2 * WF_MS);
	check_eq(wf_recv_ctx(soon, c, &v), -ETIMEDOUT);
	check_eq(wf_send_ctx(soon, c, 1), -ETIMEDOUT);
	check_eq(wf_select(wf_on_send(c, 1), wf_on_done(soon)), 1);
	check_eq(wf_try_recv(c, &v), -EAGAIN);
	check_eq(wf_try_send(c, 1), -EAGAIN);
	wf_waitgroup_add(&wg, 1);
	check_eq(wf_waitgroup_wait_ctx(soon, &wg), -ETIMEDOUT);
	if (!start(&thread, cancel_thread, ctx))
		return;
	check_eq(wf_waitgroup_wait_ctx(ctx, &wg), -ECANCELED);
	check_eq(wf_recv_ctx(ctx, c, &v), -ECANCELED);
	join(thread);
	wf_waitgroup_done(&wg);
	check_eq(wf_waitgroup_wait_ctx(ctx, &wg), 0);
	check_eq(v, 6);
	wf_ctx_free(soon);
	wf_ctx_free(ctx);
	wf_chan_free(c);
}

/* What only a coroutine can do says so. */
static void
not_a_coroutine(void)
{
	check_eq(wf_yield(), -EPERM);
	check_eq(wf_exit(), -EPERM);
	check_eq(wf_pin(), -EPERM);
	check_eq(wf_unpin(), -EPERM);
	check_eq(wf_self(), 0);
	check_eq(wf_stack_size(), 0);
	check_eq(wf_stack_high_water(), 0);
}

static void *
wait_for_group(void *arg)
{
	wf_waitgroup_wait(arg);
	return NULL;
}

static void
waitgroup_of_threads(void)
{
	for (long n = tap_scale(1000, 100); n > 0; n--) {
		wf_waitgroup wg = {0};
		pthread_t thread[3];

		wf_waitgroup_add(&wg, 2);
		for (int i = 0; i < 3; i++)
			if (!start(&thread[i], wait_for_group, &wg))
				return;
		wf_waitgroup_done(&wg);
		wf_waitgroup_done(&wg);
		for (int i = 0; i < 3; i++)
			join(thread[i]);
	}
}

/*
 * All together: 16 threads and 1000 coroutines, senders and receivers of both
 * kinds on three channels, by all forms.  Every value arrives exactly once.
 */

enum { COROS = 1000, EACH_CORO = 4 };

struct crowd {
	wf_chan(uint32_t) c[3];
	wf_ctx *ctx;		/* done when all has arrived */
	uint32_t total, each_thread;
	unsigned char *seen;	/* atomic */
	uint32_t arrived;	/* atomic */
	wf_waitgroup senders;
	uint64_t seed;
};

struct member {
	struct crowd *crowd;
	uint32_t first, n;
	uint64_t random;
};

static bool
crowd_send_one(struct crowd *w, uint32_t v, uint64_t *random)
{
	unsigned k = (unsigned)(tap_random(random) % 3);
	wf_ctx *ctx;
	bool ok = false;
	int result;

	switch (tap_random(random) % 4) {
	case 0:
		return wf_send(w->c[k], v) == 1;
	case 1:
		ctx = wf_ctx_with_timeout(w->ctx,
		    (int64_t)(tap_random(random) % 300) * WF_US);
		result = wf_send_ctx(ctx, w->c[k], v);
		wf_ctx_free(ctx);
		return result == 1;
	case 2:
		result = wf_select(wf_on_send_ok(w->c[0], v, &ok),
		    wf_on_send_ok(w->c[1], v, &ok),
		    wf_on_send_ok(w->c[2], v, &ok),
		    wf_on_timeout(100 * WF_US));
		return result < 3 && check(ok);
	default:
		return wf_try_send(w->c[k], v) == 1;
	}
}

static void
crowd_send(struct crowd *w, uint32_t first, uint32_t n, uint64_t random)
{
	for (uint32_t i = 0; i < n; i++)
		while (!crowd_send_one(w, first + i, &random))
			wf_yield();
}

static void
crowd_arrived(struct crowd *w, uint32_t v)
{
	if (!check(v < w->total))
		return;
	check_eq(__atomic_fetch_add(&w->seen[v], 1, __ATOMIC_RELAXED), 0);
	if (__atomic_add_fetch(&w->arrived, 1, __ATOMIC_ACQ_REL) == w->total)
		wf_ctx_cancel(w->ctx);
}

static void
crowd_recv(struct crowd *w, uint64_t random)
{
	uint32_t v;
	int got;

	for (;;) {
		unsigned k = (unsigned)(tap_random(&random) % 3);

		switch (tap_random(&random) % 3) {
		case 0:
			got = wf_recv_ctx(w->ctx, w->c[k], &v);
			break;
		case 1:
			got = wf_select(wf_on_recv(w->c[0], &v),
			    wf_on_recv(w->c[1], &v), wf_on_recv(w->c[2], &v),
			    wf_on_done(w->ctx)) < 3 ? 1 : -ECANCELED;
			break;
		default:
			got = wf_try_recv(w->c[k], &v);
		}
		if (got == 1)
			crowd_arrived(w, v);
		else if (got != -EAGAIN)
			break;
		else if (wf_ctx_err(w->ctx))
			break;
		else
			wf_yield();
	}
	check_eq(wf_ctx_err(w->ctx), -ECANCELED);
}

static void *
crowd_send_thread(void *arg)
{
	struct member *m = arg;

	crowd_send(m->crowd, m->first, m->n, m->random);
	wf_waitgroup_done(&m->crowd->senders);
	return NULL;
}

static void *
crowd_recv_thread(void *arg)
{
	struct member *m = arg;

	crowd_recv(m->crowd, m->random);
	return NULL;
}

static bool
crowd_open(struct crowd *w)
{
	static const size_t caps[] = { 0, 1, 50 };

	memset(w, 0, sizeof *w);
	w->each_thread = (uint32_t)tap_scale(20000, 1000);
	w->total = COROS / 2 * EACH_CORO + THREADS / 2 * w->each_thread;
	w->seen = calloc(w->total, 1);
	w->ctx = wf_ctx_with_cancel(wf_ctx_background());
	w->seed = tap_seed();
	for (size_t i = 0; i < COUNT(caps); i++)
		if (!check((w->c[i] = wf_chan_make(uint32_t, caps[i])) != NULL))
			return false;
	return check(w->seen != NULL);
}

static void
crowd_close(struct crowd *w)
{
	for (uint32_t i = 0; i < w->total; i++)
		check_eq(w->seen[i], 1);
	check_eq(w->arrived, w->total);
	for (int i = 0; i < 3; i++) {
		check_eq(wf_len(w->c[i]), 0);
		wf_chan_free(w->c[i]);
	}
	wf_ctx_free(w->ctx);
	free(w->seen);
}

static bool
crowd_threads(struct crowd *w, pthread_t *thread, struct member *member)
{
	for (uint32_t i = 0; i < THREADS; i++) {
		member[i] = (struct member){ w, COROS / 2 * EACH_CORO +
		    i / 2 * w->each_thread, w->each_thread,
		    tap_random(&w->seed) };
		if (i % 2 == 0)
			wf_waitgroup_add(&w->senders, 1);
		if (!start(&thread[i], i % 2 ? crowd_recv_thread :
		    crowd_send_thread, &member[i]))
			return false;
	}
	return true;
}

/* The coroutines' part; owner may be a coroutine or the plain thread. */
static void
crowd_run(struct crowd *w)
{
	wf_waitgroup receivers = {0};

	for (uint32_t i = 0; i < COROS; i++)
		if (i % 2)
			check_eq(wf_waitgroup_spawn(&receivers, crowd_recv, w,
			    tap_random(&w->seed)), 0);
		else
			check_eq(wf_waitgroup_spawn(&w->senders, crowd_send, w,
			    i / 2 * EACH_CORO, (uint32_t)EACH_CORO,
			    tap_random(&w->seed)), 0);
	wf_waitgroup_wait(&w->senders);
	wf_waitgroup_wait(&receivers);
}

static int
crowd_in_run(void)
{
	static struct crowd w;
	static struct member member[THREADS];
	pthread_t thread[THREADS];

	if (!crowd_open(&w) || !crowd_threads(&w, thread, member))
		return 1;
	crowd_run(&w);
	for (int i = 0; i < THREADS; i++)
		join(thread[i]);
	crowd_close(&w);
	return 0;
}

/* The same from the plain thread; the runtime starts by itself. */
static void
crowd_from_outside(void)
{
	check_eq(crowd_in_run(), 0);
	check_eq(wf_stop(10 * WF_SEC), 0);
}

/* Threads that end right after their one operation: what the verb had on
 * their stack is gone. */

struct brief {
	wf_chan(long) c;
	wf_waitgroup *ended;
	int form;
};

static void *
one_operation(void *arg)
{
	struct brief b = *(struct brief *)arg;

	if (b.form == 0)
		check_eq(wf_send(b.c, 1), 1);
	else if (b.form == 1)
		check_eq(wf_recv(b.c, NULL), 1);
	else
		check_eq(wf_select(wf_on_send(b.c, 1),
		    wf_on_timeout(100 * WF_SEC)), 0);
	wf_waitgroup_done(b.ended);
	return NULL;
}

static void
take(wf_chan(long) c, long n)
{
	for (long i = 0; i < n; i++)
		check_eq(wf_recv(c, NULL), 1);
}

static void
give(wf_chan(long) c, long n)
{
	for (long i = 0; i < n; i++)
		check_eq(wf_send(c, 1), 1);
}

static bool
six_brief_threads(wf_chan(long) in, wf_chan(long) out)
{
	wf_waitgroup ended = {0};
	struct brief brief[6];
	pthread_t thread[6];

	wf_waitgroup_add(&ended, 6);
	for (int i = 0; i < 6; i++) {
		brief[i] = (struct brief){ i % 3 == 1 ? out : in, &ended,
		    i % 3 };
		if (!start(&thread[i], one_operation, &brief[i]))
			return false;
	}
	wf_waitgroup_wait(&ended);
	for (int i = 0; i < 6; i++)
		join(thread[i]);
	return true;
}

static int
short_lives(void)
{
	wf_chan(long) in = wf_chan_make(long, 0), out = wf_chan_make(long, 0);
	wf_waitgroup wg = {0};
	long n = tap_scale(1000, 50);

	if (!check(in && out))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, take, in, 4 * n), 0);
	check_eq(wf_waitgroup_spawn(&wg, give, out, 2 * n), 0);
	for (long i = 0; i < n; i++)
		if (!six_brief_threads(in, out))
			return 1;
	wf_waitgroup_wait(&wg);
	wf_chan_free(in);
	wf_chan_free(out);
	return 0;
}

/* A thread spawns, hands its waitgroup's address out, and waits. */

static void
count_done(long *n)
{
	wf_yield();
	add(n, 1);
}

static void *
spawn_and_wait(void *arg)
{
	for (int i = 0; i < 20; i++) {
		wf_waitgroup wg = {0};	/* goes with each turn */

		for (int k = 0; k < 10; k++)
			check_eq(wf_waitgroup_spawn(&wg, count_done,
			    (long *)arg), 0);
		wf_waitgroup_wait(&wg);
	}
	return NULL;
}

static void
threads_spawn(void)
{
	pthread_t thread[THREADS];
	long n = 0;

	for (int i = 0; i < THREADS; i++)
		if (!start(&thread[i], spawn_and_wait, &n))
			return;
	for (int i = 0; i < THREADS; i++)
		join(thread[i]);
	check_eq(value_of(&n), THREADS * 20 * 10);
	check_eq(wf_stop(10 * WF_SEC), 0);
}

/* One close, one cancel and one last done release waiters of both kinds. */

struct gate {
	wf_chan(long) c, never;
	wf_ctx *ctx;
	wf_waitgroup wg;
	long through;		/* atomic */
};

static void
pass_gate(struct gate *g, int form)
{
	int got;

	if (form == 0) {
		check_eq(wf_recv(g->c, NULL), 0);
	} else if (form == 1) {
		check_eq(wf_recv_ctx(g->ctx, g->never, NULL), -ECANCELED);
	} else if (form == 2) {
		wf_waitgroup_wait(&g->wg);
	} else {
		got = wf_select(wf_on_recv(g->c, NULL), wf_on_done(g->ctx),
		    wf_on_recv(g->never, NULL));
		check(got == 0 || got == 1);
	}
	add(&g->through, 1);
}

static void *
gate_thread(void *arg)
{
	for (int form = 0; form < 4; form++)
		pass_gate(arg, form);
	return NULL;
}

static bool
gate_open(struct gate *g)
{
	memset(g, 0, sizeof *g);
	g->c = wf_chan_make(long, 0);
	g->never = wf_chan_make(long, 0);
	g->ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_waitgroup_add(&g->wg, 1);
	return check(g->c && g->never);
}

static void
gate_close(struct gate *g)
{
	wf_ctx_free(g->ctx);
	wf_chan_free(g->c);
	wf_chan_free(g->never);
}

static int
gates(void)
{
	for (int round = 0; round < 10; round++) {
		struct gate g;
		wf_waitgroup all = {0};
		pthread_t thread[4];

		if (!gate_open(&g))
			return 1;
		for (int i = 0; i < 4; i++)
			if (!start(&thread[i], gate_thread, &g))
				return 1;
		for (int i = 0; i < 80; i++)
			check_eq(wf_waitgroup_spawn(&all, pass_gate, &g,
			    i % 4), 0);
		if (round % 2)
			wf_sleep(WF_MS);
		check_eq(value_of(&g.through), 0);
		wf_ctx_cancel(g.ctx);
		wf_waitgroup_done(&g.wg);
		check_eq(wf_close(g.c), 0);
		wf_waitgroup_wait(&all);
		for (int i = 0; i < 4; i++)
			join(thread[i]);
		check_eq(value_of(&g.through), 80 + 4 * 4);
		gate_close(&g);
	}
	return 0;
}

/* Case 76 across the kinds: plain data, handed over. */

static void *
write_thread(void *arg)
{
	wf_chan(long *) c = *(wf_chan(long *) *)arg;

	for (long i = 0; i < 300; i++) {
		long *p = malloc(sizeof *p);

		*p = i;
		check_eq(wf_send(c, p), 1);
	}
	wf_close(c);
	return NULL;
}

static int
hand_over(void)
{
	for (size_t cap = 0; cap < 3; cap++) {
		wf_chan(long *) c = wf_chan_make(long *, cap);
		pthread_t thread;
		long *p, n = 0;

		if (!check(c != NULL) || !start(&thread, write_thread, &c))
			return 1;
		for (; wf_recv(c, &p); n++) {
			check_eq(*p, n);
			free(p);
		}
		check_eq(n, 300);
		join(thread);
		wf_chan_free(c);
	}
	return 0;
}

/* errno belongs to the coroutine, and waits leave it alone. */
static void
keep_errno(wf_chan(long) c)
{
	for (int i = 1; i < 100; i++) {
		errno = i;
		wf_send(c, i);
		check_eq(errno, i);
		wf_sleep(0);
		check_eq(errno, i);
	}
}

static void *
errno_thread(void *arg)
{
	wf_chan(long) c = *(wf_chan(long) *)arg;

	for (int i = 1; i < 100; i++) {
		errno = i;
		wf_recv(c, NULL);
		check_eq(errno, i);
	}
	return NULL;
}

static int
errno_stays(void)
{
	wf_chan(long) c = wf_chan_make(long, 0);
	wf_waitgroup wg = {0};
	pthread_t thread;

	if (!check(c != NULL) || !start(&thread, errno_thread, &c))
		return 1;
	check_eq(wf_waitgroup_spawn(&wg, keep_errno, c), 0);
	wf_waitgroup_wait(&wg);
	join(thread);
	wf_chan_free(c);
	return 0;
}

/* A thread wakes a coroutine, and is off its core before it is through, while
 * the coroutine ends the run: the run waits for the thread. */

struct tail {
	wf_chan(long) c;
	pthread_t sender, holder;
	long received, off, over;	/* atomic */
};

static struct tail *tail;

/* In the sender: as long as it takes, or as nobody would wait. */
static void
stay_off(int sig)
{
	(void)sig;
	add(&tail->off, 1);
	for (int i = 0; i < 200 && !value_of(&tail->over); i++)
		usleep(1000);
	check(!value_of(&tail->over));
	add(&tail->off, -1);
}

static void *
send_one(void *arg)
{
	struct tail *t = arg;
	sigset_t set;

	sigemptyset(&set);		/* a worker has blocked all */
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	check_eq(wf_send(t->c, 1L), 1);
	return NULL;
}

/* With the idle lock, which who wakes a worker wants. */
static void *
hold_up(void *arg)
{
	struct tail *t = arg;

	tap_await_parked("to receive on channel", 1);
	wf__lock(&wf__sched.idle.lock);
	if (check(start(&t->sender, send_one, t))) {
		while (!value_of(&t->received))
			usleep(100);
		pthread_kill(t->sender, SIGUSR1);
		while (!value_of(&t->off))
			usleep(100);
	}
	wf__unlock(&wf__sched.idle.lock);
	return NULL;
}

static void
keep_awake(struct tail *t)
{
	while (!value_of(&t->received))
		wf_yield();
}

static int
receive_and_end(struct tail *t)
{
	long v = 0;

	check_eq(wf_pin(), 0);		/* to one worker, which is woken */
	check_eq(wf_spawn(keep_awake, t), 0);
	check(start(&t->holder, hold_up, t));
	check_eq(wf_recv(t->c, &v), 1);
	add(&t->received, 1);
	while (!value_of(&t->off))
		usleep(100);
	return 0;
}

static void
run_waits_for_waker(void)
{
	struct tail t = { .c = wf_chan_make(long, 0) };
	struct sigaction act = { .sa_handler = stay_off }, old;

	if (!check(t.c != NULL))
		return;
	tail = &t;
	sigaction(SIGUSR1, &act, &old);
	wf_workers(1);
	check_eq(wf_run(receive_and_end, &t), 0);
	add(&t.over, 1);
	join(t.holder);
	join(t.sender);
	sigaction(SIGUSR1, &old, NULL);
	wf_chan_free(t.c);
}

int
main(void)
{
	tap_plain("two threads, no runtime", threads_alone);
	tap_plain("two threads select, no runtime", threads_select_alone);
	tap_plain("timeouts and contexts end a thread's wait",
	    thread_waits_end);
	tap_plain("what only a coroutine can do", not_a_coroutine);
	tap_plain("a waitgroup of threads", waitgroup_of_threads);
	tap_plain("the crowd, from outside", crowd_from_outside);
	tap_plain("threads spawn and wait", threads_spawn);
	tap_test_workers("16 threads, 1000 coroutines", crowd_in_run);
	tap_test_workers("threads that end right after", short_lives);
	tap_test_workers("close, cancel and done release both kinds", gates);
	tap_test_workers("case 76: a thread hands over to a coroutine",
	    hand_over);
	tap_test_workers("errno stays", errno_stays);
	tap_plain("a run waits for who has woken it", run_waits_for_waker);
	return tap_end();
}
