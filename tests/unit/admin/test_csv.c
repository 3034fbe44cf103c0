#include "enroll/admin/csv.h"
#include "tests/unit/check.h"

#include <string.h>

/* The records of a text, fields joined by "|", records by "/"; a bad one is "!". */
static void read_all(struct view text, struct buf *out)
{
	AUTO(csv_record_free) struct csv_record record = {0};
	struct csv csv;
	enum err err;

	csv_begin(text, &csv);
	while (csv_next(&csv, &record, &err)) {
		buf_fmt(out, "%s%zu:", out->n > 0 ? "/" : "", record.line);
		for (size_t i = 0; err == OK && i < record.n; i++)
			buf_fmt(out, "%s%s", i > 0 ? "|" : "", record.field[i]);
		if (err != OK) {
			assert_string_equal("csv", why()->code);
			buf_str(out, "!");
		}
		csv_record_free(&record);
	}
	csv_record_free(&record);
}

static void records_are_read_as_rfc_4180_writes_them(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{"", ""},
		{"\n\r\n\n", ""},
		{"a", "1:a"},
		{"a,b\r\nc,d\r\n", "1:a|b/2:c|d"},
		{"a,b\nc,d", "1:a|b/2:c|d"},
		{"a,\n,b\n,\n", "1:a|/2:|b/3:|"},
		{"\n\na\n", "3:a"},
		{"\"a\",\"b,c\",\"d\"\"e\"\n", "1:a|b,c|d\"e"},
		{"\"\"\n", "1:"},
		{"\"a\nb\",c\nd\n", "1:a\nb|c/3:d"},
		{"\"a\r\nb\"\r\nd", "1:a\r\nb/3:d"},
		{" a , b \n", "1: a | b "},
		{"\xef\xbb\xbf"
		 "a\n",
			"1:a"},
		{"\xc3\xa9,\xe2\x82\xac\n", "1:\xc3\xa9|\xe2\x82\xac"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(4096);

		read_all(view_str(rows[i].text), &out);
		assert_string_equal(rows[i].wanted, buf_text(&out));
	}
}

static void what_is_wrong_spoils_its_own_line_and_no_other(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{"a\"b\nc\n", "1:!/2:c"},
		{"\"a\"b\nc\n", "1:!/2:c"},
		{"\"a\" ,b\nc\n", "1:!/2:c"},
		{"\"a\nb\nc\n", "1:!/2:b/3:c"},
		{"a\rb\nc\n", "1:!/2:c"},
		{"\"", "1:!"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(4096);

		read_all(view_str(rows[i].text), &out);
		assert_string_equal(rows[i].wanted, buf_text(&out));
	}
}

static void a_nul_is_no_text(void **state)
{
	static const uint8_t plain[] = {'a', 0, 'b', '\n', 'c'};
	static const uint8_t quoted[] = {'"', 'a', 0, '"', '\n', 'c'};
	AUTO(buf_free) struct buf one = BUF(64), two = BUF(64);

	(void)state;
	read_all(VIEW(plain), &one);
	assert_string_equal("1:!/2:c", buf_text(&one));
	read_all(VIEW(quoted), &two);
	assert_string_equal("1:!/2:c", buf_text(&two));
}

static void a_record_has_its_limits(void **state)
{
	AUTO(buf_free) struct buf fields = BUF(4096), bytes = BUF(1 << 20), out = BUF(1 << 20);

	(void)state;
	for (int i = 0; i < CSV_FIELDS; i++)
		buf_str(&fields, ",");
	buf_str(&fields, "\nb");
	read_all(buf_view(&fields), &out);
	assert_string_equal("1:!/2:b", buf_text(&out));
	buf_free(&out);
	for (int i = 0; i < CSV_RECORD; i++)
		buf_u8(&bytes, 'x');
	buf_str(&bytes, "\nb");
	read_all(buf_view(&bytes), &out);
	assert_string_equal("1:!/2:b", buf_text(&out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read_as_rfc_4180_writes_them),
		cmocka_unit_test(what_is_wrong_spoils_its_own_line_and_no_other),
		cmocka_unit_test(a_nul_is_no_text),
		cmocka_unit_test(a_record_has_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
