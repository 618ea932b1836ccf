/* SPDX-License-Identifier: MIT */
/*
 * story.c - a schedule in words.
 * Layer 7.  Uses: story, vec, coro, os.
 *
 *	1 app (pool.c:40)
 *		spawns 2 work (pool.c:31)
 *		receives from channel 1
 *		waits: to receive on channel 1
 *	2 work (pool.c:31)
 *		...
 */
#include "story.h"

#include <stdarg.h>
#include <stdio.h>

#include "os.h"

enum { LINE = 512, TEXT_MOST = 8 << 20 };

void
wf__story_begin(struct wf__story *s, bool on)
{
	s->on = on;
	s->cut = false;
	s->who = UINT32_MAX;
	s->people.n = s->text.n = s->lines = 0;
}

void
wf__story_free(struct wf__story *s)
{
	wf__vec_free(&s->people, sizeof(struct wf__person));
	wf__vec_free(&s->text, 1);
}

/* ---- people ---- */

struct wf__person *
wf__story_person(struct wf__story *s, uint32_t who)
{
	return who < s->people.n ?
	    (struct wf__person *)s->people.items + who : NULL;
}

struct wf__person *
wf__story_add(struct wf__story *s, const struct wf__entry *e)
{
	struct wf__person *p;

	if (!wf__vec_reach(&s->people, (size_t)e->id + 1, sizeof *p))
		return NULL;
	p = wf__story_person(s, (uint32_t)e->id);
	p->site = e->site;
	memcpy(p->name, e->name, sizeof p->name);
	return p;
}

static const char *
last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void
wf__story_name(struct wf__story *s, uint32_t who, char *text, size_t size)
{
	const struct wf__person *p = wf__story_person(s, who);

	if (!p || !p->site)
		snprintf(text, size, who ? "%u" : "the clock", (unsigned)who);
	else
		snprintf(text, size, "%u %.23s (%s:%d)", (unsigned)who,
		    p->name[0] ? p->name : p->site->what,
		    last_name(p->site->file), p->site->line);
}

/* ---- lines ---- */

static void
add_line(struct wf__story *s, const char *line)
{
	size_t n = strlen(line), at = s->text.n;

	if (s->cut || at + n + 1 > TEXT_MOST ||
	    !wf__vec_reach(&s->text, at + n + 1, 1)) {
		s->cut = true;
		return;
	}
	memcpy((char *)s->text.items + at, line, n);
	((char *)s->text.items)[at + n] = '\n';
	s->lines++;
}

void
wf__story_tell(struct wf__story *s, uint32_t who, const char *format, ...)
{
	char line[LINE] = "\t";
	va_list args;

	if (!s->on)
		return;
	if (who != s->who) {
		wf__story_name(s, who, line, sizeof line);
		add_line(s, line);
		s->who = who;
		line[0] = '\t';
	}
	va_start(args, format);
	vsnprintf(line + 1, sizeof line - 1, format, args);
	va_end(args);
	for (char *c = line + 1; *c; c++)
		if (*c == '\n')
			*c = ' ';
	add_line(s, line);
}

/* ---- writing ---- */

static int
put_line(int fd, const char *indent, const char *line, size_t n)
{
	char text[LINE + 32];
	int len = snprintf(text, sizeof text, "%s%.*s\n", indent, (int)n,
	    line);

	return wf__os_write(fd, text, (size_t)len);
}

int
wf__story_write(struct wf__story *s, int fd, const char *indent, size_t most)
{
	const char *line = s->text.items, *end = line + s->text.n, *newline;
	size_t left_out = s->lines > most ? s->lines - most : 0;
	char text[64];
	int err = 0;

	if (left_out) {
		snprintf(text, sizeof text, "(%zu lines are left out)",
		    left_out);
		err = put_line(fd, indent, text, strlen(text));
	}
	for (; line < end && !err; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (left_out)
			left_out--;
		else
			err = put_line(fd, indent, line,
			    (size_t)(newline - line));
	}
	if (s->cut && !err)
		err = put_line(fd, indent, "(and more)", 10);
	return err;
}
