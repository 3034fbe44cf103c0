#include "tests/softtpm/policy.h"

#include "tests/unit/check.h"

/* The digests as the TCG EK Credential Profile 2.x, B.6, prints them; policy.c only knows the rules. */
static const struct {
	TPMI_ALG_HASH alg;
	const char *a, *index_name, *c, *b;
} rows[] = {
	{TPM2_ALG_SHA256, "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa",
		"000b0c9d717e9c3fe69fda41769450bb145957f8b3610e084dbf65591a5d11ecd83f",
		"3767e2edd43ff45a3a7e1eaefcef78643dca964632e7aad82c673a30d8633fde",
		"ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0"},
	{TPM2_ALG_SHA384,
		"8bbf2266537c171cb56e403c4dc1d4b64f432611dc386e6f532050c3278c930e"
		"143e8bb1133824ccb431053871c6db53",
		"000cdb62fca346612c976732ff4e8621fb4e858be82586486504f7d02e621f8d"
		"7d61ae32cfc60c4d120609ed6768afcf090c",
		"d6032ce61f2fb3c240eb3cf6a33237ef2b6a16f4293c22b455e261cffd217ad5"
		"b4947c2d73e63005eed2dc2b3593d165",
		"b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419ca"
		"cb47ba09699646150f9fc000f3f80e12"},
	{TPM2_ALG_SHA512,
		"1e3b76502c8a1425aa0b7b3fc646a1b0fae063b03b5368f9c4cddecaff0891dd"
		"682bac1a85d4d832b781ea451915de5fc5bf0dc4a1917cd42fa041e3f998e0ee",
		"000d1c47c0bbcbd3cf7d7cae6987d31937c171015dde3b7f0d3c869bca1f7e8a"
		"223b9acfadb49b7c9cf14d450f41e9327de34d9291eece2c58ab1dc10e9059cc"
		"e560",
		"589ee1e146544716e8deafe6db247b01b81e9f9c7dd16b814aa159138749105f"
		"ba5388dd1dea702f35240c184933121e2c61b8f50d3ef91393a49a38c3f73fc8",
		"b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a4"
		"29c41a6b269571d57edb25fbdb1838425608b413cd616a5f6db5b6071af99bea"},
};

static void assert_hex(const char *hex, struct view got)
{
	AUTO(buf_free) struct buf wanted = BUF(128);

	add_hex(&wanted, hex);
	assert_view_equal(buf_view(&wanted), got);
}

static void the_rules_give_the_digests_that_the_profile_prints(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		TPM2B_DIGEST digest;
		TPM2B_NAME name;

		assert_true(soft_policy_a(rows[i].alg, &digest));
		assert_hex(rows[i].a, VIEW_2B(&digest, buffer));
		assert_true(soft_policy_index_name(rows[i].alg, &name));
		assert_hex(rows[i].index_name, VIEW_2B(&name, name));
		assert_true(soft_policy_c(rows[i].alg, &digest));
		assert_hex(rows[i].c, VIEW_2B(&digest, buffer));
		assert_true(soft_policy_b(rows[i].alg, &digest));
		assert_hex(rows[i].b, VIEW_2B(&digest, buffer));
	}
}

static void another_hash_has_no_policies(void **state)
{
	TPM2B_DIGEST digest;

	(void)state;
	assert_false(soft_policy_a(TPM2_ALG_SHA1, &digest));
	assert_false(soft_policy_b(TPM2_ALG_SHA1, &digest));
	assert_false(soft_policy_c(TPM2_ALG_NULL, &digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rules_give_the_digests_that_the_profile_prints),
		cmocka_unit_test(another_hash_has_no_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
