/* pcr.h - the PCRs of this machine's TPM, in the SHA-256 bank. */
#pragma once

#include "enroll/agent/tpm.h"
#include "enroll/tpm/quote.h"

/* TPM2_PCR_Read. ERR_INTERNAL "tpm", also for a TPM without that bank. */
CHECKED enum err tpm_pcr_read(struct tpm *tpm, unsigned pcr, uint8_t out[static 32]);

/* TPM2_PCR_Extend, in this bank alone. ERR_INTERNAL "tpm". */
CHECKED enum err tpm_pcr_extend(struct tpm *tpm, unsigned pcr, const uint8_t digest[static 32]);

/*
 * TPM2_Quote by a key that is loaded, with `nonce` as qualifying data (at most 64 bytes), over one
 * PCR. Appends the TPMS_ATTEST and the TPMT_SIGNATURE. ERR_INTERNAL "tpm".
 */
CHECKED enum err tpm_quote(struct tpm *tpm, const struct loaded *key, struct view nonce,
	unsigned pcr, struct buf *attest, struct buf *signature);
