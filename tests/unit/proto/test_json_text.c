#include "enroll/proto/json_text.h"

#include "enroll/proto/json.h"
#include "tests/unit/check.h"

/* jansson is the second opinion; what it reads is in the form in which it writes. */
static const char *const texts[] = {
	"{}",
	"[]",
	"{\"b\":1,\"a\":-2}",
	"{\"a\":[[],{},[true,false]],\"b\":{\"c\":{}}}",
	"\"\"",
	"\"plain text = {}, [] ~ 'x'\"",
	"\"a \\\"quoted\\\" \\\\ word\"",
	"\"a/b\"",
	"\"\\n\\t\\u0001\"",
	"\"\x7f\"",
	"\"\\u00E9\\u20AC\\uD83D\\uDE00\"",
	"\"nul \\u0000 inside\"",
	"{\"k\\u00E9y\":\"v\",\"\\\"\":{\"\\n\":\"\"}}",
	"9223372036854775807",
	"-0.5",
	"true",
	"false",
	"[null]",
};

static void what_is_written_is_what_jansson_writes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(json_free)
		json_t *value = json_loads(texts[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		AUTO(mem_free)
		char *wanted =
			json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
		AUTO(buf_free) struct buf out = BUF(1000);

		assert_non_null(wanted);
		assert_true(json_text_add(value, &out));
		assert_string_equal(wanted, buf_text(&out));
	}
}

static void a_buffer_that_is_too_small_says_so(void **state)
{
	AUTO(json_free) json_t *value = json_string("0123456789");
	AUTO(buf_free) struct buf out = BUF(11);

	(void)state;
	assert_true(json_text_add(value, &out));
	assert_true(out.failed);
}

static bool stands_alone(int c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static void plain_text_ends_before_what_has_to_be_escaped_wherever_that_is(void **state)
{
	uint8_t text[70];

	(void)state;
	for (int c = 0; c <= UINT8_MAX; c++)
		for (size_t at = 0; at < sizeof(text); at++) {
			memset(text, 'x', sizeof(text));
			text[at] = (uint8_t)c;
			assert_int_equal(
				json_plain(VIEW(text)), stands_alone(c) ? sizeof(text) : at);
		}
	assert_int_equal(json_plain((struct view){text, 0}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_what_jansson_writes),
		cmocka_unit_test(a_buffer_that_is_too_small_says_so),
		cmocka_unit_test(plain_text_ends_before_what_has_to_be_escaped_wherever_that_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
