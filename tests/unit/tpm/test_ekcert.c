#include "enroll/tpm/ekcert.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/trust/pki.h"

static void a_certificate_is_cut_out_of_what_is_around_it(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(buf_free) struct buf image = BUF(8192);
	AUTO(x509_free) X509 *cert = NULL;
	struct view der;
	size_t n;

	(void)state;
	world_make(&world);
	certificate_add(world.leaf, &image);
	n = image.n;
	buf_str(&image, "\xff\xff\x11");
	assert_ok(ek_certificate_read(buf_view(&image), &der, &cert));
	assert_ptr_equal(image.p, der.p);
	assert_int_equal(n, der.n);
	assert_int_equal(0, X509_cmp(world.leaf, cert));
}

/* Cut well, and no certificate all the same. */
static void a_sequence_is_not_yet_a_certificate(void **state)
{
	static const uint8_t sequence[] = {0x30, 0x03, 0x02, 0x01, 0x07, 0xff};
	AUTO(x509_free) X509 *cert = NULL;
	struct view der = {NULL, 0};

	(void)state;
	assert_refused(
		ek_certificate_read(VIEW(sequence), &der, &cert), ERR_MALFORMED, "ek-certificate");
	assert_null(der.p);
	assert_null(cert);
}

/* A certificate whose subjectDirectoryAttributes are these bytes. */
static enum err family_of(struct view attributes)
{
	AUTO(world_free) struct world world;
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	world_make(&world);
	assert_int_equal(1, ASN1_OCTET_STRING_set(value, attributes.p, (int)attributes.n));
	extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_directory_attributes, 0, value);
	assert_int_equal(1, X509_add_ext(world.leaf, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	return ek_certificate_family(world.leaf);
}

/* SEQUENCE { Attribute { 2.23.133.2.16, SET { SEQUENCE { UTF8String family, 0, 116 } } } } */
#define SPECIFICATION(tag, a, b, c)                                                                \
	{                                                                                          \
		0x30, 0x18, 0x30, 0x16, 0x06, 0x05, 0x67, 0x81, 0x05, 0x02, 0x10, 0x31, 0x0d,      \
			0x30, 0x0b, tag, 3, a, b, c, 2, 1, 0, 2, 1, 116                            \
	}

static void the_family_is_what_the_specification_says(void **state)
{
	static const uint8_t one_two[] = SPECIFICATION(0x0c, '1', '.', '2');
	static const uint8_t one_one[] = SPECIFICATION(0x0c, '1', '.', '1');
	static const uint8_t two[] = SPECIFICATION(0x0c, '2', '.', '0');
	static const uint8_t printable[] = SPECIFICATION(0x13, '1', '.', '2');

	(void)state;
	assert_refused(family_of(VIEW(one_two)), ERR_REJECTED, "ek-tpm12");
	assert_refused(family_of(VIEW(one_one)), ERR_REJECTED, "ek-tpm12");
	assert_ok(family_of(VIEW(two)));
	assert_ok(family_of(VIEW(printable)));
}

/* They are not critical, and nothing else is taken from them. */
static void attributes_that_cannot_be_read_say_nothing(void **state)
{
	static const uint8_t whole[] = SPECIFICATION(0x0c, '1', '.', '2');
	static const size_t headers[] = {0, 1, 2, 3, 4, 6, 11, 13, 15, 17, 18};

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++)
		assert_ok(family_of((struct view){whole, n}));
	for (size_t i = 0; i < COUNT(headers); i++) {
		uint8_t altered[sizeof(whole)];

		memcpy(altered, whole, sizeof(whole));
		altered[headers[i]] ^= 0x02;
		if (family_of(VIEW(altered)) != OK)
			fail_msg("byte %zu: %s", headers[i], why()->sentence);
	}
}

static void a_certificate_is_valid_between_its_dates(void **state)
{
	static const struct {
		int64_t now;
		bool takes_expired, is_expired;
		const char *code;
	} cases[] = {{NOW - 1, false, false, "ek-not-yet-valid"},
		{NOW - 1, true, false, "ek-not-yet-valid"}, {NOW, false, false, ""},
		{NOW + YEAR - 1, false, false, ""}, {NOW + YEAR, false, true, "ek-expired"},
		{NOW + YEAR, true, true, ""}};
	AUTO(world_free) struct world world;
	struct recipe recipe;

	(void)state;
	world_make(&world);
	recipe = recipe_ek(world.ek_key, world.ca, world.ca_key);
	recipe.from = NOW;
	recipe.until = NOW + YEAR;
	world_leaf(&world, &recipe);
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool is_expired = !cases[i].is_expired;

		assert_refused_in(cases[i].code,
			ek_certificate_dates(
				world.leaf, cases[i].now, cases[i].takes_expired, &is_expired),
			cases[i].code[0] == '\0' ? OK : ERR_REJECTED, cases[i].code);
		assert_int_equal(cases[i].is_expired, is_expired);
	}
}

static void dates_that_are_none_are_malformed(void **state)
{
	AUTO(world_free) struct world world;
	ASN1_TIME *bad = ASN1_STRING_type_new(V_ASN1_UTCTIME);
	bool is_expired;

	(void)state;
	world_make(&world);
	assert_int_equal(1, ASN1_STRING_set(bad, "26132501000Z", -1));
	assert_int_equal(1, X509_set1_notAfter(world.leaf, bad));
	assert_refused(ek_certificate_dates(world.leaf, NOW, true, &is_expired), ERR_MALFORMED,
		"ek-certificate");
	ASN1_STRING_free(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_cut_out_of_what_is_around_it),
		cmocka_unit_test(a_sequence_is_not_yet_a_certificate),
		cmocka_unit_test(the_family_is_what_the_specification_says),
		cmocka_unit_test(attributes_that_cannot_be_read_say_nothing),
		cmocka_unit_test(a_certificate_is_valid_between_its_dates),
		cmocka_unit_test(dates_that_are_none_are_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
