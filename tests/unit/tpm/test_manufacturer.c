#include "enroll/tpm/manufacturer.h"

#include "ca/base/mem.h"

#include <cmocka.h>

static void a_manufacturer_is_shown_as_its_letters(void **state)
{
	static const char *const cases[][2] = {
		{"id:49465800", "IFX"},
		{"id:494E5443", "INTC"},
		{"id:53544d20", "STM"},
		{"id:414D4400", "AMD"},
		{"id:00001014", "IBM"}, /* a number, as swtpm writes it */
		{"id:00000000", "id:00000000"},
		{"id:4946580", "id:4946580"},
		{"id:494658001", "id:494658001"},
		{"id:1b5b3331", "id:1b5b3331"}, /* an escape sequence */
		{"IFX", "IFX"},
		{"", ""},
		{"a\x1b[31mb", "a?[31mb"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[MANUFACTURER_SIZE];

		manufacturer_text(cases[i][0], out);
		assert_string_equal(cases[i][1], out);
	}
}

static void a_manufacturer_that_is_known_has_a_name(void **state)
{
	(void)state;
	assert_string_equal("Infineon Technologies", manufacturer_name("id:49465800"));
	assert_string_equal("Nuvoton Technology", manufacturer_name("id:4E544320"));
	assert_string_equal("IBM", manufacturer_name("id:00001014"));
	assert_null(manufacturer_name("id:00000000"));
	assert_null(manufacturer_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manufacturer_is_shown_as_its_letters),
		cmocka_unit_test(a_manufacturer_that_is_known_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
