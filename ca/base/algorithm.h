/* algorithm.h - OpenSSL's digests, ciphers and HMAC, looked up once: each EVP_sha256() that is handed
 * to OpenSSL is looked up by its name at every use, under locks that all threads share. */
#pragma once

#include "ca/base/err.h"
#include "ca/base/mem.h"

#include <openssl/evp.h>

/*
 * Never NULL, never freed by the caller, and good from any thread. Where OpenSSL cannot give one, which is
 * told by the call that it is used in, what EVP_sha256() and its like give.
 */
const EVP_MD *algorithm_sha256(void);
const EVP_MD *algorithm_sha384(void);
const EVP_MD *algorithm_sha512(void);
const EVP_CIPHER *algorithm_aes_256_gcm(void);
const EVP_CIPHER *algorithm_aes_128_cfb(void);
const EVP_CIPHER *algorithm_aes_256_cfb(void);

/* HMAC (RFC 2104) with one of these digests, over the pieces in their order. ERR_INTERNAL "crypto". */
CHECKED enum err algorithm_hmac(const EVP_MD *md, struct view key, const struct view *pieces,
	size_t n, uint8_t out[static EVP_MAX_MD_SIZE], size_t *out_n);
