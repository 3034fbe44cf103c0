/* attest.h - what an AK says of its TPM: TPM2_Certify and TPM2_Quote (TPM 2.0 Part 3, 18). */
#pragma once

#include "tests/softtpm/key.h"
#include "tests/softtpm/pcr.h"

/* When it is said: the TPM's clock and counters, and its firmware. */
struct soft_moment {
	TPMS_CLOCK_INFO clock;
	UINT64 firmware;
};
extern const struct soft_moment soft_moment_now; /* for who does not care when */

/* A TPMS_ATTEST as bytes, and the signature over them. */
struct soft_attest {
	TPM2B_ATTEST attested;
	TPMT_SIGNATURE signature;
};

/*
 * `extra` is the qualifying data of the caller, at most 64 bytes. False for a signer that is no
 * restricted signing key, or has no scheme.
 */
bool soft_certify(const struct soft_key *signer, const struct soft_key *object, struct view extra,
	const struct soft_moment *moment, struct soft_attest *out);

/* Over the PCRs whose bits are set in `selected`, bit 0 for PCR 0. */
bool soft_quote(const struct soft_key *signer, const struct soft_pcrs *pcrs, uint32_t selected,
	struct view extra, const struct soft_moment *moment, struct soft_attest *out);

/*
 * TPM2_Hash and then TPM2_Sign, as a restricted key signs what comes from outside (TPM 2.0 Part 1, 25.3): false for a message
 * that begins as the TPM's own statements do, for which TPM2_Hash gives no leave.
 */
bool soft_hash_sign(const struct soft_key *signer, struct view message, TPMT_SIGNATURE *out);

/* Appends the bytes of a signature. */
bool soft_signature_bytes(const TPMT_SIGNATURE *signature, struct buf *out);

/* Appends what a statement is on the wire, TPM2B_ATTEST and TPMT_SIGNATURE. */
bool soft_attest_bytes(const struct soft_attest *made, struct buf *attest, struct buf *signature);

/* Signs any TPMS_ATTEST, also one that a TPM would not make. */
bool soft_sign(const struct soft_key *signer, const TPMS_ATTEST *attest, struct soft_attest *out);
