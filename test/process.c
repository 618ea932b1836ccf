/* SPDX-License-Identifier: MIT */
/*
 * process.c - child processes: what they get, what they give, and their end by
 * contexts, in time.
 */
#include "tap.h"

#include <fcntl.h>

static wf_ctx *
bg(void)
{
	return wf_ctx_background();
}

/* A shell that runs the script. */
static wf_process *
shell(wf_ctx *ctx, const char *script, struct wf_command *c)
{
	char *argv[] = { (char *)"sh", (char *)"-c",
	    (char *)(uintptr_t)script, NULL };
	wf_process *p = NULL;

	c->argv = argv;
	check_eq(wf_process_start(ctx, c, &p), 0);
	check(p && wf_process_pid(p) > 0);
	return p;
}

static int
status_of(const char *script)
{
	struct wf_command c = {0};
	wf_process *p = shell(bg(), script, &c);
	int status = -1, again = -1;

	check_eq(wf_process_wait(p, &status), 0);
	check_eq(wf_process_wait(p, &again), 0);
	check_eq(status, again);
	check_eq(wf_process_signal(p, 0), -ESRCH);
	wf_process_free(p);
	return status;
}

static int
statuses(void)
{
	int killed = status_of("kill -TERM $$"), seven = status_of("exit 7");

	check_eq(status_of(":"), 0);
	check(WIFEXITED(seven) && WEXITSTATUS(seven) == 7);
	check(WIFSIGNALED(killed) && WTERMSIG(killed) == SIGTERM);
	return 0;
}

static int
no_program(void)
{
	char *argv[] = { (char *)"/nowhere/at/all", NULL };
	struct wf_command c = { .argv = argv,
	    .fds = { WF_PIPE, WF_CAPTURE, WF_NULL } };
	wf_ctx *done = wf_ctx_with_cancel(bg());
	wf_process *p;

	check_eq(wf_process_start(bg(), &c, &p), -ENOENT);
	check(!p);
	wf_ctx_cancel(done);
	check_eq(wf_process_start(done, &c, &p), -ECANCELED);
	check_eq(wf_process_start(NULL, &c, &p), -EINVAL);
	c.fds[0] = WF_CAPTURE;
	check_eq(wf_process_start(bg(), &c, &p), -EINVAL);
	c.fds[0] = -9;
	check_eq(wf_process_start(bg(), &c, &p), -EINVAL);
	c.argv = NULL;
	check_eq(wf_process_start(bg(), &c, &p), -EINVAL);
	wf_process_free(NULL);
	wf_ctx_free(done);
	return 0;
}

/* Output, environment, folder; a lot of it, and both kinds at once. */

static int
output(void)
{
	char *env[] = { (char *)"PATH=/bin:/usr/bin", (char *)"NAME=weft",
	    NULL };
	struct wf_command c = { .env = env, .dir = "/",
	    .fds = { WF_NULL, WF_CAPTURE, WF_CAPTURE } };
	wf_process *p = shell(bg(), "read x; echo \"$NAME in $(pwd)$x\"; "
	    "echo oh >&2; sleep 0.02; echo no >&2", &c);
	size_t size;

	check_eq(wf_process_wait(p, NULL), 0);
	check(!strcmp(wf_process_output(p, 1, &size), "weft in /\n"));
	check_eq(size, 10);
	check(!strcmp(wf_process_output(p, 2, NULL), "oh\nno\n"));
	check(!wf_process_output(p, 0, NULL));
	check(!wf_process_output(p, 3, &size));
	wf_process_free(p);
	c = (struct wf_command){ .fds = { 0, WF_CAPTURE, 0 } };
	p = shell(bg(), "i=0; while [ $i -lt 20000 ]; do echo 123456789; "
	    "i=$((i + 1)); done", &c);
	check_eq(wf_process_wait(p, NULL), 0);
	check(wf_process_output(p, 1, &size) != NULL);
	check_eq(size, 200000);
	check_eq(strlen(wf_process_output(p, 1, NULL)), 200000);
	wf_process_free(p);
	return 0;
}

/* Through pipes: what goes in comes out. */

static int
pipes(void)
{
	struct wf_command c = { .fds = { WF_PIPE, WF_PIPE, 2 } };
	wf_process *p = shell(bg(), "exec cat", &c);
	int in = wf_process_pipe(p, 0), out = wf_process_pipe(p, 1);
	char got[16] = {0};

	check(in >= 0 && out >= 0);
	check(fcntl(in, F_GETFD) & FD_CLOEXEC);
	check_eq(wf_process_pipe(p, 0), -EINVAL);
	check_eq(wf_process_pipe(p, 2), -EINVAL);
	for (int i = 0; i < 10; i++) {
		check_eq(wf_write(bg(), in, "hello", 5), 5);
		check_eq(wf_read(bg(), out, got, 16), 5);
		check(!strcmp(got, "hello"));
	}
	wf_fd_close(in);
	check_eq(wf_read(bg(), out, got, 16), 0);
	wf_fd_close(out);
	check_eq(wf_process_wait(p, NULL), 0);
	wf_process_free(p);
	return 0;
}

/* Descriptors change places; weft's own are not inherited, nor blocked
 * signals. */

