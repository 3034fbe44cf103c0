/* ekpublic.h - an EK's public area, rebuilt from its key and one of the TCG templates.
 * TCG EK Credential Profile 2.x, B.3 (L-1, L-2) and B.4 (H-1 to H-7). Used by service and device
 * tool. H-5 is for SM2, which we do not speak. */
#pragma once

#include "enroll/tpm/numbers.h"
#include "enroll/tpm/public.h"

#define EK_PUBLIC_MAX 600

/* An EK template that we know. */
struct ek_template {
	const char *name; /* "L-1" */
	enum key_kind kind;
	uint16_t name_alg; /* TPM_ALG_ID */
	uint16_t symmetric_bits;
	uint32_t nv_certificate; /* NV index of the certificate: 0x01c00002 */
	uint32_t persistent; /* the handle where manufacturers put the key: 0x81010001 */
	bool needs_policy; /* its use wants TPM2_PolicySecret(endorsement); otherwise the empty auth */
};

/*
 * The templates, in the order in which a device should prefer them: L before H, since a machine that
 * has both was most likely enrolled with an L one before. Ends with name NULL.
 */
extern const struct ek_template ek_templates[];

/*
 * The first template for a kind of key. RSA-2048 and P-256 have two, which differ in how a use of the
 * EK is authorised and in `unique`; hash, symmetric key size and key, which are all that goes into a
 * credential (TPM 2.0 Part 1, 24), are the same. So what is made for L opens in a TPM whose EK is H.
 */
const struct ek_template *ek_template_of(enum key_kind kind);

/*
 * Appends the TPM2B_PUBLIC of an EK made from `tmpl` with this key. `key` NULL: with the template's
 * own `unique`, for TPM2_CreatePrimary. ERR_REJECTED "ek-template" when key and template do not
 * fit.
 */
CHECKED enum err ek_public_build(const struct ek_template *tmpl, EVP_PKEY *key, struct buf *out);

/* The same, of a key's numbers. */
CHECKED enum err ek_public_of(
	const struct ek_template *tmpl, const struct key_numbers *key, struct buf *out);

/*
 * Is the TPM2B_PUBLIC that a device sent its certificate's `key` under one of the templates for that
 * kind? `*out` is the template. ERR_MALFORMED "tpm-public"; ERR_REJECTED "ek-mismatch" (another
 * key), "ek-template" (this key under another public area: a credential made for it might be read
 * outside the TPM).
 */
CHECKED enum err ek_public_match(struct view sent, EVP_PKEY *key, const struct ek_template **out);

/*
 * The same where no certificate says which key: the TPM2B_PUBLIC is an EK's, of exactly one of the templates.
 * `*key` is the caller's, for pkey_free(). ERR_MALFORMED "tpm-public"; ERR_REJECTED "ek-key", "ek-template".
 */
CHECKED enum err ek_public_read(struct view sent, EVP_PKEY **key, const struct ek_template **out);
