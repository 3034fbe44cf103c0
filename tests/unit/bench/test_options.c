#include "tests/bench/endorse-bench/options.h"
#include "tests/bench/endorse-bench/wanted.h"
#include "tests/unit/check.h"

#define READ(out, ...)                                                                             \
	read_all((char *[]){(char *)"enroll", __VA_ARGS__, NULL},                                  \
		(int)COUNT(((const char *[]){"", __VA_ARGS__})), (out))

static enum err read_all(char **argv, int argc, struct options *out)
{
	return options_parse(argc, argv, out);
}

#define WORD(text) ((char *)(uintptr_t)(text))

static void a_plan_is_what_was_said(void **state)
{
	struct options options;

	(void)state;
	assert_ok(READ(&options, WORD("--url"), WORD("https://a"), WORD("--connections"), WORD("7"),
		WORD("--rate"), WORD("2.5"), WORD("--seconds"), WORD("2m"), WORD("--first"),
		WORD("0"), WORD("--fresh-aks"), WORD("--watch"), WORD("edge=1"), WORD("--watch"),
		WORD("service=2,3")));
	assert_string_equal("https://a", options.plan.url);
	assert_int_equal(7, options.plan.connections);
	assert_true(options.plan.rate == 2.5 && options.plan.seconds == 120);
	assert_true(options.fresh_aks && options.watch_n == 2);
	assert_string_equal("ak", options.templates);
	assert_int_equal(1, options.plan.threads);
}

static void what_was_not_said_fits_the_fleet(void **state)
{
	struct options options;

	(void)state;
	assert_ok(READ(&options, WORD("--first"), WORD("10")));
	assert_ok(options_fit(&options, 100));
	assert_int_equal(90, options.plan.errands);
	assert_int_equal(64, options.plan.connections);
	assert_ok(READ(&options, WORD("--herd"), WORD("10s")));
	assert_ok(options_fit(&options, 100));
	assert_int_equal(100, options.plan.connections);
	assert_true(options.plan.patience_s == 600);
	assert_ok(READ(&options, WORD("--devices"), WORD("101")));
	assert_refused(options_fit(&options, 100), ERR_MALFORMED, "usage");
	options.fresh_aks = true;
	assert_ok(options_fit(&options, 100));
	assert_ok(READ(&options, WORD("--first"), WORD("100")));
	assert_refused(options_fit(&options, 100), ERR_MALFORMED, "usage");
}

static void what_goes_round_does_so_for_as_long_as_was_said(void **state)
{
	struct options options;

	(void)state;
	assert_ok(READ(&options, WORD("--seconds"), WORD("5")));
	options.goes_round = true;
	assert_ok(options_fit(&options, 100));
	assert_true(options.plan.errands == SIZE_MAX);
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const bad[][2] = {{"--connections", "0"}, {"--connections", "8x"},
		{"--connections", "-1"}, {"--rate", "0"}, {"--rate", "fast"}, {"--herd", "10h"},
		{"--herd", "-1s"}, {"--seconds", ""}, {"--devices", "100000001"}, {"--no", "1"},
		{"enroll", "1"}};
	struct options options;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused_in(bad[i][1], READ(&options, WORD(bad[i][0]), WORD(bad[i][1])),
			ERR_MALFORMED, "usage");
	assert_refused(READ(&options, WORD("--url")), ERR_MALFORMED, "usage");
	assert_refused(READ(&options, WORD("--rate"), WORD("1"), WORD("--herd"), WORD("1")),
		ERR_MALFORMED, "usage");
}

static void templates_are_names_with_commas_between(void **state)
{
	static const char *const bad[] = {"", ",", "ak,", ",ak", "a,b,c,d,e,f,g,h,i"};
	struct wanted wanted;

	(void)state;
	assert_ok(wanted_read("ak", &wanted));
	assert_false(wanted_needs_keys(&wanted));
	assert_ok(wanted_read("ak,tls-client", &wanted));
	assert_int_equal(2, wanted.n);
	assert_string_equal("tls-client", wanted.names[1]);
	assert_true(wanted_needs_keys(&wanted));
	assert_ok(wanted_read("tls-client", &wanted));
	assert_true(wanted_needs_keys(&wanted));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused_in(bad[i], wanted_read(bad[i], &wanted), ERR_MALFORMED, "usage");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_is_what_was_said),
		cmocka_unit_test(what_was_not_said_fits_the_fleet),
		cmocka_unit_test(what_goes_round_does_so_for_as_long_as_was_said),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(templates_are_names_with_commas_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
