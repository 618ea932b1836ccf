/* SPDX-License-Identifier: MIT */
/*
 * log.c - the append-only log.
 *
 *	log_append -> [ pending ] -> [ writing ] -> fd
 *	         \--> [ copy ] -> the new file, during a rewrite
 *
 * The rewrite takes one shard after the other: its entries are copied, with
 * its lock held, and from then on the changes in it go to the copy too.  At
 * every moment the new file and the copy together are a log of the shards that
 * were copied.
 *
 * Locks, in this order: a shard's; sync, during an fsync apart from writes;
 * file, during a write; lock, never during a wait.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct log {
	enum log_policy policy;
	char path[4096], path_new[4096 + 8];
	_Atomic int error;		/* of the last write */

	wf_mutex lock;			/* for these: */
	struct buffer pending, copy;
	uint64_t appended;		/* commands */
	uint64_t copying;		/* number of the rewrite, or 0 */

	wf_mutex sync, file;		/* file for these: */
	int fd;				/* changed with sync held, too */
	struct buffer writing;
	size_t done;			/* of writing */
	uint64_t taken, written, synced;/* up to which command */

	uint64_t rewrites;		/* so far */
};

static int
complain(const struct log *l, const char *what, int err)
{
	fprintf(stderr, "kv_server: %s: %s: %s\n", l->path, what,
	    strerror(-err));
	return err;
}

/* ---- append, write ---- */

static void
put_command(struct buffer *b, const struct arg *args, int argc)
{
	resp_array(b, (size_t)argc);
	for (int i = 0; i < argc; i++)
		resp_string(b, args[i].data, args[i].size);
}

uint64_t
log_append(struct log *l, uint64_t copied, const struct arg *args, int argc)
{
	uint64_t n;

	wf_mutex_lock(&l->lock);
	put_command(&l->pending, args, argc);
	if (l->copying && (copied == LOG_EVERY || copied == l->copying))
		put_command(&l->copy, args, argc);
	n = ++l->appended;
	wf_mutex_unlock(&l->lock);
	return n;
}

int
log_error(struct log *l)
{
	return atomic_load_explicit(&l->error, memory_order_relaxed);
}

/* Say it once.  It holds until a write succeeds. */
static int
failed(struct log *l, int err)
{
	if (atomic_exchange(&l->error, err) != err)
		complain(l, "changes are refused", err);
	return err;
}

static int
write_all(int fd, const struct buffer *b, size_t *done)
{
	while (*done < b->used) {
		ssize_t n = wf_write(wf_ctx_background(), fd,
		    b->data + *done, b->used - *done);

		if (n <= 0)
			return n ? (int)n : -EIO;
		*done += (size_t)n;
	}
	return b->failed ? -ENOMEM : 0;
}

/* Write what is pending.  l->file is held. */
static int
flush(struct log *l)
{
	int err;

	if (l->done == l->writing.used) {
		buffer_clear(&l->writing);
		l->done = 0;
		wf_mutex_lock(&l->lock);
		buffer_swap(&l->pending, &l->writing);
		l->taken = l->appended;
		wf_mutex_unlock(&l->lock);
	}
	if ((err = write_all(l->fd, &l->writing, &l->done)) < 0)
		return failed(l, err);
	l->written = l->taken;
	if (atomic_exchange(&l->error, 0) != 0)
		fprintf(stderr, "kv_server: %s: changes are taken again\n",
		    l->path);
	return 0;
}

static int
settle(struct log *l, uint64_t n)
{
	int err = 0;

	while (!err && l->written < n)
		err = flush(l);
	if (err || l->policy != LOG_ALWAYS || l->synced >= n)
		return err;
	if ((err = wf_fsync(wf_ctx_background(), l->fd)) < 0)
		return failed(l, err);
	l->synced = l->written;
	return 0;
}

int
log_settle(struct log *l, uint64_t n)
{
	int err;

	wf_mutex_lock(&l->file);
	if (l->written < n)
		wf_yield();	/* others append, and need no write then */
	err = settle(l, n);
	wf_mutex_unlock(&l->file);
	return err;
}

