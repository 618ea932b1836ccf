/* SPDX-License-Identifier: MIT */
/*
 * runtime.c - the host stays the host: start, run and stop leave nothing
 * behind; options and environment; the allocator, also when it fails; and no
 * work at all while there is nothing to do.
 */
#include "tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>

/* What the process has. */

static int
count_threads(void)
{
	return tap_entries("/proc/self/task");
}

/* This one, and the one that ThreadSanitizer adds. */
enum { OWN_THREADS = 1 + TAP_TSAN };

/* No thread is left.  One that was joined may be on the list a moment longer:
 * ask again for some seconds. */
static void
check_threads(void)
{
	struct timespec pause = { 0, 1000000 };
	int n = count_threads();

	for (int i = 0; i < 5000 && n != OWN_THREADS; i++) {
		nanosleep(&pause, NULL);
		n = count_threads();
	}
	check_eq(n, OWN_THREADS);
}

static int
count_descriptors(void)
{
	return tap_entries("/proc/self/fd");
}

static int
count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int c, n = 0;

	if (!check(maps))
		return -1;
	while ((c = getc(maps)) != EOF)
		n += c == '\n';
	fclose(maps);
	return n;
}

/* Run. */

static int
answer(void)
{
	return 42;
}

static int
add(int a, long b, const char *text, double d)
{
	return a + (int)b + (int)strlen(text) + (int)d;
}

static int
eight(char a, short b, int c, long d, float e, double f, const char *g,
    unsigned char h)
{
	return a + b + c + (int)d + (int)e + (int)f + g[0] + h;
}

static void
results(void)
{
	check_eq(wf_run(answer), 42);
	check_eq(wf_run(answer), 42);
	check_eq(wf_run(add, 1, 2L, "three", 4.0), 12);
	check_eq(wf_run(eight, (char)1, (short)-2, 3, 4L, 5.0f, 6.0, "\7",
	    (unsigned char)8), 32);
	check_eq(wf_self(), 0);
}

static void
greet(wf_chan(int) c, int v)
{
	wf_send(c, v);
}

static int
small_program(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(),
	    3600 * WF_SEC);
	int v = 0, sum = 0;

	for (int i = 0; i < 20; i++)
		wf_spawn(greet, c, i);
	for (int i = 0; i < 20; i++)
		sum += wf_recv_ctx(ctx, c, &v) > 0 ? v : 1000;
	wf_sleep(10 * WF_US);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	return sum == 190 ? 0 : 1;
}

/* A run that leaves a mapping leaves as many as there are runs; the C library's
 * cache of thread stacks varies by a few. */
static void
runs_again(void)
{
	enum { RUNS = 200 };
	int descriptors, mappings;

	for (int i = 0; i < 50; i++)
		check_eq(wf_run(small_program), 0);
	descriptors = count_descriptors();
	mappings = count_mappings();
	for (int i = 0; i < RUNS; i++)
		if (!check_eq(wf_run(small_program), 0))
			break;
	check_threads();
	check_eq(count_descriptors(), descriptors);
	if (!TAP_ASAN && !TAP_TSAN)
		check(count_mappings() < mappings + RUNS / 2);
}

/* After the end there are no threads of weft, and no descriptors. */
static void
leaves_nothing(void)
{
	int descriptors = count_descriptors();

	for (int workers = 1; workers <= 64; workers *= 4) {
		wf_workers(workers);
		check_eq(wf_run(small_program), 0);
		check_threads();
		check_eq(count_descriptors(), descriptors);
	}
	wf_workers(2);
}

static void
stop_in_coroutine(int *result)
{
	*result = wf_stop(0);
}

static int
calls_inside(void)
{
	wf_waitgroup wg = {0};
	int result = 1;

	check_eq(wf_start(NULL), -EBUSY);
	check_eq(wf_stop(0), -EPERM);
	wf_waitgroup_spawn(&wg, stop_in_coroutine, &result);
	wf_waitgroup_wait(&wg);
	check_eq(result, -EPERM);
	return 0;
}

/* Signal handlers and the alternate stack are as before. */

