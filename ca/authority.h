/* authority.h - a CA: its certificate, its key, and the certificates above it. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

struct authority;

/*
 * Loads a CA. `certificate` is a PEM file, the CA's own certificate first and at most three above it
 * after that, each the issuer of the one before (a root is not needed, and not handed out); the key
 * is one that key_save() wrote, of a kind that key_signs_with() knows. Certificate and key must
 * belong together, and the certificate must be a CA's that has not ended, with everything that
 * strict verifiers want of a CA. `*out` is the caller's, for authority_free(). ERR_INTERNAL
 * "ca-certificate", "ca-key", and those of key_load().
 */
CHECKED enum err authority_load(
	const char *certificate, const char *key, const char *passphrase, struct authority **out);
/* The same of a CA that issued once: its certificate may have ended. */
CHECKED enum err authority_load_former(
	const char *certificate, const char *key, const char *passphrase, struct authority **out);
void authority_free(struct authority **authority);

/* By what the records know a CA: SHA-256 over its SubjectPublicKeyInfo. SHA256_SIZE bytes, borrowed. */
const uint8_t *authority_id(const struct authority *authority);

X509 *authority_certificate(const struct authority *authority); /* borrowed */
EVP_PKEY *authority_key(const struct authority *authority); /* borrowed */
/* The CA's certificate and those above it, as DER; index from 0. Empty view beyond the last. */
struct view authority_chain(const struct authority *authority, size_t index);

/*
 * Do the name constraints of the CA's certificate, and of those above it in its file, permit the
 * names of a certificate that is being built (RFC 5280 4.2.1.10)? ERR_REJECTED
 * "ca-name-constraints".
 */
CHECKED enum err authority_permits(const struct authority *authority, X509 *cert);

/* Seconds since 1970 at which the CA's certificate begins, and ends. */
int64_t authority_not_before(const struct authority *authority);
int64_t authority_not_after(const struct authority *authority);

/* May the CA sign at `now`? ERR_BUSY "ca-not-valid-yet", "ca-expired". */
CHECKED enum err authority_judge(const struct authority *authority, int64_t now);
