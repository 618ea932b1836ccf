/* SPDX-License-Identifier: MIT */
/*
 * process.c - child processes: start, wait, end in time.
 * Layer 6.  Uses: os, fd, waitgroup, context, alloc; spawns coroutines.
 *
 *	start ---> watcher: waits for the process, ends it, counts the grace
 *	      \--> a reader for each captured pipe
 *
 * wf_process_wait() waits for the watcher, and the watcher for the readers.
 * What they write is read after that, so no lock is needed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <weft/process.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <weft/coro.h>
#include <weft/errno.h>		/* safe across a wait */
#include <weft/io.h>
#include <weft/time.h>
#include <weft/waitgroup.h>
#include "alloc.h"
#include "os.h"
#include "seam.h"

enum { CAPTURE_ROOM = 4096, RESTS = 16 };

struct capture {
	int fd;				/* -1: none */
	char *data;
	size_t size, room;
	int err;
};

struct wf_process {
	int pid, pidfd;
	wf_ctx *pipes;			/* ends the readers */
	wf_ctx *life;			/* the caller's; ended by free, too */
	int stop_signal;
	int64_t grace;
	int ours[3];			/* ends of pipes, -1: none */
	struct capture captures[3];
	wf_waitgroup readers, over;
	int status, err;
};

/* ---- captured output ---- */

/* Room for one byte more, besides the zero. */
static int
grow_capture(struct capture *c)
{
	size_t room = c->room ? 2 * c->room : CAPTURE_ROOM;
	char *more;

	if (c->size + 1 < c->room)
		return 0;
	if (!(more = wf__alloc(room)))
		return -ENOMEM;
	if (c->room)
		memcpy(more, c->data, c->size);
	wf__free(c->data, c->room);
	c->data = more;
	c->room = room;
	return 0;
}

/* Given up: what is in the pipe by now has come before. */
static void
read_rest(struct capture *c)
{
	ssize_t n = 1;

	for (int i = 0; i < RESTS && n > 0 && grow_capture(c) == 0; i++) {
		n = read(c->fd, c->data + c->size, c->room - c->size - 1);
		if (n > 0)
			c->size += (size_t)n;
	}
}

static void
read_capture(wf_process *p, int i)
{
	struct capture *c = &p->captures[i];
	ssize_t n = 1;

	while (n > 0 && (n = grow_capture(c)) == 0) {
		n = wf_read(p->pipes, c->fd, c->data + c->size,
		    c->room - c->size - 1);
		if (n > 0)
			c->size += (size_t)n;
	}
	if (n == -ECANCELED)
		read_rest(c);
	c->err = (int)n;
	wf_fd_close(c->fd);
	wf_waitgroup_done(&p->readers);
}

/* ---- the watcher ---- */

/* Wait for its end, or until ctx is done: 0 or ctx's error.  Without memory for
 * the wait, look from time to time. */
static int
wait_for_end(wf_process *p, wf_ctx *ctx)
{
	int got;

	while ((got = wf_wait_fd(ctx, p->pidfd, WF_IN)) < 0) {
		if (wf_ctx_err(ctx))
			return wf_ctx_err(ctx);
		wf_sleep(WF_MS);
	}
	return 0;
}

static int
wait_until_ended(wf_process *p, int64_t deadline)
{
	wf_ctx *ctx = wf_ctx_with_deadline(wf_ctx_background(), deadline);
	int err = wait_for_end(p, ctx);

	wf_ctx_free(ctx);
	return err;
}

/* The context is done. */
static void
end_process(wf_process *p, int64_t deadline)
{
	wf__os_pidfd_signal(p->pidfd, p->stop_signal);
	if (deadline == WF_FOREVER || wait_until_ended(p, deadline) == 0)
		return;
	wf__os_pidfd_signal(p->pidfd, SIGKILL);
}

static int64_t
grace_deadline(const wf_process *p)
{
	int64_t now = wf__seam_now();

	return p->grace > 0 && p->grace < WF_FOREVER - now ?
	    now + p->grace : WF_FOREVER;
}