static uint64_t
appended(struct log *l)
{
	uint64_t n;

	wf_mutex_lock(&l->lock);
	n = l->appended;
	wf_mutex_unlock(&l->lock);
	return n;
}

/* The fsync of every second: writes may go on meanwhile. */
static int
sync_apart(struct log *l)
{
	uint64_t n;
	int err = 0;

	wf_mutex_lock(&l->sync);
	wf_mutex_lock(&l->file);
	n = l->written;
	wf_mutex_unlock(&l->file);
	if (n > l->synced && (err = wf_fsync(wf_ctx_background(), l->fd)) < 0)
		failed(l, err);
	else
		l->synced = n;		/* nobody else's, with this policy */
	wf_mutex_unlock(&l->sync);
	return err;
}

void
log_tick(struct log *l)
{
	if (log_error(l) < 0)
		log_settle(l, appended(l));
	else if (l->policy == LOG_EVERYSEC)
		sync_apart(l);
}

/* ---- open: replay ---- */

struct scan {
	struct reader r;
	off_t read, whole;	/* bytes: read; up to the last whole command */
	bool multi;
};

/* A command has been read: is it one for a log? */
static bool
note(struct scan *s)
{
	struct arg *name = &s->r.args[0];

	if (s->r.in.data[s->r.begin] != '*')
		return false;
	s->multi = arg_is(name, "MULTI") || (s->multi && !arg_is(name, "EXEC"));
	if (!s->multi)
		s->whole = s->read - (off_t)(s->r.in.used - s->r.at);
	return true;
}

/* Read the file, and hand each command to play(), if there is one. */
static int
scan(struct log *l, struct scan *s,
    bool (*play)(void *arg, struct arg *args, int argc), void *arg)
{
	size_t room;
	ssize_t n;
	int got = 0;
	char *to;

	while (got == 0 && (to = reader_room(&s->r, &room))) {
		n = wf_pread(wf_ctx_background(), l->fd, to, room, s->read);
		if (n <= 0)
			return (int)n;
		s->r.in.used += (size_t)n;
		s->read += n;
		while ((got = reader_next(&s->r)) > 0)
			if (!note(s) ||
			    (play && !play(arg, s->r.args, s->r.argc)))
				return -EBADMSG;
	}
	return got < 0 ? -EBADMSG : -ENOMEM;
}

/* The first time to find its end, the second time to replay it. */
static int
replay(struct log *l, bool (*play)(void *, struct arg *, int), void *arg)
{
	struct scan once = {0}, again = {0};
	int err = scan(l, &once, NULL, NULL);

	if (!err && once.whole < once.read) {
		fprintf(stderr, "kv_server: %s: cut off %jd bytes at the end, "
		    "which were not a whole command\n", l->path,
		    (intmax_t)(once.read - once.whole));
		if (ftruncate(l->fd, once.whole) < 0)
			err = -errno;
	}
	if (!err)
		err = scan(l, &again, play, arg);
	if (err == -EBADMSG)
		fprintf(stderr, "kv_server: %s: no log of commands: byte %jd\n",
		    l->path, (intmax_t)(again.read ? again.whole :
		    once.whole));
	reader_free(&once.r);
	reader_free(&again.r);
	return err;
}

/* A regular file that nobody else writes: its descriptor. */
static int
open_file(const char *path, int flags)
{
	int fd = wf_open(wf_ctx_background(), path, O_RDWR | O_CREAT |
	    O_APPEND | O_NONBLOCK | flags, 0600);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (err)
		close(fd);
	return err ? err : fd;
}

int
log_open(struct log **log, const char *path, enum log_policy policy,
    bool (*play)(void *, struct arg *, int), void *arg)
{
	struct log *l = calloc(1, sizeof *l);
	int err;

	if (!l)
		return -ENOMEM;
	l->policy = policy;
	snprintf(l->path, sizeof l->path, "%s", path);
	snprintf(l->path_new, sizeof l->path_new, "%s.new", l->path);
	l->fd = open_file(l->path, 0);
	if (l->fd < 0)
		err = complain(l, "cannot be used", l->fd);
	else if ((err = replay(l, play, arg)) < 0 && err != -EBADMSG)
		complain(l, "cannot be read", err);
	if (err && l->fd >= 0)
		close(l->fd);
	if (err)
		free(l);
	*log = err ? NULL : l;
	return err;
}

