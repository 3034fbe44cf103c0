#include "enroll/proto/admin.h"
#include "faults.h"

#define REQUEST "{\"host\":\"web-01.example.org\",\"why\":\"mainboard replaced\"}"
#define ANSWER                                                                                     \
	"{\"host\":\"web-01.example.org\",\"device_id\":\"00112233445566778899aabbccddeeff\"}"

#define RELOADED                                                                                   \
	"{\"trust_version\":\"00ff\",\"policy_version\":\"abcd\",\"ca_certificate\":\"0123\","     \
	"\"changes\":[\"policy 00, was 11\",\"edge secret\"],\"warnings\":[\"threads\"]}"

static enum err parse_request(struct view json)
{
	struct unbind_request request;

	return unbind_request_parse(json, &request);
}

static enum err parse_answer(struct view json)
{
	struct unbind_answer answer;

	return unbind_answer_parse(json, &answer);
}

static enum err parse_reloaded(struct view json)
{
	AUTO(reload_answer_free) struct reload_answer answer;

	reload_answer_init(&answer);
	return reload_answer_parse(json, &answer);
}

static void each_body_is_one_whole_json_object_without_unknown_keys(void **state)
{
	(void)state;
	try_text(REQUEST, parse_request);
	try_text(ANSWER, parse_answer);
	try_text(RELOADED, parse_reloaded);
	try_unknown_key(&(struct place){RELOADED, "", parse_reloaded});
	try_unknown_key(&(struct place){REQUEST, "", parse_request});
	try_unknown_key(&(struct place){ANSWER, "", parse_answer});
}

static void no_body_lacks_a_key_has_one_twice_or_of_another_type(void **state)
{
	(void)state;
	try_member(&(struct place){REQUEST, "host", parse_request}, JSON_STRING, true);
	try_member(&(struct place){REQUEST, "why", parse_request}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "host", parse_answer}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "device_id", parse_answer}, JSON_STRING, true);
	try_member(&(struct place){RELOADED, "trust_version", parse_reloaded}, JSON_STRING, true);
	try_member(&(struct place){RELOADED, "policy_version", parse_reloaded}, JSON_STRING, true);
	try_member(&(struct place){RELOADED, "ca_certificate", parse_reloaded}, JSON_STRING, true);
}

static void the_strings_of_each_body_have_their_limits(void **state)
{
	(void)state;
	try_string(&(struct place){REQUEST, "host", parse_request}, 253);
	try_string(&(struct place){REQUEST, "why", parse_request}, 512);
	try_string(&(struct place){ANSWER, "host", parse_answer}, 253);
	try_string(&(struct place){ANSWER, "device_id", parse_answer}, 32);
	try_string(&(struct place){RELOADED, "trust_version", parse_reloaded}, 64);
	try_string(&(struct place){RELOADED, "policy_version", parse_reloaded}, 64);
	try_string(&(struct place){RELOADED, "ca_certificate", parse_reloaded}, 64);
}

static void a_request_comes_back(void **state)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY);
	struct unbind_request request;

	(void)state;
	assert_ok(unbind_request_parse(view_str(REQUEST), &request));
	assert_string_equal("web-01.example.org", request.host);
	assert_string_equal("mainboard replaced", request.why);
	assert_ok(unbind_request_encode(&request, &json));
	assert_string_equal(REQUEST, buf_text(&json));
}

static void an_answer_comes_back(void **state)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY);
	struct unbind_answer answer;

	(void)state;
	assert_ok(unbind_answer_parse(view_str(ANSWER), &answer));
	assert_string_equal("web-01.example.org", answer.host);
	assert_string_equal("00112233445566778899aabbccddeeff", answer.device_id);
	assert_ok(unbind_answer_encode(&answer, &json));
	assert_string_equal(ANSWER, buf_text(&json));
}

static void what_a_reload_brought_comes_back(void **state)
{
	AUTO(reload_answer_free) struct reload_answer answer;
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY);

	(void)state;
	reload_answer_init(&answer);
	assert_ok(reload_answer_parse(view_str(RELOADED), &answer));
	assert_string_equal("00ff", answer.trust_version);
	assert_string_equal("abcd", answer.policy_version);
	assert_string_equal("0123", answer.ca_certificate);
	assert_string_equal("policy 00, was 11\nedge secret\n", buf_text(&answer.changes));
	assert_string_equal("threads\n", buf_text(&answer.warnings));
	assert_ok(reload_answer_encode(&answer, &json));
	assert_string_equal(RELOADED, buf_text(&json));
}

static void a_reason_that_is_no_utf_8_is_not_encoded(void **state)
{
	const struct unbind_request request = {"h", "\xff"};
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY);

	(void)state;
	assert_refused(unbind_request_encode(&request, &json), ERR_INTERNAL, "json-write");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_body_is_one_whole_json_object_without_unknown_keys),
		cmocka_unit_test(no_body_lacks_a_key_has_one_twice_or_of_another_type),
		cmocka_unit_test(the_strings_of_each_body_have_their_limits),
		cmocka_unit_test(a_request_comes_back),
		cmocka_unit_test(an_answer_comes_back),
		cmocka_unit_test(what_a_reload_brought_comes_back),
		cmocka_unit_test(a_reason_that_is_no_utf_8_is_not_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
