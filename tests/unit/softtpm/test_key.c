#include "tests/softtpm/key.h"

#include "ca/base/ossl.h"
#include "enroll/tpm/ak.h"
#include "tests/unit/check.h"

#define SERVICE "https://ca.example.org"

static void every_ak_is_one_that_the_service_takes_under_the_name_it_computes(void **state)
{
	(void)state;
	for (enum soft_ak kind = 0; kind < SOFT_AKS; kind++) {
		AUTO(soft_key_free) struct soft_key key;
		AUTO(buf_free) struct buf public = BUF(1024);
		AUTO(ak_free) struct ak *ak = NULL;

		assert_true(soft_ak_make(kind, SERVICE, NULL, &key));
		assert_true(soft_key_public(&key, &public));
		assert_ok(ak_judge(buf_view(&public), SERVICE, AK_TAGGED, &ak));
		assert_view_equal(VIEW_2B(&key.name, name),
			((struct view){ak_name(ak)->bytes, ak_name(ak)->n}));
		assert_int_equal(1, EVP_PKEY_eq(key.pkey, ak_pkey(ak)));
	}
}

static void a_given_key_is_shared(void **state)
{
	AUTO(pkey_free) EVP_PKEY *pkey = EVP_EC_gen("P-256");
	AUTO(soft_key_free) struct soft_key a, b;

	(void)state;
	assert_true(soft_ek_make(SOFT_L2, pkey, &a));
	assert_true(soft_ek_make(SOFT_L2, pkey, &b));
	assert_ptr_equal(a.pkey, pkey);
	assert_view_equal(VIEW_2B(&a.name, name), VIEW_2B(&b.name, name));
}

static void a_key_that_does_not_fit_is_refused(void **state)
{
	AUTO(pkey_free) EVP_PKEY *pkey = EVP_EC_gen("P-256");

	(void)state;
	for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++) {
		AUTO(soft_key_free) struct soft_key key;

		assert_int_equal(ek == SOFT_L2 || ek == SOFT_H2, soft_ek_make(ek, pkey, &key));
	}
}

/* Part 1, 16: a primary key's qualified name is over its hierarchy's handle and its Name. */
static void the_qualified_name_is_that_of_a_primary_key_of_the_endorsement_hierarchy(void **state)
{
	AUTO(soft_key_free) struct soft_key key;
	uint8_t bytes[4 + 34] = {0x40, 0x00, 0x00, 0x0b};
	TPM2B_DIGEST digest;

	(void)state;
	assert_true(soft_ek_make(SOFT_L2, NULL, &key));
	assert_int_equal(key.name.size, 34);
	memcpy(bytes + 4, key.name.name, 34);
	assert_true(SOFT_HASH(TPM2_ALG_SHA256, &digest, VIEW(bytes)));
	assert_memory_equal(key.qualified_name.name, "\0\x0b", 2);
	assert_memory_equal(key.qualified_name.name + 2, digest.buffer, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ak_is_one_that_the_service_takes_under_the_name_it_computes),
		cmocka_unit_test(a_given_key_is_shared),
		cmocka_unit_test(a_key_that_does_not_fit_is_refused),
		cmocka_unit_test(
			the_qualified_name_is_that_of_a_primary_key_of_the_endorsement_hierarchy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
