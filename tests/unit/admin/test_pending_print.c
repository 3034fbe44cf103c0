#include "enroll/admin/pending_print.h"

#include "tests/unit/admin/captured.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

static struct waiting bare = {.id = "00112233445566778899aabbccddeeff",
	.host = "web-1.example.org",
	.from = "192.0.2.7",
	.ek_digest = "aa",
	.code = "ek-certificate-missing",
	.sentence = "no EK certificate",
	.rule = "web",
	.first_at = 1800000000,
	.last_at = 1800000060,
	.asked = 2};

static struct waiting hostile = {.id = "00112233445566778899aabbccddeeff",
	.host = "\x1b[2J",
	.from = "\x9b",
	.manufacturer = "\x1b",
	.model = "a\nb",
	.code = "\x07",
	.sentence = "\x1b]0;x",
	.rule = "\x1b",
	.asked = 1};

static enum err print_lines(const void *waiting)
{
	return waiting_print(waiting, PRINT_TEXT);
}

static enum err print_all(const void *waiting)
{
	return waiting_print_all(waiting, PRINT_TEXT);
}

static void one_has_two_lines_in_a_list(void **state)
{
	AUTO(buf_free) struct buf out = BUF(4096);

	(void)state;
	captured(print_lines, &bare, &out);
	assert_string_equal(buf_text(&out),
		"001122334455  held      2027-01-15T08:01:00Z  web-1.example.org                 "
		"ek-certificate-missing\n"
		"    from 192.0.2.7, asked 2 time(s); no EK certificate\n");
}

static void all_of_it_says_what_each_decision_means_by_commands(void **state)
{
	AUTO(buf_free) struct buf out = BUF(1 << 14);

	(void)state;
	captured(print_all, &bare, &out);
	assert_non_null(strstr(buf_text(&out), "attempt 00112233445566778899aabbccddeeff, held\n"
					       "  asked as        web-1.example.org\n"
					       "  from            192.0.2.7\n"
					       "  asked           2 time(s), first "
					       "2027-01-15T08:00:00Z, last 2027-01-15T08:01:00Z\n"
					       "  held by rule    web\n"));
	assert_non_null(strstr(buf_text(&out), "\nit has no EK certificate\n"));
	assert_non_null(strstr(
		buf_text(&out), "\n  endorsectl pending accept-once 001122334455 --why ...\n"));
	assert_non_null(
		strstr(buf_text(&out), "\n  endorsectl ek allow add --ek-digest aa --why ...\n"));
	assert_non_null(
		strstr(buf_text(&out), "\n  endorsectl pending reject 001122334455 --why ...\n"));
	/* No CA came with it, and none is missing. */
	assert_null(strstr(buf_text(&out), "trust-ca"));
	assert_null(strstr(buf_text(&out), "vendors import"));
}

static void nothing_of_a_device_reaches_the_terminal_as_it_is(void **state)
{
	AUTO(buf_free) struct buf lines = BUF(4096), all = BUF(1 << 14);

	(void)state;
	captured(print_lines, &hostile, &lines);
	captured(print_all, &hostile, &all);
	buf_add(&lines, buf_view(&all));
	for (size_t i = 0; i < lines.n; i++)
		assert_true(lines.p[i] == '\n' || (lines.p[i] >= ' ' && lines.p[i] <= '~'));
	assert_non_null(strstr(buf_text(&lines), "?[2J"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_has_two_lines_in_a_list),
		cmocka_unit_test(all_of_it_says_what_each_decision_means_by_commands),
		cmocka_unit_test(nothing_of_a_device_reaches_the_terminal_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
