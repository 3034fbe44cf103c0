/* activate.h - TPM2_ActivateCredential, from the words of TPM 2.0 Part 1, 24, with OpenSSL's own
 * key derivation functions: a second opinion on enroll/tpm/credential.c, of which it shares nothing. */
#pragma once

#include "tests/softtpm/key.h"

/*
 * What the credential carries, as the TPM with this EK and a key of this Name gives it. `blob` is a
 * TPM2B_ID_OBJECT and `secret` a TPM2B_ENCRYPTED_SECRET. False where a TPM answers
 * TPM_RC_INTEGRITY, or cannot read the structures.
 */
bool soft_activate(const struct soft_key *ek, struct view ak_name, struct view blob,
	struct view secret, TPM2B_DIGEST *out);
