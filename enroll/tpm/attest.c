#include "enroll/tpm/attest.h"

#include <string.h>

static enum err read_attest(struct view bytes, TPMS_ATTEST *out)
{
	size_t used = 0;

	memset(out, 0, sizeof(*out));
	if (Tss2_MU_TPMS_ATTEST_Unmarshal(bytes.p, bytes.n, &used, out) != TSS2_RC_SUCCESS)
		return refuse(
			ERR_MALFORMED, "attest", "TPM 2.0 Part 2, 10.12.12", "not a TPMS_ATTEST");
	if (used != bytes.n)
		return refuse(ERR_MALFORMED, "attest", "TPM 2.0 Part 2, 10.12.12",
			"%zu bytes after the TPMS_ATTEST", bytes.n - used);
	return OK;
}

static enum err judge_words(const TPMS_ATTEST *said, const struct attest_wanted *wanted)
{
	struct view extra = {said->extraData.buffer, said->extraData.size};

	if (said->magic != TPM2_GENERATED_VALUE)
		return refuse(ERR_REJECTED, "attest-magic", "TPM 2.0 Part 2, 10.12.12",
			"magic %08x: no TPM made this statement", said->magic);
	if (said->type != wanted->type)
		return refuse(ERR_REJECTED, "attest-type", "TPM 2.0 Part 2, 10.12.12",
			"a statement of type %04x, wanted %04x", said->type, wanted->type);
	if (!wanted->takes_any_extra && !view_equal(extra, wanted->extra))
		return refuse(ERR_REJECTED, "attest-qualifying-data", "PROTOCOL certified",
			"made for another ticket or nonce (other qualifying data): ask the TPM "
			"anew");
	return OK;
}

enum err attest_judge(struct view attest, struct view signature, const struct attest_wanted *wanted,
	TPMS_ATTEST *out)
{
	const struct signature_wanted by = {wanted->signer, wanted->scheme, wanted->hash};

	TRY(read_attest(attest, out));
	TRY(judge_words(out, wanted));
	return signature_judge(signature, &by, attest);
}
