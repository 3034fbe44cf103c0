#include "enroll/agent/pcr.h"

#include <string.h>

/* A selection of PC clients: three bytes. */
static void select_pcr(unsigned pcr, TPML_PCR_SELECTION *out)
{
	*out = (TPML_PCR_SELECTION){.count = 1};
	out->pcrSelections[0].hash = TPM2_ALG_SHA256;
	out->pcrSelections[0].sizeofSelect = 3;
	out->pcrSelections[0].pcrSelect[pcr / 8] = (BYTE)(1u << pcr % 8);
}

enum err tpm_pcr_read(struct tpm *tpm, unsigned pcr, uint8_t out[static 32])
{
	AUTO(esys_free) TPML_PCR_SELECTION *read = NULL;
	AUTO(esys_free) TPML_DIGEST *values = NULL;
	TPML_PCR_SELECTION selection;
	UINT32 updates = 0;

	select_pcr(pcr, &selection);
	TRY(tpm_ok(TPM_PATIENT(Esys_PCR_Read(tpm_esys(tpm), ESYS_TR_NONE, ESYS_TR_NONE,
			   ESYS_TR_NONE, &selection, &updates, &read, &values)),
		"TPM2_PCR_Read"));
	if (values->count != 1 || values->digests[0].size != 32)
		return fail(ERR_INTERNAL, "tpm",
			"TPM2_PCR_Read: PCR %u has no SHA-256 bank; the firmware's settings, or "
			"tpm2_pcrallocate, switch it on",
			pcr);
	memcpy(out, values->digests[0].buffer, 32);
	return OK;
}

enum err tpm_pcr_extend(struct tpm *tpm, unsigned pcr, const uint8_t digest[static 32])
{
	TPML_DIGEST_VALUES digests = {.count = 1};

	digests.digests[0].hashAlg = TPM2_ALG_SHA256;
	memcpy(digests.digests[0].digest.sha256, digest, 32);
	return tpm_ok(TPM_PATIENT(Esys_PCR_Extend(tpm_esys(tpm), ESYS_TR_PCR0 + pcr,
			      ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digests)),
		"TPM2_PCR_Extend");
}

enum err tpm_quote(struct tpm *tpm, const struct loaded *key, struct view nonce, unsigned pcr,
	struct buf *attest, struct buf *signature)
{
	AUTO(esys_free) TPM2B_ATTEST *quoted = NULL;
	AUTO(esys_free) TPMT_SIGNATURE *by = NULL;
	const TPMT_SIG_SCHEME keys_own = {.scheme = TPM2_ALG_NULL};
	TPML_PCR_SELECTION selection;
	TPM2B_DATA extra = {0};

	if (nonce.n > sizeof(TPMU_HA))
		return fail(ERR_INTERNAL, "tpm", "a nonce of %zu bytes is too long", nonce.n);
	extra.size = (UINT16)nonce.n;
	memcpy(extra.buffer, nonce.p, nonce.n);
	select_pcr(pcr, &selection);
	TRY(tpm_ok(TPM_PATIENT(Esys_Quote(tpm_esys(tpm), key->tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			   ESYS_TR_NONE, &extra, &keys_own, &selection, &quoted, &by)),
		"TPM2_Quote"));
	buf_add(attest, (struct view){quoted->attestationData, quoted->size});
	TRY(buf_ok(attest));
	return tpm_signature_write(by, signature);
}
