#include "enroll/proto/message.h"
#include "faults.h"

static enum err parse_ticket_request(struct view json)
{
	AUTO(buf_free) struct buf claim = BUF(LIMIT_CLAIM);

	return ticket_request_parse(json, &claim);
}

static enum err parse_sealed(struct view json)
{
	AUTO(buf_free) struct buf sealed = BUF(LIMIT_ANSWER);

	return sealed_parse(json, &sealed);
}

static enum err parse_challenge(struct view json)
{
	AUTO(challenge_free) struct challenge challenge;

	challenge_init(&challenge);
	return challenge_parse(json, &challenge);
}

static enum err parse_enroll_request(struct view json)
{
	AUTO(enroll_request_free) struct enroll_request request;

	enroll_request_init(&request);
	return enroll_request_parse(json, &request);
}

static enum err parse_request(struct view json)
{
	AUTO(request_free) struct request request;

	request_init(&request);
	return request_parse(json, &request);
}

static enum err parse_renewal_request(struct view json)
{
	AUTO(request_free) struct request request;

	request_init(&request);
	return renewal_request_parse(json, &request);
}

#define TICKET_REQUEST "{\"claim\":\"Y2xhaW0=\"}"
#define SEALED "{\"sealed\":\"c2VhbGVk\"}"
#define CHALLENGE                                                                                  \
	"{\"credential_blob\":\"YmxvYg==\",\"secret\":\"c2VjcmV0\",\"ticket\":\"dGlja2V0\","       \
	"\"expires_at\":1795358858}"
#define ENROLL_REQUEST                                                                             \
	"{\"ticket\":\"dGlja2V0\",\"claim\":\"Y2xhaW0=\",\"request\":\"cmVxdWVzdA==\","            \
	"\"proof\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}"
#define REQUEST "{\"keys\":[{\"template\":\"ak\"}]}"
#define FULL_REQUEST                                                                               \
	"{\"keys\":[{\"template\":\"tls-server\",\"public\":\"cHVi\",\"attest\":\"YXR0\","         \
	"\"signature\":\"c2ln\",\"spki\":\"c3Br\",\"ssh\":\"c3No\"}]}"
#define RENEWAL_REQUEST "{\"keys\":[{\"template\":\"ak\"}],\"host\":\"web-1.example.org\"}"
#define CHECK_REQUEST "{\"keys\":[{\"template\":\"ak\"}],\"purpose\":\"check\"}"

static void each_message_is_one_whole_json_object_without_unknown_keys(void **state)
{
	static const struct place rows[] = {
		{TICKET_REQUEST, "", parse_ticket_request},
		{SEALED, "", parse_sealed},
		{CHALLENGE, "", parse_challenge},
		{ENROLL_REQUEST, "", parse_enroll_request},
		{REQUEST, "", parse_request},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		try_text(rows[i].base, rows[i].parse);
		try_unknown_key(&rows[i]);
	}
	try_unknown_key(&(struct place){REQUEST, "keys/0", parse_request});
}