/* What is captured gets the rest of the grace: 0 if that was enough. */
static int
wait_for_readers(wf_process *p, int64_t deadline)
{
	wf_ctx *ctx;
	int err = 0;

	if (deadline != WF_FOREVER) {
		ctx = wf_ctx_with_deadline(wf_ctx_background(), deadline);
		err = wf_waitgroup_wait_ctx(ctx, &p->readers);
		wf_ctx_free(ctx);
	}
	if (err)
		wf_ctx_cancel(p->pipes);
	wf_waitgroup_wait(&p->readers);
	return err == -ETIMEDOUT ? -ETIME : err;
}

/* What the readers have met, other than the end. */
static int
reader_error(const wf_process *p)
{
	int err = 0;

	for (int i = 0; i < 3 && !err; i++)
		if (p->captures[i].err != -ECANCELED)
			err = p->captures[i].err;
	return err;
}

/* Who traces it hears of its end before us. */
static int
reap(wf_process *p)
{
	int err;

	while ((err = wf__os_pidfd_reap(p->pidfd, &p->status)) == -EAGAIN)
		wf_sleep(WF_MS);
	return err;
}

static void
watch(wf_process *p)
{
	int err = wait_for_end(p, p->life), got[3];
	int64_t deadline = grace_deadline(p);

	if (err) {
		end_process(p, deadline);
		wait_for_end(p, wf_ctx_background());
	}
	got[0] = reap(p);
	got[1] = wait_for_readers(p, deadline);
	got[2] = reader_error(p);
	for (int i = 0; i < 3 && !err; i++)
		err = got[i];		/* the first one is the reason */
	p->err = err;
	wf_waitgroup_done(&p->over);
}

/* ---- start ---- */

/* The child's end of descriptor i, to be closed after the start if *close_it;
 * ours is noted. */
static int
child_end(wf_process *p, const struct wf_command *c, int i, bool *close_it)
{
	int ends[2], given = c->fds[i], theirs = i == 0 ? 0 : 1;

	*close_it = false;
	if (given >= 0)
		return given ? given : i;
	if (given == WF_NULL)
		return -1;
	if (given < WF_CAPTURE || (given == WF_CAPTURE && i == 0))
		return -EINVAL;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* The open file is ours alone, and its flag as well. */
	fcntl(ends[!theirs], F_SETFL, O_NONBLOCK);
	if (given == WF_CAPTURE)
		p->captures[i].fd = ends[!theirs];
	else
		p->ours[i] = ends[!theirs];
	*close_it = true;
	return ends[theirs];
}

struct start_call {
	struct wf__os_command command;
	int *pid;
	int err;
};

/* On a thread that may block for as long as it takes to load a program. */
static void
run_start(void *arg)
{
	struct start_call *s = arg;

	s->err = wf__os_spawn(&s->command, s->pid);
}

static int
start_child(wf_process *p, const struct wf_command *c)
{
	struct start_call s = { .pid = &p->pid, .command = { .argv = c->argv,
	    .env = c->env, .dir = c->dir } };
	bool close_it[3] = { false, false, false };
	int err = 0;

	for (int i = 0; i < 3 && !err; i++) {
		s.command.fds[i] = child_end(p, c, i, &close_it[i]);
		err = s.command.fds[i] < -1 ? s.command.fds[i] : 0;
	}
	if (!err && !(err = wf_offload(wf_ctx_background(), run_start, &s,
	    NULL)))
		err = s.err;
	for (int i = 0; i < 3; i++)
		if (close_it[i])
			close(s.command.fds[i]);
	if (!err && (p->pidfd = wf__os_pidfd(p->pid)) < 0) {
		err = p->pidfd;
		wf__os_kill_and_reap(p->pid);
	}
	return err;
}

/* From the i-th on they have no reader, who would do it. */
static void
close_captures(wf_process *p, int i)
{
	for (; i < 3; i++)
		if (p->captures[i].fd >= 0)
			wf_fd_close(p->captures[i].fd);
}

