#include "tests/unit/tpm/witness.h"

#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"

void witness_make(enum soft_ak ak, bool is_rsa, struct witness *out)
{
	AUTO(buf_free) struct buf bytes = BUF(2048);
	TPMT_PUBLIC area;

	*out = (struct witness){.ak = NULL};
	assert_true(soft_ak_make(ak, SERVICE, NULL, &out->signer));
	assert_true(soft_key_public(&out->signer, &bytes));
	assert_ok(ak_judge(buf_view(&bytes), SERVICE, AK_TAGGED, &out->ak));
	soft_tls_area(is_rsa, &area);
	assert_true(soft_key_make(&area, NULL, &out->key));
}

void witness_free(struct witness *witness)
{
	soft_key_free(&witness->signer);
	soft_key_free(&witness->key);
	ak_free(&witness->ak);
}

void testimony_free(struct testimony *testimony)
{
	buf_free(&testimony->public);
	buf_free(&testimony->attest);
	buf_free(&testimony->signature);
}

struct certify_evidence testimony_view(const struct testimony *testimony)
{
	return (struct certify_evidence){buf_view(&testimony->public), buf_view(&testimony->attest),
		buf_view(&testimony->signature)};
}

void statement_of(const struct soft_key *signer, const struct soft_key *key, struct view extra,
	TPMS_ATTEST *out)
{
	struct soft_attest made;
	size_t n = 0;

	assert_true(soft_certify(signer, key, extra, &soft_moment_now, &made));
	memset(out, 0, sizeof(*out));
	assert_int_equal(0, Tss2_MU_TPMS_ATTEST_Unmarshal(
				    made.attested.attestationData, made.attested.size, &n, out));
}

void testify_of(const struct soft_key *signer, const struct soft_key *key,
	const TPMS_ATTEST *attest, struct testimony *out)
{
	struct soft_attest made;

	*out = (struct testimony){BUF(4096), BUF(4096), BUF(4096)};
	assert_true(soft_sign(signer, attest, &made));
	assert_true(soft_key_public(key, &out->public));
	assert_true(soft_attest_bytes(&made, &out->attest, &out->signature));
}

void testify(const struct soft_key *signer, const struct soft_key *key, struct view extra,
	struct testimony *out)
{
	TPMS_ATTEST attest;

	statement_of(signer, key, extra, &attest);
	testify_of(signer, key, &attest, out);
}
