/* test_bench.c - endorse-bench against a world: its figures add up, and agree with what the service recorded. */
#include "tests/flow/agent.h"
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES "60"

static struct world world;
static char *fleet, *maker;

static char *in_dir(const char *name)
{
	return text("%s/%s", supervise_dir(), name);
}

/* Before the world, which is to believe in its manufacturer. */
static void make_fleet(void)
{
	AUTO(output_free) struct output output = {0};

	fleet = in_dir("fleet");
	maker = in_dir("fleet-maker");
	world_run(NULL, &output, "endorse-bench", "fleet", "--devices", DEVICES, "--mix",
		"rsa:1,p256:1,p384:1", "--out", fleet, "--roots", maker, NULL);
	must(output.code == 0, "%s", buf_text(&output.err));
}

static int make(void **state)
{
	AUTO(mem_free) char *more = NULL;

	(void)state;
	make_fleet();
	more = text("  - name: fleet\n    class: manufacturer\n"
		    "    roots: %s/roots\n    intermediates: %s/intermediates\n",
		maker, maker);
	world_make(
		&(struct world_plan){
			.edge = true, .all_fronts = true, .policy = world_any_name, .more = more},
		&world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	free(fleet);
	free(maker);
	world_free(&world);
	return 0;
}

/* Runs a command of it at the edge, arguments up to NULL, and reads what it wrote; for json_decref(). */
static json_t *bench(int code, const char *command, const char *const *more)
{
	AUTO(mem_free) char *program = text("%s/endorse-bench", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *edge = text("edge=%d", world.edge);
	AUTO(mem_free) char *service = text("service=%d", world.services[0].pid);
	AUTO(mem_free) char *postgres = text("postgres=%d", cluster_pid());
	AUTO(output_free) struct output output = {0};
	const char *argv[40] = {program, command, "--url", world.name, "--ca", world.roots,
		"--sources", "2", "--watch", edge, "--watch", service, "--watch", postgres,
		"--json", "-"};
	json_t *figures;
	size_t n = 16;

	while (n < 39 && *more != NULL)
		argv[n++] = *more++;
	process_run(&(struct program){.argv = argv, .timeout_ms = 120000}, &output);
	if (output.code != code)
		fail_msg("%s: exit %d, wanted %d:\n%s%s", command, output.code, code,
			buf_text(&output.out), buf_text(&output.err));
	figures = json_loads(buf_text(&output.out), JSON_REJECT_DUPLICATES, NULL);
	if (figures == NULL)
		fail_msg("%s writes no JSON:\n%s", command, buf_text(&output.out));
	return figures;
}
#define BENCH(code, command, ...) bench((code), (command), (const char *const[]){__VA_ARGS__, NULL})

/* "latency_us", "p50"; NULL as the second: of the object itself. */
static double number(const json_t *figures, const char *first, const char *second)
{
	const json_t *value = json_object_get(figures, first);

	if (second != NULL)
		value = json_object_get(value, second);
	if (!json_is_number(value))
		fail_msg("there is no number %s %s", first, second != NULL ? second : "");
	return json_number_value(value);
}

static void assert_number(const json_t *figures, const char *name, double wanted)
{
	if (number(figures, name, NULL) != wanted)
		fail_msg("%s: wanted %g, got %g", name, wanted, number(figures, name, NULL));
}

/* What is true of every run in which `devices` were served. */
static void assert_adds_up(const json_t *figures, const char *what, double devices)
{
	/* The last may have nothing to do: answers of OCSP and CRLs are kept by the service. */
	static const char *const whose[] = {"edge", "service", "generator", "postgres"};
	const size_t busy = strcmp(what, "ocsp") == 0 || strcmp(what, "crl") == 0 ? 3 : 4;
	const double rate = number(figures, "per_second", NULL);

	assert_string_equal(json_string_value(json_object_get(figures, "what")), what);
	assert_number(figures, "devices", devices);
	assert_number(figures, "good", devices);
	assert_int_equal(json_object_size(json_object_get(figures, "errors")), 0);
	assert_true(rate * number(figures, "seconds", NULL) > devices * 0.99);
	assert_true(rate * number(figures, "seconds", NULL) < devices * 1.01);
	assert_true(number(figures, "latency_us", "p50") > 0);
	assert_true(number(figures, "latency_us", "p50") <= number(figures, "latency_us", "p95"));
	assert_true(number(figures, "latency_us", "p95") <= number(figures, "latency_us", "p99"));
	assert_true(number(figures, "latency_us", "p99") <= number(figures, "latency_us", "max"));
	assert_true(
		number(figures, "latency_us", "max") <= number(figures, "seconds", NULL) * 1e6 + 1);
	for (size_t i = 0; i < busy; i++)
		assert_true(number(figures, "cpu_us", whose[i]) > 0);
	assert_true(number(figures, "rss_kib", "service") > 1000);
	assert_true(
		number(figures, "peak_kib", "service") >= number(figures, "rss_kib", "service"));
}

static void devices_enroll_and_each_is_counted_once(void **state)
{
	json_t *figures;
	long before = world_rows(&world, "certificate");

	(void)state;
	figures = BENCH(0, "enroll", "--fleet", fleet, "--devices", "30", "--connections", "4");
	assert_adds_up(figures, "enroll", 30);
	assert_number(figures, "connections", 4);
	assert_int_equal(world_rows(&world, "certificate"), before + 30);
	json_decref(figures);
}

static void an_open_loop_keeps_its_rate(void **state)
{
	json_t *figures;

	(void)state;
	figures = BENCH(
		0, "enroll", "--fleet", fleet, "--first", "30", "--devices", "12", "--rate", "10");
	assert_adds_up(figures, "enroll", 12);
	assert_number(figures, "rate", 10);
	/* The twelfth is due 1.1 seconds after the first. */
	assert_true(number(figures, "seconds", NULL) >= 1.1);
	json_decref(figures);
}

static void a_herd_is_served_to_the_last(void **state)
{
	json_t *figures;

	(void)state;
	figures = BENCH(
		0, "enroll", "--fleet", fleet, "--first", "42", "--devices", "18", "--herd", "1s");
	assert_adds_up(figures, "enroll", 18);
	assert_number(figures, "herd_seconds", 1);
	json_decref(figures);
}

/* After those above: all devices have enrolled. */
static void devices_that_enrolled_renew(void **state)
{
	json_t *figures;
	long before = world_rows(&world, "certificate");

	(void)state;
	world_age(&world);
	figures = BENCH(0, "renew", "--fleet", fleet, "--devices", "20", "--connections", "4");
	assert_adds_up(figures, "renew", 20);
	assert_int_equal(world_rows(&world, "certificate"), before + 20);
	json_decref(figures);
}

static void devices_that_are_refused_are_counted_by_reason(void **state)
{
	json_t *figures, *refused;
	long before = world_rows(&world, "certificate");

	(void)state;
	figures = BENCH(0, "reject", "--fleet", fleet, "--devices", "30", "--connections", "4");
	assert_adds_up(figures, "reject", 30);
	assert_int_equal(world_rows(&world, "certificate"), before);
	refused = json_object_get(figures, "refused");
	assert_int_equal(json_object_size(refused), 3);
	assert_true(number(refused, "ek-signature", NULL) == 10);
	assert_true(number(refused, "name-not-allowed", NULL) == 10);
	assert_true(number(refused, "proof-invalid", NULL) == 10);
	json_decref(figures);
}

static void relying_parties_ask_over_plain_http(void **state)
{
	AUTO(mem_free) char *plain = text("http://localhost:%d", world.plain.port);
	json_t *figures;

	(void)state;
	figures = BENCH(0, "ocsp", "--url", plain, "--database", world.conninfo, "--devices", "40",
		"--connections", "4");
	assert_adds_up(figures, "ocsp", 40);
	json_decref(figures);
	figures = BENCH(0, "crl", "--url", plain, "--database", world.conninfo, "--devices", "10",
		"--connections", "2");
	assert_adds_up(figures, "crl", 10);
	json_decref(figures);
}

static void who_is_not_served_is_told_of_by_reason(void **state)
{
	AUTO(mem_free) char *nowhere = text("https://localhost:%d", free_port());
	json_t *figures, *errors;
	long before = world_rows(&world, "certificate");

	(void)state;
	/* The last one counts. */
	figures = BENCH(1, "enroll", "--fleet", fleet, "--devices", "3", "--url", nowhere);
	errors = json_object_get(figures, "errors");
	assert_number(figures, "devices", 3);
	assert_number(figures, "good", 0);
	assert_int_equal(json_object_size(errors), 1);
	assert_int_equal(json_integer_value(json_object_iter_value(json_object_iter(errors))), 3);
	json_decref(figures);
	figures = BENCH(1, "enroll", "--fleet", fleet, "--devices", "2", "--service",
		"https://another.example.test");
	assert_number(figures, "good", 0);
	assert_int_equal(world_rows(&world, "certificate"), before);
	json_decref(figures);
}

static void an_edge_of_another_ca_is_not_believed(void **state)
{
	AUTO(mem_free) char *other = text("%s/roots/rsa.pem", maker);
	json_t *figures;

	(void)state;
	figures = BENCH(1, "enroll", "--fleet", fleet, "--devices", "2", "--ca", other);
	assert_number(figures, "good", 0);
	json_decref(figures);
}

static int code_of(const char *const *argv)
{
	AUTO(mem_free) char *program = text("%s/endorse-bench", ENDORSE_BIN_DIR);
	AUTO(output_free) struct output output = {0};
	const char *all[16] = {program};

	for (size_t i = 0; i < 14 && argv[i] != NULL; i++)
		all[i + 1] = argv[i];
	process_run(&(struct program){.argv = all}, &output);
	return output.code;
}
#define CODE(...) code_of((const char *const[]){__VA_ARGS__, NULL})

static void wrong_usage_is_told_apart_from_what_fails(void **state)
{
	AUTO(mem_free) char *odd = in_dir("odd");

	(void)state;
	write_file(odd, 0644, view_str("this is no fleet"));
	assert_int_equal(CODE("--help"), 0);
	assert_int_equal(CODE("--version"), 0);
	assert_int_equal(CODE("enroll", "--help"), 0);
	assert_int_equal(CODE("dance"), 2);
	assert_int_equal(CODE("enroll", "--dance"), 2);
	assert_int_equal(CODE("enroll", "--connections", "0"), 2);
	assert_int_equal(CODE("enroll", "--rate", "many"), 2);
	assert_int_equal(CODE("fleet"), 2);
	assert_int_equal(CODE("plot"), 2);
	assert_int_equal(CODE("plot", odd), 1);
	assert_int_equal(
		CODE("enroll", "--url", world.name, "--ca", world.roots, "--fleet", odd), 1);
	assert_int_equal(CODE("enroll", "--url", world.name, "--ca", odd, "--fleet", fleet), 1);
}

static void a_picture_is_well_formed(void **state)
{
	AUTO(mem_free) char *points = in_dir("points"), *svg = in_dir("picture.svg");

	(void)state;
	write_file(points, 0644,
		view_str("1 80 12000 15000\n64 700 90000 120000\n64 710 91000 119000\n"));
	assert_int_equal(
		CODE("plot", "--title", "<a> & \"b\"", "--limit", "900", "--out", svg, points), 0);
	MUST_RUN("python3", "-c", "import sys, xml.dom.minidom as d; d.parse(sys.argv[1])", svg);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(devices_enroll_and_each_is_counted_once),
		cmocka_unit_test(an_open_loop_keeps_its_rate),
		cmocka_unit_test(a_herd_is_served_to_the_last),
		cmocka_unit_test(devices_that_enrolled_renew),
		cmocka_unit_test(devices_that_are_refused_are_counted_by_reason),
		cmocka_unit_test(relying_parties_ask_over_plain_http),
		cmocka_unit_test(who_is_not_served_is_told_of_by_reason),
		cmocka_unit_test(an_edge_of_another_ca_is_not_believed),
		cmocka_unit_test(wrong_usage_is_told_apart_from_what_fails),
		cmocka_unit_test(a_picture_is_well_formed),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
