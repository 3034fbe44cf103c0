/* authority.h - a CA: its certificate, its key, and the certificates above it. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

struct authority;

/*
 * Loads a CA. `certificate` is a PEM file, the CA's own certificate first and any intermediates
 * above it after that (no root is needed); the key is one that key_save() wrote. Certificate and
 * key must belong together, and the certificate must be a CA's that has not expired. `*out` is the
 * caller's. ERR_INTERNAL "ca-certificate", "ca-key", and the errors of file_read_secret().
 */
CHECKED enum err authority_load(
	const char *certificate, const char *key, const char *passphrase, struct authority **out);
void authority_free(struct authority **authority);

X509 *authority_certificate(const struct authority *authority); /* borrowed */
EVP_PKEY *authority_key(const struct authority *authority); /* borrowed */
/* The CA's certificate and those above it, as DER; index from 0. Empty view beyond the last. */
struct view authority_chain(const struct authority *authority, size_t index);

/* Seconds since 1970 at which the CA's certificate ends. */
int64_t authority_not_after(const struct authority *authority);
