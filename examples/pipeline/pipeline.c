/* SPDX-License-Identifier: MIT */
/*
 * pipeline - the most frequent words of a text, by stages joined by channels.
 *
 *	read_files =lines=> split =words=> filter =kept=> count
 *	                    split          filter
 *	                    split          filter
 *
 * It shows fan-out and fan-in, and both ways in which a pipeline ends.  When
 * the text does, close travels downstream: a stage that has ended is followed
 * by the close of its output.  When a stage downstream has enough (or fails),
 * it closes done, and every send upstream is a select that listens to done
 * too, so that nobody stays parked.  What is sent belongs to the receiver.
 *
 *	$ pipeline -n 3 LICENSE
 *	      9 software
 *	      3 copyright
 *	      3 without
 *
 *	93 words, 72 of them different
 *
 * The lines before the empty one are those of
 *
 *	tr -cs A-Za-z '\n' <LICENSE | tr A-Z a-z | grep .... |
 *	    sort | uniq -c | sort -k1,1nr -k2 | head -n 3
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft.h>
#include <weft/errno.h>		/* read on both sides of a wait */

#include "tally.h"

struct pipeline {
	char **files;
	long top, max, shortest, width;	/* the options */

	wf_chan(char *) lines, words, kept;
	wf_chan(char) done;	/* never sent to; closed: stop sending */

	int error;		/* of whoever closed done; read at the end */
	int unread;		/* files; written by read_files() */
	long counted;		/* words; this and tally written by count() */
	struct tally tally;
};

static const char usage[] = "usage: pipeline [-h] [-l letters] [-m max] "
    "[-n top] [-w width] [file...]\n";

/* Tell all stages to stop sending.  Several may: the first one is heard. */
static void
stop(struct pipeline *p, int error)
{
	if (wf_close(p->done) == 0)
		p->error = error;
}

/* Send text on, or free it when all are to stop.  Returns whether to go on.
 * NULL is what is left of text when there was no memory for it. */
static bool
pass(struct pipeline *p, wf_chan(char *) out, char *text)
{
	if (!text)
		stop(p, -ENOMEM);
	if (wf_select_ordered(wf_on_recv(p->done, NULL),
			      wf_on_send(out, text)) == 1)
		return true;
	free(text);
	return false;
}

static bool
read_file(struct pipeline *p, const char *name, FILE *in)
{
	bool more = true;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while (more && (n = getline(&line, &room, in)) >= 0) {
		for (ssize_t i = 0; i < n; i++)
			if (!line[i])
				line[i] = ' ';	/* it would hide the rest */
		more = pass(p, p->lines, line);
		line = NULL;
		room = 0;
	}
	if (more && !feof(in)) {
		fprintf(stderr, "pipeline: %s: %s\n", name, strerror(errno));
		p->unread++;
	}
	free(line);
	return more;
}

/* The head: files, or standard input, to lines. */
static void
read_files(struct pipeline *p)
{
	bool more = true;

	if (!*p->files)
		read_file(p, "stdin", stdin);
	for (char **name = p->files; more && *name; name++) {
		FILE *in = fopen(*name, "re");

		if (!in) {
			fprintf(stderr, "pipeline: %s: %s\n", *name,
			    strerror(errno));
			p->unread++;
			continue;
		}
		more = read_file(p, *name, in);
		fclose(in);
	}
}

static inline bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Take the next word off *rest and copy it, in lower case.  False if there is
 * none; *word is NULL without memory. */
static bool
next_word(const char **rest, char **word)
{
	const char *s = *rest;
	size_t n = 0;

	while (*s && !is_letter(*s))
		s++;
	while (is_letter(s[n]))
		n++;
	*rest = s + n;
	if (!n)
		return false;
	*word = strndup(s, n);
	for (size_t i = 0; *word && i < n; i++)
		(*word)[i] |= 'a' - 'A';
	return true;
}

/* A middle stage: lines to words. */
static void
split(struct pipeline *p)
{
	bool more = true;
	char *line, *word;

	while (more && wf_recv(p->lines, &line)) {
		const char *rest = line;

		while (more && next_word(&rest, &word))
			more = pass(p, p->words, word);
		free(line);
	}
}

