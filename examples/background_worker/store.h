/* SPDX-License-Identifier: MIT */
/*
 * store.h - the jobs, in a file that survives.
 *
 * A job that store_accept() has taken is in the file, for good: also when the
 * process is killed the next moment.  A job is taken out again, by
 * store_finish(), only after it has run; so one that was running when the
 * process was killed runs once more.
 *
 * Any number of coroutines may use a store.  Its calls block on the disk, but
 * never the other coroutines.  They return 0 or more, or -1 after a message.
 */
#ifndef STORE_H
#define STORE_H

#include <stdint.h>

enum { JOB_MAX = 4000 };

struct job {
	int64_t id;
	int attempts;			/* with this one */
	char command[JOB_MAX];
};

struct store *store_open(const char *path);	/* NULL after a message */
void store_close(struct store *s);

/* Add a job: its number. */
int64_t store_accept(struct store *s, const char *command);

/* Take the job that has waited longest.  1; 0 if none is due at the moment,
 * *due is then when one will be (INT64_MAX: never).  Times are milliseconds
 * since 1970. */
int store_take(struct store *s, int64_t now, struct job *j, int64_t *due);

/* The job has ended, well or for good. */
int store_finish(struct store *s, int64_t id);

/* It is to be tried again at that time. */
int store_retry(struct store *s, int64_t id, int64_t due);

/* Jobs that are not finished. */
int64_t store_count(struct store *s);

#endif
