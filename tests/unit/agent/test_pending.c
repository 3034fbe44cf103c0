#include "enroll/agent/pending.h"

#include "ca/base/clock.h"
#include "ca/base/mem.h"
#include "enroll/agent/interrupt.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ID "00112233445566778899aabbccddeeff"
#define EK "abcdef01"
#define LONG 3600000 /* an hour, in milliseconds */

static char *said(const struct problem *problem, bool is_first)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	pending_say(out, "https://ca.example.org", EK, problem, is_first);
	fclose(out);
	return text;
}

static void it_is_told_once_at_length_what_happened_and_what_an_admin_types(void **state)
{
	const struct problem problem = {.attempt = ID, .detail = "nobody vouches\x1b[2J"};
	AUTO(mem_free) char *first = said(&problem, true), *again = said(&problem, false);

	(void)state;
	assert_non_null(strstr(first, "https://ca.example.org holds this enrollment"));
	assert_non_null(strstr(first, "nobody vouches?[2J"));
	assert_non_null(strstr(first, "endorsectl pending show " ID "\n"));
	assert_non_null(strstr(first, "sha256   " EK));
	assert_non_null(strstr(again, ID));
	assert_null(strstr(again, "endorsectl"));
}

static void the_service_says_how_long_within_bounds(void **state)
{
	static const struct {
		int64_t after, least;
	} rows[] = {{60, 60000}, {0, 5000}, {4, 5000}, {5, 5000}, {-1, 60000}, {900, 900000},
		{901, 900000}, {86400, 900000}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t least = rows[i].least;

		assert_int_equal(least, pending_delay_ms(rows[i].after, LONG, 0));
		assert_int_equal(
			least + least / 4, pending_delay_ms(rows[i].after, LONG, UINT16_MAX));
	}
}

/* The dice lengthen a wait, and never beyond the end. */
static void a_wait_that_does_not_fit_is_none(void **state)
{
	(void)state;
	assert_int_equal(-1, pending_delay_ms(60, 0, 0));
	assert_int_equal(-1, pending_delay_ms(60, -5, 0));
	assert_int_equal(-1, pending_delay_ms(60, 59999, 0));
	assert_int_equal(60000, pending_delay_ms(60, 60000, UINT16_MAX));
	assert_int_equal(61000, pending_delay_ms(60, 61000, UINT16_MAX));
}

static void without_time_nothing_is_waited_for(void **state)
{
	(void)state;
	assert_int_equal(ERR_PENDING, pending_wait(60, clock_ms()));
	assert_string_equal("service-pending", why()->code);
	assert_non_null(strstr(why()->sentence, "--wait"));
}

static void a_wait_ends_with_a_signal(void **state)
{
	int64_t began = clock_ms();

	(void)state;
	interrupt_hold();
	raise(SIGTERM);
	assert_int_equal(ERR_INTERNAL, pending_wait(600, began + LONG));
	assert_string_equal("interrupted", why()->code);
	assert_true(clock_ms() - began < 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_told_once_at_length_what_happened_and_what_an_admin_types),
		cmocka_unit_test(the_service_says_how_long_within_bounds),
		cmocka_unit_test(a_wait_that_does_not_fit_is_none),
		cmocka_unit_test(without_time_nothing_is_waited_for),
		cmocka_unit_test(a_wait_ends_with_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