int
log_close(struct log *l)
{
	int err;

	if (!l)
		return 0;
	err = log_settle(l, appended(l));
	if (!err && (err = wf_fsync(wf_ctx_background(), l->fd)) < 0)
		failed(l, err);
	close(l->fd);
	buffer_free(&l->pending);
	buffer_free(&l->writing);
	free(l);
	return err;
}

/* ---- rewrite ---- */

static void
put_entry(struct buffer *b, struct entry *e)
{
	char number[24];
	struct arg args[] = { { .data = "SET", .size = 3 },
	    { .data = e->key, .size = e->hh.keylen },
	    { .data = e->value, .size = e->size },
	    { .data = "PXAT", .size = 4 }, { .data = number } };

	args[4].size = (size_t)snprintf(number, sizeof number, "%" PRId64,
	    e->expires);
	put_command(b, args, e->expires ? 5 : 3);
}

static int
copy_shard(struct log *l, struct shard *shard, int fd)
{
	struct buffer b = {0};
	size_t done = 0;
	int err;

	wf_rwmutex_lock(&shard->lock);
	for (struct entry *e = shard->map; e; e = e->hh.next)
		put_entry(&b, e);
	shard->copied = l->copying;
	wf_rwmutex_unlock(&shard->lock);
	err = write_all(fd, &b, &done);
	buffer_free(&b);
	return err;
}

/* Write what has been changed in shards that are copied. */
static int
copy_changes(struct log *l, int fd)
{
	struct buffer b = {0};
	size_t done = 0;
	int err;

	wf_mutex_lock(&l->lock);
	buffer_swap(&l->copy, &b);
	wf_mutex_unlock(&l->lock);
	err = write_all(fd, &b, &done);
	buffer_free(&b);
	return err;
}

static int
copy_all(struct log *l, struct store *s, int fd)
{
	int err = 0;

	for (int i = 0; !err && i < SHARDS; i++)
		if (!(err = copy_shard(l, &s->shards[i], fd)))
			err = copy_changes(l, fd);
	return err ? err : wf_fsync(wf_ctx_background(), fd);
}

/* The new file takes the old one's name. */
static int
put_in_place(struct log *l)
{
	char path[sizeof l->path];
	int fd, err = 0;

	wf_blocking {
		if (rename(l->path_new, l->path) < 0)
			err = -errno;
	}
	strcpy(path, l->path);
	if (err || (fd = open(dirname(path), O_RDONLY | O_CLOEXEC)) < 0)
		return err;
	wf_fsync(wf_ctx_background(), fd);	/* the name */
	close(fd);
	return 0;
}

/* From now on use fd, or only end the rewrite if err is not 0.  Whoever has
 * had a reply is in the new file, since nobody can settle meanwhile. */
static int
change_over(struct log *l, int fd, int err)
{
	int old = fd;

	wf_mutex_lock(&l->sync);
	wf_mutex_lock(&l->file);
	if (!err && !(err = copy_changes(l, fd)) &&
	    !(err = wf_fsync(wf_ctx_background(), fd)))
		err = put_in_place(l);
	wf_mutex_lock(&l->lock);
	if (!err) {
		buffer_swap(&l->pending, &l->copy);
		buffer_clear(&l->writing);
		l->done = 0;
		old = l->fd;
		l->fd = fd;
	}
	l->copying = 0;
	buffer_free(&l->copy);
	wf_mutex_unlock(&l->lock);
	wf_mutex_unlock(&l->file);
	wf_mutex_unlock(&l->sync);
	close(old);
	return err;
}

int
log_rewrite(struct log *l, struct store *s)
{
	int fd, err;

	if ((err = fd = open_file(l->path_new, O_TRUNC)) >= 0) {
		wf_mutex_lock(&l->lock);
		l->copying = ++l->rewrites;
		wf_mutex_unlock(&l->lock);
		err = change_over(l, fd, copy_all(l, s, fd));
	}
	if (err) {
		complain(l, "the rewrite failed", err);
		unlink(l->path_new);
	}
	return err;
}
