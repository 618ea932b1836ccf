/* SPDX-License-Identifier: MIT */
/*
 * sieve - the n-th prime, by a chain of coroutines that grows with each prime.
 *
 *	generate =2,3,4,5,..=> filter 2 =3,5,7,..=> filter 3 =5,7,..=> app
 *
 * It shows rendezvous channels, a chain that is built while it runs, and an
 * end that travels upstream: app closes the last channel, so the send of the
 * last filter returns 0; the filter closes the channel before it and ends, and
 * so on up to the head.  A send that returns 0 was the last use of its
 * channel: the sender frees it.
 *
 *	$ sieve -n 2000
 *	prime 1 is 2
 *	prime 10 is 29
 *	prime 100 is 541
 *	prime 1000 is 7919
 *	prime 2000 is 17389
 *	2000 coroutines and as many channels, made and gone in 181 ms
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weft.h>

static const char usage[] = "usage: sieve [-h] [-n number]\n";

/* The head of the chain: all numbers from 2. */
static void
generate(wf_chan(int) out)
{
	for (int n = 2; wf_send(out, n); n++)
		;
	wf_chan_free(out);
}

/* Send on what prime does not divide. */
static void
filter(int prime, wf_chan(int) in, wf_chan(int) out)
{
	int n;

	while (wf_recv(in, &n))
		if (n % prime != 0 && !wf_send(out, n))
			break;
	wf_close(in);
	wf_chan_free(out);
}

/* Start the head of the chain.  NULL without memory or threads. */
static wf_chan(int)
start(wf_waitgroup *chain)
{
	wf_chan(int) out = wf_chan_make(int, 0);

	if (out && wf_waitgroup_spawn(chain, generate, out) < 0) {
		wf_chan_free(out);
		return NULL;
	}
	return out;
}

/* Put a filter between in and the channel that is returned.  NULL without
 * memory or threads. */
static wf_chan(int)
extend(wf_waitgroup *chain, int prime, wf_chan(int) in)
{
	wf_chan(int) out = wf_chan_make(int, 0);

	if (out && wf_waitgroup_spawn(chain, filter, prime, in, out) < 0) {
		wf_chan_free(out);
		return NULL;
	}
	return out;
}

static bool
is_power_of_ten(long n)
{
	while (n % 10 == 0)
		n /= 10;
	return n == 1;
}

/* Print the n-th prime, and some before it.  False if memory ended first. */
static bool
sieve(long n, wf_waitgroup *chain)
{
	wf_chan(int) last = start(chain), next;
	int prime;

	for (long i = 1; last; i++) {
		wf_recv(last, &prime);
		if (i == n || is_power_of_ten(i))
			printf("prime %ld is %d\n", i, prime);
		next = i < n ? extend(chain, prime, last) : NULL;
		if (!next) {
			wf_close(last);		/* tell the chain to end */
			return i == n;
		}
		last = next;
	}
	return false;
}

static int
app(long n)
{
	wf_waitgroup chain = {0};
	int64_t begin = wf_now();
	bool found = sieve(n, &chain);

	wf_waitgroup_wait(&chain);
	if (!found) {
		fprintf(stderr, "sieve: not enough memory or threads\n");
		return 1;
	}
	printf("%ld coroutines and as many channels, made and gone in %lld "
	    "ms\n", n, (long long)((wf_now() - begin) / WF_MS));
	return 0;
}

static int
help(void)
{
	printf("%sPrint the n-th prime, found by a chain of filters.\n"
	    "  -n number  of the prime, 1 to 50000 (2000)\n", usage);
	return 0;
}

int
main(int argc, char **argv)
{
	long n = 2000;
	int option, status;
	char *end;

	while ((option = getopt(argc, argv, "hn:")) != -1) {
		if (option == 'h')
			return help();
		if (option != 'n' || (n = strtol(optarg, &end, 10)) < 1 ||
		    n > 50000 || *end) {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wf_run(app, n);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("sieve: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
