#include "enroll/proto/doctor.h"
#include "faults.h"

#define ANSWER                                                                                     \
	"{\"service\":\"https://endorse.example.org\","                                            \
	"\"findings\":[{\"area\":\"ca\",\"level\":\"warn\",\"text\":\"it ends\"}]}"

static struct doctor_answer answer; /* 80 KiB */

static enum err parse(struct view json)
{
	return doctor_answer_parse(json, &answer);
}

static void what_is_read_is_written_again(void **state)
{
	AUTO(buf_free) struct buf json = BUF(4096);

	(void)state;
	assert_int_equal(OK, parse(view_str(ANSWER)));
	assert_int_equal(1, answer.findings.n);
	assert_string_equal("ca", answer.findings.item[0].area);
	assert_int_equal(FINDING_WARN, answer.findings.item[0].level);
	assert_string_equal("it ends", answer.findings.item[0].text);
	assert_int_equal(OK, doctor_answer_encode(&answer, &json));
	assert_string_equal(ANSWER, buf_text(&json));
}

static void each_member_has_its_type_and_limit(void **state)
{
	(void)state;
	try_text(ANSWER, parse);
	try_unknown_key(&(struct place){ANSWER, "", parse});
	try_unknown_key(&(struct place){ANSWER, "findings/0", parse});
	try_member(&(struct place){ANSWER, "service", parse}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "findings", parse}, JSON_ARRAY, true);
	try_entry(&(struct place){ANSWER, "findings/0", parse}, JSON_OBJECT);
	try_member(&(struct place){ANSWER, "findings/0/area", parse}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "findings/0/level", parse}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "findings/0/text", parse}, JSON_STRING, true);
	try_string(&(struct place){ANSWER, "service", parse}, LIMIT_SERVICE);
	try_string(&(struct place){ANSWER, "findings/0/area", parse}, 31);
	try_string(&(struct place){ANSWER, "findings/0/text", parse}, FINDING_TEXT - 1);
	try_length(&(struct place){ANSWER, "findings", parse}, FINDINGS_MAX, "field-too-long");
	try_value(&(struct place){ANSWER, "findings/0/level", parse}, json_string("well"),
		ERR_MALFORMED, "json-type");
	try_value(&(struct place){ANSWER, "findings/0/level", parse}, json_string("skipped"),
		ERR_MALFORMED, "json-type");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_again),
		cmocka_unit_test(each_member_has_its_type_and_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
