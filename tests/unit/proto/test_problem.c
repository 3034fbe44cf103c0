#include "enroll/proto/problem.h"
#include "faults.h"

static void a_refusal_is_written_as_rfc_9457_has_it(void **state)
{
	const struct reason reason = {
		ERR_REJECTED, "ek-usage", "RFC 5280 4.2.1.3", "it \"may\" not"};
	AUTO(buf_free) struct buf json = BUF(4096);

	(void)state;
	assert_ok(problem_encode(&reason, "r-1", &json));
	assert_string_equal("{\"type\":\"urn:endorse:error:ek-usage\","
			    "\"title\":\"Evidence rejected\",\"status\":422,"
			    "\"detail\":\"it \\\"may\\\" not\",\"reason\":\"RFC 5280 4.2.1.3\","
			    "\"request_id\":\"r-1\"}",
		buf_text(&json));
}

static void a_written_problem_is_read_back(void **state)
{
	const struct reason reason = {ERR_BUSY, "busy", "RFC 9110 15.6.4", "try again"};
	AUTO(buf_free) struct buf json = BUF(4096);
	struct problem problem;

	(void)state;
	assert_ok(problem_encode(&reason, "r-1", &json));
	memset(&problem, 0xa5, sizeof(problem));
	assert_ok(problem_parse(buf_view(&json), &problem));
	assert_int_equal(503, problem.status);
	assert_string_equal("busy", problem.code);
	assert_string_equal("try again", problem.detail);
	assert_string_equal("RFC 9110 15.6.4", problem.reason);
	assert_string_equal("r-1", problem.request_id);
}

