#include "tests/bench/endorse-bench/timers.h"

#include "tests/bench/endorse-bench/patience.h"
#include "tests/unit/check.h"

static void whoever_is_first_due_comes_first(void **state)
{
	AUTO(timers_free) struct timers timers;
	uint32_t number = 1;
	int64_t last = 0;

	(void)state;
	assert_ok(timers_make(1000, &timers));
	assert_null(timers_first(&timers));
	for (size_t i = 0; i < 1000; i++) {
		number = number * 1664525 + 1013904223;
		timers_add(&timers, number % 500, i);
	}
	for (size_t i = 0; i < 1000; i++) {
		assert_true(timers_first(&timers)->when_us >= last);
		last = timers_first(&timers)->when_us;
		timers_drop(&timers);
	}
	assert_null(timers_first(&timers));
}

/* As the agent's: enroll/agent/retry.c. */
static void waits_grow_and_never_undercut_what_was_asked_for(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_in_range(patience_wait_us(1, -1), 500000, 1000000);
		assert_in_range(patience_wait_us(2, -1), 1000000, 2000000);
		assert_in_range(patience_wait_us(50, -1), 15000000, 30000000);
		assert_in_range(patience_wait_us(1, 7), 7500000, 8000000);
		assert_in_range(patience_wait_us(50, 7), 7500000, 8000000);
	}
}

static void only_not_now_is_worth_another_try(void **state)
{
	(void)state;
	assert_true(patience_fits(503) && patience_fits(429) && patience_fits(502));
	assert_true(patience_fits(504) && patience_fits(408));
	assert_false(patience_fits(200) || patience_fits(202) || patience_fits(403));
	assert_false(patience_fits(500) || patience_fits(404));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_is_first_due_comes_first),
		cmocka_unit_test(waits_grow_and_never_undercut_what_was_asked_for),
		cmocka_unit_test(only_not_now_is_worth_another_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
