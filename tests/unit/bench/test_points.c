#include "tests/bench/endorse-bench/points.h"
#include "tests/unit/check.h"

static void repeats_become_a_median_and_what_they_differ(void **state)
{
	static struct points points;

	(void)state;
	assert_ok(points_read("# x per second p50 p99\n"
			      "64 700 90000 120000\n"
			      "1 80 12000 15000\n"
			      "\n"
			      "64 720 88000 121000\n"
			      "  64\t690 95000 119000 \r\n"
			      "64 710 91000 130000",
		&points));
	assert_int_equal(2, points.n);
	assert_true(points.at[0].x == 1 && points.at[0].per_second.low == 80);
	assert_true(points.at[0].per_second.high == 80 && points.at[0].p50.middle == 12);
	assert_true(points.at[1].x == 64 && points.at[1].per_second.middle == 705);
	assert_true(points.at[1].per_second.low == 690 && points.at[1].per_second.high == 720);
	assert_true(points.at[1].p50.middle == 90.5 && points.at[1].p99.high == 130);
}

static void what_are_not_four_numbers_is_refused_with_its_line(void **state)
{
	static const char *const bad[] = {"1 2 3 4\n1 2 3\n", "1 2 3 4\n1 2 3 4 5\n",
		"1 2 3 4\n1 2 x 4\n", "1 2 3 4\n1 2 0 4\n", "1 2 3 4\n1 -2 3 4\n",
		"1 2 3 4\n1 nan 3 4\n", "1 2 3 4\n1 inf 3 4\n", "1 2 3 4\n1 2 3\n4\n"};
	static struct points points;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_refused_in(bad[i], points_read(bad[i], &points), ERR_MALFORMED, "points");
		assert_non_null(strstr(why()->sentence, "line 2"));
	}
	assert_refused(points_read("", &points), ERR_MALFORMED, "points");
	assert_refused(points_read("# nothing\n", &points), ERR_MALFORMED, "points");
}

/* `n` lines; the x of each is its number divided by `each`. */
static enum err read_many(size_t n, size_t each, struct points *points)
{
	AUTO(buf_free) struct buf text = BUF(1 << 22);

	for (size_t i = 0; i < n; i++)
		buf_fmt(&text, "%zu 2 3 4\n", i / each + 1);
	assert_ok(buf_ok(&text));
	return points_read(buf_text(&text), points);
}

static void there_are_no_more_than_have_room(void **state)
{
	static struct points points;

	(void)state;
	assert_ok(read_many((size_t)POINTS_MAX * POINTS_REPEATS, POINTS_REPEATS, &points));
	assert_int_equal(POINTS_MAX, points.n);
	assert_refused(read_many((size_t)POINTS_MAX * POINTS_REPEATS + 1, POINTS_REPEATS, &points),
		ERR_MALFORMED, "points");
	assert_refused(read_many(POINTS_MAX + 1, 1, &points), ERR_MALFORMED, "points");
	assert_refused(read_many(POINTS_REPEATS + 1, POINTS_REPEATS + 1, &points), ERR_MALFORMED,
		"points");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_become_a_median_and_what_they_differ),
		cmocka_unit_test(what_are_not_four_numbers_is_refused_with_its_line),
		cmocka_unit_test(there_are_no_more_than_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
