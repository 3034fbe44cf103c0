#include "ca/hardware.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

static void name_free(GENERAL_NAME **name)
{
	GENERAL_NAME_free(*name);
	*name = NULL;
}

/* otherName 1.3.6.1.5.5.7.8.4 [0] SEQUENCE { hwType, OCTET STRING }: RFC 4108 5, byte by byte. */
static void a_hardware_module_name_is_an_other_name(void **state)
{
	AUTO(name_free) GENERAL_NAME *name = GENERAL_NAME_new();
	AUTO(buf_free) struct buf wanted = BUF(64);
	AUTO(ossl_free) uint8_t *der = NULL;
	int n;

	(void)state;
	assert_ok(hardware_set(name, "2.23.133.1.2", "a:1"));
	n = i2d_GENERAL_NAME(name, &der);
	add_hex(&wanted, "a01a"
			 "06082b06010505070804"
			 "a00e"
			 "300c"
			 "060567810501"
			 "02"
			 "0403");
	buf_str(&wanted, "a:1");
	assert_view_equal(buf_view(&wanted), ((struct view){der, (size_t)n}));
}

static void it_says_its_type_and_serial_number_and_no_other(void **state)
{
	AUTO(name_free) GENERAL_NAME *name = GENERAL_NAME_new(), *mail = GENERAL_NAME_new();

	(void)state;
	assert_ok(hardware_set(name, "2.23.133.1.2", "a:1"));
	assert_true(hardware_says(name, "2.23.133.1.2", "a:1"));
	assert_false(hardware_says(name, "2.23.133.1.2", "a:12"));
	assert_false(hardware_says(name, "2.23.133.1.2", "a:"));
	assert_false(hardware_says(name, "2.23.133.1.1", "a:1"));
	mail->type = GEN_EMAIL;
	mail->d.rfc822Name = ASN1_IA5STRING_new();
	assert_false(hardware_says(mail, "2.23.133.1.2", "a:1"));
}

static void what_is_no_such_name_says_nothing(void **state)
{
	static const char *const values[] = {
		"300a060567810501020c0161", /* UTF8String */
		"300706056781050102", /* no serial number */
		"3003040161", /* no type */
		"0c0161", /* no SEQUENCE */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		AUTO(name_free) GENERAL_NAME *name = GENERAL_NAME_new();
		AUTO(buf_free) struct buf der = BUF(64);
		const uint8_t *p;
		ASN1_TYPE *value;

		add_hex(&der, values[i]);
		p = der.p;
		value = d2i_ASN1_TYPE(NULL, &p, (long)der.n);
		assert_non_null(value);
		assert_int_equal(1, GENERAL_NAME_set0_othername(
					    name, OBJ_txt2obj("1.3.6.1.5.5.7.8.4", 1), value));
		assert_false(hardware_says(name, "2.23.133.1.2", "a"));
	}
}

static void a_type_that_is_no_object_identifier_makes_no_name(void **state)
{
	AUTO(name_free) GENERAL_NAME *name = GENERAL_NAME_new();

	(void)state;
	assert_refused(hardware_set(name, "tpm", "a"), ERR_INTERNAL, "out-of-memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hardware_module_name_is_an_other_name),
		cmocka_unit_test(it_says_its_type_and_serial_number_and_no_other),
		cmocka_unit_test(what_is_no_such_name_says_nothing),
		cmocka_unit_test(a_type_that_is_no_object_identifier_makes_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
