#include "enroll/agent/enrollment.h"

#include <cmocka.h>
#include <string.h>

#define FIRST "endorse-enrollment 1\n"
#define MOST                                                                                       \
	"server=https://ca.example.org\nservice=https://ca.example.org\nhost=web.example.org\n"    \
	"device_id=0123456789abcdef0123456789abcdef\nek_template=L-1\n"                            \
	"ek_sha256=00112233\nak_kind=p256\n"
#define LAST "enrolled_at=2026-11-22T14:47:38Z\n"

static void what_was_written_is_read_again(void **state)
{
	AUTO(buf_free) struct buf text = BUF(ENROLLMENT_MAX);
	struct enrollment read = {0};

	(void)state;
	assert_int_equal(OK, enrollment_parse(view_str(FIRST MOST LAST), &read));
	assert_string_equal("web.example.org", read.host);
	assert_string_equal("L-1", read.ek_template);
	assert_string_equal("2026-11-22T14:47:38Z", read.enrolled_at);
	assert_int_equal(OK, enrollment_encode(&read, &text));
	assert_string_equal(FIRST MOST LAST, buf_text(&text));
}

static void where_the_ak_is_may_be_missing_and_is_read_when_it_is_there(void **state)
{
	static const char text[] = FIRST MOST "ak_hierarchy=ek\nak_handle=0x81010002\n" LAST;
	AUTO(buf_free) struct buf again = BUF(ENROLLMENT_MAX);
	struct enrollment read = {0};

	(void)state;
	assert_int_equal(OK, enrollment_parse(view_str(text), &read));
	assert_string_equal("ek", read.ak_hierarchy);
	assert_string_equal("0x81010002", read.ak_handle);
	assert_int_equal(OK, enrollment_encode(&read, &again));
	assert_string_equal(text, buf_text(&again));
	assert_int_equal(
		ERR_INTERNAL, enrollment_parse(view_str(FIRST MOST "ak_handle=\n" LAST), &read));
}

static void anything_else_is_refused(void **state)
{
	static const char *const texts[] = {
		"", FIRST, MOST LAST, /* no first line */
		"endorse-enrollment 2\n" MOST LAST, FIRST MOST, /* a key missing */
		FIRST MOST LAST "more=1\n", /* unknown */
		FIRST MOST LAST LAST, /* twice */
		FIRST MOST "enrolled_at=\n", /* empty */
		FIRST MOST "enrolled_at\n", /* no value */
		FIRST MOST "enrolled_at=2026", /* cut off */
		FIRST MOST LAST "\n", /* an empty line */
		FIRST MOST "enrolled_at=20\t26\n", /* a control character */
		FIRST MOST "enrolled_at=01234567890123456789012345678901\n", /* one byte too long */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct enrollment read = {.host = "untouched"};

		assert_int_equal(ERR_INTERNAL, enrollment_parse(view_str(texts[i]), &read));
		assert_string_equal("enrollment-file", why()->code);
		assert_string_equal("untouched", read.host);
	}
}

static void a_nul_inside_is_refused(void **state)
{
	static const char text[] = FIRST MOST "enrolled_at=2026\0-11\n";
	struct enrollment read = {0};

	(void)state;
	assert_int_equal(ERR_INTERNAL,
		enrollment_parse((struct view){(const uint8_t *)text, sizeof(text) - 1}, &read));
}

static void a_value_that_begins_a_line_of_its_own_is_not_written(void **state)
{
	AUTO(buf_free) struct buf text = BUF(ENROLLMENT_MAX);
	struct enrollment e = {0};

	(void)state;
	assert_int_equal(OK, enrollment_parse(view_str(FIRST MOST LAST), &e));
	snprintf(e.service, sizeof(e.service), "x\nhost=other.example.org");
	assert_int_equal(ERR_INTERNAL, enrollment_encode(&e, &text));
	assert_int_equal(0, text.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_again),
		cmocka_unit_test(where_the_ak_is_may_be_missing_and_is_read_when_it_is_there),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(a_nul_inside_is_refused),
		cmocka_unit_test(a_value_that_begins_a_line_of_its_own_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
