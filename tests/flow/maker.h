/* maker.h - a TPM manufacturer: a root, an intermediate, and certificates for EKs. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

/*
 * P-384 keys. In `dir`: roots/root.pem and intermediates/intermediate.pem, as a trust set takes
 * them; intermediate.key; and the files with which swtpm_setup lets this maker certify
 * (setup.conf).
 */
struct maker {
	char *dir;
	EVP_PKEY *key; /* of the intermediate */
	X509 *root, *intermediate;
};
void maker_init(struct maker *maker, const char *dir, const char *name);
void maker_free(struct maker *maker);

/* How a certificate differs from a right one; zeroes make a right one. */
struct ek_wish {
	const char
		*key_usage; /* as OpenSSL reads it; default by the key: "critical,keyAgreement" */
	const char *extended_key_usage; /* default "2.23.133.8.1" */
	const char *basic_constraints; /* default "critical,CA:FALSE" */
	const char *manufacturer; /* default "id:00001014" */
	const char *model; /* default "swtpm" */
	struct view model_bytes; /* instead of it, as they are; empty: none */
	const char *version; /* default "id:00020191" */
	const char *common_name; /* default: an empty subject */
	bool without_names; /* no subjectAltName */
	int64_t not_after; /* seconds since 1970; default: 9999-12-31 */
	EVP_PKEY *signer; /* default: the maker's */
};

/* Certifies an EK as the TCG EK Credential Profile says, with an empty subject; appends the DER. */
void maker_certify(struct maker *maker, EVP_PKEY *ek, const struct ek_wish *wish, struct buf *der);
