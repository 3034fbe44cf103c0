#include "enroll/admin/attempts_print.h"

#include "ca/base/file.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What a call printed; standard output is this file meanwhile. */
static void printed(enum err (*print)(enum print_form form), enum print_form form, struct buf *out)
{
	char path[] = "/tmp/endorse-print-XXXXXX";
	int kept = dup(STDOUT_FILENO), fd = mkstemp(path);

	assert_true(kept >= 0 && fd >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	assert_int_equal(OK, print(form));
	dup2(kept, STDOUT_FILENO);
	close(kept);
	assert_int_equal(OK, file_read(path, out));
	unlink(path);
}

static struct attempt refused = {.id = 7,
	.at = 1800000000,
	.host = "web-1.example.org",
	.reason = "name-not-allowed",
	.sentence = "no rule lets \"web-1.example.org\" enroll here: ask the operator to add the "
		    "name to policy.yaml",
	.from = "192.0.2.7"};

static enum err print_refused(enum print_form form)
{
	return attempt_print(&refused, form);
}

static struct attempt hostile = {.id = 8,
	.host = "\x1b[2J",
	.reason = "\x9b",
	.sentence = "a\nb\rc",
	.from = "\x1b",
	.device_id = "0123456789abcdef0123456789abcdef"};

static enum err print_hostile(enum print_form form)
{
	return attempt_print(&hostile, form);
}

static enum err print_counters(enum print_form form)
{
	const struct attempt_counters counters = {.since = 1800000000,
		.tickets = 9,
		.issued = 5,
		.held = 3,
		.refused = 2,
		.unrecorded = 1,
		.failed = 4,
		.unproven = {{"proof-invalid", 3}, {"busy", 1}},
		.unproven_n = 2};

	return counters_print(&counters, form);
}

static void a_refusal_has_a_line_and_what_to_do_below_it(void **state)
{
	AUTO(buf_free) struct buf out = BUF(4096), json = BUF(4096);

	(void)state;
	printed(print_refused, PRINT_TEXT, &out);
	assert_string_equal(buf_text(&out),
		"2027-01-15T08:00:00Z  web-1.example.org                 name-not-allowed\n"
		"    from 192.0.2.7, a TPM that is not known here\n"
		"    no rule lets \"web-1.example.org\" enroll here: ask the operator to add the "
		"name to policy.yaml\n"
		"    -> add the name to a rule's hosts in policy.yaml (endorsectl reload), or "
		"correct the machine's\n"
		"    name, and enroll again\n");
	printed(print_refused, PRINT_JSON, &json);
	assert_int_equal('\n', json.p[json.n - 1]);
	assert_ptr_equal(json.p + json.n - 1, (uint8_t *)strchr(buf_text(&json), '\n'));
}

static void nothing_of_a_device_reaches_the_terminal_as_it_is(void **state)
{
	AUTO(buf_free) struct buf out = BUF(4096);

	(void)state;
	printed(print_hostile, PRINT_TEXT, &out);
	assert_string_equal(buf_text(&out),
		"1970-01-01T00:00:00Z  ?[2J                              ?\n"
		"    from ?, device 0123456789abcdef0123456789abcdef\n"
		"    a?b?c\n");
}

static struct stranger stranger = {.number = 3,
	.first_at = 1800000000,
	.at = 1800000060,
	.count = 1,
	.host = "web-2.example.org",
	.reason = "ek-untrusted",
	.sentence = "no root of ours",
	.from = "192.0.2.8"};

static enum err print_stranger(enum print_form form)
{
	return stranger_print(&stranger, form);
}

static void who_proved_nothing_is_told_with_how_often(void **state)
{
	AUTO(buf_free) struct buf once = BUF(4096), often = BUF(4096), json = BUF(4096);

	(void)state;
	printed(print_stranger, PRINT_TEXT, &once);
	assert_non_null(strstr(buf_text(&once),
		"2027-01-15T08:01:00Z  web-2.example.org                 ek-untrusted\n"
		"    from 192.0.2.8, turned away before it had proven anything\n"
		"    no root of ours\n"
		"    -> is this a manufacturer"));
	stranger.count = 4;
	printed(print_stranger, PRINT_TEXT, &often);
	assert_non_null(strstr(
		buf_text(&often), " had proven anything, 4 times since 2027-01-15T08:00:00Z\n"));
	printed(print_stranger, PRINT_JSON, &json);
	assert_string_equal(buf_text(&json),
		"{\"stranger\":{\"number\":3,\"first_at\":1800000000,\"at\":1800000060,"
		"\"count\":4,\"host\":\"web-2.example.org\",\"reason\":\"ek-untrusted\","
		"\"sentence\":\"no root of ours\",\"from\":\"192.0.2.8\"}}\n");
}

static void what_a_stranger_says_does_not_reach_the_terminal_as_it_is(void **state)
{
	AUTO(buf_free) struct buf out = BUF(4096);

	(void)state;
	stranger = (struct stranger){
		.host = "\x1b[2J", .reason = "\x9b", .sentence = "a\nb\x07", .from = "\x1b"};
	printed(print_stranger, PRINT_TEXT, &out);
	assert_string_equal(buf_text(&out),
		"1970-01-01T00:00:00Z  ?[2J                              ?\n"
		"    from ?, turned away before it had proven anything\n"
		"    a?b?\n");
}

static void counters_are_a_few_lines_or_an_object(void **state)
{
	AUTO(buf_free) struct buf out = BUF(4096), json = BUF(4096);

	(void)state;
	printed(print_counters, PRINT_TEXT, &out);
	assert_string_equal(buf_text(&out),
		"this server since 2027-01-15T08:00:00Z: 9 tickets; 5 issued, 0 returned, 0 "
		"repeated; "
		"2 refused\n"
		"    3 told to wait for an admin: endorsectl pending list\n"
		"    4 failed on our side: endorsectl doctor, and the log, tell why\n"
		"    1 of the refused are not in the audit: see the log\n"
		"    unproven: proof-invalid 3, busy 1\n"
		"");
	printed(print_counters, PRINT_JSON, &json);
	assert_string_equal(buf_text(&json),
		"{\"counters\":{\"since\":1800000000,\"tickets\":9,\"issued\":5,\"returned\":0,"
		"\"repeated\":0,\"held\":3,\"refused\":2,\"unrecorded\":1,\"failed\":4,"
		"\"unproven\":[{"
		"\"reason\":"
		"\"proof-invalid\",\"count\":3},{\"reason\":\"busy\",\"count\":1}]}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_has_a_line_and_what_to_do_below_it),
		cmocka_unit_test(nothing_of_a_device_reaches_the_terminal_as_it_is),
		cmocka_unit_test(who_proved_nothing_is_told_with_how_often),
		cmocka_unit_test(what_a_stranger_says_does_not_reach_the_terminal_as_it_is),
		cmocka_unit_test(counters_are_a_few_lines_or_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
