/* SPDX-License-Identifier: MIT */
/*
 * weft/look.h - look inside a running program.
 *
 *	wf_dump(2);		(every coroutine, to stderr)
 */
#ifndef WEFT_LOOK_H
#define WEFT_LOOK_H

#include <weft/base.h>

WF__BEGIN

/*
 * Write every coroutine to fd: number, name, where it was spawned, its state,
 * what it waits for and since when.  Others go on running meanwhile: each
 * line is true at some moment of the call.  0, or the -errno of the write.
 * Any thread may call it; blocks only in write(2).
 */
WF_API int wf_dump(int fd);

/* Counters since the runtime started.  Fields are only ever added. */
struct wf_stats {
	uint64_t workers;	/* threads that run coroutines now */
	uint64_t idle;		/* of these, asleep */
	uint64_t live;		/* coroutines that have not ended; while some
				 * begin and end, at least those that do not */
	uint64_t spawned;	/* coroutines ever started */
	uint64_t switches;	/* times a coroutine was resumed */
	uint64_t steals;	/* times one worker took from another */
	uint64_t wakes;		/* times a sleeping worker was woken */
	uint64_t stacks;	/* stacks carved from the system */
	uint64_t left;		/* coroutines that ended runs left behind */
	uint64_t wf__reserved[7];
};

/* Fill in *stats.  All but left are zero when the runtime does not run. */
WF_API void wf_stats(struct wf_stats *stats);

/* Call hook with the text of each report (misuse, deadlock, stack overflow)
 * before weft writes it to stderr; NULL takes the hook away.  The hook
 * may log; it must not call weft and need not be async-signal-safe but for
 * a stack overflow. */
WF_API void wf_set_report_hook(void (*hook)(const char *text));

/*
 * Call hook when all coroutines, live of them, are parked and no timer runs,
 * but it is not certain that nothing can wake them: outside of wf_run(), or
 * with other threads in the process.  That may be a deadlock, or a quiet
 * moment; the hook is called once for each such moment, on a thread of weft's
 * own, and may call wf_dump() and wf_stats(), nothing else of weft.  NULL
 * takes it away.
 */
WF_API void wf_set_parked_hook(void (*hook)(uint64_t live));

WF__END

#endif
