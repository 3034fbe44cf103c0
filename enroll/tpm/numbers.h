/* numbers.h - a public key as the numbers that it is, taken out of OpenSSL once for all that is made of them. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/trust/keykind.h"

struct key_numbers {
	enum key_kind kind; /* and so the exponent of RSA, which is 65537, or the curve */
	size_t width; /* of each number below, in bytes, by the kind */
	uint8_t first[512]; /* the modulus, or x */
	uint8_t second[66]; /* y */
};

/* ERR_REJECTED "key-kind" as key_kind_of(). */
CHECKED enum err key_numbers_of(EVP_PKEY *key, struct key_numbers *out);
/*
 * Out of a SubjectPublicKeyInfo that is encoded as spki_sha256() would encode it; false for any other, which may be a
 * good key all the same. Whether a point is on its curve is not looked at.
 */
bool key_numbers_read(struct view spki, struct key_numbers *out);
bool key_numbers_are_rsa(const struct key_numbers *numbers);

/* What spki_sha256() is of that key. */
CHECKED enum err key_numbers_sha256(const struct key_numbers *numbers, uint8_t out[static 32]);
