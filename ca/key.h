/* key.h - CA keys: made, kept encrypted, loaded. */
#pragma once

#include "ca/grant.h"

#include <openssl/evp.h>

/* What a new CA's key can be. The first is what there is without a wish. */
enum key_type {
	KEY_TYPE_P256,
	KEY_TYPE_P384,
	KEY_TYPE_RSA2048,
	KEY_TYPE_RSA3072,
	KEY_TYPE_ED25519
};

/* The type that is named p256, p384, rsa2048, rsa3072 or ed25519; false for another name. */
bool key_type_read(const char *name, enum key_type *out);

/* A new key. `*out` is the caller's. ERR_INTERNAL "crypto". */
CHECKED enum err key_generate(enum key_type type, EVP_PKEY **out);

/*
 * The digest that a CA signs with by this key, NULL for a kind that takes none (RFC 8032):
 *
 *   RSA of 2048 to 4096 bits, exponent 65537   sha256WithRSAEncryption (PKCS#1 v1.5)
 *   P-256, P-384, P-521                        ecdsa-with-SHA256, -SHA384, -SHA512
 *   Ed25519                                    id-Ed25519
 *
 * False for any other key, also for one that is bound to RSA-PSS and for a curve that is spelled
 * out instead of named: there are verifiers that refuse what such a CA issues.
 */
bool key_signs_with(EVP_PKEY *key, const EVP_MD **digest);

/*
 * Writes the private key as encrypted PKCS#8 (RFC 5958, AES-256) with mode 0600, and the random
 * passphrase it made for it to a second file with mode 0600.
 */
CHECKED enum err key_save(EVP_PKEY *key, const char *path, const char *passphrase_path);

/*
 * Reads what key_save() wrote; both files must be closed to others. A key that is not encrypted is
 * refused. ERR_INTERNAL "ca-key", and the errors of file_read_secret().
 */
CHECKED enum err key_load(const char *path, const char *passphrase_path, EVP_PKEY **out);

/* A key's public half as a grant carries it; the bytes go to `bits`. ERR_REJECTED "key-kind". */
CHECKED enum err key_public(EVP_PKEY *key, struct buf *bits, struct grant_key *out);
/* And as a SubjectPublicKeyInfo: the one encoding that we have of a key. ERR_INTERNAL "crypto". */
CHECKED enum err key_spki(const struct grant_key *key, X509_PUBKEY *out);
