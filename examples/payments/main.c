/* SPDX-License-Identifier: MIT */
/*
 * payments - the test of a bank (bank.c) that finds a bug of its protocol, and
 * shows it again as often as you like.
 *
 * Two customers pay over TCP.  A connection that breaks is nothing special:
 * who has no answer asks again.  On a real network the bank's books are right
 * for months; until a connection is reset in the very moment between payment
 * and answer.  In a simulation the same program, with the same calls, has
 * a network in memory, where resets are as frequent as the test wants them.
 *
 *	$ payments -r
 *	on the real network: balance 30
 *	$ payments
 *	weft: simulation day: main.c:66: b.balance == 30
 *	weft: schedule 10, after 79 steps; shrunk to 73 steps with 25 switches:
 *	    ...
 *	    5 serve_one (bank.c:80)
 *	        gets 5 bytes
 *	        locks mutex 7
 *	        unlocks mutex 7
 *	        writes to connection 5 (127.0.0.1:40001 to 127.0.0.1:40003)
 *	        sends 1 of 5 bytes: a short write
 *	        finds the connection reset
 *	    ...
 *	weft: to see this again: WEFT_SIM_SEED='10:1.4=2,...,5.15=1' payments
 *	paid twice: there is a bug
 *	$ payments -f
 *	1000 schedules: never paid twice
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bank.h"

static const char usage[] = "usage: payments [-fhr] [-n schedules]\n";

static void
customer(const char *address, unsigned number, long amount)
{
	bank_pay(address, number, amount);
	wf_sim_note("payment %u of %ld is made", number, amount);
}

/* One day: all that it needs is made here, for each schedule anew. */
static int
day(bool careful, long *balance)
{
	struct bank b = { .careful = careful };
	wf_waitgroup bank = { 0 }, customers = { 0 };
	char address[WF_ADDRESS_TEXT];
	wf_listener *l;

	if (wf_listen(wf_ctx_background(), "tcp", "127.0.0.1:0", &l) < 0)
		return 1;
	wf_listener_address(l, address, sizeof address);
	wf_waitgroup_spawn(&bank, bank_serve, &b, l);
	wf_waitgroup_spawn(&customers, customer, address, 1u, 10L);
	wf_waitgroup_spawn(&customers, customer, address, 2u, 20L);
	wf_waitgroup_wait(&customers);
	wf_listener_close(l);
	wf_waitgroup_wait(&bank);
	wf_listener_free(l);
	*balance = b.balance;
	wf_sim_check(b.balance == 30);
	return 0;
}

static int
run_really(bool careful)
{
	long balance = 0;

	if (wf_run(day, careful, &balance)) {
		fprintf(stderr, "payments: no listener\n");
		return 1;
	}
	printf("on the real network: balance %ld\n", balance);
	return 0;
}

static int
simulate(bool careful, unsigned schedules)
{
	struct wf_sim_result result;
	struct wf_sim_options o = { .schedules = schedules,
	    .result = &result, .net = { .resets = 20, .losses = 20 } };
	long balance;
	int outcome = wf_sim(&o, day, careful, &balance);

	if (outcome < 0)
		fprintf(stderr, "payments: there is no simulation\n");
	else if (outcome)
		printf("paid twice: there is a bug\n");
	else
		printf("%u schedules: never paid twice\n", result.schedules);
	return outcome != 0;
}

/* What the options say; false: a mistake. */
static bool
read_options(int argc, char **argv, unsigned *schedules, bool *careful,
    bool *real)
{
	char *end;
	long n;
	int opt;

	while ((opt = getopt(argc, argv, "fhn:r")) != -1)
		switch (opt) {
		case 'f':
			*careful = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'n':
			n = strtol(optarg, &end, 10);
			if (*end || n < 1 || n > 1000000000)
				return false;
			*schedules = (unsigned)n;
			break;
		case 'r':
			*real = true;
			break;
		default:
			return false;
		}
	return optind == argc;
}

int
main(int argc, char **argv)
{
	bool careful = false, real = false;
	unsigned schedules = 1000;
	int status;

	if (!read_options(argc, argv, &schedules, &careful, &real)) {
		fputs(usage, stderr);
		return 2;
	}
	status = real ? run_really(careful) : simulate(careful, schedules);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("payments: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
