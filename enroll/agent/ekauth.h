/* ekauth.h - the right to use an EK once. */
#pragma once

#include "enroll/agent/tpm.h"
#include "enroll/tpm/ekpublic.h"

/*
 * What authorises the next use of an EK made from `ek`: the key's empty auth, or where the template
 * wants it a new session with TPM2_PolicySecret(endorsement), which one use consumes (TCG EK
 * Credential Profile 2.x, B.6.2). `session`, to be flushed by the caller, is empty in the first
 * case. Errors of tpm_hierarchy_ok().
 */
CHECKED enum err ek_authorize(
	struct tpm *tpm, const struct ek_template *ek, struct loaded *session, ESYS_TR *auth);
