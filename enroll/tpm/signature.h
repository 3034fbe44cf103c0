/* signature.h - a TPMT_SIGNATURE judged, or written as others write signatures. */
#pragma once

#include "enroll/tpm/public.h"

/*
 * What a signature must be by. Of `scheme` and `hash`, TPM2_ALG_IDs, 0 leaves free what the key
 * leaves free: RSASSA or RSAPSS, and any of SHA-256, SHA-384, SHA-512; nothing weaker ever.
 */
struct signature_wanted {
	EVP_PKEY *signer;
	uint16_t scheme, hash;
};

/*
 * Is the TPMT_SIGNATURE, read whole, one over `message` (TPM 2.0 Part 2, 11.3.4)? The salt of
 * RSAPSS may have any length: Part 1, B.7 leaves it to the TPM. ERR_MALFORMED "attest";
 * ERR_REJECTED "attest-signature".
 */
CHECKED enum err signature_judge(
	struct view signature, const struct signature_wanted *wanted, struct view message);

/*
 * Appends the TPMT_SIGNATURE as certificates have it (RFC 3279 2.2): RSA's bytes, or DER's pair of
 * ECDSA's numbers. ERR_MALFORMED "attest"; ERR_INTERNAL "crypto".
 */
CHECKED enum err signature_bytes(struct view signature, struct buf *out);
