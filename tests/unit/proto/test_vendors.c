#include "enroll/proto/trustlist.h"

#include "tests/unit/check.h"

#define ITEM                                                                                       \
	"{\"role\":\"root\",\"manufacturers\":\"any\",\"source\":\"x\",\"path\":\"y\","            \
	"\"certificate\":\"MAA=\"}"

static void an_import_is_read_as_it_was_written(void **state)
{
	AUTO(import_request_free) struct import_request request, read;
	AUTO(buf_free) struct buf json = BUF(1 << 16);

	(void)state;
	assert_ok(import_request_init(&request, 2));
	request.items[0] = (struct import_item){"root", "any", "a", "b", view_str("first")};
	request.items[1] = (struct import_item){"crl", "", "c", "d", view_str("the second")};
	request.n = 2;
	request.is_dry_run = true;
	snprintf(request.why, sizeof(request.why), "because");
	assert_ok(import_request_encode(&request, &json));
	assert_ok(import_request_parse(buf_view(&json), &read));
	assert_int_equal(read.n, 2);
	assert_true(read.is_dry_run);
	assert_string_equal(read.why, "because");
	assert_string_equal(read.items[0].role, "root");
	assert_string_equal(read.items[1].source, "c");
	assert_string_equal(read.items[1].path, "d");
	assert_view_equal(read.items[0].der, view_str("first"));
	assert_view_equal(read.items[1].der, view_str("the second"));
}

static void an_import_is_refused_for_its_only_fault(void **state)
{
	static const struct {
		const char *json, *code;
	} rows[] = {
		{"{\"items\":[" ITEM "],\"why\":\"w\"}", ""},
		{"{\"items\":[],\"why\":\"w\",\"dry_run\":false}", ""},
		{"{\"why\":\"w\"}", "json-key-missing"},
		{"{\"items\":[]}", "json-key-missing"},
		{"{\"items\":{},\"why\":\"w\"}", "json-type"},
		{"{\"items\":[1],\"why\":\"w\"}", "json-type"},
		{"{\"items\":[],\"why\":\"w\",\"dry_run\":1}", "json-type"},
		{"{\"items\":[],\"why\":\"w\",\"force\":true}", "json-key-unknown"},
		{"{\"items\":[{\"role\":\"root\"}],\"why\":\"w\"}", "json-key-missing"},
		{"{\"items\":[{\"role\":\"root\",\"manufacturers\":\"\",\"source\":\"\",\"path\":"
		 "\"\",\"certificate\":\"MAA\"}],\"why\":\"w\"}",
			"base64"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(import_request_free) struct import_request request;

		assert_refused_in(rows[i].json,
			import_request_parse(view_str(rows[i].json), &request),
			rows[i].code[0] == '\0' ? OK : ERR_MALFORMED, rows[i].code);
	}
}

static void more_items_than_there_may_be_are_refused(void **state)
{
	AUTO(import_request_free) struct import_request request;
	AUTO(buf_free) struct buf json = BUF(1 << 20);

	(void)state;
	buf_str(&json, "{\"why\":\"w\",\"items\":[");
	for (int i = 0; i <= LIMIT_IMPORT_ITEMS; i++)
		buf_str(&json, i == 0 ? ITEM : "," ITEM);
	buf_str(&json, "]}");
	assert_ok(buf_ok(&json));
	assert_refused(
		import_request_parse(buf_view(&json), &request), ERR_MALFORMED, "field-too-long");
}

static void an_answer_is_read_as_it_was_written(void **state)
{
	AUTO(import_answer_free) struct import_answer answer, read;
	AUTO(buf_free) struct buf json = BUF(1 << 16);

	(void)state;
	assert_ok(import_answer_init(&answer, 2));
	snprintf(answer.items[0].sha256, SHA256_TEXT, "00aa");
	answer.items[0].result = IMPORT_KNOWN;
	answer.items[1].result = IMPORT_REFUSED;
	snprintf(answer.items[1].reason, sizeof(answer.items[1].reason), "ca-aik");
	snprintf(answer.items[1].sentence, sizeof(answer.items[1].sentence), "it is one");
	assert_ok(import_answer_encode(&answer, &json));
	assert_ok(import_answer_parse(buf_view(&json), &read));
	assert_int_equal(read.n, 2);
	assert_int_equal(read.items[0].result, IMPORT_KNOWN);
	assert_string_equal(read.items[0].sha256, "00aa");
	assert_string_equal(read.items[1].reason, "ca-aik");
	assert_string_equal(read.items[1].sentence, "it is one");
	import_answer_free(&read);
	assert_refused(import_answer_parse(
			       view_str("{\"items\":[{\"sha256\":\"\",\"result\":\"x\"}]}"), &read),
		ERR_MALFORMED, "json-type");
}

static void a_list_is_read_as_it_was_written(void **state)
{
	AUTO(trust_list_free) struct trust_list read;
	AUTO(buf_free) struct buf json = BUF(1 << 16);
	struct json_t *list = trust_list_begin("0011");
	const struct trust_list_item configured = {.sha256 = "aa",
		.role = "root",
		.class = "manufacturer",
		.manufacturers = "any",
		.source = "s",
		.subject = "CN=x",
		.until = 5};
	struct trust_list_item imported = configured;

	(void)state;
	imported.path = "p";
	imported.imported_by = "admin-token";
	imported.why = "w";
	imported.imported_at = 7;
	imported.der = view_str("bytes");
	trust_list_add(list, &configured);
	trust_list_add(list, &imported);
	assert_ok(trust_list_end(list, &json));
	assert_ok(trust_list_parse(buf_view(&json), &read));
	assert_string_equal(read.trust_version, "0011");
	assert_int_equal(read.n, 2);
	assert_null(read.items[0].why);
	assert_int_equal(read.items[0].der.n, 0);
	assert_int_equal(read.items[0].until, 5);
	assert_string_equal(read.items[1].imported_by, "admin-token");
	assert_int_equal(read.items[1].imported_at, 7);
	assert_view_equal(read.items[1].der, view_str("bytes"));
}

static void a_removal_is_read_as_it_was_written(void **state)
{
	struct remove_request request = {"00aa", "because"}, read;
	AUTO(buf_free) struct buf json = BUF(1 << 12);

	(void)state;
	assert_ok(remove_request_encode(&request, &json));
	assert_ok(remove_request_parse(buf_view(&json), &read));
	assert_string_equal(read.sha256, "00aa");
	assert_string_equal(read.why, "because");
	assert_refused(remove_request_parse(view_str("{\"sha256\":\"00\"}"), &read), ERR_MALFORMED,
		"json-key-missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_import_is_read_as_it_was_written),
		cmocka_unit_test(an_import_is_refused_for_its_only_fault),
		cmocka_unit_test(more_items_than_there_may_be_are_refused),
		cmocka_unit_test(an_answer_is_read_as_it_was_written),
		cmocka_unit_test(a_list_is_read_as_it_was_written),
		cmocka_unit_test(a_removal_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
