#include "enroll/proto/allow.h"
#include "faults.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ENTRY                                                                                      \
	"{\"ek_digest\":\"" DIGEST "\",\"ek_public\":\"AAEC\",\"serial\":\"SN-1\","                \
	"\"host\":\"a.example.org\",\"labels\":{\"rack\":\"7\"}}"
#define REQUEST                                                                                    \
	"{\"entries\":[" ENTRY "],\"source\":\"m.csv\",\"why\":\"because\",\"skip_bad\":true,"     \
	"\"dry_run\":false}"
#define ANSWER                                                                                     \
	"{\"added\":3,\"same\":1,\"changed\":true,\"bad\":[{\"entry\":17,\"fate\":\"host-bound\"}" \
	"]}"
#define DISALLOW "{\"ek_digest\":\"" DIGEST "\",\"why\":\"because\"}"
#define ITEM                                                                                       \
	"{\"ek_digest\":\"" DIGEST "\",\"serial\":\"SN-1\",\"host\":\"a.example.org\","            \
	"\"source\":\"m.csv\",\"added_by\":\"admin-token\",\"why\":\"because\","                   \
	"\"added_at\":12,\"labels\":{\"rack\":\"7\"},\"enrolled\":true}"
#define LIST "{\"allowed\":[" ITEM "],\"more\":true}"

static enum err parse_request(struct view json)
{
	AUTO(allow_request_free) struct allow_request request;

	return allow_request_parse(json, &request);
}

static enum err parse_answer(struct view json)
{
	AUTO(allow_answer_free) struct allow_answer answer;

	return allow_answer_parse(json, &answer);
}

static enum err parse_disallow(struct view json)
{
	struct disallow_request request;

	return disallow_request_parse(json, &request);
}

static enum err parse_list(struct view json)
{
	AUTO(allow_list_free) struct allow_list list;

	return allow_list_parse(json, &list);
}

static void what_is_read_is_written_again(void **state)
{
	AUTO(allow_request_free) struct allow_request request;
	AUTO(allow_answer_free) struct allow_answer answer;
	AUTO(allow_list_free) struct allow_list list;
	AUTO(buf_free) struct buf a = BUF(4096), b = BUF(4096), c = BUF(4096), d = BUF(4096);
	struct disallow_request disallow;

	(void)state;
	assert_ok(allow_request_parse(view_str(REQUEST), &request));
	assert_ok(allow_request_encode(&request, &a));
	assert_string_equal(REQUEST, buf_text(&a));
	assert_ok(allow_answer_parse(view_str(ANSWER), &answer));
	assert_int_equal(ALLOW_HOST_BOUND, answer.bad[0].fate);
	assert_ok(allow_answer_encode(&answer, &b));
	assert_string_equal(ANSWER, buf_text(&b));
	assert_ok(disallow_request_parse(view_str(DISALLOW), &disallow));
	assert_ok(disallow_request_encode(&disallow, &c));
	assert_string_equal(DISALLOW, buf_text(&c));
	assert_ok(allow_list_parse(view_str(LIST), &list));
	assert_ok(allow_list_encode(&list, &d));
	assert_string_equal(LIST, buf_text(&d));
}

static void each_body_is_one_whole_object_without_unknown_keys(void **state)
{
	(void)state;
	try_text(REQUEST, parse_request);
	try_text(ANSWER, parse_answer);
	try_text(DISALLOW, parse_disallow);
	try_text(LIST, parse_list);
	try_unknown_key(&(struct place){REQUEST, "", parse_request});
	try_unknown_key(&(struct place){REQUEST, "entries/0", parse_request});
	try_unknown_key(&(struct place){ANSWER, "", parse_answer});
	try_unknown_key(&(struct place){ANSWER, "bad/0", parse_answer});
	try_unknown_key(&(struct place){DISALLOW, "", parse_disallow});
	try_unknown_key(&(struct place){LIST, "", parse_list});
	try_unknown_key(&(struct place){LIST, "allowed/0", parse_list});
}

static void strings_and_bytes_have_their_limits(void **state)
{
	(void)state;
	try_string(&(struct place){REQUEST, "source", parse_request}, LIMIT_SOURCE);
	try_string(&(struct place){REQUEST, "why", parse_request}, LIMIT_WHY);
	try_string(&(struct place){REQUEST, "entries/0/serial", parse_request}, LIMIT_SERIAL);
	try_string(&(struct place){REQUEST, "entries/0/host", parse_request}, LIMIT_HOST);
	try_bytes(&(struct place){REQUEST, "entries/0/ek_public", parse_request}, LIMIT_PUBLIC);
	try_string(&(struct place){DISALLOW, "why", parse_disallow}, LIMIT_WHY);
	try_length(&(struct place){REQUEST, "entries", parse_request}, ALLOW_MAX, "field-too-long");
	try_length(&(struct place){LIST, "allowed", parse_list}, ALLOW_PAGE, "field-too-long");
}

static void what_must_be_there_is_there_and_of_its_type(void **state)
{
	(void)state;
	try_member(&(struct place){REQUEST, "entries", parse_request}, JSON_ARRAY, true);
	try_member(&(struct place){REQUEST, "source", parse_request}, JSON_STRING, true);
	try_member(&(struct place){REQUEST, "why", parse_request}, JSON_STRING, true);
	try_member(&(struct place){REQUEST, "entries/0/serial", parse_request}, JSON_STRING, false);
	try_member(&(struct place){REQUEST, "entries/0/host", parse_request}, JSON_STRING, false);
	try_member(&(struct place){DISALLOW, "ek_digest", parse_disallow}, JSON_STRING, true);
}

static void a_digest_has_its_digits_and_labels_are_texts(void **state)
{
	(void)state;
	try_value(&(struct place){REQUEST, "entries/0/ek_digest", parse_request}, json_string("00"),
		ERR_MALFORMED, "ek-digest");
	try_value(&(struct place){DISALLOW, "ek_digest", parse_disallow}, json_string("xyz"),
		ERR_MALFORMED, "ek-digest");
	try_value(&(struct place){REQUEST, "entries/0/labels", parse_request}, json_string("x"),
		ERR_MALFORMED, "labels");
	try_value(&(struct place){REQUEST, "entries/0/labels/rack", parse_request}, json_integer(7),
		ERR_MALFORMED, "labels");
	try_value(&(struct place){ANSWER, "bad/0/fate", parse_answer}, json_string("lost"),
		ERR_MALFORMED, "answer-unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_again),
		cmocka_unit_test(each_body_is_one_whole_object_without_unknown_keys),
		cmocka_unit_test(strings_and_bytes_have_their_limits),
		cmocka_unit_test(what_must_be_there_is_there_and_of_its_type),
		cmocka_unit_test(a_digest_has_its_digits_and_labels_are_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
