#include "enroll/proto/attempts.h"
#include "faults.h"

#define COUNTERS                                                                                   \
	"{\"since\":1,\"tickets\":2,\"issued\":3,\"returned\":4,\"repeated\":5,\"held\":10,"       \
	"\"refused\":6,"                                                                           \
	"\"unrecorded\":7,\"failed\":9,\"unproven\":[{\"reason\":\"proof-invalid\",\"count\":8}]}"
#define ATTEMPT                                                                                    \
	"{\"id\":11,\"at\":12,\"host\":\"a.example.org\","                                         \
	"\"device_id\":\"00112233445566778899aabbccddeeff\",\"reason\":\"ek-expired\","            \
	"\"sentence\":\"why\",\"from\":\"::1\",\"request_id\":\"r\"}"
#define ANSWER                                                                                     \
	"{\"attempts\":[" ATTEMPT "],\"next\":11,\"more\":true,\"settles_id\":13,"                 \
	"\"settles_xid\":14,\"settled_xid\":15,\"counters\":" COUNTERS "}"

static enum err parse(struct view json)
{
	AUTO(attempts_answer_free) struct attempts_answer answer;

	return attempts_answer_parse(json, &answer);
}

static void what_is_read_is_written_again(void **state)
{
	AUTO(attempts_answer_free) struct attempts_answer answer;
	AUTO(buf_free) struct buf json = BUF(4096);

	(void)state;
	assert_int_equal(OK, attempts_answer_parse(view_str(ANSWER), &answer));
	assert_int_equal(1, answer.n);
	assert_int_equal(11, answer.items[0].id);
	assert_int_equal(12, answer.items[0].at);
	assert_string_equal("ek-expired", answer.items[0].reason);
	assert_true(answer.more);
	assert_int_equal(11, answer.next);
	assert_int_equal(13, answer.settles_id);
	assert_int_equal(14, answer.settles_xid);
	assert_int_equal(15, answer.settled_xid);
	assert_int_equal(7, answer.counters.unrecorded);
	assert_int_equal(9, answer.counters.failed);
	assert_int_equal(8, answer.counters.unproven[0].n);
	assert_int_equal(OK, attempts_answer_encode(&answer, &json));
	assert_string_equal(ANSWER, buf_text(&json));
}

static void what_is_not_known_of_an_attempt_is_left_out(void **state)
{
	const struct attempt attempt = {.id = 1, .at = 2, .reason = "json"};
	AUTO(buf_free) struct buf json = BUF(4096);

	(void)state;
	assert_int_equal(OK, attempt_encode(&attempt, &json));
	assert_string_equal("{\"id\":1,\"at\":2,\"reason\":\"json\"}", buf_text(&json));
}

static void the_answer_is_one_whole_object_without_unknown_keys(void **state)
{
	(void)state;
	try_text(ANSWER, parse);
	try_unknown_key(&(struct place){ANSWER, "", parse});
	try_unknown_key(&(struct place){ANSWER, "attempts/0", parse});
	try_unknown_key(&(struct place){ANSWER, "counters", parse});
	try_unknown_key(&(struct place){ANSWER, "counters/unproven/0", parse});
}

static void each_member_has_its_type(void **state)
{
	static const char *const numbers[] = {"next", "settles_id", "settles_xid", "settled_xid",
		"attempts/0/id", "attempts/0/at", "counters/since", "counters/tickets",
		"counters/issued", "counters/returned", "counters/repeated", "counters/held",
		"counters/refused", "counters/unrecorded", "counters/failed",
		"counters/unproven/0/count"};
	static const char *const texts[] = {"attempts/0/host", "attempts/0/device_id",
		"attempts/0/sentence", "attempts/0/from", "attempts/0/request_id"};

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++)
		try_member(&(struct place){ANSWER, numbers[i], parse}, JSON_INTEGER, true);
	for (size_t i = 0; i < COUNT(texts); i++)
		try_member(&(struct place){ANSWER, texts[i], parse}, JSON_STRING, false);
	try_member(&(struct place){ANSWER, "attempts/0/reason", parse}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "counters/unproven/0/reason", parse}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "attempts", parse}, JSON_ARRAY, true);
	try_member(&(struct place){ANSWER, "counters/unproven", parse}, JSON_ARRAY, true);
	try_member(&(struct place){ANSWER, "counters", parse}, JSON_OBJECT, true);
	try_entry(&(struct place){ANSWER, "attempts/0", parse}, JSON_OBJECT);
	try_entry(&(struct place){ANSWER, "counters/unproven/0", parse}, JSON_OBJECT);
	try_value(&(struct place){ANSWER, "more", parse}, json_integer(1), ERR_MALFORMED,
		"json-type");
}

static void each_text_and_list_has_its_limit(void **state)
{
	(void)state;
	try_string(&(struct place){ANSWER, "attempts/0/host", parse}, 512);
	try_string(&(struct place){ANSWER, "attempts/0/device_id", parse}, 32);
	try_string(&(struct place){ANSWER, "attempts/0/reason", parse}, 64);
	try_string(&(struct place){ANSWER, "attempts/0/sentence", parse}, 512);
	try_string(&(struct place){ANSWER, "counters/unproven/0/reason", parse}, 64);
	try_length(&(struct place){ANSWER, "attempts", parse}, ATTEMPTS_MAX, "field-too-long");
	try_length(&(struct place){ANSWER, "counters/unproven", parse}, ATTEMPT_REASONS,
		"field-too-long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_again),
		cmocka_unit_test(what_is_not_known_of_an_attempt_is_left_out),
		cmocka_unit_test(the_answer_is_one_whole_object_without_unknown_keys),
		cmocka_unit_test(each_member_has_its_type),
		cmocka_unit_test(each_text_and_list_has_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
