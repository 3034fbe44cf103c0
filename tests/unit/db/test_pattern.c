#include "db/pattern.h"

#include <cmocka.h>
#include <string.h>

static void a_pattern_is_a_part_of_an_index(void **state)
{
	static const struct {
		const char *name, *from, *to;
		bool is_exact, is_reversed, is_whole;
	} rows[] = {
		{"web-1.example.org", "web-1.example.org", "web-1.example.org ", true, false, true},
		{"WEB-1", "web-1", "web-1 ", true, false, true},
		{"web-*", "web-", "web-~", false, false, true},
		{"*.org", "gro.", "gro.~", false, true, true},
		{"*", "", "~", false, false, true},
		{"web-*.org", "web-", "web-~", false, false, false},
		{"*b*.org", "gro.", "gro.~", false, true, false},
		{"*b*", "", "~", false, false, false},
		{"", "", " ", true, false, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pattern_range range;

		pattern_range(rows[i].name, &range);
		assert_string_equal(rows[i].from, range.from);
		assert_string_equal(rows[i].to, range.to);
		assert_int_equal(rows[i].is_exact, range.is_exact);
		assert_int_equal(rows[i].is_reversed, range.is_reversed);
		assert_int_equal(rows[i].is_whole, range.is_whole);
	}
}

static void a_name_longer_than_names_are_is_cut(void **state)
{
	char name[600];
	struct pattern_range range;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	pattern_range(name, &range);
	assert_int_equal(PATTERN_TEXT - 2, strlen(range.from));
	assert_int_equal(PATTERN_TEXT - 1, strlen(range.to));
	assert_false(range.is_whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_is_a_part_of_an_index),
		cmocka_unit_test(a_name_longer_than_names_are_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
