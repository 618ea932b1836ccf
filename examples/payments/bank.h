/* SPDX-License-Identifier: MIT */
/*
 * bank.h - a bank on a network: pay into an account.
 *
 *	pay NUMBER AMOUNT\n	->	paid\n
 *
 * A customer numbers his payments, and repeats one until he has the answer.
 */
#ifndef BANK_H
#define BANK_H

#include <stdbool.h>
#include <weft.h>

enum { BANK_PAYMENTS = 64 };	/* numbers are below this */

struct bank {
	bool careful;		/* without the bug that is planted here */
	wf_mutex lock;		/* for the rest */
	bool done[BANK_PAYMENTS];
	long balance;
	wf_waitgroup clients;
};

/* Serve who comes, until the listener is closed and all have left. */
void bank_serve(struct bank *b, wf_listener *l);

/* Pay so much, by a payment of this number, to the bank at this address: again
 * and again until it is done. */
void bank_pay(const char *address, unsigned number, long amount);

#endif
