#include "enroll/proto/pending.h"
#include "faults.h"

#define ID "00112233445566778899aabbccddeeff"
#define DIGEST ID ID
#define BRIEF                                                                                      \
	"{\"id\":\"" ID "\",\"host\":\"a.example.org\",\"from\":\"::1\",\"ek_digest\":\"" DIGEST   \
	"\",\"manufacturer\":\"id:49465800\",\"model\":\"SLB\",\"version\":\"id:0001\","           \
	"\"code\":\"ek-untrusted\",\"sentence\":\"nobody\",\"rule\":\"any\",\"decided_by\":"       \
	"\"admin-token\",\"why\":\"because\",\"first_at\":1,\"last_at\":2,"                        \
	"\"asked\":3,\"decided_at\":4,\"state\":\"rejected\""
#define SHOWN                                                                                      \
	BRIEF ",\"ek_public\":\"AAEC\",\"ak_name\":\"AAEC\",\"ek_certificate\":\"MAA=\","          \
	      "\"chain\":"                                                                         \
	      "[\"MAA=\",\"MAE=\"]}"
#define LIST "{\"pending\":[" BRIEF "}],\"more\":true}"
#define DECIDE "{\"id\":\"" ID "\",\"why\":\"because\"}"
#define TRUST                                                                                      \
	"{\"id\":\"" ID "\",\"why\":\"because\",\"certificate\":\"" DIGEST "\",\"manufacturers\":" \
	"\"any\"}"
#define TRUSTED                                                                                    \
	"{\"certificate\":\"" DIGEST "\",\"subject\":\"CN=x\",\"manufacturers\":\"id:49465800\","  \
	"\"known\":false}"

static enum err parse_shown(struct view json)
{
	AUTO(waiting_free) struct waiting waiting;

	waiting_init(&waiting);
	return waiting_parse(json, &waiting);
}

static enum err parse_list(struct view json)
{
	AUTO(waiting_list_free) struct waiting_list list;

	return waiting_list_parse(json, &list);
}

static enum err parse_decide(struct view json)
{
	struct decide_request request;

	return decide_request_parse(json, &request);
}

static enum err parse_trust(struct view json)
{
	struct trust_ca_request request;

	return trust_ca_request_parse(json, &request);
}

static enum err parse_trusted(struct view json)
{
	struct trust_ca_answer answer;

	return trust_ca_answer_parse(json, &answer);
}

static void what_is_read_is_written_again(void **state)
{
	AUTO(waiting_free) struct waiting waiting;
	AUTO(waiting_list_free) struct waiting_list list;
	AUTO(buf_free)
	struct buf a = BUF(4096), b = BUF(4096), c = BUF(4096), d = BUF(4096), e = BUF(4096);
	struct decide_request decide;
	struct trust_ca_request trust;
	struct trust_ca_answer trusted;

	(void)state;
	waiting_init(&waiting);
	assert_ok(waiting_parse(view_str(SHOWN), &waiting));
	assert_int_equal(WAITING_REJECTED, waiting.state);
	assert_int_equal(2, waiting.chain_n);
	assert_ok(waiting_encode(&waiting, &a));
	assert_string_equal(SHOWN, buf_text(&a));
	assert_ok(waiting_list_parse(view_str(LIST), &list));
	assert_ok(waiting_list_encode(&list, &b));
	assert_string_equal(LIST, buf_text(&b));
	assert_ok(decide_request_parse(view_str(DECIDE), &decide));
	assert_ok(decide_request_encode(&decide, &c));
	assert_string_equal(DECIDE, buf_text(&c));
	assert_ok(trust_ca_request_parse(view_str(TRUST), &trust));
	assert_ok(trust_ca_request_encode(&trust, &d));
	assert_string_equal(TRUST, buf_text(&d));
	assert_ok(trust_ca_answer_parse(view_str(TRUSTED), &trusted));
	assert_ok(trust_ca_answer_encode(&trusted, &e));
	assert_string_equal(TRUSTED, buf_text(&e));
}

static void each_body_is_one_whole_object_without_unknown_keys(void **state)
{
	static const struct {
		const char *text;
		enum err (*parse)(struct view json);
	} rows[] = {{SHOWN, parse_shown}, {LIST, parse_list}, {DECIDE, parse_decide},
		{TRUST, parse_trust}, {TRUSTED, parse_trusted}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		try_text(rows[i].text, rows[i].parse);
		try_unknown_key(&(struct place){rows[i].text, "", rows[i].parse});
	}
	try_unknown_key(&(struct place){LIST, "pending/0", parse_list});
}

static void strings_and_bytes_have_their_limits(void **state)
{
	(void)state;
	try_string(&(struct place){DECIDE, "id", parse_decide}, LIMIT_ATTEMPT_ID);
	try_string(&(struct place){DECIDE, "why", parse_decide}, LIMIT_WHY);
	try_string(&(struct place){TRUST, "certificate", parse_trust}, 2 * SHA256_SIZE);
	try_string(&(struct place){SHOWN, "host", parse_shown}, LIMIT_HOST);
	try_bytes(&(struct place){SHOWN, "ek_certificate", parse_shown}, LIMIT_EK_CERTIFICATE);
	try_bytes(&(struct place){SHOWN, "chain/0", parse_shown}, LIMIT_INTERMEDIATE);
	try_length(&(struct place){SHOWN, "chain", parse_shown}, LIMIT_INTERMEDIATES,
		"field-too-long");
	try_length(&(struct place){LIST, "pending", parse_list}, WAITING_MAX, "field-too-long");
}

static void what_must_be_there_is_there_and_of_its_type(void **state)
{
	(void)state;
	try_member(&(struct place){DECIDE, "id", parse_decide}, JSON_STRING, true);
	try_member(&(struct place){DECIDE, "why", parse_decide}, JSON_STRING, true);
	try_member(&(struct place){TRUST, "certificate", parse_trust}, JSON_STRING, true);
	try_member(&(struct place){TRUST, "manufacturers", parse_trust}, JSON_STRING, false);
	try_member(&(struct place){SHOWN, "host", parse_shown}, JSON_STRING, false);
	try_member(&(struct place){SHOWN, "first_at", parse_shown}, JSON_INTEGER, true);
	try_member(&(struct place){LIST, "pending", parse_list}, JSON_ARRAY, true);
	try_value(&(struct place){SHOWN, "state", parse_shown}, json_string("lost"), ERR_MALFORMED,
		"answer-unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_again),
		cmocka_unit_test(each_body_is_one_whole_object_without_unknown_keys),
		cmocka_unit_test(strings_and_bytes_have_their_limits),
		cmocka_unit_test(what_must_be_there_is_there_and_of_its_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