static void
compare_handlers(struct sigaction *before)
{
	struct sigaction now;

	for (int sig = 1; sig < 32; sig++) {
		if (sigaction(sig, NULL, &now) < 0)
			continue;
		check(now.sa_handler == before[sig].sa_handler);
		check_eq(now.sa_flags, before[sig].sa_flags);
	}
}

static void
handlers(void)
{
	struct sigaction before[32];
	sigset_t mask_before, mask;
	stack_t stack_before, stack;

	for (int sig = 1; sig < 32; sig++)
		sigaction(sig, NULL, &before[sig]);
	sigaltstack(NULL, &stack_before);
	sigprocmask(SIG_SETMASK, NULL, &mask_before);
	check_eq(wf_run(small_program), 0);
	compare_handlers(before);
	check_eq(wf_start(NULL), 0);
	compare_handlers(before);	/* none unless asked for */
	check_eq(wf_stop(WF_FOREVER), 0);
	compare_handlers(before);
	sigaltstack(NULL, &stack);
	check(stack.ss_sp == stack_before.ss_sp);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int sig = 1; sig < 32; sig++)
		check_eq(sigismember(&mask, sig),
		    sigismember(&mask_before, sig));
}

/* Start and stop. */

static void
bad_options(void)
{
	struct wf_options many = { .workers = 1025 };
	struct wf_options negative = { .workers = -2 };
	struct wf_options huge = { .stack_size = SIZE_MAX };

	check_eq(wf_start(&many), -EINVAL);
	check_eq(wf_start(&negative), -EINVAL);
	check_eq(wf_start(&huge), -EINVAL);
	check_threads();
	check_eq(wf_stop(0), 0);	/* it does not run */
}

static void
count(int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static void
good_options(void)
{
	struct wf_options options = { .workers = 3, .stack_size = 100000 };
	int before = wf_workers(0), n = 0;
	struct wf_stats stats;
	wf_waitgroup wg = {0};

	check_eq(wf_start(&options), 0);
	check_eq(wf_start(&options), -EBUSY);
	check_eq(wf_start(NULL), -EBUSY);
	check_eq(wf_workers(0), 3);
	for (int i = 0; i < 100; i++)
		check_eq(wf_waitgroup_spawn(&wg, count, &n), 0);
	wf_waitgroup_wait(&wg);
	check_eq(n, 100);
	wf_stats(&stats);
	check(stats.workers >= 1);
	check_eq(wf_stop(WF_FOREVER), 0);
	check_eq(wf_stop(0), 0);
	check_threads();
	wf_stats(&stats);
	check_eq(stats.workers + stats.live + stats.spawned + stats.switches +
	    stats.stacks, 0);
	wf_workers(before);
}

static void
wait_at(wf_chan(int) gate, int *n)
{
	wf_recv(gate, NULL);
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static void
stop_while_they_live(void)
{
	wf_chan(int) gate = wf_chan_make(int, 0);
	int n = 0;

	for (int i = 0; i < 10; i++)
		check_eq(wf_spawn(wait_at, gate, &n), 0);
	check_eq(wf_stop(0), -ETIMEDOUT);
	check_eq(wf_stop(-1), -ETIMEDOUT);
	check_eq(wf_stop(5 * WF_MS), -ETIMEDOUT);
	check_eq(n, 0);
	for (int i = 0; i < 5; i++)		/* everything goes on */
		check_eq(wf_send(gate, i), 1);
	check_eq(wf_spawn(wait_at, gate, &n), 0);
	check_eq(wf_stop(WF_MS), -ETIMEDOUT);
	wf_close(gate);
	check_eq(wf_stop(WF_FOREVER), 0);
	check_eq(n, 11);
	check_threads();
	wf_chan_free(gate);
}

/* The stop waits for those that come later, too. */
static void
spawn_more(int depth, int *n)
{
	wf_sleep(100 * WF_US);
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
	if (depth > 0) {
		check_eq(wf_spawn(spawn_more, depth - 1, n), 0);
		check_eq(wf_spawn(spawn_more, depth - 1, n), 0);
	}
}

static void
stop_waits(void)
{
	for (int i = 0; i < 10; i++) {
		int n = 0;

		check_eq(wf_spawn(spawn_more, 5, &n), 0);
		check_eq(wf_stop(WF_FOREVER), 0);
		check_eq(n, 63);
	}
}

/* Not for timers, of which some never end. */
static void
stop_leaves_timers(void)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(),
	    3600 * WF_SEC);
	wf_ticker *ticker = wf_ticker_make(3600 * WF_SEC);
	int n = 0;

	check(ticker && ctx);
	check_eq(wf_spawn(spawn_more, 3, &n), 0);
	check_eq(wf_stop(WF_FOREVER), 0);
	check_eq(n, 15);
	wf_ticker_free(ticker);
	wf_ctx_free(ctx);
}

