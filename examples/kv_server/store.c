/* SPDX-License-Identifier: MIT */
/*
 * store.c - the shards, and the entries in them.
 *
 * Each shard is a hash map of uthash and a queue of its mortal entries.  The
 * upper six bits of a key's hash choose the shard, the lower half is the hash
 * within it.  The hash is SipHash-1-3 under a random seed: without that,
 * somebody could choose keys that all fall into one bucket.
 */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(e) ((e)->hh.tbl = NULL)

#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <utlist.h>

/* Chains of half the length, for a little memory: most of the time that a GET
 * takes it waits for these. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 6U

struct store *
store_make(void)
{
	struct store *s = aligned_alloc(64, sizeof *s);

	if (!s)
		return NULL;
	memset(s, 0, sizeof *s);
	if (getrandom(s->seed, sizeof s->seed, 0) < 0)
		s->seed[0] = (uint64_t)wf_now();	/* an old kernel */
	return s;
}

void
store_free(struct store *s)
{
	for (int i = 0; s && i < SHARDS; i++)
		store_clear(&s->shards[i]);
	free(s);
}

int64_t
store_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the hash ---- */

static uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t
store_hash(const struct store *s, const void *key, size_t size)
{
	const unsigned char *from = key;
	uint64_t v[4] = { s->seed[0] ^ UINT64_C(0x736f6d6570736575),
	    s->seed[1] ^ UINT64_C(0x646f72616e646f6d),
	    s->seed[0] ^ UINT64_C(0x6c7967656e657261),
	    s->seed[1] ^ UINT64_C(0x7465646279746573) };
	uint64_t m, last = (uint64_t)size << 56;
	size_t i;

	for (i = 0; i + 8 <= size; i += 8) {
		memcpy(&m, from + i, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	for (; i < size; i++)
		last |= (uint64_t)from[i] << i % 8 * 8;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- locks ---- */

void
store_lock(struct store *s, uint64_t shards, bool write)
{
	for (; shards; shards &= shards - 1) {
		wf_rwmutex *lock = &s->shards[__builtin_ctzll(shards)].lock;

		if (write)
			wf_rwmutex_lock(lock);
		else
			wf_rwmutex_read_lock(lock);
	}
}

void
store_unlock(struct store *s, uint64_t shards, bool write)
{
	for (; shards; shards &= shards - 1) {
		wf_rwmutex *lock = &s->shards[__builtin_ctzll(shards)].lock;

		if (write)
			wf_rwmutex_unlock(lock);
		else
			wf_rwmutex_read_unlock(lock);
	}
}

/* ---- entries ---- */

struct entry *
store_find(struct store *s, const void *key, size_t size, uint64_t hash)
{
	struct entry *e;

	HASH_FIND_BYHASHVALUE(hh, store_shard_of(s, hash)->map, key, size,
	    (unsigned)hash, e);
	return e;
}

struct entry *
store_add(struct store *s, const void *key, size_t size, uint64_t hash)
{
	struct shard *shard = store_shard_of(s, hash);
	struct entry *e = malloc(sizeof *e + size);

	if (!e)
		return NULL;
	memset(e, 0, sizeof *e);
	memcpy(e->key, key, size);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, shard->map, e->key, size,
	    (unsigned)hash, e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	return e;
}

static void
free_entry(struct entry *e)
{
	free(e->value);
	free(e);
}

void
store_remove(struct shard *shard, struct entry *e)
{
	if (e->expires)
		DL_DELETE(shard->mortal, e);
	HASH_DEL(shard->map, e);
	free_entry(e);
}

void
store_clear(struct shard *shard)
{
	struct entry *next = shard->map, *e;

	HASH_CLEAR(hh, shard->map);	/* the entries and their links stay */
	shard->mortal = NULL;
	while ((e = next)) {
		next = e->hh.next;
		free_entry(e);
	}
}

bool
entry_reserve(struct entry *e, size_t size)
{
	char *value;

	if (e->value && size <= e->room && size >= e->room / 4)
		return true;
	value = realloc(e->value, size ? size : 1);
	if (!value)
		return false;
	e->value = value;
	e->room = size;
	return true;
}

bool
entry_set(struct entry *e, const void *value, size_t size)
{
	if (!entry_reserve(e, size))
		return false;
	memcpy(e->value, value, size);
	e->size = size;
	return true;
}

void
entry_expire(struct shard *shard, struct entry *e, int64_t expires)
{
	if (e->expires && !expires)
		DL_DELETE(shard->mortal, e);
	else if (!e->expires && expires)
		DL_APPEND(shard->mortal, e);
	e->expires = expires;
}
