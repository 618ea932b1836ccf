/* SPDX-License-Identifier: MIT */
/*
 * tally.c - how often each word was seen: a hash table with linear probing,
 * at most three quarters full.
 */
#include "tally.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The hash of a word (FNV-1a). */
static size_t
hash(const char *word)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	while (*word)
		h = (h ^ (unsigned char)*word++) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 32);
}

/* The place of a word, or the free one where it belongs. */
static struct tally_entry *
find(const struct tally *t, const char *word)
{
	size_t i = hash(word);

	while (t->entries[i & (t->room - 1)].word &&
	    strcmp(t->entries[i & (t->room - 1)].word, word) != 0)
		i++;
	return &t->entries[i & (t->room - 1)];
}

static int
grow(struct tally *t)
{
	struct tally bigger = { .used = t->used };

	bigger.room = t->room ? 2 * t->room : 1024;
	bigger.entries = calloc(bigger.room, sizeof *bigger.entries);
	if (!bigger.entries)
		return -ENOMEM;
	for (size_t i = 0; i < t->room; i++)
		if (t->entries[i].word)
			*find(&bigger, t->entries[i].word) = t->entries[i];
	free(t->entries);
	*t = bigger;
	return 0;
}

int
tally_add(struct tally *t, char *word)
{
	struct tally_entry *e;

	if (t->used >= t->room / 4 * 3 && grow(t) < 0)
		return -ENOMEM;
	e = find(t, word);
	if (e->word) {
		free(word);
	} else {
		e->word = word;
		t->used++;
	}
	e->count++;
	return 0;
}

static int
compare(const void *left, const void *right)
{
	const struct tally_entry *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return strcmp(a->word, b->word);
}

void
tally_sort(struct tally *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->room; i++) {
		struct tally_entry e = t->entries[i];

		t->entries[i] = (struct tally_entry){0};
		if (e.word)
			t->entries[n++] = e;
	}
	if (n)
		qsort(t->entries, n, sizeof *t->entries, compare);
}

void
tally_free(struct tally *t)
{
	for (size_t i = 0; i < t->room; i++)
		free(t->entries[i].word);
	free(t->entries);
	*t = (struct tally){0};
}