static int
inherits(void)
{
	struct wf_command c = { .fds = { WF_NULL, WF_CAPTURE, 1 } };
	wf_process *p;
	int ends[2], status = -1;
	char got[16] = {0};

	check_eq(pipe(ends), 0);
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	c.fds[2] = ends[1];
	p = shell(bg(), "echo err >&2; ls -l /proc/$$/fd; "
	    "grep SigBlk /proc/self/status", &c);
	check_eq(wf_read(bg(), ends[0], got, 16), 4);
	check(!strcmp(got, "err\n"));
	check_eq(wf_process_wait(p, &status), 0);
	check_eq(status, 0);
	check(strstr(wf_process_output(p, 1, NULL), "0000000000000000"));
	/* Of the poller, of signals, of processes. */
	check(!strstr(wf_process_output(p, 1, NULL), "anon_inode"));
	check(strstr(wf_process_output(p, 1, NULL), "pipe:") != NULL);
	wf_process_free(p);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* 242: the context kills. */

static int
killed(void)
{
	wf_ctx *ctx = wf_ctx_with_cancel(bg());
	struct wf_command c = {0};
	wf_process *p = shell(ctx, "exec sleep 1000", &c);
	int status = 0;

	wf_ctx_cancel(ctx);
	check_eq(wf_process_wait(p, &status), -ECANCELED);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	wf_process_free(p);
	wf_ctx_free(ctx);
	/* Time enough to start, however busy all is. */
	ctx = wf_ctx_with_timeout(bg(), tap_scale(10, 2) * WF_SEC);
	p = shell(ctx, "exec sleep 1000", &c);
	check_eq(wf_process_wait(p, &status), -ETIMEDOUT);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	wf_process_free(p);
	wf_ctx_free(ctx);
	return 0;
}

/* Wait until the child has said that it is ready. */
static void
wait_ready(wf_process *p)
{
	int fd = wf_process_pipe(p, 1);
	char b;

	check_eq(wf_read(bg(), fd, &b, 1), 1);
	wf_fd_close(fd);
}

/* A gentle signal is enough, and success after it is still the context's
 * error; or it is not enough, and the grace is. */

static void
gentle(const char *script, int64_t grace, bool by_kill)
{
	struct wf_command c = { .fds = { 0, WF_PIPE, 0 },
	    .stop_signal = SIGTERM, .grace = grace };
	wf_ctx *ctx = wf_ctx_with_cancel(bg());
	wf_process *p = shell(ctx, script, &c);
	int status = -1;

	wait_ready(p);
	wf_ctx_cancel(ctx);
	check_eq(wf_process_wait(p, &status), -ECANCELED);
	if (by_kill)
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	else
		check_eq(status, 0);
	wf_process_free(p);
	wf_ctx_free(ctx);
}

static int
graces(void)
{
	gentle("trap 'exit 0' TERM; echo; while :; do sleep 0.01; done",
	    0, false);
	gentle("trap 'exit 0' TERM; echo; while :; do sleep 0.01; done",
	    100 * WF_SEC, false);
	gentle("trap '' TERM; echo; while :; do sleep 0.01; done", 20 * WF_MS,
	    true);
	return 0;
}

/* A grandchild holds the pipe: a definite, different error after the grace.
 * What came before is there, however short that was, and says whom to end. */

static void
outlived(int64_t grace)
{
	struct wf_command c = { .fds = { WF_NULL, WF_CAPTURE, 0 },
	    .grace = grace };
	wf_process *p = shell(bg(), "sleep 1000 & echo $!", &c);
	const char *text;
	int status = -1, child;

	check_eq(wf_process_wait(p, &status), -ETIME);
	check_eq(status, 0);
	text = wf_process_output(p, 1, NULL);
	child = text ? atoi(text) : 0;
	if (check(child > 0))
		kill(child, SIGKILL);
	wf_process_free(p);
}

static int
grandchild(void)
{
	outlived(20 * WF_MS);
	for (int i = 0; i < 20; i++)
		outlived(1);
	return 0;
}

/* Free kills what runs. */

static int
freed(void)
{
	struct wf_command c = { .fds = { WF_PIPE, WF_CAPTURE, 0 } };
	wf_process *p = shell(bg(), "exec sleep 1000", &c);
	int pid = wf_process_pid(p);

	wf_process_free(p);
	check_eq(kill(pid, 0), -1);
	return 0;
}

/* Many at once, of which nobody waits long. */

static void
one_of_many(int i, wf_waitgroup *wg)
{
	struct wf_command c = { .fds = { WF_NULL, WF_CAPTURE, 0 } };
	char script[32];
	wf_process *p;

	snprintf(script, sizeof script, "echo %d", i);
	p = shell(bg(), script, &c);
	check_eq(wf_process_wait(p, NULL), 0);
	check_eq(atoi(wf_process_output(p, 1, NULL)), i);
	wf_process_free(p);
	wf_waitgroup_done(wg);
}

static int
many(void)
{
	wf_waitgroup wg = {0};

	wf_waitgroup_add(&wg, 30);
	for (int i = 0; i < 30; i++)
		check_eq(wf_spawn(one_of_many, i, &wg), 0);
	wf_waitgroup_wait(&wg);
	return 0;
}

int
main(void)
{
	tap_count_memory();
	tap_test_workers("how it ends", statuses);
	tap_test("what cannot start", no_program);
	tap_test_workers("captured output", output);
	tap_test_workers("through pipes", pipes);
	tap_test("what it inherits", inherits);
	tap_test_workers("242: the context kills", killed);
	tap_test_workers("242: gently, with grace", graces);
	tap_test_workers("242: a grandchild holds the pipe", grandchild);
	tap_test_workers("free kills", freed);
	tap_test_workers("many at once", many);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
