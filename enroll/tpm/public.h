/* public.h - what a public key of a TPM is called: its kind, its Name, its digest. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/evp.h>

enum key_kind { KEY_RSA_2048, KEY_RSA_3072, KEY_RSA_4096, KEY_P256, KEY_P384, KEY_P521 };

/* "rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521". */
const char *key_kind_text(enum key_kind kind);

/*
 * Which kind of key this is. ERR_REJECTED "key-kind": another size or curve, explicit curve
 * parameters, or an RSA exponent that is not 65537.
 */
CHECKED enum err key_kind_of(EVP_PKEY *key, enum key_kind *out);

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
