/* mac.h - HMAC-SHA-256 with all that can be kept, kept. */
#pragma once

#include "ca/base/mem.h"
#include "tests/bench/endorse-bench/floor/part.h"

#include <openssl/evp.h>

struct mac {
	EVP_MAC *algorithm;
	EVP_MAC_CTX *ctx;
};

CHECKED enum err mac_make(struct mac *out);
void mac_free(struct mac *mac);
/* Over the pieces in their order. */
bool mac_of(struct mac *mac, const uint8_t key[static 32], const struct view *pieces, size_t n,
	uint8_t out[static 32]);
/* HKDF (RFC 5869), extract and expand; `salt` has 32 bytes. */
bool mac_hkdf(struct mac *mac, const uint8_t secret[static 32], const uint8_t salt[static 32],
	struct view info, uint8_t out[static 32]);
