/* SPDX-License-Identifier: MIT */
/*
 * story.c - the story of a simulation is the same to the byte: in two runs,
 * and in test/story.txt, which was written by another one.
 *
 * That one names lines of this file: WEFT_TEST_UPDATE=1 build/test/story
 * writes it anew when they have changed.
 */
#include "tap.h"

static void
worker(wf_chan(int) in, wf_chan(int) out, wf_ctx *ctx)
{
	int v;

	while (wf_select(wf_on_recv(in, &v), wf_on_done(ctx)) == 0) {
		wf_sleep((int64_t)(wf_rand() % 3) * WF_MS);
		wf_send(out, v + 1);
	}
}

/* A bit of everything. */
static int
everything(void)
{
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), 5 * WF_MS);
	wf_chan(int) in = wf_chan_make(int, 2), out = wf_chan_make(int, 6);
	wf_waitgroup wg = { 0 };
	wf_timer *t = wf_timer_make(WF_MS);
	int v, sum = 0;

	for (int i = 0; i < 3; i++)
		wf_waitgroup_spawn(&wg, worker, in, out, ctx);
	for (int i = 0; i < 6; i++)
		wf_select(wf_on_send(in, i), wf_on_recv(out, &v),
		    wf_on_recv(wf_timer_chan(t), NULL));
	wf_yield();
	wf_timer_stop(t);
	wf_sim_note("now %s", "all wait");
	wf_waitgroup_wait(&wg);
	while (wf_try_recv(out, &v) > 0)
		sum += v;
	wf_sim_note("sum %d", sum);
	wf_chan_free(in);
	wf_chan_free(out);
	wf_timer_free(t);
	wf_ctx_free(ctx);
	return 0;
}

static size_t
story_of(const struct wf_sim_options *options, char *text, size_t size)
{
	struct wf_sim_options o = *options;
	FILE *f = tmpfile();
	size_t n = 0;

	if (!check(f != NULL))
		return 0;
	o.trace = fileno(f);
	check_eq(wf_sim(&o, everything), 0);
	rewind(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
	return n;
}

static void
same_story(void)
{
	static char first[1 << 16], second[1 << 16];
	struct wf_sim_options o = { .schedules = 1, .quiet = true };
	int differ = 0;

	for (o.how = WF_SIM_RANDOM; o.how <= WF_SIM_EXHAUSTIVE; o.how++) {
		memset(first, 0, sizeof first);
		for (o.seed = 1; o.seed <= 20; o.seed++) {
			memcpy(second, first, sizeof first);
			story_of(&o, first, sizeof first);
			differ += strcmp(first, second) != 0;
			free(malloc(o.seed * 999));
			story_of(&o, second, sizeof second);
			check(!strcmp(first, second));
		}
	}
	check(differ > 40);
}

/* As written by another run, on another machine. */
static void
stored_story(void)
{
	static char now[1 << 16], stored[1 << 16];
	struct wf_sim_options o = { .schedules = 1, .quiet = true };
	const char *update = getenv("WEFT_TEST_UPDATE");
	FILE *f;
	size_t n;

	o.seed = 42;
	n = story_of(&o, now, sizeof now);
	check(n > 500);
	if (update && (f = tap_open("story.txt", "w"))) {
		fwrite(now, 1, n, f);
		fclose(f);
	}
	if (!check((f = tap_open("story.txt", "r")) != NULL))
		return;
	stored[fread(stored, 1, sizeof stored - 1, f)] = '\0';
	fclose(f);
	check(!strcmp(now, stored));
}

int
main(void)
{
	tap_plain("the same story by the same seed", same_story);
	tap_plain("the story of another run", stored_story);
	return tap_end();
}
