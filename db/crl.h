/* crl.h - the shards of the CRL: what is in each, and what was published of it last. */
#pragma once

#include "ca/base/buf.h"
#include "ca/base/revoked.h"
#include "db/pool.h"

#define CRL_ISSUER_SIZE 32
#define CRL_DUE_MAX 64
#define CRL_BASE_MAX 256 /* bytes, with the NUL */
#define CRL_DER_MAX (16 * 1024 * 1024)

/* Which one. */
struct crl_key {
	uint8_t issuer[CRL_ISSUER_SIZE]; /* the CA's id */
	int64_t shard;
};

/* Those that are to be made. */
struct crl_due {
	struct crl_key keys[CRL_DUE_MAX];
	size_t n;
};

/*
 * Shards of one CA in which something has changed since they were published, or that never were; in no
 * order, so that several servers seldom take the same ones. Where there are none: those whose CRL says
 * that its next update is before `remake_before`, the nearest first. Errors of db_run().
 */
CHECKED enum err crl_find_due(struct db *db, const uint8_t issuer[static CRL_ISSUER_SIZE],
	int64_t remake_before, struct crl_due *out);

/* What the next CRL of a shard is made of. Free with crl_work_free(). */
struct crl_work {
	bool is_there; /* nothing else is set when it is not */
	/*
	 * Nothing has changed, no place of it will be drawn any more, and all that it could list has
	 * ended before `keep_since`: nobody asks for it, see crl_forget().
	 */
	bool is_over;
	int64_t changed; /* for crl_publish() */
	int64_t before; /* the number of the CRL that is there; 0: none */
	int64_t number; /* of the next one: it only grows, also in a database that was restored */
	char base[CRL_BASE_MAX]; /* what its URL begins with */
	struct revoked *entries;
	size_t n;
};
void crl_work_free(struct crl_work *work);

/*
 * Reads that. An entry stays until the certificate's end is before `keep_since` (seconds since 1970)
 * and before the CRL that is there, so that it was in one after that end (RFC 5280 3.3). Errors of
 * db_run().
 */
CHECKED enum err crl_look(
	struct db *db, const struct crl_key *key, int64_t keep_since, struct crl_work *out);

/* A CRL of a shard. */
struct crl_made {
	const struct crl_work *of; /* what it was made of */
	int64_t this_update, next_update; /* seconds since 1970 */
	struct view der;
};

/*
 * Puts it in the place of the one that was there as its work was read. `*is_ours` is false when
 * somebody else was faster: then it is nobody's, and must be shown to nobody. Errors of db_run().
 */
CHECKED enum err crl_publish(
	struct db *db, const struct crl_key *key, const struct crl_made *made, bool *is_ours);

/* Takes a shard that is over out of the records, unless something of it was revoked meanwhile. */
CHECKED enum err crl_forget(struct db *db, const struct crl_key *key, const struct crl_work *work);

/* What is known of a shard. */
struct crl_row {
	struct crl_key key;
	int64_t number, this_update, next_update, bytes; /* of what was published; 0: nothing */
	bool is_behind; /* something has changed since */
};
/*
 * Up to `limit` of them behind `after`, by issuer and number; NULL: from the first one. `*rows` is for
 * free(). Errors of db_run().
 */
CHECKED enum err crl_list(
	struct db *db, const struct crl_key *after, size_t limit, struct crl_row **rows, size_t *n);

/* One that was published. Free `der`. */
struct crl_published {
	struct crl_key key; /* the whole of it */
	bool is_there; /* there is such a shard; without a number nothing was published of it yet */
	int64_t number, next_update; /* 0: none */
	struct buf der;
};
/* By the first 8 bytes of the CA's id, as URLs have it. Errors of db_run(). */
CHECKED enum err crl_fetch(
	struct db *db, const uint8_t short_id[static 8], int64_t shard, struct crl_published *out);