/* Meanwhile the coroutines may ask and set what they like. */
static void
meddle(int *n)
{
	struct wf_stats stats;

	for (int i = 0; i < 20; i++) {
		wf_sleep(100 * WF_US);
		check(wf_workers(0) >= 1);
		check(wf_workers(1 + i % 3) >= 1);
		check_eq(wf_start(NULL), -EBUSY);
		wf_stats(&stats);
		check(stats.live >= 1);
	}
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static void
stop_while_they_meddle(void)
{
	int before = wf_workers(0), n = 0;

	for (int i = 0; i < 5; i++)
		check_eq(wf_spawn(meddle, &n), 0);
	check_eq(wf_stop(WF_FOREVER), 0);
	check_eq(n, 5);
	wf_workers(before);
}

/* Started by itself, from any thread, several at once. */

static void *
spawn_in_thread(void *arg)
{
	wf_waitgroup wg = {0};
	int n = 0;

	(void)arg;
	for (int i = 0; i < 50; i++)
		check_eq(wf_waitgroup_spawn(&wg, count, &n), 0);
	wf_waitgroup_wait(&wg);
	check_eq(n, 50);
	return NULL;
}

static void
starts_itself(void)
{
	for (int i = 0; i < 20; i++) {
		pthread_t thread[4];
		int n = 0;

		while (n < 4 && check(!pthread_create(&thread[n], NULL,
		    spawn_in_thread, NULL)))
			n++;
		while (n > 0)
			pthread_join(thread[--n], NULL);
		check_eq(wf_stop(WF_FOREVER), 0);
		check_threads();
	}
}

/* Left coroutines are left: the end of the main function is the end. */

static int
leaves_some(wf_chan(int) never, int *touched)
{
	for (int i = 0; i < 50; i++)
		wf_spawn(wait_at, never, touched);
	wf_yield();
	return 7;
}

static void
leftovers(void)
{
	static int touched;
	static wf_chan(int) never;	/* cannot be freed: they wait on it */

	never = wf_chan_make(int, 0);
	check_eq(wf_run(leaves_some, never, &touched), 7);
	check_eq(touched, 0);
	check_eq(wf_run(small_program), 0);
	check_eq(touched, 0);
}

/* Nor do they go on in a later run, of which they are none, when that wakes
 * them: by a coroutine or a thread, one by one or all at once, more than a run
 * queue has room for. */

enum { LEFT = 300, PINNED = 2 };

struct left {
	wf_chan(int) gate, pinned;
	int touched;
	bool by_thread;
};

static void
wait_pinned_at(wf_chan(int) gate, int *n)
{
	check_eq(wf_pin(), 0);
	wait_at(gate, n);
}

static int
leaves_many(struct left *l)
{
	for (int i = 0; i < LEFT; i++)
		check_eq(wf_spawn(wait_at, l->gate, &l->touched), 0);
	for (int i = 0; i < PINNED; i++)
		check_eq(wf_spawn(wait_pinned_at, l->pinned, &l->touched), 0);
	tap_await_parked("receive", LEFT + PINNED);
	return 0;
}

static void *
wake_left(void *arg)
{
	struct left *l = arg;

	check_eq(wf_send(l->gate, 1), 1);
	check_eq(wf_send(l->pinned, 1), 1);
	wf_close(l->gate);
	wf_close(l->pinned);
	return NULL;
}

static int
wakes_left(struct left *l)
{
	struct wf_stats stats;
	pthread_t thread;

	if (!l->by_thread)
		wake_left(l);
	else if (check(!pthread_create(&thread, NULL, wake_left, l)))
		pthread_join(thread, NULL);
	tap_settle();			/* they would run now */
	wf_stats(&stats);
	check_eq(stats.live, 1);
	check_eq(__atomic_load_n(&l->touched, __ATOMIC_RELAXED), 0);
	return 3;
}

static void
leftovers_woken(void)
{
	for (int by_thread = 0; by_thread < 2; by_thread++) {
		static struct left l;	/* they never leave it */
		struct wf_stats before, after;

		l.by_thread = by_thread;
		l.gate = wf_chan_make(int, 0);
		l.pinned = wf_chan_make(int, 0);
		if (!check(l.gate && l.pinned))
			return;
		wf_stats(&before);
		check_eq(wf_run(leaves_many, &l), 0);
		check_eq(wf_run(wakes_left, &l), 3);
		wf_stats(&after);
		check_eq(after.left - before.left, LEFT + PINNED);
		wf_chan_free(l.gate);
		wf_chan_free(l.pinned);
	}
}

/* Environment: in children, for the first start counts. */

static int
say_workers(void)
{
	tap_note("workers %d", wf_workers(0));
	return 0;
}

static int
three_from_environment(void)
{
	setenv("WEFT_WORKERS", "3", 1);
	return wf_run(say_workers);
}

static int
ask_before_start(void)
{
	setenv("WEFT_WORKERS", "5", 1);
	tap_note("workers %d", wf_workers(0));
	return 0;
}

static int
with_workers_text(const char *text)
{
	setenv("WEFT_WORKERS", text, 1);
	check(wf_run(small_program) == 0);
	check(wf_workers(0) >= 1 && wf_workers(0) <= 1024);
	tap_note("survived");
	return 0;
}

static int bad_word(void) { return with_workers_text("many"); }
static int bad_zero(void) { return with_workers_text("0"); }
static int bad_negative(void) { return with_workers_text("-4"); }
static int bad_huge(void) { return with_workers_text("99999999999999999999"); }
static int bad_tail(void) { return with_workers_text("4x"); }
static int bad_empty(void) { return with_workers_text(""); }

/* The allocator: counts, checks sizes, fails on demand. */

static struct {
	long live, bytes, total;	/* atomic */
	long fail_at;			/* atomic: the n-th from now fails */
	long every;			/* every n-th fails; 0: none */
	int wrong;			/* atomic */
} heap;

static void *
heap_alloc(void *arg, size_t size)
{
	long nth = __atomic_add_fetch(&heap.total, 1, __ATOMIC_RELAXED);
	size_t *p;

	if (arg != &heap)
		__atomic_add_fetch(&heap.wrong, 1, __ATOMIC_RELAXED);
	if (__atomic_load_n(&heap.fail_at, __ATOMIC_RELAXED) > 0 &&
	    __atomic_sub_fetch(&heap.fail_at, 1, __ATOMIC_RELAXED) == 0)
		return NULL;
	if (heap.every && nth % heap.every == 0)
		return NULL;
	if (!(p = malloc(size + 16)))
		return NULL;
	memset(p, 0xa5, size + 16);	/* nobody may rely on zeros */
	p[0] = size;
	__atomic_add_fetch(&heap.live, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&heap.bytes, (long)size, __ATOMIC_RELAXED);
	return p + 2;
}

static void
heap_free(void *arg, void *memory, size_t size)
{
	size_t *p = (size_t *)memory - 2;

	if (arg != &heap || p[0] != size)
		__atomic_add_fetch(&heap.wrong, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&heap.live, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&heap.bytes, (long)size, __ATOMIC_RELAXED);
	memset(p, 0x5a, size + 16);
	free(p);
}

static bool
own_heap(void)
{
	struct wf_allocator allocator = { heap_alloc, heap_free, &heap };

	return check_eq(wf_set_allocator(&allocator), 0);
}

static void
heap_is_empty(void)
{
	check_eq(heap.live, 0);
	check_eq(heap.bytes, 0);
	check_eq(heap.wrong, 0);
}

/* A program that wants every kind of memory. */

static void
child_of(wf_ctx *parent, wf_chan(int) c)
{
	wf_ctx *ctx = wf_ctx_with_timeout(parent, 3600 * WF_SEC);

	check_eq(wf_send_ctx(ctx, c, 1), 1);
	wf_ctx_free(ctx);
}

static int
wants_memory(void)
{
	wf_chan(int) c = wf_chan_make(int, 3);
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	wf_chan(struct wf_stats) big = wf_chan_make(struct wf_stats, 100);
	wf_waitgroup wg = {0};
	int v, n = 0;

	for (int i = 0; i < 1000; i++)
		n += wf_waitgroup_spawn(&wg, child_of, ctx, c) == 0;
	while (n-- > 0)
		check_eq(wf_recv(c, &v), 1);
	wf_waitgroup_wait(&wg);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	wf_chan_free(big);
	return 0;
}

static int
all_given_back(void)
{
	struct wf_allocator other = { heap_alloc, heap_free, NULL };

	if (!own_heap())
		return 1;
	for (int workers = 1; workers <= 16; workers *= 4) {
		wf_workers(workers);
		check_eq(wf_run(wants_memory), 0);
		heap_is_empty();
		check(heap.total > 0);
	}
	check_eq(wf_set_allocator(&other), -EBUSY);
	check_eq(wf_start(NULL), 0);
	check_eq(wf_set_allocator(&other), -EBUSY);
	check_eq(wf_stop(0), 0);
	heap_is_empty();
	tap_note("%ld allocations", heap.total);
	return 0;
}

static int
outside_of_runs(void)
{
	wf_chan(int) c;
	wf_ctx *ctx;

	if (!own_heap())
		return 1;
	c = wf_chan_make(int, 10);
	ctx = wf_ctx_with_timeout(wf_ctx_background(), 3600 * WF_SEC);
	check(heap.live > 0);
	check_eq(wf_send_ctx(ctx, c, 1), 1);
	wf_ctx_free(ctx);
	wf_chan_free(c);
	check_eq(wf_stop(0), 0);
	heap_is_empty();
	tap_note("given back");
	return 0;
}

static int
allocator_too_late(void)
{
	struct wf_allocator allocator = { heap_alloc, heap_free, &heap };

	check_eq(wf_run(small_program), 0);
	check_eq(wf_set_allocator(&allocator), -EBUSY);
	check_eq(wf_run(small_program), 0);
	check_eq(heap.total, 0);
	tap_note("refused");
	return 0;
}

static int
incomplete_allocator(void)
{
	struct wf_allocator none = { NULL, heap_free, NULL };

	tap_note("said %d", wf_set_allocator(&none));
	check_eq(wf_run(small_program), 0);
	return 0;
}

/*
 * The n-th allocation fails, for every n until none was there to fail.  What
 * fails says so, and the rest is as it would be without.
 */

static void
note_arrival(int *n, wf_chan(int) c)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
	if (c)
		wf_try_send(c, 1);
}

