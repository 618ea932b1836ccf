/* SPDX-License-Identifier: MIT */
/*
 * report.c - the report line, its hook, and abort.
 * Layer 1.  Uses: report, os.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/look.h>
#include "atomic.h"
#include "os.h"

enum { DUMP_LIMIT = 100 };

struct wf__report_hooks wf__report_hooks;
static wf__word user_hook;	/* void (*)(const char *) */

WF_API void
wf_set_report_hook(void (*hook)(const char *text))
{
	wf__store_release(&user_hook, (wf__word)(uintptr_t)hook); /* [hook] */
}

void
wf__report_text(char *text, size_t n)
{
	void (*hook)(const char *) = (void (*)(const char *))(uintptr_t)
	    wf__load_acquire(&user_hook);			/* [hook] */

	text[n] = '\0';
	if (hook)
		hook(text);
	text[n++] = '\n';
	wf__os_write(2, text, n);
}

void
wf__report(const char *format, ...)
{
	char text[1024];
	size_t most = sizeof text - 2;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	n = n < 0 ? 0 : n;
	wf__report_text(text, (size_t)n < most ? (size_t)n : most);
}

WF__NORETURN void
wf__misuse(const char *call, const char *format, ...)
{
	static wf__word misused;
	char what[512], who[512] = "a thread that is no coroutine";
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (wf__report_hooks.misuse) {
		snprintf(text, sizeof text, "%s: %s", call, what);
		wf__report_hooks.misuse(text);
	}
	if (wf__report_hooks.who)
		wf__report_hooks.who(who, sizeof who);
	wf__report("weft: %s: %s, in %s", call, what, who);
	/* One dump is enough, also when several threads come here. */
	if (wf__report_hooks.dump && wf__add_acq_rel(&misused, 1) == 0)
		wf__report_hooks.dump(2, DUMP_LIMIT);
	abort();
}

WF__NORETURN void
wf__assert_failed(const char *what, const char *file, int line)
{
	wf__report("weft: %s:%d: broken invariant: %s", file, line, what);
	abort();
}
