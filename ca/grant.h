/* grant.h - what policy allows a proven device to have: the only thing a certificate is made from. */
#pragma once

#include "ca/base/crypt.h"

/*
 * The subject's public key as it stands in a SubjectPublicKeyInfo (RFC 5480 2.2, RFC 8017 A.1.1);
 * key_public() of ca/key.h makes it.
 */
struct grant_key {
	/* OpenSSL's name: "prime256v1"; "ED25519" for such a key (RFC 8410); NULL for RSA. */
	const char *curve;
	/* The uncompressed point, the 32 bytes of an Ed25519 key, or the DER of the RSAPublicKey. */
	struct view bits;
};

/* One of the labels that the operator gave to the device. */
struct grant_label {
	const char *name, *value;
};

/*
 * What an AK said of the key (TPM2_Certify), for a template that carries it (SKAE). No part of what
 * tells two grants apart but `name`: the statement is another each time, the key is not.
 */
struct grant_evidence {
	struct view name; /* the key's Name, TPM 2.0 Part 1, 16 */
	struct view public; /* TPMT_PUBLIC of the key */
	struct view attest; /* TPMS_ATTEST */
	struct view signature; /* TPMT_SIGNATURE */
	const char *ak_location; /* URL of the AK's certificate */
};

/*
 * Where relying parties find what becomes of a certificate of kind x509, and who issued it; NULL: it
 * does not say. URLs (RFC 5280 4.2.1.13, 4.2.2.1), and no part of what tells two grants apart.
 */
struct grant_publication {
	const char *crl, *ocsp, *issuer;
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
	const char *organization; /* the operator's */
	/* 32 bytes, see spki_sha256() of enroll/tpm; by template opt-in only. */
	const uint8_t *ek_digest;
	const char *ek_serial; /* of its certificate, hexadecimal */
	const struct grant_label *labels; /* sorted by name */
	size_t labels_n;
	const struct grant_evidence *evidence; /* of a key that an AK certified; NULL for others */
	uint64_t ssh_serial; /* from the database; of kinds ssh-*, and no part of the digest */
	struct grant_publication publication;
};

/* SHA-256 over all of it: two grants with one digest would make certificates of the same content. */
CHECKED enum err grant_digest(const struct grant *grant, uint8_t out[static SHA256_SIZE]);
