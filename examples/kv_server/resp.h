/* SPDX-License-Identifier: MIT */
/*
 * resp.h - RESP2, the protocol of Redis: requests read, replies written.
 *
 *	n = wf_conn_read(ctx, conn, reader_room(&r, &room), room);
 *	r.in.used += n;
 *	while ((got = reader_next(&r)) > 0)	(requests of one batch)
 *		run(r.args, r.argc, &out);
 *	wf_conn_write(ctx, conn, out.data, out.used);
 *
 * A request is an array of strings, or a line of words.  Its arguments are
 * left where they are, in the buffer that they were read into, and hold until
 * the next call of reader_next() or reader_room().
 */
#ifndef RESP_H
#define RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The limits, as in Redis. */
enum {
	RESP_LINE = 64 * 1024,
	RESP_ARGS = 1024 * 1024,
	RESP_STRING = 512 * 1024 * 1024,
	RESP_REQUEST = 1024 * 1024 * 1024
};

/* ---- bytes ---- */

/* Bytes that grow.  Zero is empty.  Without memory, failed is set, and stays
 * so until buffer_free(); what is put meanwhile is lost. */
struct buffer {
	char *data;
	size_t used, room;
	bool failed;
};

bool buffer_reserve(struct buffer *b, size_t more);
void buffer_put(struct buffer *b, const void *data, size_t size);
void buffer_swap(struct buffer *a, struct buffer *b);
void buffer_free(struct buffer *b);
/* Empty it.  What was large is given back. */
void buffer_clear(struct buffer *b);

/* ---- requests ---- */

struct arg {
	char *data;		/* not ended by a zero */
	size_t size;
	uint64_t hash;		/* of a key, when it has been computed */
};

struct reader {
	struct buffer in;	/* in.data[in.used] and on is free */
	size_t begin, at;	/* of the request; of what is not parsed yet */
	struct arg *args;
	int argc, missing;	/* arguments so far, and to come */
	int64_t bulk;		/* bytes of the next one, -1: not known yet */
	size_t room;		/* of args */
	bool open;		/* within a request */
	char error[64];	/* without the words "Protocol error" */
};

/* Where the next bytes go, and how many; NULL without memory. */
char *reader_room(struct reader *r, size_t *room);

/* The next whole request: 1, 0 if more has to be read, or -1 and r->error. */
int reader_next(struct reader *r);
void reader_free(struct reader *r);

/* Is it this word, in letters of either case? */
bool arg_is(const struct arg *a, const char *word);

/* The number in an argument, in the one way to write it. */
bool arg_number(const struct arg *a, int64_t *n);

/* ---- replies ---- */

void resp_status(struct buffer *b, const char *text);		/* +OK */
__attribute__((format(printf, 2, 3)))
void resp_error(struct buffer *b, const char *format, ...);	/* -ERR ... */
void resp_number(struct buffer *b, int64_t n);			/* :1 */
void resp_string(struct buffer *b, const void *data, size_t size);
void resp_text(struct buffer *b, const char *text);		/* $2 */
void resp_nil(struct buffer *b);				/* $-1 */
void resp_array(struct buffer *b, size_t n);			/* *3 */

/* An array whose size shows only afterwards: resp_array() put at an earlier
 * b->used. */
void resp_array_at(struct buffer *b, size_t at, size_t n);

#endif
