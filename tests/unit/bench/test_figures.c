#include "tests/bench/endorse-bench/figures.h"
#include "tests/unit/check.h"

#include <jansson.h>

static struct figures figures;

static void fill(void)
{
	figures = (struct figures){.what = "enroll",
		.connections = 8,
		.devices = 5,
		.good = 4,
		.seconds = 2,
		.cpu_us = {400, 1600, 2000, 8000},
		.rss_kib = {[OF_SERVICE] = 20480}};
	for (int64_t i = 1; i <= 4; i++)
		latency_add(&figures.latency, i * 1000);
	errors_count(&figures.errors, "busy \"now\"", 1);
	errors_count(&figures.retried, "http-503", 7);
}

static double number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_number(value))
		fail_msg("there is no number \"%s\"", name);
	return json_number_value(value);
}

static json_t *parsed(void)
{
	AUTO(buf_free) struct buf text = BUF(64 * 1024);
	json_t *object;

	figures_json(&figures, &text);
	assert_ok(buf_ok(&text));
	object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	return object;
}

static void what_is_told_is_for_one_that_was_served(void **state)
{
	json_t *object;
	const json_t *cpu, *latency;

	(void)state;
	fill();
	object = parsed();
	cpu = json_object_get(object, "cpu_us");
	latency = json_object_get(object, "latency_us");
	assert_string_equal("enroll", json_string_value(json_object_get(object, "what")));
	assert_true(number(object, "devices") == 5 && number(object, "good") == 4);
	assert_true(number(object, "per_second") == 2);
	assert_true(number(cpu, "edge") == 100 && number(cpu, "service") == 400);
	assert_true(number(cpu, "postgres") == 500 && number(cpu, "generator") == 2000);
	assert_true(number(latency, "mean") == 2500 && number(latency, "max") == 4000);
	assert_true(number(json_object_get(object, "errors"), "busy \"now\"") == 1);
	assert_true(number(json_object_get(object, "retried"), "http-503") == 7);
	json_decref(object);
}

static void what_was_not_measured_is_not_told(void **state)
{
	static const char *const absent[] = {"rate", "herd_seconds", "refused"};
	json_t *object;

	(void)state;
	fill();
	object = parsed();
	for (size_t i = 0; i < COUNT(absent); i++)
		if (json_object_get(object, absent[i]) != NULL)
			fail_msg("%s is told", absent[i]);
	assert_null(json_object_get(json_object_get(object, "rss_kib"), "edge"));
	json_decref(object);
}

/* A run in which everything fails in a way of its own still has an end. */
static void reasons_beyond_the_room_are_counted_as_other(void **state)
{
	uint64_t sum = 0;
	char code[64];

	(void)state;
	fill();
	for (int i = 0; i < 100; i++) {
		snprintf(code, sizeof(code), "code-%d", i);
		errors_count(&figures.errors, code, 1);
	}
	errors_count(&figures.errors, "code-0", 5);
	assert_int_equal(FIGURES_ERRORS, figures.errors.n);
	assert_string_equal("other", figures.errors.of[FIGURES_ERRORS - 1].code);
	assert_int_equal(6, figures.errors.of[1].n);
	for (size_t i = 0; i < figures.errors.n; i++)
		sum += figures.errors.of[i].n;
	assert_int_equal(1 + 100 + 5, sum);
}

static void nobody_was_served_and_nothing_is_divided_by_it(void **state)
{
	json_t *object;

	(void)state;
	figures = (struct figures){.what = "enroll"};
	object = parsed();
	assert_true(number(object, "per_second") == 0);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_for_one_that_was_served),
		cmocka_unit_test(what_was_not_measured_is_not_told),
		cmocka_unit_test(reasons_beyond_the_room_are_counted_as_other),
		cmocka_unit_test(nobody_was_served_and_nothing_is_divided_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
