/* SPDX-License-Identifier: MIT */
/*
 * bank.c - a bank on a network, and its customers.
 */
#include <stdio.h>
#include <string.h>

#include "bank.h"

#define PATIENCE (5 * WF_SEC)		/* of a customer */

/* One line into text, without its end: false if the connection ends before, or
 * it is too long.  Nobody sends before he has the answer to his last line, so
 * that nothing comes behind one. */
static bool
read_line(wf_conn *c, char *text, size_t size)
{
	size_t have = 0;
	ssize_t n;

	while (have + 1 < size && (n = wf_conn_read(wf_ctx_background(), c,
	    text + have, size - have - 1)) > 0) {
		have += (size_t)n;
		if (text[have - 1] == '\n') {
			text[have - 1] = '\0';
			return true;
		}
	}
	return false;
}

static bool
write_line(wf_conn *c, const char *text)
{
	size_t n = strlen(text);

	return wf_conn_write(wf_ctx_background(), c, text, n) == (ssize_t)n;
}

/* ---- the bank ---- */

/*
 * The bug: what comes is believed to come for the first time.  But who had no
 * answer repeats his payment, and when the connection was reset it may have
 * been the question that was lost, or the answer.
 */
static void
book(struct bank *b, unsigned number, long amount)
{
	wf_mutex_lock(&b->lock);
	if (!b->careful || !b->done[number])
		b->balance += amount;
	b->done[number] = true;
	wf_mutex_unlock(&b->lock);
}

static void
serve_one(struct bank *b, wf_conn *c)
{
	char line[64];
	unsigned number;
	long amount;

	while (read_line(c, line, sizeof line) &&
	    sscanf(line, "pay %u %ld", &number, &amount) == 2 &&
	    number < BANK_PAYMENTS) {
		book(b, number, amount);
		if (!write_line(c, "paid\n"))
			break;
	}
	wf_conn_free(c);
}

void
bank_serve(struct bank *b, wf_listener *l)
{
	wf_conn *c;

	while (wf_listener_accept(wf_ctx_background(), l, &c) == 0)
		if (wf_waitgroup_spawn(&b->clients, serve_one, b, c) < 0)
			wf_conn_free(c);
	wf_waitgroup_wait(&b->clients);
}

/* ---- a customer ---- */

static bool
ask(wf_conn *c, unsigned number, long amount)
{
	char line[64];

	snprintf(line, sizeof line, "pay %u %ld\n", number, amount);
	wf_conn_set_deadline(c, wf_now() + PATIENCE);
	return write_line(c, line) && read_line(c, line, sizeof line) &&
	    !strcmp(line, "paid");
}

void
bank_pay(const char *address, unsigned number, long amount)
{
	bool paid = false;
	wf_conn *c;

	for (int64_t pause = WF_MS; !paid; pause *= 2) {
		if (wf_dial(wf_ctx_background(), "tcp", address, &c) == 0) {
			paid = ask(c, number, amount);
			wf_conn_free(c);
		}
		if (!paid)
			wf_sleep(pause);
	}
}