static void
try_contexts(void)
{
	wf_ctx *a = wf_ctx_with_cancel(wf_ctx_background());
	wf_ctx *b = wf_ctx_with_timeout(a, 3600 * WF_SEC);
	wf_ctx *c = wf_ctx_with_cancel(b);

	check(wf_ctx_err(a) == 0 || wf_ctx_err(a) == -ENOMEM);
	check(wf_ctx_err(b) == wf_ctx_err(a) || wf_ctx_err(b) == -ENOMEM);
	check(wf_ctx_err(c) == wf_ctx_err(b) || wf_ctx_err(c) == -ENOMEM);
	check_eq(wf_select(wf_on_done(c), wf_on_default()),
	    wf_ctx_err(c) ? 0 : 1);
	wf_ctx_cancel(a);
	check(wf_ctx_err(c) == -ECANCELED || wf_ctx_err(c) == -ENOMEM);
	wf_ctx_free(c);
	wf_ctx_free(b);
	wf_ctx_free(a);
}

/* Returns how much was refused. */
static int
lean_program(int *refused)
{
	wf_chan(int) c = wf_chan_make(int, 200);
	wf_waitgroup wg = {0};
	int started = 0, ran = 0, r;

	*refused = !c;
	for (int i = 0; i < 200; i++) {
		r = wf_waitgroup_spawn(&wg, note_arrival, &ran, c);
		if (r == 0)
			started++;
		else if (check(r == -ENOMEM || r == -EAGAIN))
			++*refused;
	}
	try_contexts();
	wf_sleep(10 * WF_US);
	wf_waitgroup_wait(&wg);
	check_eq(ran, started);
	if (c)
		check_eq(wf_len(c), started);
	wf_chan_free(c);
	return 0;
}

