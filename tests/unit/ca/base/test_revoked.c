#include "ca/base/revoked.h"

#include "tests/unit/check.h"

/* RFC 5280 5.3.1 */
static const struct {
	const char *name;
	int number;
} names[] = {{"unspecified", 0}, {"keyCompromise", 1}, {"cACompromise", 2},
	{"affiliationChanged", 3}, {"superseded", 4}, {"cessationOfOperation", 5},
	{"certificateHold", 6}, {"privilegeWithdrawn", 9}};

static void each_reason_has_the_name_and_the_number_of_rfc_5280(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		enum revoked_reason reason;

		assert_true(revoked_reason_read(names[i].name, &reason));
		assert_int_equal(names[i].number, reason);
	}
}

static void what_is_no_reason_or_nobodys_to_give_is_not_read(void **state)
{
	static const char *const bad[] = {"removeFromCRL", "aACompromise", "", "keycompromise",
		"keyCompromise ", "1", "key-compromise"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		enum revoked_reason reason = REVOKED_SUPERSEDED;

		assert_false(revoked_reason_read(bad[i], &reason));
		assert_int_equal(REVOKED_SUPERSEDED, reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_the_name_and_the_number_of_rfc_5280),
		cmocka_unit_test(what_is_no_reason_or_nobodys_to_give_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
