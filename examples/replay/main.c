/* SPDX-License-Identifier: MIT */
/*
 * replay - the test of a box office (seats.c) that finds its race, tells how
 * it comes about, and shows it again as often as you like.
 *
 * Two customers want the same seat.  Nearly always one of them gets it.  Once
 * in a long while both pay for it: when a payment arrives in the very moment
 * in which the hold ends.  On a real machine, that moment is ten minutes after
 * the beginning, and as short as an instruction; in a simulation the test
 * waits for nothing, and tries one order of events after the other.
 *
 *	$ replay
 *	weft: simulation evening: main.c:68: sold <= 1
 *	weft: schedule 46, after 36 steps; shrunk to 36 steps with 12 switches:
 *	    1 evening (main.c:112)
 *	        spawns 2 customer (main.c:65)
 *	        ...
 *	weft: to see this again: WEFT_SIM_SEED='46:1.1=2,0.2=3,3.5=4' replay
 *	sold twice: there is a bug
 *	$ replay -f
 *	1000 schedules: never sold twice
 *
 * With that WEFT_SIM_SEED in the environment, exactly this happens again: also
 * under a debugger, or with more printf() in the program.  And replay -f, the
 * service without the bug, passes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "seats.h"

static const char usage[] = "usage: replay [-hf] [-n schedules]\n";

/* The bank takes up to ten minutes, by lot. */
static void
pay(void)
{
	wf_sleep((int64_t)(wf_rand() % 3) * SEATS_HOLD / 2);
}

/* Who finds the seat held comes again when the hold is over. */
static void
customer(struct seats *s, int number, int *sold)
{
	for (int i = 0; i < 2; i++) {
		if (seats_book(s, number, 0, pay) == 0) {
			wf_sim_note("customer %d has the seat", number);
			++*sold;
			return;
		}
		wf_sleep(SEATS_HOLD);
	}
}

/* One evening: all that it needs is made here, for each schedule anew. */
static int
evening(bool careful)
{
	struct seats s = { .careful = careful };
	wf_waitgroup customers = { 0 };
	int sold = 0;

	for (int i = 1; i <= 2; i++)
		wf_waitgroup_spawn(&customers, customer, &s, i, &sold);
	wf_waitgroup_wait(&customers);
	seats_close(&s);
	wf_sim_check(sold <= 1);
	return 0;
}

/* What the options say; false: a mistake. */
static bool
read_options(int argc, char **argv, unsigned *schedules, bool *careful)
{
	char *end;
	long n;
	int opt;

	while ((opt = getopt(argc, argv, "hfn:")) != -1)
		switch (opt) {
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'f':
			*careful = true;
			break;
		case 'n':
			n = strtol(optarg, &end, 10);
			if (*end || n < 1 || n > 1000000000)
				return false;
			*schedules = (unsigned)n;
			break;
		default:
			return false;
		}
	return optind == argc;
}

int
main(int argc, char **argv)
{
	struct wf_sim_result result;
	struct wf_sim_options o = { .schedules = 1000, .result = &result };
	bool careful = false;
	int outcome;

	if (!read_options(argc, argv, &o.schedules, &careful)) {
		fputs(usage, stderr);
		return 2;
	}
	if ((outcome = wf_sim(&o, evening, careful)) < 0)
		fprintf(stderr, "replay: there is no simulation\n");
	else if (outcome)
		printf("sold twice: there is a bug\n");
	else
		printf("%u schedules: never sold twice\n", result.schedules);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("replay: the output cannot be written\n", stderr);
		return 1;
	}
	return outcome != 0;
}
