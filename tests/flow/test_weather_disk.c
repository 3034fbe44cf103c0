/* test_weather_disk.c - PostgreSQL's disk is full, for its tables and for its log, while devices
 * enroll. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/weather.h"

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#define DEVICES 12

static struct world world;

static char *flag_path(void)
{
	return text("%s/full", supervise_dir());
}

static int make(void **state)
{
	AUTO(mem_free) char *flag = flag_path();
	AUTO(mem_free) char *variable = text("ENDORSE_FULL=%s", flag);

	(void)state;
	cluster_preload("libfulldisk.so", variable);
	world_make(&(struct world_plan){.pgproxy = true}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static void fill(const char *part)
{
	AUTO(mem_free) char *flag = flag_path();

	write_file(flag, 0644, view_str(part));
}

static void empty(struct world *w)
{
	AUTO(mem_free) char *flag = flag_path();

	(void)w;
	assert_int_equal(unlink(flag), 0);
	cluster_revive();
}

static void fill_tables(struct world *w)
{
	(void)w;
	fill("/base/");
}

static void tables_that_cannot_grow(void **state)
{
	(void)state;
	weather_strikes(&world, DEVICES,
		&(struct fault){"tables full", fill_tables, empty, "could not extend file", DEVICES,
			60000});
}

/* The next segment of the log is due at once. */
static void fill_log(struct world *w)
{
	(void)w;
	fill("/pg_wal/");
	/* The session that asks may be the one that fails. */
	process_start(&(struct program){.log = "/dev/null",
		.argv = (const char *const[]){
			"psql", w->conninfo, "-c", "SELECT pg_switch_wal()", NULL}});
}

static void a_log_that_cannot_grow(void **state)
{
	(void)state;
	weather_strikes(&world, DEVICES,
		&(struct fault){
			"log full", fill_log, empty, "database-unreachable", DEVICES, 60000});
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(tables_that_cannot_grow),
		cmocka_unit_test(a_log_that_cannot_grow),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
