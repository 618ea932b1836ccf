/* SPDX-License-Identifier: MIT */
/*
 * worker_pool - count lines, words and bytes of files, with their checksum.
 *
 *	app ==tasks==> work, work, work ==results==> collect
 *
 * It shows typed channels, coroutines with arguments, and how such a pool
 * ends: app closes tasks, and each worker ends when they are drained; when
 * all have ended, app closes results, and the collector ends.
 *
 *	$ worker_pool -w 2 LICENSE nothing .editorconfig
 *	worker   lines   words     bytes       cksum  file
 *	     2      21     170      1073  2639187181  LICENSE
 *	worker_pool: nothing: No such file or directory
 *	     1      20      40       295  2526274140  .editorconfig
 *	 total      41     210      1368  2 files, 2 workers, 0.6 ms
 *
 * The numbers are those of wc and cksum, the order is that of arrival.  The
 * exit status is 1 if something could not be read.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft.h>
#include <weft/errno.h>	/* read in work(), on whatever thread */

struct result {
	const char *file;
	int worker;
	int error;		/* why it could not be read, or 0 */
	uint32_t cksum;
	uintmax_t lines, words, bytes;
};

static const char usage[] = "usage: worker_pool [-h] [-w workers] [file...]\n";

/* The CRC of POSIX cksum: the remainder for each byte, and one step. */
static uint32_t crc_table[256];

static void
crc_init(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte << 24;

		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7 : 0);
		crc_table[byte] = crc;
	}
}

static inline uint32_t
crc_add(uint32_t crc, unsigned char byte)
{
	return crc << 8 ^ crc_table[crc >> 24 ^ byte];
}

static inline bool
is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Add n bytes to *r; last is the byte before them.  Returns the last one. */
static int
count_bytes(struct result *r, const unsigned char *p, size_t n, int last)
{
	r->bytes += n;
	for (; n; n--, last = *p++) {
		r->lines += *p == '\n';
		r->words += is_space(last) && !is_space(*p);
		r->cksum = crc_add(r->cksum, *p);
	}
	return last;
}

static struct result
count_file(const char *file)
{
	struct result r = { .file = file };
	unsigned char buf[32768];
	int fd = open(file, O_RDONLY | O_CLOEXEC), last = ' ';
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, buf, sizeof buf)) > 0)
		last = count_bytes(&r, buf, (size_t)n, last);
	if (n < 0)
		r.error = errno;
	if (fd >= 0)
		close(fd);
	for (uintmax_t length = r.bytes; length; length >>= 8)
		r.cksum = crc_add(r.cksum, length & 0xff);
	r.cksum = ~r.cksum;
	return r;
}

/* One of the workers. */
static void
work(int id, wf_chan_in(const char *) tasks, wf_chan_out(struct result) results)
{
	const char *file;

	while (wf_recv(tasks, &file)) {		/* until closed and drained */
		struct result r = count_file(file);

		r.worker = id;
		wf_send(results, r);
	}
}

/* The collector.  It alone prints, and owns *total until it ends. */
static void
collect(wf_chan_in(struct result) results, struct result *total, int *unread)
{
	struct result r;

	puts("worker   lines   words     bytes       cksum  file");
	while (wf_recv(results, &r)) {
		if (r.error) {
			++*unread;
			fprintf(stderr, "worker_pool: %s: %s\n", r.file,
			    strerror(r.error));
			continue;
		}
		printf("%6d %7ju %7ju %9ju  %10ju  %s\n", r.worker, r.lines,
		    r.words, r.bytes, (uintmax_t)r.cksum, r.file);
		total->lines += r.lines;
		total->words += r.words;
		total->bytes += r.bytes;
	}
}

/* Send every file through workers and collector; count the files that could
 * not be read.  0 or -errno. */
static int
run_pool(int workers, char **files, struct result *total, int *unread)
{
	wf_chan(const char *) tasks = wf_chan_make(const char *, 100);
	wf_chan(struct result) results = wf_chan_make(struct result, 100);
	wf_waitgroup working = {0}, collecting = {0};
	int error = -ENOMEM;

	if (tasks && results)
		error = wf_waitgroup_spawn(&collecting, collect, wf_in(results),
		    total, unread);
	for (int id = 1; !error && id <= workers; id++)
		error = wf_waitgroup_spawn(&working, work, id, wf_in(tasks),
		    wf_out(results));
	for (; !error && *files; files++)
		wf_send(tasks, *files);
	if (tasks && results) {
		wf_close(tasks);	/* that was all: the workers end */
		wf_waitgroup_wait(&working);
		wf_close(results);	/* and then the collector */
		wf_waitgroup_wait(&collecting);
	}
	wf_chan_free(tasks);
	wf_chan_free(results);
	return error;
}

static int
app(int workers, char **files)
{
	struct result total = {0};
	int64_t start = wf_now();
	int unread = 0, count = 0;
	int error = run_pool(workers, files, &total, &unread);

	if (error) {
		fprintf(stderr, "worker_pool: %s\n", strerror(-error));
		return 1;
	}
	while (files[count])
		count++;
	printf(" total %7ju %7ju %9ju  %d files, %d workers, %.1f ms\n",
	    total.lines, total.words, total.bytes, count - unread, workers,
	    (double)(wf_now() - start) / WF_MS);
	return unread ? 1 : 0;
}

/* Find the sources below the current directory. */
static int
find_sources(glob_t *found)
{
	static const char *const folders[] = {
		"include", "lib", "examples", "test"
	};
	static const char *const depths[] = {
		"*.[chS]", "*/*.[chS]", "*/*/*.[chS]"
	};
	char pattern[64];
	int flags = 0;

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		for (size_t j = 0; j < sizeof depths / sizeof *depths; j++) {
			snprintf(pattern, sizeof pattern, "%s/%s", folders[i],
			    depths[j]);
			if (glob(pattern, flags, NULL, found) == GLOB_NOSPACE)
				return -ENOMEM;
			flags = GLOB_APPEND;
		}
	return found->gl_pathc ? 0 : -ENOENT;
}

static int
help(void)
{
	printf("%sCount lines, words, bytes and cksum of each file; without "
	    "files, of the sources\nfound below include, lib, examples and "
	    "test.\n  -w workers  how many count at the same time (4)\n",
	    usage);
	return 0;
}

/* The number in text, or 0 if it is not one from 1 to most. */
static int
number(const char *text, long most)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > most ? 0 : (int)n;
}

int
main(int argc, char **argv)
{
	glob_t found = {0};
	int option, status, workers = 4;

	while ((option = getopt(argc, argv, "hw:")) != -1) {
		if (option == 'h')
			return help();
		if (option != 'w' || !(workers = number(optarg, 10000))) {
			fputs(usage, stderr);
			return 2;
		}
	}
	argv += optind;
	if (!*argv && (status = find_sources(&found))) {
		fprintf(stderr, "worker_pool: sources: %s\n",
		    strerror(-status));
		globfree(&found);
		return 1;
	}
	crc_init();
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = wf_run(app, workers, *argv ? argv : found.gl_pathv);
	globfree(&found);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("worker_pool: the output cannot be written\n", stderr);
		return 1;
	}
	return status;
}
