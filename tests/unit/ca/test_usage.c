#include "ca/usage.h"

#include "tests/unit/check.h"

static void each_usage_has_its_bit_of_rfc_5280(void **state)
{
	static const char *const names[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
		"dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
		"decipherOnly"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(i, usage_bit(names[i]));
}

static void other_words_have_none(void **state)
{
	static const char *const names[] = {"", "DigitalSignature", "digitalSignature ",
		"serverAuth", "contentCommitment", "keyCertSig"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(-1, usage_bit(names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_usage_has_its_bit_of_rfc_5280),
		cmocka_unit_test(other_words_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
