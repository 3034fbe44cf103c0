/* selfsigned.h - a certificate that a key of this TPM signs for itself, with the AK's word for
 * where the key is (after Latze, draft-latze-tls-tpm-extns). */
#pragma once

#include "ca/grant.h"
#include "ca/issue.h"
#include "enroll/agent/tpmkey.h"

#define SELFSIGNED_BACKDATE 300 /* seconds: a relying party's clock may be behind */

struct selfsigned_wish {
	const char *name; /* DNS name; subject and subjectAltName */
	int64_t now;
	int64_t lifetime; /* seconds */
};

/*
 * What is to be signed, for TLS of both sides: all but SKAE and signature. `*out` is the caller's.
 * ERR_INTERNAL "crypto", "random".
 */
CHECKED enum err selfsigned_begin(
	const struct tpmkey *key, const struct selfsigned_wish *wish, X509 **out);

/*
 * TPM2_Sign by the loaded key over the certificate as it is, its algorithm and signature filled in.
 * RSASSA, or ECDSA, with SHA-256, for P-384 SHA-384. ERR_INTERNAL "tpm", "crypto".
 */
CHECKED enum err selfsigned_sign(struct tpm *tpm, const struct loaded *key, X509 *certificate);
