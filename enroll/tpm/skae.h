/* skae.h - the evidence that a certificate carries about its own key (SKAE), judged as a relying
 * party does. */
#pragma once

#include "enroll/tpm/certified.h"

#include <openssl/x509.h>

/*
 * SKAE_BY_CA: whoever issued the certificate judged the statement's qualifying data, which nobody
 * else can. SKAE_SELF_SIGNED: the certificate is signed with its own key, and the qualifying data
 * is the SHA-256 of its SubjectPublicKeyInfo.
 */
enum skae_kind { SKAE_BY_CA, SKAE_SELF_SIGNED };

/*
 * Does `carried`, the SKAE of `certificate`, show that the certificate's key is in the TPM of the
 * AK that `ak_certificate` is for? TPMT_PUBLIC, TPMS_ATTEST and TPMT_SIGNATURE, without sizes
 * before them. The Name is computed from the carried public area, whose key must be the
 * certificate's. Signatures and dates of certificates are not looked at, but for the signature of a
 * self-signed one. ERR_REJECTED "skae-ak-certificate" (not for an AK: no EKU 2.23.133.8.3, or a
 * CA's), "skae-key" (the public area is another key's), "skae-self-signed" (not signed with its own
 * key), and those of certified_carried().
 */
CHECKED enum err skae_judge(const X509 *certificate, const X509 *ak_certificate,
	const struct certify_evidence *carried, enum skae_kind kind);

/*
 * The SHA-256 of a key's SubjectPublicKeyInfo as the certificate has it: a self-signed one's
 * qualifying data.
 */
CHECKED enum err skae_qualifying(const X509 *certificate, uint8_t out[static 32]);