static int
start_coroutines(wf_process *p)
{
	int err;

	for (int i = 0; i < 3; i++) {
		if (p->captures[i].fd < 0)
			continue;
		wf_waitgroup_add(&p->readers, 1);
		if ((err = wf_spawn(read_capture, p, i)) < 0) {
			close_captures(p, i);
			wf_waitgroup_done(&p->readers);
			return err;
		}
	}
	wf_waitgroup_add(&p->over, 1);
	if ((err = wf_spawn(watch, p)) < 0)
		wf_waitgroup_done(&p->over);
	return err;
}

static void
release(wf_process *p)
{
	for (int i = 0; i < 3; i++) {
		if (p->ours[i] >= 0)
			wf_fd_close(p->ours[i]);
		wf__free(p->captures[i].data, p->captures[i].room);
	}
	if (p->pidfd >= 0)
		wf_fd_close(p->pidfd);
	wf_ctx_free(p->pipes);
	wf_ctx_free(p->life);
	wf__free(p, sizeof *p);
}

static wf_process *
new_process(wf_ctx *ctx, const struct wf_command *c)
{
	wf_process *p = wf__alloc(sizeof *p);

	if (!p)
		return NULL;
	p->pidfd = -1;
	p->life = wf_ctx_with_cancel(ctx);
	p->pipes = wf_ctx_with_cancel(wf_ctx_background());
	p->stop_signal = c->stop_signal ? c->stop_signal : SIGKILL;
	p->grace = c->grace;
	for (int i = 0; i < 3; i++)
		p->ours[i] = p->captures[i].fd = -1;
	return p;
}

/* The child runs, but not all that it needs here does. */
static void
abort_start(wf_process *p)
{
	wf__os_pidfd_signal(p->pidfd, SIGKILL);
	wf_ctx_cancel(p->pipes);
	wf_waitgroup_wait(&p->readers);
	reap(p);
}

WF_API int
wf_process_start(wf_ctx *ctx, const struct wf_command *command,
    wf_process **result)
{
	int saved = errno, err = wf_ctx_err(ctx);
	wf_process *p;

	*result = NULL;
	wf__seam_point_at("starts a process", 0);
	if (err)
		return err;
	if (!command->argv || !command->argv[0])
		return -EINVAL;
	if (!(p = new_process(ctx, command)))
		return -ENOMEM;
	if (!(err = wf_ctx_err(p->life)) && !(err = wf_ctx_err(p->pipes)) &&
	    !(err = start_child(p, command)) &&
	    (err = start_coroutines(p)) < 0)
		abort_start(p);
	else if (err)
		close_captures(p, 0);
	if (err) {
		release(p);
		p = NULL;
	}
	*result = p;
	errno = saved;
	return err;
}

/* ---- and after ---- */

WF_API int
wf_process_wait(wf_process *p, int *status)
{
	wf_waitgroup_wait(&p->over);
	if (status)
		*status = p->status;
	return p->err;
}

WF_API int
wf_process_signal(wf_process *p, int sig)
{
	return wf__os_pidfd_signal(p->pidfd, sig);
}

WF_API int
wf_process_pid(const wf_process *p)
{
	return p->pid;
}

WF_API int
wf_process_pipe(wf_process *p, int i)
{
	int fd = i >= 0 && i < 3 ? p->ours[i] : -1;

	if (fd < 0)
		return -EINVAL;
	p->ours[i] = -1;
	return fd;
}

WF_API const char *
wf_process_output(const wf_process *p, int i, size_t *size)
{
	const struct capture *c = i >= 0 && i < 3 ? &p->captures[i] : NULL;

	if (size)
		*size = c ? c->size : 0;
	return c ? c->data : NULL;
}

WF_API void
wf_process_free(wf_process *p)
{
	if (!p)
		return;
	wf_ctx_cancel(p->life);
	wf_ctx_cancel(p->pipes);
	wf__os_pidfd_signal(p->pidfd, SIGKILL);
	wf_waitgroup_wait(&p->over);
	release(p);
}
