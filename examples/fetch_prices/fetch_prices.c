/* SPDX-License-Identifier: MIT */
/*
 * fetch_prices - the prices of many symbols, fetched all at the same time.
 *
 *	app --spawn--> fetch, fetch, fetch ... --> each its own slot
 *	    <--wait---
 *
 * It shows fan-out without locks: an array has a slot for each symbol, each
 * coroutine writes its own, and nobody reads any before the wait group says
 * that all are written.  So the results come in the order in which they were
 * asked for, however long each took.
 *
 *	$ fetch_prices -d examples/fetch_prices/quotes WEFT SILK LOOM
 *	symbol    date         close  change   mean of 60 days
 *	WEFT      2026-09-22   65.50  -1.33 %    63.92
 *	fetch_prices: SILK: No such file or directory
 *	LOOM      2026-09-22  128.98  +2.02 %   130.37
 *
 * A symbol's quotes are in FOLDER/SYMBOL.csv, with the columns date, open,
 * high, low, close, volume.  The exit status is 1 if one was not found.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft.h>

struct price {
	const char *symbol;
	int error;		/* why there is none, or 0 */
	int line;		/* of its file that is wrong, or 0 */
	int days;
	char date[11];		/* the last one */
	double close, before;	/* of the last day, of the day before */
	double sum;		/* of all closes */
};

static const char usage[] =
    "usage: fetch_prices [-h] [-d folder] symbol...\n";

/* One line of a day; false if it is none. */
static bool
add_day(struct price *p, const char *line)
{
	char date[11];
	double close;
	int end = 0;

	if (sscanf(line, "%10[0-9-],%*f,%*f,%*f,%lf,%*d %n", date, &close,
	    &end) != 2 || !end || line[end])
		return false;
	memcpy(p->date, date, sizeof date);
	p->before = p->days ? p->close : close;
	p->close = close;
	p->sum += close;
	p->days++;
	return true;
}

static void
read_days(struct price *p, FILE *f)
{
	char text[256];

	for (int line = 1; fgets(text, sizeof text, f); line++)
		if (line > 1 && !add_day(p, text)) {
			p->error = EINVAL;
			p->line = line;
			return;
		}
	if (ferror(f))
		p->error = EIO;
	else if (!p->days)
		p->error = ENODATA;
}

/* Fill in *p, which is ours until we end. */
static void
fetch(const char *folder, struct price *p)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s.csv", folder, p->symbol);
	wf_blocking {			/* a disk may be slow */
		if ((f = fopen(path, "re"))) {
			read_days(p, f);
			fclose(f);
		} else
			p->error = errno;
	}
}

static void
print(const struct price *p)
{
	if (p->line)
		fprintf(stderr, "fetch_prices: %s: line %d is no quote\n",
		    p->symbol, p->line);
	else if (p->error)
		fprintf(stderr, "fetch_prices: %s: %s\n", p->symbol,
		    strerror(p->error));
	else
		printf("%-8s  %s %7.2f  %+.2f %%  %7.2f of %d days\n",
		    p->symbol, p->date, p->close,
		    100 * (p->close / p->before - 1), p->sum / p->days,
		    p->days);
}

static int
app(const char *folder, struct price *prices, int n)
{
	wf_waitgroup fetching = {0};
	int error = 0, missing = 0;

	for (int i = 0; i < n && !error; i++)
		error = wf_waitgroup_spawn(&fetching, fetch, folder,
		    &prices[i]);
	wf_waitgroup_wait(&fetching);	/* now all slots are ours */
	if (error) {
		fprintf(stderr, "fetch_prices: %s\n", strerror(-error));
		return 1;
	}
	puts("symbol    date         close   change     mean");
	for (int i = 0; i < n; i++) {
		print(&prices[i]);
		missing += prices[i].error != 0;
	}
	return missing ? 1 : 0;
}

static int
help(void)
{
	printf("%sPrint the last price of each symbol, its change to the day "
	    "before, and its mean,\nin the order given.\n  -d folder  where "
	    "the files SYMBOL.csv are (quotes)\n", usage);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *folder = "quotes";
	struct price *prices;
	int option, status;

	while ((option = getopt(argc, argv, "hd:")) != -1) {
		if (option == 'h')
			return help();
		if (option != 'd') {
			fputs(usage, stderr);
			return 2;
		}
		folder = optarg;
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	if (!(prices = calloc((size_t)(argc - optind), sizeof *prices))) {
		perror("fetch_prices");
		return 1;
	}
	for (int i = optind; i < argc; i++)
		prices[i - optind].symbol = argv[i];
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wf_run(app, folder, prices, argc - optind);
	free(prices);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("fetch_prices: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
