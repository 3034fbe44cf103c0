/* authority.h - a CA, or whom it certifies, as good or as bad as a test wants it. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

/* Zeroes: a P-256 CA that signs itself, good for ten years. */
struct authority_wish {
	const char *organization, *name; /* organization NULL: "Example" */
	const struct authority *issuer; /* NULL: itself */
	bool is_leaf;
	const char *extended_key_usage; /* NULL: none */
	int64_t not_after; /* 0: in ten years */
	const EVP_MD *md; /* NULL: SHA-256 */
};

struct authority {
	EVP_PKEY *key;
	X509 *certificate;
};
void authority_make(const struct authority_wish *wish, struct authority *out);
void authority_free(struct authority *authority); /* for AUTO */

/* Appends the DER. */
void authority_der(const struct authority *authority, struct buf *out);
/* Writes the certificate as PEM, and the key too where `key` is a path. */
void authority_write(const struct authority *authority, const char *certificate, const char *key);
/* Its SHA-256; 65 bytes. */
void authority_sha256(const struct authority *authority, char *out);
/* Writes an empty CRL of it as DER. */
void authority_write_crl(const struct authority *authority, const char *path);