static bool
lean_run(long nth)
{
	int refused = 0, result;

	__atomic_store_n(&heap.fail_at, nth, __ATOMIC_RELAXED);
	result = wf_run(lean_program, &refused);
	check(result == 0 || result == 125);
	heap_is_empty();
	return __atomic_load_n(&heap.fail_at, __ATOMIC_RELAXED) > 0;
}

static int
nth_fails(void)
{
	long nth = 1;

	if (!own_heap())
		return 1;
	wf_workers(2);
	while (!lean_run(nth))
		nth++;
	check(nth > 1);
	tap_note("passed");
	return 0;
}

static int
every_nth_fails(void)
{
	int refused = 0, result;

	if (!own_heap())
		return 1;
	wf_workers(2);
	for (heap.every = 1; heap.every < 200; heap.every++) {
		result = wf_run(lean_program, &refused);
		check(result == 0 || result == 125);
		heap_is_empty();
	}
	tap_note("passed");
	return 0;
}

/* From plain threads: the start may fail, and then works. */
static int
start_fails(void)
{
	wf_waitgroup wg = {0};
	int n = 0, refused = 0, r;
	bool passed = false;

	if (!own_heap())
		return 1;
	for (long nth = 1; !passed; nth++) {
		heap.fail_at = nth;
		while ((r = wf_waitgroup_spawn(&wg, count, &n)) < 0) {
			check(r == -ENOMEM || r == -EAGAIN);
			refused++;
		}
		wf_waitgroup_wait(&wg);
		passed = heap.fail_at > 0;
		heap.fail_at = 0;
		check_eq(wf_stop(WF_FOREVER), 0);
		heap_is_empty();
		check_eq(n, nth);
	}
	check(refused > 0);
	tap_note("started");
	return 0;
}

