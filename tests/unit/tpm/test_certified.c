#include "enroll/tpm/certified.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/weak.h"
#include "tests/unit/tpm/witness.h"

static struct witness home;
static const struct view ticket = {(const uint8_t *)"a ticket", 8};
static uint8_t extra_bytes[32];
static const struct view extra = {extra_bytes, sizeof(extra_bytes)};

static int make(void **state)
{
	(void)state;
	witness_make(SOFT_P256, false, &home);
	assert_ok(certify_qualifying(ticket, extra_bytes));
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	witness_free(&home);
	return 0;
}

static enum err judge(const struct testimony *testimony, const struct ak *ak)
{
	AUTO(certified_free) struct certified *certified = NULL;
	struct certify_evidence evidence = testimony_view(testimony);
	enum err err = certified_judge(&evidence, ak, extra, &certified);

	assert_true((err == OK) == (certified != NULL));
	return err;
}

static void every_ak_certifies_keys_of_its_tpm(void **state)
{
	(void)state;
	for (enum soft_ak kind = 0; kind < SOFT_AKS; kind++) {
		AUTO(witness_free) struct witness other;
		AUTO(testimony_free) struct testimony testimony;
		AUTO(certified_free) struct certified *certified = NULL;
		struct certify_evidence evidence;

		witness_make(kind, kind == SOFT_RSASSA_2048, &other);
		testify(&other.signer, &other.key, extra, &testimony);
		evidence = testimony_view(&testimony);
		if (certified_judge(&evidence, other.ak, extra, &certified) != OK)
			fail_msg("%s: %s: %s", soft_ak_text(kind), why()->code, why()->sentence);
		assert_int_equal(1, EVP_PKEY_eq(other.key.pkey, certified_pkey(certified)));
		assert_view_equal(VIEW_2B(&other.key.name, name),
			((struct view){
				certified_name(certified)->bytes, certified_name(certified)->n}));
		assert_false(certified_decrypts(certified));
		assert_view_equal(certified_area(certified),
			((struct view){testimony.public.p + 2, testimony.public.n - 2}));
		assert_view_equal(certified_attest(certified),
			((struct view){testimony.attest.p + 2, testimony.attest.n - 2}));
		assert_view_equal(certified_signature(certified), buf_view(&testimony.signature));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ak_certifies_keys_of_its_tpm),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	(void)judge;
	return cmocka_run_group_tests(tests, make, unmake);
}
