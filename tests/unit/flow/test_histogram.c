#include "enroll/flow/histogram.h"

#include "tests/unit/check.h"

#include <string.h>

static void each_step_counts_what_took_no_longer(void **state)
{
	static const struct {
		int64_t us;
		const char *line;
	} rows[] = {
		{0, "x_bucket{le=\"0.0005\"} 1\n"},
		{500, "x_bucket{le=\"0.0005\"} 1\n"},
		{501, "x_bucket{le=\"0.0005\"} 0\nx_bucket{le=\"0.001\"} 1\n"},
		{10000000,
			"x_bucket{le=\"2.5\"} 0\nx_bucket{le=\"10\"} 1\nx_bucket{le=\"+Inf\"} 1\n"},
		{10000001, "x_bucket{le=\"10\"} 0\nx_bucket{le=\"+Inf\"} 1\n"},
		{-5, "x_sum{} 0.000000\nx_count{} 1\n"},
		{1500000, "x_sum{} 1.500000\nx_count{} 1\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(4096);
		struct histogram histogram = {.sum_us = 0};

		histogram_add(&histogram, rows[i].us);
		histogram_write(&histogram, "x", "", &out);
		if (strstr(buf_text(&out), rows[i].line) == NULL)
			fail_msg("%lld: wanted\n%sin\n%s", (long long)rows[i].us, rows[i].line,
				buf_text(&out));
	}
}

static void steps_add_up_and_labels_come_before_them(void **state)
{
	AUTO(buf_free) struct buf out = BUF(4096);
	struct histogram histogram = {.sum_us = 0};

	(void)state;
	for (int i = 0; i < 3; i++)
		histogram_add(&histogram, 2000);
	histogram_add(&histogram, 60000);
	histogram_write(&histogram, "x", "a=\"b\"", &out);
	assert_non_null(strstr(buf_text(&out), "x_bucket{a=\"b\",le=\"0.001\"} 0\n"));
	assert_non_null(strstr(buf_text(&out), "x_bucket{a=\"b\",le=\"0.0025\"} 3\n"));
	assert_non_null(strstr(buf_text(&out), "x_bucket{a=\"b\",le=\"0.05\"} 3\n"));
	assert_non_null(strstr(buf_text(&out), "x_bucket{a=\"b\",le=\"0.1\"} 4\n"));
	assert_non_null(strstr(buf_text(&out), "x_sum{a=\"b\"} 0.066000\nx_count{a=\"b\"} 4\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_counts_what_took_no_longer),
		cmocka_unit_test(steps_add_up_and_labels_come_before_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
