/* certified.h - a key that an AK certified to be in its TPM (TPM2_Certify; PROTOCOL.md, "Certified keys"). */
#pragma once

#include "enroll/tpm/ak.h"

struct certified; /* only certified_judge() and certified_carried() make one: holding it is the proof */

struct certify_evidence {
	struct view public; /* TPM2B_PUBLIC */
	struct view attest; /* TPM2B_ATTEST */
	struct view signature; /* TPMT_SIGNATURE */
};

/*
 * Judges a key by its public area and by what `ak` said of it with `extra` as qualifying data.
 * `*out` is the caller's, for certified_free(); untouched on failure. ERR_MALFORMED "tpm-public",
 * "attest"; ERR_REJECTED "key-name-algorithm", "key-attributes", "key-scheme", "key-key",
 * "key-roca", "attest-magic", "attest-type", "attest-qualifying-data", "attest-signature",
 * "certify-name".
 */
CHECKED enum err certified_judge(const struct certify_evidence *evidence, const struct ak *ak,
	struct view extra, struct certified **out);

/*
 * The same of evidence that was carried in a certificate: a TPMT_PUBLIC and a TPMS_ATTEST, without
 * the sizes before them, and the AK known by its key alone. `extra` NULL: whoever reads it cannot
 * know what it was, and it is not looked at.
 */
CHECKED enum err certified_carried(const struct certify_evidence *evidence, EVP_PKEY *ak,
	const struct view *extra, struct certified **out);
void certified_free(struct certified **certified);

EVP_PKEY *certified_pkey(const struct certified *certified); /* borrowed */
const struct tpm_name *certified_name(const struct certified *certified);
/* The key also decrypts: a template's word decides. */
bool certified_decrypts(const struct certified *certified);
struct view certified_area(const struct certified *certified); /* TPMT_PUBLIC */
struct view certified_attest(const struct certified *certified); /* TPMS_ATTEST */
struct view certified_signature(const struct certified *certified); /* TPMT_SIGNATURE */

/* SHA-256("endorse/1 certify" 00 | ticket): the qualifying data that ties the statement to one ticket. */
CHECKED enum err certify_qualifying(struct view ticket, uint8_t out[static 32]);
