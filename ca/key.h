/* key.h - CA keys: made, kept encrypted, loaded. */
#pragma once

#include "ca/grant.h"

#include <openssl/evp.h>

/* A new P-256 key. */
CHECKED enum err key_generate(EVP_PKEY **out);

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
