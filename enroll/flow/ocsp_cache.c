#include "enroll/flow/ocsp_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *same_bucket;
	struct entry *newer, *older;
	int64_t revision;
	struct ocsp_reply reply; /* its bytes lie behind the key */
	size_t key_n, size;
	uint8_t key[];
};

struct ocsp_cache {
	pthread_mutex_t lock; /* over all that changes */
	size_t limit, bytes, n;
	struct entry *newest, *oldest;
	size_t mask; /* the number of buckets, a power of two, less one */
	struct entry *buckets[];
};

#define ENTRY_USUAL 2048 /* bytes of one */

void ocsp_reply_free(struct ocsp_reply *reply)
{
	buf_free(&reply->der);
}

enum err ocsp_cache_make(size_t bytes, struct ocsp_cache **out)
{
	struct ocsp_cache *cache;
	size_t buckets = 1;

	while (buckets * ENTRY_USUAL < bytes)
		buckets *= 2;
	cache = calloc(1, sizeof(*cache) + buckets * sizeof(struct entry *));
	if (cache == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "ocsp_cache_make");
	pthread_mutex_init(&cache->lock, NULL);
	cache->limit = bytes;
	cache->mask = buckets - 1;
	*out = cache;
	return OK;
}

/* FNV-1a. Serial numbers that are kept are ours, and random: nobody fills a bucket on purpose. */
static struct entry **bucket_of(struct ocsp_cache *cache, struct view key)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < key.n; i++)
		hash = (hash ^ key.p[i]) * 1099511628211u;
	return &cache->buckets[(hash ^ hash >> 32) & cache->mask];
}

static struct view key_of(const struct entry *entry)
{
	return (struct view){entry->key, entry->key_n};
}

/* Where the pointer to it is, or to NULL where it would be. */
static struct entry **find(struct ocsp_cache *cache, struct view key)
{
	struct entry **at = bucket_of(cache, key);

	while (*at != NULL && !view_equal(key_of(*at), key))
		at = &(*at)->same_bucket;
	return at;
}

static void unlink_age(struct ocsp_cache *cache, struct entry *entry)
{
	*(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
	*(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct ocsp_cache *cache, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	*(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
	cache->newest = entry;
}

static void drop(struct ocsp_cache *cache, struct entry **at)
{
	struct entry *entry = *at;

	*at = entry->same_bucket;
	unlink_age(cache, entry);
	cache->bytes -= entry->size;
	cache->n--;
	free(entry);
}

void ocsp_cache_free(struct ocsp_cache **cache)
{
	if (*cache == NULL)
		return;
	while ((*cache)->oldest != NULL)
		drop(*cache, find(*cache, key_of((*cache)->oldest)));
	pthread_mutex_destroy(&(*cache)->lock);
	free(*cache);
	*cache = NULL;
}

/* Whoever is given an answer has as much time as it has been here, at least. */
static bool is_fresh(const struct ocsp_reply *reply, int64_t now)
{
	return now >= reply->this_update &&
	       now - reply->this_update < (reply->next_update - reply->this_update) / 2;
}

/* Under the lock. */
static enum ocsp_found look(struct ocsp_cache *cache, struct view key, int64_t revision,
	int64_t now, struct ocsp_reply *out)
{
	struct entry *entry = *find(cache, key);
	struct buf der;

	if (entry == NULL || !is_fresh(&entry->reply, now))
		return OCSP_FOUND_NONE;
	der = BUF(entry->reply.der.n);
	buf_add(&der, buf_view(&entry->reply.der));
	if (buf_ok(&der) != OK)
		return OCSP_FOUND_NONE;
	*out = entry->reply;
	out->der = der;
	unlink_age(cache, entry);
	link_newest(cache, entry);
	return entry->revision == revision ? OCSP_FOUND : OCSP_FOUND_OLD;
}

enum ocsp_found ocsp_cache_find(struct ocsp_cache *cache, struct view key, int64_t revision,
	int64_t now, struct ocsp_reply *out)
{
	enum ocsp_found found;

	pthread_mutex_lock(&cache->lock);
	found = look(cache, key, revision, now, out);
	pthread_mutex_unlock(&cache->lock);
	return found;
}

static struct entry *make(struct view key, int64_t revision, const struct ocsp_reply *reply)
{
	size_t size = sizeof(struct entry) + key.n + reply->der.n;
	struct entry *entry = malloc(size);

	if (entry == NULL)
		return NULL;
	*entry =
		(struct entry){.revision = revision, .reply = *reply, .key_n = key.n, .size = size};
	memcpy(entry->key, key.p, key.n);
	entry->reply.der = (struct buf){.p = entry->key + key.n, .n = reply->der.n};
	memcpy(entry->reply.der.p, reply->der.p, reply->der.n);
	return entry;
}

void ocsp_cache_put(
	struct ocsp_cache *cache, struct view key, int64_t revision, const struct ocsp_reply *reply)
{
	struct entry *entry = make(key, revision, reply), **at;

	if (entry == NULL)
		return;
	pthread_mutex_lock(&cache->lock);
	if (*(at = find(cache, key)) != NULL)
		drop(cache, at);
	at = bucket_of(cache, key);
	entry->same_bucket = *at;
	*at = entry;
	link_newest(cache, entry);
	cache->bytes += entry->size;
	cache->n++;
	while (cache->bytes > cache->limit)
		drop(cache, find(cache, key_of(cache->oldest)));
	pthread_mutex_unlock(&cache->lock);
}

void ocsp_cache_confirm(
	struct ocsp_cache *cache, struct view key, int64_t revision, const struct ocsp_reply *reply)
{
	struct entry *entry;

	pthread_mutex_lock(&cache->lock);
	entry = *find(cache, key);
	if (entry != NULL && entry->revision < revision &&
		strcmp(entry->reply.etag, reply->etag) == 0)
		entry->revision = revision;
	pthread_mutex_unlock(&cache->lock);
}

void ocsp_cache_size(struct ocsp_cache *cache, size_t *entries, size_t *bytes)
{
	pthread_mutex_lock(&cache->lock);
	*entries = cache->n;
	*bytes = cache->bytes;
	pthread_mutex_unlock(&cache->lock);
}
