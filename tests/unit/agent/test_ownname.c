#include "enroll/agent/ownname.h"

#include "ca/base/mem.h"

#include <cmocka.h>
#include <string.h>

static void a_name_is_taken_in_lower_case(void **state)
{
	char out[HOSTNAME_MAX + 1];

	(void)state;
	assert_int_equal(OK, ownname_read("Web-01.Example.ORG", out));
	assert_string_equal("web-01.example.org", out);
}

static void what_is_no_full_name_is_refused(void **state)
{
	static const char *const names[] = {"", "localhost", "a.", ".a.b", "a..b", "*.a.b",
		"10.0.0.1", "a_b.example.org", "-a.example.org", "a b.example.org", "[::1]",
		"b\xc3\xbc.example.org"};
	char longest[300];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char out[HOSTNAME_MAX + 1] = "untouched";

		assert_int_equal(ERR_MALFORMED, ownname_read(names[i], out));
		assert_string_equal("usage", why()->code);
		assert_string_equal("untouched", out);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(ERR_MALFORMED, ownname_read(longest, longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_taken_in_lower_case),
		cmocka_unit_test(what_is_no_full_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
