/* SPDX-License-Identifier: MIT */
/*
 * weft/process.h - child processes.
 *
 *	char *argv[] = { "sort", "-u", "names", NULL };
 *	struct wf_command c = { .argv = argv, .fds = { 0, WF_CAPTURE, 2 } };
 *	wf_process *p;
 *	int status;
 *
 *	if (wf_process_start(ctx, &c, &p) < 0)
 *		return 1;
 *	if (wf_process_wait(p, &status) == 0 && status == 0)
 *		puts(wf_process_output(p, 1, NULL));
 *	wf_process_free(p);
 *
 * The context of the start is that of the process's life: when it is done, the
 * process gets a signal, SIGKILL if no other is chosen.  With a grace period
 * it has that long to end before SIGKILL comes; the same time, counted from
 * its end or from the context's, is left for others (its children, perhaps)
 * who hold a captured pipe open, before that is closed.  Without a grace
 * period both is waited for as long as it takes.
 *
 * Any thread may call everything here.  Descriptors of weft's own are not
 * inherited.  A host that ignores SIGCHLD, or waits for any child, takes
 * weft's away: then the status is not known, and the wait is -ECHILD.
 */
#ifndef WEFT_PROCESS_H
#define WEFT_PROCESS_H

#include <weft/base.h>
#include <weft/context.h>

WF__BEGIN

typedef struct wf_process wf_process;

/* Instead of a descriptor of the caller's. */
enum {
	WF_NULL = -1,		/* /dev/null */
	WF_PIPE = -2,		/* a pipe; wf_process_pipe() is our end */
	WF_CAPTURE = -3		/* output kept for wf_process_output() */
};

/* Zero is the default, but for argv. */
struct wf_command {
	char *const *argv;	/* the first is looked up in PATH */
	char *const *env;	/* default: the caller's */
	const char *dir;	/* to run in; default: the caller's */
	int fds[3];		/* what its 0, 1 and 2 are; zero for 1 and 2
				 * is the caller's own 1 and 2 */
	int stop_signal;	/* when the context is done; default SIGKILL */
	int64_t grace;		/* nanoseconds from then to SIGKILL */
	uintptr_t wf__reserved[6];
};

/* Start it: 0 and *p, to be freed.  -ENOENT and the like if there is no such
 * program, ctx's error, -EMFILE, -ENOMEM, -EAGAIN, -ENOSYS before Linux 5.4. */
WF_API int wf_process_start(wf_ctx *ctx, const struct wf_command *command,
    wf_process **p);

/*
 * Block until it has ended and what is captured is complete; *status (or NULL)
 * as of wait(2).  0; the error of the context if that ended it, also when it
 * then left with success; -ETIME if it ended by itself, but a captured pipe had
 * to be closed.  Again and by several: the same answer.
 */
WF_API int wf_process_wait(wf_process *p, int *status);

/* Send a signal: 0, -ESRCH when it has ended. */
WF_API int wf_process_signal(wf_process *p, int sig);

WF_API int wf_process_pid(const wf_process *p);

/* Our end of the WF_PIPE at its descriptor i, for wf_read() and wf_write(); it
 * is the caller's from now on, to be closed.  -EINVAL if there is none, or it
 * was taken. */
WF_API int wf_process_pipe(wf_process *p, int i);

/* After the wait: what its descriptor i has written, with a zero byte behind;
 * *size (or NULL) is how much.  NULL if it was not captured.  Until free. */
WF_API const char *wf_process_output(const wf_process *p, int i,
    size_t *size);

/* Kill it if it has not ended, wait, and free.  NULL is allowed. */
WF_API void wf_process_free(wf_process *p);

WF__END

#endif
