/* SPDX-License-Identifier: MIT */
/*
 * io_fault.c - I/O in which every call that can fail does so once.
 *
 * As in fault.c: one workload in a child for each n, in which the n-th call of
 * the allocator, of the poller, of threads fails.  Each call of the workload
 * is to give its result or an error code, and all is to end.
 */
#include "tap.h"

#ifdef WEFT_FAULT

#include <fcntl.h>
#include <unistd.h>

#include "os.h"

enum { WORKERS = 2, CANNOT_START = 125, WRONG = 3 };

static wf_ctx *
bg(void)
{
	return wf_ctx_background();
}

/* An error that comes of the failure, or success. */
static bool
is_allowed(long got, long wanted)
{
	return got == wanted || got == -ENOMEM || got == -EMFILE ||
	    got == -EAGAIN || got == -ETIMEDOUT || got == -ESHUTDOWN ||
	    got == -EPIPE || got == -ECONNRESET || got == 0;
}

static void
answer(wf_conn *c, wf_waitgroup *wg)
{
	char buf[8];
	ssize_t n;

	while ((n = wf_conn_read(bg(), c, buf, sizeof buf)) > 0)
		if (wf_conn_write(bg(), c, buf, (size_t)n) != n)
			break;
	wf_conn_free(c);
	wf_waitgroup_done(wg);
}

static int
talk(wf_conn *c)
{
	char buf[8];
	ssize_t n = 5;

	/* Whoever answers may have failed: not for ever. */
	wf_conn_set_deadline(c, wf_now() + 20 * WF_SEC);
	for (int i = 0; i < 3 && n == 5; i++) {
		n = wf_conn_write(bg(), c, "hello", 5);
		if (n == 5)
			n = wf_conn_read(bg(), c, buf, 5);
	}
	return is_allowed(n, 5) ? 0 : WRONG;
}

static int
connections(void)
{
	char text[WF_ADDRESS_TEXT];
	wf_waitgroup wg = {0};
	wf_listener *l;
	wf_conn *a = NULL, *b = NULL;
	int err = wf_listen(bg(), "tcp", "127.0.0.1:0", &l), got;

	if (err < 0)
		return is_allowed(err, 0) ? 0 : WRONG;
	wf_listener_address(l, text, sizeof text);
	err = wf_dial(bg(), "tcp", text, &a);
	wf_listener_set_deadline(l, wf_now() + 10 * WF_SEC);
	got = err ? -ETIMEDOUT : wf_listener_accept(bg(), l, &b);
	wf_waitgroup_add(&wg, 1);
	if (!b || wf_spawn(answer, b, &wg) < 0) {
		wf_conn_free(b);
		b = NULL;
		wf_waitgroup_done(&wg);
	}
	err = !is_allowed(err, 0) || !is_allowed(got, 0) ? WRONG :
	    a && b ? talk(a) : 0;
	wf_conn_free(a);
	wf_waitgroup_wait(&wg);
	wf_listener_free(l);
	return err;
}

static int
files(void)
{
	wf_ctx *ctx = wf_ctx_with_timeout(bg(), 100 * WF_SEC);
	int fd = wf_open(ctx, "/dev/zero", O_RDONLY, 0);
	char buf[8];
	ssize_t n = 8;

	if (fd >= 0) {
		n = wf_pread(ctx, fd, buf, 8, 0);
		close(fd);
	}
	wf_ctx_free(ctx);
	return (fd >= 0 || is_allowed(fd, 3)) && is_allowed(n, 8) ? 0 : WRONG;
}

static int
signals(void)
{
	wf_chan(int) c = wf_chan_make(int, 1);
	int err = c ? wf_signal_notify(c, SIGUSR1) : -ENOMEM, sig;

	if (err == 0) {
		kill(getpid(), SIGUSR1);
		wf_recv(c, &sig);
		wf_signal_stop(c);
	}
	wf_chan_free(c);
	return is_allowed(err, 0) ? 0 : WRONG;
}

static int
processes(void)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"echo x", NULL };
	struct wf_command c = { .argv = argv,
	    .fds = { WF_NULL, WF_CAPTURE, WF_CAPTURE } };
	int status = 0, err;
	wf_process *p;

	if ((err = wf_process_start(bg(), &c, &p)) == 0)
		err = wf_process_wait(p, &status);
	wf_process_free(p);
	return is_allowed(err, 0) && (err || status == 0) ? 0 : WRONG;
}

static int
workload(void)
{
	int bad = connections();

	bad = bad ? bad : files();
	bad = bad ? bad : signals();
	return bad ? bad : processes();
}

/* The child's report: was the n-th call reached at all? */
static void
child(unsigned long n, int report)
{
	char text[24], reached;
	int status, open = tap_entries("/proc/self/fd");

	snprintf(text, sizeof text, "%lu", n);
	setenv("WEFT_FAULT_AT", text, 1);
	alarm(TAP_SECONDS);
	wf_workers(WORKERS);
	status = wf_run(workload);
	if (tap_entries("/proc/self/fd") != open)
		status = WRONG;		/* what it opened is closed */
	reached = wf__load_relaxed(&wf__os_fault_calls) >= n;
	if (write(report, &reached, 1) != 1)
		status = WRONG;
	_exit(status);
}

/* True if the n-th call was reached, and its failure survived or not. */
static bool
fail_at(unsigned long n)
{
	int report[2], status = 0;
	char reached = 0;
	pid_t pid;

	if (!check(pipe(report) == 0))
		return false;
	fflush(NULL);
	if ((pid = fork()) == 0)
		child(n, report[1]);
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
each_call_fails(void)
{
	unsigned long n = 1;

	while (fail_at(n)) {
		n++;
		alarm(TAP_SECONDS);
	}
	tap_note("%lu calls were made to fail", n - 1);
	check(n > 40);
}

int
main(void)
{
	tap_plain("each call that can fail does so once", each_call_fails);
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
