/* SPDX-License-Identifier: MIT */
/*
 * store.c - the jobs, in a table of SQLite.
 *
 * One connection, guarded by a mutex of weft: a coroutine that waits for it
 * lets its thread do something else.  The call into SQLite itself may block
 * the thread, which is said to weft by wf_blocking.
 */
#include "store.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft.h>

enum query { ACCEPT, TAKE, NEXT_DUE, FINISH, RETRY, COUNT, QUERIES };

static const char *const texts[QUERIES] = {
	[ACCEPT] = "INSERT INTO jobs (command) VALUES (?1) RETURNING id",
	[TAKE] = "UPDATE jobs SET running = 1, attempts = attempts + 1 "
	    "WHERE id = (SELECT id FROM jobs WHERE NOT running AND due <= ?1 "
	    "ORDER BY due, id LIMIT 1) RETURNING id, attempts, command",
	[NEXT_DUE] = "SELECT min(due) FROM jobs WHERE NOT running",
	[FINISH] = "DELETE FROM jobs WHERE id = ?1",
	[RETRY] = "UPDATE jobs SET running = 0, due = ?2 WHERE id = ?1",
	[COUNT] = "SELECT count(*) FROM jobs"
};

/* A commit is on the disk when it returns.  Who ran when the last process
 * ended waits again. */
static const char setup[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " command TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    " due INTEGER NOT NULL DEFAULT 0, running INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX IF NOT EXISTS by_due ON jobs (running, due, id);"
    "UPDATE jobs SET running = 0";

struct store {
	wf_mutex lock;
	sqlite3 *db;
	sqlite3_stmt *queries[QUERIES];
};

static void
complain(sqlite3 *db)
{
	fprintf(stderr, "background_worker: store: %s\n", sqlite3_errmsg(db));
}

static bool
prepare(struct store *s, const char *path)
{
	bool good;

	wf_blocking {
		good = sqlite3_open(path, &s->db) == SQLITE_OK &&
		    sqlite3_busy_timeout(s->db, 5000) == SQLITE_OK &&
		    sqlite3_exec(s->db, setup, NULL, NULL, NULL) == SQLITE_OK;
		for (int i = 0; good && i < QUERIES; i++)
			good = sqlite3_prepare_v3(s->db, texts[i], -1,
			    SQLITE_PREPARE_PERSISTENT, &s->queries[i], NULL) ==
			    SQLITE_OK;
	}
	return good;
}

struct store *
store_open(const char *path)
{
	struct store *s = calloc(1, sizeof *s);

	if (!s)
		perror("background_worker");
	else if (!prepare(s, path)) {
		complain(s->db);
		store_close(s);
		s = NULL;
	}
	return s;
}

void
store_close(struct store *s)
{
	for (int i = 0; i < QUERIES; i++)
		sqlite3_finalize(s->queries[i]);
	sqlite3_close(s->db);
	free(s);
}

/* Lock the store and give its query two numbers, as many as it takes. */
static sqlite3_stmt *
begin(struct store *s, enum query which, int64_t first, int64_t second)
{
	sqlite3_stmt *q = s->queries[which];

	wf_mutex_lock(&s->lock);
	if (sqlite3_bind_parameter_count(q) >= 1)
		sqlite3_bind_int64(q, 1, first);
	if (sqlite3_bind_parameter_count(q) >= 2)
		sqlite3_bind_int64(q, 2, second);
	return q;
}

/* One row, if there is one: 1, 0 or -1. */
static int
step(struct store *s, sqlite3_stmt *q)
{
	int result = SQLITE_ERROR;

	wf_blocking
		result = sqlite3_step(q);
	if (result == SQLITE_ROW)
		return 1;
	if (result == SQLITE_DONE)
		return 0;
	complain(s->db);
	return -1;
}

/* To the end, where it commits; and unlock. */
static int
end(struct store *s, sqlite3_stmt *q, int result)
{
	while (result > 0)
		result = step(s, q);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	wf_mutex_unlock(&s->lock);
	return result;
}

int64_t
store_accept(struct store *s, const char *command)
{
	sqlite3_stmt *q = begin(s, ACCEPT, 0, 0);
	int64_t id = -1;
	int result;

	sqlite3_bind_text(q, 1, command, -1, SQLITE_TRANSIENT);
	if ((result = step(s, q)) > 0)
		id = sqlite3_column_int64(q, 0);
	return end(s, q, result) < 0 ? -1 : id;
}

/* When the next one is due, or INT64_MAX. */
static int
next_due(struct store *s, int64_t *due)
{
	sqlite3_stmt *q = begin(s, NEXT_DUE, 0, 0);
	int result = step(s, q);

	*due = INT64_MAX;
	if (result > 0 && sqlite3_column_type(q, 0) != SQLITE_NULL)
		*due = sqlite3_column_int64(q, 0);
	return end(s, q, result);
}

int
store_take(struct store *s, int64_t now, struct job *j, int64_t *due)
{
	sqlite3_stmt *q = begin(s, TAKE, now, 0);
	int result = step(s, q), any = result > 0;

	if (any) {
		j->id = sqlite3_column_int64(q, 0);
		j->attempts = sqlite3_column_int(q, 1);
		snprintf(j->command, sizeof j->command, "%s",
		    (const char *)sqlite3_column_text(q, 2));
	}
	if (end(s, q, result) < 0)
		return -1;
	return any ? 1 : next_due(s, due);
}

int
store_finish(struct store *s, int64_t id)
{
	sqlite3_stmt *q = begin(s, FINISH, id, 0);

	return end(s, q, step(s, q));
}

int
store_retry(struct store *s, int64_t id, int64_t due)
{
	sqlite3_stmt *q = begin(s, RETRY, id, due);

	return end(s, q, step(s, q));
}

int64_t
store_count(struct store *s)
{
	sqlite3_stmt *q = begin(s, COUNT, 0, 0);
	int64_t n = -1;
	int result = step(s, q);

	if (result > 0)
		n = sqlite3_column_int64(q, 0);
	return end(s, q, result) < 0 ? -1 : n;
}
