#include "enroll/proto/audit.h"
#include "enroll/proto/binding.h"
#include "enroll/proto/hosts.h"
#include "enroll/proto/record.h"

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void a_list_comes_back_as_it_was_sent(void **state)
{
	AUTO(record_list_free) struct record_list sent, got;
	AUTO(buf_free) struct buf json = BUF(4096), member = BUF(256);

	(void)state;
	assert_int_equal(OK, record_list_init(&sent, 2));
	for (size_t i = 0; i < 2; i++) {
		record_put_number(sent.items[i], "id", (int64_t)i + 1);
		record_put_number(sent.items[i], "at", 1800000000);
		record_put_text(sent.items[i], "event", "enroll.issued");
		record_put_json(sent.items[i], "serials", "[\"01\",\"02\"]");
	}
	snprintf(sent.next, sizeof(sent.next), "i1");
	assert_int_equal(OK, record_list_encode(&sent, &audit_shape, &json));
	assert_int_equal(OK, record_list_parse(buf_view(&json), &audit_shape, &got));
	assert_int_equal(2, got.n);
	assert_string_equal("i1", got.next);
	assert_int_equal(2, record_number(got.items[1], "id"));
	assert_string_equal("enroll.issued", record_text(got.items[1], "event"));
	assert_string_equal("02", record_item_text(got.items[0], "serials", 1));
	assert_null(record_item_text(got.items[0], "serials", 2));
	assert_string_equal("", record_text(got.items[0], "who"));
	assert_int_equal(0, record_number(got.items[0], "event"));
	assert_false(record_has(got.items[0], "who"));
	record_member(got.items[0], "serials", &member);
	assert_string_equal("[\"01\",\"02\"]", buf_text(&member));
}

static void a_text_that_is_no_json_is_not_sent(void **state)
{
	AUTO(record_free) struct record *record = NULL;
	AUTO(buf_free) struct buf json = BUF(4096);

	(void)state;
	assert_int_equal(OK, record_new(&record));
	record_put_json(record, "labels", "{\"a\":");
	assert_int_equal(ERR_INTERNAL, record_encode(record, &json));
}

static void what_is_not_of_the_shape_is_refused(void **state)
{
	static const struct {
		const char *json, *code;
	} rows[] = {
		{"{\"hosts\":[]}", NULL},
		{"{\"hosts\":[{\"host\":\"a.example.org\"}],\"next\":\"h\"}", NULL},
		{"{\"hosts\":[{}]}", "json-key-missing"},
		{"{\"hosts\":[{\"host\":7}]}", "json-type"},
		{"{\"hosts\":[{\"host\":\"a\",\"alias\":\"yes\"}]}", "json-type"},
		{"{\"hosts\":[{\"host\":\"a\",\"bound_at\":\"1\"}]}", "json-type"},
		{"{\"hosts\":[{\"host\":\"a\",\"more\":1}]}", "json-key-unknown"},
		{"{\"hosts\":[\"a\"]}", "json-type"},
		{"{\"hosts\":{}}", "json-type"},
		{"{\"hosts\":[],\"next\":1}", "json-type"},
		{"{\"hosts\":[],\"other\":1}", "json-key-unknown"},
		{"{\"devices\":[]}", "json-key-unknown"},
		{"{}", "json-key-missing"},
		{"[]", "json"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(record_list_free) struct record_list list;
		struct view json = view_str(rows[i].json);
		enum err err = record_list_parse(json, &hosts_shape, &list);

		assert_int_equal(rows[i].code == NULL ? OK : ERR_MALFORMED, err);
		if (rows[i].code != NULL)
			assert_string_equal(rows[i].code, why()->code);
	}
}

static void what_changes_labels_is_read_or_refused(void **state)
{
	static const struct {
		const char *json, *set, *remove, *code;
	} rows[] = {
		{"{\"device_id\":\"ab\",\"set\":{\"a\":\"b\"},\"why\":\"w\"}", "{\"a\":\"b\"}",
			"[]", NULL},
		{"{\"device_id\":\"ab\",\"remove\":[\"a\"],\"why\":\"w\"}", "{}", "[\"a\"]", NULL},
		{"{\"device_id\":\"ab\",\"why\":\"w\"}", NULL, NULL, "labels"},
		{"{\"device_id\":\"ab\",\"set\":{},\"remove\":[],\"why\":\"w\"}", NULL, NULL,
			"labels"},
		{"{\"device_id\":\"ab\",\"set\":{\"a\":1},\"why\":\"w\"}", NULL, NULL, "labels"},
		{"{\"device_id\":\"ab\",\"set\":{\"a b\":\"c\"},\"why\":\"w\"}", NULL, NULL,
			"labels"},
		{"{\"device_id\":\"ab\",\"set\":{\"a\":\"b\"},\"remove\":\"a\",\"why\":\"w\"}",
			NULL, NULL, "labels"},
		{"{\"device_id\":\"ab\",\"remove\":[1],\"why\":\"w\"}", NULL, NULL, "labels"},
		{"{\"device_id\":\"ab\",\"remove\":[\"a\"]}", NULL, NULL, "json-key-missing"},
		{"{\"remove\":[\"a\"],\"why\":\"w\"}", NULL, NULL, "json-key-missing"},
		{"{\"device_id\":\"ab\",\"remove\":[\"a\"],\"why\":\"w\",\"x\":1}", NULL, NULL,
			"json-key-unknown"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(label_request_free) struct label_request request;
		enum err err;

		label_request_init(&request);
		err = label_request_parse(view_str(rows[i].json), &request);
		if (rows[i].code != NULL) {
			assert_int_equal(ERR_MALFORMED, err);
			assert_string_equal(rows[i].code, why()->code);
			continue;
		}
		assert_int_equal(OK, err);
		assert_string_equal(rows[i].set, buf_text(&request.set));
		assert_string_equal(rows[i].remove, buf_text(&request.remove));
	}
}

static void a_rebinding_comes_back_as_it_was_sent(void **state)
{
	const struct rebind_request sent = {"a.example.org", "00ff", "swapped"};
	const struct rebind_answer told = {"a.example.org", "ab", 3};
	struct rebind_request request;
	struct rebind_answer answer;
	AUTO(buf_free) struct buf a = BUF(4096), b = BUF(4096);

	(void)state;
	assert_int_equal(OK, rebind_request_encode(&sent, &a));
	assert_int_equal(OK, rebind_request_parse(buf_view(&a), &request));
	assert_string_equal("00ff", request.ek_digest);
	assert_int_equal(OK, rebind_answer_encode(&told, &b));
	assert_int_equal(OK, rebind_answer_parse(buf_view(&b), &answer));
	assert_int_equal(3, answer.revoked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_comes_back_as_it_was_sent),
		cmocka_unit_test(a_text_that_is_no_json_is_not_sent),
		cmocka_unit_test(what_is_not_of_the_shape_is_refused),
		cmocka_unit_test(what_changes_labels_is_read_or_refused),
		cmocka_unit_test(a_rebinding_comes_back_as_it_was_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
