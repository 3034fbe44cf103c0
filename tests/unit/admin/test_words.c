#include "enroll/admin/words.h"

#include "tests/unit/check.h"

static void a_duration_has_a_number_and_a_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {{"1s", 1}, {"90m", 5400}, {"12h", 43200}, {"30d", 2592000}, {"007d", 604800}};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(duration_read(rows[i].text, DURATION_MAX, &seconds));
		assert_int_equal(rows[i].seconds, seconds);
	}
	assert_true(duration_read("100000d", DURATION_MAX, &seconds));
}

static void what_is_no_duration_or_too_long_a_one_is_refused(void **state)
{
	static const char *const rows[] = {"", "d", "0d", "-1d", "+1d", " 1d", "1", "1w", "1dd",
		"1 d", "0x1d", "100001d", "99999999999999999999d", "9223372036854775807d"};
	int64_t seconds = 17;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (duration_read(rows[i], DURATION_MAX, &seconds))
			fail_msg("\"%s\" is read as %lld", rows[i], (long long)seconds);
	assert_false(duration_read("61s", 60, &seconds));
	assert_int_equal(17, seconds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duration_has_a_number_and_a_unit),
		cmocka_unit_test(what_is_no_duration_or_too_long_a_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
