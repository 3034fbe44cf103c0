/* crypt.h - the four primitives that the protocol is made of, as one-shot calls. */
#pragma once

#include "ca/base/buf.h"

#define SHA256_SIZE 32
#define AEAD_NONCE_SIZE 12
#define AEAD_TAG_SIZE 16

/* Cryptographically strong bytes; ERR_INTERNAL "random" when the system has none. */
CHECKED enum err random_bytes(uint8_t *out, size_t n);

/*
 * Two bytes for the day of `now` (seconds since 1970), then random ones; `n` is 2 or more. As a key in
 * a database: what comes on one day is written in one place of an index, however large that is.
 */
CHECKED enum err random_of_day(int64_t now, uint8_t *out, size_t n);

/* SHA-256 (FIPS 180-4) over the pieces in their order. */
CHECKED enum err sha256(const struct view *pieces, size_t n, uint8_t out[static SHA256_SIZE]);
#define SHA256_OF(out, ...)                                                                        \
	sha256((const struct view[]){__VA_ARGS__}, COUNT(((const struct view[]){__VA_ARGS__})), out)

/* HMAC-SHA-256 (RFC 2104) over the pieces in their order. */
CHECKED enum err hmac_sha256(const uint8_t key[static 32], const struct view *pieces, size_t n,
	uint8_t out[static SHA256_SIZE]);

/* HKDF-SHA-256 (RFC 5869), extract and expand, 32 bytes out. */
CHECKED enum err hkdf_sha256(
	struct view secret, struct view salt, struct view info, uint8_t out[static 32]);
/* Its two halves: many keys may be expanded from what was extracted once. */
CHECKED enum err hkdf_extract(struct view secret, struct view salt, uint8_t prk[static 32]);
CHECKED enum err hkdf_expand(
	const uint8_t prk[static 32], struct view info, uint8_t out[static 32]);

/* AES-256-GCM (SP 800-38D); appends ciphertext | tag to `out`. A nonce is used once for a key. */
CHECKED enum err aead_seal(const uint8_t key[static 32],
	const uint8_t nonce[static AEAD_NONCE_SIZE], struct view aad, struct view plain,
	struct buf *out);

/* The reverse; ERR_UNPROVEN "seal" when key, nonce, aad, ciphertext or tag do not belong together. */
CHECKED enum err aead_open(const uint8_t key[static 32],
	const uint8_t nonce[static AEAD_NONCE_SIZE], struct view aad, struct view sealed,
	struct buf *out);

#define SECRET_SIZE 32 /* of every key, token and secret of ours */

/* For AUTO on a key on the stack: `AUTO(key_wipe) struct secret_key key;` */
struct secret_key {
	uint8_t bytes[SECRET_SIZE];
};
void key_wipe(struct secret_key *key);