/* A sentence quotes what a stranger sent, and is cut: perhaps within a character. */
static void a_sentence_cut_within_a_character_is_still_written(void **state)
{
	static const struct {
		const char *sentence, *detail;
	} rows[] = {
		{"the key \"\xc3\" is not one", "the key \"?\" is not one"},
		{"\xc3\xa9", "??"},
		{"\xff\xfe", "??"},
		{"one\ntwo\x7f\x1b[0m", "one?two??[0m"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct reason reason = {
			ERR_MALFORMED, "json-key-unknown", "x", rows[i].sentence};
		AUTO(buf_free) struct buf json = BUF(4096);
		struct problem problem;

		assert_ok(problem_encode(&reason, "r-1", &json));
		assert_ok(problem_parse(buf_view(&json), &problem));
		assert_string_equal(rows[i].detail, problem.detail);
	}
}

static void a_list_of_what_is_wrong_goes_with_a_problem(void **state)
{
	const struct reason reason = {
		ERR_REJECTED, "configuration-wrong", "PROTOCOL admin", "2 problem(s)"};
	AUTO(buf_free) struct buf json = BUF(4096), none = BUF(4096), lines = BUF(4096);
	struct problem problem;

	(void)state;
	assert_ok(problem_encode_list(&reason, "r-1", view_str("a:1:1: one\nb: two\n"), &json));
	assert_ok(problem_parse(buf_view(&json), &problem));
	assert_string_equal("configuration-wrong", problem.code);
	assert_ok(problem_list_parse(buf_view(&json), &lines));
	assert_string_equal("a:1:1: one\nb: two\n", buf_text(&lines));
	buf_free(&lines);
	assert_ok(problem_encode(&reason, "r-1", &none));
	assert_ok(problem_list_parse(buf_view(&none), &lines));
	assert_int_equal(0, lines.n);
	assert_refused(problem_list_parse(view_str("[]"), &lines), ERR_MALFORMED, "json");
}

static void a_problem_without_room_for_it_is_not_written(void **state)
{
	const struct reason reason = {ERR_BUSY, "busy", "RFC 9110 15.6.4", "try again"};
	AUTO(buf_free) struct buf json = BUF(64);

	(void)state;
	assert_refused(problem_encode(&reason, "r-1", &json), ERR_TOO_LARGE, "too-large");
}

static void a_problem_without_a_request_id_is_not_written(void **state)
{
	const struct reason reason = {ERR_BUSY, "busy", "RFC 9110 15.6.4", "try again"};
	AUTO(buf_free) struct buf json = BUF(4096);

	(void)state;
	assert_refused(problem_encode(&reason, NULL, &json), ERR_INTERNAL, "json-write");
}

static void what_is_no_json_object_is_no_problem_document(void **state)
{
	static const char *const texts[] = {
		"", "<html>", "[]", "null", "{\"status\":1,\"status\":2}", "{} x"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct problem problem;

		assert_refused(problem_parse(view_str(texts[i]), &problem), ERR_MALFORMED, "json");
	}
}

static void a_problem_of_somebody_else_has_no_code(void **state)
{
	static const struct {
		const char *json, *code;
	} rows[] = {
		{"{\"type\":\"urn:endorse:error:busy\"}", "busy"},
		{"{\"type\":\"urn:endorse:error:\"}", ""},
		{"{\"type\":\"urn:endorse:erro\"}", ""},
		{"{\"type\":\"URN:endorse:error:busy\"}", ""},
		{"{\"type\":\"xurn:endorse:error:busy\"}", ""},
		{"{\"type\":\"about:blank\"}", ""},
		{"{\"type\":\"urn:ietf:params:acme:error:malformed\"}", ""},
		{"{\"type\":17}", ""},
		{"{}", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct problem problem;

		assert_ok(problem_parse(view_str(rows[i].json), &problem));
		assert_string_equal(rows[i].code, problem.code);
	}
}

static void what_has_another_type_is_taken_as_absent(void **state)
{
	struct problem problem;

	(void)state;
	memset(&problem, 0xa5, sizeof(problem));
	assert_ok(problem_parse(
		view_str("{\"type\":null,\"status\":\"500\",\"detail\":[],\"reason\":{},"
			 "\"request_id\":1,\"instance\":\"/x\",\"extra\":{}}"),
		&problem));
	assert_int_equal(0, problem.status);
	assert_string_equal("", problem.code);
	assert_string_equal("", problem.detail);
	assert_string_equal("", problem.reason);
	assert_string_equal("", problem.request_id);
}

static void what_is_longer_than_its_room_is_cut(void **state)
{
	AUTO(buf_free) struct buf json = BUF(1 << 16);
	static char text[5001];
	struct problem problem;

	(void)state;
	memset(text, 'x', 5000);
	buf_fmt(&json,
		"{\"type\":\"urn:endorse:error:%s\",\"detail\":\"%s\",\"reason\":\"%s\","
		"\"request_id\":\"%s\"}",
		text, text, text, text);
	assert_ok(problem_parse(buf_view(&json), &problem));
	assert_int_equal(sizeof(problem.code) - 1, strlen(problem.code));
	assert_int_equal(sizeof(problem.detail) - 1, strlen(problem.detail));
	assert_int_equal(sizeof(problem.reason) - 1, strlen(problem.reason));
	assert_int_equal(sizeof(problem.request_id) - 1, strlen(problem.request_id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_written_as_rfc_9457_has_it),
		cmocka_unit_test(a_written_problem_is_read_back),
		cmocka_unit_test(a_sentence_cut_within_a_character_is_still_written),
		cmocka_unit_test(a_list_of_what_is_wrong_goes_with_a_problem),
		cmocka_unit_test(a_problem_without_room_for_it_is_not_written),
		cmocka_unit_test(a_problem_without_a_request_id_is_not_written),
		cmocka_unit_test(what_is_no_json_object_is_no_problem_document),
		cmocka_unit_test(a_problem_of_somebody_else_has_no_code),
		cmocka_unit_test(what_has_another_type_is_taken_as_absent),
		cmocka_unit_test(what_is_longer_than_its_room_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
