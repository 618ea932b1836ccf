/* SPDX-License-Identifier: MIT */
/*
 * rwmutex.c - rwmutexes: readers together, writers alone, who goes first,
 * contexts, coroutines and plain threads, locks freed by their last user,
 * and misuse.
 */
#include "tap.h"

#include <pthread.h>

#include "rwunit.h"
#include "spin.h"

#define TO_READ "to read under rwmutex"
#define TO_WRITE "to write under rwmutex"

static void
check_free(wf_rwmutex *rw)
{
	check_eq(wf_rwmutex_try_lock(rw), 0);
	check_eq(wf_rwmutex_try_lock(rw), -EAGAIN);
	check_eq(wf_rwmutex_try_read_lock(rw), -EAGAIN);
	wf_rwmutex_unlock(rw);
	check_eq(wf_rwmutex_try_read_lock(rw), 0);
	check_eq(wf_rwmutex_try_read_lock(rw), 0);
	check_eq(wf_rwmutex_try_lock(rw), -EAGAIN);
	wf_rwmutex_read_unlock(rw);
	check_eq(wf_rwmutex_try_lock(rw), -EAGAIN);
	wf_rwmutex_read_unlock(rw);
	check_eq(wf_rwmutex_try_lock(rw), 0);
	wf_rwmutex_unlock(rw);
}

/* As if readers had met at the lock often enough: a worker notes them from now
 * on.  False: it is not free for readers. */
static bool
meet_and_read(wf_rwmutex *rw)
{
	struct wf__rwmutex *m = (struct wf__rwmutex *)(void *)rw;

	/* Relaxed: about is good enough. */
	wf__store_relaxed(&m->limit, 1);
	return wf__rwunit_add_slow(m) && (wf__rwunit_add_slow(m) ||
	    (wf_rwmutex_read_unlock(rw), false));
}

static void
warm_up(wf_rwmutex *rw)
{
	struct wf__rwmutex *m = (struct wf__rwmutex *)(void *)rw;

	check(meet_and_read(rw));
	if (wf_self())
		check(wf__rwunit_state(m) & WF__RW_NOTED);
	wf_rwmutex_read_unlock(rw);
	wf_rwmutex_read_unlock(rw);
}

/* Everybody does everything. */

struct book {
	wf_rwmutex lock;
	long left, right;	/* equal, but for a writer; no atomics */
	int readers, writers;	/* atomic */
	long writes;		/* atomic */
};

static void
read_book(struct book *b, bool wait)
{
	__atomic_add_fetch(&b->readers, 1, __ATOMIC_RELAXED);
	check_eq(__atomic_load_n(&b->writers, __ATOMIC_RELAXED), 0);
	check_eq(b->left, b->right);
	if (wait)
		wf_yield();
	check_eq(b->left, b->right);
	__atomic_sub_fetch(&b->readers, 1, __ATOMIC_RELAXED);
	wf_rwmutex_read_unlock(&b->lock);
}

static void
write_book(struct book *b, bool wait)
{
	__atomic_add_fetch(&b->writers, 1, __ATOMIC_RELAXED);
	check_eq(__atomic_load_n(&b->readers, __ATOMIC_RELAXED), 0);
	b->left++;
	if (wait)
		wf_yield();
	b->right++;
	__atomic_add_fetch(&b->writes, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&b->writers, 1, __ATOMIC_RELAXED);
	wf_rwmutex_unlock(&b->lock);
}

static wf_ctx *
short_context(uint64_t *random)
{
	return wf_ctx_with_timeout(wf_ctx_background(),
	    (int64_t)(tap_random(random) % 50) * WF_US);
}

static void
read_or_write_under(struct book *b, bool writes, uint64_t *random)
{
	wf_ctx *ctx = short_context(random);
	int err = writes ? wf_rwmutex_lock_ctx(ctx, &b->lock) :
	    wf_rwmutex_read_lock_ctx(ctx, &b->lock);

	wf_ctx_free(ctx);
	if (err < 0)
		check_eq(err, -ETIMEDOUT);
	else if (writes)
		write_book(b, false);
	else
		read_book(b, true);
}

