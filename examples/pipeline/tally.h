/* SPDX-License-Identifier: MIT */
/*
 * tally.h - how often each word was seen.  A zeroed tally is empty and ready.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stddef.h>

struct tally_entry {
	char *word;		/* NULL: this place is free */
	unsigned long count;
};

struct tally {
	struct tally_entry *entries;
	size_t used, room;	/* room is 0 or a power of two */
};

/* Count a word from malloc().  0: the word now belongs to the tally; or
 * -ENOMEM: it does not. */
int tally_add(struct tally *t, char *word);

/* Sort: the most frequent words first, equally frequent ones by name.  They
 * are then entries[0] to entries[used - 1], and nothing more can be added. */
void tally_sort(struct tally *t);

/* Free the words and the room for them. */
void tally_free(struct tally *t);

#endif
