#include "enroll/agent/exit.h"

#include "ca/base/mem.h"

#include <cmocka.h>

static void every_kind_of_failure_has_its_exit_code(void **state)
{
	static const struct {
		const char *code;
		int exit;
	} cases[] = {
		{"usage", 2},
		{"tpm", 3},
		{"tpm-ek", 3},
		{"tpm-key", 3},
		{"service-away", 4},
		{"endpoint-away", 4},
		{"location-away", 4},
		{"service-refused", 5},
		{"service-answer", 5},
		{"service-not-trusted", 6},
		{"service-pending", 8},
		{"host-changed", 5},
		{"krl-older", 5},
		{"state-dir", 1},
		{"", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(cases[i].exit,
			exit_code(&(struct reason){ERR_INTERNAL, cases[i].code, "", ""}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_failure_has_its_exit_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
