/* SPDX-License-Identifier: MIT */
/*
 * log.h - the append-only log: every change, as a command of the protocol.
 *
 *	n = log_append(log, shard->copied, args, argc);	(the shard locked)
 *	...
 *	if (log_settle(log, n) == 0)			(no lock held)
 *		reply
 *
 * A change is appended while its shard is locked, so that the log has the
 * changes of each key in their order.  It is in memory then.  Before its reply
 * goes out, log_settle() waits until the file has it, and with LOG_ALWAYS the
 * disk; one of those who wait writes for all.
 */
#ifndef LOG_H
#define LOG_H

#include <weft.h>

#include "resp.h"
#include "store.h"

enum log_policy { LOG_NO, LOG_EVERYSEC, LOG_ALWAYS };	/* when to fsync */

struct log;

/*
 * Open the log at path, or make it; hand every command in it to play().  A
 * command, or a MULTI without its EXEC, that is cut off at the end of the file
 * was never answered: it is taken out, and said.  0 or -errno, -EBADMSG if the
 * file is not a log; the reason has been said.
 */
int log_open(struct log **log, const char *path, enum log_policy policy,
    bool (*play)(void *arg, struct arg *args, int argc), void *arg);

/* Write what is left, fsync, close. */
int log_close(struct log *l);

/* Append a command: its number.  copied is that of its shard, or LOG_EVERY for
 * what concerns all of them. */
#define LOG_EVERY UINT64_MAX
uint64_t log_append(struct log *l, uint64_t copied, const struct arg *args,
    int argc);

/* Wait until command n is safe, as far as the policy goes.  0 or -errno. */
int log_settle(struct log *l, uint64_t n);

/* -errno if the log cannot be written just now: then take no changes. */
int log_error(struct log *l);

/* To be called once a second: fsync, and another try after an error. */
void log_tick(struct log *l);

/* Write the log anew, without what has been overwritten, while it is in use;
 * one at a time.  0 or -errno. */
int log_rewrite(struct log *l, struct store *s);

#endif