static void
use_book(struct book *b, int rounds, int reads, uint64_t random)
{
	for (int i = 0; i < rounds; i++) {
		uint64_t r = tap_random(&random);
		bool writes = r % (uint64_t)reads == 0;
		bool wait = r % 7 == 0;

		if (r >> 32 & 8 && i % 4 == 0)
			read_or_write_under(b, writes, &random);
		else if (r >> 32 & 16 && !writes) {
			if (meet_and_read(&b->lock)) {
				wf_rwmutex_read_unlock(&b->lock);
				read_book(b, wait);
			}
		}
		else if (r >> 32 & 1 && writes) {
			if (wf_rwmutex_try_lock(&b->lock) == 0)
				write_book(b, wait);
		} else if (r >> 32 & 1) {
			if (wf_rwmutex_try_read_lock(&b->lock) == 0)
				read_book(b, wait);
		} else if (writes) {
			wf_rwmutex_lock(&b->lock);
			write_book(b, wait);
		} else {
			wf_rwmutex_read_lock(&b->lock);
			read_book(b, wait);
		}
	}
}

static void *
book_thread(void *arg)
{
	use_book(arg, 300, 10, tap_seed());
	return NULL;
}

/* A round with every how-many-th access a write. */
static void
share_book(int reads)
{
	struct book b = {0};
	wf_waitgroup wg = {0};
	pthread_t thread[3];
	int threads = 0;

	for (int i = 0; i < 12; i++)
		wf_waitgroup_spawn(&wg, use_book, &b, 300, reads,
		    tap_seed() + (uint64_t)i);
	for (int i = 0; i < 3; i++)
		threads += check(!pthread_create(&thread[threads], NULL,
		    book_thread, &b));
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	wf_waitgroup_wait(&wg);
	check_eq(b.left, b.writes);
	check_eq(b.right, b.writes);
	check_free(&b.lock);
}

static int
everything(void)
{
	share_book(1);
	share_book(2);
	share_book(10);
	share_book(100);
	share_book(1000000);
	return 0;
}

static void
threads_only(void)
{
	struct book b = {0};
	pthread_t thread;

	if (check(!pthread_create(&thread, NULL, book_thread, &b))) {
		use_book(&b, 300, 3, 7);
		pthread_join(thread, NULL);
	}
	check_free(&b.lock);
	warm_up(&b.lock);
	check_free(&b.lock);
	check_eq(wf_stop(WF_FOREVER), 0);	/* deadlines started it */
}

/* 155: all readers have it at once, by n coroutines. */

static void
read_together(wf_rwmutex *rw, wf_waitgroup *all)
{
	wf_rwmutex_read_lock(rw);
	wf_waitgroup_done(all);
	wf_waitgroup_wait(all);
	wf_rwmutex_read_unlock(rw);
}

static int
together(void)
{
	for (int n = 1; n <= 4; n++) {
		wf_rwmutex rw = {0};
		wf_waitgroup all = {0}, readers = {0};

		if (n % 2)
			warm_up(&rw);
		wf_waitgroup_add(&all, n);
		for (int i = 0; i < n; i++)
			wf_waitgroup_spawn(&readers, read_together, &rw,
			    &all);
		wf_waitgroup_wait(&readers);
		check_free(&rw);
	}
	return 0;
}

/* 157: two read locks, one inside the other; a writer waits for both; readers
 * wait for the writer. */

static void
write_once(wf_rwmutex *rw, wf_chan(bool) in, wf_chan(bool) out)
{
	wf_rwmutex_lock(rw);
	wf_send(in, true);
	wf_recv(out, NULL);
	wf_rwmutex_unlock(rw);
}

