#include "ca/base/log.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <unistd.h>

/* Standard error goes into a pipe meanwhile. */
struct capture {
	int saved;
	int end;
};

static void capture_start(struct capture *capture)
{
	int ends[2];

	assert_int_equal(0, pipe(ends));
	capture->saved = dup(STDERR_FILENO);
	assert_true(capture->saved >= 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	capture->end = ends[0];
}

/* Gives standard error back; returns what was written. */
static const char *capture_end(struct capture *capture, char text[static 16384])
{
	ssize_t n;
	size_t all = 0;

	assert_true(dup2(capture->saved, STDERR_FILENO) >= 0);
	close(capture->saved);
	while ((n = read(capture->end, text + all, 16383 - all)) > 0)
		all += (size_t)n;
	close(capture->end);
	text[all] = '\0';
	return text;
}

static void a_line_has_priority_event_and_pairs(void **state)
{
	struct capture capture;
	char text[16384];

	(void)state;
	capture_start(&capture);
	LOG(NOTICE, "enroll.refused", "host", "web-01.example.org", "why", "name-not-allowed");
	LOG(ERR, "service.failed");
	LOG(CRIT, "a", "left-out", NULL, "b", "c");
	assert_string_equal("<5>enroll.refused host=web-01.example.org why=name-not-allowed\n"
			    "<3>service.failed\n"
			    "<2>a b=c\n",
		capture_end(&capture, text));
}

static void a_value_begins_neither_a_line_nor_a_pair(void **state)
{
	static const struct {
		const char *value, *wanted;
	} rows[] = {
		{"plain-!#~", "plain-!#~"},
		{"", "\"\""},
		{"two words", "\"two words\""},
		{"a=b", "\"a=b\""},
		{"a\n<2>fake.event host=x", "\"a\\x0a<2>fake.event host=x\""},
		{"\r", "\"\\x0d\""},
		{"\t", "\"\\x09\""},
		{"say \"hi\"", "\"say \\\"hi\\\"\""},
		{"x\" admin=\"yes", "\"x\\\" admin=\\\"yes\""},
		{"\\", "\"\\\\\""},
		{"x\\\" admin=\"yes", "\"x\\\\\\\" admin=\\\"yes\""},
		{"\x1b[31m", "\"\\x1b[31m\""},
		{"\x7f", "\"\\x7f\""},
		{"\xc3\xa9", "\"\\xc3\\xa9\""},
		{"\xff\x80", "\"\\xff\\x80\""},
		{"\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct capture capture;
		char text[16384], wanted[256];

		capture_start(&capture);
		LOG(INFO, "e", "k", rows[i].value, "after", "1");
		snprintf(wanted, sizeof(wanted), "<6>e k=%s after=1\n", rows[i].wanted);
		assert_string_equal(wanted, capture_end(&capture, text));
	}
}

/* Whatever one byte a value has: one line, and quotes that close. */
static void no_byte_breaks_a_line(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		const char value[] = {'a', (char)c, 'b', '\0'};
		struct capture capture;
		char text[16384];
		size_t n;

		capture_start(&capture);
		LOG(INFO, "e", "k", value);
		n = strlen(capture_end(&capture, text));
		assert_ptr_equal(text + n - 1, strchr(text, '\n'));
		for (size_t i = 0; i + 1 < n; i++)
			assert_true(text[i] >= ' ' && text[i] <= '~');
		assert_true(text[7] == '"' ? text[n - 2] == '"' : n == 11 && text[8] == c);
	}
}

static void a_line_that_is_too_long_still_names_its_event(void **state)
{
	static char value[9000];
	struct capture capture;
	char text[16384];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	capture_start(&capture);
	LOG(NOTICE, "enroll.refused", "host", "web-01.example.org", "why", value);
	assert_string_equal(
		"<5>enroll.refused cut=\"more than 8192 bytes\"\n", capture_end(&capture, text));
}

static void a_line_of_exactly_its_room_is_written_whole(void **state)
{
	/* "<6>e k=" and a line end around it */
	static char value[8192 - 8 + 1 + 1];
	struct capture capture;
	char text[16384];

	(void)state;
	memset(value, 'x', 8192 - 8);
	capture_start(&capture);
	LOG(INFO, "e", "k", value);
	assert_int_equal(8192, strlen(capture_end(&capture, text)));
	value[8192 - 8] = 'x';
	capture_start(&capture);
	LOG(INFO, "e", "k", value);
	assert_string_equal("<6>e cut=\"more than 8192 bytes\"\n", capture_end(&capture, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_priority_event_and_pairs),
		cmocka_unit_test(a_value_begins_neither_a_line_nor_a_pair),
		cmocka_unit_test(no_byte_breaks_a_line),
		cmocka_unit_test(a_line_that_is_too_long_still_names_its_event),
		cmocka_unit_test(a_line_of_exactly_its_room_is_written_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
