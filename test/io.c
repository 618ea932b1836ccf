/* SPDX-License-Identifier: MIT */
/*
 * io.c - waiting for descriptors of any kind: pipes, sockets, files; many
 * waiters, closing, contexts; the poller when its worker is stuck; what is
 * left of it after the stop.
 */
#include "tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

static wf_ctx *
bg(void)
{
	return wf_ctx_background();
}

/* A pipe passes data; the flags of its descriptors stay as they were. */

static void
write_late(int fd, const char *text, size_t n)
{
	tap_settle();
	check_eq(wf_write(bg(), fd, text, n), n);
}

static int
pipes(void)
{
	char got[16] = {0};
	int ends[2];

	check_eq(pipe(ends), 0);
	wf_spawn(write_late, ends[1], "hello", (size_t)5);
	check_eq(wf_read(bg(), ends[0], got, sizeof got), 5);
	check(!strcmp(got, "hello"));
	check_eq(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
	check_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	check_eq(wf_fd_close(ends[1]), 0);
	check_eq(wf_read(bg(), ends[0], got, sizeof got), 0);
	check_eq(wf_fd_close(ends[0]), 0);
	check_eq(wf_read(bg(), ends[0], got, sizeof got), -EBADF);
	check_eq(wf_read(NULL, 0, got, 1), -EINVAL);
	return 0;
}

/* Much data through a pipe that is soon full, in parts that do not fit. */

enum { PARTS = 40, PART = 50021 };

static void
write_parts(int fd, wf_waitgroup *wg)
{
	static char data[PARTS][PART];
	struct iovec iov[PARTS];

	for (int i = 0; i < PARTS; i++) {
		memset(data[i], 'a' + i % 26, PART);
		iov[i].iov_base = data[i];
		iov[i].iov_len = PART;
	}
	check_eq(wf_writev(bg(), fd, iov, PARTS), PARTS * PART);
	wf_fd_close(fd);
	wf_waitgroup_done(wg);
}

static int
much(void)
{
	static char got[7000];
	wf_waitgroup wg = {0};
	size_t at = 0, wrong = 0;
	int ends[2];
	ssize_t n;

	check_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	wf_waitgroup_add(&wg, 1);
	wf_spawn(write_parts, ends[1], &wg);
	while ((n = wf_read(bg(), ends[0], got, sizeof got)) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			wrong += got[i] != 'a' + (char)(at / PART % 26);
	check_eq(n, 0);
	check_eq(wrong, 0);
	check_eq(at, PARTS * PART);
	wf_waitgroup_wait(&wg);
	close(ends[0]);
	return 0;
}

/* Contexts end a wait: by cancel, by deadline; done ones win over data. */

static void
cancel_late(wf_ctx *ctx)
{
	tap_settle();
	wf_ctx_cancel(ctx);
	wf_ctx_unref(ctx);
}

static int
contexts(void)
{
	int64_t start = wf_now();
	wf_ctx *one = wf_ctx_with_cancel(bg());
	wf_ctx *two = wf_ctx_with_timeout(bg(), 5 * WF_MS);
	int ends[2];
	char c;

	check_eq(pipe(ends), 0);
	check_eq(wf_read(two, ends[0], &c, 1), -ETIMEDOUT);
	check(wf_now() - start >= 5 * WF_MS);
	wf_spawn(cancel_late, wf_ctx_ref(one));
	check_eq(wf_wait_fd(one, ends[0], WF_IN), -ECANCELED);
	check_eq(wf_write(bg(), ends[1], "x", 1), 1);
	check_eq(wf_read(one, ends[0], &c, 1), -ECANCELED);
	check_eq(wf_wait_fd(two, ends[0], WF_IN), -ETIMEDOUT);
	check_eq(wf_wait_fd(bg(), ends[0], WF_IN), WF_IN);
	check_eq(wf_wait_fd(bg(), ends[1], WF_IN | WF_OUT), WF_OUT);
	check_eq(wf_read(bg(), ends[0], &c, 1), 1);
	wf_ctx_free(one);
	wf_ctx_free(two);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* Many wait for both directions of one descriptor; each byte is read once. */

enum { READERS = 20 };

static void
read_one(int fd, int *sum, wf_waitgroup *wg)
{
	unsigned char c = 0;

	check_eq(wf_read(bg(), fd, &c, 1), 1);
	__atomic_add_fetch(sum, c, __ATOMIC_RELAXED);
	wf_waitgroup_done(wg);
}

static void
wait_both(int fd, wf_waitgroup *wg)
{
	check(wf_wait_fd(bg(), fd, WF_IN | WF_OUT) > 0);
	wf_waitgroup_done(wg);
}

static int
many_waiters(void)
{
	wf_waitgroup wg = {0};
	int ends[2], sum = 0, wanted = 0;

	check_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (int i = 1; i <= READERS; i++) {
		wf_waitgroup_add(&wg, 2);
		wf_spawn(read_one, ends[0], &sum, &wg);
		wf_spawn(wait_both, ends[0], &wg);
	}
	tap_settle();
	for (int i = 1; i <= READERS; i++) {
		unsigned char c = (unsigned char)i;

		check_eq(wf_write(bg(), ends[1], &c, 1), 1);
		wanted += i;
		if (i % 3 == 0)
			wf_yield();
	}
	wf_waitgroup_wait(&wg);
	check_eq(sum, wanted);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* Both directions of one descriptor are waited for: what happens on one does
 * not make it forget the other. */

static void
fill(int fd)
{
	static char many[4096];

	while (send(fd, many, sizeof many, MSG_DONTWAIT) > 0)
		;
}

static void
drain(int fd)
{
	static char many[4096];

	while (recv(fd, many, sizeof many, MSG_DONTWAIT) > 0)
		;
}

static void
write_one(int fd, wf_waitgroup *wg)
{
	check_eq(wf_write(bg(), fd, "x", 1), 1);
	wf_waitgroup_done(wg);
}

static int
both_sides(void)
{
	for (int round = 0; round < 20; round++) {
		wf_waitgroup reader = {0}, writer = {0};
		int ends[2], sum = 0;

		check_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		fill(ends[0]);
		wf_waitgroup_add(&reader, 1);
		wf_waitgroup_add(&writer, 1);
		wf_spawn(read_one, ends[0], &sum, &reader);
		wf_spawn(write_one, ends[0], &writer);
		tap_settle();
		if (round % 2) {
			check_eq(wf_write(bg(), ends[1], "y", 1), 1);
			wf_waitgroup_wait(&reader);
			drain(ends[1]);
			wf_waitgroup_wait(&writer);
		} else {
			drain(ends[1]);
			wf_waitgroup_wait(&writer);
			check_eq(wf_write(bg(), ends[1], "y", 1), 1);
			wf_waitgroup_wait(&reader);
		}
		close(ends[0]);
		close(ends[1]);
	}
	return 0;
}

/* One whose number nobody else gets once it is closed: others get the least. */
static int
far_away(int fd)
{
	int far = fcntl(fd, F_DUPFD_CLOEXEC, 400);

	check(far >= 0);
	close(fd);
	return far;
}

/* Closing wakes everybody. */

static void
read_closed(int fd, wf_waitgroup *wg)
{
	char c;

	check_eq(wf_read(bg(), fd, &c, 1), -EBADF);
	wf_waitgroup_done(wg);
}

static int
close_wakes(void)
{
	for (int round = 0; round < 20; round++) {
		wf_waitgroup wg = {0};
		int ends[2];

		check_eq(pipe(ends), 0);
		ends[0] = far_away(ends[0]);
		wf_waitgroup_add(&wg, 5);
		for (int i = 0; i < 5; i++)
			wf_spawn(read_closed, ends[0], &wg);
		if (round % 2)
			tap_settle();
		check_eq(wf_fd_close(ends[0]), 0);
		wf_waitgroup_wait(&wg);
		close(ends[1]);
	}
	return 0;
}

/* Event, deadline, context and close race for one wait. */

static void
race_reader(int fd, int64_t ns, int *ends, wf_waitgroup *wg)
{
	wf_ctx *ctx = wf_ctx_with_timeout(bg(), ns);
	char c;
	ssize_t n = wf_read(ctx, fd, &c, 1);

	check(n == 1 || n == 0 || n == -ETIMEDOUT || n == -EBADF);
	__atomic_add_fetch(ends, 1, __ATOMIC_RELAXED);
	wf_ctx_free(ctx);
	wf_waitgroup_done(wg);
}

static void
race(uint64_t *random)
{
	wf_waitgroup wg = {0};
	int ends[2], n = 0;

	check_eq(pipe(ends), 0);
	for (int i = 0; i < 2; i++)
		ends[i] = far_away(ends[i]);
	wf_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		wf_spawn(race_reader, ends[0], (int64_t)
		    (tap_random(random) % 60 * WF_US), &n, &wg);
	for (uint64_t k = tap_random(random) % 4; k; k--)
		wf_yield();
	if (tap_random(random) % 2)
		wf_write(bg(), ends[1], "ab", 2);
	/* For ThreadSanitizer likewise. */
	if (TAP_TSAN)
		check_eq(close(dup(ends[1])), 0);
	else
		wf_fd_close(tap_random(random) % 2 ? ends[0] : ends[1]);
	wf_waitgroup_wait(&wg);
	check_eq(n, 4);
	/* One of the two is closed already. */
	close(ends[0]);
	close(ends[1]);
}

static int
races(void)
{
	uint64_t random = tap_seed();

	for (long i = tap_scale(2000, 200); i > 0; i--)
		race(&random);
	return 0;
}

/* Ping-pong over pipes, many pairs at once. */

static void
echo(int in, int out, int n, wf_waitgroup *wg)
{
	char c = 0;

	for (int i = 0; i < n; i++) {
		check_eq(wf_read(bg(), in, &c, 1), 1);
		check_eq(wf_write(bg(), out, &c, 1), 1);
	}
	wf_waitgroup_done(wg);
}

static void
ping(int out, int in, int n, wf_waitgroup *wg)
{
	char c = 0, got = 0;

	for (int i = 0; i < n; i++) {
		c = (char)i;
		check_eq(wf_write(bg(), out, &c, 1), 1);
		check_eq(wf_read(bg(), in, &got, 1), 1);
		check_eq(got, c);
	}
	wf_waitgroup_done(wg);
}

enum { PAIRS = 30 };

static int
ping_pong(void)
{
	int to[PAIRS][2], from[PAIRS][2], n = (int)tap_scale(2000, 200);
	wf_waitgroup wg = {0};

	for (int i = 0; i < PAIRS; i++) {
		check_eq(pipe(to[i]), 0);
		check_eq(pipe(from[i]), 0);
		wf_waitgroup_add(&wg, 2);
		wf_spawn(echo, to[i][0], from[i][1], n, &wg);
		wf_spawn(ping, to[i][1], from[i][0], n, &wg);
	}
	wf_waitgroup_wait(&wg);
	for (int i = 0; i < PAIRS; i++)
		for (int k = 0; k < 2; k++) {
			close(to[i][k]);
			close(from[i][k]);
		}
	return 0;
}

/* Plain threads wait like coroutines. */

static void *
thread_echo(void *arg)
{
	int *fds = arg;
	wf_waitgroup wg = {0};

	wf_waitgroup_add(&wg, 1);
	echo(fds[0], fds[1], 200, &wg);
	return NULL;
}

static int
threads(void)
{
	int to[2], from[2], fds[2];
	wf_waitgroup wg = {0};
	pthread_t t;

	check_eq(pipe(to), 0);
	check_eq(pipe(from), 0);
	fds[0] = to[0];
	fds[1] = from[1];
	check_eq(pthread_create(&t, NULL, thread_echo, fds), 0);
	wf_waitgroup_add(&wg, 1);
	wf_spawn(ping, to[1], from[0], 200, &wg);
	wf_waitgroup_wait(&wg);
	pthread_join(t, NULL);
	for (int k = 0; k < 2; k++) {
		close(to[k]);
		close(from[k]);
	}
	return 0;
}

/* A worker that computes or blocks keeps no event to itself: here all of them
 * do, while bytes go to and fro in other coroutines. */

static void
hog(int *stop, wf_waitgroup *wg)
{
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED))
		;
	wf_waitgroup_done(wg);
}

static int
stuck(void)
{
	int ends[2], hogs = wf_workers(0), stop = 0;
	wf_waitgroup all = {0}, wg = {0};

	hogs = hogs < 2 ? hogs : 2;
	check_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	wf_waitgroup_add(&all, 2);
	wf_waitgroup_add(&wg, hogs);
	wf_spawn(echo, ends[0], ends[0], 5, &all);
	tap_settle();
	for (int i = 0; i < hogs; i++)
		wf_spawn(hog, &stop, &wg);
	wf_spawn(ping, ends[1], ends[1], 5, &all);
	wf_waitgroup_wait(&all);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	wf_waitgroup_wait(&wg);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* A ready descriptor does not wait for coroutines that are always ready. */

static void
spin(int *stop, wf_waitgroup *wg)
{
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED))
		wf_yield();
	wf_waitgroup_done(wg);
}

static uint64_t
under_load(void)
{
	wf_waitgroup all = {0}, wg = {0};
	struct wf_stats before, after;
	int ends[2], stop = 0;

	wf_stats(&before);
	check_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	wf_waitgroup_add(&wg, 40);
	for (int i = 0; i < 40; i++)
		wf_spawn(spin, &stop, &wg);
	wf_waitgroup_add(&all, 2);
	wf_spawn(echo, ends[0], ends[0], 50, &all);
	wf_spawn(ping, ends[1], ends[1], 50, &all);
	wf_waitgroup_wait(&all);
	wf_stats(&after);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	wf_waitgroup_wait(&wg);
	close(ends[0]);
	close(ends[1]);
	return after.switches - before.switches;
}

static int
ends_under_load(void)
{
	return under_load() == 0;
}

/* A hundred waits of some hundred switches each, on one thread. */
static int
soon_under_load(void)
{
	check(under_load() < 300000);
	return 0;
}

/* Sockets of others: accept and connect. */

static int
listener(struct sockaddr_storage *a, socklen_t *size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memset(a, 0, sizeof *a);
	a->ss_family = AF_UNIX;
	/* An address that the kernel chooses. */
	check_eq(bind(fd, (struct sockaddr *)a, sizeof(sa_family_t)), 0);
	*size = sizeof *a;
	check_eq(getsockname(fd, (struct sockaddr *)a, size), 0);
	check_eq(listen(fd, 10), 0);
	return fd;
}

static void
accept_one(int fd, int *got, wf_waitgroup *wg)
{
	*got = wf_accept(bg(), fd, NULL, NULL);
	wf_waitgroup_done(wg);
}

static int
accept_connect(void)
{
	struct sockaddr_storage a;
	socklen_t size;
	int fd = listener(&a, &size), got = -1, client, flags;
	wf_waitgroup wg = {0};
	wf_ctx *ctx = wf_ctx_with_timeout(bg(), WF_MS);
	char c;

	check_eq(wf_accept(ctx, fd, NULL, NULL), -ETIMEDOUT);
	wf_ctx_free(ctx);
	for (int i = 0; i < 4; i++) {
		flags = SOCK_STREAM | (i % 2 ? SOCK_NONBLOCK : 0);
		client = socket(AF_UNIX, flags, 0);
		wf_waitgroup_add(&wg, 1);
		wf_spawn(accept_one, fd, &got, &wg);
		check_eq(wf_connect(bg(), client, (struct sockaddr *)&a,
		    size), 0);
		wf_waitgroup_wait(&wg);
		check(got >= 0);
		check_eq(wf_write(bg(), got, "x", 1), 1);
		check_eq(wf_read(bg(), client, &c, 1), 1);
		close(got);
		close(client);
	}
	close(fd);
	return 0;
}

/* A worker that is one too many may be the one that sleeps in the poller:
 * then another one has to go there. */

static void *
shrink(void *arg)
{
	const int *fds = arg;
	char c = 'x';

	for (int i = 0; i < tap_scale(2000, 200); i++) {
		wf_workers(4);
		sched_yield();
		wf_workers(1);
		/* Until all have gone to sleep, more or less: a hang is what
		 * must not be, whenever the byte comes. */
		usleep((useconds_t)(i % 8 * 100));
		if (write(fds[1], &c, 1) != 1 || read(fds[1], &c, 1) != 1)
			return arg;
	}
	close(fds[1]);
	return NULL;
}

static int
fewer_workers(void)
{
	int fds[2], before = wf_workers(0);
	pthread_t t;
	void *failed;
	char c;

	check_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pthread_create(&t, NULL, shrink, fds);
	while (wf_read(bg(), fds[0], &c, 1) == 1)
		check_eq(wf_write(bg(), fds[0], &c, 1), 1);
	pthread_join(t, &failed);
	check(!failed);
	close(fds[0]);
	wf_workers(before);
	return 0;
}

/* Files go to the pool. */

static int
files(void)
{
	char path[] = "/tmp/weft-io-XXXXXX", got[64] = {0};
	int fd = mkstemp(path), again;
	wf_ctx *ctx = wf_ctx_with_timeout(bg(), WF_FOREVER);
	struct stat st;

	check(fd >= 0);
	check_eq(wf_write(bg(), fd, "hello, ", 7), 7);
	check_eq(wf_write(ctx, fd, "file", 4), 4);
	check_eq(wf_pwrite(ctx, fd, "H", 1, 0), 1);
	check_eq(wf_pwrite(bg(), fd, "F", 1, 7), 1);
	check_eq(wf_fsync(ctx, fd), 0);
	check_eq(wf_pread(ctx, fd, got, sizeof got, 0), 11);
	check(!strcmp(got, "Hello, File"));
	again = wf_open(ctx, path, O_RDONLY, 0);
	check(again >= 0);
	check(fcntl(again, F_GETFD) & FD_CLOEXEC);
	check_eq(fstat(again, &st), 0);
	check_eq(st.st_size, 11);
	check_eq(wf_read(ctx, again, got, 5), 5);
	check_eq(wf_read(bg(), again, got + 5, 50), 6);
	check_eq(wf_read(bg(), again, got, 50), 0);
	check(!strcmp(got, "Hello, File"));
	check_eq(wf_wait_fd(bg(), fd, WF_IN), WF_IN);
	check_eq(wf_open(bg(), "/nowhere/at/all", O_RDONLY, 0), -ENOENT);
	check_eq(wf_pread(bg(), fd, got, 1, -1), -EINVAL);
	wf_ctx_cancel(ctx);
	check_eq(wf_pread(ctx, fd, got, 1, 0), -ECANCELED);
	check_eq(wf_open(ctx, path, O_RDONLY, 0), -ECANCELED);
	wf_ctx_free(ctx);
	close(again);
	close(fd);
	unlink(path);
	return 0;
}

/* A file to a socket, of which the reader takes its time. */

enum { FILE_SIZE = 3000000 };

static void
send_file(int out, int file, wf_waitgroup *wg)
{
	off_t at = 1000;

	check_eq(wf_sendfile(bg(), out, file, &at, FILE_SIZE),
	    FILE_SIZE - 1000);
	check_eq(at, FILE_SIZE);
	wf_fd_close(out);
	wf_waitgroup_done(wg);
}

static void
send_one(int flags)
{
	static char data[FILE_SIZE], got[FILE_SIZE];
	char path[] = "/tmp/weft-io-XXXXXX";
	int file = mkstemp(path), ends[2];
	wf_waitgroup wg = {0};
	size_t have = 0;
	ssize_t n;

	for (int i = 0; i < FILE_SIZE; i++)
		data[i] = (char)(i * 7 + i / 256);
	check_eq(wf_write(bg(), file, data, FILE_SIZE), FILE_SIZE);
	check_eq(socketpair(AF_UNIX, SOCK_STREAM | flags, 0, ends), 0);
	wf_waitgroup_add(&wg, 1);
	wf_spawn(send_file, ends[1], file, &wg);
	while ((n = wf_read(bg(), ends[0], got + have, 60000)) > 0)
		have += (size_t)n;
	check_eq(have, FILE_SIZE - 1000);
	check(!memcmp(got, data + 1000, have));
	wf_waitgroup_wait(&wg);
	close(ends[0]);
	close(file);
	unlink(path);
}

static int
sendfiles(void)
{
	send_one(0);
	send_one(SOCK_NONBLOCK);
	return 0;
}

/* Calls that block: many at once, more than there are threads; cancelled ones
 * before and after they began. */

struct offload {
	int calls, dropped;	/* atomic */
	int gate[2];		/* a pipe */
};

static void
count_call(void *arg)
{
	struct offload *o = arg;

	__atomic_add_fetch(&o->calls, 1, __ATOMIC_RELAXED);
}

static void
pass_gate(void *arg)
{
	struct offload *o = arg;
	char c;

	if (read(o->gate[0], &c, 1) == 1)
		count_call(arg);
}

static void
count_drop(void *arg)
{
	struct offload *o = arg;

	__atomic_add_fetch(&o->dropped, 1, __ATOMIC_ACQ_REL);
}

static void
one_call(struct offload *o, wf_waitgroup *wg)
{
	check_eq(wf_offload(bg(), count_call, o, NULL), 0);
	wf_waitgroup_done(wg);
}

static int
offloads(void)
{
	wf_waitgroup wg = {0};
	struct offload o = {0};

	wf_waitgroup_add(&wg, 200);
	for (int i = 0; i < 200; i++)
		wf_spawn(one_call, &o, &wg);
	wf_waitgroup_wait(&wg);
	check_eq(o.calls, 200);
	return 0;
}

enum { ABANDONED = 50 };

static void
abandon_one(struct offload *o, wf_ctx *ctx, wf_waitgroup *wg)
{
	check_eq(wf_offload(ctx, pass_gate, o, count_drop), -ECANCELED);
	wf_waitgroup_done(wg);
}

static int
abandoned(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(bg());
	wf_waitgroup wg = {0};
	struct offload o = {0};
	char open[ABANDONED] = {0};

	check_eq(pipe(o.gate), 0);
	wf_waitgroup_add(&wg, ABANDONED);
	for (int i = 0; i < ABANDONED; i++)
		wf_spawn(abandon_one, &o, ctx, &wg);
	tap_settle();
	wf_ctx_cancel(ctx);
	wf_waitgroup_wait(&wg);
	/* Those that had begun end now, all are dropped. */
	check_eq(write(o.gate[1], open, sizeof open), sizeof open);
	while (__atomic_load_n(&o.dropped, __ATOMIC_ACQUIRE) < ABANDONED)
		wf_sleep(WF_MS);
	check_eq(o.dropped, ABANDONED);
	check_eq(wf_offload(ctx, pass_gate, &o, count_drop), -ECANCELED);
	check_eq(o.dropped, ABANDONED + 1);
	wf_ctx_free(ctx);
	close(o.gate[0]);
	close(o.gate[1]);
	return 0;
}

/* 115: who waits for a descriptor is not in a deadlock: a child of ours writes
 * when all else is asleep. */

static int
wait_for_child(void)
{
	int ends[2], status;
	char c;
	pid_t pid;

	check_eq(pipe(ends), 0);
	if ((pid = fork()) == 0) {
		/* Longer than the monitor needs to see that all sleep. */
		poll(NULL, 0, 150);
		_exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
	}
	check_eq(wf_read(bg(), ends[0], &c, 1), 1);
	waitpid(pid, &status, 0);
	check_eq(status, 0);
	return 0;
}

static int
child_waits(void)
{
	return wf_run(wait_for_child);
}

/* And the rest still is: also when there was I/O before, with a deadline that
 * is still to come, and the pool has threads that idle. */

static int
then_deadlock(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_conn *pair[2];
	char buf[8];
	int ends[2], v;
	int fd = wf_open(bg(), "/proc/self/status", O_RDONLY, 0);

	check_eq(pipe(ends), 0);
	wf_spawn(write_late, ends[1], "x", (size_t)1);
	check_eq(wf_read(bg(), ends[0], buf, 1), 1);
	check(wf_read(bg(), fd, buf, 8) > 0);
	check_eq(wf_conn_pipe(pair), 0);
	wf_conn_set_read_deadline(pair[0], wf_now() + 3600 * WF_SEC);
	wf_spawn(write_late, wf_conn_fd(pair[1]), "x", (size_t)1);
	check_eq(wf_conn_read(bg(), pair[0], buf, 1), 1);
	wf_recv(c, &v);
	return 0;
}

static int
child_deadlock(void)
{
	return wf_run(then_deadlock);
}

/* Until the time was enough to come to the poller. */
static void
read_in_vain(int fd, int fds)
{
	wf_ctx *ctx;
	char c;

	for (int64_t ms = 1; tap_entries("/proc/self/fd") <= fds &&
	    ms < 10000; ms *= 2) {
		ctx = wf_ctx_with_timeout(bg(), ms * WF_MS);
		check_eq(wf_read(ctx, fd, &c, 1), -ETIMEDOUT);
		wf_ctx_free(ctx);
	}
}

/* Nothing of it is left after the stop. */
static void
nothing_left(void)
{
	int fds, ends[2];

	check_eq(wf_stop(10 * WF_SEC), 0);
	fds = tap_entries("/proc/self/fd");
	check_eq(pipe(ends), 0);
	read_in_vain(ends[0], fds + 2);
	check(tap_entries("/proc/self/fd") > fds + 2);
	wf_fsync(bg(), ends[0]);
	check_eq(wf_stop(10 * WF_SEC), 0);
	close(ends[0]);
	close(ends[1]);
	check_eq(tap_entries("/proc/self/fd"), fds);
	/* One that was joined may be on the list a moment longer. */
	while (!TAP_ASAN && !TAP_TSAN && tap_entries("/proc/self/task") > 1)
		usleep(1000);
}

/* While all wait for descriptors, also with a deadline far away, no thread of
 * weft's runs.  It may take a while until all do: until a window has next to no
 * switches. */

static long
switches(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	long sum = 0, n;
	char path[300], line[200];
	FILE *status;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof path, "/proc/self/task/%s/status",
		    entry->d_name);
		if (atol(entry->d_name) == getpid() ||
		    !(status = fopen(path, "r")))
			continue;
		while (fgets(line, sizeof line, status))
			if (sscanf(line, "voluntary_ctxt_switches: %ld", &n))
				sum += n;
		fclose(status);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static void
read_end(int fd, int64_t ns, wf_waitgroup *wg)
{
	wf_ctx *ctx = wf_ctx_with_timeout(bg(), ns);
	char c;

	check_eq(wf_read(ctx, fd, &c, 1), 0);
	wf_ctx_free(ctx);
	wf_waitgroup_done(wg);
}

static void
idle_waiters(void)
{
	struct timespec window = { 0, 300 * 1000000 };
	wf_waitgroup wg = {0};
	int ends[2];
	long before;

	check_eq(pipe(ends), 0);
	wf_waitgroup_add(&wg, 100);
	for (int i = 0; i < 100; i++)
		wf_spawn(read_end, ends[0], i % 2 ? WF_FOREVER :
		    3600 * WF_SEC, &wg);
	do {
		before = switches();
		nanosleep(&window, NULL);
	} while (switches() - before > 5);
	close(ends[1]);
	wf_waitgroup_wait(&wg);
	close(ends[0]);
	check_eq(wf_stop(10 * WF_SEC), 0);
}

int
main(void)
{
	tap_count_memory();
	tap_test_workers("a pipe between coroutines", pipes);
	tap_test_workers("more data than a socket holds", much);
	tap_test_workers("contexts end a wait", contexts);
	tap_test_workers("many wait for one descriptor", many_waiters);
	tap_test_workers("both directions at once", both_sides);
	if (TAP_TSAN)
		tap_skip("closing wakes everybody", "whoever comes late is in "
		    "a race with what gets the number next");
	else
		tap_test_workers("closing wakes everybody", close_wakes);
	tap_test_workers("event, deadline and close race", races);
	tap_test_workers("ping-pong of many pairs", ping_pong);
	tap_test_workers("threads wait as well", threads);
	tap_test_workers("all workers are stuck", stuck);
	tap_test_workers("others are always ready", ends_under_load);
	tap_test_pumped("others are always ready, by turns", soon_under_load);
	tap_test_workers("accept and connect", accept_connect);
	tap_test_workers("fewer workers than before", fewer_workers);
	tap_test_workers("files", files);
	tap_test_workers("a file to a socket", sendfiles);
	tap_test_workers("calls that block", offloads);
	tap_test_workers("calls that are abandoned", abandoned);
	tap_child("115: waiting for a descriptor is no deadlock", child_waits,
	    0, "");
	if (TAP_ASAN || TAP_TSAN)
		tap_skip("a deadlock after I/O", "under a sanitizer");
	else
		tap_child("a deadlock after I/O", child_deadlock, 2,
		    "deadlock: all 1 coroutines");
	if (TAP_TSAN)
		tap_skip("nothing runs while all wait", "its own thread does");
	else
		tap_plain("nothing runs while all wait", idle_waiters);
	tap_plain("nothing is left after the stop", nothing_left);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