static int
nested(void)
{
	wf_rwmutex rw = {0};
	wf_chan(bool) in = wf_chan_make(bool, 1), out = wf_chan_make(bool, 0);
	wf_waitgroup wg = {0};

	for (int i = 0; i < 10; i++) {
		if (i == 5)
			warm_up(&rw);
		wf_rwmutex_read_lock(&rw);
		wf_rwmutex_read_lock(&rw);
		wf_waitgroup_spawn(&wg, write_once, &rw, in, out);
		tap_await_parked(TO_WRITE, 1);
		check_eq(wf_try_recv(in, NULL), -EAGAIN);
		wf_rwmutex_read_unlock(&rw);
		check_eq(wf_try_recv(in, NULL), -EAGAIN);
		wf_rwmutex_read_unlock(&rw);
		check_eq(wf_recv(in, NULL), 1);
		check_eq(wf_rwmutex_try_read_lock(&rw), -EAGAIN);
		wf_send(out, true);
		wf_rwmutex_read_lock(&rw);
		wf_rwmutex_read_unlock(&rw);
		wf_waitgroup_wait(&wg);
	}
	check_free(&rw);
	wf_chan_free(in);
	wf_chan_free(out);
	return 0;
}

/* Who goes first. */

struct row {
	wf_rwmutex lock;
	int next;		/* atomic */
};

static void
write_in_turn(struct row *r, wf_ctx *ctx, int from, int to)
{
	int err = wf_rwmutex_lock_ctx(ctx, &r->lock), at;

	if (from < 0) {
		check_eq(err, -ECANCELED);
		return;
	}
	check_eq(err, 0);
	at = __atomic_fetch_add(&r->next, 1, __ATOMIC_RELAXED);
	check(from <= at && at <= to);
	wf_rwmutex_unlock(&r->lock);
}

static void
read_in_turn(struct row *r, int from, int to)
{
	int at;

	wf_rwmutex_read_lock(&r->lock);
	at = __atomic_fetch_add(&r->next, 1, __ATOMIC_RELAXED);
	check(from <= at && at <= to);
	wf_rwmutex_read_unlock(&r->lock);
}

/* A writer that waits holds off new readers; readers that wait while a writer
 * writes go before the writers that came earlier. */
static int
in_turn(void)
{
	wf_ctx *ctx = wf_ctx_background();
	struct row r = {0};
	wf_waitgroup wg = {0};

	wf_rwmutex_read_lock(&r.lock);
	wf_waitgroup_spawn(&wg, write_in_turn, &r, ctx, 0, 0);
	tap_await_parked(TO_WRITE, 1);
	check_eq(wf_rwmutex_try_read_lock(&r.lock), -EAGAIN);
	wf_waitgroup_spawn(&wg, write_in_turn, &r, ctx, 4, 4);
	tap_await_parked(TO_WRITE, 2);
	wf_waitgroup_spawn(&wg, write_in_turn, &r, ctx, 5, 5);
	tap_await_parked(TO_WRITE, 3);
	for (int i = 0; i < 3; i++) {
		wf_waitgroup_spawn(&wg, read_in_turn, &r, 1, 3);
		tap_await_parked(TO_READ, i + 1);
	}
	check_eq(r.next, 0);
	wf_rwmutex_read_unlock(&r.lock);
	wf_waitgroup_wait(&wg);
	check_eq(r.next, 6);
	check_free(&r.lock);
	return 0;
}

/* The writer gives up: the readers it held off come in, beside the one who is
 * still there. */
