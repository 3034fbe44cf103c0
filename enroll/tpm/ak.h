/* ak.h - an attestation key whose public area was judged (PROTOCOL.md, "Keys"). */
#pragma once

#include "enroll/tpm/public.h"

struct ak; /* only ak_judge() makes one: holding it is the proof */

/* AK_TAG_OR_NONE also takes an AK with an empty authPolicy, which was made for nobody in particular;
 * one with another service's tag is never taken. */
enum ak_tag_rule { AK_TAGGED, AK_TAG_OR_NONE };

/*
 * Judges a TPM2B_PUBLIC: form, nameAlg, attributes, scheme, key, and the tag that makes it an AK
 * for `service` and no other, as far as `rule` wants it. `*out` is the caller's, for ak_free();
 * untouched on failure. ERR_MALFORMED "tpm-public"; ERR_REJECTED "ak-name-algorithm",
 * "ak-attributes", "ak-scheme", "ak-key", "ak-roca", "ak-not-for-this-service".
 */
CHECKED enum err ak_judge(
	struct view tpm2b_public, const char *service, enum ak_tag_rule rule, struct ak **out);
void ak_free(struct ak **ak);
/* The same one once more, for ak_free(); nobody changes it. From any thread. */
struct ak *ak_share(struct ak *ak);

const struct tpm_name *ak_name(const struct ak *ak);
enum key_kind ak_kind(const struct ak *ak);
/* Borrowed; NULL when there is no memory for it, and with that nothing is signed by this AK. */
EVP_PKEY *ak_pkey(const struct ak *ak);
/* Of an EC one: 0x04, x, y, each as wide as the field (SEC 1, 2.3.3); empty for RSA. */
struct view ak_point(const struct ak *ak);
uint16_t ak_scheme(const struct ak *ak); /* TPM2_ALG_ID: RSASSA, RSAPSS, ECDSA */
uint16_t ak_hash(const struct ak *ak); /* TPM2_ALG_ID of the hash that it signs with */
bool ak_is_untagged(const struct ak *ak);
struct view ak_public(const struct ak *ak); /* the TPM2B_PUBLIC as it came */

/*
 * Did the AK sign `message` (TPM2_Hash, then TPM2_Sign)? `signature` is a TPMT_SIGNATURE, read
 * whole, by the AK's own scheme and hash. Such a message must not begin as a TPM's own statements
 * do (TPM 2.0 Part 3, 15.4).
 */
bool ak_signed(const struct ak *ak, struct view message, struct view signature);
