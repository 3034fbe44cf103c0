/* credential.h - TPM2_MakeCredential in software: a secret that only one TPM gives out. */
#pragma once

#include "enroll/tpm/public.h"

/*
 * Wraps `secret` so that TPM2_ActivateCredential returns it only in the TPM that holds the EK with
 * this TPM2B_PUBLIC and a key with this Name (TPM 2.0 Part 1, 24; Part 3, 12.6). Hash, symmetric
 * key size and key come from the EK's public area. Appends a TPM2B_ID_OBJECT and a
 * TPM2B_ENCRYPTED_SECRET. `secret` is at most as long as the EK's nameAlg digest. ERR_REJECTED
 * "ek-template" for an EK that this cannot be done with.
 */
CHECKED enum err credential_make(struct view ek_public, const struct tpm_name *name,
	struct view secret, struct buf *credential_blob, struct buf *encrypted_secret);