/* A middle stage: words to words that are long enough. */
static void
filter(struct pipeline *p)
{
	bool more = true;
	char *word;

	while (more && wf_recv(p->words, &word))
		if (strlen(word) >= (size_t)p->shortest)
			more = pass(p, p->kept, word);
		else
			free(word);
}

/* The last stage.  It stops the others when it has counted enough. */
static void
count(struct pipeline *p)
{
	int error = 0;
	char *word;

	while (p->counted < p->max && wf_recv(p->kept, &word)) {
		error = tally_add(&p->tally, word);
		if (error) {
			free(word);
			break;
		}
		p->counted++;
	}
	stop(p, error);
}

/* Start the stages, the last one first, and follow them to their ends. */
static void
run_stages(struct pipeline *p)
{
	wf_waitgroup reading = {0}, splitting = {0}, filtering = {0};
	wf_waitgroup counting = {0};
	int error = wf_waitgroup_spawn(&counting, count, p);

	for (long n = 0; !error && n < p->width; n++) {
		error = wf_waitgroup_spawn(&filtering, filter, p);
		if (!error)
			error = wf_waitgroup_spawn(&splitting, split, p);
	}
	if (!error)
		error = wf_waitgroup_spawn(&reading, read_files, p);
	if (error)
		stop(p, error);
	wf_waitgroup_wait(&reading);
	wf_close(p->lines);
	wf_waitgroup_wait(&splitting);
	wf_close(p->words);
	wf_waitgroup_wait(&filtering);
	wf_close(p->kept);
	wf_waitgroup_wait(&counting);
}

/* Free a channel, and what an early stop has left in it. */
static void
free_texts(wf_chan(char *) c)
{
	char *text;

	if (!c)
		return;
	wf_close(c);		/* as a rule it is closed already */
	while (wf_recv(c, &text))
		free(text);
	wf_chan_free(c);
}

static int
run_pipeline(struct pipeline *p)
{
	p->lines = wf_chan_make(char *, 100);
	p->words = wf_chan_make(char *, 100);
	p->kept = wf_chan_make(char *, 100);
	p->done = wf_chan_make(char, 0);
	if (p->lines && p->words && p->kept && p->done)
		run_stages(p);
	else
		p->error = -ENOMEM;
	free_texts(p->lines);
	free_texts(p->words);
	free_texts(p->kept);
	wf_chan_free(p->done);
	return p->error;
}

static int
app(struct pipeline *p)
{
	int error = run_pipeline(p);

	if (error) {
		fprintf(stderr, "pipeline: %s\n", strerror(-error));
	} else {
		tally_sort(&p->tally);
		for (long i = 0; i < p->top && i < (long)p->tally.used; i++)
			printf("%7lu %s\n", p->tally.entries[i].count,
			    p->tally.entries[i].word);
		printf("\n%ld words, %zu of them different%s\n", p->counted,
		    p->tally.used,
		    p->counted == p->max ? "; stopped there" : "");
	}
	tally_free(&p->tally);
	return error || p->unread ? 1 : 0;
}

static int
help(void)
{
	printf("%sPrint the most frequent words of the files, or of standard "
	    "input.\n"
	    "  -l letters  of the shortest word that counts (4)\n"
	    "  -m max      words to count, then stop\n"
	    "  -n top      words to print (10)\n"
	    "  -w width    coroutines in each middle stage (4)\n", usage);
	return 0;
}

/* Read the number in text, 1 to most.  False if it is none. */
static bool
number(const char *text, long most, long *n)
{
	char *end;

	*n = strtol(text, &end, 10);
	return !*end && *n >= 1 && *n <= most;
}

static bool
parse(struct pipeline *p, int option)
{
	switch (option) {
	case 'l': return number(optarg, 1000, &p->shortest);
	case 'm': return number(optarg, LONG_MAX - 1, &p->max);
	case 'n': return number(optarg, LONG_MAX - 1, &p->top);
	case 'w': return number(optarg, 10000, &p->width);
	}
	return false;
}

int
main(int argc, char **argv)
{
	struct pipeline p = {
		.top = 10, .max = LONG_MAX, .shortest = 4, .width = 4
	};
	int option, status;

	while ((option = getopt(argc, argv, "hl:m:n:w:")) != -1) {
		if (option == 'h')
			return help();
		if (!parse(&p, option)) {
			fputs(usage, stderr);
			return 2;
		}
	}
	p.files = argv + optind;
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wf_run(app, &p);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("pipeline: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
