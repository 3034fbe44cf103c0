/* activate.h - TPM2_ActivateCredential in software, from the words of TPM 2.0 Part 1, 24, with
 * OpenSSL's own key derivation functions. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/evp.h>
#include <tss2/tss2_tpm2_types.h>

/*
 * Appends what the credential carries, as the TPM with this EK and a key of this Name would give
 * it. False where the TPM would answer TPM_RC_INTEGRITY, or could not read the structures.
 */
bool activate(EVP_PKEY *ek, const TPMT_PUBLIC *ek_area, struct view name, struct view blob,
	struct view secret, struct buf *out);
