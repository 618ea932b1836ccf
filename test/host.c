/* SPDX-License-Identifier: MIT */
/*
 * host.c - tests of weft as a guest: the program around it gets its threads,
 * descriptors, memory and mappings back, again and again.
 *
 * What the process has is counted before and after, from /proc.
 */
#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

#include "tap.h"

static long
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	long n = 0;

	if (!check(dir))
		return -1;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static long
count_threads(void)
{
	return count_entries("/proc/self/task");
}

static long
count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	long n = 0;
	int c;

	if (!check(maps))
		return -1;
	while ((c = getc(maps)) != EOF)
		n += c == '\n';
	fclose(maps);
	return n;
}

/* One that was joined may be on the list a moment longer. */
static void
check_threads(long wanted)
{
	for (int i = 0; i < 5000 && count_threads() != wanted; i++)
		usleep(1000);
	check_eq(count_threads(), wanted);
}

/* ---- start, stop, again ---- */

static void
add_one(int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static void
use_timers(void)
{
	wf_timer *never = wf_timer_make(3600 * WF_SEC);
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_US);

	check(never && ctx);
	wf_sleep(WF_US);
	check_eq(wf_sleep_ctx(ctx, 3600 * WF_SEC), -ETIMEDOUT);
	wf_ctx_free(ctx);
	wf_timer_free(never);
}

static void
write_byte(int fd)
{
	check_eq(wf_write(wf_ctx_background(), fd, "x", 1), 1);
}

static void
use_descriptors(void)
{
	int ends[2];
	char c;

	if (!check_eq(pipe(ends), 0))
		return;
	check_eq(wf_spawn(write_byte, ends[1]), 0);
	check_eq(wf_read(wf_ctx_background(), ends[0], &c, 1), 1);
	wf_fd_close(ends[0]);
	wf_fd_close(ends[1]);
}

static void
send_one(wf_chan(int) c)
{
	check_eq(wf_send(c, 1), 1);
}

/* A bit of everything. */
static void
use_all(int *n)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	wf_waitgroup wg = {0};

	if (!check(c != NULL))
		return;
	for (int i = 0; i < 20; i++)
		check_eq(wf_waitgroup_spawn(&wg, add_one, n), 0);
	check_eq(wf_waitgroup_spawn(&wg, send_one, c), 0);
	check_eq(wf_recv(c, NULL), 1);
	use_timers();
	use_descriptors();
	wf_waitgroup_wait(&wg);
	wf_chan_free(c);
	add_one(n);
}

static void
cycles(long times)
{
	for (long i = 0; i < times; i++) {
		int n = 0;

		check_eq(wf_start(NULL), 0);
		check_eq(wf_spawn(use_all, &n), 0);
		check_eq(wf_stop(30 * WF_SEC), 0);
		check_eq(n, 21);
	}
}

/* The allocator's arenas and the C library's cache of thread stacks settle in
 * the first cycles, and vary by a few mappings from then on. */
static void
start_and_stop(void)
{
	long fds, threads, maps, bytes;

	cycles(20);
	fds = count_entries("/proc/self/fd");
	threads = 1 + TAP_TSAN;
	check_threads(threads);
	maps = count_mappings();
	bytes = tap_bytes();
	cycles(tap_scale(1000, TAP_ASAN || TAP_TSAN ? 40 : 200));
	check_eq(count_entries("/proc/self/fd"), fds);
	check_threads(threads);
	check_eq(tap_bytes(), bytes);
	if (!TAP_ASAN && !TAP_TSAN && !check(count_mappings() < maps + 20))
		tap_note("%ld mappings before, %ld after", maps,
		    count_mappings());
}

/* A stop that has to give up says who is still there, by option. */

static void
straggler(wf_chan(int) c)
{
	wf_recv(c, NULL);
}

static int
stop_names_them(void)
{
	struct wf_options o = { .workers = 2, .list_leaks = true };
	wf_chan(int) c = wf_chan_make(int, 0);

	check_eq(wf_start(&o), 0);
	check_eq(wf_spawn(straggler, c), 0);
	check_eq(wf_stop(20 * WF_MS), -ETIMEDOUT);
	wf_close(c);
	check_eq(wf_stop(WF_FOREVER), 0);
	wf_chan_free(c);
	return 0;
}

int
main(void)
{
	tap_count_memory();
	tap_child("a stop that gives up says who is there", stop_names_them, 0,
	    "weft: 1 coroutine is left after wf_stop() has", "straggler");
	tap_plain("start and stop, again and again", start_and_stop);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
