/* attest.h - a TPMS_ATTEST that a key of a TPM signed; for the files of this folder only. */
#pragma once

#include "enroll/tpm/signature.h"
#include "enroll/tpm/tss.h"

/*
 * The statement in `attest` (TPMS_ATTEST, no size before it), read whole, magic and type as wanted,
 * `extra` its extraData, signed over the received bytes. Of `scheme` and `hash` see signature.h.
 * Magic proves something only of a restricted key: any other signs whatever it is given.
 * ERR_MALFORMED "attest"; ERR_REJECTED "attest-magic", "attest-type", "attest-qualifying-data",
 * "attest-signature".
 */
struct attest_wanted {
	EVP_PKEY *signer;
	uint16_t scheme, hash;
	uint16_t type; /* TPM2_ST_ATTEST_CERTIFY, TPM2_ST_ATTEST_QUOTE */
	struct view extra;
	bool takes_any_extra; /* whoever reads it cannot know what was asked: `extra` is not looked at */
};
CHECKED enum err attest_judge(struct view attest, struct view signature,
	const struct attest_wanted *wanted, TPMS_ATTEST *out);
