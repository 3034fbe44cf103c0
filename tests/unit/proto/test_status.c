#include "enroll/proto/status.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

static struct status_answer status, back;

static void fill(void)
{
	status = (struct status_answer){.service = "https://ca.example.org",
		.version = "1.2.3",
		.since = 1800000000,
		.now = 1800000100,
		.is_database_up = true,
		.code = "ca-expired",
		.sentence = "it ended",
		.failures = 2,
		.crl_shards = 7,
		.krl_version = 9,
		.krl_behind = true,
		.expiries = {{"ca", "CN=Issuing", 1900000000}, {"vendor-root", "CN=Root", 1}},
		.expiries_n = 2};
}

static void what_is_written_is_what_is_read(void **state)
{
	AUTO(buf_free) struct buf json = BUF(1 << 16);

	(void)state;
	fill();
	assert_int_equal(OK, status_answer_encode(&status, &json));
	assert_int_equal(OK, status_answer_parse(buf_view(&json), &back));
	assert_memory_equal(&status, &back, sizeof(back));
}

static void a_server_that_is_ready_has_no_code(void **state)
{
	AUTO(buf_free) struct buf json = BUF(1 << 16);

	(void)state;
	fill();
	status.is_ready = true;
	status.code[0] = status.sentence[0] = '\0';
	assert_int_equal(OK, status_answer_encode(&status, &json));
	assert_null(strstr(buf_text(&json), "\"code\""));
	assert_int_equal(OK, status_answer_parse(buf_view(&json), &back));
	assert_true(back.is_ready);
	assert_string_equal("", back.code);
}

static void more_expiries_than_there_is_room_for_are_refused(void **state)
{
	AUTO(buf_free) struct buf json = BUF(1 << 16), longer = BUF(1 << 16);
	const char *at;

	(void)state;
	fill();
	assert_int_equal(OK, status_answer_encode(&status, &json));
	at = strstr(buf_text(&json), "\"expiries\":[");
	assert_non_null(at);
	at += strlen("\"expiries\":[");
	buf_fmt(&longer, "%.*s", (int)(at - buf_text(&json)), buf_text(&json));
	for (int i = 0; i < STATUS_EXPIRIES; i++)
		buf_str(&longer, "{\"role\":\"ca\",\"subject\":\"x\",\"until\":1},");
	buf_str(&longer, at);
	assert_int_equal(ERR_MALFORMED, status_answer_parse(buf_view(&longer), &back));
	assert_string_equal("field-too-long", why()->code);
}

static void what_is_unknown_or_lacks_is_refused(void **state)
{
	(void)state;
	assert_int_equal(ERR_MALFORMED, status_answer_parse(view_str("{\"more\":1}"), &back));
	assert_string_equal("json-key-unknown", why()->code);
	assert_int_equal(ERR_MALFORMED, status_answer_parse(view_str("{}"), &back));
	assert_string_equal("json-key-missing", why()->code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_what_is_read),
		cmocka_unit_test(a_server_that_is_ready_has_no_code),
		cmocka_unit_test(more_expiries_than_there_is_room_for_are_refused),
		cmocka_unit_test(what_is_unknown_or_lacks_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
