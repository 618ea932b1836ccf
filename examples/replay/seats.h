/* SPDX-License-Identifier: MIT */
/*
 * seats.h - a box office: hold a seat, pay, have it.
 *
 * Who holds a seat has ten minutes to pay; then it is free again.
 */
#ifndef SEATS_H
#define SEATS_H

#include <stdbool.h>
#include <weft.h>

#define SEATS_HOLD (600 * WF_SEC)

struct seats_seat {
	int holder;		/* customer, or 0 */
	int owner;		/* customer who has paid, or 0 */
};

struct seats {
	wf_mutex lock;		/* the seats */
	wf_waitgroup holds;	/* that will end by themselves */
	bool careful;		/* without the bug that is planted here */
	struct seats_seat seat[4];
};

/*
 * Book a seat for a customer, by his number: 0, and it is his; -EBUSY: somebody
 * else has it, or holds it; -ETIMEDOUT: the payment came too late, and the
 * money goes back.  pay() takes the money, and its time.
 */
int seats_book(struct seats *s, int customer, int seat, void (*pay)(void));

/* No more bookings: wait until all that were held are free. */
void seats_close(struct seats *s);

#endif
