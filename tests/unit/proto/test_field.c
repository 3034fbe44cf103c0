#include "enroll/proto/field.h"

#include "tests/unit/check.h"

struct thing {
	char name[4], note[4];
	int64_t count;
};
static const struct field fields[] = {
	FIELD_TEXT(thing, name), FIELD_TEXT_OR_NONE(thing, note), FIELD_NUMBER(thing, count)};

static enum err parse(const char *text, struct thing *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(view_str(text), &object));
	return fields_read(object, fields, COUNT(fields), out);
}

static void what_is_read_is_written_again(void **state)
{
	static const char *const texts[] = {"{\"name\":\"abc\",\"note\":\"x\",\"count\":-1}",
		"{\"name\":\"\",\"count\":9223372036854775807}"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(buf_free) struct buf out = BUF(256);
		struct thing thing = {.note = "old"};
		json_t *object = json_object();

		assert_ok(parse(texts[i], &thing));
		fields_put(object, fields, COUNT(fields), &thing);
		assert_ok(json_write(object, &out));
		assert_string_equal(texts[i], buf_text(&out));
	}
}

static void each_field_is_there_of_its_type_and_has_room(void **state)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{"{\"note\":\"x\",\"count\":1}", "json-key-missing"},
		{"{\"name\":\"a\"}", "json-key-missing"},
		{"{\"name\":1,\"count\":1}", "json-type"},
		{"{\"name\":\"a\",\"note\":null,\"count\":1}", "json-type"},
		{"{\"name\":\"a\",\"count\":\"1\"}", "json-type"},
		{"{\"name\":\"a\",\"count\":1.5}", "json-type"},
		{"{\"name\":\"abcd\",\"count\":1}", "field-too-long"},
		{"{\"name\":\"a\",\"note\":\"abcd\",\"count\":1}", "field-too-long"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct thing thing;

		assert_refused_in(
			rows[i].text, parse(rows[i].text, &thing), ERR_MALFORMED, rows[i].code);
	}
}

static void a_flag_is_true_or_false(void **state)
{
	AUTO(json_free) json_t *object = NULL;
	bool flag = false;

	(void)state;
	assert_ok(json_read(view_str("{\"yes\":true,\"no\":false,\"one\":1}"), &object));
	assert_ok(json_flag(object, "yes", &flag));
	assert_true(flag);
	assert_ok(json_flag(object, "no", &flag));
	assert_false(flag);
	assert_refused(json_flag(object, "one", &flag), ERR_MALFORMED, "json-type");
	assert_refused(json_flag(object, "none", &flag), ERR_MALFORMED, "json-key-missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_again),
		cmocka_unit_test(each_field_is_there_of_its_type_and_has_room),
		cmocka_unit_test(a_flag_is_true_or_false),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
