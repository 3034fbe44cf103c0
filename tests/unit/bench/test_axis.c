#include "tests/bench/endorse-bench/axis.h"
#include "tests/unit/check.h"

#include <math.h>

static void assert_ticks(const struct axis *axis, const double *wanted, size_t n)
{
	assert_int_equal(n, axis->ticks_n);
	for (size_t i = 0; i < n; i++)
		if (fabs(axis->ticks[i] - wanted[i]) > 1e-9 * wanted[n - 1])
			fail_msg("tick %zu: wanted %g, got %g", i, wanted[i], axis->ticks[i]);
}

#define ASSERT_TICKS(axis, ...)                                                                    \
	assert_ticks((axis), (const double[]){__VA_ARGS__},                                        \
		sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void what_begins_at_zero_has_a_few_round_ticks(void **state)
{
	struct axis axis;

	(void)state;
	axis_make(700, 700, true, &axis);
	ASSERT_TICKS(&axis, 0, 100, 200, 300, 400, 500, 600, 700);
	assert_true(axis.low == 0 && axis.high == 700);
	axis_make(0.31, 0.31, true, &axis);
	ASSERT_TICKS(&axis, 0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35);
	axis_make(1, 4000, true, &axis);
	ASSERT_TICKS(&axis, 0, 1000, 2000, 3000, 4000);
	axis_make(12345, 12345, true, &axis);
	ASSERT_TICKS(&axis, 0, 2000, 4000, 6000, 8000, 10000, 12000, 14000);
}

static void what_differs_more_than_tenfold_is_logarithmic(void **state)
{
	struct axis axis;

	(void)state;
	axis_make(12, 690, false, &axis);
	assert_true(axis.is_log);
	ASSERT_TICKS(&axis, 10, 20, 50, 100, 200, 500, 1000);
	axis_make(12, 110, false, &axis);
	assert_false(axis.is_log);
	axis_make(1e-9, 1e9, false, &axis);
	assert_true(axis.ticks_n <= AXIS_TICKS);
}

static void values_lie_between_the_ends(void **state)
{
	const double powers[] = {1, 2, 4, 256}, one[] = {64};
	struct axis axis;

	(void)state;
	axis_of(powers, 4, &axis);
	assert_true(axis.is_log);
	ASSERT_TICKS(&axis, 1, 2, 4, 256);
	axis.from = 100;
	axis.to = 200;
	assert_true(axis_place(&axis, 1) > 100 && axis_place(&axis, 256) < 200);
	assert_true(fabs(axis_place(&axis, 16) - 150) < 1e-9);
	assert_true(fabs(axis_place(&axis, 4) - axis_place(&axis, 2) -
			    (axis_place(&axis, 2) - axis_place(&axis, 1))) < 1e-9);
	axis_of(one, 1, &axis);
	axis.from = 100;
	axis.to = 200;
	assert_true(fabs(axis_place(&axis, 64) - 150) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_begins_at_zero_has_a_few_round_ticks),
		cmocka_unit_test(what_differs_more_than_tenfold_is_logarithmic),
		cmocka_unit_test(values_lie_between_the_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
