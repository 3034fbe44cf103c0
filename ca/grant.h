/* grant.h - what policy allows a proven device to have: the only thing a certificate is made from. */
#pragma once

#include "ca/base/crypt.h"

/*
 * The subject's public key as it stands in a SubjectPublicKeyInfo (RFC 5480 2.2, RFC 8017 A.1.1);
 * key_public() of ca/key.h makes it.
 */
struct grant_key {
	const char *curve; /* OpenSSL's name, "prime256v1"; NULL for RSA */
	struct view bits; /* the uncompressed point, or the DER of the RSAPublicKey */
};

/*
 * Everything is borrowed. What is not known is NULL: of the TPM's three an optional name of the
 * template does without, and every other template that wants one is refused.
 */
struct grant {
	const char *template;
	unsigned template_version;
	struct grant_key key;
	const char *host;
	const char *device_id; /* 32 hexadecimal digits */
	const char *trust_class; /* how its EK came to be trusted: "manufacturer", "allow-list" */
	const char *tpm_manufacturer; /* "id:49465800" */
	const char *tpm_model;
	const char *tpm_version; /* "id:00010002" */
};

/* SHA-256 over all of it: two grants with one digest would make certificates of the same content. */
CHECKED enum err grant_digest(const struct grant *grant, uint8_t out[static SHA256_SIZE]);
