/* SPDX-License-Identifier: MIT */
/*
 * story.h - a schedule in words: who did what, in turn.
 * Layer 7.  Uses: vec, coro.
 *
 * Coroutines and objects go by their numbers, files by their last names, and
 * nothing by its address: the story of a schedule is the same everywhere.
 */
#ifndef WF__STORY_H
#define WF__STORY_H

#include "coro.h"
#include "vec.h"

struct wf__story {
	bool on;
	bool cut;		/* it grew too long, or memory was short */
	uint32_t who;		/* under whose heading the story is */
	struct wf__vec people;	/* by number: struct wf__person */
	struct wf__vec text;	/* of char */
	size_t lines;
};

struct wf__person {
	const struct wf_site *site;
	char name[24];
	struct wf__coro *coro;	/* once it has begun */
	bool ended;
	uint32_t host;		/* where it is; see simhost.c */
};

/* A new story. */
void wf__story_begin(struct wf__story *s, bool on);
void wf__story_free(struct wf__story *s);

/* Somebody new; NULL without memory.  Known also when the story is off. */
struct wf__person *wf__story_add(struct wf__story *s,
    const struct wf__entry *e);
struct wf__person *wf__story_person(struct wf__story *s, uint32_t who);
/* "3 work (pool.c:12)" */
void wf__story_name(struct wf__story *s, uint32_t who, char *text,
    size_t size);

/* What who does; 0: the clock. */
void wf__story_tell(struct wf__story *s, uint32_t who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Write it to fd, each line with this in front; at most so many lines, the
 * last ones.  0 or -errno. */
int wf__story_write(struct wf__story *s, int fd, const char *indent,
    size_t most);

#endif
