/* krl.h - the OpenSSH KRL as the database has it, and what the next one has to say. */
#pragma once

#include "ca/base/buf.h"
#include "db/pool.h"

#define KRL_DEVICES_MAX 10000

/* An OpenSSH CA, or a certificate whose CA is not recorded. */
struct krl_entry {
	struct buf blob; /* public key of the CA, or the certificate */
	struct buf serials; /* 8 bytes each, ascending */
};

struct krl_list {
	struct krl_entry *entries;
	size_t n;
};

struct krl_facts {
	int64_t changed; /* as it was before anything else was read */
	int64_t number; /* of the list that is published; 0: none */
	struct krl_list issuers; /* what each CA takes back */
	struct krl_list nameless; /* certificates with one serial each */
	struct krl_list revoked; /* CAs that are revoked themselves; without serials */
	struct buf devices; /* ids of revoked devices, 16 bytes each */
};
void krl_facts_free(struct krl_facts *facts); /* for AUTO; accepts zeroes */

/* Has anything changed since the list was published, or is it not younger than `before`? Cheap. */
CHECKED enum err krl_is_due(struct db *db, int64_t before, bool *is_due);

/*
 * What is revoked, of certificates that end after `ended`. Of devices no more than KRL_DEVICES_MAX,
 * those that were revoked last: all their certificates are among the serials anyway. `*out` is the
 * caller's, for krl_facts_free(), also after a failure.
 */
CHECKED enum err krl_read(struct db *db, int64_t ended, struct krl_facts *out);

/* A list that was made of what krl_read() found. */
struct krl_made {
	int64_t changed; /* as in the facts */
	int64_t before; /* number of the facts */
	int64_t number; /* of this one; greater */
	int64_t at;
	struct view bytes, signature;
};
/* `*published` is false when another server was faster. */
CHECKED enum err krl_publish(struct db *db, const struct krl_made *made, bool *published);

/* Appends the list and the signature beside it; both stay empty while there is none. NULL: not wanted. */
CHECKED enum err krl_fetch(struct db *db, struct buf *bytes, struct buf *signature);
