#include "enroll/agent/retry.h"

#include "ca/base/clock.h"
#include "ca/base/mem.h"
#include "enroll/agent/interrupt.h"

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static void retry_after_is_read_as_seconds_or_as_a_date(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{"0", 0},
		{"120", 120},
		{"99999999999999999999", 86400},
		{"Sun, 06 Nov 1994 08:50:07 GMT", 30},
		{"Sunday, 06-Nov-94 08:50:07 GMT", 30},
		{"Sun Nov  6 08:50:07 1994", 30},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 0},
		{"Sat, 05 Nov 1994 08:49:37 GMT", 0},
		{"Sun, 06 Nov 2044 08:49:37 GMT", 86400},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t seconds = -1;

		assert_true(retry_after_parse(cases[i].text, NOW, &seconds));
		assert_int_equal(cases[i].seconds, seconds);
	}
}

static void a_retry_after_that_is_neither_is_no_retry_after(void **state)
{
	static const char *const texts[] = {"", "soon", "-1", "1.5e", "99 bottles"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		int64_t seconds = -7;

		assert_false(retry_after_parse(texts[i], NOW, &seconds));
		assert_int_equal(-7, seconds);
	}
}

static void with_no_time_nothing_is_tried_twice(void **state)
{
	struct retry retry;

	(void)state;
	retry_start(&retry, 0);
	assert_true(retry_left_ms(&retry) > 1000);
	assert_int_equal(ERR_BUSY, retry_wait(&retry, -1, "away"));
	assert_string_equal("service-away", why()->code);
}

static void a_retry_after_beyond_the_bound_ends_it_at_once(void **state)
{
	struct retry retry;
	time_t start = time(NULL);

	(void)state;
	retry_start(&retry, 30);
	assert_int_equal(ERR_BUSY, retry_wait(&retry, 3600, "away"));
	assert_true(time(NULL) - start < 5);
}

/* However often it was away before: a service that tells when it has room is not made to wait for us. */
static void what_the_service_asks_for_is_not_doubled(void **state)
{
	struct retry retry;
	int64_t start = clock_ms();

	(void)state;
	retry_start(&retry, 30);
	retry.tries = 9;
	assert_int_equal(OK, retry_wait(&retry, 1, "busy"));
	assert_in_range(clock_ms() - start, 1500, 5000);
}

static void a_signal_ends_the_wait_and_stays_for_later(void **state)
{
	struct retry retry;
	sigset_t set;
	int number = 0;

	(void)state;
	interrupt_hold();
	assert_false(interrupt_pending());
	raise(SIGTERM);
	assert_true(interrupt_pending());
	retry_start(&retry, 60);
	assert_int_equal(ERR_INTERNAL, retry_wait(&retry, 20, "away"));
	assert_string_equal("interrupted", why()->code);
	assert_true(interrupt_pending());
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigwait(&set, &number);
	assert_int_equal(SIGTERM, number);
	interrupt_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retry_after_is_read_as_seconds_or_as_a_date),
		cmocka_unit_test(a_retry_after_that_is_neither_is_no_retry_after),
		cmocka_unit_test(with_no_time_nothing_is_tried_twice),
		cmocka_unit_test(a_retry_after_beyond_the_bound_ends_it_at_once),
		cmocka_unit_test(what_the_service_asks_for_is_not_doubled),
		cmocka_unit_test(a_signal_ends_the_wait_and_stays_for_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
