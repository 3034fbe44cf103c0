/* quote.h - what a TPM quoted of its PCRs (TPM2_Quote), judged. */
#pragma once

#include "enroll/tpm/public.h"

#define PCRS 24

/* PCR values that a log was replayed to; a log of any kind can fill one. */
struct pcr_values {
	uint16_t bank; /* TPM2_ALG_ID of the hash: SHA-256 */
	uint32_t selected; /* bit 0 for PCR 0: those that were replayed */
	uint8_t value[PCRS][32];
};

/*
 * `attest` is a TPMS_ATTEST, `signature` a TPMT_SIGNATURE by `ak`, a restricted key for which an AK certificate vouches. The
 * PCR selection must be exactly that of `expected`, not empty, in its one bank, and the digest that of its values.
 * ERR_MALFORMED "attest"; ERR_REJECTED "attest-magic", "attest-type", "attest-qualifying-data", "attest-signature",
 * "quote-selection", "quote-digest".
 */
CHECKED enum err quote_judge(struct view attest, struct view signature, EVP_PKEY *ak,
	struct view nonce, const struct pcr_values *expected);
