#include "tests/bench/endorse-bench/latency.h"
#include "tests/unit/check.h"

static struct latency latency, other;

static void no_step_is_wider_than_one_percent(void **state)
{
	(void)state;
	for (int64_t us = 1; us < INT64_C(1) << 36; us += 1 + us / 3) {
		uint64_t told;

		latency = (struct latency){.count = 0};
		latency_add(&latency, us);
		/* So that the longest is not what is told. */
		latency_add(&latency, INT64_C(1) << 40);
		told = latency_percentile(&latency, 0.5);
		assert_true(told >= (uint64_t)us);
		assert_true((double)told <= (double)us * 1.01);
	}
}

static void percentiles_of_known_numbers_are_right(void **state)
{
	(void)state;
	latency = (struct latency){.count = 0};
	for (int64_t us = 1; us <= 100; us++)
		latency_add(&latency, us);
	assert_int_equal(50, latency_percentile(&latency, 0.5));
	assert_int_equal(95, latency_percentile(&latency, 0.95));
	assert_int_equal(99, latency_percentile(&latency, 0.99));
	assert_int_equal(100, latency_percentile(&latency, 1));
	assert_int_equal(1, latency_percentile(&latency, 0));
	assert_int_equal(100, latency.max_us);
	assert_int_equal(5050, latency.sum_us);
}

static void what_is_out_of_range_counts_at_its_end(void **state)
{
	(void)state;
	latency = (struct latency){.count = 0};
	assert_int_equal(0, latency_percentile(&latency, 0.99));
	latency_add(&latency, -5);
	assert_int_equal(0, latency_percentile(&latency, 1));
	latency_add(&latency, INT64_MAX);
	assert_true(latency_percentile(&latency, 1) == INT64_MAX);
}

static void two_threads_together_are_as_one(void **state)
{
	(void)state;
	latency = other = (struct latency){.count = 0};
	for (int64_t us = 1; us <= 100; us++)
		latency_add(us % 2 == 0 ? &latency : &other, us * 10);
	latency_merge(&latency, &other);
	assert_int_equal(100, latency.count);
	assert_int_equal(50500, latency.sum_us);
	assert_int_equal(1000, latency.max_us);
	assert_in_range(latency_percentile(&latency, 0.5), 500, 505);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_step_is_wider_than_one_percent),
		cmocka_unit_test(percentiles_of_known_numbers_are_right),
		cmocka_unit_test(what_is_out_of_range_counts_at_its_end),
		cmocka_unit_test(two_threads_together_are_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
