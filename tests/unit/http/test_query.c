#include "enroll/http/query.h"

#include "tests/unit/check.h"

#include <string.h>

static const struct query_key keys[] = {{"after", 19}, {"host", 8}, {0}};

static void no_query_and_a_right_one_are_read(void **state)
{
	struct query query;

	(void)state;
	assert_int_equal(OK, query_read(NULL, keys, &query));
	assert_null(query.value[0]);
	assert_null(query.value[1]);
	assert_int_equal(OK, query_read("host=a%2a%20+b&after=7", keys, &query));
	assert_string_equal("7", query.value[0]);
	assert_string_equal("a* +b", query.value[1]);
	assert_int_equal(OK, query_read("host=a%3D=%26", keys, &query));
	assert_null(query.value[0]);
	assert_string_equal("a==&", query.value[1]);
	assert_int_equal(OK, query_read("host=12345678", keys, &query));
}

static const struct {
	const char *text, *code;
} wrong[] = {
	{"", "query"},
	{"&", "query"},
	{"after", "query"},
	{"after=1&", "query"},
	{"&after=1", "query"},
	{"after=1&&host=a", "query"},
	{"after=1&after=1", "query"},
	{"host=%", "query"},
	{"host=%2", "query"},
	{"host=%2&after=1", "query"},
	{"host=%zz", "query"},
	{"=1", "query-unknown"},
	{"afte=1", "query-unknown"},
	{"after%20=1", "query-unknown"},
	{"After=1", "query-unknown"},
	{"afterx=1", "query-unknown"},
	{"after=", "query-value"},
	{"after=&host=a", "query-value"},
	{"host=123456789", "query-value"},
	{"host=%00", "query-value"},
	{"host=%1b", "query-value"},
	{"host=%7f", "query-value"},
	{"host=%c3%a4", "query-value"},
};

static void each_fault_of_a_query_has_its_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct query query;

		assert_refused_in(wrong[i].text, query_read(wrong[i].text, keys, &query),
			ERR_MALFORMED, wrong[i].code);
	}
}

static void all_values_together_have_a_limit(void **state)
{
	static const struct query_key wide[] = {{"a", 1500}, {"b", 1500}, {0}};
	char text[3200] = "a=";
	struct query query;

	(void)state;
	memset(text + 2, 'x', 1500);
	assert_int_equal(OK, query_read(text, wide, &query));
	snprintf(text + 1502, 4, "&b=");
	memset(text + 1505, 'y', 1500);
	assert_refused_in("both", query_read(text, wide, &query), ERR_MALFORMED, "query-value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_query_and_a_right_one_are_read),
		cmocka_unit_test(each_fault_of_a_query_has_its_code),
		cmocka_unit_test(all_values_together_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
