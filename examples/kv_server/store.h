/* SPDX-License-Identifier: MIT */
/*
 * store.h - keys and their values, some of which expire.
 *
 *	uint64_t shards = store_shard(store_hash(store, "k", 1));
 *
 *	store_lock(store, shards, true);
 *	e = store_add(store, "k", 1, hash);
 *	entry_set(e, "v", 1);
 *	store_unlock(store, shards, true);
 *
 * The keys are spread over 64 shards, each with its lock, so that a set of
 * shards is a word of bits.  Who needs several keys at one instant takes their
 * shards together: the lock of the lowest bit first, so that nobody waits in
 * a circle.
 *
 * Many read a shard, or one writes it.  All functions below store_unlock() are
 * for those who hold the lock of the key's shard.
 */
#ifndef STORE_H
#define STORE_H

#include <weft.h>
#include <uthash.h>

enum { SHARDS = 64 };
#define ALL_SHARDS UINT64_MAX

struct entry {
	UT_hash_handle hh;		/* in the map of its shard */
	struct entry *prev, *next;	/* in the queue of those that expire */
	int64_t expires;		/* ms since 1970; 0: never */
	char *value;
	size_t size, room;		/* of the value */
	char key[];			/* hh.keylen bytes */
};

struct shard {
	wf_rwmutex lock;
	struct entry *map;
	struct entry *mortal;		/* those that expire, to be looked at */
	uint64_t copied;		/* the last log rewrite it is in */
} __attribute__((aligned(64)));

struct store {
	uint64_t seed[2];		/* unknown to who chooses the keys */
	struct shard shards[SHARDS];
};

struct store *store_make(void);	/* NULL without memory */
void store_free(struct store *s);

/* The time by which entries expire. */
int64_t store_now(void);

uint64_t store_hash(const struct store *s, const void *key, size_t size);

static inline uint64_t
store_shard(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 58);
}

static inline struct shard *
store_shard_of(struct store *s, uint64_t hash)
{
	return &s->shards[hash >> 58];
}

void store_lock(struct store *s, uint64_t shards, bool write);
void store_unlock(struct store *s, uint64_t shards, bool write);

/* The entry of a key, or NULL.  It may have expired: entry_is_dead(). */
struct entry *store_find(struct store *s, const void *key, size_t size,
    uint64_t hash);

/* One for a key that has none, with an empty value; NULL without memory. */
struct entry *store_add(struct store *s, const void *key, size_t size,
    uint64_t hash);
void store_remove(struct shard *shard, struct entry *e);
void store_clear(struct shard *shard);

/* Make room for a value of so many bytes, the old ones kept; set it; set when
 * it expires.  False without memory. */
bool entry_reserve(struct entry *e, size_t size);
bool entry_set(struct entry *e, const void *value, size_t size);
void entry_expire(struct shard *shard, struct entry *e, int64_t expires);

static inline bool
entry_is_dead(const struct entry *e, int64_t now)
{
	return e->expires && e->expires <= now;
}

#endif
