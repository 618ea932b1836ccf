/* SPDX-License-Identifier: MIT */
/*
 * report.h - what weft has to say on stderr, and the end by misuse.
 * Layer 1.  Uses: os.
 */
#ifndef WF__REPORT_H
#define WF__REPORT_H

#include "base.h"

/* What reports want to know from the layers above; runtime.c fills it in. */
struct wf__report_hooks {
	/* The calling coroutine in words, into text[size]. */
	void (*who)(char *text, size_t size);
	/* Every coroutine, at most limit of them, to fd. */
	int (*dump)(int fd, size_t limit);
	/* A misuse in words: may end the calling coroutine.  Or NULL. */
	void (*misuse)(const char *text);
};
extern struct wf__report_hooks wf__report_hooks;

/* One report: to the user's hook, then to stderr.  A newline is added. */
void wf__report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for n bytes of text, in a buffer with room for two more. */
void wf__report_text(char *text, size_t n);

/* The program broke a rule of call: say so with the calling coroutine and
 * a dump, then abort. */
WF__NORETURN void wf__misuse(const char *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
