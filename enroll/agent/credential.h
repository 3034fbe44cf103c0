/* credential.h - what only this TPM can read: TPM2_ActivateCredential. */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/agent/ak.h"
#include "enroll/agent/ek.h"
#include "enroll/proto/message.h"

/*
 * Loads EK and AK, activates the challenge in a session that encrypts the answer on its way from
 * the TPM, and flushes all of it (TPM 2.0 Part 3, 12.5; Part 1, 24 and 21). ERR_INTERNAL "tpm",
 * "tpm-ek"; "service-answer" when the credential was not made for this EK and this AK.
 */
CHECKED enum err credential_activate(struct tpm *tpm, const struct device_ek *ek,
	const struct device_ak *ak, const struct challenge *challenge, struct secret_key *out);
