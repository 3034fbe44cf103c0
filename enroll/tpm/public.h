/* public.h - what a public key of a TPM is called: its Name, its digest. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/trust/keykind.h"

#define TPM_NAME_MAX (2 + 64)

/* The Name of a key: nameAlg (big endian) | H(TPMT_PUBLIC). TPM 2.0 Part 1, 16. */
struct tpm_name {
	uint8_t bytes[TPM_NAME_MAX];
	size_t n;
};

/*
 * SHA-256 over the key's SubjectPublicKeyInfo as we encode it, whatever the received bytes were:
 * rsaEncryption with NULL, or a named curve and the uncompressed point. The one name of an EK.
 */
CHECKED enum err spki_sha256(EVP_PKEY *key, uint8_t out[static 32]);

/*
 * The key of a TPM2B_PUBLIC, whatever it may be used for. `*out` is the caller's, for pkey_free().
 * ERR_MALFORMED "tpm-public"; ERR_REJECTED "ak-key".
 */
CHECKED enum err public_key_read(struct view tpm2b, EVP_PKEY **out);
