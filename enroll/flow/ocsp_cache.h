/* ocsp_cache.h - signed OCSP answers that are given again: a bounded number of bytes, the ones that
 * were asked for longest ago go first. */
#pragma once

#include "ca/base/buf.h"

struct ocsp_cache; /* safe from any thread */

#define OCSP_ETAG_SIZE 65

/* One answer as it goes out, and what it says. */
struct ocsp_reply {
	struct buf der;
	int64_t this_update,
		next_update; /* seconds since 1970; 0: it says nothing about any time */
	/* Somebody else may be given the same; otherwise it is for this request alone. */
	bool is_for_all;
	char etag[OCSP_ETAG_SIZE]; /* the SHA-256 of `der`, where it is for all */
	bool is_revoked;
	int64_t revoked_at;
	unsigned reason;
};
void ocsp_reply_free(struct ocsp_reply *reply); /* for AUTO; accepts zeroes */

/* For at most so many bytes, entries and all. `*out` is the caller's, for ocsp_cache_free(). */
CHECKED enum err ocsp_cache_make(size_t bytes, struct ocsp_cache **out);
void ocsp_cache_free(struct ocsp_cache **cache);

enum ocsp_found {
	OCSP_FOUND_NONE,
	OCSP_FOUND, /* good as it is */
	OCSP_FOUND_OLD, /* good if nothing has changed for this certificate */
};

/*
 * Looks an answer up by `key`, and copies it into `out` (in which nothing is) when there is one. It has
 * half of its time left at `now`, at least, or is none; OCSP_FOUND when it was made or confirmed at
 * `revision` of the records. OCSP_FOUND_NONE also when there is no memory.
 */
enum ocsp_found ocsp_cache_find(struct ocsp_cache *cache, struct view key, int64_t revision,
	int64_t now, struct ocsp_reply *out);

/* Keeps a copy, in place of what the key had; where it finds no memory, nothing. */
void ocsp_cache_put(struct ocsp_cache *cache, struct view key, int64_t revision,
	const struct ocsp_reply *reply);
/* This answer, if it is still there, says what is so at this revision too. */
void ocsp_cache_confirm(struct ocsp_cache *cache, struct view key, int64_t revision,
	const struct ocsp_reply *reply);

void ocsp_cache_size(struct ocsp_cache *cache, size_t *entries, size_t *bytes);