static int
writer_gives_up(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
	struct row r = {0};
	wf_waitgroup wg = {0}, writer = {0};

	wf_rwmutex_read_lock(&r.lock);
	wf_waitgroup_spawn(&writer, write_in_turn, &r, ctx, -1, -1);
	tap_await_parked(TO_WRITE, 1);
	for (int i = 0; i < 3; i++)
		wf_waitgroup_spawn(&wg, read_in_turn, &r, 0, 2);
	tap_await_parked(TO_READ, 3);
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&wg);
	wf_waitgroup_wait(&writer);
	check_eq(wf_rwmutex_lock_ctx(ctx, &r.lock), -ECANCELED);
	wf_rwmutex_read_unlock(&r.lock);
	check_eq(wf_rwmutex_lock_ctx(ctx, &r.lock), 0);	/* free wins */
	check_eq(wf_rwmutex_read_lock_ctx(ctx, &r.lock), -ECANCELED);
	wf_rwmutex_unlock(&r.lock);
	check_eq(wf_rwmutex_read_lock_ctx(ctx, &r.lock), 0);
	wf_rwmutex_read_unlock(&r.lock);
	check_eq(wf_rwmutex_lock_ctx(NULL, &r.lock), -EINVAL);
	check_eq(wf_rwmutex_read_lock_ctx(NULL, &r.lock), -EINVAL);
	check_free(&r.lock);
	wf_ctx_free(ctx);
	return 0;
}

/* A writer gives up while another one, woken, does not run yet, and a third one
 * waits.  Readers who have come in meanwhile are noted still. */

struct crowd {
	wf_rwmutex lock;
	wf_ctx *ctx;
};

static int
queued(struct crowd *c)
{
	struct wf__rwmutex *m = (struct wf__rwmutex *)(void *)&c->lock;
	int n = 0;

	wf__lock(&m->lock);
	for (struct wf__waiter *w = m->writers.first; w; w = w->next)
		n++;
	wf__unlock(&m->lock);
	return n;
}

static void
write_in_crowd(struct crowd *c, wf_ctx *ctx)
{
	int err = wf_rwmutex_lock_ctx(ctx, &c->lock);

	if (err == 0)
		wf_rwmutex_unlock(&c->lock);
	else
		check_eq(err, -ECANCELED);
}

static void *
write_in_crowd_thread(void *arg)
{
	struct crowd *c = arg;

	write_in_crowd(c, c->ctx);
	return NULL;
}

static void
await_queued(struct crowd *c, int n)
{
	while (queued(c) < n)
		wf_yield();
}

/* One round: whether readers came in before the woken one, and were noted. */
static bool
withdraw_beside_noted(void)
{
	struct crowd c = { .ctx = wf_ctx_with_cancel(wf_ctx_background()) };
	struct wf__rwmutex *m = (struct wf__rwmutex *)(void *)&c.lock;
	wf_waitgroup wg = {0};
	pthread_t thread;
	wf__word s;
	bool won;

	wf_rwmutex_lock(&c.lock);
	wf_waitgroup_spawn(&wg, write_in_crowd, &c, wf_ctx_background());
	await_queued(&c, 1);
	if (!check(!pthread_create(&thread, NULL, write_in_crowd_thread, &c)))
		abort();
	await_queued(&c, 2);
	wf_waitgroup_spawn(&wg, write_in_crowd, &c, wf_ctx_background());
	await_queued(&c, 3);
	wf_rwmutex_unlock(&c.lock);
	won = meet_and_read(&c.lock);
	wf_ctx_cancel(c.ctx);
	pthread_join(thread, NULL);
	s = wf__rwunit_state(m);
	check(!(s & WF__RW_NOTED && s & WF__RW_CLOSED));
	check(!(won && s & WF__RW_HELD));
	if (won) {
		wf_rwmutex_read_unlock(&c.lock);
		wf_rwmutex_read_unlock(&c.lock);
	}
	wf_waitgroup_wait(&wg);
	check_free(&c.lock);
	wf_ctx_free(c.ctx);
	return won && s & WF__RW_NOTED;
}

static int
withdraw_beside(void)
{
	int rounds = 0;
	bool won = false;

	while (!won && ++rounds < 200)
		won = withdraw_beside_noted();
	check(won || wf_workers(0) > 1);
	return 0;
}

/* A writer who was woken competes with those who come along; one who has waited
 * for too long is next, after the readers who wait. */

