#include "ca/base/clock.h"
#include "tests/unit/check.h"

#include <time.h>

static void a_time_is_written_as_rfc_3339_in_utc(void **state)
{
	static const struct {
		int64_t when;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00Z"},
		{951782400, "2000-02-29T00:00:00Z"},
		{2147483647, "2038-01-19T03:14:07Z"},
		{2147483648, "2038-01-19T03:14:08Z"},
		{1795358858, "2026-11-22T14:47:38Z"},
		{253402300799, "9999-12-31T23:59:59Z"},
		{253402300800, "9999-12-31T23:59:59Z"},
		{INT64_MAX, "9999-12-31T23:59:59Z"},
		{-1, "1970-01-01T00:00:00Z"},
		{INT64_MIN, "1970-01-01T00:00:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[CLOCK_TEXT_SIZE];

		clock_text(rows[i].when, text);
		assert_string_equal(rows[i].text, text);
	}
}

static void the_clock_for_bounds_only_goes_forward(void **state)
{
	int64_t first = clock_ms(), second = clock_ms();

	(void)state;
	assert_true(first > 0 && first <= second);
}

static void the_zone_of_the_machine_does_not_matter(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	assert_int_equal(0, setenv("TZ", "XYZ-5", 1));
	tzset();
	clock_text(1795358858, text);
	assert_string_equal("2026-11-22T14:47:38Z", text);
	assert_int_equal(0, unsetenv("TZ"));
	tzset();
}

static void now_is_the_time_of_day(void **state)
{
	int64_t before = time(NULL), now = clock_now(), after = time(NULL);

	(void)state;
	/* time() may be read from a coarser clock, hence the second on each side */
	assert_true(before - 1 <= now && now <= after + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_written_as_rfc_3339_in_utc),
		cmocka_unit_test(the_clock_for_bounds_only_goes_forward),
		cmocka_unit_test(the_zone_of_the_machine_does_not_matter),
		cmocka_unit_test(now_is_the_time_of_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
