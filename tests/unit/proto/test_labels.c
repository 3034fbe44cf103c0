#include "enroll/proto/labels.h"
#include "tests/unit/check.h"

#include <string.h>

static void pairs_become_an_object_and_come_back(void **state)
{
	static const char *const rows[][2] = {
		{"", "{}"},
		{"rack=7", "{\"rack\":\"7\"}"},
		{"rack=7;site=fra", "{\"rack\":\"7\",\"site\":\"fra\"}"},
		{"a=", "{\"a\":\"\"}"},
		{"a=b=c", "{\"a\":\"b=c\"}"},
		{"a=\"quoted\"", "{\"a\":\"\\\"quoted\\\"\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf json = BUF(LIMIT_LABELS), pairs = BUF(LIMIT_LABELS);

		assert_ok(labels_from_pairs(rows[i][0], &json));
		assert_string_equal(rows[i][1], buf_text(&json));
		assert_ok(labels_to_pairs(buf_text(&json), &pairs));
		assert_string_equal(rows[i][0], buf_text(&pairs));
	}
}

static void what_is_no_label_is_refused(void **state)
{
	static const char *const rows[] = {"rack", "=7", "a b=7", "a=1;a=2", "a=\t", "a=\x7f",
		"a=\xff", "a;b=1",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=65"};
	AUTO(buf_free) struct buf long_text = BUF(1024), many = BUF(4096);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf json = BUF(LIMIT_LABELS);

		assert_refused(labels_from_pairs(rows[i], &json), ERR_MALFORMED, "labels");
	}
	buf_str(&long_text, "a=");
	for (int i = 0; i <= LIMIT_LABEL_TEXT; i++)
		buf_str(&long_text, "x");
	for (int i = 0; i <= LABELS_MAX; i++)
		buf_fmt(&many, "a%d=1;", i);
	{
		AUTO(buf_free) struct buf json = BUF(LIMIT_LABELS);

		assert_refused(
			labels_from_pairs(buf_text(&long_text), &json), ERR_MALFORMED, "labels");
		assert_refused(labels_from_pairs(buf_text(&many), &json), ERR_MALFORMED, "labels");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_become_an_object_and_come_back),
		cmocka_unit_test(what_is_no_label_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