struct patient {
	wf_rwmutex lock;
	wf_chan(bool) go_on;	/* tells who has it to leave */
};

static void
write_patiently(struct patient *p)
{
	wf_rwmutex_lock(&p->lock);
	wf_recv(p->go_on, NULL);
	wf_rwmutex_unlock(&p->lock);
}

static void
read_patiently(struct patient *p)
{
	wf_rwmutex_read_lock(&p->lock);
	wf_recv(p->go_on, NULL);
	wf_rwmutex_read_unlock(&p->lock);
}

static void
let_starve(void)
{
	int64_t until = wf_now() + 2 * WF__STARVED;

	while (wf_now() < until)
		wf_yield();
}

/* I6 of rwunit.h, true at any moment: if nobody thought of those in the queue,
 * each unlock would wake one more of them. */
static void
check_thought_of(wf_rwmutex *rw)
{
	wf__word s = wf__rwunit_state((struct wf__rwmutex *)(void *)rw);

	check(!(s & WF__RW_QUEUED) ||
	    s & (WF__RW_HELD | WF__RW_WRITERS | WF__RW_WOKEN));
}

/* One round: whether the running one got it, for reading and for writing,
 * before those who were there first.  (Not if it lost its core meanwhile.) */
static bool
barge(struct patient *p)
{
	wf_waitgroup wg = {0};
	bool won = false;

	wf_rwmutex_lock(&p->lock);
	wf_waitgroup_spawn(&wg, write_patiently, p);
	wf_waitgroup_spawn(&wg, write_patiently, p);
	tap_await_parked(TO_WRITE, 2);
	wf_rwmutex_unlock(&p->lock);
	check_thought_of(&p->lock);
	if (wf_rwmutex_try_read_lock(&p->lock) == 0) {
		wf_rwmutex_read_unlock(&p->lock);
		if (wf_rwmutex_try_lock(&p->lock) == 0) {
			won = true;
			wf_rwmutex_unlock(&p->lock);
			check_thought_of(&p->lock);
		}
	}
	wf_send(p->go_on, true);
	wf_send(p->go_on, true);
	wf_waitgroup_wait(&wg);
	check_free(&p->lock);
	return won;
}

static int
patience(void)
{
	struct patient p = { .go_on = wf_chan_make(bool, 0) };
	wf_waitgroup wg = {0};
	int rounds = 0;
	bool won = false;

	while (!won && ++rounds < 1000)
		won = barge(&p);
	check(won || wf_workers(0) > 1);
	wf_rwmutex_lock(&p.lock);
	wf_waitgroup_spawn(&wg, write_patiently, &p);
	tap_await_parked(TO_WRITE, 1);
	let_starve();
	wf_rwmutex_unlock(&p.lock);
	check_eq(wf_rwmutex_try_lock(&p.lock), -EAGAIN);
	check_eq(wf_rwmutex_try_read_lock(&p.lock), -EAGAIN);
	wf_send(p.go_on, true);
	wf_waitgroup_wait(&wg);
	wf_rwmutex_lock(&p.lock);
	wf_waitgroup_spawn(&wg, write_patiently, &p);
	tap_await_parked(TO_WRITE, 1);
	wf_waitgroup_spawn(&wg, read_patiently, &p);
	tap_await_parked(TO_READ, 1);
	let_starve();
	wf_rwmutex_unlock(&p.lock);
	check_eq(wf_rwmutex_try_read_lock(&p.lock), -EAGAIN);
	wf_send(p.go_on, true);
	wf_send(p.go_on, true);
	wf_waitgroup_wait(&wg);
	check_free(&p.lock);
	wf_chan_free(p.go_on);
	return 0;
}

/* Hand-over and cancellation collide: whoever has no context gets it. */

static void
write_under(wf_ctx *ctx, wf_rwmutex *rw)
{
	int err = wf_rwmutex_lock_ctx(ctx, rw);

	if (err == 0)
		wf_rwmutex_unlock(rw);
	else
		check_eq(err, -ECANCELED);
}

