#include "tests/bench/endorse-bench/floor.h"
#include "tests/unit/check.h"

#include <math.h>
#include <unistd.h>

/* What a part takes at most where any of this is worth running, also under a sanitizer. */
#define FAR_TOO_LONG_US 100000.0

static void assert_value(const struct floor_value *value)
{
	assert_true(value->us > 0.1 && value->us < FAR_TOO_LONG_US);
	assert_true(value->low_us <= value->us && value->us <= value->high_us);
}

static void each_part_has_a_median_between_its_quartiles_and_they_add_up(void **state)
{
	AUTO(floor_close) struct floor *floor = NULL;
	struct floor_figures figures;
	double sum = 0;

	(void)state;
	assert_ok(floor_open(&(struct floor_plan){.without_database = true}, &floor));
	floor_figures(floor, &figures);
	assert_int_equal(figures.rounds, 0);
	for (size_t i = 0; i < 3; i++)
		assert_ok(floor_round(floor));
	floor_figures(floor, &figures);
	assert_int_equal(figures.rounds, 3);
	assert_false(figures.has_database);
	for (size_t i = 0; i < FLOOR_DATABASE; i++) {
		assert_value(&figures.parts[i]);
		sum += figures.parts[i].us;
	}
	assert_true(figures.parts[FLOOR_DATABASE].us <= 0);
	assert_true(fabs(figures.sum_us - sum) < 0.01);
	/* Nothing is left out when they are done in turns, and cold caches make nothing cheaper. */
	assert_value(&figures.in_turns);
	assert_value(&figures.cold);
	assert_true(figures.in_turns.high_us > 0.7 * sum);
	assert_true(figures.cold.high_us > 0.9 * figures.in_turns.low_us);
	/* There is a signature in a handshake, and in a certificate. */
	assert_true(figures.parts[FLOOR_HANDSHAKE].high_us > 0.5e6 / figures.p256_signs);
	assert_true(figures.parts[FLOOR_CERTIFICATE].high_us > 0.5e6 / figures.p256_signs);
	assert_true(figures.p256_signs > 100 && figures.rsa2048_signs > 10);
}

static void an_edge_without_a_certificate_is_told(void **state)
{
	AUTO(floor_close) struct floor *floor = NULL;
	const struct floor_plan plan = {.edge_certificate = "/dev/null", .without_database = true};

	(void)state;
	assert_refused(floor_open(&plan, &floor), ERR_INTERNAL, "floor-openssl");
	assert_null(floor);
}

static void a_database_that_is_not_there_is_told(void **state)
{
	AUTO(floor_close) struct floor *floor = NULL;
	const struct floor_plan plan = {.database = "host=/nowhere dbname=postgres"};

	(void)state;
	assert_refused(floor_open(&plan, &floor), ERR_INTERNAL, "floor-database");
	assert_null(floor);
}

static void json_tells_each_part_that_was_measured(void **state)
{
	struct floor_figures figures = {.in_turns = {18, 17, 19},
		.cold = {40, 39, 41},
		.sum_us = 21,
		.rounds = 7,
		.p256_signs = 45000,
		.rsa2048_signs = 1500};
	struct json json = {.text = BUF(4096)};

	(void)state;
	for (size_t i = 0; i < FLOOR_PARTS; i++)
		figures.parts[i] = (struct floor_value){(double)i + 1, (double)i, (double)i + 2};
	floor_json(&figures, NULL, &json);
	assert_string_equal(buf_text(&json.text),
		"{\"handshake\":{\"us\":1,\"low_us\":0,\"high_us\":2},"
		"\"ek\":{\"us\":2,\"low_us\":1,\"high_us\":3},"
		"\"credential\":{\"us\":3,\"low_us\":2,\"high_us\":4},"
		"\"ticket\":{\"us\":4,\"low_us\":3,\"high_us\":5},"
		"\"certificate\":{\"us\":5,\"low_us\":4,\"high_us\":6},"
		"\"in_turns\":{\"us\":18,\"low_us\":17,\"high_us\":19},"
		"\"cold\":{\"us\":40,\"low_us\":39,\"high_us\":41},"
		"\"sum_us\":21,\"rounds\":7,\"p256_signs_per_second\":45000,"
		"\"rsa2048_signs_per_second\":1500}");
	buf_free(&json.text);
	json = (struct json){.text = BUF(4096)};
	figures.has_database = true;
	floor_json(&figures, NULL, &json);
	assert_non_null(strstr(buf_text(&json.text),
		",\"database\":{\"us\":6,\"low_us\":5,\"high_us\":7},\"in_turns\""));
	buf_free(&json.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_has_a_median_between_its_quartiles_and_they_add_up),
		cmocka_unit_test(an_edge_without_a_certificate_is_told),
		cmocka_unit_test(a_database_that_is_not_there_is_told),
		cmocka_unit_test(json_tells_each_part_that_was_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
