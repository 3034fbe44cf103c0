#include "enroll/proto/renewal.h"

#include "faults.h"

static enum err parse_name(struct view json)
{
	AUTO(buf_free) struct buf name = BUF(LIMIT_PUBLIC);

	return renew_ticket_request_parse(json, &name);
}

static enum err parse_ticket(struct view json)
{
	AUTO(renewal_ticket_answer_free) struct renewal_ticket_answer answer;

	renewal_ticket_answer_init(&answer);
	return renewal_ticket_answer_parse(json, &answer);
}

static enum err parse_request(struct view json)
{
	AUTO(renew_request_free) struct renew_request request;

	renew_request_init(&request);
	return renew_request_parse(json, &request);
}

static enum err parse_answer(struct view json)
{
	AUTO(buf_free) struct buf answer = BUF(LIMIT_ANSWER);

	return renew_answer_parse(json, &answer);
}

#define NAME "{\"ak\":\"bmFtZQ==\"}"
#define TICKET "{\"ticket\":\"dGlja2V0\",\"expires_at\":1795358858}"
#define REQUEST                                                                                    \
	"{\"ticket\":\"dGlja2V0\",\"ak\":\"YWs=\",\"request\":\"cmVxdWVzdA==\","                   \
	"\"signature\":\"c2lnbmF0dXJl\"}"
#define ANSWER "{\"answer\":\"YW5zd2Vy\"}"

static void each_message_is_one_whole_json_object_without_unknown_keys(void **state)
{
	static const struct place rows[] = {{NAME, "", parse_name}, {TICKET, "", parse_ticket},
		{REQUEST, "", parse_request}, {ANSWER, "", parse_answer}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		try_text(rows[i].base, rows[i].parse);
		try_unknown_key(&rows[i]);
	}
}

static void no_message_lacks_a_key_has_one_twice_or_of_another_type(void **state)
{
	static const struct {
		struct place place;
		json_type type;
		size_t max;
	} rows[] = {
		{{NAME, "ak", parse_name}, JSON_STRING, 66},
		{{TICKET, "ticket", parse_ticket}, JSON_STRING, 1024},
		{{TICKET, "expires_at", parse_ticket}, JSON_INTEGER, 0},
		{{REQUEST, "ticket", parse_request}, JSON_STRING, 1024},
		{{REQUEST, "ak", parse_request}, JSON_STRING, 1024},
		{{REQUEST, "request", parse_request}, JSON_STRING, LIMIT_REQUEST},
		{{REQUEST, "signature", parse_request}, JSON_STRING, LIMIT_SIGNATURE},
		{{ANSWER, "answer", parse_answer}, JSON_STRING, LIMIT_ANSWER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		try_member(&rows[i].place, rows[i].type, true);
		if (rows[i].max > 0)
			try_bytes(&rows[i].place, rows[i].max);
	}
}

static void what_is_written_comes_back(void **state)
{
	AUTO(renewal_ticket_answer_free) struct renewal_ticket_answer ticket;
	AUTO(renew_request_free) struct renew_request request;
	AUTO(buf_free) struct buf name = BUF(100), answer = BUF(100);
	struct buf json[4];

	(void)state;
	for (size_t i = 0; i < COUNT(json); i++)
		json[i] = BUF(1024);
	renewal_ticket_answer_init(&ticket);
	renew_request_init(&request);
	assert_ok(renew_ticket_request_parse(view_str(NAME), &name));
	assert_ok(renew_ticket_request_encode(buf_view(&name), &json[0]));
	assert_string_equal(NAME, buf_text(&json[0]));
	assert_ok(renewal_ticket_answer_parse(view_str(TICKET), &ticket));
	assert_int_equal(1795358858, ticket.expires_at);
	assert_ok(renewal_ticket_answer_encode(&ticket, &json[1]));
	assert_string_equal(TICKET, buf_text(&json[1]));
	assert_ok(renew_request_parse(view_str(REQUEST), &request));
	assert_string_equal("ak", buf_text(&request.ak_public));
	assert_string_equal("signature", buf_text(&request.signature));
	assert_ok(renew_request_encode(&request, &json[2]));
	assert_string_equal(REQUEST, buf_text(&json[2]));
	assert_ok(renew_answer_parse(view_str(ANSWER), &answer));
	assert_ok(renew_answer_encode(buf_view(&answer), &json[3]));
	assert_string_equal(ANSWER, buf_text(&json[3]));
	for (size_t i = 0; i < COUNT(json); i++)
		buf_free(&json[i]);
}

/* Each of the three enters it by its digest, and what begins it is no statement of a TPM. */
static void the_message_is_another_for_each_thing_it_is_over(void **state)
{
	uint8_t base[RENEWAL_MESSAGE_SIZE], made[RENEWAL_MESSAGE_SIZE];
	const struct view a = view_str("a"), b = view_str("b");

	(void)state;
	assert_ok(renewal_message("s", a, b, base));
	assert_memory_equal("endorse/1 renew", base, 16);
	assert_ok(renewal_message("t", a, b, made));
	assert_memory_not_equal(base, made, sizeof(base));
	assert_ok(renewal_message("s", b, b, made));
	assert_memory_not_equal(base, made, sizeof(base));
	assert_ok(renewal_message("s", a, a, made));
	assert_memory_not_equal(base, made, sizeof(base));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_is_one_whole_json_object_without_unknown_keys),
		cmocka_unit_test(no_message_lacks_a_key_has_one_twice_or_of_another_type),
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(the_message_is_another_for_each_thing_it_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