static void
read_under(wf_ctx *ctx, wf_rwmutex *rw)
{
	int err = wf_rwmutex_read_lock_ctx(ctx, rw);

	if (err == 0)
		wf_rwmutex_read_unlock(rw);
	else
		check_eq(err, -ECANCELED);
}

static int
context_races(void)
{
	for (long i = tap_scale(4000, 400); i > 0; i--) {
		wf_ctx *ctx = wf_ctx_with_cancel(wf_ctx_background());
		wf_ctx *of[] = { ctx, wf_ctx_background() };
		wf_rwmutex *rw = calloc(1, sizeof *rw);
		wf_waitgroup wg = {0};

		if (!check(rw))
			return 1;
		if (i % 5 == 0)
			warm_up(rw);
		if (i % 2)
			wf_rwmutex_lock(rw);
		else
			wf_rwmutex_read_lock(rw);
		for (int k = 0; k < 4; k++) {
			wf_waitgroup_spawn(&wg, write_under, of[k == 2], rw);
			wf_waitgroup_spawn(&wg, read_under, of[k == 1], rw);
		}
		if (i % 3)
			wf_yield();
		wf_waitgroup_spawn(&wg, wf_ctx_cancel, ctx);
		if (i % 2)
			wf_rwmutex_unlock(rw);
		else
			wf_rwmutex_read_unlock(rw);
		wf_waitgroup_wait(&wg);
		check_free(rw);
		free(rw);
		wf_ctx_free(ctx);
	}
	return 0;
}

/* Locked here, unlocked there: by another coroutine, by a plain thread, on
 * another worker, in another run. */

static void *
read_unlock_thread(void *rw)
{
	wf_rwmutex_read_unlock(rw);
	return NULL;
}

static void
lock_and_move(wf_rwmutex *rw)
{
	for (int i = 0; i < 50; i++) {
		wf_rwmutex_read_lock(rw);
		wf_sleep(20 * WF_US);
		wf_rwmutex_read_unlock(rw);
	}
}

static int
elsewhere(void)
{
	wf_rwmutex rw = {0};
	wf_waitgroup wg = {0};
	pthread_t thread;

	warm_up(&rw);
	for (int i = 0; i < 100; i++) {
		wf_rwmutex_read_lock(&rw);
		wf_waitgroup_spawn(&wg, wf_rwmutex_read_unlock, &rw);
		if (i % 10)
			continue;
		wf_rwmutex_read_lock(&rw);
		if (check(!pthread_create(&thread, NULL, read_unlock_thread,
		    &rw)))
			pthread_join(thread, NULL);
	}
	wf_waitgroup_wait(&wg);
	check_free(&rw);
	for (int i = 0; i < 20; i++)
		wf_waitgroup_spawn(&wg, lock_and_move, &rw);
	wf_waitgroup_wait(&wg);
	check_free(&rw);
	return 0;
}

static wf_rwmutex kept;

static int
lock_and_leave(void)
{
	warm_up(&kept);
	wf_rwmutex_read_lock(&kept);
	return 0;
}

static void
across_runs(void)
{
	check_eq(wf_run(lock_and_leave), 0);
	check_eq(wf_run(lock_and_leave), 0);
	check_eq(wf_rwmutex_try_lock(&kept), -EAGAIN);
	wf_rwmutex_read_unlock(&kept);
	check_eq(wf_rwmutex_try_lock(&kept), -EAGAIN);
	wf_rwmutex_read_unlock(&kept);
	check_free(&kept);
}

/* One that was freed while it was locked is nobody else's trouble. */
static int
dead_neighbour(void)
{
	wf_rwmutex rw = {0};

	warm_up(&rw);
	wf_rwmutex_read_lock(&rw);
	memset(&rw, 0, sizeof rw);
	warm_up(&rw);
	check_free(&rw);
	return 0;
}