/* Statistics. */

static int
statistics(void)
{
	struct wf_stats a, b;
	wf_chan(int) gate = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};
	int n = 0;

	wf_stats(&a);
	check_eq(a.live, 1);
	check(a.workers >= 1 && a.idle < a.workers);
	check(a.spawned >= 1);
	check(a.stacks >= 1);
	for (int i = 0; i < 100; i++) {
		wf_waitgroup_add(&wg, 1);
		wf_spawn_with(&(struct wf_attr){ .waitgroup = &wg }, wait_at,
		    gate, &n);
		wf_waitgroup_done(&wg);
	}
	wf_stats(&b);
	check_eq(b.live, 101);
	check_eq(b.spawned, a.spawned + 100);
	for (int i = 0; i < 100; i++)
		wf_send(gate, i);
	wf_waitgroup_wait(&wg);
	do
		wf_stats(&b);
	while (b.live > 1);
	check_eq(b.live, 1);
	check_eq(n, 100);
	check(b.switches >= a.switches + 100);
	check(b.stacks >= a.stacks);
	wf_chan_free(gate);
	return 0;
}

static void
statistics_outside(void)
{
	struct wf_stats stats, zero;

	memset(&stats, 0xff, sizeof stats);
	memset(&zero, 0, sizeof zero);
	wf_stats(&stats);
	check(!memcmp(&stats, &zero, sizeof zero));
}

/* Nothing to do: nobody wakes up. */

/* Voluntary context switches of all threads but this one. */
static long
switches(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	long sum = 0, n;
	char path[300], line[200];
	FILE *status;

	if (!check(dir))
		return 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || atol(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%s/status",
		    entry->d_name);
		if (!(status = fopen(path, "r")))
			continue;
		while (fgets(line, sizeof line, status))
			if (sscanf(line, "voluntary_ctxt_switches: %ld", &n))
				sum += n;
		fclose(status);
	}
	closedir(dir);
	return sum;
}

