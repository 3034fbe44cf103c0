/* notary.h - a CA, or whom it certifies, as good or as bad as a test wants it. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

/* Zeroes: a P-256 CA that signs itself, good for ten years. */
struct notary_wish {
	const char *organization, *name; /* organization NULL: "Example" */
	const struct notary *issuer; /* NULL: itself */
	bool is_leaf;
	const char *extended_key_usage; /* NULL: none */
	int64_t not_after; /* 0: in ten years */
	const EVP_MD *md; /* NULL: SHA-256 */
};

struct notary {
	EVP_PKEY *key;
	X509 *certificate;
};
void notary_make(const struct notary_wish *wish, struct notary *out);
void notary_free(struct notary *notary); /* for AUTO */

/* Appends the DER. */
void notary_der(const struct notary *notary, struct buf *out);
/* Writes the certificate as PEM, and the key too where `key` is a path. */
void notary_write(const struct notary *notary, const char *certificate, const char *key);
/* Its SHA-256; 65 bytes. */
void notary_sha256(const struct notary *notary, char *out);
/* Writes an empty CRL of it as DER. */
void notary_write_crl(const struct notary *notary, const char *path);
