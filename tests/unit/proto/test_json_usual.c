#include "enroll/proto/json_usual.h"

#include "enroll/proto/json.h"
#include "tests/unit/check.h"

static void what_is_usual_is_read_as_jansson_reads_it(void **state)
{
	static const char *const texts[] = {
		"{}",
		" {\t} \r\n",
		"{\"a\":\"b\"}",
		"{\"a\" : \"b\" , \"c\" : [ ] }",
		"{\"a\":[{},{\"b\":[\"c\",\"\"]}],\"\":{}}",
		"{\"n\":0,\"m\":[1,20,123456789012345]}",
		"{\"t\":true,\"f\":[false , true]}",
		"{\"a\":\"~ {}[],:'/\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(json_free) json_t *read = json_usual_read(view_str(texts[i]));
		AUTO(json_free) json_t *wanted = json_loads(texts[i], 0, NULL);

		assert_non_null(wanted);
		assert_non_null(read);
		assert_true(json_equal(read, wanted));
	}
}

static void what_is_not_is_left_to_jansson(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"[]",
		"\"a\"",
		"1",
		"{",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{,}",
		"{\"a\":[1,]}",
		"{\"a\":[1}",
		"{\"a\":1 2}",
		"{\"a\":1}x",
		"{\"a\":1}{}",
		"{\"a\":\"b}",
		"{\"a\":\"b\t\"}",
		"{\"a\":\"\\n\"}",
		"{\"a\":\"\x7f\"}",
		"{\"a\":\"\xc3\xa9\"}",
		"{\"a\":-1}",
		"{\"a\":01}",
		"{\"a\":1.5}",
		"{\"a\":1e2}",
		"{\"a\":1234567890123456}",
		"{\"a\":null}",
		"{\"a\":tru}",
		"{\"a\":truest}",
		"{\"a\":1,\"a\":1}",
		"{\"0123456789012345678901234567890123456789012345678901234567890123x\":1}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(json_free) json_t *read = json_usual_read(view_str(texts[i]));

		assert_null(read);
	}
	assert_null(json_usual_read((struct view){(const uint8_t *)"{\0}", 3}));
	assert_null(json_usual_read((struct view){(const uint8_t *)"{}\0", 3}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_usual_is_read_as_jansson_reads_it),
		cmocka_unit_test(what_is_not_is_left_to_jansson),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