/* It may take a while until all is quiet: until a window has next to no
 * switches.  Where somebody wakes up again and again there is none. */
static void
await_quiet(void)
{
	struct timespec window = { 0, 300 * 1000000 };
	long before;

	do {
		before = switches();
		nanosleep(&window, NULL);
	} while (switches() - before > 5);
}

static void
idle(void)
{
	wf_chan(int) gate = wf_chan_make(int, 0);
	int n = 0;

	for (int i = 0; i < 1000; i++)
		check_eq(wf_spawn(wait_at, gate, &n), 0);
	await_quiet();
	wf_close(gate);
	check_eq(wf_stop(WF_FOREVER), 0);
	check_eq(n, 1000);
	wf_chan_free(gate);
}

/* A far deadline is no reason to wake up either. */
static void
wait_hours(wf_ctx *ctx)
{
	wf_select(wf_on_done(ctx), wf_on_timeout(3600 * WF_SEC));
}

static void
idle_with_timers(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());

	for (int i = 0; i < 100; i++)
		check_eq(wf_spawn(wait_hours, ctx), 0);
	await_quiet();
	wf_ctx_cancel(ctx);
	check_eq(wf_stop(WF_FOREVER), 0);
	wf_ctx_free(ctx);
}

/* Before weft is used for the first time in this process. */
static void
children(void)
{
	tap_child("allocator: all is given back", all_given_back, 0,
	    "allocations");
	tap_child("allocator: outside of runs", outside_of_runs, 0,
	    "given back");
	tap_child("allocator: too late", allocator_too_late, 0, "refused");
	tap_child("allocator: incomplete", incomplete_allocator, 0, "said -22");
	tap_child("allocator: the n-th call fails", nth_fails, 0, "passed");
	tap_child("allocator: every n-th call fails", every_nth_fails, 0,
	    "passed");
	tap_child("allocator: the start fails", start_fails, 0, "started");
	tap_child("WEFT_WORKERS=3", three_from_environment, 0, "workers 3");
	tap_child("WEFT_WORKERS=5, before the start", ask_before_start, 0,
	    "workers 5");
	tap_child("WEFT_WORKERS=many", bad_word, 0, "survived");
	tap_child("WEFT_WORKERS=0", bad_zero, 0, "survived");
	tap_child("WEFT_WORKERS=-4", bad_negative, 0, "survived");
	tap_child("WEFT_WORKERS=99999999999999999999", bad_huge, 0,
	    "survived");
	tap_child("WEFT_WORKERS=4x", bad_tail, 0, "survived");
	tap_child("WEFT_WORKERS=", bad_empty, 0, "survived");
}

static void *
no_work(void *arg)
{
	return arg;
}

/* ThreadSanitizer's own thread comes with the first of the program. */
static void
first_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, no_work, NULL))
		pthread_join(thread, NULL);
}

int
main(void)
{
	children();
	first_thread();
	tap_plain("statistics: outside", statistics_outside);
	tap_plain("start: bad options", bad_options);
	tap_plain("start: good options", good_options);
	tap_plain("start: by itself", starts_itself);
	tap_plain("run: results", results);
	tap_plain("run: leaves nothing", leaves_nothing);
	tap_plain("run: again and again", runs_again);
	tap_plain("run: handlers as before", handlers);
	tap_plain("run: coroutines left at the end", leftovers);
	tap_plain("run: they are woken by a later one", leftovers_woken);
	tap_test("calls inside of a run", calls_inside);
	tap_plain("stop: while coroutines live", stop_while_they_live);
	tap_plain("stop: waits", stop_waits);
	tap_plain("stop: while timers run", stop_leaves_timers);
	tap_plain("stop: while coroutines meddle", stop_while_they_meddle);
	tap_test_workers("statistics", statistics);
	if (TAP_TSAN) {		/* see wf__os_futex_wait() */
		tap_skip("idle", "threads look for signals now and then");
	} else {
		tap_plain("idle: no switches", idle);
		tap_plain("idle: far deadlines", idle_with_timers);
	}
	return tap_end();
}
