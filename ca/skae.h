/* skae.h - Subject Key Attestation Evidence (TCG, 2005), an X.509 extension; here in the form for
 * TPM 2.0. */
#pragma once

#include "ca/base/buf.h"
#include "ca/grant.h"

#include <openssl/x509.h>

#define SKAE_OID "2.23.133.6.1.1" /* written; 2.23.133.6.1 and 2.23.133.6.1.0 are read too */

#define SKAE_MAX 8192 /* bytes of an extension's value */
#define SKAE_LOCATION_MAX 511

/*
 * SubjectKeyAttestationEvidence with version 2.0 (PROTOCOL.md, "SKAE"): tpmCertifyInfo is the
 * TPMS_ATTEST, signature the TPMT_SIGNATURE, and, because TPM2_Certify signs the key's Name, which
 * no SubjectPublicKeyInfo tells, a [0] with the TPMT_PUBLIC. The AK's certificate is named by
 * authorityInfoAccess (id-ad-caIssuers, a URI).
 */
struct skae {
	struct buf attest, signature, public; /* TPMS_ATTEST, TPMT_SIGNATURE, TPMT_PUBLIC */
	char ak_location[SKAE_LOCATION_MAX + 1]; /* "" : none */
};
void skae_init(struct skae *skae);
void skae_free(struct skae *skae); /* for AUTO */

/* Appends the extension's DER value. ERR_INTERNAL "crypto", ERR_TOO_LARGE. */
CHECKED enum err skae_encode(const struct grant_evidence *evidence, struct buf *der);

/* Reads an extension's value, whole, into what skae_init() made. ERR_MALFORMED "skae". */
CHECKED enum err skae_parse(struct view der, struct skae *out);

/*
 * Adds it to a certificate that is being built, not critical: ERR_INTERNAL "crypto". And reads that
 * of a certificate, of which there may be one: ERR_NOT_FOUND "skae-missing", ERR_MALFORMED "skae".
 * `out` was made by skae_init().
 */
CHECKED enum err skae_add(X509 *cert, const struct grant_evidence *evidence);
CHECKED enum err skae_of(const X509 *cert, struct skae *out);
