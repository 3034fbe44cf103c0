#include "enroll/proto/revocation.h"
#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST                                                                                    \
	"{\"host\":\"a.example.org\",\"reason\":\"keyCompromise\",\"why\":\"stolen from line 4\"}"
#define CERTIFICATE                                                                                \
	"{\"kind\":\"x509\",\"template\":\"ak\",\"serial\":\"40aa\",\"host\":\"a.example.org\","   \
	"\"not_after\":9}"
#define ANSWER                                                                                     \
	"{\"state\":\"revoked\",\"device_id\":\"00112233445566778899aabbccddeeff\",\"host\":"      \
	"\"a.example.org\",\"reason\":\"keyCompromise\",\"at\":1,\"x509\":2,\"ssh_host\":3,"       \
	"\"ssh_user\":4,\"unlisted\":5,\"crls\":6,\"crls_until\":7,\"names\":8,\"devices\":9,"     \
	"\"eks\":10,\"aks\":11,\"registered\":12,\"registered_host\":\"b.example.org\","           \
	"\"attempts\":13,\"remaining\":14,\"name\":[\"a.example.org\"],\"certificates\":"          \
	"[" CERTIFICATE "]}"
#define ISSUER                                                                                     \
	"{\"id\":\"07\",\"kind\":\"x509\",\"first_at\":1,\"not_after\":2,\"revoked_at\":3,"        \
	"\"reason\":\"cACompromise\",\"revoked_by\":\"admin-token\",\"why\":\"x\",\"remaining\":"  \
	"4}"
#define STATUS                                                                                     \
	"{\"crls\":1,\"crls_behind\":2,\"crls_oldest\":3,\"crls_until\":4,\"krl_at\":5,"           \
	"\"krl_behind\":true,\"issuers\":[" ISSUER "]}"

static enum err parse_request(struct view json)
{
	struct revocation_request request;

	return revocation_request_parse(json, &request);
}

static enum err parse_answer(struct view json)
{
	AUTO(revocation_answer_free) struct revocation_answer answer;

	return revocation_answer_parse(json, &answer);
}

static enum err parse_status(struct view json)
{
	AUTO(mem_free) struct revocation_status *status = calloc(1, sizeof(*status));

	return revocation_status_parse(json, status);
}

static void texts_are_read_whole_and_nothing_else_is(void **state)
{
	(void)state;
	try_text(REQUEST, parse_request);
	try_text(ANSWER, parse_answer);
	try_text(STATUS, parse_status);
	try_unknown_key(&(struct place){REQUEST, "", parse_request});
	try_unknown_key(&(struct place){ANSWER, "", parse_answer});
	try_unknown_key(&(struct place){ANSWER, "certificates/0", parse_answer});
	try_unknown_key(&(struct place){STATUS, "", parse_status});
	try_unknown_key(&(struct place){STATUS, "issuers/0", parse_status});
}

static void members_are_of_their_types_and_lengths(void **state)
{
	(void)state;
	try_member(&(struct place){REQUEST, "why", parse_request}, JSON_STRING, true);
	try_member(&(struct place){REQUEST, "host", parse_request}, JSON_STRING, false);
	try_string(&(struct place){REQUEST, "host", parse_request}, LIMIT_HOST);
	try_string(&(struct place){REQUEST, "why", parse_request}, LIMIT_WHY);
	try_string(&(struct place){REQUEST, "reason", parse_request}, LIMIT_CRL_REASON);
	try_member(&(struct place){ANSWER, "certificates", parse_answer}, JSON_ARRAY, true);
	try_member(&(struct place){ANSWER, "x509", parse_answer}, JSON_INTEGER, true);
	try_length(&(struct place){ANSWER, "certificates", parse_answer}, REVOCATION_TOLD,
		"field-too-long");
	try_length(&(struct place){STATUS, "issuers", parse_status}, REVOCATION_ISSUERS,
		"field-too-long");
	try_member(&(struct place){STATUS, "issuers", parse_status}, JSON_ARRAY, true);
}

static void what_is_written_is_what_was_read(void **state)
{
	AUTO(revocation_answer_free) struct revocation_answer answer;
	AUTO(mem_free) struct revocation_status *status = calloc(1, sizeof(*status));
	AUTO(buf_free) struct buf first = BUF(4096), second = BUF(4096), third = BUF(4096);
	struct revocation_request request;

	(void)state;
	assert_int_equal(OK, revocation_answer_parse(view_str(ANSWER), &answer));
	assert_int_equal(14, answer.remaining);
	assert_string_equal("b.example.org", answer.registered_host);
	assert_string_equal("a.example.org\n", buf_text(&answer.name));
	assert_int_equal(1, answer.certificates_n);
	assert_string_equal("40aa", answer.certificates[0].serial);
	assert_int_equal(OK, revocation_answer_encode(&answer, &first));
	assert_int_equal(strlen(ANSWER), first.n);
	assert_int_equal(OK, revocation_status_parse(view_str(STATUS), status));
	assert_true(status->krl_behind);
	assert_string_equal("admin-token", status->issuers[0].revoked_by);
	assert_int_equal(OK, revocation_status_encode(status, &second));
	assert_string_equal(STATUS, buf_text(&second));
	assert_int_equal(OK, revocation_request_parse(view_str(REQUEST), &request));
	assert_string_equal("", request.id);
	assert_int_equal(OK, revocation_request_encode(&request, &third));
	assert_string_equal(REQUEST, buf_text(&third));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read_whole_and_nothing_else_is),
		cmocka_unit_test(members_are_of_their_types_and_lengths),
		cmocka_unit_test(what_is_written_is_what_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