static void no_message_lacks_a_key_has_one_twice_or_of_another_type(void **state)
{
	static const struct {
		struct place place;
		json_type type;
	} rows[] = {
		{{TICKET_REQUEST, "claim", parse_ticket_request}, JSON_STRING},
		{{SEALED, "sealed", parse_sealed}, JSON_STRING},
		{{CHALLENGE, "credential_blob", parse_challenge}, JSON_STRING},
		{{CHALLENGE, "secret", parse_challenge}, JSON_STRING},
		{{CHALLENGE, "ticket", parse_challenge}, JSON_STRING},
		{{CHALLENGE, "expires_at", parse_challenge}, JSON_INTEGER},
		{{ENROLL_REQUEST, "ticket", parse_enroll_request}, JSON_STRING},
		{{ENROLL_REQUEST, "claim", parse_enroll_request}, JSON_STRING},
		{{ENROLL_REQUEST, "request", parse_enroll_request}, JSON_STRING},
		{{ENROLL_REQUEST, "proof", parse_enroll_request}, JSON_STRING},
		{{REQUEST, "keys", parse_request}, JSON_ARRAY},
		{{REQUEST, "keys/0/template", parse_request}, JSON_STRING},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		try_member(&rows[i].place, rows[i].type, true);
	try_entry(&(struct place){REQUEST, "keys/0", parse_request}, JSON_OBJECT);
}

static void the_bytes_of_each_message_are_canonical_and_have_their_limits(void **state)
{
	static const struct {
		struct place place;
		size_t max;
	} rows[] = {
		{{TICKET_REQUEST, "claim", parse_ticket_request}, 49152},
		{{SEALED, "sealed", parse_sealed}, 131072},
		{{CHALLENGE, "credential_blob", parse_challenge}, 1024},
		{{CHALLENGE, "secret", parse_challenge}, 1024},
		{{CHALLENGE, "ticket", parse_challenge}, 1024},
		{{ENROLL_REQUEST, "ticket", parse_enroll_request}, 1024},
		{{ENROLL_REQUEST, "claim", parse_enroll_request}, 49152},
		{{ENROLL_REQUEST, "request", parse_enroll_request}, 32768},
		{{ENROLL_REQUEST, "proof", parse_enroll_request}, 32},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		try_bytes(&rows[i].place, rows[i].max);
}

static void a_proof_has_32_bytes(void **state)
{
	static const struct {
		const char *proof;
		const char *code;
	} rows[] = {
		{"", "json-type"}, {"AA==", "json-type"},
		{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", "json-type"}, /* 31 */
		{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", "field-too-long"}, /* 33 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		try_value(&(struct place){ENROLL_REQUEST, "proof", parse_enroll_request},
			json_string(rows[i].proof), ERR_MALFORMED, rows[i].code);
}

static void a_request_asks_for_one_to_eight_certificates(void **state)
{
	const struct place keys = {REQUEST, "keys", parse_request};

	(void)state;
	try_value(&keys, json_array(), ERR_MALFORMED, "request-keys");
	try_length(&keys, 8, "request-keys");
	try_string(&(struct place){REQUEST, "keys/0/template", parse_request}, 64);
}

static void the_members_of_a_key_may_be_left_out_and_have_their_limits(void **state)
{
	static const char *const members[] = {"public", "attest", "signature", "spki", "ssh"};

	(void)state;
	for (size_t i = 0; i < COUNT(members); i++) {
		AUTO(mem_free) char *path = NULL;
		struct place place = {FULL_REQUEST, NULL, parse_request};

		assert_true(asprintf(&path, "keys/0/%s", members[i]) > 0);
		place.path = path;
		try_member(&place, JSON_STRING, false);
		try_bytes(&place, 1024);
		try_value(&place, json_string(""), ERR_MALFORMED, "json-type");
	}
}

static void a_renewal_request_names_its_host_and_has_no_purpose(void **state)
{
	(void)state;
	try_text(RENEWAL_REQUEST, parse_renewal_request);
	try_member(
		&(struct place){RENEWAL_REQUEST, "host", parse_renewal_request}, JSON_STRING, true);
	try_string(&(struct place){RENEWAL_REQUEST, "host", parse_renewal_request}, 253);
	assert_refused(
		parse_renewal_request(view_str(CHECK_REQUEST)), ERR_MALFORMED, "json-key-unknown");
	assert_refused(parse_request(view_str(RENEWAL_REQUEST)), ERR_MALFORMED, "json-key-unknown");
}

static void a_purpose_is_to_check_or_is_not_there(void **state)
{
	const struct place place = {CHECK_REQUEST, "purpose", parse_request};

	(void)state;
	try_member(&place, JSON_STRING, false);
	try_value(&place, json_string("checks"), ERR_MALFORMED, "request-purpose");
	try_value(&place, json_string("CHECK"), ERR_MALFORMED, "request-purpose");
	try_value(&place, json_string("enroll"), ERR_MALFORMED, "request-purpose");
	try_value(&place, json_string("check check check"), ERR_MALFORMED, "field-too-long");
}

static void what_this_version_does_not_take_yet_is_an_unknown_key(void **state)
{
	static const char *const texts[] = {
		"{\"keys\":[{\"template\":\"ak\"}],\"quote\":{}}",
		"{\"keys\":[{\"template\":\"ak\",\"csr\":\"AA==\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_refused(
			parse_request(view_str(texts[i])), ERR_MALFORMED, "json-key-unknown");
}

static void a_ticket_request_carries_the_claims_bytes(void **state)
{
	AUTO(buf_free) struct buf claim = BUF(LIMIT_CLAIM), json = BUF(LIMIT_TICKET_BODY);

	(void)state;
	assert_ok(ticket_request_parse(view_str(TICKET_REQUEST), &claim));
	assert_string_equal("claim", buf_text(&claim));
	assert_ok(ticket_request_encode(buf_view(&claim), &json));
	assert_string_equal(TICKET_REQUEST, buf_text(&json));
}

static void a_claim_of_the_largest_size_fits_into_the_largest_body(void **state)
{
	AUTO(mem_free) uint8_t *bytes = calloc(1, LIMIT_CLAIM);
	AUTO(buf_free) struct buf claim = BUF(LIMIT_CLAIM), json = BUF(LIMIT_TICKET_BODY + 64);

	(void)state;
	assert_ok(ticket_request_encode((struct view){bytes, LIMIT_CLAIM}, &json));
	assert_ok(ticket_request_parse(buf_view(&json), &claim));
	assert_int_equal(LIMIT_CLAIM, claim.n);
}

static void a_sealed_answer_comes_back(void **state)
{
	AUTO(buf_free) struct buf sealed = BUF(LIMIT_ANSWER), json = BUF(1024);

	(void)state;
	assert_ok(sealed_parse(view_str(SEALED), &sealed));
	assert_string_equal("sealed", buf_text(&sealed));
	assert_ok(sealed_encode(buf_view(&sealed), &json));
	assert_string_equal(SEALED, buf_text(&json));
}

static void a_challenge_comes_back(void **state)
{
	AUTO(challenge_free) struct challenge challenge;
	AUTO(buf_free) struct buf json = BUF(1024);

	(void)state;
	challenge_init(&challenge);
	assert_ok(challenge_parse(view_str(CHALLENGE), &challenge));
	assert_string_equal("blob", buf_text(&challenge.credential_blob));
	assert_string_equal("secret", buf_text(&challenge.secret));
	assert_string_equal("ticket", buf_text(&challenge.ticket));
	assert_int_equal(1795358858, challenge.expires_at);
	assert_ok(challenge_encode(&challenge, &json));
	assert_string_equal(CHALLENGE, buf_text(&json));
}

static void an_expiry_is_any_integer_of_64_bits(void **state)
{
	const struct place place = {CHALLENGE, "expires_at", parse_challenge};

	(void)state;
	try_value(&place, json_integer(INT64_MAX), OK, "");
	try_value(&place, json_integer(INT64_MIN), OK, "");
	try_value(&place, json_integer(0), OK, "");
}

static void an_enroll_request_comes_back(void **state)
{
	AUTO(enroll_request_free) struct enroll_request request;
	AUTO(buf_free) struct buf json = BUF(1024);

	(void)state;
	enroll_request_init(&request);
	assert_ok(enroll_request_parse(view_str(ENROLL_REQUEST), &request));
	assert_string_equal("ticket", buf_text(&request.ticket));
	assert_string_equal("claim", buf_text(&request.claim));
	assert_string_equal("request", buf_text(&request.request));
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(i, request.proof[i]);
	assert_ok(enroll_request_encode(&request, &json));
	assert_string_equal(ENROLL_REQUEST, buf_text(&json));
}

static void a_request_comes_back(void **state)
{
	AUTO(buf_free) struct buf json = BUF(1024);
	AUTO(request_free) struct request request;

	(void)state;
	request_init(&request);
	assert_ok(request_parse(view_str(REQUEST), &request));
	assert_int_equal(1, request.keys_n);
	assert_string_equal("ak", request.keys[0].template);
	assert_false(request.is_check);
	assert_ok(request_encode(&request, &json));
	assert_string_equal(REQUEST, buf_text(&json));
}

static void a_request_for_a_certified_key_comes_back(void **state)
{
	AUTO(buf_free) struct buf json = BUF(1024);
	AUTO(request_free) struct request request;

	(void)state;
	request_init(&request);
	assert_ok(request_parse(view_str(FULL_REQUEST), &request));
	assert_int_equal(3, request.keys[0].public.n);
	assert_memory_equal("att", request.keys[0].attest.p, 3);
	assert_memory_equal("sig", request.keys[0].signature.p, 3);
	assert_memory_equal("spk", request.keys[0].spki.p, 3);
	assert_memory_equal("ssh", request.keys[0].ssh.p, 3);
	assert_ok(request_encode(&request, &json));
	assert_string_equal(FULL_REQUEST, buf_text(&json));
}

static void a_renewal_request_comes_back(void **state)
{
	AUTO(buf_free) struct buf json = BUF(1024);
	AUTO(request_free) struct request request;

	(void)state;
	request_init(&request);
	assert_ok(renewal_request_parse(view_str(RENEWAL_REQUEST), &request));
	assert_string_equal("web-1.example.org", request.host);
	assert_ok(request_encode(&request, &json));
	assert_string_equal(RENEWAL_REQUEST, buf_text(&json));
}

static void a_request_to_check_comes_back(void **state)
{
	AUTO(buf_free) struct buf json = BUF(1024);
	AUTO(request_free) struct request request;

	(void)state;
	request_init(&request);
	assert_ok(request_parse(view_str(CHECK_REQUEST), &request));
	assert_true(request.is_check);
	assert_ok(request_encode(&request, &json));
	assert_string_equal(CHECK_REQUEST, buf_text(&json));
}

static void a_template_that_is_no_utf_8_is_not_encoded(void **state)
{
	const struct request request = {.keys = {{.template = "\xff"}}, .keys_n = 1};
	AUTO(buf_free) struct buf json = BUF(1024);

	(void)state;
	assert_refused(request_encode(&request, &json), ERR_INTERNAL, "json-write");
	assert_int_equal(0, json.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_is_one_whole_json_object_without_unknown_keys),
		cmocka_unit_test(no_message_lacks_a_key_has_one_twice_or_of_another_type),
		cmocka_unit_test(the_bytes_of_each_message_are_canonical_and_have_their_limits),
		cmocka_unit_test(a_proof_has_32_bytes),
		cmocka_unit_test(a_request_asks_for_one_to_eight_certificates),
		cmocka_unit_test(the_members_of_a_key_may_be_left_out_and_have_their_limits),
		cmocka_unit_test(a_renewal_request_names_its_host_and_has_no_purpose),
		cmocka_unit_test(a_purpose_is_to_check_or_is_not_there),
		cmocka_unit_test(what_this_version_does_not_take_yet_is_an_unknown_key),
		cmocka_unit_test(a_ticket_request_carries_the_claims_bytes),
		cmocka_unit_test(a_claim_of_the_largest_size_fits_into_the_largest_body),
		cmocka_unit_test(a_sealed_answer_comes_back),
		cmocka_unit_test(a_challenge_comes_back),
		cmocka_unit_test(an_expiry_is_any_integer_of_64_bits),
		cmocka_unit_test(an_enroll_request_comes_back),
		cmocka_unit_test(a_request_comes_back),
		cmocka_unit_test(a_request_for_a_certified_key_comes_back),
		cmocka_unit_test(a_renewal_request_comes_back),
		cmocka_unit_test(a_request_to_check_comes_back),
		cmocka_unit_test(a_template_that_is_no_utf_8_is_not_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
