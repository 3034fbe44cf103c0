#include "enroll/proto/strangers.h"
#include "faults.h"

#define STRANGER                                                                                   \
	"{\"number\":3,\"first_at\":1,\"at\":2,\"count\":4,\"host\":\"a.example.org\","            \
	"\"reason\":\"ek-untrusted\",\"sentence\":\"why\",\"from\":\"::1\",\"request_id\":\"r\"}"
#define ANSWER "{\"since\":9,\"next\":7,\"strangers\":[" STRANGER "]}"

static enum err parse(struct view json)
{
	AUTO(strangers_answer_free) struct strangers_answer answer;

	return strangers_answer_parse(json, &answer);
}

static void what_is_read_is_written_again(void **state)
{
	AUTO(strangers_answer_free) struct strangers_answer answer;
	AUTO(buf_free) struct buf json = BUF(4096);

	(void)state;
	assert_int_equal(OK, strangers_answer_parse(view_str(ANSWER), &answer));
	assert_int_equal(1, answer.n);
	assert_int_equal(9, answer.since);
	assert_int_equal(7, answer.next);
	assert_int_equal(3, answer.items[0].number);
	assert_int_equal(4, answer.items[0].count);
	assert_string_equal("ek-untrusted", answer.items[0].reason);
	assert_int_equal(OK, strangers_answer_encode(&answer, &json));
	assert_string_equal(ANSWER, buf_text(&json));
}

static void the_answer_is_one_whole_object_without_unknown_keys(void **state)
{
	(void)state;
	try_text(ANSWER, parse);
	try_unknown_key(&(struct place){ANSWER, "", parse});
	try_unknown_key(&(struct place){ANSWER, "strangers/0", parse});
}

static void no_answer_has_more_than_are_kept(void **state)
{
	AUTO(buf_free) struct buf json = BUF(1 << 20);

	(void)state;
	buf_str(&json, "{\"since\":1,\"next\":2,\"strangers\":[" STRANGER);
	for (size_t i = 0; i < STRANGERS_MAX; i++)
		buf_str(&json, "," STRANGER);
	buf_str(&json, "]}");
	assert_int_equal(ERR_MALFORMED, parse(buf_view(&json)));
	assert_string_equal("field-too-long", why()->code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_again),
		cmocka_unit_test(the_answer_is_one_whole_object_without_unknown_keys),
		cmocka_unit_test(no_answer_has_more_than_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
