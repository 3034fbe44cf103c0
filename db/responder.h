/* responder.h - the certificates that OCSP answers are signed with, recorded before they sign. */
#pragma once

#include "ca/base/mem.h"
#include "db/pool.h"

struct responder_record {
	struct view serial, der;
	const uint8_t *issuer; /* 32 bytes, the CA's id */
	int64_t not_before, not_after, now; /* seconds since 1970 */
};

/* Records it, once. Errors of db_run(). */
CHECKED enum err responder_record(struct db *db, const struct responder_record *record);
