#include "ca/base/printable.h"

#include <cmocka.h>

static void what_could_steer_a_terminal_is_replaced_and_what_is_long_is_cut(void **state)
{
	char out[6];

	(void)state;
	printable("a\n\xc2\x9b"
		  "b",
		out, sizeof(out));
	assert_string_equal("a???b", out);
	printable("abcdefgh", out, sizeof(out));
	assert_string_equal("abcde", out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_could_steer_a_terminal_is_replaced_and_what_is_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
