/* witness.h - an AK of the software TPM, a key beside it, and what the one says of the other. */
#pragma once

#include "enroll/tpm/certified.h"
#include "tests/softtpm/attest.h"

/* What a TPM holds: judged AK, and keys as TPM2_Create makes them for TLS. */
struct witness {
	struct soft_key signer; /* the AK */
	struct ak *ak;
	struct soft_key key;
};

/* The key is RSA-2048 or P-256. */
void witness_make(enum soft_ak ak, bool is_rsa, struct witness *out);
void witness_free(struct witness *witness);

/* What crosses the wire. */
struct testimony {
	struct buf public, attest, signature; /* TPM2B_PUBLIC, TPM2B_ATTEST, TPMT_SIGNATURE */
};
void testimony_free(struct testimony *testimony); /* for AUTO */
struct certify_evidence testimony_view(const struct testimony *testimony);

/* The statement of `signer` about `key`. */
void testify(const struct soft_key *signer, const struct soft_key *key, struct view extra,
	struct testimony *out);
/* Any statement, signed by `signer`; `key` is whose public area goes with it. */
void testify_of(const struct soft_key *signer, const struct soft_key *key,
	const TPMS_ATTEST *attest, struct testimony *out);
/* The statement that `signer` would make of `key`, to be altered before testify_of(). */
void statement_of(const struct soft_key *signer, const struct soft_key *key, struct view extra,
	TPMS_ATTEST *out);
