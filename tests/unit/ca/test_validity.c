#include "ca/validity.h"

#include "ca/base/ossl.h"
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
		int64_t when;

		assert_ok(validity_set(cert, rows[i].when, rows[i].when));
		ends[0] = X509_get0_notBefore(cert);
		ends[1] = X509_get0_notAfter(cert);
		for (size_t j = 0; j < 2; j++) {
			assert_int_equal(rows[i].type, ASN1_STRING_type(ends[j]));
			assert_string_equal(
				rows[i].text, (const char *)ASN1_STRING_get0_data(ends[j]));
		}
		assert_ok(validity_end(cert, &when));
		assert_true(when == rows[i].when);
		assert_ok(validity_begin(cert, &when));
		assert_true(when == rows[i].when);
	}
}

static void a_year_of_five_digits_cannot_be_written(void **state)
{
	AUTO(x509_free) X509 *cert = X509_new();

	(void)state;
	assert_refused(validity_set(cert, 0, 253402300800), ERR_INTERNAL, "crypto");
	assert_refused(validity_set(cert, 253402300800, 0), ERR_INTERNAL, "crypto");
}

static void an_end_that_is_no_time_cannot_be_read(void **state)
{
	AUTO(x509_free) X509 *cert = X509_new();
	int64_t when;

	(void)state;
	assert_int_equal(1, ASN1_STRING_set(X509_getm_notAfter(cert), "991332000000Z", -1));
	assert_refused(validity_end(cert, &when), ERR_INTERNAL, "certificate-dates");
}

static void what_is_left_of_a_life_is_told_and_when_the_next_is_due(void **state)
{
	static const struct {
		int64_t now, seconds;
		bool is_due;
	} lives[] = {{900, 400, false}, {1000, 300, false}, {1199, 101, false}, {1200, 100, true},
		{1299, 1, true}, {1300, 0, true}, {1400, -100, true}};
	AUTO(x509_free) X509 *cert = X509_new();
	int64_t seconds;
	bool is_due;

	(void)state;
	assert_ok(validity_set(cert, 1000, 1300));
	for (size_t i = 0; i < COUNT(lives); i++) {
		assert_ok(validity_left(cert, lives[i].now, &seconds, &is_due));
		assert_true(seconds == lives[i].seconds);
		assert_int_equal(lives[i].is_due, is_due);
	}
	assert_int_equal(1, ASN1_STRING_set(X509_getm_notBefore(cert), "991332000000Z", -1));
	assert_refused(
		validity_left(cert, 1000, &seconds, &is_due), ERR_INTERNAL, "certificate-dates");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_written_as_rfc_5280_wants_it),
		cmocka_unit_test(a_year_of_five_digits_cannot_be_written),
		cmocka_unit_test(what_is_left_of_a_life_is_told_and_when_the_next_is_due),
		cmocka_unit_test(an_end_that_is_no_time_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
