/* identity.h - an EK that we believe to be in a TPM, and what its manufacturer says of that TPM. */
#pragma once

#include "enroll/tpm/ekpublic.h"
#include "enroll/tpm/trust.h"

struct identity; /* only identity_judge() makes one: holding it is the proof */

/* What a device sends to be believed; borrowed. */
struct ek_evidence {
	struct view certificate; /* DER */
	struct view public; /* TPM2B_PUBLIC, empty when not sent */
	const struct view *chain; /* DER */
	size_t chain_n;
};

/* A TPM attribute of the certificate is at most this long (with its NUL). */
#define TPM_ATTRIBUTE_SIZE 128

/*
 * Judges an EK certificate by the TCG EK Credential Profile 2.5 and its chain by `trust`, at `now`.
 * The EK's public area is rebuilt from the certificate's key and a template; a sent one is only
 * compared, and chooses between two templates. `*out` is the caller's, for identity_free(); untouched on failure.
 * ERR_MALFORMED "ek-certificate", "tpm-public"; ERR_REJECTED "ek-certificate-missing", "ek-key",
 * "ek-roca", "ek-mismatch", "ek-template", "ek-is-ca", "ek-eku", "ek-usage", "ek-san", and those of
 * trust_verify().
 */
CHECKED enum err identity_judge(const struct trust *trust, const struct ek_evidence *evidence,
	int64_t now, struct identity **out);
void identity_free(struct identity **identity);

const uint8_t *identity_ek_digest(const struct identity *identity); /* 32 bytes, spki_sha256() */
enum key_kind identity_kind(const struct identity *identity);
struct view identity_public(const struct identity *identity); /* TPM2B_PUBLIC, rebuilt */
struct view identity_certificate(const struct identity *identity); /* DER */
const struct trust_verdict *identity_trust(const struct identity *identity);
const char *identity_manufacturer(const struct identity *identity); /* "id:49465800" */
const char *identity_model(const struct identity *identity);
const char *identity_version(const struct identity *identity); /* "id:00010002" */
