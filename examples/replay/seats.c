/* SPDX-License-Identifier: MIT */
/*
 * seats.c - a box office, with a race planted in it.
 */
#include <errno.h>

#include "seats.h"

/* A coroutine for each hold. */
static void
end_hold(struct seats *s, struct seats_seat *seat, int customer)
{
	wf_sleep(SEATS_HOLD);
	wf_mutex_lock(&s->lock);
	if (seat->holder == customer)
		seat->holder = 0;
	wf_mutex_unlock(&s->lock);
}

static bool
hold(struct seats *s, struct seats_seat *seat, int customer)
{
	bool is_free;

	wf_mutex_lock(&s->lock);
	is_free = !seat->owner && !seat->holder;
	if (is_free)
		seat->holder = customer;
	wf_mutex_unlock(&s->lock);
	if (is_free)
		wf_waitgroup_spawn(&s->holds, end_hold, s, seat, customer);
	return is_free;
}

/*
 * It was paid.  The bug: that the customer still holds the seat is taken for
 * granted; but paying takes time, and a hold ends.
 */
static bool
hand_over(struct seats *s, struct seats_seat *seat, int customer)
{
	bool in_time;

	wf_mutex_lock(&s->lock);
	in_time = !s->careful || seat->holder == customer;
	if (in_time) {
		seat->owner = customer;
		seat->holder = 0;
	}
	wf_mutex_unlock(&s->lock);
	return in_time;
}

int
seats_book(struct seats *s, int customer, int number, void (*pay)(void))
{
	struct seats_seat *seat = &s->seat[number];

	if (!hold(s, seat, customer))
		return -EBUSY;
	pay();
	return hand_over(s, seat, customer) ? 0 : -ETIMEDOUT;
}

void
seats_close(struct seats *s)
{
	wf_waitgroup_wait(&s->holds);
}
