#include "enroll/tpm/quote.h"

#include "ca/base/crypt.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/attest.h"

#include <string.h>

enum err pcr_add(struct pcr_values *values, unsigned pcr, const uint8_t value[static 32])
{
	if (pcr >= PCRS || (values->selected & 1u << pcr) != 0)
		return fail(ERR_REJECTED, "quote-selection",
			"PCR %u is none that one more log can be about", pcr);
	values->selected |= 1u << pcr;
	memcpy(values->value[pcr], value, 32);
	return OK;
}

enum err pcr_extend(uint8_t value[static 32], const uint8_t digest[static 32])
{
	return SHA256_OF(value, ((struct view){value, 32}), ((struct view){digest, 32}));
}

/* The PCRs of one selection; false where it names one that there is not. */
static bool read_selection(const TPMS_PCR_SELECTION *selection, uint32_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < 8u * selection->sizeofSelect; i++) {
		if ((selection->pcrSelect[i / 8] & 1u << i % 8) == 0)
			continue;
		if (i >= PCRS)
			return false;
		*out |= 1u << i;
	}
	return true;
}

static enum err check_selection(
	const TPML_PCR_SELECTION *selection, const struct pcr_values *expected)
{
	uint32_t selected = 0;

	if (selection->count != 1 || selection->pcrSelections[0].hash != TPM2_ALG_SHA256)
		return fail(ERR_REJECTED, "quote-selection",
			"the quote is over %u banks of PCRs, and wanted is the one of SHA-256",
			selection->count);
	/* A quote over nothing says nothing, also where nothing was expected (CVE-2022-0317). */
	if (!read_selection(&selection->pcrSelections[0], &selected) || selected == 0 ||
		selected != expected->selected)
		return fail(ERR_REJECTED, "quote-selection",
			"the quote is over the PCRs 0x%06x, and the log is about 0x%06x (bit 0 is "
			"PCR 0)",
			selected, expected->selected);
	return OK;
}

/*
 * Which hash the TPM used is the signature's word: all schemes that attest_judge() takes have it in
 * one place.
 */
static const EVP_MD *hash_of(struct view signature)
{
	TPMT_SIGNATURE read = {0};
	size_t used = 0;

	if (Tss2_MU_TPMT_SIGNATURE_Unmarshal(signature.p, signature.n, &used, &read) !=
		TSS2_RC_SUCCESS)
		return NULL;
	return tpm_digest(read.signature.any.hashAlg);
}

static bool digest_of(const EVP_MD *md, const struct pcr_values *values, TPM2B_DIGEST *out)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n = 0;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, md, NULL) != 1)
		return false;
	for (unsigned i = 0; i < PCRS; i++)
		if ((values->selected & 1u << i) != 0 &&
			EVP_DigestUpdate(ctx, values->value[i], sizeof(values->value[i])) != 1)
			return false;
	if (EVP_DigestFinal_ex(ctx, out->buffer, &n) != 1)
		return false;
	out->size = (uint16_t)n;
	return true;
}

static enum err check_digest(
	const TPM2B_DIGEST *digest, const EVP_MD *md, const struct pcr_values *expected)
{
	TPM2B_DIGEST replayed = {0};

	if (md == NULL || !digest_of(md, expected, &replayed))
		return fail(ERR_INTERNAL, "crypto", "cannot digest PCR values");
	if (!view_equal((struct view){digest->buffer, digest->size},
		    (struct view){replayed.buffer, replayed.size}))
		return fail(ERR_REJECTED, "quote-digest",
			"the log is not what the TPM's PCRs went through: an event was altered, "
			"left out, added or moved, or somebody else extends the same PCR");
	return OK;
}

enum err quote_judge(struct view attest, struct view signature, EVP_PKEY *ak, struct view nonce,
	const struct pcr_values *expected)
{
	const struct attest_wanted wanted = {
		.signer = ak, .type = TPM2_ST_ATTEST_QUOTE, .extra = nonce};
	TPMS_ATTEST said;

	TRY(attest_judge(attest, signature, &wanted, &said));
	TRY(check_selection(&said.attested.quote.pcrSelect, expected));
	return check_digest(&said.attested.quote.pcrDigest, hash_of(signature), expected);
}
