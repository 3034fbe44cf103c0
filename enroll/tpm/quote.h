/* quote.h - what a TPM quoted of its PCRs (TPM2_Quote), judged. */
#pragma once

#include "enroll/tpm/public.h"

#define PCRS 24

/*
 * PCR values of the SHA-256 bank that logs were replayed to. A log of any kind puts its PCRs in
 * (pcr_add()), so that one quote is judged by several logs.
 */
struct pcr_values {
	uint32_t selected; /* bit 0 for PCR 0: those that were replayed */
	uint8_t value[PCRS][32];
};

/* Puts in the value that a log says; ERR_REJECTED "quote-selection" for a PCR that a log before had. */
CHECKED enum err pcr_add(struct pcr_values *values, unsigned pcr, const uint8_t value[static 32]);

/* TPM2_PCR_Extend: `value` becomes SHA-256(value | digest). TPM 2.0 Part 1, 17.2. */
CHECKED enum err pcr_extend(uint8_t value[static 32], const uint8_t digest[static 32]);

/*
 * `attest` is a TPMS_ATTEST, `signature` a TPMT_SIGNATURE by `ak`, a restricted key for which an AK
 * certificate vouches. The PCR selection must be exactly that of `expected`, not empty, in the
 * SHA-256 bank alone, and the digest that of its values, by the hash that the signature names (TPM
 * 2.0 Part 3, 18.4). ERR_MALFORMED "attest"; ERR_REJECTED "attest-magic", "attest-type",
 * "attest-qualifying-data", "attest-signature", "quote-selection", "quote-digest".
 */
CHECKED enum err quote_judge(struct view attest, struct view signature, EVP_PKEY *ak,
	struct view nonce, const struct pcr_values *expected);
