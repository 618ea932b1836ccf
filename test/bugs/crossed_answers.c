/* SPDX-License-Identifier: MIT */
/*
 * crossed_answers.c - two share a connection: each writes its question and
 * reads an answer, perhaps the other one's.  Right: a question and its answer
 * under one lock.
 */
#include "wire.h"

static void
crossed_answers_serve(wf_conn *c, wf_waitgroup *wg)
{
	uint32_t n;

	while (wire_read(c, &n, sizeof n) &&
	    (n *= 10, wire_write(c, &n, sizeof n)))
		;
	wf_conn_free(c);
	wf_waitgroup_done(wg);
}

static void
crossed_answers_ask(wf_conn *c, wf_mutex *lock, uint32_t question, int fixed)
{
	uint32_t n = question;

	if (fixed)
		wf_mutex_lock(lock);
	wire_write(c, &n, sizeof n);
	wire_read(c, &n, sizeof n);
	if (fixed)
		wf_mutex_unlock(lock);
	wf_sim_check(n == question * 10);
}

static int
crossed_answers(int fixed)
{
	wf_waitgroup server = { 0 }, clients = { 0 };
	wf_mutex lock = { 0 };
	wf_conn *c[2];

	wire_pair(c);
	wf_waitgroup_add(&server, 1);
	wf_spawn(crossed_answers_serve, c[1], &server);
	for (uint32_t i = 1; i <= 2; i++)
		wf_waitgroup_spawn(&clients, crossed_answers_ask, c[0], &lock,
		    i, fixed);
	wf_waitgroup_wait(&clients);
	wf_conn_free(c[0]);
	wf_waitgroup_wait(&server);
	return 0;
}
