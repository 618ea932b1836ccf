/* SPDX-License-Identifier: MIT */
/*
 * paid_twice.c - the connection is reset, and the question is asked again on
 * another one: but it had arrived, only the answer was lost.  Right: questions
 * have numbers, and the server knows those that it has answered.
 */
#include "wire.h"

struct paid_twice {
	wf_listener *listener;
	uint32_t seen;		/* the last number */
	int paid, fixed;
	wf_waitgroup served;
};

static void
paid_twice_pay(struct paid_twice *p, wf_conn *c)
{
	uint32_t number;

	while (wire_read(c, &number, sizeof number)) {
		if (!p->fixed || number != p->seen)
			p->paid++;
		p->seen = number;
		if (!wire_write(c, &number, sizeof number))
			break;
	}
	wf_conn_free(c);
}

static void
paid_twice_serve(struct paid_twice *p)
{
	wf_conn *c;

	while (wf_listener_accept(wf_ctx_background(), p->listener, &c) == 0)
		paid_twice_pay(p, c);
}

static bool
paid_twice_try(const char *address, uint32_t number)
{
	uint32_t answer = 0;
	bool good;
	wf_conn *c;

	if (wf_dial(wf_ctx_background(), "tcp", address, &c) < 0)
		return false;
	good = wire_write(c, &number, sizeof number) &&
	    wire_read(c, &answer, sizeof answer);
	wf_conn_free(c);
	return good;
}

static int
paid_twice(int fixed)
{
	struct paid_twice p = { .fixed = fixed };
	char address[WF_ADDRESS_TEXT];

	p.listener = wire_listen(address);
	wf_waitgroup_spawn(&p.served, paid_twice_serve, &p);
	while (!paid_twice_try(address, 1))
		;
	wf_listener_close(p.listener);
	wf_waitgroup_wait(&p.served);
	wf_listener_free(p.listener);
	wf_sim_check(p.paid == 1);
	return 0;
}
