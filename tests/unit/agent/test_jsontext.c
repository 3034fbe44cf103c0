#include "enroll/agent/jsontext.h"

#include <cmocka.h>

static void members_are_written_in_their_order(void **state)
{
	AUTO(buf_free) struct buf out = BUF(1024);

	(void)state;
	jsontext_begin(&out);
	jsontext_string(&out, "a", "x");
	jsontext_string(&out, "b", NULL);
	jsontext_bool(&out, "d", true);
	jsontext_end(&out);
	assert_int_equal(OK, buf_ok(&out));
	assert_string_equal(
		"{\n  \"a\": \"x\",\n  \"b\": null,\n  \"d\": true\n}\n", buf_text(&out));
}

static void strings_are_escaped(void **state)
{
	static const char *const cases[][2] = {
		{"\"\\/", "\"\\\"\\\\/\""}, {"a\nb\x01\x7f", "\"a\\u000ab\\u0001\\u007f\""},
		{"\xc3\xbc", "\"\xc3\xbc\""}, {"\xf0\x9f\x94\x91", "\"\xf0\x9f\x94\x91\""},
		{"\xff", "\"\\ufffd\""}, /* never in UTF-8 */
		{"\xc3", "\"\\ufffd\""}, /* cut off */
		{"\xc0\xaf", "\"\\ufffd\\ufffd\""}, /* overlong */
		{"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""},
		{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* a surrogate */
		{"\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* beyond U+10FFFF */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_free) struct buf out = BUF(1024);
		AUTO(buf_free) struct buf wanted = BUF(1024);

		jsontext_begin(&out);
		jsontext_string(&out, "k", cases[i][0]);
		buf_fmt(&wanted, "{\n  \"k\": %s", cases[i][1]);
		assert_string_equal(buf_text(&wanted), buf_text(&out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_written_in_their_order),
		cmocka_unit_test(strings_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
