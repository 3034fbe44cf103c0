#include "enroll/proto/json.h"

#include "enroll/proto/limits.h"
#include "faults.h"

static void an_object_is_read_whole(void **state)
{
	AUTO(json_free) json_t *object = NULL;

	(void)state;
	assert_ok(json_read(view_str(" {\"a\": [1, {}]} \n"), &object));
	assert_true(json_is_object(object));
	json_free(&object);
	assert_null(object);
	json_free(&object);
}

static enum err parse(struct view json)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	return JSON_ONLY(object, "one", "two");
}

static void what_is_not_one_json_object_is_refused(void **state)
{
	(void)state;
	try_text("{\"one\":1,\"two\":{\"three\":[]}}", parse);
}

static void keys_there_twice_are_refused_at_any_depth(void **state)
{
	static const char *const texts[] = {
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"\\u0061\":1}",
		"{\"a\":{\"b\":1,\"b\":2}}",
		"{\"a\":[{\"b\":1,\"b\":2}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		json_t *object = NULL;

		assert_refused_in(
			texts[i], json_read(view_str(texts[i]), &object), ERR_MALFORMED, "json");
		assert_null(object);
	}
}

static void only_the_listed_keys_are_taken(void **state)
{
	AUTO(json_free) json_t *object = NULL, *array = json_array();

	(void)state;
	assert_ok(json_read(view_str("{\"a\":1,\"b\":2}"), &object));
	assert_ok(JSON_ONLY(object, "a", "b"));
	assert_ok(JSON_ONLY(object, "c", "b", "a"));
	assert_refused(JSON_ONLY(object, "a"), ERR_MALFORMED, "json-key-unknown");
	assert_refused(JSON_ONLY(array, "a"), ERR_MALFORMED, "json-type");
	assert_refused(JSON_ONLY(NULL, "a"), ERR_MALFORMED, "json-type");
}

static void a_member_is_there_and_of_its_type(void **state)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *value = NULL;

	(void)state;
	assert_ok(json_read(view_str("{\"a\":1,\"b\":null}"), &object));
	assert_ok(json_member(object, "a", JSON_INTEGER, &value));
	assert_int_equal(1, json_integer_value(value));
	value = NULL;
	assert_refused(
		json_member(object, "c", JSON_INTEGER, &value), ERR_MALFORMED, "json-key-missing");
	assert_refused(json_member(object, "a", JSON_STRING, &value), ERR_MALFORMED, "json-type");
	assert_refused(json_member(object, "b", JSON_STRING, &value), ERR_MALFORMED, "json-type");
	assert_null(value);
}

static void a_string_is_as_long_as_its_bytes(void **state)
{
	AUTO(json_free) json_t *object = NULL;
	const char *value;

	(void)state;
	/* four characters, eight bytes */
	assert_ok(json_read(
		view_str("{\"a\":\"\\u00e9\\u00e9\\u00e9\\u00e9\",\"b\":\"\"}"), &object));
	assert_ok(json_string_of(object, "a", 8, &value));
	assert_refused(json_string_of(object, "a", 7, &value), ERR_MALFORMED, "field-too-long");
	assert_ok(json_string_of(object, "b", 0, &value));
	assert_string_equal("", value);
}

static void bytes_of_every_length_have_their_limit(void **state)
{
	(void)state;
	for (size_t max = 0; max < 8; max++)
		for (size_t n = 0; n < 10; n++) {
			AUTO(json_free)
			json_t *value =
				json_from_bytes((struct view){(const uint8_t *)"123456789", n});
			AUTO(buf_free) struct buf out = BUF(16);

			assert_refused(json_bytes_value(value, "k", max, &out),
				n <= max ? OK : ERR_MALFORMED, "field-too-long");
			assert_int_equal(n <= max ? n : 0, out.n);
		}
}

static void bytes_are_appended_to_what_is_there(void **state)
{
	AUTO(json_free) json_t *object = NULL;
	AUTO(buf_free) struct buf out = BUF(4), small = BUF(2);

	(void)state;
	assert_ok(json_read(view_str("{\"a\":\"Zm9v\"}"), &object));
	buf_str(&out, "x");
	assert_ok(json_bytes(object, "a", 3, &out));
	assert_string_equal("xfoo", buf_text(&out));
	assert_refused(json_bytes(object, "a", 3, &small), ERR_TOO_LARGE, "too-large");
	assert_refused(json_bytes(object, "b", 3, &out), ERR_MALFORMED, "json-key-missing");
}

static void a_text_is_compact_ascii(void **state)
{
	AUTO(buf_free) struct buf out = BUF(256);
	json_t *object = json_object();

	(void)state;
	json_put_string(object, "b", "\xc3\xa9\n\"");
	json_put_bytes(object, "a", view_str("foo"));
	json_put_bytes(object, "n", (struct view){NULL, 0});
	assert_ok(json_write(object, &out));
	assert_string_equal("{\"b\":\"\\u00E9\\n\\\"\",\"a\":\"Zm9v\",\"n\":\"\"}", buf_text(&out));
}