/* The last of several users frees it as soon as it has unlocked. */

struct shared {
	wf_rwmutex lock;
	int users;		/* atomic */
};

static void
leave(struct shared *s, bool writes)
{
	bool last;

	if (writes)
		wf_rwmutex_lock(&s->lock);
	else
		wf_rwmutex_read_lock(&s->lock);
	last = __atomic_sub_fetch(&s->users, 1, __ATOMIC_ACQ_REL) == 0;
	if (writes)
		wf_rwmutex_unlock(&s->lock);
	else
		wf_rwmutex_read_unlock(&s->lock);
	if (!last)
		return;
	/* The others may not have unlocked yet. */
	wf_rwmutex_lock(&s->lock);
	wf_rwmutex_unlock(&s->lock);
	memset(s, 0xa5, sizeof *s);
	free(s);
}

static int
freed_by_last(void)
{
	for (long i = tap_scale(20000, 2000); i > 0; i--) {
		struct shared *s = calloc(1, sizeof *s);
		wf_waitgroup wg = {0};

		if (!check(s))
			return 1;
		s->users = 4;
		if (i % 10 == 0)
			warm_up(&s->lock);
		for (int k = 0; k < 4; k++)
			wf_waitgroup_spawn(&wg, leave, s,
			    (bool)(k % 2 == i % 2));
		wf_waitgroup_wait(&wg);
	}
	return 0;
}

/* Misuse. */

static int
not_locked(void)
{
	wf_rwmutex rw = {0};

	wf_rwmutex_unlock(&rw);
	return 0;
}

static int
not_read_locked(void)
{
	wf_rwmutex rw = {0};

	warm_up(&rw);
	wf_rwmutex_read_unlock(&rw);
	return 0;
}

static int
not_read_locked_in_coroutine(void)
{
	return wf_run(not_read_locked);
}

static int
read_unlock_of_written(void)
{
	wf_rwmutex rw = {0};

	wf_rwmutex_lock(&rw);
	wf_rwmutex_read_unlock(&rw);
	return 0;
}

static int
unlock_of_read(void)
{
	wf_rwmutex rw = {0};

	wf_rwmutex_read_lock(&rw);
	wf_rwmutex_unlock(&rw);
	return 0;
}

int
main(void)
{
	tap_child("misuse: unlock when not locked", not_locked, TAP_ABORTED,
	    "wf_rwmutex_unlock", "not locked for writing");
	tap_child("misuse: read unlock when not locked", not_read_locked,
	    TAP_ABORTED, "wf_rwmutex_read_unlock", "not locked for reading");
	tap_child("misuse: read unlock when not locked, in a coroutine",
	    not_read_locked_in_coroutine, TAP_ABORTED,
	    "wf_rwmutex_read_unlock", "not locked for reading",
	    "rwmutex.c:");
	tap_child("misuse: read unlock of a write lock",
	    read_unlock_of_written, TAP_ABORTED, "wf_rwmutex_read_unlock");
	tap_child("misuse: unlock of a read lock", unlock_of_read,
	    TAP_ABORTED, "wf_rwmutex_unlock");
	tap_plain("threads only", threads_only);
	tap_plain("kept across runs", across_runs);
	tap_test_workers("everybody does everything", everything);
	tap_test_workers("155: readers together", together);
	tap_test_workers("157: read locks nested, and a writer", nested);
	tap_test_workers("who goes first", in_turn);
	tap_test_workers("a writer is patient, for a while", patience);
	tap_test_workers("a writer gives up", writer_gives_up);
	tap_test_workers("a writer gives up beside noted readers",
	    withdraw_beside);
	tap_test_workers("under a context: races", context_races);
	tap_test_workers("unlocked elsewhere", elsewhere);
	tap_test_workers("freed while locked: no trouble for others",
	    dead_neighbour);
	tap_test_workers("freed by the last user", freed_by_last);
	return tap_end();
}
