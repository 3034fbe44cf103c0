/* attest.h - a TPMS_ATTEST that a key of a TPM signed; for the files of this folder only. */
#pragma once

#include "enroll/tpm/tss.h"

/*
 * The statement in `attest` (TPMS_ATTEST, no size before it), read whole, magic and type as wanted, `extra` its extraData,
 * signed over the received bytes. `hash`: the TPM2_ALG_ID that the signature must use, 0: any of SHA-256, -384, -512.
 * ERR_MALFORMED "attest"; ERR_REJECTED "attest-magic", "attest-type", "attest-qualifying-data", "attest-signature".
 */
struct attest_wanted {
	EVP_PKEY *signer;
	uint16_t hash;
	uint16_t type; /* TPM2_ST_ATTEST_CERTIFY, TPM2_ST_ATTEST_QUOTE */
	struct view extra;
};
CHECKED enum err attest_judge(struct view attest, struct view signature,
	const struct attest_wanted *wanted, TPMS_ATTEST *out);
