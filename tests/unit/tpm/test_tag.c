#include "enroll/tpm/tag.h"

#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"

static void the_tag_is_the_digest_of_label_nul_and_service(void **state)
{
	static const uint16_t algs[] = {TPM2_ALG_SHA256, TPM2_ALG_SHA384, TPM2_ALG_SHA512};

	(void)state;
	for (size_t i = 0; i < COUNT(algs); i++) {
		TPMT_PUBLIC area = {.nameAlg = algs[i]};
		uint8_t tag[64];
		size_t n = 0;

		area_tag(&area, SERVICE);
		assert_ok(service_tag(algs[i], SERVICE, tag, &n));
		assert_view_equal(((struct view){area.authPolicy.buffer, area.authPolicy.size}),
			((struct view){tag, n}));
	}
}

/* SHA-256 of "endorse/1 ak" 00 "https://ca.example.org", by sha256sum(1). */
static void the_tag_of_a_known_service_is_known(void **state)
{
	AUTO(buf_free) struct buf wanted = BUF(32);
	uint8_t tag[64];
	size_t n = 0;

	(void)state;
	add_hex(&wanted, "d11f9fdac1605aee86ddbef980d21e376a8fe8c69bf1d45debc51bd4bf0e8ad9");
	assert_ok(service_tag(TPM2_ALG_SHA256, SERVICE, tag, &n));
	assert_view_equal(buf_view(&wanted), ((struct view){tag, n}));
}

static void other_algorithms_are_refused(void **state)
{
	static const uint16_t algs[] = {
		TPM2_ALG_SHA1, TPM2_ALG_NULL, TPM2_ALG_SHA3_256, TPM2_ALG_SM3_256, 0};
	uint8_t tag[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(algs); i++)
		assert_refused(
			service_tag(algs[i], SERVICE, tag, &n), ERR_REJECTED, "ak-name-algorithm");
}

static void a_name_beyond_all_limits_is_too_large(void **state)
{
	char service[1100];
	uint8_t tag[64];
	size_t n;

	(void)state;
	memset(service, 'a', sizeof(service) - 1);
	service[sizeof(service) - 1] = '\0';
	assert_refused(service_tag(TPM2_ALG_SHA256, service, tag, &n), ERR_TOO_LARGE, "too-large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tag_is_the_digest_of_label_nul_and_service),
		cmocka_unit_test(the_tag_of_a_known_service_is_known),
		cmocka_unit_test(other_algorithms_are_refused),
		cmocka_unit_test(a_name_beyond_all_limits_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