static void what_could_not_be_put_is_not_left_out_in_silence(void **state)
{
	(void)state;
	for (int row = 0; row < 6; row++) {
		AUTO(buf_free) struct buf out = BUF(256);
		json_t *object = json_object(), *inner = json_object(), *array = json_array();

		json_put_string(object, "good", "good");
		json_put_string(inner, "good", row == 0 ? "\xff" : "good");
		json_append(array, row == 1 ? NULL : json_string("good"));
		json_put(object, "missing", row == 2 ? NULL : json_string("good"));
		json_put(object, "null", row == 3 ? json_null() : json_string("good"));
		if (row == 4)
			json_put_string(object, "\xff", "good");
		json_append(array, inner);
		json_put(object, "array", array);
		assert_refused(
			json_write(object, &out), row == 5 ? OK : ERR_INTERNAL, "json-write");
		assert_true((row == 5) == (out.n > 0));
	}
}

static void nothing_is_not_written(void **state)
{
	AUTO(buf_free) struct buf out = BUF(256);

	(void)state;
	assert_refused(json_write(NULL, &out), ERR_INTERNAL, "json-write");
}

static void a_text_is_written_up_to_the_room_there_is(void **state)
{
	AUTO(buf_free) struct buf exact = BUF(7), small = BUF(6);

	(void)state;
	assert_ok(json_write(json_pack("{s:i}", "a", 1), &exact));
	assert_string_equal("{\"a\":1}", buf_text(&exact));
	assert_refused(json_write(json_pack("{s:i}", "a", 1), &small), ERR_TOO_LARGE, "too-large");
}

static void lines_come_back_as_they_were_written(void **state)
{
	AUTO(buf_free) struct buf text = BUF(4096), lines = BUF(4096);
	AUTO(json_free) json_t *read = NULL;
	json_t *object = json_object();

	(void)state;
	json_put_lines(object, "none", view_str(""));
	json_put_lines(object, "some", view_str("one\n\ntwo\xff\t\nthree"));
	assert_ok(json_write(object, &text));
	assert_string_equal(
		"{\"none\":[],\"some\":[\"one\",\"\",\"two??\",\"three\"]}", buf_text(&text));
	assert_ok(json_read(buf_view(&text), &read));
	assert_ok(json_lines(read, "absent", &lines));
	assert_ok(json_lines(read, "none", &lines));
	assert_int_equal(0, lines.n);
	assert_ok(json_lines(read, "some", &lines));
	assert_string_equal("one\n\ntwo??\nthree\n", buf_text(&lines));
}

static void what_is_no_list_of_texts_is_refused(void **state)
{
	static const char *const texts[] = {"{\"a\":\"one\"}", "{\"a\":{}}", "{\"a\":null}",
		"{\"a\":[1]}", "{\"a\":[\"one\",null]}", "{\"a\":[[\"one\"]]}"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(json_free) json_t *object = NULL;
		AUTO(buf_free) struct buf lines = BUF(256);

		assert_ok(json_read(view_str(texts[i]), &object));
		assert_refused_in(
			texts[i], json_lines(object, "a", &lines), ERR_MALFORMED, "json-type");
	}
}

static void lines_without_end_are_cut_and_counted(void **state)
{
	AUTO(buf_free) struct buf many = BUF(1 << 20), text = BUF(1 << 20), lines = BUF(1 << 20);
	AUTO(json_free) json_t *read = NULL;
	json_t *object = json_object();

	(void)state;
	for (int i = 0; i < 2000; i++)
		buf_fmt(&many, "%0*d\n", i == 0 ? 2000 : 99, i);
	json_put_lines(object, "a", buf_view(&many));
	assert_ok(json_write(object, &text));
	assert_true(text.n < LIMIT_LINES + 8192);
	assert_ok(json_read(buf_view(&text), &read));
	assert_ok(json_lines(read, "a", &lines));
	assert_int_equal(LIMIT_LINE - 1, strcspn(buf_text(&lines), "\n"));
	assert_non_null(
		strstr(buf_text(&lines), "\nand 1364 more: the service's log has them all\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_read_whole),
		cmocka_unit_test(what_is_not_one_json_object_is_refused),
		cmocka_unit_test(keys_there_twice_are_refused_at_any_depth),
		cmocka_unit_test(only_the_listed_keys_are_taken),
		cmocka_unit_test(a_member_is_there_and_of_its_type),
		cmocka_unit_test(a_string_is_as_long_as_its_bytes),
		cmocka_unit_test(bytes_of_every_length_have_their_limit),
		cmocka_unit_test(bytes_are_appended_to_what_is_there),
		cmocka_unit_test(a_text_is_compact_ascii),
		cmocka_unit_test(what_could_not_be_put_is_not_left_out_in_silence),
		cmocka_unit_test(lines_come_back_as_they_were_written),
		cmocka_unit_test(what_is_no_list_of_texts_is_refused),
		cmocka_unit_test(lines_without_end_are_cut_and_counted),
		cmocka_unit_test(nothing_is_not_written),
		cmocka_unit_test(a_text_is_written_up_to_the_room_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
