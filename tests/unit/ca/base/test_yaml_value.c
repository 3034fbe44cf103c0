#include "ca/base/yaml_value.h"
#include "tests/unit/check.h"

/* What one value becomes; `says` is NULL when it is taken. */
struct number_row {
	const char *text;
	int64_t value;
	const char *says;
};

static void assert_number(const struct yaml_key *key, const struct number_row *row)
{
	char problem[YAML_PROBLEM_SIZE];
	int64_t value = 0;
	const char *wrong = yaml_value_set(key, row->text, "/etc", &value, problem);

	if (row->says == NULL) {
		if (wrong != NULL)
			fail_msg("\"%s\": %s", row->text, wrong);
		assert_int_equal(row->value, value);
	} else {
		if (wrong == NULL)
			fail_msg("\"%s\" was taken as %lld", row->text, (long long)value);
		assert_string_equal(row->says, wrong);
	}
}

#define NOT_WHOLE(text) "\"n\" is \"" text "\": wanted a whole number"

static void a_whole_number_is_decimal(void **state)
{
	static const struct yaml_key key = {
		.name = "n", .type = YAML_WHOLE, .min = INT64_MIN, .max = INT64_MAX};
	static const struct number_row rows[] = {
		{"0", 0, NULL},
		{"7", 7, NULL},
		{"-7", -7, NULL},
		{"9223372036854775807", INT64_MAX, NULL},
		{"-9223372036854775808", INT64_MIN, NULL},
		{"9223372036854775808", 0, NOT_WHOLE("9223372036854775808")},
		{"-9223372036854775809", 0, NOT_WHOLE("-9223372036854775809")},
		{"18446744073709551617", 0, NOT_WHOLE("18446744073709551617")},
		{"99999999999999999999999", 0, NOT_WHOLE("99999999999999999999999")},
		{"0777", 0, NOT_WHOLE("0777")},
		{"00", 0, NOT_WHOLE("00")},
		{"-07", 0, NOT_WHOLE("-07")},
		{"0o17", 0, NOT_WHOLE("0o17")},
		{"0x1f", 0, NOT_WHOLE("0x1f")},
		{"90.5", 0, NOT_WHOLE("90.5")},
		{"90.0", 0, NOT_WHOLE("90.0")},
		{"1e3", 0, NOT_WHOLE("1e3")},
		{"1_000", 0, NOT_WHOLE("1_000")},
		{"1,000", 0, NOT_WHOLE("1,000")},
		{"90d", 0, NOT_WHOLE("90d")},
		{"+5", 0, NOT_WHOLE("+5")},
		{"--5", 0, NOT_WHOLE("--5")},
		{"-", 0, NOT_WHOLE("-")},
		{"- 5", 0, NOT_WHOLE("- 5")},
		{" 5", 0, NOT_WHOLE(" 5")},
		{"5 ", 0, NOT_WHOLE("5 ")},
		{"", 0, NOT_WHOLE("")},
		{"~", 0, NOT_WHOLE("~")},
		{"true", 0, NOT_WHOLE("true")},
		{"\xd9\xa3", 0, NOT_WHOLE("\xd9\xa3")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_number(&key, &rows[i]);
}

static void a_whole_number_lies_in_its_range(void **state)
{
	static const struct yaml_key key = {.name = "n", .type = YAML_WHOLE, .min = 1, .max = 100};
	static const struct number_row rows[] = {
		{"1", 1, NULL},
		{"100", 100, NULL},
		{"0", 0, "\"n\" is \"0\": wanted 1 to 100"},
		{"101", 0, "\"n\" is \"101\": wanted 1 to 100"},
		{"-1", 0, "\"n\" is \"-1\": wanted 1 to 100"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_number(&key, &rows[i]);
}

#define NO_TIME(text) "\"t\" is \"" text "\": wanted a time such as 30s, 5m, 12h or 90d"
#define NOT_IN_RANGE(text) "\"t\" is \"" text "\": wanted 60 to 7776000 seconds"

static void a_time_has_a_unit_and_lies_in_its_range(void **state)
{
	static const struct yaml_key key = {
		.name = "t", .type = YAML_SECONDS, .min = 60, .max = 90 * 86400};
	static const struct number_row rows[] = {
		{"60s", 60, NULL},
		{"5m", 300, NULL},
		{"12h", 43200, NULL},
		{"90d", 7776000, NULL},
		{"7776000s", 7776000, NULL},
		{"59s", 0, NOT_IN_RANGE("59s")},
		{"7776001s", 0, NOT_IN_RANGE("7776001s")},
		{"91d", 0, NOT_IN_RANGE("91d")},
		{"0d", 0, NOT_IN_RANGE("0d")},
		{"-5m", 0, NOT_IN_RANGE("-5m")},
		/* 2^64 / 86400, rounded up: would wrap to a little more than nothing */
		{"213503982334602d", 0, NOT_IN_RANGE("213503982334602d")},
		{"9223372036854775807d", 0, NOT_IN_RANGE("9223372036854775807d")},
		{"9223372036854775808s", 0, NO_TIME("9223372036854775808s")},
		{"90", 0, NO_TIME("90")},
		{"0", 0, NO_TIME("0")},
		{"90.5d", 0, NO_TIME("90.5d")},
		{"90.5", 0, NO_TIME("90.5")},
		{"0777s", 0, NO_TIME("0777s")},
		{"90 d", 0, NO_TIME("90 d")},
		{"90D", 0, NO_TIME("90D")},
		{"90ds", 0, NO_TIME("90ds")},
		{"1h30m", 0, NO_TIME("1h30m")},
		{"90w", 0, NO_TIME("90w")},
		{"90ms", 0, NO_TIME("90ms")},
		{"d", 0, NO_TIME("d")},
		{"", 0, NO_TIME("")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_number(&key, &rows[i]);
}

static void a_long_value_is_quoted_in_part(void **state)
{
	static const struct yaml_key key = {.name = "n", .type = YAML_WHOLE};
	static char text[1000];
	char problem[YAML_PROBLEM_SIZE];
	int64_t value;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_string_equal(NOT_WHOLE("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
		yaml_value_set(&key, text, "/etc", &value, problem));
}

static void only_true_and_false_are_either(void **state)
{
	static const struct yaml_key key = {.name = "b", .type = YAML_BOOL};
	static const char *const wrong[] = {
		"True", "TRUE", "yes", "no", "on", "1", "0", "", "truee", "~"};
	char problem[YAML_PROBLEM_SIZE];
	bool value = false;

	(void)state;
	assert_null(yaml_value_set(&key, "true", "/etc", &value, problem));
	assert_true(value);
	assert_null(yaml_value_set(&key, "false", "/etc", &value, problem));
	assert_false(value);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_non_null(yaml_value_set(&key, wrong[i], "/etc", &value, problem));
	assert_string_equal("\"b\" is \"yes\": wanted true or false",
		yaml_value_set(&key, "yes", "/etc", &value, problem));
}

static void a_text_has_as_many_bytes_as_its_key_wants(void **state)
{
	static const struct {
		int64_t min, max;
		const char *text, *says;
	} rows[] = {
		{1, 3, "a", NULL},
		{1, 3, "abc", NULL},
		{1, 3, "", "\"s\": wanted 1 to 3 characters"},
		{1, 3, "abcd", "\"s\": wanted 1 to 3 characters"},
		{1, 3, "\xc3\xa9\xc3\xa9", "\"s\": wanted 1 to 3 characters"},
		{0, 3, "", NULL},
		{0, 0, "as long as it likes", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct yaml_key key = {
			.name = "s", .type = YAML_TEXT, .min = rows[i].min, .max = rows[i].max};
		AUTO(mem_free) char *value = NULL;
		char problem[YAML_PROBLEM_SIZE];
		const char *wrong = yaml_value_set(&key, rows[i].text, "/etc", &value, problem);

		if (rows[i].says == NULL) {
			assert_null(wrong);
			assert_string_equal(rows[i].text, value);
		} else {
			assert_non_null(wrong);
			assert_string_equal(rows[i].says, wrong);
			assert_null(value);
		}
	}
}

static void a_choice_is_one_of_those_listed(void **state)
{
	static const char *const choices[] = {"red", "green", NULL};
	static const struct yaml_key key = {.name = "c", .type = YAML_TEXT, .choices = choices};
	AUTO(mem_free) char *value = NULL;
	char problem[YAML_PROBLEM_SIZE];

	(void)state;
	assert_string_equal("\"c\" is \"blue\": wanted one of red, green",
		yaml_value_set(&key, "blue", "/etc", &value, problem));
	assert_non_null(yaml_value_set(&key, "gre", "/etc", &value, problem));
	assert_non_null(yaml_value_set(&key, "Green", "/etc", &value, problem));
	assert_null(value);
	assert_null(yaml_value_set(&key, "green", "/etc", &value, problem));
	assert_string_equal("green", value);
}

static void more_choices_than_fit_are_cut(void **state)
{
	static char word[200];
	const char *const choices[] = {word, word, word, NULL};
	const struct yaml_key key = {.name = "c", .type = YAML_TEXT, .choices = choices};
	char *value = NULL, problem[YAML_PROBLEM_SIZE];

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	assert_non_null(yaml_value_set(&key, "x", "/etc", &value, problem));
	assert_int_equal(YAML_PROBLEM_SIZE - 1, strlen(problem));
}

static void a_path_starts_from_the_files_directory(void **state)
{
	static const struct yaml_key key = {.name = "p", .type = YAML_PATH};
	static const struct {
		const char *text, *path;
	} rows[] = {{"key", "/etc/key"}, {"a/b", "/etc/a/b"}, {"../b", "/etc/../b"}, {"/b", "/b"}};
	char problem[YAML_PROBLEM_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(mem_free) char *value = NULL;

		assert_null(yaml_value_set(&key, rows[i].text, "/etc", &value, problem));
		assert_string_equal(rows[i].path, value);
	}
}

static void an_empty_path_is_none(void **state)
{
	static const struct yaml_key key = {.name = "p", .type = YAML_PATH};
	char *value = NULL, problem[YAML_PROBLEM_SIZE];

	(void)state;
	assert_string_equal(
		"\"p\" is empty: wanted a path", yaml_value_set(&key, "", "/etc", &value, problem));
	assert_null(value);
}

static void a_map_or_a_list_is_no_single_value(void **state)
{
	static const struct yaml_key map = {.name = "m", .type = YAML_MAP};
	static const struct yaml_key list = {.name = "l", .type = YAML_LIST};
	char problem[YAML_PROBLEM_SIZE];
	int64_t value;

	(void)state;
	assert_non_null(yaml_value_set(&map, "x", "/etc", &value, problem));
	assert_non_null(yaml_value_set(&list, "x", "/etc", &value, problem));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_number_is_decimal),
		cmocka_unit_test(a_whole_number_lies_in_its_range),
		cmocka_unit_test(a_time_has_a_unit_and_lies_in_its_range),
		cmocka_unit_test(a_long_value_is_quoted_in_part),
		cmocka_unit_test(only_true_and_false_are_either),
		cmocka_unit_test(a_text_has_as_many_bytes_as_its_key_wants),
		cmocka_unit_test(a_choice_is_one_of_those_listed),
		cmocka_unit_test(more_choices_than_fit_are_cut),
		cmocka_unit_test(a_path_starts_from_the_files_directory),
		cmocka_unit_test(an_empty_path_is_none),
		cmocka_unit_test(a_map_or_a_list_is_no_single_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
