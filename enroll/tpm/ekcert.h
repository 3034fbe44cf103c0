/* ekcert.h - what an EK certificate says by itself, before anybody asks who signed it. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

/* A TPM attribute of the certificate is at most this long (with its NUL). */
#define TPM_ATTRIBUTE_SIZE 128

/* The directoryName of the subject alternative name: TCG EK Credential Profile, 3.1.2. */
struct ek_attributes {
	char manufacturer[TPM_ATTRIBUTE_SIZE]; /* "id:49465800" */
	char model[TPM_ATTRIBUTE_SIZE];
	char version[TPM_ATTRIBUTE_SIZE]; /* "id:00010002", and what else vendors write */
};

/*
 * Reads the certificate out of what a device found in its NV index (nvcert.h). `*der` borrows from
 * `content`: the certificate's own bytes, which are hashed and kept; `*out` is the caller's.
 * ERR_MALFORMED "ek-certificate".
 */
CHECKED enum err ek_certificate_read(struct view content, struct view *der, X509 **out);

/*
 * Is it a TPM 2.0's? A TPM 1.2 has a key for id-RSAES-OAEP, of which OpenSSL makes none, or says so in its
 * tPMSpecification (2.23.133.2.16). ERR_REJECTED "ek-tpm12".
 */
CHECKED enum err ek_certificate_family(const X509 *cert);

/*
 * The rest but for key and chain, by the TCG EK Credential Profile 2.5. ERR_MALFORMED "ek-certificate";
 * ERR_REJECTED "ek-is-ca", "ek-eku", "ek-usage", "ek-extension", "ek-san".
 */
CHECKED enum err ek_certificate_form(X509 *cert, struct ek_attributes *out);

/* What it says of its TPM, alone. ERR_REJECTED "ek-san"; `*out` has what was read before. */
CHECKED enum err ek_certificate_names(X509 *cert, struct ek_attributes *out);

/*
 * Is it valid at `now`, by its own dates (RFC 5280 4.1.2.5)? For one whose chain cannot be verified, which
 * otherwise tells. With `takes_expired`, `*is_expired` instead of "ek-expired". ERR_MALFORMED
 * "ek-certificate"; ERR_REJECTED "ek-expired", "ek-not-yet-valid".
 */
CHECKED enum err ek_certificate_dates(
	const X509 *cert, int64_t now, bool takes_expired, bool *is_expired);
