/* keykind.h - the kinds of public keys that EKs, AKs and their CAs may have. */
#pragma once

#include "ca/base/err.h"

#include <openssl/evp.h>

enum key_kind { KEY_RSA_2048, KEY_RSA_3072, KEY_RSA_4096, KEY_P256, KEY_P384, KEY_P521 };
#define KEY_KINDS (KEY_P521 + 1)

/* "rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521". */
const char *key_kind_text(enum key_kind kind);
int key_kind_bits(enum key_kind kind); /* of the modulus or the field */
const char *key_kind_group(enum key_kind kind); /* OpenSSL's name of the curve; NULL for RSA */

/*
 * Which kind of key this is. ERR_REJECTED "key-kind": another size or curve, explicit curve
 * parameters, or an RSA exponent that is not 65537.
 */
CHECKED enum err key_kind_of(EVP_PKEY *key, enum key_kind *out);
