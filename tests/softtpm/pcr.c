#include "tests/softtpm/pcr.h"

#include <string.h>

bool soft_pcr_extend(struct soft_pcrs *pcrs, size_t pcr, const uint8_t digest[static 32])
{
	TPM2B_DIGEST extended;

	if (pcr >= SOFT_PCRS || !SOFT_HASH(TPM2_ALG_SHA256, &extended, VIEW(pcrs->value[pcr]),
					(struct view){digest, 32}))
		return false;
	memcpy(pcrs->value[pcr], extended.buffer, 32);
	return true;
}

void soft_pcr_selection(uint32_t selected, TPML_PCR_SELECTION *out)
{
	TPMS_PCR_SELECTION *bank = &out->pcrSelections[0];

	*out = (TPML_PCR_SELECTION){.count = 1};
	bank->hash = TPM2_ALG_SHA256;
	bank->sizeofSelect = SOFT_PCRS / 8;
	for (size_t i = 0; i < SOFT_PCRS / 8; i++)
		bank->pcrSelect[i] = (BYTE)(selected >> 8 * i);
}

bool soft_pcr_digest(
	const struct soft_pcrs *pcrs, uint32_t selected, TPMI_ALG_HASH alg, TPM2B_DIGEST *out)
{
	struct view pieces[SOFT_PCRS];
	size_t n = 0;

	for (size_t i = 0; i < SOFT_PCRS; i++)
		if ((selected >> i & 1) != 0)
			pieces[n++] = VIEW(pcrs->value[i]);
	return soft_hash(alg, pieces, n, out);
}
