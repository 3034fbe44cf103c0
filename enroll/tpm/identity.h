/* identity.h - an EK that we believe to be in a TPM, and what its manufacturer says of that TPM. */
#pragma once

#include "enroll/tpm/ekcert.h"
#include "enroll/tpm/ekpublic.h"
#include "enroll/trust/trust.h"

struct identity; /* only identity_judge() makes one: holding it is the proof */

/* What a device sends to be believed; borrowed. */
struct ek_evidence {
	struct view certificate; /* DER */
	struct view public; /* TPM2B_PUBLIC, empty when not sent */
	const struct view *chain; /* DER */
	size_t chain_n;
};

/* By what an EK is judged; borrowed. */
struct identity_rules {
	const struct trust *trust;
	int64_t now;
	/* One that nobody vouches for, and that has no other fault, is TRUST_UNPROVEN and not refused. */
	bool takes_unproven;
	bool takes_expired; /* as a remark of the verdict */
	bool refuses_bad_firmware; /* which is a remark otherwise */
};

/*
 * Judges an EK by its certificate, after the TCG EK Credential Profile 2.5 and its chain. The certificate
 * may have what NV leaves around it (nvcert.h): it is cut out, never re-encoded. The EK's public area is
 * rebuilt from the certificate's key and a template; a sent one is only compared, and chooses between two
 * templates. Without a certificate the sent one is the EK, and must be of one of the templates.
 * `*out` is the caller's, for identity_free(); untouched on failure.
 * ERR_MALFORMED "ek-certificate", "tpm-public"; ERR_REJECTED "ek-certificate-missing" (none, and that is not
 * taken), "ek-public-missing" (neither), "ek-tpm12", "ek-key", "ek-roca", "ek-mismatch", "ek-template",
 * "ek-is-ca", "ek-eku", "ek-usage", "ek-extension", "ek-san", "ek-firmware", and those of trust_verify().
 */
CHECKED enum err identity_judge(const struct identity_rules *rules,
	const struct ek_evidence *evidence, struct identity **out);
void identity_free(struct identity **identity);
/* One like it, the caller's, for identity_free(). ERR_INTERNAL "out-of-memory". */
CHECKED enum err identity_copy(const struct identity *identity, struct identity **out);
/*
 * Up to then, from the moment that it was judged at, the same would come out; at that very second something may
 * begin or end. INT64_MAX: it is no matter of time.
 */
int64_t identity_until(const struct identity *identity);

const uint8_t *identity_ek_digest(const struct identity *identity); /* 32 bytes, spki_sha256() */
enum key_kind identity_kind(const struct identity *identity);
struct view identity_public(const struct identity *identity); /* TPM2B_PUBLIC, rebuilt */
/* DER, cut; empty where there is none. */
struct view identity_certificate(const struct identity *identity);
const char *identity_serial(
	const struct identity *identity); /* of that, see cert_serial(); or "" */
const struct trust_verdict *identity_trust(const struct identity *identity);
/* What a chain proved; "" otherwise. */
const char *identity_manufacturer(const struct identity *identity); /* "id:49465800" */
const char *identity_model(const struct identity *identity);
const char *identity_version(const struct identity *identity); /* "id:00010002" */

/* The same as the certificate says it, whoever vouches, for a person to look at: hearsay. */
const char *identity_claimed_manufacturer(const struct identity *identity);
const char *identity_claimed_model(const struct identity *identity);
const char *identity_claimed_version(const struct identity *identity);

/* Why nobody vouches for a TRUST_UNPROVEN one: "ek-untrusted" or "ek-certificate-missing"; NULL for others. */
const struct reason *identity_doubt(const struct identity *identity);

/*
 * Somebody of ours vouches for an unproven one: the only way to TRUST_ALLOW_LIST and TRUST_APPROVED. `source`
 * says who, for records. ERR_INTERNAL for one that is proven.
 */
CHECKED enum err identity_vouch(
	struct identity *identity, enum trust_class class, const char *source);
