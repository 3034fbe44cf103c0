#include "tests/bench/endorse-bench/floor.h"
#include "tests/bench/endorse-bench/floor/cluster.h"
#include "tests/unit/check.h"

#include <glob.h>
#include <libpq-fe.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where clusters of these tests lie, so that what others leave there says nothing. */
static char dir[] = "/tmp/endorse-floor-test.XXXXXX";

static size_t left_behind(void)
{
	glob_t found = {0};
	char pattern[64];
	size_t n;

	snprintf(pattern, sizeof(pattern), "%s/*", dir);
	glob(pattern, 0, NULL, &found);
	n = found.gl_pathc;
	globfree(&found);
	return n;
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL || chmod(dir, 0755) != 0 || setenv("TMPDIR", dir, 1) != 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static long number(const char *conninfo, const char *sql)
{
	PGconn *connection = PQconnectdb(conninfo);
	PGresult *result = PQexec(connection, sql);
	long value = -1;

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		value = strtol(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	PQfinish(connection);
	return value;
}

/* Their own clusters go with them. */
static void transactions_are_counted_with_the_product_s_tables_and_with_bare_ones(void **state)
{
	const struct floor_plan plan = {.with_bare_database = true};
	struct floor *floor = NULL;
	struct floor_figures figures;

	(void)state;
	assert_ok(floor_open(&plan, &floor));
	for (size_t i = 0; i < 3; i++)
		assert_ok(floor_round(floor));
	floor_figures(floor, &figures);
	assert_true(figures.has_database && figures.has_bare_database);
	assert_true(figures.parts[FLOOR_DATABASE].us > 20);
	assert_true(figures.bare_database.us > 20);
	assert_true(figures.sum_us > figures.parts[FLOOR_DATABASE].us);
	floor_close(&floor);
	assert_int_equal(left_behind(), 0);
}

static void a_cluster_that_is_there_is_left_as_it_was(void **state)
{
	AUTO(floor_cluster_free) struct floor_cluster *cluster = NULL;
	struct floor *floor = NULL;
	struct floor_figures figures;
	const char *conninfo;

	(void)state;
	assert_ok(floor_cluster_make(&cluster));
	conninfo = floor_cluster_conninfo(cluster);
	assert_int_equal(number(conninfo, "SELECT (current_setting('fsync') = 'on')::int"), 1);
	assert_ok(floor_open(&(struct floor_plan){.database = conninfo}, &floor));
	assert_int_equal(
		number(conninfo,
			"SELECT count(*) FROM pg_database WHERE datname LIKE 'endorse_floor%'"),
		1);
	assert_ok(floor_round(floor));
	floor_figures(floor, &figures);
	assert_true(figures.parts[FLOOR_DATABASE].us > 20);
	floor_close(&floor);
	assert_int_equal(
		number(conninfo,
			"SELECT count(*) FROM pg_database WHERE datname LIKE 'endorse_floor%'"),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			transactions_are_counted_with_the_product_s_tables_and_with_bare_ones),
		cmocka_unit_test(a_cluster_that_is_there_is_left_as_it_was),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
