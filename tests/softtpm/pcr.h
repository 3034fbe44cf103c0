/* pcr.h - the PCRs of the SHA-256 bank. */
#pragma once

#include "tests/softtpm/hash.h"

#define SOFT_PCRS 24

/* Zeroes are a TPM that has just been started. */
struct soft_pcrs {
	uint8_t value[SOFT_PCRS][32];
};

/* TPM2_PCR_Extend: H(old | digest). */
bool soft_pcr_extend(struct soft_pcrs *pcrs, size_t pcr, const uint8_t digest[static 32]);

/* A selection of this bank as a quote has it; bit 0 stands for PCR 0. */
void soft_pcr_selection(uint32_t selected, TPML_PCR_SELECTION *out);

/* H, the signer's hash, over the selected ones in their order. */
bool soft_pcr_digest(
	const struct soft_pcrs *pcrs, uint32_t selected, TPMI_ALG_HASH alg, TPM2B_DIGEST *out);
