/* notary.h - certificates for the floor: the edge's, and a manufacturer's with one EK. */
#pragma once

#include "ca/base/ossl.h"
#include "tests/bench/endorse-bench/floor/part.h"

/* What a certificate says; `signer` NULL: it signs itself. */
struct paper {
	const char *common_name; /* NULL: an empty subject */
	EVP_PKEY *key;
	X509 *issuer; /* NULL: itself */
	EVP_PKEY *signer;
	/* Extensions as OpenSSL's configuration has them (x509v3_config(5)), in a section [ext]. */
	const char *extensions;
};

/* Signs by SHA-256. `*out` is the caller's. ERR_INTERNAL "floor-openssl". */
CHECKED enum err notary_certify(const struct paper *paper, X509 **out);
/* The same of a CA. */
CHECKED enum err notary_authority(
	const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *signer, X509 **out);

/* An RSA-2048 EK of a manufacturer with RSA-2048 keys, as most are. */
struct notary_ek {
	X509 *root, *intermediate;
	EVP_PKEY *key;
	uint8_t *der; /* OPENSSL_free() */
	int der_n;
};
CHECKED enum err notary_ek(struct notary_ek *out);
void notary_ek_free(struct notary_ek *ek);
