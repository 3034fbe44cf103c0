#include "ca/validity.h"

#include "ca/base/cert.h"
#include "tests/unit/check.h"

static const struct {
	int64_t when;
	const char *text;
	int type;
} rows[] = {
	{0, "700101000000Z", V_ASN1_UTCTIME},
	{951782400, "000229000000Z", V_ASN1_UTCTIME},
	{1790000000, "260921141320Z", V_ASN1_UTCTIME},
	{2524607999, "491231235959Z", V_ASN1_UTCTIME},
	{2524608000, "20500101000000Z", V_ASN1_GENERALIZEDTIME},
	{253402300799, "99991231235959Z", V_ASN1_GENERALIZEDTIME},
};

static void a_time_is_written_as_rfc_5280_wants_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free) X509 *cert = X509_new();
		const ASN1_TIME *ends[2];
		int64_t from, until;

		assert_ok(validity_set(cert, rows[i].when, rows[i].when));
		ends[0] = X509_get0_notBefore(cert);
		ends[1] = X509_get0_notAfter(cert);
		for (size_t j = 0; j < 2; j++) {
			assert_int_equal(rows[i].type, ASN1_STRING_type(ends[j]));
			assert_string_equal(
				rows[i].text, (const char *)ASN1_STRING_get0_data(ends[j]));
		}
		assert_ok(cert_validity(cert, &from, &until));
		assert_true(from == rows[i].when && until == rows[i].when);
	}
}

static void a_year_of_five_digits_cannot_be_written(void **state)
{
	AUTO(x509_free) X509 *cert = X509_new();

	(void)state;
	assert_refused(validity_set(cert, 0, 253402300800), ERR_INTERNAL, "crypto");
	assert_refused(validity_set(cert, 253402300800, 0), ERR_INTERNAL, "crypto");
}

static void the_next_is_due_when_a_third_of_the_life_is_left(void **state)
{
	static const struct {
		int64_t now;
		bool is_due;
	} lives[] = {{900, false}, {1000, false}, {1199, false}, {1200, true}, {1299, true},
		{1300, true}, {1400, true}};

	(void)state;
	for (size_t i = 0; i < COUNT(lives); i++)
		assert_int_equal(lives[i].is_due, validity_is_due(1000, 1300, lives[i].now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_written_as_rfc_5280_wants_it),
		cmocka_unit_test(a_year_of_five_digits_cannot_be_written),
		cmocka_unit_test(the_next_is_due_when_a_third_of_the_life_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
