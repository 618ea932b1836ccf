/* SPDX-License-Identifier: MIT */
/*
 * fd_close.c - wf_fd_close() and those who wait: before, during and after the
 * close, for the old descriptor or for the next one of that number.
 *
 * The library closes by a close() of our own, which holds a close for as long
 * as a test wants.
 */
#include "tap.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { READERS = 6 };

/* Which number, and what its close() has come to. */
static int held = -1, inside, let_go;
static bool closes_first;

static int
load(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_ACQUIRE);
}

static void
store(int *n, int value)
{
	__atomic_store_n(n, value, __ATOMIC_RELEASE);
}

int
close(int fd)
{
	bool hold = fd == load(&held);
	int err = 0;

	if (hold && closes_first)
		err = (int)syscall(SYS_close, fd);
	if (hold) {
		store(&inside, 1);
		while (!load(&let_go))
			usleep(100);
	}
	if (!hold || !closes_first)
		err = (int)syscall(SYS_close, fd);
	return err;
}

static void *
close_it(void *arg)
{
	int err = wf_fd_close(*(int *)arg);

	/* There may be two of us. */
	check(err == 0 || err == -EBADF);
	return NULL;
}

/* Begin to close fd: the descriptor itself is closed at once, or at the end. */
static pthread_t
begin_close(int *fd, bool at_once)
{
	pthread_t t;

	closes_first = at_once;
	store(&inside, 0);
	store(&let_go, 0);
	store(&held, *fd);
	check_eq(pthread_create(&t, NULL, close_it, fd), 0);
	while (!load(&inside))
		wf_yield();
	return t;
}

static void
end_close(pthread_t t)
{
	store(&let_go, 1);
	pthread_join(t, NULL);
	store(&held, -1);
}

/* Numbers that nobody else is given once they are free: others get the least.
 * The monitor opens a file now and then. */

static int
move_to(int fd, int number)
{
	check_eq(dup2(fd, number), number);
	close(fd);
	return number;
}

static void
open_pipe(int ends[2])
{
	check_eq(pipe(ends), 0);
	for (int i = 0; i < 2; i++)
		ends[i] = move_to(ends[i], 400 + i);
}

/* A pipe with the first end on this number. */
static void
open_pipe_at(int ends[2], int number)
{
	check_eq(pipe(ends), 0);
	ends[0] = move_to(ends[0], number);
}

struct readers {
	wf_waitgroup group;
	int fd, begun, ended;
	ssize_t got;			/* what each is to get */
};

static void
read_one(struct readers *r)
{
	ssize_t got;
	char c;

	__atomic_add_fetch(&r->begun, 1, __ATOMIC_ACQ_REL);
	got = wf_read(wf_ctx_background(), r->fd, &c, 1);
	check_eq(got, r->got);
	__atomic_add_fetch(&r->ended, 1, __ATOMIC_ACQ_REL);
}

/* Until all of them wait, or one does not. */
static void
start_readers(struct readers *r, int fd, ssize_t got)
{
	*r = (struct readers){ .fd = fd, .got = got };
	for (int i = 0; i < READERS; i++)
		wf_waitgroup_spawn(&r->group, read_one, r);
	while (!load(&r->ended) &&
	    tap_parked("to read descriptor") < READERS)
		wf_yield();
}

static void
too_late(int fd)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_MS);
	char c;

	check_eq(wf_read(ctx, fd, &c, 1), -ETIMEDOUT);
	check_eq(wf_wait_fd(ctx, fd, WF_IN), -ETIMEDOUT);
	wf_ctx_free(ctx);
}

/* Who waits when the close begins is told at once, however long it takes. */
static int
waiting_before(void)
{
	struct readers r;
	pthread_t t;
	int ends[2];

	open_pipe(ends);
	start_readers(&r, ends[0], -EBADF);
	t = begin_close(&ends[0], false);
	wf_waitgroup_wait(&r.group);
	end_close(t);
	close(ends[1]);
	return 0;
}

/* Who comes meanwhile learns it at the end, unless his context is faster. */
static int
coming_meanwhile(void)
{
	struct readers r;
	pthread_t t;
	int ends[2];

	open_pipe(ends);
	too_late(ends[0]);		/* the poller knows the number */
	t = begin_close(&ends[0], false);
	start_readers(&r, ends[0], -EBADF);
	too_late(ends[0]);
	check_eq(load(&r.ended), 0);
	end_close(t);
	wf_waitgroup_wait(&r.group);
	close(ends[1]);
	return 0;
}

/* The number is another descriptor's before the call has ended: who waits for
 * that one is left alone, and gets what comes. */
static int
next_owner(void)
{
	struct readers r;
	int old[2], fresh[2];
	pthread_t t;

	open_pipe(old);
	too_late(old[0]);
	t = begin_close(&old[0], true);
	open_pipe_at(fresh, old[0]);
	start_readers(&r, fresh[0], 1);
	too_late(fresh[0]);
	end_close(t);
	check_eq(wf_write(wf_ctx_background(), fresh[1], "123456", READERS),
	    READERS);
	wf_waitgroup_wait(&r.group);
	close(fresh[0]);
	close(fresh[1]);
	close(old[1]);
	return 0;
}

/* The descriptor lives on in a copy, and so does what the poller knows of it:
 * the number's next owner has its own events. */
static int
copied(void)
{
	struct readers r;
	int old[2], fresh[2], copy;

	open_pipe(old);
	start_readers(&r, old[0], -EBADF);
	copy = dup(old[0]);
	check_eq(wf_fd_close(old[0]), 0);
	wf_waitgroup_wait(&r.group);
	open_pipe_at(fresh, old[0]);
	start_readers(&r, fresh[0], 1);
	check_eq(wf_write(wf_ctx_background(), old[1], "x", 1), 1);
	tap_settle();
	check_eq(load(&r.ended), 0);
	check_eq(wf_write(wf_ctx_background(), fresh[1], "123456", READERS),
	    READERS);
	wf_waitgroup_wait(&r.group);
	close(fresh[0]);
	close(fresh[1]);
	close(old[1]);
	close(copy);
	return 0;
}

/* Two closes of one number at the same time: one of them is of nothing. */
static int
twice(void)
{
	struct readers r;
	pthread_t t, u;
	int ends[2];

	open_pipe(ends);
	too_late(ends[0]);
	t = begin_close(&ends[0], false);
	check_eq(pthread_create(&u, NULL, close_it, &ends[0]), 0);
	start_readers(&r, ends[0], -EBADF);
	end_close(t);
	pthread_join(u, NULL);
	wf_waitgroup_wait(&r.group);
	close(ends[1]);
	return 0;
}

int
main(void)
{
	if (TAP_TSAN) {
		tap_skip("closing", "the sanitizer wants close() to itself");
		return tap_end();
	}
	tap_count_memory();
	tap_test_workers("who waits already is woken", waiting_before);
	tap_test_workers("who comes meanwhile waits for it", coming_meanwhile);
	tap_test_workers("the number's next owner is not told", next_owner);
	tap_test_workers("a copy of the descriptor stays", copied);
	tap_test_workers("two close it at the same time", twice);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
