#include "tests/bench/endorse-bench/chart.h"
#include "tests/unit/check.h"

static const struct chart_words plain = {.x = "connections", .y = "enrollments per second"};

static void draw(const char *text, const struct chart_words *words, struct buf *svg)
{
	static struct points points;

	assert_ok(points_read(text, &points));
	assert_ok(chart_draw(&points, words, svg));
}

static unsigned count(const struct buf *svg, const char *what)
{
	unsigned n = 0;

	for (const char *at = buf_text(svg); (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static void each_figure_has_its_mark_and_says_what_it_is(void **state)
{
	AUTO(buf_free) struct buf svg = BUF(1 << 16);

	(void)state;
	draw("1 80 12000 15000\n64 700 90000 120000\n64 720 88000 121000\n", &plain, &svg);
	assert_int_equal(6, count(&svg, "<circle "));
	assert_int_equal(1, count(&svg, "<title>64: 710 per second</title>"));
	assert_int_equal(1, count(&svg, "<title>64: 89 ms</title>"));
	assert_int_equal(1, count(&svg, ">p50</text>"));
	assert_int_equal(1, count(&svg, ">p99</text>"));
	assert_int_equal(0, count(&svg, "dasharray"));
	assert_int_equal(0, count(&svg, "nan"));
	assert_int_equal(0, count(&svg, "inf"));
}

static void one_measurement_alone_is_drawn(void **state)
{
	AUTO(buf_free) struct buf svg = BUF(1 << 16);

	(void)state;
	draw("4 23456 90 120\n", &plain, &svg);
	assert_int_equal(3, count(&svg, "<circle "));
	assert_int_equal(1, count(&svg, "23,456 per second"));
	assert_int_equal(0, count(&svg, "nan"));
}

static void words_cannot_leave_their_place(void **state)
{
	const struct chart_words words = {.title = "<b>\"&\"\x1b</b>",
		.subtitle = "a<b",
		.x = "x>y",
		.y = "&amp;",
		.limit = 900};
	AUTO(buf_free) struct buf svg = BUF(1 << 16);

	(void)state;
	draw("1 80 12000 15000\n", &words, &svg);
	assert_int_equal(1, count(&svg, ">&lt;b&gt;\"&amp;\" &lt;/b&gt;</text>"));
	assert_int_equal(1, count(&svg, ">a&lt;b</text>"));
	assert_int_equal(1, count(&svg, ">x&gt;y</text>"));
	assert_int_equal(1, count(&svg, ">&amp;amp;</text>"));
	assert_int_equal(1, count(&svg, "dasharray"));
}

/* How far down a text stands. */
static double place_of(const struct buf *svg, const char *text)
{
	const char *end = strstr(buf_text(svg), text), *start = end;

	assert_non_null(end);
	while (strncmp(start, "<text", 5) != 0)
		start--;
	return strtod(strstr(start, " y=\"") + 4, NULL);
}

static void names_do_not_lie_on_each_other(void **state)
{
	AUTO(buf_free) struct buf svg = BUF(1 << 16);

	(void)state;
	draw("1 80 10000 15000\n2 90 500000 500000\n", &plain, &svg);
	assert_true(place_of(&svg, ">p50</text>") - place_of(&svg, ">p99</text>") > 14);
}

static void a_buffer_that_is_too_small_is_told_of(void **state)
{
	static struct points points;
	AUTO(buf_free) struct buf svg = BUF(1000);

	(void)state;
	assert_ok(points_read("1 2 3 4", &points));
	assert_refused(chart_draw(&points, &plain, &svg), ERR_TOO_LARGE, "too-large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_figure_has_its_mark_and_says_what_it_is),
		cmocka_unit_test(one_measurement_alone_is_drawn),
		cmocka_unit_test(words_cannot_leave_their_place),
		cmocka_unit_test(names_do_not_lie_on_each_other),
		cmocka_unit_test(a_buffer_that_is_too_small_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
