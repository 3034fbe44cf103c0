/* key.h - a key in the software TPM: its public area, and the private half that a TPM keeps. */
#pragma once

#include "tests/softtpm/area.h"

/* A primary key of the endorsement hierarchy. May be used by any number of threads at once. */
struct soft_key {
	EVP_PKEY *pkey;
	/* Of an EK without `pkey`, borrowed: SOFT_PRIMES numbers of 8 bytes as this machine has them, or a scalar
	 * (secret.h). */
	struct view secret;
	TPM2B_PUBLIC public;
	TPM2B_NAME name; /* TPM 2.0 Part 1, 16 */
	TPM2B_NAME qualified_name; /* Part 1, 16: over the hierarchy's handle and the Name */
};

/*
 * Makes a key of what `area` says but for its `unique`. `pkey` is the key to take (it is shared,
 * not copied) or NULL for a new one; a new P-256 key takes some 20 microseconds, RSA its time.
 * False when area and key do not fit. `out` is for soft_key_free(), also then.
 */
bool soft_key_make(const TPMT_PUBLIC *area, EVP_PKEY *pkey, struct soft_key *out);
void soft_key_free(struct soft_key *key);

bool soft_ek_make(enum soft_ek ek, EVP_PKEY *pkey, struct soft_key *out);
bool soft_ak_make(enum soft_ak ak, const char *service, EVP_PKEY *pkey, struct soft_key *out);

/*
 * A key of which only the public half is known so far: `area` with its `unique`. `pkey` stays NULL
 * for the caller to set: what needs a private half needs it, or an EK's `secret`.
 */
bool soft_key_know(const TPMT_PUBLIC *area, struct soft_key *out);

/* Gives a known ECC key its private half, a scalar as wide as the field, which is not compared with its point. */
bool soft_key_scalar(struct soft_key *key, struct view scalar);

/* A new key pair that fits an area; NULL when there is none. For EVP_PKEY_free(). */
EVP_PKEY *soft_pkey(const TPMT_PUBLIC *area);

/* Appends the TPM2B_PUBLIC. */
bool soft_key_public(const struct soft_key *key, struct buf *out);
